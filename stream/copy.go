package stream

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"
)

// CopyConfig configures Copy. Zero fields have the defaults.
type CopyConfig struct {
	// WriteTimeout is how long one write, with its flush, may take; 30 s by
	// default, negative for none.
	WriteTimeout time.Duration
	// IdleTimeout ends the copy when the source gives nothing for so long; none
	// by default.
	IdleTimeout time.Duration
	// OnProgress is called after each write with the bytes written.
	OnProgress func(n int)
}

// Copy sends src to w and closes src. Each chunk is written as it comes and
// flushed when no other is at hand, so that a client sees every event at once and
// bulk data still fills packets. The write deadline of the connection rolls with
// each write and is cleared at the end. A slow client stops reads of src. Errors
// of w wrap ErrWrite, silence of src is ErrIdle, the end of ctx is its cause; all
// others come from src.
func Copy(ctx context.Context, w http.ResponseWriter, src io.ReadCloser, config CopyConfig) (int64, error) {
	if config.WriteTimeout == 0 {
		config.WriteTimeout = 30 * time.Second
	}
	in, wait := open(src)
	defer wait()
	defer in.stop(ErrCancelled)
	c := copier{w: w, control: http.NewResponseController(w), config: config}
	if config.WriteTimeout > 0 {
		defer func() { _ = c.control.SetWriteDeadline(time.Time{}) }()
	}
	if !in.ready() {
		if err := c.flush(); err != nil {
			return 0, err
		}
	}
	for {
		chunk, err := c.next(ctx, in)
		if errors.Is(err, io.EOF) {
			return c.written, nil
		}
		if err != nil {
			return c.written, err
		}
		if err := c.write(chunk, !in.ready()); err != nil {
			return c.written, err
		}
	}
}

// open gives src as a source, and what waits for its goroutine.
func open(src io.ReadCloser) (source, func()) {
	if p, ok := src.(*pipe); ok {
		return p, func() {}
	}
	ahead, done := &readAhead{src: src}, make(chan struct{})
	go func() {
		defer close(done)
		ahead.run()
	}()
	return ahead, func() { <-done }
}

type copier struct {
	w       http.ResponseWriter
	control *http.ResponseController
	config  CopyConfig
	written int64
}

func (c *copier) next(ctx context.Context, in source) ([]byte, error) {
	if c.config.IdleTimeout <= 0 || in.ready() {
		return in.next(ctx)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, c.config.IdleTimeout, fmt.Errorf("%w (%v)", ErrIdle, c.config.IdleTimeout))
	defer cancel()
	return in.next(ctx)
}

func (c *copier) write(chunk []byte, flush bool) error {
	c.arm()
	n, err := c.w.Write(chunk)
	c.written += int64(n)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrWrite, err)
	}
	if flush {
		if err := c.send(); err != nil {
			return err
		}
	}
	if c.config.OnProgress != nil {
		c.config.OnProgress(n)
	}
	return nil
}

func (c *copier) flush() error {
	c.arm()
	return c.send()
}

// arm sets the deadline. A writer without deadlines has none to miss.
func (c *copier) arm() {
	if c.config.WriteTimeout > 0 {
		_ = c.control.SetWriteDeadline(time.Now().Add(c.config.WriteTimeout))
	}
}

func (c *copier) send() error {
	if err := c.control.Flush(); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return fmt.Errorf("%w: %w", ErrWrite, err)
	}
	return nil
}
