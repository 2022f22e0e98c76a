package stream

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
)

// Config bounds a Table. Zero fields have the defaults.
type Config struct {
	// MaxOpen is the most handles open at a time; 1,024 by default.
	MaxOpen int
	// PipeCredit is how many bytes a pipe holds for its reader before the writer
	// must wait; 64 KiB by default.
	PipeCredit int
}

// Table holds the streams of one guest by handle ("rid"), a positive integer that
// is never used twice. It may be used from several goroutines. Close it when the
// guest's work ends.
type Table struct {
	config Config

	mu     sync.Mutex
	last   int
	open   map[int]*entry
	closed bool
	work   sync.WaitGroup
}

// entry is one handle. A reader is raw until the first read makes it ahead.
type entry struct {
	raw     io.ReadCloser
	in      source
	pipe    *pipe
	reading bool
	// readDone and writeDone tell when the handle can go; a reader has no
	// writing side.
	readDone, writeDone bool
}

// NewTable returns an empty table.
func NewTable(config Config) *Table {
	if config.MaxOpen <= 0 {
		config.MaxOpen = 1024
	}
	if config.PipeCredit <= 0 {
		config.PipeCredit = ChunkSize
	}
	return &Table{config: config, open: map[int]*entry{}}
}

func (t *Table) add(e *entry) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return 0, ErrClosed
	}
	if len(t.open) >= t.config.MaxOpen {
		return 0, fmt.Errorf("%w (limit %d)", ErrTooMany, t.config.MaxOpen)
	}
	t.last++
	t.open[t.last] = e
	return t.last, nil
}

// AddReader opens a handle that reads r. The table closes r at its end, on an
// error, by Cancel and by Close. Closing r must end a Read in progress; the body
// of an http.Request on a server does not, see RequestBody. After an error r still
// belongs to the caller.
func (t *Table) AddReader(r io.ReadCloser) (rid int, err error) {
	return t.add(&entry{raw: r, writeDone: true})
}

// NewPipe opens a handle that the guest writes with Write, CloseWrite and Fail,
// and that Go reads after Take, or the guest itself with Read.
func (t *Table) NewPipe() (rid int, err error) {
	p := &pipe{limit: t.config.PipeCredit}
	return t.add(&entry{raw: p, in: p, pipe: p})
}

func (t *Table) find(rid int) (*entry, error) {
	if t.closed {
		return nil, ErrClosed
	}
	e := t.open[rid]
	if e == nil {
		return nil, fmt.Errorf("%w: %d", ErrHandle, rid)
	}
	return e, nil
}

// settle forgets a handle without an open side. The caller holds t.mu.
func (t *Table) settle(rid int, e *entry) {
	if e.readDone && e.writeDone {
		delete(t.open, rid)
	}
}

// Read returns the next 1 to ChunkSize bytes: what is there, without waiting for
// more. The end is io.EOF; it and any other error end the handle, except ErrBusy
// and the end of ctx, which loses no data. While the caller works on a chunk the
// next is read ahead, at most ChunkSize bytes.
func (t *Table) Read(ctx context.Context, rid int) ([]byte, error) {
	e, err := t.startRead(rid)
	if err != nil {
		return nil, err
	}
	chunk, err := e.in.next(ctx)
	t.endRead(rid, e, err != nil && ctx.Err() == nil)
	return chunk, err
}

// ReadFunc is Read for a caller that does not wait: done is called once, before
// ReadFunc returns or later, and must not block. Only the end of the stream or of
// the table ends the wait.
func (t *Table) ReadFunc(rid int, done func([]byte, error)) {
	e, err := t.startRead(rid)
	if err != nil {
		done(nil, err)
		return
	}
	e.in.then(func(chunk []byte, err error) {
		t.endRead(rid, e, err != nil)
		done(chunk, err)
	})
}

func (t *Table) startRead(rid int) (*entry, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	e, err := t.find(rid)
	switch {
	case err != nil:
	case e.readDone:
		err = fmt.Errorf("%w: %d", ErrHandle, rid)
	case e.reading:
		err = ErrBusy
	}
	if err != nil {
		return nil, err
	}
	e.reading = true
	if e.in == nil {
		ahead := &readAhead{src: e.raw}
		e.in = ahead
		t.work.Go(ahead.run)
	}
	e.raw = nil
	return e, nil
}

func (t *Table) endRead(rid int, e *entry, ended bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	e.reading = false
	if ended {
		e.readDone = true
		t.settle(rid, e)
	}
}

// Take hands the reading side of rid, which must be untouched, to the caller, who
// closes it. The guest can no longer read it; a pipe's writing side stays open.
// Close of the table does not end a taken reader, but an unfinished pipe.
func (t *Table) Take(rid int) (io.ReadCloser, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	e, err := t.find(rid)
	switch {
	case err != nil:
		return nil, err
	case e.readDone:
		return nil, fmt.Errorf("%w: %d", ErrHandle, rid)
	case e.raw == nil:
		return nil, ErrTouched
	}
	r := e.raw
	e.raw, e.readDone = nil, true
	t.settle(rid, e)
	return r, nil
}

// Cancel ends the reading side of rid: a pending Read returns cause, a reader is
// closed, a pipe's writer sees cause. An unknown handle is ignored.
func (t *Table) Cancel(rid int, cause error) {
	if cause == nil {
		cause = ErrCancelled
	}
	t.mu.Lock()
	e, err := t.find(rid)
	if err != nil || e.readDone {
		t.mu.Unlock()
		return
	}
	e.readDone = true
	t.settle(rid, e)
	t.stop(e, cause)
	t.mu.Unlock()
	if e.pipe != nil {
		e.pipe.stop(cause)
	}
}

// stop ends the reading side of what is no pipe. A reader may take its time to
// close, so that happens aside. The caller holds t.mu.
func (t *Table) stop(e *entry, cause error) {
	raw := e.raw
	e.raw = nil
	switch {
	case e.pipe != nil:
	case e.in != nil:
		t.work.Go(func() { e.in.stop(cause) })
	case raw != nil:
		t.work.Go(func() { _ = raw.Close() })
	}
}

func (t *Table) writer(rid int) (*entry, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	e, err := t.find(rid)
	switch {
	case err != nil:
		return nil, err
	case e.pipe == nil:
		return nil, ErrNotPipe
	case e.writeDone:
		return nil, fmt.Errorf("%w: %d", ErrHandle, rid)
	}
	return e, nil
}

// Write copies data, at most ChunkSize bytes, into the pipe rid and returns the
// credit that is left in bytes. At 0 or below the next Write fails with
// ErrNoCredit until Drain returned. When the reading side is gone, the error is
// its cause.
func (t *Table) Write(rid int, data []byte) (credit int, err error) {
	e, err := t.writer(rid)
	if err != nil {
		return 0, err
	}
	return e.pipe.write(data)
}

// Drain waits until the pipe rid has credit, or returns why its reading side is
// gone.
func (t *Table) Drain(ctx context.Context, rid int) error {
	e, err := t.writer(rid)
	if err != nil {
		return err
	}
	return e.pipe.await(ctx, func() bool { return e.pipe.size < e.pipe.limit || e.pipe.writeEnd != nil })
}

// Gone waits until the reading side of the pipe rid is gone and returns why, or
// nil once the writing side has ended.
func (t *Table) Gone(ctx context.Context, rid int) error {
	e, err := t.writer(rid)
	if err != nil {
		if errors.Is(err, ErrHandle) {
			return nil
		}
		return err
	}
	return e.pipe.await(ctx, func() bool { return e.pipe.writeEnd != nil })
}

// CloseWrite ends the pipe rid; its reader still gets what was written.
func (t *Table) CloseWrite(rid int) error { return t.endWrite(rid, io.EOF) }

// Fail ends the pipe rid; its reader gets what was written and then err.
func (t *Table) Fail(rid int, err error) error {
	if err == nil || errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return t.endWrite(rid, err)
}

func (t *Table) endWrite(rid int, cause error) error {
	e, err := t.writer(rid)
	if err != nil {
		return err
	}
	e.pipe.endWrite(cause)
	t.mu.Lock()
	defer t.mu.Unlock()
	e.writeDone = true
	t.settle(rid, e)
	return nil
}

// Len is the number of open handles.
func (t *Table) Len() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.open)
}

// Close ends all streams: pending calls return ErrClosed, readers are closed, and
// taken readers of pipes that were not ended see ErrClosed. It waits for the
// table's goroutines. Further calls return ErrClosed.
func (t *Table) Close() error {
	t.mu.Lock()
	var pipes []*pipe
	if !t.closed {
		t.closed = true
		for _, e := range t.open {
			if e.pipe != nil {
				pipes = append(pipes, e.pipe)
			}
			t.stop(e, ErrClosed)
		}
		clear(t.open)
	}
	t.mu.Unlock()
	for _, p := range pipes {
		p.end()
	}
	t.work.Wait()
	return nil
}
