package vector

import (
	"errors"
	"fmt"
)

// Kinds of bad input, for errors.Is.
var (
	ErrDimension = errors.New("wrong number of dimensions")
	ErrNotFinite = errors.New("not a finite number")
	ErrZero      = errors.New("zero vector")
	ErrTop       = errors.New("number of matches out of range")
	ErrRecall    = errors.New("recall out of range")
	ErrID        = errors.New("bad id")
	ErrFilter    = errors.New("bad filter")
	ErrSpace     = errors.New("bad vector space")
	ErrNoSpace   = errors.New("no such vector space")
	ErrTx        = errors.New("not a transaction")
)

// InputError is bad input: which part of it, what was expected and what came.
type InputError struct {
	// Kind is one of the errors above.
	Kind error
	// Space is the space's name, Field the part of the input, such as "top" or
	// "vector", ID the record if one is concerned.
	Space, Field, ID string
	// Want and Got complete "expected …, got …".
	Want, Got string
}

func (e *InputError) Error() string {
	where := e.Field
	if e.ID != "" {
		where += fmt.Sprintf(" of record %q", e.ID)
	}
	return fmt.Sprintf("vector space %q: %s: %v: expected %s, got %s", e.Space, where, e.Kind, e.Want, e.Got)
}

// Unwrap returns Kind.
func (e *InputError) Unwrap() error { return e.Kind }
