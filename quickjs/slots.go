package quickjs

import (
	"context"
	"sync/atomic"
)

// slots bounds how many instances run at a time, first come first served.
type slots struct {
	free    chan struct{}
	waiting *atomic.Int64
}

func newSlots(n int) slots {
	return slots{free: make(chan struct{}, n), waiting: new(atomic.Int64)}
}

func (s slots) acquire(ctx context.Context) error {
	select {
	case s.free <- struct{}{}:
		return nil
	default:
	}
	s.waiting.Add(1)
	defer s.waiting.Add(-1)
	select {
	case s.free <- struct{}{}:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (s slots) release() { <-s.free }

func (s slots) contended() bool { return s.waiting.Load() > 0 }
