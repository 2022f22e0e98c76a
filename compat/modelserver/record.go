package modelserver

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Limits of what a server remembers.
const (
	MaxRequests     = 256      // requests
	MaxRecordedBody = 64 << 10 // bytes of each request's body
	MaxFiles        = 64       // uploaded files
	maxTally        = 4096     // keys of faults that strike N times
)

// Outcomes of a request.
const (
	OutcomeRunning   = "running"
	OutcomeCompleted = "completed"
	OutcomeCancelled = "cancelled" // the client left
	OutcomeFault     = "fault"     // a fault ended it
	OutcomeError     = "error"     // an error status was sent
)

// Request is what the server remembers of a request. The last four characters of a
// key are kept, the rest is replaced by "…".
type Request struct {
	ID        int64       `json:"id"`
	Method    string      `json:"method"`
	Path      string      `json:"path"`
	Query     string      `json:"query,omitempty"`
	Header    http.Header `json:"header"`
	Body      string      `json:"body,omitempty"`      // at most MaxRecordedBody bytes; empty for uploads
	Truncated bool        `json:"truncated,omitempty"` // the body was longer
	Model     string      `json:"model,omitempty"`     // without options
	Stream    bool        `json:"stream"`
	Status    int         `json:"status"` // 0 while nothing is sent
	Outcome   string      `json:"outcome"`
	Faults    []string    `json:"faults,omitempty"` // that struck
	Tokens    int         `json:"tokens"`           // sent; 0 until the end of a stream
	Started   time.Time   `json:"started"`
	Ended     time.Time   `json:"ended,omitzero"`
}

// entry is a Request that is still being written.
type entry struct {
	mu  sync.Mutex
	id  int64
	req Request
}

func newEntry(r *http.Request, id int64) *entry {
	return &entry{id: id, req: Request{
		ID: id, Method: r.Method, Path: r.URL.Path, Query: redactQuery(r.URL.RawQuery), Header: redactHeader(r.Header),
		Outcome: OutcomeRunning, Started: time.Now(),
	}}
}

func redactHeader(h http.Header) http.Header {
	h = h.Clone()
	for _, name := range []string{"Authorization", "X-Api-Key", "X-Goog-Api-Key", "Cookie"} {
		for i, value := range h[name] {
			h[name][i] = redact(value)
		}
	}
	return h
}

func redactQuery(raw string) string {
	if !strings.Contains(raw, "key=") {
		return raw
	}
	query, err := url.ParseQuery(raw)
	if err != nil {
		return ""
	}
	for i, value := range query["key"] {
		query["key"][i] = redact(value)
	}
	return query.Encode()
}

// redact keeps the scheme and the last four characters.
func redact(value string) string {
	scheme, key, ok := strings.Cut(value, " ")
	if !ok {
		scheme, key = "", value
	} else {
		scheme += " "
	}
	return scheme + "…" + key[max(0, len(key)-min(4, len(key)/2)):]
}

func (e *entry) update(change func(*Request)) {
	e.mu.Lock()
	defer e.mu.Unlock()
	change(&e.req)
}

func (e *entry) setBody(body []byte) {
	e.update(func(r *Request) {
		r.Truncated = len(body) > MaxRecordedBody
		r.Body = string(body[:min(len(body), MaxRecordedBody)])
	})
}

func (e *entry) setModel(name string) { e.update(func(r *Request) { r.Model = name }) }
func (e *entry) setStream()           { e.update(func(r *Request) { r.Stream = true }) }
func (e *entry) status(code int)      { e.update(func(r *Request) { r.Status = code }) }
func (e *entry) outcome(o string)     { e.update(func(r *Request) { r.Outcome = o }) }
func (e *entry) tokens(n int)         { e.update(func(r *Request) { r.Tokens = n }) }
func (e *entry) fault(f Fault)        { e.update(func(r *Request) { r.Faults = append(r.Faults, f.text) }) }

func (e *entry) end() {
	e.update(func(r *Request) {
		r.Ended = time.Now()
		if r.Outcome == OutcomeRunning {
			r.Outcome = OutcomeCompleted
		}
	})
}

func (e *entry) snapshot() Request {
	e.mu.Lock()
	defer e.mu.Unlock()
	r := e.req
	r.Faults = slices.Clone(r.Faults)
	return r
}

// counters are the server's figures since its start or the last Reset.
type counters struct {
	requests, live, streams, completed, cancelled, faulted, tokens atomic.Int64
}

// Stats are the figures of a server since its start or the last Reset.
type Stats struct {
	Requests  int64 `json:"requests"`          // all but those to /_test/
	Live      int64 `json:"live_streams"`      // now; not touched by Reset
	Streams   int64 `json:"streams"`           // started
	Completed int64 `json:"streams_completed"` // sent in full
	Cancelled int64 `json:"streams_cancelled"` // the client left
	Faulted   int64 `json:"streams_faulted"`   // ended by a fault
	Tokens    int64 `json:"tokens"`            // of ended streams
}

// Stats returns the figures.
func (s *Server) Stats() Stats {
	c := &s.stats
	return Stats{
		Requests: c.requests.Load(), Live: c.live.Load(), Streams: c.streams.Load(), Completed: c.completed.Load(),
		Cancelled: c.cancelled.Load(), Faulted: c.faulted.Load(), Tokens: c.tokens.Load(),
	}
}

// Requests returns the last requests, the oldest first, at most MaxRequests.
func (s *Server) Requests() []Request {
	entries := s.requests.all()
	out := make([]Request, len(entries))
	for i, e := range entries {
		out[i] = e.snapshot()
	}
	return out
}

// Reset forgets requests, figures, files, responses and how often faults have struck.
func (s *Server) Reset() {
	s.requests.clear()
	s.files.clear()
	s.failures.clear()
	s.responses.clear()
	for _, c := range []*atomic.Int64{&s.stats.requests, &s.stats.streams, &s.stats.completed, &s.stats.cancelled, &s.stats.faulted, &s.stats.tokens} {
		c.Store(0)
	}
}

// observe serves /_test/.
func (x *exchange) observe(name string) error {
	switch x.r.Method + " " + name {
	case "GET requests":
		all := x.srv.Requests()
		if limit := x.r.URL.Query().Get("limit"); limit != "" {
			n, err := strconv.Atoi(limit)
			if err != nil || n < 0 {
				return badRequest("limit", "limit=%s: want a number of requests", limit)
			}
			all = all[max(0, len(all)-n):]
		}
		x.write(http.StatusOK, map[string]any{"requests": all})
	case "GET stats":
		x.write(http.StatusOK, x.srv.Stats())
	case "POST reset":
		x.srv.Reset()
		x.write(http.StatusOK, json.RawMessage("{}"))
	default:
		return &apiError{status: http.StatusNotFound, message: fmt.Sprintf("no %s /_test/%s: want GET /_test/requests, GET /_test/stats or POST /_test/reset", x.r.Method, name)}
	}
	return nil
}

// ring keeps the last limit values.
type ring[T any] struct {
	mu     sync.Mutex
	limit  int
	values []T
	next   int
}

func (r *ring[T]) add(v T) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.values) < r.limit {
		r.values = append(r.values, v)
		return
	}
	r.values[r.next] = v
	r.next = (r.next + 1) % r.limit
}

// all returns the values, the oldest first.
func (r *ring[T]) all() []T {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append(slices.Clone(r.values[r.next:]), r.values[:r.next]...)
}

// drop removes the values that match and tells whether there were any.
func (r *ring[T]) drop(matches func(T) bool) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	values := append(slices.Clone(r.values[r.next:]), r.values[:r.next]...)
	before := len(values)
	r.values, r.next = slices.DeleteFunc(values, matches), 0
	return len(r.values) < before
}

func (r *ring[T]) clear() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.values, r.next = nil, 0
}

// tally counts by key; it forgets everything when it has seen maxTally keys.
type tally struct {
	mu     sync.Mutex
	counts map[string]int
}

func (t *tally) count(key string) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.counts == nil || len(t.counts) >= maxTally {
		t.counts = map[string]int{}
	}
	t.counts[key]++
	return t.counts[key]
}

func (t *tally) clear() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.counts = nil
}
