package stream

import (
	"context"
	"errors"
	"io"
	"sync"
)

// pipe is written by the guest and read by Go. Up to limit bytes, plus the one
// write that crosses it, wait for the reader.
type pipe struct {
	limit int

	mu       sync.Mutex
	chunks   [][]byte
	size     int
	writeEnd error // io.EOF or why the writer failed
	readEnd  error // why the reading side is gone
	waiter   func([]byte, error)
	readable signal
	writable signal // credit, or either end
}

func (p *pipe) write(data []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.readEnd != nil:
		return 0, p.readEnd
	case p.writeEnd != nil:
		return 0, ErrClosed
	case len(data) > ChunkSize:
		return 0, ErrChunkSize
	case p.size >= p.limit:
		return 0, ErrNoCredit
	}
	if len(data) > 0 {
		p.chunks = append(p.chunks, append([]byte(nil), data...))
		p.size += len(data)
		p.wake()
	}
	return p.limit - p.size, nil
}

// wake tells the reader that there is something. The caller holds p.mu, but not
// while the reader takes it.
func (p *pipe) wake() {
	waiter := p.waiter
	if waiter == nil {
		p.readable.notify()
		return
	}
	p.waiter = nil
	chunk, err := p.take()
	p.mu.Unlock()
	waiter(chunk, err)
	p.mu.Lock()
}

// take gives the next chunk or the end, or nothing. The caller holds p.mu.
func (p *pipe) take() ([]byte, error) {
	switch {
	case p.readEnd != nil:
		return nil, p.readEnd
	case p.size > 0:
		chunk := p.join()
		p.consumed(len(chunk))
		return chunk, nil
	}
	return nil, p.writeEnd
}

func (p *pipe) endWrite(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.writeEnd == nil {
		p.writeEnd = err
		p.writable.notify()
		p.wake()
	}
}

// await waits until done, which is called with the mutex held, or the reading
// side is gone.
func (p *pipe) await(ctx context.Context, done func() bool) error {
	for {
		p.mu.Lock()
		if p.readEnd != nil || done() {
			err := p.readEnd
			p.mu.Unlock()
			return err
		}
		wait := p.writable.wait()
		p.mu.Unlock()
		select {
		case <-wait:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

func (p *pipe) next(ctx context.Context) ([]byte, error) {
	for {
		p.mu.Lock()
		if chunk, err := p.take(); chunk != nil || err != nil {
			p.mu.Unlock()
			return chunk, err
		}
		wait := p.readable.wait()
		p.mu.Unlock()
		select {
		case <-wait:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// poll returns the next chunk or the end, or the channel to wait for.
func (p *pipe) poll() ([]byte, <-chan struct{}, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if chunk, err := p.take(); chunk != nil || err != nil {
		return chunk, nil, err
	}
	return nil, p.readable.wait(), nil
}

func (p *pipe) then(f func([]byte, error)) {
	p.mu.Lock()
	chunk, err := p.take()
	if chunk == nil && err == nil {
		p.waiter = f
		p.mu.Unlock()
		return
	}
	p.mu.Unlock()
	f(chunk, err)
}

// join takes as many chunks as fit one read.
func (p *pipe) join() []byte {
	n, size := 0, 0
	for n < len(p.chunks) && size+len(p.chunks[n]) <= ChunkSize {
		size += len(p.chunks[n])
		n++
	}
	chunk := p.chunks[0]
	if n > 1 {
		chunk = make([]byte, 0, size)
		for _, c := range p.chunks[:n] {
			chunk = append(chunk, c...)
		}
	}
	p.drop(n)
	return chunk
}

func (p *pipe) drop(n int) {
	rest := copy(p.chunks, p.chunks[n:])
	clear(p.chunks[rest:])
	p.chunks = p.chunks[:rest]
}

func (p *pipe) consumed(n int) {
	before := p.size
	p.size -= n
	if before >= p.limit && p.size < p.limit {
		p.writable.notify()
	}
}

// Read is next for an io.Reader: it fills buf from the first chunk.
func (p *pipe) Read(buf []byte) (int, error) {
	if len(buf) == 0 {
		return 0, nil
	}
	for {
		p.mu.Lock()
		switch {
		case p.readEnd != nil:
			p.mu.Unlock()
			return 0, p.readEnd
		case p.size > 0:
			n := copy(buf, p.chunks[0])
			if p.chunks[0] = p.chunks[0][n:]; len(p.chunks[0]) == 0 {
				p.drop(1)
			}
			p.consumed(n)
			p.mu.Unlock()
			return n, nil
		case p.writeEnd != nil:
			p.mu.Unlock()
			return 0, p.writeEnd
		}
		wait := p.readable.wait()
		p.mu.Unlock()
		<-wait
	}
}

func (p *pipe) ready() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.size > 0 || p.writeEnd != nil || p.readEnd != nil
}

func (p *pipe) stop(cause error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.readEnd != nil {
		return
	}
	p.readEnd = cause
	p.chunks, p.size = nil, 0
	p.writable.notify()
	p.wake()
}

// Close ends the reading side: the writer sees ErrCancelled.
func (p *pipe) Close() error {
	p.stop(ErrCancelled)
	return nil
}

// end is what the end of the owner does: a complete stream may still be read,
// any other fails on both sides.
func (p *pipe) end() {
	p.mu.Lock()
	complete := errors.Is(p.writeEnd, io.EOF)
	p.mu.Unlock()
	if !complete {
		p.endWrite(ErrClosed)
		p.stop(ErrClosed)
	}
}
