package benchmarks

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/agentrt/agentrt/compat/modelserver"
)

// requestLoads are the workloads that answer at once, and how many requests a
// round has.
var requestLoads = []struct {
	name     string
	requests int
	body     func() string
}{
	{"hello", 4000, func() string { return "" }},
	{"fanout", 1000, func() string { return "" }},
	{"json", 500, orders},
}

const requestClients = 20

// requests measures the CPU time of whole server processes per request: a trivial
// answer, ten fetches at once, and work on 100 KB of JSON, which PocketBase's own
// JavaScript hooks do as well.
func requests(ctx context.Context, o options, progress io.Writer) (figures map[string]float64, err error) {
	dir, err := os.MkdirTemp("", "agentrt-bench-*")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	model := httptest.NewServer(modelserver.New(modelserver.Config{}))
	defer model.Close()
	project, err := newPeerProject(ctx, filepath.Join(dir, "project"), []string{"MODEL=" + model.URL, "MODELS=[]"}, progress)
	if err != nil {
		return nil, err
	}
	b := newTokenBench(o, progress)
	defer b.client.CloseIdleConnections()
	defer func() {
		for _, p := range b.peers {
			if err != nil {
				err = p.failed(err)
			} else {
				err = p.stop()
			}
		}
	}()
	for _, name := range append([]string{"agentrt", "hooks"}, o.against...) {
		if name == "go" || name != "agentrt" && name != "hooks" && !project.npm {
			continue
		}
		p, err := project.start(ctx, name, progress)
		if errors.Is(err, exec.ErrNotFound) {
			fmt.Fprintf(progress, "%s is not on this machine: left out\n", name)
			continue
		}
		if err != nil {
			return nil, err
		}
		b.peers = append(b.peers, p)
	}
	return b.figures, b.requests(ctx)
}

func (b *tokenBench) requests(ctx context.Context) error {
	rounds := 4
	if b.options.quick {
		rounds = 1
	}
	for _, w := range requestLoads {
		body, spent := w.body(), map[string]time.Duration{}
		answers := map[string]string{}
		for round := range rounds + 1 { // the first one warms up
			n := w.requests
			if round == 0 {
				n /= 10
			}
			for _, p := range b.peers {
				if p.name == "hooks" && w.name == "fanout" {
					continue
				}
				if round > 0 {
					fmt.Fprintf(b.progress, "%s on %s: %d requests, round %d of %d\n", w.name, p.name, n, round, rounds)
				}
				cpu, answer, err := b.ask(ctx, p, w.name, body, n)
				if err != nil {
					return fmt.Errorf("%s on %s: %w", w.name, p.name, err)
				}
				if answers[p.name] = answer; answer != answers["agentrt"] {
					return fmt.Errorf("%s on %s answers otherwise than agentrt:\n%.300s\n%.300s", w.name, p.name, answer, answers["agentrt"])
				}
				if round > 0 {
					spent[p.name] += cpu / time.Duration(n*rounds)
				}
			}
		}
		for name, cpu := range spent {
			key := w.name
			if name != "agentrt" {
				b.figures[key+"_vs_"+name] = float64(spent["agentrt"]) / float64(cpu)
				key += "_" + name
			}
			b.figures[key+"_cpu_ms"] = milliseconds(cpu)
		}
	}
	return nil
}

// ask sends n requests from a few clients and returns the server's CPU time and
// the answer, its keys sorted.
func (b *tokenBench) ask(ctx context.Context, p *peer, name, body string, n int) (cpu time.Duration, answer string, err error) {
	before, err := p.cpu()
	if err != nil {
		return 0, "", err
	}
	var work sync.WaitGroup
	errs, answers := make([]error, requestClients), make([]string, requestClients)
	for k := range requestClients {
		work.Go(func() {
			for range (n + requestClients - 1) / requestClients {
				if answers[k], errs[k] = b.post(ctx, p.url+name, body); errs[k] != nil {
					return
				}
			}
		})
	}
	work.Wait()
	if err := errors.Join(errs...); err != nil {
		return 0, "", firstLine(err)
	}
	after, err := p.cpu()
	if err != nil {
		return 0, "", err
	}
	var value any
	if err := json.Unmarshal([]byte(answers[0]), &value); err != nil {
		return 0, "", fmt.Errorf("the answer %.300q: %w", answers[0], err)
	}
	canonical, err := json.Marshal(value)
	return after - before, string(canonical), err
}

func (b *tokenBench) post(ctx context.Context, url, body string) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		return "", err
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := b.client.Do(req)
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(io.LimitReader(res.Body, 4<<20))
	if err == nil && res.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %.300s", res.Status, text)
	}
	return strings.TrimSpace(string(text)), err
}

// orders is 100 KB of JSON, always the same.
func orders() string {
	type item struct {
		Name  string  `json:"name"`
		Price float64 `json:"price"`
		Count int     `json:"count"`
	}
	type order struct {
		ID       int    `json:"id"`
		Customer string `json:"customer"`
		City     string `json:"city"`
		Items    []item `json:"items"`
	}
	var all []order
	size := 0
	for n := 0; size < 100_000; n++ {
		o := order{ID: n, Customer: fmt.Sprintf("customer %d", n*7919%101), City: fmt.Sprintf("city %d", n%17)}
		for k := range 3 + n%5 {
			o.Items = append(o.Items, item{Name: fmt.Sprintf("article %d with a name", (n*31+k*17)%500), Price: float64((n*13+k*29)%4000) / 4, Count: 1 + (n+k)%4})
		}
		text, _ := json.Marshal(o)
		size += len(text) + 1
		all = append(all, o)
	}
	text, _ := json.Marshal(map[string]any{"orders": all})
	return string(text)
}
