package vectorfield

import (
	"context"

	"github.com/agentrt/agentrt/vector/embed/hashing"
)

// offline embeds by hashing words, in as many dimensions as are wanted.
type offline struct{}

func (offline) Embed(ctx context.Context, _ string, dim int, texts []string) ([][]float32, error) {
	e := hashing.New(dim)
	vectors := make([][]float32, len(texts))
	for i, text := range texts {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		vectors[i] = e.Embed(text)
	}
	return vectors, nil
}
