package stream

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// AppendEvent appends the encoding of e to dst: its fields and the blank line that
// makes a client dispatch it, even if the data is empty. The error is an
// *EncodingError, with dst unchanged: the type and the ID must be one line, the ID
// without NUL; the data must not have "\r", which clients would read as "\n"; all
// must be valid UTF-8; Retry must be whole milliseconds.
func AppendEvent(dst []byte, e Event) ([]byte, error) {
	if err := e.check(); err != nil {
		return dst, err
	}
	if e.Type != "" {
		dst = appendField(dst, "event", e.Type)
	}
	if e.ID != "" {
		dst = appendField(dst, "id", e.ID)
	}
	if e.Retry != 0 {
		dst = appendField(dst, "retry", strconv.FormatInt(e.Retry.Milliseconds(), 10))
	}
	for line := range strings.SplitSeq(e.Data, "\n") {
		dst = appendField(dst, "data", line)
	}
	return append(dst, '\n'), nil
}

// AppendComment appends text as comment lines, which clients ignore, and a blank
// line. Use it between events. The error is as that of AppendEvent.
func AppendComment(dst []byte, text string) ([]byte, error) {
	if err := checkText("comment", text, "\r"); err != nil {
		return dst, err
	}
	for line := range strings.SplitSeq(text, "\n") {
		if line == "" {
			dst = append(dst, ":\n"...)
		} else {
			dst = appendField(dst, "", line)
		}
	}
	return append(dst, '\n'), nil
}

func appendField(dst []byte, name, value string) []byte {
	dst = append(dst, name...)
	dst = append(dst, ": "...)
	dst = append(dst, value...)
	return append(dst, '\n')
}

func (e *Event) check() error {
	if err := checkText("event", e.Type, "\r\n"); err != nil {
		return err
	}
	if err := checkText("id", e.ID, "\r\n\x00"); err != nil {
		return err
	}
	if e.Retry < 0 || e.Retry%time.Millisecond != 0 {
		return &EncodingError{"retry", fmt.Sprintf("%v is not a positive number of whole milliseconds", e.Retry)}
	}
	return checkText("data", e.Data, "\r")
}

func checkText(field, text, refused string) error {
	if at := strings.IndexAny(text, refused); at >= 0 {
		return &EncodingError{field, fmt.Sprintf("byte %d is %q, which would end the line or is not allowed; encode the text, for example as JSON", at, text[at])}
	}
	if !utf8.ValidString(text) {
		return &EncodingError{field, "it is not valid UTF-8; encode bytes, for example as base64"}
	}
	return nil
}

// EventWriter writes an event stream. Each event is one Write, followed by a flush
// if the destination is an http.ResponseWriter.
type EventWriter struct {
	w       io.Writer
	control *http.ResponseController
	buf     []byte
}

// NewEventWriter returns a writer of events to w. For HTTP the caller sets
// Content-Type to text/event-stream.
func NewEventWriter(w io.Writer) *EventWriter {
	e := &EventWriter{w: w}
	if rw, ok := w.(http.ResponseWriter); ok {
		e.control = http.NewResponseController(rw)
	}
	return e
}

// Write sends one event; see AppendEvent for what is refused.
func (w *EventWriter) Write(e Event) error {
	buf, err := AppendEvent(w.buf[:0], e)
	return w.send(buf, err)
}

// Comment sends text as a comment, which keeps connections alive.
func (w *EventWriter) Comment(text string) error {
	buf, err := AppendComment(w.buf[:0], text)
	return w.send(buf, err)
}

// maxKept is how much of an event's buffer is kept for the next one, in bytes.
const maxKept = 64 << 10

func (w *EventWriter) send(buf []byte, err error) error {
	if err != nil {
		return err
	}
	if cap(buf) <= maxKept {
		w.buf = buf
	}
	if _, err := w.w.Write(buf); err != nil {
		return fmt.Errorf("%w: %w", ErrWrite, err)
	}
	if w.control == nil {
		return nil
	}
	if err := w.control.Flush(); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return fmt.Errorf("%w: %w", ErrWrite, err)
	}
	return nil
}
