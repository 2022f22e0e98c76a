package modelserver

import (
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/agentrt/agentrt/vector/embed/hashing"
)

// Server is the http.Handler. It starts no goroutine and holds no file, so it needs
// no closing; a stream ends with its request's context.
type Server struct {
	config    Config
	ids       atomic.Int64
	stats     counters
	requests  ring[*entry]
	failures  tally
	responses responseStore
	files     ring[file]
	sessions  ring[string] // of MCP
	similar   *hashing.Embedder
}

// New returns a server with these defaults.
func New(config Config) *Server {
	config.Faults = append([]Fault(nil), config.Faults...)
	return &Server{
		config:   config,
		requests: ring[*entry]{limit: MaxRequests},
		files:    ring[file]{limit: MaxFiles},
		sessions: ring[string]{limit: maxSessions},
		similar:  hashing.New(1024),
	}
}

// exchange is one request with its answer.
type exchange struct {
	srv   *Server
	w     http.ResponseWriter
	r     *http.Request
	shape shape
	opt   options
	rec   *entry
}

type handler func(*exchange) error

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	x := &exchange{srv: s, w: w, r: r, shape: shapeOf(r)}
	if rest, ok := strings.CutPrefix(r.URL.Path, "/_test/"); ok {
		x.rec = newEntry(r, 0)
		if err := x.observe(rest); err != nil {
			x.fail(err)
		}
		return
	}
	x.rec = newEntry(r, s.stats.requests.Add(1))
	s.requests.add(x.rec)
	w.Header().Set("X-Request-Id", fmt.Sprintf("req_%d", x.rec.id))
	defer x.rec.end()
	if err := x.serve(); err != nil {
		x.fail(err)
	}
}

func shapeOf(r *http.Request) shape {
	switch {
	case strings.HasPrefix(r.URL.Path, "/v1beta/") || r.Header.Get("X-Goog-Api-Key") != "":
		return shapeGoogle
	case strings.HasPrefix(r.URL.Path, "/api/"):
		return shapeOllama
	case strings.HasPrefix(r.URL.Path, "/v1/messages") || r.Header.Get("Anthropic-Version") != "":
		return shapeAnthropic
	}
	return shapeOpenAI
}

func (x *exchange) serve() error {
	if err := x.authorise(); err != nil {
		return err
	}
	methods := x.route()
	if len(methods) == 0 {
		return &apiError{status: http.StatusNotFound, code: "unknown_url", message: fmt.Sprintf("Unknown request URL: %s %s. "+
			"Routes: /v1/chat/completions, /v1/responses, /v1/embeddings, /v1/models, /v1/files, /v1/images/generations, /v1/messages, "+
			"/v1beta/models/MODEL:METHOD, /api/chat, /mcp, /_test/requests, /_test/stats.", x.r.Method, x.r.URL.Path)}
	}
	if h := methods[x.r.Method]; h != nil {
		return h(x)
	}
	var allowed []string
	for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodDelete} {
		if methods[method] != nil {
			allowed = append(allowed, method)
		}
	}
	x.w.Header().Set("Allow", strings.Join(allowed, ", "))
	return &apiError{status: http.StatusMethodNotAllowed, code: "method_not_allowed", message: fmt.Sprintf("Not allowed to %s on %s: use %s.", x.r.Method, x.r.URL.Path, strings.Join(allowed, " or "))}
}

func (x *exchange) route() map[string]handler {
	get := func(h handler) map[string]handler { return map[string]handler{http.MethodGet: h} }
	post := func(h handler) map[string]handler { return map[string]handler{http.MethodPost: h} }
	path := x.r.URL.Path
	switch path {
	case "/v1/chat/completions":
		return post(chatCompletions)
	case "/v1/responses":
		return post(createResponse)
	case "/v1/embeddings":
		return post(embeddings)
	case "/v1/images/generations":
		return post(createImages)
	case "/v1/messages":
		return post(messages)
	case "/v1/messages/count_tokens":
		return post(countMessageTokens)
	case "/mcp":
		return map[string]handler{http.MethodPost: postMCP, http.MethodDelete: deleteMCP}
	case "/v1/models", "/v1beta/models":
		return get(listModels)
	case "/v1/files":
		return map[string]handler{http.MethodGet: listFiles, http.MethodPost: createFile}
	}
	if id, ok := strings.CutPrefix(path, "/v1/models/"); ok {
		if strings.Contains(id, ":") {
			return googleRoute(id, get, post)
		}
		return get(func(x *exchange) error { return getModel(x, id) })
	}
	if id, ok := strings.CutPrefix(path, "/v1/responses/"); ok {
		return map[string]handler{
			http.MethodGet:    func(x *exchange) error { return getResponse(x, id) },
			http.MethodDelete: func(x *exchange) error { return deleteResponse(x, id) },
		}
	}
	if id, ok := strings.CutPrefix(path, "/v1/files/"); ok {
		if id, ok := strings.CutSuffix(id, "/content"); ok {
			return get(func(x *exchange) error { return getFileContent(x, id) })
		}
		return map[string]handler{
			http.MethodGet:    func(x *exchange) error { return getFile(x, id) },
			http.MethodDelete: func(x *exchange) error { return deleteFile(x, id) },
		}
	}
	if rest, ok := strings.CutPrefix(path, "/v1beta/models/"); ok {
		return googleRoute(rest, get, post)
	}
	if rest, ok := strings.CutPrefix(path, "/api/"); ok {
		return ollamaRoute(rest, get, post)
	}
	return nil
}

// apiKey is the key that the client sent, by whichever provider's way.
func (x *exchange) apiKey() string {
	h := x.r.Header
	if scheme, key, ok := strings.Cut(h.Get("Authorization"), " "); ok && strings.EqualFold(scheme, "Bearer") {
		return key
	}
	for _, key := range []string{h.Get("X-Api-Key"), h.Get("X-Goog-Api-Key"), x.r.URL.Query().Get("key")} {
		if key != "" {
			return key
		}
	}
	return ""
}

func (x *exchange) authorise() error {
	want, got := x.srv.config.APIKey, x.apiKey()
	if want == "" || subtle.ConstantTimeCompare([]byte(want), []byte(got)) == 1 {
		return nil
	}
	if got == "" {
		return &apiError{status: http.StatusUnauthorized, message: "You didn't provide an API key: send it in the Authorization header as \"Bearer KEY\"."}
	}
	return &apiError{status: http.StatusUnauthorized, message: "Incorrect API key provided: it is not the key that this server was started with."}
}

// body reads the whole body, up to MaxBody.
func (x *exchange) body() ([]byte, error) {
	body, err := io.ReadAll(http.MaxBytesReader(x.w, x.r.Body, MaxBody))
	if err != nil {
		return nil, bodyError(err)
	}
	x.rec.setBody(body)
	return body, nil
}

func bodyError(err error) error {
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return &apiError{status: http.StatusRequestEntityTooLarge, code: "request_too_large", message: fmt.Sprintf("The request's body is above the limit of %d bytes.", MaxBody)}
	}
	return badRequest("", "The request's body could not be read: %v", err)
}

// configure takes the model's name, which may carry options, sets the options and
// applies the faults that come ahead of an answer. It returns the bare name.
func (x *exchange) configure(model string) (string, error) {
	name, pairs, _ := strings.Cut(model, ";")
	x.rec.setModel(name)
	opt, err := x.srv.config.options().optionsFor(x.r.Header, x.r.URL.Query(), pairs)
	if err != nil {
		return name, badRequest("model", "%v", err)
	}
	x.opt = opt
	for _, f := range opt.faults {
		switch f.kind {
		case faultStatus:
			if err := x.strike(f); err != nil {
				return name, err
			}
		case faultSlowHeaders:
			x.rec.fault(f)
			if !x.sleep(f.wait) {
				return name, errClientLeft
			}
		}
	}
	return name, nil
}

// sleep waits for d and tells whether the client is still there.
func (x *exchange) sleep(d time.Duration) bool {
	if d <= 0 {
		return x.r.Context().Err() == nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-x.r.Context().Done():
		return false
	}
}

func (x *exchange) fail(err error) {
	if errors.Is(err, errClientLeft) {
		x.rec.outcome(OutcomeCancelled)
		return
	}
	e := asAPIError(err)
	x.rec.outcome(OutcomeError)
	x.write(e.status, e.body(x.shape, fmt.Sprintf("req_%d", x.rec.id)))
}

// write sends v as JSON.
func (x *exchange) write(status int, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		status, body = http.StatusInternalServerError, []byte(`{"error":{"message":"the answer cannot be written as JSON","type":"server_error","param":null,"code":null}}`)
	}
	x.w.Header().Set("Content-Type", "application/json")
	x.rec.status(status)
	x.w.WriteHeader(status)
	_, _ = x.w.Write(body)
}

// id returns a new identifier with this prefix.
func (s *Server) id(prefix string) string { return fmt.Sprintf("%s%012x", prefix, s.ids.Add(1)) }
