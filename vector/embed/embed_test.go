package embed_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/agentrt/agentrt/agentrt/security"
	"github.com/agentrt/agentrt/compat/modelserver"
	"github.com/agentrt/agentrt/vector/embed"
	"github.com/agentrt/agentrt/vector/embed/hashing"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const key = "sk-very-secret-0123456789"

// server counts the requests and texts that handler gets.
type server struct {
	*httptest.Server
	mu       sync.Mutex
	requests [][]string
}

func serve(t *testing.T, handler http.Handler) *server {
	s := &server{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, err := io.ReadAll(r.Body)
		var body struct{ Input []string }
		if err = errors.Join(err, json.Unmarshal(text, &body)); err != nil {
			t.Error(err)
		}
		s.mu.Lock()
		s.requests = append(s.requests, body.Input)
		s.mu.Unlock()
		r.Body = io.NopCloser(bytes.NewReader(text))
		handler.ServeHTTP(w, r)
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *server) sizes() (sizes []int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, texts := range s.requests {
		sizes = append(sizes, len(texts))
	}
	return sizes
}

// newService embeds through url under the name "test/…".
func newService(t *testing.T, url string, change func(*embed.ProviderConfig), vars ...string) *embed.Service {
	t.Helper()
	p := embed.ProviderConfig{BaseURL: url + "/v1", Shortens: []string{"short"}}
	if change != nil {
		change(&p)
	}
	env := map[string]string{"TEST_API_KEY": key}
	for k := 0; k+1 < len(vars); k += 2 {
		env[vars[k]] = vars[k+1]
	}
	rule, err := security.ParseRule("127.0.0.1:20000-65535") // not Ollama's port
	if err != nil {
		t.Fatal(err)
	}
	transport := security.NewEgressPolicy().Allow(rule).Transport(security.TransportConfig{})
	t.Cleanup(transport.CloseIdleConnections)
	r, err := embed.NewRegistry(embed.Config{Providers: map[string]embed.ProviderConfig{"test": p}},
		func(_ context.Context, name string) (string, bool, error) { v, ok := env[name]; return v, ok, nil }, transport)
	if err != nil {
		t.Fatal(err)
	}
	return embed.NewService(r)
}

func TestEmbed(t *testing.T) {
	s := serve(t, modelserver.New(modelserver.Config{APIKey: key}))
	service := newService(t, s.URL, nil)
	texts := []string{"the cat sat", "a dog", "the cat sat", "grüße 世界"}
	r, err := service.Embed(t.Context(), "test/any", texts, 0)
	if err != nil {
		t.Fatal(err)
	}
	for k, text := range texts {
		if !slices.Equal(r.Vectors[k], hashing.New(0).Embed(text)) {
			t.Errorf("vector %d is not that of %q", k, text)
		}
	}
	if r.Dimensions != 256 || r.Requests != 1 || r.Tokens == 0 || r.Model != "test/any" {
		t.Errorf("got %d dimensions, %d requests, %d tokens, %q", r.Dimensions, r.Requests, r.Tokens, r.Model)
	}
	if got := s.sizes(); !slices.Equal(got, []int{3}) {
		t.Errorf("requests of %v texts, want [3]: equal texts are sent once", got)
	}
	if r, err := service.Embed(t.Context(), "test/short", texts[:1], 64); err != nil || len(r.Vectors[0]) != 64 {
		t.Errorf("a model that shortens: %v, %v", r.Dimensions, err)
	}
	if r, err := service.Embed(t.Context(), "hashing/48", texts[:1], 0); err != nil || len(r.Vectors[0]) != 48 {
		t.Errorf("hashing/48: %v, %v", r.Dimensions, err)
	}
	if r, err := service.Embed(t.Context(), "hashing", texts[:1], 100); err != nil || len(r.Vectors[0]) != 100 {
		t.Errorf("hashing with 100 dimensions: %v, %v", r.Dimensions, err)
	}
	if r, err := service.Embed(t.Context(), "hashing", nil, 0); err != nil || len(r.Vectors) != 0 {
		t.Errorf("no texts: %v, %v", r, err)
	}
}

func TestBatches(t *testing.T) {
	for _, c := range []struct {
		name         string
		texts        []string
		most, tokens int
		want         []int
	}{
		{"by count", strings.Split("a b c d e f g", " "), 3, 1000, []int{3, 3, 1}},
		{"by tokens", []string{"one two three", "four five six", "seven eight nine", "ten"}, 100, 6, []int{2, 2}},
		{"a long one alone", []string{"a", strings.Repeat("word ", 50), "b", "c"}, 100, 10, []int{1, 1, 2}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := serve(t, modelserver.New(modelserver.Config{}))
			service := newService(t, s.URL, func(p *embed.ProviderConfig) { p.MaxBatch, p.MaxBatchTokens = c.most, c.tokens })
			r, err := service.Embed(t.Context(), "test/m", c.texts, 0)
			if err != nil {
				t.Fatal(err)
			}
			if got := s.sizes(); !slices.Equal(got, c.want) {
				t.Errorf("requests of %v texts, want %v", got, c.want)
			}
			for k, text := range c.texts {
				if !slices.Equal(r.Vectors[k], hashing.New(0).Embed(text)) {
					t.Errorf("vector %d is not that of its text", k)
				}
			}
			if r.Requests != len(c.want) {
				t.Errorf("%d requests are reported, want %d", r.Requests, len(c.want))
			}
		})
	}
}

func TestRetries(t *testing.T) {
	for _, c := range []struct {
		fault    string
		requests int
		kind     error
	}{
		{"429x2/1ms", 3, nil}, // Retry-After-Ms
		{"503x1/1ms", 2, nil},
		{"500x1", 2, nil},
		{"400", 1, embed.ErrRejected},
		{"401", 1, embed.ErrKey},
		{"404", 1, embed.ErrModel},
		{"429/100s", 1, embed.ErrRateLimited}, // longer than a caller should wait
		{"503/1ms", 3, embed.ErrUnavailable},
		{"cut", 3, embed.ErrResponse},
		{"bad-json", 3, embed.ErrResponse},
	} {
		t.Run(c.fault, func(t *testing.T) {
			faults, err := modelserver.ParseFaults(c.fault)
			if err != nil {
				t.Fatal(err)
			}
			s := serve(t, modelserver.New(modelserver.Config{Faults: faults}))
			service := newService(t, s.URL, func(p *embed.ProviderConfig) { p.MaxAttempts = 3 })
			_, err = service.Embed(t.Context(), "test/m", []string{"text"}, 0)
			if c.kind == nil && err != nil || c.kind != nil && !errors.Is(err, c.kind) {
				t.Errorf("got %v, want %v", err, c.kind)
			}
			if len(s.sizes()) != c.requests {
				t.Errorf("%d requests, want %d", len(s.sizes()), c.requests)
			}
			checkSecret(t, err)
		})
	}
}

func checkSecret(t *testing.T, err error) {
	t.Helper()
	for ; err != nil; err = errors.Unwrap(err) {
		if text := fmt.Sprintf("%v %+v %#v", err, err, err); strings.Contains(text, key) {
			t.Errorf("the error shows the key: %s", text)
		}
		if e, ok := errors.AsType[*embed.Error](err); ok && e.Err != nil && strings.Contains(e.Err.Error(), key) {
			t.Errorf("the cause shows the key: %v", e.Err)
		}
	}
}

func TestErrors(t *testing.T) {
	echo := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = fmt.Fprintf(w, `{"error":{"message":"Incorrect key provided: %s","type":"x"}}`, strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "))
	})
	answer := func(status int, body string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status); _, _ = fmt.Fprint(w, body) })
	}
	redirect := http.RedirectHandler("https://example.com/v1/embeddings", http.StatusTemporaryRedirect)
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	gone := "http://" + closed.Addr().String()
	_ = closed.Close()
	down := func(p *embed.ProviderConfig) { p.BaseURL, p.MaxAttempts = gone+"/v1", 1 }
	once := func(p *embed.ProviderConfig) { p.MaxAttempts = 1 }
	for _, c := range []struct {
		name, model string
		texts       []string
		dimensions  int
		handler     http.Handler
		change      func(*embed.ProviderConfig)
		kind        error
		want        string
	}{
		{"no name", "nonsense", nil, 0, nil, nil, embed.ErrModel, `a name is provider/model: write for example "openai/text-embedding-3-small"`},
		{"no provider", "acme/m", nil, 0, nil, nil, embed.ErrModel, "set ACME_BASE_URL to its address, or use one of: ollama, openai, test, hashing"},
		{"path in a name", "../m", nil, 0, nil, nil, embed.ErrModel, "a name is provider/model"},
		{"hashing of nothing", "hashing/0", nil, 0, nil, nil, embed.ErrModel, "hashing/N with N from 1 to 16000"},
		{"missing key", "openai/m", []string{"a"}, 0, nil, nil, embed.ErrKey, `neither a secret nor an environment variable OPENAI_API_KEY: set one ("agentrt secrets set OPENAI_API_KEY")`},
		{"refused key", "test/m", []string{"a"}, 0, echo, nil, embed.ErrKey, `answered 401 ("Incorrect key provided: [key]"): replace the key in TEST_API_KEY`},
		{"denied", "ollama/m", []string{"a"}, 0, nil, nil, embed.ErrEgress, "127.0.0.1 is the loopback address 127.0.0.1; allow it with --allow-net 127.0.0.1:11434"},
		{"down", "test/m", []string{"a"}, 0, nil, down, embed.ErrUnavailable, "no answer from " + strings.TrimPrefix(gone, "http://")},
		{"redirect", "test/m", []string{"a"}, 0, redirect, nil, embed.ErrRejected, "configure the final address as base URL"},
		{"no API", "test/m", []string{"a"}, 0, answer(200, "<html>"), once, embed.ErrResponse, "sent no complete JSON: check that it has OpenAI's API for embeddings"},
		{"no vectors", "test/m", []string{"a"}, 0, answer(200, `{"data":[]}`), once, embed.ErrResponse, "0 vectors came for 1 texts"},
		{"an index twice", "test/m", []string{"a", "b"}, 0, answer(200, `{"data":[{"index":0,"embedding":[1]},{"index":0,"embedding":[1]}]}`), once, embed.ErrResponse, "the index 0 is out of range or occurs twice"},
		{"a vector of nothing", "test/m", []string{"a"}, 0, answer(200, `{"data":[{"index":0,"embedding":[]}]}`), once, embed.ErrResponse, "a vector has 0 dimensions"},
		{"lengths differ", "test/m", []string{"a", "b"}, 0, answer(200, `{"data":[{"index":0,"embedding":[1]},{"index":1,"embedding":[1,2]}]}`), once, embed.ErrDimension, "its vectors have 2 dimensions, 1 are wanted"},
		{"quota", "test/m", []string{"a"}, 0, answer(429, `{"error":{"message":"no","code":"insufficient_quota"}}`), nil, embed.ErrRateLimited, "quota is used up"},
		{"other length", "test/m", []string{"a"}, 100, modelserver.New(modelserver.Config{}), nil, embed.ErrDimension, "its vectors have 256 dimensions, 100 are wanted: use a field of dimension 256 or another model"},
		{"other length of hashing", "hashing/5", []string{"a"}, 100, nil, nil, embed.ErrDimension, "its vectors have 5 dimensions, 100 are wanted"},
		{"empty text", "hashing", []string{"a", " \n"}, 0, nil, nil, embed.ErrInput, "text 1 is empty: leave it out"},
		{"long text", "hashing", []string{strings.Repeat("a", embed.MaxText+1)}, 0, nil, nil, embed.ErrInput, "cut it into chunks"},
		{"many texts", "hashing", make([]string, embed.MaxTexts+1), 0, nil, nil, embed.ErrInput, "at most 4096"},
		{"many dimensions", "hashing", []string{"a"}, 16001, nil, nil, embed.ErrInput, "16001 dimensions"},
	} {
		t.Run(c.name, func(t *testing.T) {
			handler := c.handler
			if handler == nil {
				handler = http.NotFoundHandler()
			}
			s := serve(t, handler)
			texts := c.texts
			if texts == nil {
				texts = []string{"a"}
			}
			_, err := newService(t, s.URL, c.change).Embed(t.Context(), c.model, texts, c.dimensions)
			if !errors.Is(err, c.kind) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got  %v\nwant %v: …%s…", err, c.kind, c.want)
			}
			checkSecret(t, err)
		})
	}
}

func TestCancelled(t *testing.T) {
	s := serve(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
	ctx, cancel := context.WithCancelCause(t.Context())
	why := errors.New("enough")
	time.AfterFunc(20*time.Millisecond, func() { cancel(why) })
	if _, err := newService(t, s.URL, nil).Embed(ctx, "test/m", []string{"a"}, 0); !errors.Is(err, why) {
		t.Errorf("got %v, want the cause of the context", err)
	}
}

func TestConfig(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{`{"model":"ollama/m","providers":{"vllm":{"baseURL":"http://gpu:8000/v1","key":"GPU_KEY","dimensions":{"m":768},"requestsPerMinute":60}},"cacheBytes":-1}`, ""},
		{`{"modle":"m"}`, `unknown field "modle"`},
		{`{"providers":{"A B":{}}}`, `embedding provider "A B": the name must be`},
		{`{"providers":{"hashing":{}}}`, `embedding provider "hashing": the name must be`},
		{`{"providers":{"a":{"baseURL":"gpu:8000"}}}`, "must be an http or https URL"},
		{`{"providers":{"a":{"baseURL":"https://user:pass@host"}}}`, "must have no user, query or fragment"},
		{`{"providers":{"a":{"maxBatch":-1}}}`, "limits must not be negative"},
		{`{"providers":{"a":{"dimensions":{"m":0}}}}`, `dimensions of "m" are 1 to 16000, not 0`},
	} {
		_, err := embed.ParseConfig(c.text)
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: got %v, want %q", c.text, err, c.want)
		}
		if err != nil && strings.Contains(err.Error(), "pass@") {
			t.Errorf("the error shows the password: %v", err)
		}
	}
}
