package pool

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// ErrClosed is returned once an Admission or Pool was closed.
var ErrClosed = errors.New("pool: closed")

// OverloadedError reports that no instance became free in time, or that the
// queue was full.
type OverloadedError struct {
	// Limit is the number of instances that may be in use.
	Limit int
	// Queued is how many invocations were waiting.
	Queued int
	// RetryAfter is a hint for the client.
	RetryAfter time.Duration
}

// Error names the limit.
func (e *OverloadedError) Error() string {
	return fmt.Sprintf("pool: all %d instances are in use and %d invocations wait", e.Limit, e.Queued)
}

// Admission bounds the instances in use over all versions. It is immutable apart
// from its counters and may be used from several goroutines.
type Admission struct {
	places   chan struct{}
	maxQueue int64
	patience time.Duration
	queued   atomic.Int64
	nested   atomic.Int64
	once     sync.Once
	closed   chan struct{}
}

// NewAdmission admits limit invocations at a time (at least one). Up to maxQueue
// further ones wait, each at most patience.
func NewAdmission(limit, maxQueue int, patience time.Duration) *Admission {
	return &Admission{
		places:   make(chan struct{}, max(limit, 1)),
		maxQueue: int64(max(maxQueue, 0)),
		patience: patience,
		closed:   make(chan struct{}),
	}
}

// Enter takes a place; leave gives it back. Within an invocation that holds a
// place already (see [WithNested]) it never waits, and is not refused after Close
// either: what still runs may need it. Errors are *OverloadedError,
// ErrClosed and the context's.
func (a *Admission) Enter(ctx context.Context) (leave func(), err error) {
	if isNested(ctx) {
		a.nested.Add(1)
		return func() { a.nested.Add(-1) }, nil
	}
	select {
	case <-a.closed:
		return nil, ErrClosed
	default:
	}
	select {
	case a.places <- struct{}{}:
		return a.leave, nil
	default:
	}
	if n := a.queued.Add(1); n > a.maxQueue {
		a.queued.Add(-1)
		return nil, a.overloaded()
	}
	defer a.queued.Add(-1)
	timer := time.NewTimer(a.patience)
	defer timer.Stop()
	select {
	case a.places <- struct{}{}:
		return a.leave, nil
	case <-timer.C:
		return nil, a.overloaded()
	case <-a.closed:
		return nil, ErrClosed
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

func (a *Admission) leave() { <-a.places }

func (a *Admission) overloaded() error {
	return &OverloadedError{Limit: cap(a.places), Queued: int(a.queued.Load()), RetryAfter: max(a.patience.Round(time.Second), time.Second)}
}

// InUse is the number of invocations that hold a place, nested ones included,
// and of those that wait.
func (a *Admission) InUse() (running, queued int) {
	return len(a.places) + int(a.nested.Load()), int(a.queued.Load())
}

// Close refuses further entries; waiting ones end with ErrClosed.
func (a *Admission) Close() { a.once.Do(func() { close(a.closed) }) }

type nestedKey struct{}

// WithNested marks ctx as belonging to an invocation that holds a place.
func WithNested(ctx context.Context) context.Context {
	return context.WithValue(ctx, nestedKey{}, true)
}

func isNested(ctx context.Context) bool {
	nested, _ := ctx.Value(nestedKey{}).(bool)
	return nested
}
