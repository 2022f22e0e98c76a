package pb

import (
	"context"
	"errors"

	"github.com/agentrt/agentrt/quickjs"
	"github.com/agentrt/agentrt/vector/extract"
)

// Extractor makes text of files; *extract.Extractor is one.
type Extractor interface {
	Extract(ctx context.Context, filename, mediaType string, data []byte) (extract.Document, error)
}

type extractorKey struct{}

// WithExtractor returns a context in which pb.utils.extractText uses x.
func WithExtractor(ctx context.Context, x Extractor) context.Context {
	return context.WithValue(ctx, extractorKey{}, x)
}

type extractRequest struct {
	Filename, Type string
}

type extractReply struct {
	Format string        `json:"format"`
	Title  string        `json:"title"`
	Pages  []extractPage `json:"pages"`
}

type extractPage struct {
	Number int `json:"number"`
	Start  int `json:"start"`
}

// RegisterExtract adds the operation of pb.utils.extractText; offsets count UTF-16
// code units.
//
//	pb.extract async {filename, type}, bytes -> {format, title, pages: [{number, start}]}, the text
func RegisterExtract(ops *quickjs.Ops) {
	quickjs.Async(ops, "pb.extract", func(ctx context.Context, m quickjs.Message[extractRequest]) (reply quickjs.Message[extractReply], err error) {
		if _, err := ScopeFrom(ctx); err != nil {
			return reply, err
		}
		x, ok := ctx.Value(extractorKey{}).(Extractor)
		if !ok || x == nil {
			return reply, &quickjs.HostError{Name: "Error", Code: "ERR_EXTRACT", Message: "pb.utils.extractText: this server extracts no texts"}
		}
		d, err := x.Extract(ctx, m.Head.Filename, m.Head.Type, m.Body)
		if err != nil {
			return reply, extractError(err)
		}
		reply.Head = extractReply{Format: string(d.Format), Title: d.Title, Pages: []extractPage{}}
		var at utf16Counter
		for _, p := range d.Pages {
			reply.Head.Pages = append(reply.Head.Pages, extractPage{p.Number, at.at(d.Text, p.Start)})
		}
		reply.Body = []byte(d.Text)
		return reply, nil
	})
}

func extractError(err error) error {
	for _, known := range []struct {
		is     error
		code   string
		status int
	}{
		{extract.ErrType, "ERR_EXTRACT_TYPE", 415},
		{extract.ErrTooLarge, "ERR_EXTRACT_SIZE", 413},
		{extract.ErrMalformed, "ERR_EXTRACT_MALFORMED", 422},
		{extract.ErrEncrypted, "ERR_EXTRACT_ENCRYPTED", 422},
		{extract.ErrNoText, "ERR_EXTRACT_NO_TEXT", 422},
		{extract.ErrTimeout, "ERR_EXTRACT_TIMEOUT", 422},
	} {
		if errors.Is(err, known.is) {
			return &quickjs.HostError{Name: "Error", Code: known.code, Status: known.status, Message: "pb.utils.extractText: " + err.Error()}
		}
	}
	return err
}
