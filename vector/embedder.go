package vector

import "context"

// Embedder turns texts into vectors.
type Embedder interface {
	// Embed returns a vector for each text, all of one length, in their order.
	// model names the model; "" means the embedder's default. dim is the length
	// wanted, 0 for the model's own; a model that has only one length may ignore it.
	Embed(ctx context.Context, model string, dim int, texts []string) ([][]float32, error)
}
