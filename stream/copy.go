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
// each write, which has 15/16 of the timeout at least, and is cleared at the end. A
// slow client stops reads of src. Errors
// of w wrap ErrWrite, silence of src is ErrIdle, the end of ctx is its cause; all
// others come from src. The result counts bytes of src.
func Copy(ctx context.Context, w http.ResponseWriter, src io.ReadCloser, config CopyConfig) (int64, error) {
	if config.WriteTimeout == 0 {
		config.WriteTimeout = 30 * time.Second
	}
	now := time.Now()
	c := &copier{w: w, control: http.NewResponseController(w), config: config, sent: now, waiting: now,
		idle: fmt.Errorf("%w (%v)", ErrIdle, config.IdleTimeout)}
	if config.WriteTimeout > 0 {
		defer func() { _ = c.control.SetWriteDeadline(time.Time{}) }()
	}
	if config.Events {
		c.frames = &frames{}
	}
	var err error
	if p, ok := src.(*pipe); ok {
		err = c.pipe(ctx, p)
	} else {
		err = c.reader(ctx, src)
	}
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

type copier struct {
	w       http.ResponseWriter
	control *http.ResponseController
	config  CopyConfig
	frames  *frames // nil if src is no event stream
	written int64
	idle    error     // ErrIdle with the limit
	pending bool      // something was written and not flushed
	sent    time.Time // when
	waiting time.Time // since when for the source
	armed   time.Time // when the write deadline was set
}

// pipe sends what JavaScript writes.
func (c *copier) pipe(ctx context.Context, p *pipe) error {
	defer p.stop(ErrCancelled)
	if !p.ready() {
		if err := c.flush(); err != nil {
			return err
		}
	}
	clock := time.NewTimer(c.patience())
	defer clock.Stop()
	for {
		chunk, err := c.next(ctx, p, clock)
		if err != nil {
			return c.end(err)
		}
		if err := c.forward(chunk); err != nil {
			return err
		}
		if c.pending && !p.ready() {
			if err := c.send(); err != nil {
				return err
			}
		}
	}
}

// next waits for the next chunk and sends heartbeats meanwhile. The clock is set
// anew only when it fires: until then it is early at most.
func (c *copier) next(ctx context.Context, p *pipe, clock *time.Timer) ([]byte, error) {
	chunk, wait, err := p.poll()
	if wait == nil {
		return chunk, err
	}
	c.waiting = time.Now()
	for {
		select {
		case <-wait:
			if chunk, wait, err = p.poll(); wait == nil {
				return chunk, err
			}
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-clock.C:
			if err := c.due(); err != nil {
				return nil, err
			}
			clock.Reset(c.patience())
		}
	}
}

// patience is after which time to call due if the source stays silent.
func (c *copier) patience() time.Duration {
	left, now := time.Hour, time.Now()
	if c.config.IdleTimeout > 0 {
		left = c.waiting.Add(c.config.IdleTimeout).Sub(now)
	}
	if c.beats() {
		left = min(left, c.sent.Add(c.config.Heartbeat).Sub(now))
	} else if c.config.Heartbeat > 0 {
		left = min(left, c.config.Heartbeat)
	}
	return max(left, time.Millisecond)
}

func (c *copier) beats() bool { return c.config.Heartbeat > 0 && c.frames != nil && !c.frames.partial }

// due does what the time has come for while the source is silent.
func (c *copier) due() error {
	now := time.Now()
	if c.config.IdleTimeout > 0 && now.Sub(c.waiting) >= c.config.IdleTimeout {
		return c.idle
	}
	if c.beats() && now.Sub(c.sent) >= c.config.Heartbeat {
		return c.heartbeat()
	}
	return nil
}

// forward writes a chunk, or of an event stream what may be sent of it.
func (c *copier) forward(chunk []byte) error {
	if c.frames != nil {
		chunk = c.frames.add(chunk)
	}
	return c.write(chunk)
}

// end is what the copy returns when the source ended with err.
func (c *copier) end(err error) error {
	switch {
	case errors.Is(err, io.EOF):
		if c.frames != nil {
			return c.write(c.frames.rest())
		}
		return nil
	case c.frames != nil && c.frames.partial && !errors.Is(err, ErrWrite):
		return fmt.Errorf("%w: %w", ErrPartialEvent, err)
	}
	return err
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

// arm sets the deadline, anew when a sixteenth of the time has passed: setting it
// costs as much as a short write. A writer without deadlines has none to miss.
func (c *copier) arm() {
	c.sent = time.Now()
	if limit := c.config.WriteTimeout; limit > 0 && c.sent.Sub(c.armed) > limit/16 {
		c.armed = c.sent
		_ = c.control.SetWriteDeadline(c.sent.Add(limit))
	}
}

func (c *copier) send() error {
	c.pending = false
	if err := c.control.Flush(); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return fmt.Errorf("%w: %w", ErrWrite, err)
	}
	return nil
}
