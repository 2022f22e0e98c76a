package embed

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// Kinds of failures, for errors.Is.
var (
	// ErrModel: no such model, or its name cannot be one.
	ErrModel = errors.New("unknown embedding model")
	// ErrKey: the provider's key is missing or was refused.
	ErrKey = errors.New("no valid key for the embedding provider")
	// ErrUnavailable: the provider cannot be reached, or failed after all attempts.
	ErrUnavailable = errors.New("the embedding provider is unavailable")
	// ErrRateLimited: the provider refuses more requests for now, or its quota is used up.
	ErrRateLimited = errors.New("the embedding provider limits requests")
	// ErrEgress: the egress policy keeps the provider out of reach.
	ErrEgress = errors.New("the embedding provider is out of reach")
	// ErrDimension: the model's vectors have another length than is wanted.
	ErrDimension = errors.New("wrong number of dimensions")
	// ErrRejected: the provider does not accept the request.
	ErrRejected = errors.New("the embedding provider rejected the request")
	// ErrResponse: the provider's answer makes no sense.
	ErrResponse = errors.New("the embedding provider answered wrongly")
	// ErrInput: the texts or options are beyond the limits.
	ErrInput = errors.New("cannot embed")
)

// Error is a failure: of which model, why, and what to do. It never holds a key.
type Error struct {
	// Kind is one of the errors above.
	Kind error
	// Model is the name that was asked for.
	Model string
	// Text says what happened, Fix what to do; either may be empty.
	Text, Fix string
	// Status is the provider's HTTP status, 0 without an answer.
	Status int
	// RetryAfter is how long the provider asked to wait, 0 if it did not.
	RetryAfter time.Duration
	// Err is the cause, nil if there is none. Its text is not part of the message.
	Err error
}

// Error is "kind (model): text: fix".
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.Kind.Error())
	if e.Model != "" {
		fmt.Fprintf(&b, " (%s)", e.Model)
	}
	for _, part := range []string{e.Text, e.Fix} {
		if part != "" {
			b.WriteString(": " + part)
		}
	}
	return b.String()
}

// Unwrap returns Kind and Err.
func (e *Error) Unwrap() []error {
	if e.Err == nil {
		return []error{e.Kind}
	}
	return []error{e.Kind, e.Err}
}

// Temporary reports whether the same call may succeed later without a change of
// configuration or texts.
func (e *Error) Temporary() bool {
	return e.Kind == ErrUnavailable || e.Kind == ErrRateLimited || e.Kind == ErrResponse
}
