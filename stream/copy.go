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
	// by default. Heartbeats do not count.
	IdleTimeout time.Duration
	// OnProgress is called after each write with the bytes written.
	OnProgress func(n int)
	// Events says that src is an event stream. Complete events are sent at once;
	// the beginning of one is held back until the rest has come, or 64 KiB of
	// it: when src fails, the client has seen whole events only, and an event
	// that tells of the error can follow. If a larger one was cut off, the error
	// is ErrPartialEvent. A byte order mark is left out.
	Events bool
	// Heartbeat sends an empty comment when nothing was sent for so long, but
	// never inside an event. It needs Events; none by default.
	Heartbeat time.Duration
}

// Copy sends src to w and closes src. Each chunk is written as it comes and
// flushed when no other is at hand, so that a client sees every event at once and
// bulk data still fills packets. The write deadline of the connection rolls with
// each write and is cleared at the end. A slow client stops reads of src. Errors
// of w wrap ErrWrite, silence of src is ErrIdle, the end of ctx is its cause; all
// others come from src. The result counts bytes of src.
func Copy(ctx context.Context, w http.ResponseWriter, src io.ReadCloser, config CopyConfig) (int64, error) {
	if config.WriteTimeout == 0 {
		config.WriteTimeout = 30 * time.Second
	}
	in, wait := open(src)
	defer wait()
	defer in.stop(ErrCancelled)
	c := copier{w: w, control: http.NewResponseController(w), config: config, sent: time.Now(),
		idle: fmt.Errorf("%w (%v)", ErrIdle, config.IdleTimeout)}
	if config.WriteTimeout > 0 {
		defer func() { _ = c.control.SetWriteDeadline(time.Time{}) }()
	}
	if config.Events {
		c.frames = &frames{}
	}
	if !in.ready() {
		if err := c.flush(); err != nil {
			return 0, err
		}
	}
	err := c.run(ctx, in)
	return c.written, err
}

// SendEvent sends one event to w, for example after Copy failed. It may take as
// long as timeout says, any time if that is not positive.
func SendEvent(w http.ResponseWriter, e Event, timeout time.Duration) error {
	control := http.NewResponseController(w)
	if timeout > 0 {
		// A writer without deadlines has none to miss.
		_ = control.SetWriteDeadline(time.Now().Add(timeout))
		defer func() { _ = control.SetWriteDeadline(time.Time{}) }()
	}
	return NewEventWriter(w).Write(e)
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
	frames  *frames // nil if src is no event stream
	written int64
	idle    error     // ErrIdle with the limit
	pending bool      // something was written and not flushed
	sent    time.Time // when
}

func (c *copier) run(ctx context.Context, in source) error {
	for {
		chunk, err := c.next(ctx, in)
		switch {
		case errors.Is(err, io.EOF):
			if c.frames != nil {
				return c.write(c.frames.rest())
			}
			return nil
		case err != nil:
			if c.frames != nil && c.frames.partial && !errors.Is(err, ErrWrite) {
				err = fmt.Errorf("%w: %w", ErrPartialEvent, err)
			}
			return err
		}
		if c.frames != nil {
			chunk = c.frames.add(chunk)
		}
		if err := c.write(chunk); err != nil {
			return err
		}
		if c.pending && !in.ready() {
			if err := c.send(); err != nil {
				return err
			}
		}
	}
}

var errHeartbeat = errors.New("stream: a heartbeat is due")

// next waits for the next chunk and sends heartbeats meanwhile.
func (c *copier) next(ctx context.Context, in source) ([]byte, error) {
	beats := c.config.Heartbeat > 0 && c.frames != nil && !c.frames.partial
	if c.config.IdleTimeout <= 0 && !beats || in.ready() {
		return in.next(ctx)
	}
	start := time.Now()
	for {
		limit, cause := start.Add(c.config.IdleTimeout), c.idle
		if beat := c.sent.Add(c.config.Heartbeat); beats && (c.config.IdleTimeout <= 0 || beat.Before(limit)) {
			limit, cause = beat, errHeartbeat
		}
		waiting, cancel := context.WithDeadlineCause(ctx, limit, cause)
		chunk, err := in.next(waiting)
		cancel()
		if !errors.Is(err, errHeartbeat) {
			return chunk, err
		}
		if err := c.heartbeat(); err != nil {
			return nil, err
		}
	}
}

func (c *copier) heartbeat() error {
	c.arm()
	if _, err := io.WriteString(c.w, ":\n\n"); err != nil {
		return fmt.Errorf("%w: %w", ErrWrite, err)
	}
	return c.send()
}

func (c *copier) write(chunk []byte) error {
	if len(chunk) == 0 {
		return nil
	}
	c.arm()
	n, err := c.w.Write(chunk)
	c.written += int64(n)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrWrite, err)
	}
	c.pending = true
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
	c.sent = time.Now()
	if c.config.WriteTimeout > 0 {
		_ = c.control.SetWriteDeadline(c.sent.Add(c.config.WriteTimeout))
	}
}

func (c *copier) send() error {
	c.pending = false
	if err := c.control.Flush(); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return fmt.Errorf("%w: %w", ErrWrite, err)
	}
	return nil
}
