package vector

import "context"

// Embedder turns texts into vectors.
type Embedder interface {
	// Embed returns a vector for each text, all of one length, in their order.
	// model names the model; "" means the embedder's default.
	Embed(ctx context.Context, model string, texts []string) ([][]float32, error)
}

// SizedEmbedder is an Embedder whose models can give vectors of different lengths.
type SizedEmbedder interface {
	Embedder
	// EmbedSized is Embed with the wanted number of dimensions; a model that has
	// only one length ignores it.
	EmbedSized(ctx context.Context, model string, dim int, texts []string) ([][]float32, error)
}
