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
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/agentrt/agentrt/agentrt"
	"github.com/agentrt/agentrt/compat/modelserver"
	"github.com/agentrt/agentrt/internal/apptest"
	"github.com/agentrt/agentrt/stream"
)

// httpRoutes are the functions that the group measures.
var httpRoutes = map[string]string{
	"src/routes/hello.ts": `export const GET = () => Response.json({ hello: "world" });`,
	"src/routes/fetch.ts": `
		export const GET = async () => {
			const start = performance.now();
			const response = await fetch(process.env.MODEL + "/v1/models");
			await response.text();
			return Response.json(performance.now() - start);
		};`,
	"src/routes/relay.ts": `
		export async function POST(req: Request) {
			const upstream = await fetch(process.env.MODEL + "/v1/chat/completions", { method: "POST", body: await req.text(), headers: { "content-type": "application/json" }, signal: req.signal });
			const events = upstream.body!.pipeThrough(new TextDecoderStream()).pipeThrough(new TransformStream({
				transform(chunk, controller) { controller.enqueue(chunk); },
			})).pipeThrough(new TextEncoderStream());
			return new Response(events, { headers: { "content-type": "text/event-stream" } });
		}`,
}

type httpBench struct {
	app     *apptest.App
	model   string
	client  *http.Client
	figures map[string]float64
}

// serving measures requests through a whole server in this process.
func serving(ctx context.Context, o options, progress io.Writer) (figures map[string]float64, err error) {
	dir, err := os.MkdirTemp("", "agentrt-bench-*")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	model := httptest.NewServer(modelserver.New(modelserver.Config{Timestamps: true}))
	defer model.Close()
	config := agentrt.Config{Env: map[string]string{"MODEL": model.URL}, AllowNet: []string{strings.TrimPrefix(model.URL, "http://")}}
	app, err := apptest.Start(dir, httpRoutes, config, nil)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, app.Stop()) }()
	transport := &http.Transport{MaxIdleConnsPerHost: 2000}
	defer transport.CloseIdleConnections()
	b := &httpBench{app: app, model: model.URL, client: &http.Client{Transport: transport}, figures: map[string]float64{}}

	rounds, clients, streams := 2000, 50, 1000
	if o.quick {
		rounds, streams = 200, 100
	}
	fmt.Fprintf(progress, "hello over HTTP: %d rounds, then %d clients\n", rounds, clients)
	if err := b.hello(ctx, rounds, clients); err != nil {
		return nil, err
	}
	fmt.Fprintln(progress, "fetch in a function beside a plain Go client")
	if err := b.fetch(ctx, rounds); err != nil {
		return nil, err
	}
	fmt.Fprintf(progress, "%d streams at once, a token each 2 s\n", streams)
	return b.figures, b.streams(ctx, streams)
}

func (b *httpBench) get(ctx context.Context, url string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	res, err := b.client.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s: %s", url, res.Status, text)
	}
	return text, err
}

func (b *httpBench) hello(ctx context.Context, rounds, clients int) error {
	url := b.app.Functions + "/hello"
	p50, p99, err := percentiles(rounds, func() error { _, err := b.get(ctx, url); return err })
	if err != nil {
		return err
	}
	b.figures["http_hello_p50_ms"], b.figures["http_hello_p99_ms"] = milliseconds(p50), milliseconds(p99)
	start, errs := time.Now(), make([]error, clients)
	var work sync.WaitGroup
	for k := range clients {
		work.Go(func() {
			for range rounds/clients + 1 {
				if _, err := b.get(ctx, url); err != nil {
					errs[k] = err
					return
				}
			}
		})
	}
	work.Wait()
	b.figures["http_hello_50_clients_per_s"] = float64(clients*(rounds/clients+1)) / time.Since(start).Seconds()
	return errors.Join(errs...)
}

// fetch compares fetch inside a function with a Go client's request to the same
// server, alternating.
func (b *httpBench) fetch(ctx context.Context, rounds int) error {
	var plain, inside []time.Duration
	for range rounds {
		start := time.Now()
		if _, err := b.get(ctx, b.model+"/v1/models"); err != nil {
			return err
		}
		plain = append(plain, time.Since(start))
		text, err := b.get(ctx, b.app.Functions+"/fetch")
		if err != nil {
			return err
		}
		var ms float64
		if err := json.Unmarshal(text, &ms); err != nil {
			return err
		}
		inside = append(inside, time.Duration(ms*float64(time.Millisecond)))
	}
	base := median(plain)
	slices.Sort(inside)
	b.figures["fetch_overhead_p50_ms"] = milliseconds(inside[len(inside)/2] - base)
	b.figures["fetch_overhead_p99_ms"] = milliseconds(inside[len(inside)*99/100] - base)
	return nil
}

// token is one token of a stream: when the model sent it, and how much later the
// client had it.
type token struct {
	sent time.Time
	late time.Duration
}

// streams opens n streams within ten seconds, each of fifteen tokens two seconds
// apart, through a TransformStream, and measures how late each token is at the
// client: those sent while streams were still being opened, each in a new instance,
// and those sent once all were open.
func (b *httpBench) streams(ctx context.Context, n int) error {
	const body = `{"model":"bench;tokens=15;delay=2s","stream":true,"messages":[{"role":"user","content":"count"}]}`
	const opening = 10 * time.Second
	all, errs := make([][]token, n), make([]error, n)
	var work sync.WaitGroup
	for k := range n {
		work.Go(func() {
			select {
			case <-time.After(time.Duration(k) * opening / time.Duration(n)):
				all[k], errs[k] = b.stream(ctx, body)
			case <-ctx.Done():
				errs[k] = ctx.Err()
			}
		})
	}
	work.Wait()
	if err := errors.Join(errs...); err != nil {
		return err
	}
	var open time.Time
	for _, tokens := range all {
		if first := tokens[0].sent.Add(tokens[0].late); first.After(open) {
			open = first
		}
	}
	var during, steady []time.Duration
	for _, tokens := range all {
		for _, t := range tokens {
			if t.sent.Before(open) {
				during = append(during, t.late)
			} else {
				steady = append(steady, t.late)
			}
		}
	}
	if len(during) == 0 || len(steady) == 0 {
		return errors.New("the streams were never open at the same time")
	}
	slices.Sort(during)
	slices.Sort(steady)
	b.figures["stream_opening_delay_p99_ms"] = milliseconds(during[len(during)*99/100])
	b.figures["stream_token_delay_p50_ms"] = milliseconds(steady[len(steady)/2])
	b.figures["stream_token_delay_p99_ms"] = milliseconds(steady[len(steady)*99/100])
	b.figures["stream_token_delay_max_ms"] = milliseconds(steady[len(steady)-1])
	return nil
}

// stream reads one stream to its end.
func (b *httpBench) stream(ctx context.Context, body string) (tokens []token, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, b.app.Functions+"/relay", strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	res, err := b.client.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(res.Body, 1000))
		return nil, fmt.Errorf("a stream was refused: %s: %s", res.Status, text)
	}
	events := stream.NewEventReader(res.Body, stream.EventReaderConfig{})
	for {
		received, err := events.Next()
		data := received.Data
		switch {
		case err != nil:
			return nil, fmt.Errorf("the stream ended after %d tokens: %w", len(tokens), err)
		case data == "[DONE]":
			return tokens, nil
		}
		var chunk struct {
			SentNS int64 `json:"sent_ns"`
		}
		if err := json.Unmarshal([]byte(data), &chunk); err != nil {
			return nil, fmt.Errorf("event %q: %w", data, err)
		}
		sent := time.Unix(0, chunk.SentNS)
		tokens = append(tokens, token{sent, time.Since(sent)})
	}
}
