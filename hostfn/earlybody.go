package hostfn

import (
	"io"
	"sync"
	"time"
)

// smallResponse is the most bytes of a body that the reply of fetch brings.
const smallResponse = 16 << 10

// smallWait is how long the reply waits for such a body, which mostly comes with
// the head. Only tests change it.
var smallWait = time.Millisecond

// earlyBody reads a body of a known small size on a goroutine of its own, which
// ends with the body or with Close.
type earlyBody struct {
	body io.ReadCloser
	done chan struct{}

	mu      sync.Mutex
	arrived *sync.Cond
	buf     []byte
	at      int // what Read has given
	err     error
}

func readEarly(body io.ReadCloser, size int64) *earlyBody {
	// One byte more than there are, so that a read finds the end.
	b := &earlyBody{body: body, done: make(chan struct{}), buf: make([]byte, 0, size+1)}
	b.arrived = sync.NewCond(&b.mu)
	go b.run()
	return b
}

func (b *earlyBody) run() {
	defer close(b.done)
	free := b.buf[:cap(b.buf)]
	for {
		n, err := b.body.Read(free)
		free = free[n:]
		if len(free) == 0 && err == nil {
			err = io.ErrShortBuffer
		}
		b.mu.Lock()
		b.buf, b.err = b.buf[:len(b.buf)+n], err
		b.arrived.Broadcast()
		b.mu.Unlock()
		if err != nil {
			return
		}
	}
}

// whole returns the body if it is complete within smallWait.
func (b *earlyBody) whole() ([]byte, bool) {
	timer := time.NewTimer(smallWait)
	defer timer.Stop()
	select {
	case <-b.done:
		return b.buf, b.err == io.EOF
	case <-timer.C:
		return nil, false
	}
}

func (b *earlyBody) Read(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for b.at == len(b.buf) && b.err == nil {
		b.arrived.Wait()
	}
	if b.at == len(b.buf) {
		return 0, b.err
	}
	n := copy(p, b.buf[b.at:])
	b.at += n
	return n, nil
}

func (b *earlyBody) Close() error {
	err := b.body.Close()
	<-b.done
	return err
}
