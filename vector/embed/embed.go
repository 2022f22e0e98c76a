// Package embed turns texts into vectors: through any server with OpenAI's API for
// embeddings (OpenAI, Ollama, vLLM and others), or offline by feature hashing.
//
// Models have names such as "openai/text-embedding-3-small", "ollama/nomic-embed-text"
// or "hashing"; Registry says what they stand for. Service is what callers use: it
// sends each text once, in batches, keeps the vectors by the texts' hashes, and
// counts what was used.
package embed

import (
	"context"
	"fmt"
)

// Limits of one call.
const (
	// MaxTexts is the largest number of texts.
	MaxTexts = 4096
	// MaxText is the largest text in bytes of UTF-8. Models take less, often 8,191
	// or 512 tokens: cut longer texts into chunks.
	MaxText = 1 << 20
	// MaxTotal bounds all texts of a call together, in bytes.
	MaxTotal = 16 << 20
	// MaxDimensions is the largest number of dimensions of a vector.
	MaxDimensions = 16000
)

// Provider sends texts to one model. It is safe for concurrent use.
type Provider interface {
	// Embed returns a vector for each text, in their order, all of one length.
	// dimensions, if not 0, is the length wanted. Errors are *Error.
	Embed(ctx context.Context, texts []string, dimensions int) (Result, error)
}

// Result is what a provider answers.
type Result struct {
	Vectors [][]float32
	// Tokens is what the provider charges for, estimated if it does not say; 0 for
	// a model that is not charged for.
	Tokens int
	// Requests is the number of requests that were answered.
	Requests int
}

func checkTexts(model string, texts []string) error {
	if len(texts) > MaxTexts {
		return &Error{Kind: ErrInput, Model: model, Text: fmt.Sprintf("%d texts at once", len(texts)), Fix: fmt.Sprintf("embed at most %d in a call", MaxTexts)}
	}
	total := 0
	for k, text := range texts {
		total += len(text)
		switch {
		case blank(text):
			return &Error{Kind: ErrInput, Model: model, Text: fmt.Sprintf("text %d is empty", k), Fix: "leave it out: an empty text has no vector"}
		case len(text) > MaxText:
			return &Error{Kind: ErrInput, Model: model, Text: fmt.Sprintf("text %d has %d bytes", k, len(text)), Fix: fmt.Sprintf("cut it into chunks; a text has at most %d bytes", MaxText)}
		case total > MaxTotal:
			return &Error{Kind: ErrInput, Model: model, Text: "the texts are too long together", Fix: fmt.Sprintf("embed at most %d bytes in a call", MaxTotal)}
		}
	}
	return nil
}

func checkDimensions(model string, dimensions int) error {
	if dimensions < 0 || dimensions > MaxDimensions {
		return &Error{Kind: ErrInput, Model: model, Text: fmt.Sprintf("%d dimensions", dimensions), Fix: fmt.Sprintf("ask for 1 to %d, or leave the number out", MaxDimensions)}
	}
	return nil
}
