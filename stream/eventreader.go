package stream

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"time"
	"unicode/utf8"
)

// EventReaderConfig bounds an EventReader. Zero fields have the defaults.
type EventReaderConfig struct {
	// MaxLine is the most bytes of one line, its end excluded; 1 MiB by default.
	MaxLine int
	// MaxEvent is the most bytes of data of one event; 16 MiB by default.
	MaxEvent int
}

// EventReader reads an event stream as
// https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation
// says. Lines end with LF, CR or CRLF, a byte order mark at the start is left out,
// and malformed UTF-8 becomes U+FFFD. It buffers what one
// read gave, and a line.
type EventReader struct {
	r      io.Reader
	config EventReaderConfig

	buf      []byte // read, not yet consumed from at on
	at       int
	scanned  int   // bytes from at on that have no line end
	begun    bool  // past a byte order mark
	afterCR  bool  // a LF that follows belongs to the line before
	err      error // of the source
	final    error
	kind     string
	data     []byte
	hasData  bool
	id       string
	dispatch string // the ID in force
	retry    time.Duration
}

// NewEventReader returns a reader of the events of r.
func NewEventReader(r io.Reader, config EventReaderConfig) *EventReader {
	if config.MaxLine <= 0 {
		config.MaxLine = 1 << 20
	}
	if config.MaxEvent <= 0 {
		config.MaxEvent = 16 << 20
	}
	return &EventReader{r: r, config: config}
}

// Next returns the next event that has data. The end of the stream is io.EOF; an
// event that it cuts off is dropped, as the standard demands. Other errors are
// ErrLineTooLong, ErrEventTooLarge and those of the source; each is final.
func (r *EventReader) Next() (Event, error) {
	if r.final != nil {
		return Event{}, r.final
	}
	for {
		line, err := r.line()
		if err == nil && len(line) > 0 {
			err = r.field(line)
		}
		if err != nil {
			r.final = err
			return Event{}, err
		}
		if len(line) > 0 {
			continue
		}
		if e, ok := r.event(); ok {
			return e, nil
		}
	}
}

// LastEventID is the ID in force, which a client sends when it reconnects; it
// counts from the end of the event that set it, even if that had no data.
func (r *EventReader) LastEventID() string { return r.dispatch }

func (r *EventReader) event() (e Event, ok bool) {
	r.dispatch = r.id
	if r.hasData {
		e, ok = Event{Type: r.kind, Data: wellFormed(r.data[:len(r.data)-1]), ID: r.id, Retry: r.retry}, true
		if e.Type == "" {
			e.Type = "message"
		}
		r.retry = 0
	}
	r.kind, r.hasData = "", false
	if r.data = r.data[:0]; cap(r.data) > maxKept {
		r.data = nil
	}
	return e, ok
}

func (r *EventReader) field(line []byte) error {
	name, value, _ := bytes.Cut(line, []byte{':'})
	if len(value) > 0 && value[0] == ' ' {
		value = value[1:]
	}
	switch string(name) {
	case "data":
		if len(r.data)+len(value) > r.config.MaxEvent {
			return fmt.Errorf("%w: the limit is %d bytes of data", ErrEventTooLarge, r.config.MaxEvent)
		}
		r.data, r.hasData = append(append(r.data, value...), '\n'), true
	case "event":
		r.kind = wellFormed(value)
	case "id":
		if bytes.IndexByte(value, 0) < 0 {
			r.id = wellFormed(value)
		}
	case "retry":
		if ms, ok := digits(value); ok {
			r.retry = ms
		}
	}
	return nil
}

// digits reads milliseconds; more than a Duration holds is its largest.
func digits(text []byte) (time.Duration, bool) {
	const most = math.MaxInt64 / int64(time.Millisecond)
	var ms int64
	for _, c := range text {
		if c < '0' || c > '9' {
			return 0, false
		}
		ms = min(ms, most/10)*10 + int64(c-'0')
	}
	return time.Duration(min(ms, most)) * time.Millisecond, len(text) > 0
}

// wellFormed decodes UTF-8: each maximal part that begins no character becomes
// U+FFFD (https://encoding.spec.whatwg.org/#utf-8-decoder).
func wellFormed(text []byte) string {
	if utf8.Valid(text) {
		return string(text)
	}
	out := make([]byte, 0, len(text)+8)
	for len(text) > 0 {
		c, n := utf8.DecodeRune(text)
		if c == utf8.RuneError {
			// A truncated character is not full; anything else ill-formed is.
			for n < len(text) && !utf8.FullRune(text[:n+1]) {
				n++
			}
		}
		out = utf8.AppendRune(out, c)
		text = text[n:]
	}
	return string(out)
}

const readSize = 4 << 10

var byteOrderMark = []byte("\xef\xbb\xbf")

// line returns the next line without its end, valid until the next call.
func (r *EventReader) line() ([]byte, error) {
	for {
		if line, ok := r.take(); ok {
			return line, r.tooLong(len(line))
		}
		if err := r.tooLong(len(r.buf) - r.at); err != nil {
			return nil, err
		}
		if r.err != nil {
			return nil, r.err
		}
		r.fill()
	}
}

func (r *EventReader) tooLong(n int) error {
	if n > r.config.MaxLine+len(byteOrderMark) || r.begun && n > r.config.MaxLine {
		return fmt.Errorf("%w: the limit is %d bytes", ErrLineTooLong, r.config.MaxLine)
	}
	return nil
}

// take cuts a complete line off the buffer.
func (r *EventReader) take() ([]byte, bool) {
	rest := r.buf[r.at:]
	if !r.begun {
		if len(rest) < len(byteOrderMark) && r.err == nil && bytes.HasPrefix(byteOrderMark, rest) {
			return nil, false
		}
		rest = bytes.TrimPrefix(rest, byteOrderMark)
		r.at, r.begun = len(r.buf)-len(rest), true
	}
	if r.afterCR && len(rest) > 0 {
		r.afterCR = false
		if rest[0] == '\n' {
			r.at++
			rest = rest[1:]
		}
	}
	end := lineEnd(rest[r.scanned:])
	if end < 0 {
		r.scanned = len(rest)
		return nil, false
	}
	end += r.scanned
	r.scanned, r.afterCR = 0, rest[end] == '\r'
	r.at += end + 1
	return rest[:end], true
}

// lineEnd is the index of the first CR or LF, or -1.
func lineEnd(text []byte) int {
	end := bytes.IndexByte(text, '\n')
	if end >= 0 {
		text = text[:end]
	}
	if cr := bytes.IndexByte(text, '\r'); cr >= 0 {
		return cr
	}
	return end
}

func (r *EventReader) fill() {
	if r.at > 0 {
		r.buf = r.buf[:copy(r.buf, r.buf[r.at:])]
		r.at = 0
	}
	had := len(r.buf)
	if cap(r.buf)-had < readSize {
		r.buf = append(make([]byte, 0, max(2*cap(r.buf), had+readSize)), r.buf...)
	}
	for range maxEmptyReads {
		n, err := r.r.Read(r.buf[had:cap(r.buf)])
		r.buf = r.buf[:had+n]
		if err != nil && !errors.Is(err, io.EOF) {
			err = fmt.Errorf("stream: reading events: %w", err)
		}
		if r.err = err; n > 0 || err != nil {
			return
		}
	}
	r.err = io.ErrNoProgress
}
