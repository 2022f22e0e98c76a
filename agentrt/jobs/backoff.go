package jobs

import (
	"math"
	"math/rand/v2"
	"time"
)

// Defaults of Backoff.
const (
	defaultDelay    = 5 * time.Second
	defaultMaxDelay = time.Hour
)

func (b *Backoff) check() error {
	switch {
	case b == nil:
		return nil
	case b.Delay < 0 || b.Delay > MaxDelay || b.Max < 0 || b.Max > MaxDelay:
		return option("the delays of a backoff are from 0 to %v", MaxDelay)
	}
	return nil
}

// after is the time until the next attempt when attempts have failed.
func (b *Backoff) after(attempts int) time.Duration {
	var set Backoff
	if b != nil {
		set = *b
	}
	if set.Delay == 0 {
		set.Delay = defaultDelay
	}
	if set.Max == 0 {
		set.Max = max(defaultMaxDelay, set.Delay)
	}
	d := float64(set.Delay)
	if !set.Fixed {
		d = min(d*math.Exp2(float64(attempts-1)), float64(set.Max))
	}
	return time.Duration(d * (0.9 + 0.2*rand.Float64()))
}
