package pb

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"unicode/utf8"

	"github.com/agentrt/agentrt/quickjs"
	"github.com/agentrt/agentrt/vector/chunk"
	"github.com/agentrt/agentrt/vector/embed"
)

// Embedder turns texts into vectors; *embed.Service is one.
type Embedder interface {
	Embed(ctx context.Context, model string, texts []string, dimensions int) (embed.Embeddings, error)
}

type embedderKey struct{}

// WithEmbedder returns a context in which pb.embed uses e, nil for none.
func WithEmbedder(ctx context.Context, e Embedder) context.Context {
	return context.WithValue(ctx, embedderKey{}, e)
}

// EmbedderFrom returns the embedder of an invocation, or the error that JavaScript
// sees without one.
func EmbedderFrom(ctx context.Context) (Embedder, error) {
	if _, err := ScopeFrom(ctx); err != nil {
		return nil, err
	}
	if e, ok := ctx.Value(embedderKey{}).(Embedder); ok && e != nil {
		return e, nil
	}
	return nil, &quickjs.HostError{Name: "Error", Code: "ERR_EMBED_UNAVAILABLE", Message: "pb.embed: this server has no embeddings"}
}

type embedRequest struct {
	Model      string
	Dimensions int
}

type embedReply struct {
	Dimensions int `json:"dimensions"`
}

type chunkRequest struct {
	Size    int
	Overlap *int
	Format  string
}

type chunkPiece struct {
	Start    int      `json:"start"`
	End      int      `json:"end"`
	Tokens   int      `json:"tokens"`
	Headings []string `json:"headings"`
}

// RegisterEmbed adds the operations of pb.embed and pb.utils.chunk. Offsets count
// UTF-16 code units.
//
//	pb.embed async {model, dimensions}, JSON array of texts     -> {dimensions}, 32-bit floats
//	pb.chunk sync  {size?, overlap?, format?}, bytes of the text -> [{start, end, tokens, headings}]
func RegisterEmbed(ops *quickjs.Ops) {
	quickjs.Async(ops, "pb.embed", func(ctx context.Context, m quickjs.Message[embedRequest]) (reply quickjs.Message[embedReply], err error) {
		e, err := EmbedderFrom(ctx)
		if err != nil {
			return reply, err
		}
		var texts []string
		if err := json.Unmarshal(m.Body, &texts); err != nil {
			return reply, fmt.Errorf("pb.embed: %w", err)
		}
		r, err := e.Embed(ctx, m.Head.Model, texts, m.Head.Dimensions)
		if err != nil {
			return reply, EmbedError("pb.embed", err)
		}
		reply.Head.Dimensions = r.Dimensions
		reply.Body = make([]byte, 0, 4*r.Dimensions*len(r.Vectors))
		for _, v := range r.Vectors {
			for _, f := range v {
				reply.Body = binary.LittleEndian.AppendUint32(reply.Body, math.Float32bits(f))
			}
		}
		return reply, nil
	})
	quickjs.Sync(ops, "pb.chunk", func(_ context.Context, m quickjs.Message[chunkRequest]) ([]chunkPiece, error) {
		o := chunk.Options{Size: m.Head.Size, Format: chunk.Format(m.Head.Format)}
		if m.Head.Overlap != nil {
			if o.Overlap = *m.Head.Overlap; o.Overlap == 0 {
				o.Overlap = -1
			}
		}
		text := string(m.Body)
		chunks, err := chunk.Split(text, o)
		if err != nil {
			return nil, &quickjs.HostError{Name: "RangeError", Code: "ERR_CHUNK", Message: "pb.utils.chunk: " + err.Error()}
		}
		return pieces(text, chunks), nil
	})
}

// EmbedError is an error of package embed as JavaScript sees it, beginning with what.
func EmbedError(what string, err error) error {
	e, ok := errors.AsType[*embed.Error](err)
	if !ok {
		return err
	}
	h := &quickjs.HostError{Name: "Error", Code: "ERR_EMBED_RESPONSE", Status: 502, Message: what + ": " + e.Error()}
	for _, known := range []struct {
		kind   error
		code   string
		status int
	}{
		{embed.ErrModel, "ERR_EMBED_MODEL", 400},
		{embed.ErrKey, "ERR_EMBED_KEY", 502},
		{embed.ErrInput, "ERR_EMBED_INPUT", 400},
		{embed.ErrDimension, "ERR_EMBED_DIMENSION", 400},
		{embed.ErrRejected, "ERR_EMBED_REJECTED", 502},
		{embed.ErrRateLimited, "ERR_EMBED_RATE_LIMIT", 503},
		{embed.ErrUnavailable, "ERR_EMBED_UNAVAILABLE", 503},
		{embed.ErrEgress, "ERR_EGRESS_DENIED", 502},
	} {
		if e.Kind == known.kind {
			h.Code, h.Status = known.code, known.status
		}
	}
	return h
}

// pieces turns offsets in bytes into those of JavaScript. Starts and ends each grow
// from chunk to chunk.
func pieces(text string, chunks []chunk.Chunk) []chunkPiece {
	out := make([]chunkPiece, len(chunks))
	var start, end utf16Counter
	for k, c := range chunks {
		out[k] = chunkPiece{Start: start.at(text, c.Start), End: end.at(text, c.End), Tokens: c.Tokens, Headings: c.Headings}
		if out[k].Headings == nil {
			out[k].Headings = []string{}
		}
	}
	return out
}

type utf16Counter struct{ bytes, units int }

func (u *utf16Counter) at(text string, offset int) int {
	for u.bytes < offset {
		r, size := utf8.DecodeRuneInString(text[u.bytes:])
		u.bytes += size
		u.units++
		if r > 0xffff {
			u.units++
		}
	}
	return u.units
}
