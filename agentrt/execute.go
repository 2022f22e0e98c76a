package agentrt

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"

	"github.com/agentrt/agentrt/agentrt/invocation"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/router"
)

// ExecuteRequest is a request that Go code makes to a function.
type ExecuteRequest struct {
	// Handler names the route's file, for example "routes/hello.ts"; it must have
	// no parameters. If empty, Path decides.
	Handler string
	// Method is GET by default.
	Method string
	// Path is below the prefix: "/hello".
	Path    string
	Headers http.Header
	Query   url.Values
	// Body may be nil.
	Body io.Reader
	// Auth is the record that calls, nil for a guest.
	Auth *core.Record
	// TraceID becomes the request's id; empty makes one.
	TraceID string
}

// ExecuteResponse is a function's response. The caller closes Body.
type ExecuteResponse struct {
	Status  int
	Headers http.Header
	Body    io.ReadCloser
	// IsStream is set if the body's length was not known at the start.
	IsStream bool
}

// Execute calls a function as the HTTP trigger does, rules and limits included,
// and returns when the response starts. Failures of the function are responses
// with their status. The end of ctx, or closing the body, is the client leaving.
func (e *Engine) Execute(ctx context.Context, req *ExecuteRequest) (*ExecuteResponse, error) {
	if !e.isStarted() {
		return nil, ErrNotStarted
	}
	path := req.Path
	if req.Handler != "" {
		d := e.runner.Current()
		if d == nil {
			return nil, errors.New("agentrt: no functions are loaded")
		}
		route, ok := d.Route(req.Handler)
		if !ok || strings.Contains(route.Pattern, "{") {
			return nil, fmt.Errorf("agentrt: there is no route %q without parameters", req.Handler)
		}
		path = route.Pattern
	}
	ctx, cancel := context.WithCancel(ctx)
	r, err := newRequest(ctx, req, path)
	if err != nil {
		cancel()
		return nil, fmt.Errorf("agentrt: %w", err)
	}
	body, out := io.Pipe()
	w := &responseWriter{header: http.Header{}, body: out, started: make(chan struct{})}
	event := &core.RequestEvent{App: e.app, Auth: req.Auth}
	event.Request, event.Response = r, &router.ResponseWriter{ResponseWriter: w}
	e.runner.Go(func() {
		defer cancel()
		defer context.AfterFunc(e.runner.Base(), func() { out.CloseWithError(invocation.ErrShutdown) })()
		out.CloseWithError(w.serve(func() error { return e.http.Handle(event) }, event))
	})
	<-w.started
	return &ExecuteResponse{
		Status:   w.status,
		Headers:  w.header,
		Body:     &responseBody{body, cancel},
		IsStream: w.header.Get("Content-Length") == "",
	}, nil
}

func newRequest(ctx context.Context, req *ExecuteRequest, path string) (*http.Request, error) {
	method := req.Method
	if method == "" {
		method = http.MethodGet
	}
	target := url.URL{Scheme: "http", Host: "localhost", Path: Prefix + "/" + strings.TrimPrefix(path, "/"), RawQuery: req.Query.Encode()}
	body := req.Body
	if body == nil {
		body = bytes.NewReader(nil)
	}
	r, err := http.NewRequestWithContext(ctx, method, target.String(), body)
	if err != nil {
		return nil, err
	}
	if req.Headers != nil {
		r.Header = req.Headers.Clone()
	}
	if r.ContentLength == 0 && req.Body != nil {
		if _, known := req.Body.(interface{ Len() int }); !known {
			r.ContentLength = -1
		}
	}
	if req.TraceID != "" {
		r.Header.Set("X-Request-Id", req.TraceID)
	}
	r.RemoteAddr = "127.0.0.1:0"
	return r, nil
}

// responseWriter passes the head on once and the body through a pipe.
type responseWriter struct {
	header  http.Header
	status  int
	body    *io.PipeWriter
	once    sync.Once
	started chan struct{}
}

// serve runs handle and returns what ends the body: nil for a complete one.
func (w *responseWriter) serve(handle func() error, event *core.RequestEvent) (err error) {
	defer func() {
		if r := recover(); r != nil {
			if r != http.ErrAbortHandler {
				panic(r)
			}
			err = io.ErrUnexpectedEOF
		}
		w.WriteHeader(http.StatusOK)
	}()
	if err := handle(); err != nil {
		router.ErrorHandler(event.Response, event.Request, err)
	}
	return nil
}

func (w *responseWriter) Header() http.Header {
	select {
	case <-w.started:
		return http.Header{} // too late to matter, and the reader owns the other
	default:
		return w.header
	}
}

func (w *responseWriter) WriteHeader(status int) {
	w.once.Do(func() {
		w.status = status
		close(w.started)
	})
}

func (w *responseWriter) Write(p []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	return w.body.Write(p)
}

// Flush has nothing to do: a write ends when it was read.
func (w *responseWriter) Flush() { w.WriteHeader(http.StatusOK) }

type responseBody struct {
	*io.PipeReader
	cancel context.CancelFunc
}

// Close tells the function that the client has left.
func (b *responseBody) Close() error {
	b.cancel()
	return b.PipeReader.Close()
}
