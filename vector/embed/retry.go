package embed

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/sashabaranov/go-openai"
)

const (
	firstWait      = 500 * time.Millisecond
	longestWait    = 20 * time.Second
	maxRetryAfter  = time.Minute // a longer wait is the caller's business
	requestTimeout = 2 * time.Minute
	never          = time.Duration(1<<63 - 1)
)

// retry sends a batch until it succeeds, fails for good, or has failed MaxAttempts
// times. Waits double from half a second to 20 s, less up to a half at random; a time
// that the provider asks for, up to a minute, counts instead, for all its requests.
func (o *openAI) retry(ctx context.Context, b batch, dimensions int) (res openai.EmbeddingResponse, err error) {
	for attempt, wait := 1, firstWait; ; attempt, wait = attempt+1, min(2*wait, longestWait) {
		e := o.try(ctx, b, dimensions, &res)
		if e == nil {
			return res, nil
		}
		if ctx.Err() != nil {
			return res, context.Cause(ctx)
		}
		pause := wait - time.Duration(rand.Int64N(int64(wait)/2))
		if e.RetryAfter > 0 {
			pause = e.RetryAfter
		}
		if !e.Temporary() || pause > maxRetryAfter || attempt >= o.config.MaxAttempts {
			return res, e
		}
		if e.RetryAfter > 0 {
			o.limits.pause(pause)
			continue
		}
		if err := sleep(ctx, pause); err != nil {
			return res, err
		}
	}
}

func (o *openAI) try(ctx context.Context, b batch, dimensions int, res *openai.EmbeddingResponse) *Error {
	release, err := o.limits.acquire(ctx, b.tokens)
	if err != nil {
		return &Error{Kind: ErrUnavailable, Model: o.name, Err: err}
	}
	defer release()
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	r, a, err := o.send(ctx, b.texts, dimensions)
	if err != nil {
		return o.explain(err, a)
	}
	*res = r
	return nil
}
