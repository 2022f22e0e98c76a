package embed

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"strings"

	"github.com/agentrt/agentrt/vector/chunk"
	"github.com/sashabaranov/go-openai"
)

// openAI is a model behind https://platform.openai.com/docs/api-reference/embeddings.
type openAI struct {
	name      string // in full
	model     string
	config    ProviderConfig
	key       string
	keySource string
	shortens  bool // takes the parameter dimensions
	native    int  // length of the vectors, 0 if it is not known
	transport http.RoundTripper
	limits    *limiter
}

// Embed implements Provider.
func (o *openAI) Embed(ctx context.Context, texts []string, dimensions int) (Result, error) {
	if o.native != 0 && dimensions != 0 && dimensions != o.native && !o.shortens {
		return Result{}, o.dimensionError(o.native, dimensions)
	}
	result := Result{Vectors: make([][]float32, 0, len(texts))}
	want := dimensions
	if want == 0 {
		want = o.native
	}
	for batch := range batches(texts, o.config.MaxBatch, o.config.MaxBatchTokens) {
		r, err := o.retry(ctx, batch, dimensions)
		result.Tokens += r.Usage.PromptTokens
		result.Requests++
		if err != nil {
			return result, err
		}
		if r.Usage.PromptTokens == 0 {
			result.Tokens += batch.tokens
		}
		vectors, err := o.vectors(r, len(batch.texts))
		if err != nil {
			return result, err
		}
		if want == 0 {
			want = len(vectors[0])
		}
		for _, v := range vectors {
			if len(v) != want {
				return result, o.dimensionError(len(v), want)
			}
		}
		result.Vectors = append(result.Vectors, vectors...)
	}
	return result, nil
}

func (o *openAI) dimensionError(got, want int) error {
	fix := fmt.Sprintf("use a field of dimension %d or another model", got)
	if !o.shortens {
		fix += "; if it can shorten its vectors, list it in the provider's \"shortens\""
	}
	return wrongDimension(o.name, got, want, fix)
}

func (o *openAI) send(ctx context.Context, texts []string, dimensions int) (openai.EmbeddingResponse, *answer, error) {
	a := &answer{transport: o.transport}
	config := openai.DefaultConfig(o.key)
	config.BaseURL = strings.TrimRight(o.config.BaseURL, "/")
	config.HTTPClient = a
	request := openai.EmbeddingRequest{Input: texts, Model: openai.EmbeddingModel(o.model)}
	if o.shortens {
		request.Dimensions = dimensions
	}
	res, err := openai.NewClientWithConfig(config).CreateEmbeddings(ctx, request)
	return res, a, err
}

// vectors puts the answer into the order of the texts.
func (o *openAI) vectors(r openai.EmbeddingResponse, n int) ([][]float32, error) {
	wrong := func(format string, args ...any) ([][]float32, error) {
		return nil, &Error{Kind: ErrResponse, Model: o.name, Text: fmt.Sprintf(format, args...), Fix: "check that " + o.host() + " has OpenAI's API for embeddings"}
	}
	if len(r.Data) != n {
		return wrong("%d vectors came for %d texts", len(r.Data), n)
	}
	vectors := make([][]float32, n)
	for _, d := range r.Data {
		if d.Index < 0 || d.Index >= n || vectors[d.Index] != nil {
			return wrong("the index %d is out of range or occurs twice", d.Index)
		}
		if len(d.Embedding) == 0 || len(d.Embedding) > MaxDimensions {
			return wrong("a vector has %d dimensions", len(d.Embedding))
		}
		for _, f := range d.Embedding {
			if math.IsNaN(float64(f)) || math.IsInf(float64(f), 0) {
				return wrong("a vector has numbers that are not finite")
			}
		}
		vectors[d.Index] = d.Embedding
	}
	return vectors, nil
}

// explain makes an Error of what the client reported.
func (o *openAI) explain(err error, a *answer) *Error {
	e := &Error{Kind: ErrUnavailable, Model: o.name, Err: o.hide(err), Status: a.status, RetryAfter: a.retryAfter()}
	says := ""
	if api, ok := errors.AsType[*openai.APIError](err); ok {
		says = o.redact(clip(api.Message, 300))
	}
	status := fmt.Sprintf("%s answered %d", o.host(), a.status)
	if says != "" {
		status += fmt.Sprintf(" (%q)", says)
	}
	denied, isDenied := errors.AsType[egressError](err)
	var redirect *redirectError
	switch {
	case isDenied:
		e.Kind, e.Text, e.Fix = ErrEgress, denied.Error(), "a model server in a private network must be allowed when the server is started"
	case errors.As(err, &redirect):
		e.Kind, e.Text, e.Fix = ErrRejected, fmt.Sprintf("%s redirects (%d)", o.host(), a.status), "configure the final address as base URL"
	case errors.Is(err, errTooLarge):
		e.Kind, e.Text, e.Fix = ErrResponse, "the answer is too large", "lower the provider's maxBatch"
	case a.status == 0:
		e.Text, e.Fix = "no answer from "+o.host()+" ("+o.redact(clip(reason(err), 300))+")", "check that it runs and that its base URL is right"
	case a.status < 300:
		e.Kind, e.Text, e.Fix = ErrResponse, o.host()+" sent no complete JSON", "check that it has OpenAI's API for embeddings"
	case a.status == http.StatusUnauthorized || a.status == http.StatusForbidden:
		e.Kind, e.Text, e.Fix = ErrKey, status, "replace the key in "+o.keySource
	case a.status == http.StatusNotFound:
		e.Kind, e.Text, e.Fix = ErrModel, status, fmt.Sprintf("check the model's name %q and the base URL", o.model)
	case a.status == http.StatusTooManyRequests && quota(err):
		e.Kind, e.Text, e.Fix, e.RetryAfter = ErrRateLimited, status, "the account's quota is used up: check its plan", never
	case a.status == http.StatusTooManyRequests:
		e.Kind, e.Text, e.Fix = ErrRateLimited, status, "try again later, or set requestsPerMinute and tokensPerMinute"
	case a.status >= 500 || a.status == http.StatusRequestTimeout || a.status == http.StatusConflict:
		e.Text, e.Fix = status, "try again later"
	default:
		e.Kind, e.Text, e.Fix = ErrRejected, status, "check the model's name, the length of the texts (cut them into chunks) and the dimensions"
	}
	return e
}

// host names the server for messages.
func (o *openAI) host() string {
	_, rest, _ := strings.Cut(o.config.BaseURL, "://")
	host, _, _ := strings.Cut(rest, "/")
	return host
}

func (o *openAI) redact(text string) string {
	if o.key == "" {
		return text
	}
	return strings.ReplaceAll(text, o.key, "[key]")
}

// hide keeps causes that callers look for, without foreign text that may hold the key.
func (o *openAI) hide(err error) error {
	for _, known := range []error{context.Canceled, context.DeadlineExceeded} {
		if errors.Is(err, known) {
			return known
		}
	}
	if denied, ok := errors.AsType[egressError](err); ok {
		return denied
	}
	return nil
}

// egressError is a denial of the transport's policy.
type egressError interface {
	error
	Code() string
}

// quota reports a limit that does not go away with time.
func quota(err error) bool {
	api, ok := errors.AsType[*openai.APIError](err)
	return ok && (api.Code == "insufficient_quota" || api.Type == "insufficient_quota")
}

// reason is the innermost cause: outer ones repeat the URL.
func reason(err error) string {
	for {
		next := errors.Unwrap(err)
		if next == nil {
			return err.Error()
		}
		err = next
	}
}

// batch is what one request carries.
type batch struct {
	texts  []string
	tokens int // estimated
}

func batches(texts []string, most, mostTokens int) func(yield func(batch) bool) {
	return func(yield func(batch) bool) {
		start, sum := 0, 0
		for k, text := range texts {
			n := chunk.Tokens(text)
			if k > start && (k-start >= most || sum+n > mostTokens) {
				if !yield(batch{texts[start:k], sum}) {
					return
				}
				start, sum = k, 0
			}
			sum += n
		}
		if start < len(texts) {
			yield(batch{texts[start:], sum})
		}
	}
}
