package modelserver

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"math"
	"strconv"
	"strings"

	"github.com/sashabaranov/go-openai"

	"github.com/agentrt/agentrt/vector/embed/hashing"
)

// Limits of embeddings.
const (
	MaxDimensions = 3072
	MaxInputs     = 2048 // texts of one request
)

// embeddings serves https://platform.openai.com/docs/api-reference/embeddings.
func embeddings(x *exchange) error {
	body, err := x.body()
	if err != nil {
		return err
	}
	var req struct {
		Input          json.RawMessage                `json:"input"`
		Model          string                         `json:"model"`
		EncodingFormat openai.EmbeddingEncodingFormat `json:"encoding_format"`
		Dimensions     *int                           `json:"dimensions"`
	}
	if err := decode(body, &req); err != nil {
		return err
	}
	if req.Model == "" {
		return badRequest("model", "you must provide a model parameter")
	}
	model, err := x.configure(req.Model)
	if err != nil {
		return err
	}
	texts, err := embeddingInput(req.Input)
	if err != nil {
		return err
	}
	embedder, err := embedderOf(req.Dimensions, "dimensions")
	if err != nil {
		return err
	}
	if f := req.EncodingFormat; f != "" && f != openai.EmbeddingEncodingFormatFloat && f != openai.EmbeddingEncodingFormatBase64 {
		return badRequest("encoding_format", "encoding_format is %q, want float or base64", f)
	}
	tokens := 0
	data := make([]embeddingItem, len(texts))
	for i, text := range texts {
		tokens += countTokens(text)
		data[i] = embeddingItem{Object: "embedding", Index: i, Embedding: vector{embedder.Embed(text), req.EncodingFormat == openai.EmbeddingEncodingFormatBase64}}
	}
	return x.whole(&answer{}, map[string]any{
		"object": "list", "data": data, "model": model, "usage": map[string]int{"prompt_tokens": tokens, "total_tokens": tokens},
	})
}

func embedderOf(dimensions *int, param string) (*hashing.Embedder, error) {
	if dimensions == nil {
		return hashing.New(0), nil
	}
	if *dimensions < 1 || *dimensions > MaxDimensions {
		return nil, badRequest(param, "%s is %d, want 1 to %d", param, *dimensions, MaxDimensions)
	}
	return hashing.New(*dimensions), nil
}

// embeddingInput reads a text, texts, token numbers or lists of token numbers. Token
// numbers are embedded as words.
func embeddingInput(raw json.RawMessage) ([]string, error) {
	var texts []string
	var one string
	var numbers []int
	var lists [][]int
	switch {
	case len(raw) == 0 || string(raw) == "null":
		return nil, badRequest("input", "Missing required parameter: 'input'.")
	case json.Unmarshal(raw, &one) == nil:
		texts = []string{one}
	case json.Unmarshal(raw, &texts) == nil:
	case json.Unmarshal(raw, &numbers) == nil:
		texts = []string{numberWords(numbers)}
	case json.Unmarshal(raw, &lists) == nil:
		texts = nil
		for _, list := range lists {
			texts = append(texts, numberWords(list))
		}
	default:
		return nil, badRequest("input", "Invalid type for 'input': expected a string, an array of strings, of token numbers, or of arrays of token numbers.")
	}
	if len(texts) == 0 || len(texts) > MaxInputs {
		return nil, badRequest("input", "'input' has %d texts, want 1 to %d.", len(texts), MaxInputs)
	}
	return texts, nil
}

func numberWords(numbers []int) string {
	var b strings.Builder
	for _, n := range numbers {
		b.WriteString(strconv.Itoa(n))
		b.WriteByte(' ')
	}
	return b.String()
}

type embeddingItem struct {
	Object    string `json:"object"`
	Index     int    `json:"index"`
	Embedding vector `json:"embedding"`
}

// vector is written as numbers, or as the base64 of little-endian 32-bit floats.
type vector struct {
	values []float32
	base64 bool
}

// MarshalJSON implements json.Marshaler.
func (v vector) MarshalJSON() ([]byte, error) {
	if !v.base64 {
		return json.Marshal(v.values)
	}
	raw := make([]byte, 0, 4*len(v.values))
	for _, f := range v.values {
		raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(f))
	}
	return appendString(nil, base64.StdEncoding.EncodeToString(raw)), nil
}
