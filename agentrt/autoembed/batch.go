package autoembed

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/agentrt/agentrt/vector/embed"
)

// What is sent together.
const (
	gather   = 10 * time.Millisecond // how long the first text waits for others
	maxBatch = 64
)

// batcher sends texts that come at the same time for one model in one call.
type batcher struct {
	embedder Embedder

	mu   sync.Mutex
	open map[model]*batch
}

type model struct {
	name       string
	dimensions int
}

type batch struct {
	texts   []string
	full    chan struct{} // closed when there are maxBatch texts
	done    chan struct{} // closed when vectors or err are there
	vectors [][]float32
	err     error
}

// embed returns the vector of a text. The one who opens a batch sends it; its end
// is not that of the others, who then try again.
func (b *batcher) embed(ctx context.Context, name string, dimensions int, text string) ([]float32, error) {
	for {
		mine, at, first := b.join(model{name, dimensions}, text)
		if first {
			b.send(ctx, model{name, dimensions}, mine)
		}
		select {
		case <-mine.done:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
		switch {
		case mine.err == nil:
			return mine.vectors[at], nil
		case ctx.Err() != nil:
			return nil, context.Cause(ctx)
		case errors.Is(mine.err, errLeft):
			continue
		case len(mine.texts) == 1:
			return nil, mine.err
		}
		// One text may have spoiled the batch for all.
		if e, ok := errors.AsType[*embed.Error](mine.err); ok && (e.Kind == embed.ErrRejected || e.Kind == embed.ErrInput) {
			r, err := b.embedder.Embed(ctx, name, []string{text}, dimensions)
			if err != nil {
				return nil, err
			}
			return r.Vectors[0], nil
		}
		return nil, mine.err
	}
}

var errLeft = errors.New("whoever sent the batch has left")

func (b *batcher) join(m model, text string) (mine *batch, at int, first bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	mine = b.open[m]
	if first = mine == nil; first {
		mine = &batch{full: make(chan struct{}), done: make(chan struct{})}
		if b.open == nil {
			b.open = map[model]*batch{}
		}
		b.open[m] = mine
	}
	mine.texts = append(mine.texts, text)
	if len(mine.texts) == maxBatch {
		delete(b.open, m)
		close(mine.full)
	}
	return mine, len(mine.texts) - 1, first
}

func (b *batcher) send(ctx context.Context, m model, mine *batch) {
	timer := time.NewTimer(gather)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-mine.full:
	case <-ctx.Done():
	}
	b.mu.Lock()
	if b.open[m] == mine {
		delete(b.open, m)
	}
	b.mu.Unlock()
	defer close(mine.done)
	r, err := b.embedder.Embed(ctx, m.name, mine.texts, m.dimensions)
	if mine.vectors, mine.err = r.Vectors, err; err != nil && ctx.Err() != nil {
		mine.err = errLeft
	}
}
