package compat

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"strings"
	"time"

	"github.com/agentrt/agentrt/agentrt"
	"github.com/agentrt/agentrt/compat/modelserver"
)

// ask is a request that a program wants to get; see harness.ts.
type ask struct {
	Path       string            `json:"path"`
	Method     string            `json:"method"`
	Headers    map[string]string `json:"headers"`
	Body       string            `json:"body"`
	LeaveAfter int               `json:"leaveAfter"`
}

// observation is what a program did in one runtime.
type observation struct {
	responses []response
	requests  []modelserver.Request
}

// String is the observation for people.
func (o *observation) String() string {
	var b strings.Builder
	for _, r := range o.responses {
		fmt.Fprintf(&b, "  %d %v\n  %s\n", r.status, r.header, r.body)
	}
	for _, r := range summaries(o.requests) {
		fmt.Fprintf(&b, "  model server: %s\n", r)
	}
	return b.String()
}

type response struct {
	status int
	header http.Header
	body   string
}

const (
	maxBody        = 8 << 20         // bytes of a response
	programTimeout = 2 * time.Minute // for all requests of a program
)

// host is a runtime that serves the programs of one suite.
type host struct {
	name, url, suite string
	client           *http.Client
	models           *models
}

// programs returns the requests of each program.
func (h *host) programs(ctx context.Context) (map[string][]ask, error) {
	res, err := h.send(ctx, "", ask{}, "")
	if err != nil {
		return nil, err
	}
	list := map[string][]ask{}
	if res.status != http.StatusOK {
		return nil, fmt.Errorf("%d: %s", res.status, res.body)
	}
	return list, json.Unmarshal([]byte(res.body), &list)
}

// observe runs one program. A program that failed is an error with what it said.
func (h *host) observe(ctx context.Context, program string, asks []ask) (*observation, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, programTimeout, fmt.Errorf("it took more than %s", programTimeout))
	defer cancel()
	server, url := h.models.add()
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, err
	}
	with := *h
	with.client = &http.Client{Transport: h.client.Transport, Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	o := &observation{}
	n := normaliser{strings.NewReplacer(url, "MODEL", h.models.addr, "MODEL", h.url, "SELF", strings.TrimPrefix(h.url, "http://"), "SELF")}
	for _, a := range asks {
		res, err := with.send(ctx, "/"+program+a.Path, a, url)
		if err != nil {
			return nil, err
		}
		if res.header.Get("X-Compat-Failed") != "" || res.status >= 500 && a.Path == "" {
			return nil, errors.New(n.text(res.body))
		}
		res.body = n.text(res.body)
		for _, values := range res.header {
			for i := range values {
				values[i] = n.text(values[i])
			}
		}
		o.responses = append(o.responses, *res)
	}
	o.requests = settled(ctx, server)
	for i := range o.requests {
		o.requests[i].Body = n.text(o.requests[i].Body)
	}
	return o, nil
}

func (h *host) send(ctx context.Context, path string, a ask, model string) (*response, error) {
	method := a.Method
	if method == "" {
		method = http.MethodGet
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, h.url+agentrt.Prefix+"/"+h.suite+path, strings.NewReader(a.Body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("X-Compat-Model", model)
	for name, value := range a.Headers {
		req.Header.Set(name, value)
	}
	res, err := h.client.Do(req)
	if err != nil {
		return nil, reason(ctx, err)
	}
	defer res.Body.Close()
	r := &response{status: res.StatusCode, header: res.Header}
	if a.LeaveAfter > 0 {
		_, err := io.CopyN(io.Discard, res.Body, int64(a.LeaveAfter))
		return r, reason(ctx, err)
	}
	body, err := io.ReadAll(io.LimitReader(res.Body, maxBody))
	if err != nil {
		return nil, fmt.Errorf("the response ended early after %q: %w", last(string(body), 200), reason(ctx, err))
	}
	r.body = string(body)
	return r, nil
}

// reason prefers the cause of a context that ended.
func reason(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

func last(text string, n int) string { return text[max(0, len(text)-n):] }
