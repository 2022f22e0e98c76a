package embed

import (
	"context"
	"sync"
	"time"
)

// maxConcurrent bounds the requests of one provider at a time.
const maxConcurrent = 8

// limiter keeps a provider's limits per minute by waiting, and holds requests back
// while the provider has asked to.
type limiter struct {
	places chan struct{}

	mu       sync.Mutex
	requests bucket
	tokens   bucket
	until    time.Time
}

func newLimiter(requestsPerMinute, tokensPerMinute int) *limiter {
	return &limiter{places: make(chan struct{}, maxConcurrent), requests: newBucket(requestsPerMinute), tokens: newBucket(tokensPerMinute)}
}

// acquire waits until a request of so many tokens may be sent. release ends it.
func (l *limiter) acquire(ctx context.Context, tokens int) (release func(), err error) {
	select {
	case l.places <- struct{}{}:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	release = func() { <-l.places }
	if err := sleep(ctx, l.reserve(tokens, time.Now())); err != nil {
		release()
		return nil, err
	}
	return release, nil
}

// reserve takes what the request needs and returns how long it has to wait for it.
func (l *limiter) reserve(tokens int, now time.Time) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	return max(l.requests.take(1, now), l.tokens.take(float64(tokens), now), l.until.Sub(now))
}

// pause holds requests back for d.
func (l *limiter) pause(d time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if until := time.Now().Add(d); until.After(l.until) {
		l.until = until
	}
}

// bucket refills evenly; it holds ten seconds' worth. What is taken beyond that is
// owed: the next one waits longer.
type bucket struct {
	perSecond, most, level float64
	at                     time.Time
}

func newBucket(perMinute int) bucket {
	rate := float64(perMinute) / 60
	return bucket{perSecond: rate, most: max(1, rate*10), level: max(1, rate*10)}
}

func (b *bucket) take(n float64, now time.Time) time.Duration {
	if b.perSecond == 0 {
		return 0
	}
	if !b.at.IsZero() {
		b.level = min(b.most, b.level+now.Sub(b.at).Seconds()*b.perSecond)
	}
	b.at = now
	b.level -= n
	if b.level >= 0 {
		return 0
	}
	return time.Duration(-b.level / b.perSecond * float64(time.Second))
}

func sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return context.Cause(ctx)
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
