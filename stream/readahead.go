package stream

import (
	"context"
	"io"
	"sync"
)

const (
	// ChunkSize is the most bytes that one read or write of a stream moves.
	ChunkSize = 64 << 10

	firstBuffer   = 4 << 10
	maxEmptyReads = 100
)

// source gives chunks. A chunk belongs to the caller.
type source interface {
	// next waits for a chunk of 1 to ChunkSize bytes. An error leaves what is
	// buffered in place if it is ctx's; otherwise it is the end.
	next(ctx context.Context) ([]byte, error)
	// then calls f once with what next would return, now or from another
	// goroutine. Nobody else reads meanwhile.
	then(f func([]byte, error))
	// ready reports whether next would return at once.
	ready() bool
	// stop ends the stream from the reading side.
	stop(cause error)
}

// readAhead reads src on a goroutine of its own while the consumer is busy. It
// holds at most ChunkSize bytes, and a buffer of as much.
type readAhead struct {
	src io.ReadCloser

	mu      sync.Mutex
	pending []byte
	err     error
	changed signal // to the consumer: pending or err
	taken   signal // to the producer: pending was taken, or stop
	waiter  func([]byte, error)
	once    sync.Once
}

// run is the producer; the caller starts it as a goroutine.
func (r *readAhead) run() {
	var buf []byte
	size, empty := firstBuffer, 0
	for {
		if len(buf) != size {
			buf = make([]byte, size)
		}
		n, err := r.src.Read(buf)
		if n == 0 && err == nil {
			if empty++; empty >= maxEmptyReads {
				err = io.ErrNoProgress
			}
		} else {
			empty = 0
		}
		full := n == len(buf)
		if !r.put(&buf, n, err) {
			r.close()
			return
		}
		if full {
			size = min(size*4, ChunkSize)
		}
		if !r.room(size) {
			r.close()
			return
		}
	}
}

// put appends buf[:n]; it keeps the buffer itself when little of it is unused.
func (r *readAhead) put(buf *[]byte, n int, err error) bool {
	r.mu.Lock()
	if r.err != nil {
		r.mu.Unlock()
		return false
	}
	if n > 0 {
		if b := *buf; len(r.pending) == 0 && n > len(b)/2 {
			r.pending, *buf = b[:n:n], nil
		} else {
			r.pending = append(r.pending, b[:n]...)
		}
	}
	r.err = err
	waiter := r.waiter
	switch {
	case n == 0 && err == nil:
		r.mu.Unlock()
	case waiter != nil:
		r.waiter = nil
		chunk, err := r.take()
		r.mu.Unlock()
		waiter(chunk, err)
	default:
		r.changed.notify()
		r.mu.Unlock()
	}
	return err == nil
}

// take gives what is pending or the end, or nothing. The caller holds r.mu.
func (r *readAhead) take() ([]byte, error) {
	if chunk := r.pending; len(chunk) > 0 {
		r.pending = nil
		r.taken.notify()
		return chunk, nil
	}
	return nil, r.err
}

// room waits until a buffer of size bytes fits beside what is pending.
func (r *readAhead) room(size int) bool {
	for {
		r.mu.Lock()
		if r.err != nil {
			r.mu.Unlock()
			return false
		}
		if len(r.pending) == 0 || len(r.pending)+size <= ChunkSize {
			r.mu.Unlock()
			return true
		}
		wait := r.taken.wait()
		r.mu.Unlock()
		<-wait
	}
}

func (r *readAhead) next(ctx context.Context) ([]byte, error) {
	for {
		r.mu.Lock()
		if chunk, err := r.take(); chunk != nil || err != nil {
			r.mu.Unlock()
			return chunk, err
		}
		wait := r.changed.wait()
		r.mu.Unlock()
		select {
		case <-wait:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

func (r *readAhead) then(f func([]byte, error)) {
	r.mu.Lock()
	chunk, err := r.take()
	if chunk == nil && err == nil {
		r.waiter = f
		r.mu.Unlock()
		return
	}
	r.mu.Unlock()
	f(chunk, err)
}

func (r *readAhead) ready() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.pending) > 0 || r.err != nil
}

// stop closes the source, which ends a read that is in progress.
func (r *readAhead) stop(cause error) {
	r.mu.Lock()
	ended := r.err != nil
	r.pending, r.err = nil, cause
	r.changed.notify()
	r.taken.notify()
	waiter := r.waiter
	r.waiter = nil
	r.mu.Unlock()
	if waiter != nil {
		waiter(nil, cause)
	}
	if !ended {
		r.close()
	}
}

// close closes the source once. What closing says is of no use to anyone.
func (r *readAhead) close() { r.once.Do(func() { _ = r.src.Close() }) }
