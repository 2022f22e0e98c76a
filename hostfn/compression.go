package hostfn

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"sync"

	"github.com/agentrt/agentrt/quickjs"
)

const (
	// maxCodecs bounds the compressions and decompressions that an invocation has
	// not ended yet; one takes up to 1 MiB outside of the instance.
	maxCodecs = 16
	// codecOutput bounds what one operation returns, in bytes.
	codecOutput = 64 << 10
)

// RegisterCompression adds the operations behind CompressionStream and
// DecompressionStream in compression.ts. The state lies in handles of the
// invocation, at most 16 at a time, which end with it.
//
//	compression.open  {format, decompress, level?}  handle; format is gzip, deflate or deflate-raw; level -1 to 9
//	compression.feed  {handle, end}, bytes  gives input; end says that none follows
//	compression.read  handle                the next output, at most 64 KiB; none: more input, or the end
//	compression.close handle                gives up; a handle that is gone is no error
//
// A read fails with a TypeError for malformed input, input that ends early, input
// after the end, and more output than Limits.MaxDecompressed; the handle has
// ended then. It also ends with the empty output after end.
func RegisterCompression(ops *quickjs.Ops) {
	quickjs.Sync(ops, "compression.open", func(ctx context.Context, r codecRequest) (int, error) {
		scope, err := ScopeFrom(ctx)
		if err != nil {
			return 0, err
		}
		c, err := newCodec(r, scope.Limits.decompressed())
		if err != nil {
			return 0, err
		}
		return scope.codecs.add(scope.Context, c)
	})
	quickjs.Sync(ops, "compression.feed", func(ctx context.Context, m quickjs.Message[codecInput]) (quickjs.None, error) {
		_, err := withCodec(ctx, m.Head.Handle, func(c codec) ([]byte, bool, error) { return nil, false, c.feed(m.Body, m.Head.End) })
		return quickjs.None{}, err
	})
	quickjs.Sync(ops, "compression.read", func(ctx context.Context, handle int) ([]byte, error) {
		return withCodec(ctx, handle, codec.read)
	})
	quickjs.Sync(ops, "compression.close", func(ctx context.Context, handle int) (quickjs.None, error) {
		scope, err := ScopeFrom(ctx)
		if err == nil {
			scope.codecs.remove(handle)
		}
		return quickjs.None{}, err
	})
}

type codecRequest struct {
	Format     string
	Decompress bool
	// Level is that of compress/flate, the default one if it is nil.
	Level *int
}

type codecInput struct {
	Handle int
	End    bool
}

// codec is one compression or decompression.
type codec interface {
	feed(input []byte, end bool) error
	// read returns the next output; ended means that none follows.
	read() (output []byte, ended bool, err error)
	close()
}

// codecs are the handles of an invocation.
type codecs struct {
	mu     sync.Mutex
	open   map[int]codec
	last   int
	closed bool
}

func (t *codecs) add(ctx context.Context, c codec) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed || len(t.open) >= maxCodecs {
		c.close()
		return 0, codecError("more than %d compression streams are open: read them to their end or cancel some first", maxCodecs)
	}
	if t.open == nil {
		t.open = map[int]codec{}
		context.AfterFunc(ctx, t.close)
	}
	t.last++
	t.open[t.last] = c
	return t.last, nil
}

func (t *codecs) close() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.closed = true
	for _, c := range t.open {
		c.close()
	}
	clear(t.open)
}

func (t *codecs) remove(handle int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if c := t.open[handle]; c != nil {
		c.close()
		delete(t.open, handle)
	}
}

// withCodec calls fn while the codec cannot be closed; one that failed or ended
// is closed.
func withCodec(ctx context.Context, handle int, fn func(codec) ([]byte, bool, error)) ([]byte, error) {
	scope, err := ScopeFrom(ctx)
	if err != nil {
		return nil, err
	}
	t := &scope.codecs
	t.mu.Lock()
	defer t.mu.Unlock()
	c := t.open[handle]
	if c == nil {
		return nil, codecError("the compression stream has ended: its invocation is over, or it failed before")
	}
	output, ended, err := fn(c)
	if err != nil || ended {
		c.close()
		delete(t.open, handle)
	}
	return output, err
}

func codecError(format string, args ...any) error {
	return &quickjs.HostError{Name: "TypeError", Message: fmt.Sprintf(format, args...)}
}

func newCodec(r codecRequest, limit int64) (codec, error) {
	if r.Decompress {
		return newDecompressor(r.Format, limit)
	}
	c, level, err := new(compressor), flate.DefaultCompression, error(nil)
	if r.Level != nil {
		level = *r.Level
	}
	if level < flate.DefaultCompression || level > flate.BestCompression {
		return nil, codecError("the level of compression is %d, not -1 to 9", level)
	}
	switch r.Format {
	case "gzip":
		c.writer, err = gzip.NewWriterLevel(&c.output, level)
	case "deflate":
		c.writer, err = zlib.NewWriterLevel(&c.output, level)
	case "deflate-raw":
		c.writer, err = flate.NewWriter(&c.output, level)
	default:
		return nil, codecError("%q is no format of compression", r.Format)
	}
	return c, err
}

// compressor keeps output until it is read: at most about the size of the input.
type compressor struct {
	output bytes.Buffer
	writer io.WriteCloser
	end    bool
}

func (c *compressor) feed(input []byte, end bool) error {
	_, err := c.writer.Write(input)
	if err == nil && end {
		c.end = true
		err = c.writer.Close()
	}
	return err
}

func (c *compressor) read() ([]byte, bool, error) {
	output := bytes.Clone(c.output.Next(codecOutput))
	return output, c.end && len(output) == 0, nil
}

func (c *compressor) close() {}

// errStopped ends the reader of a decompressor that was closed.
var errStopped = errors.New("stopped")

// decompressor runs a reader as a coroutine, which pauses where input is missing.
type decompressor struct {
	format string
	limit  int64
	input  []byte
	end    bool
	// yield pauses the coroutine; false means that it has to end.
	yield   func([]byte) bool
	next    func() ([]byte, bool)
	stop    func()
	written int64
	done    bool
	err     error
}

func newDecompressor(format string, limit int64) (*decompressor, error) {
	if format != "gzip" && format != "deflate" && format != "deflate-raw" {
		return nil, codecError("%q is no format of compression", format)
	}
	d := &decompressor{format: format, limit: limit}
	d.next, d.stop = iter.Pull(func(yield func([]byte) bool) {
		d.yield = yield
		d.err = d.run()
		d.done = true
	})
	return d, nil
}

func (d *decompressor) run() error {
	r, err := d.reader()
	if err != nil {
		return err
	}
	buffer := make([]byte, codecOutput)
	for {
		n, err := r.Read(buffer)
		if n > 0 {
			if d.written += int64(n); d.written > d.limit {
				return fmt.Errorf("it is longer than the limit of %d bytes", d.limit)
			}
			if !d.yield(bytes.Clone(buffer[:n])) {
				return errStopped
			}
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

func (d *decompressor) reader() (io.Reader, error) {
	switch d.format {
	case "gzip":
		r, err := gzip.NewReader(d)
		if err != nil {
			return nil, err
		}
		r.Multistream(false)
		return r, nil
	case "deflate":
		return zlib.NewReader(d)
	default:
		return flate.NewReader(d), nil
	}
}

// await pauses until there is input.
func (d *decompressor) await() error {
	for len(d.input) == 0 {
		if d.end {
			return io.ErrUnexpectedEOF
		}
		if !d.yield(nil) {
			return errStopped
		}
	}
	return nil
}

// Read is called by the reader of the format.
func (d *decompressor) Read(p []byte) (int, error) {
	if err := d.await(); err != nil {
		return 0, err
	}
	n := copy(p, d.input)
	d.input = d.input[n:]
	return n, nil
}

// ReadByte lets the reader of the format take no more than it needs.
func (d *decompressor) ReadByte() (byte, error) {
	if err := d.await(); err != nil {
		return 0, err
	}
	b := d.input[0]
	d.input = d.input[1:]
	return b, nil
}

func (d *decompressor) feed(input []byte, end bool) error {
	d.input = append(bytes.Clone(d.input), input...)
	d.end = end
	return nil
}

func (d *decompressor) read() ([]byte, bool, error) {
	if !d.done {
		if output, ok := d.next(); ok {
			return output, false, nil
		}
	}
	switch {
	case errors.Is(d.err, io.ErrUnexpectedEOF):
		return nil, true, codecError("the %s data ends early", d.format)
	case d.err != nil:
		return nil, true, codecError("the %s data cannot be decompressed: %v", d.format, d.err)
	case len(d.input) > 0:
		return nil, true, codecError("bytes follow the end of the %s data", d.format)
	}
	return nil, d.end, nil
}

func (d *decompressor) close() { d.stop() }
