package stream

import (
	"errors"
	"fmt"
	"time"
)

// Event is a server-sent event
// (https://html.spec.whatwg.org/multipage/server-sent-events.html).
type Event struct {
	// Type is the event's name. An EventReader gives "message" where the stream
	// names none; an empty one is not written, which clients take as "message".
	Type string
	// Data is the text, its lines separated by "\n".
	Data string
	// ID is the last event ID. An EventReader gives the one in force, which
	// earlier events may have set; an empty one is not written, so that the
	// client keeps the one it has.
	ID string
	// Retry is the time before a client reconnects, in whole milliseconds; 0 is
	// none. An EventReader gives what came since the event before.
	Retry time.Duration
}

var (
	// ErrLineTooLong reports a line of an event stream above the reader's limit.
	ErrLineTooLong = errors.New("stream: a line of the event stream is too long")
	// ErrEventTooLarge reports an event above the reader's limit.
	ErrEventTooLarge = errors.New("stream: an event of the event stream is too large")
)

// EncodingError reports a field that an event stream cannot carry. Nothing was
// written.
type EncodingError struct {
	// Field is "event", "data", "id", "retry" or "comment".
	Field string
	// Reason says what is wrong with its value and what to do.
	Reason string
}

func (e *EncodingError) Error() string {
	return fmt.Sprintf("stream: the %s of an event cannot be sent: %s", e.Field, e.Reason)
}
