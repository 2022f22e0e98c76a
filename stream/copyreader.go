package stream

import (
	"context"
	"io"
	"sync"
	"time"
)

// readerCopy is the copy of a reader that Go has: the same goroutine reads and
// writes, as a proxy does. Heartbeats and the idle limit come from a timer, whose
// goroutine takes the copier only while the source is silent.
type readerCopy struct {
	*copier
	src io.ReadCloser

	mu      sync.Mutex // of the copier, and of:
	reading bool
	ended   bool
	cause   error // why the source was closed before its end
	clock   *time.Timer
}

// reader sends what src gives.
func (c *copier) reader(ctx context.Context, src io.ReadCloser) error {
	r := &readerCopy{copier: c, src: src}
	defer r.close(nil)
	defer context.AfterFunc(ctx, func() { r.close(context.Cause(ctx)) })()
	if err := c.flush(); err != nil {
		return err
	}
	r.mu.Lock()
	r.clock = time.AfterFunc(c.patience(), r.tick)
	r.mu.Unlock()
	defer r.stopClock()
	return r.run()
}

func (r *readerCopy) stopClock() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ended = true
	r.clock.Stop()
}

// close ends a read in progress, for the first cause given. What closing says is of
// no use to anyone.
func (r *readerCopy) close(cause error) {
	r.mu.Lock()
	if r.cause == nil {
		r.cause = cause
	}
	r.mu.Unlock()
	_ = r.src.Close()
}

func (r *readerCopy) run() error {
	buf := make([]byte, firstBuffer)
	for empty := 0; ; {
		r.mu.Lock()
		r.reading, r.waiting = true, time.Now()
		r.mu.Unlock()
		n, err := r.src.Read(buf)
		r.mu.Lock()
		r.reading = false
		if err == nil && n == 0 {
			if empty++; empty >= maxEmptyReads {
				err = io.ErrNoProgress
			}
		} else {
			empty = 0
		}
		done, err := r.got(buf[:n], err)
		r.mu.Unlock()
		if done {
			return err
		}
		if n == len(buf) && n < ChunkSize {
			buf = make([]byte, min(4*n, ChunkSize))
		}
	}
}

// got sends what was read. The caller holds r.mu.
func (r *readerCopy) got(chunk []byte, err error) (done bool, _ error) {
	if r.cause != nil {
		return true, r.end(r.cause)
	}
	if failed := r.forward(chunk); failed != nil {
		return true, failed
	}
	if err != nil {
		return true, r.end(err)
	}
	if r.pending {
		if err := r.send(); err != nil {
			return true, err
		}
	}
	return false, nil
}

// tick runs when the source may have been silent for too long.
func (r *readerCopy) tick() {
	r.mu.Lock()
	var err error
	if r.reading && r.cause == nil {
		err = r.due()
	}
	if err == nil && !r.ended {
		r.clock.Reset(r.patience())
	}
	r.mu.Unlock()
	if err != nil {
		r.close(err)
	}
}
