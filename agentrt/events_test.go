package agentrt_test

import (
	"bufio"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/agentrt/agentrt/agentrt"
	"github.com/agentrt/agentrt/internal/apptest"
	"github.com/agentrt/agentrt/stream"
	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
)

// relays answer with what the server at process.env.UPSTREAM sends.
var relays = map[string]string{
	"routes/passed.ts": `
		export const GET = async (req: Request) => {
			const upstream = await fetch(process.env.UPSTREAM + new URL(req.url).search);
			return new Response(upstream.body, { headers: { "content-type": "text/event-stream" } });
		};`,
	"routes/transformed.ts": `
		export const GET = async (req: Request) => {
			const upstream = await fetch(process.env.UPSTREAM + new URL(req.url).search);
			return new Response(upstream.body!.pipeThrough(new TransformStream()), { headers: { "content-type": "text/event-stream" } });
		};`,
}

// newUpstream starts a server that functions may reach at process.env.UPSTREAM.
func newUpstream(t *testing.T, answer http.HandlerFunc) func(*agentrt.Config) {
	t.Helper()
	s := httptest.NewServer(answer)
	t.Cleanup(s.Close)
	return func(c *agentrt.Config) {
		c.Env = map[string]string{"UPSTREAM": s.URL}
		c.AllowNet = []string{strings.TrimPrefix(s.URL, "http://")}
	}
}

// events reads an event stream to its end.
func (a *app) events(path string) ([]stream.Event, error) {
	a.t.Helper()
	res, err := a.Get(a.t.Context(), path)
	if err != nil {
		a.t.Fatal(err)
	}
	defer res.Body.Close()
	r := stream.NewEventReader(res.Body, stream.EventReaderConfig{})
	var all []stream.Event
	for {
		e, err := r.Next()
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if err != nil {
			return all, err
		}
		all = append(all, e)
	}
}

func TestHeartbeats(t *testing.T) {
	next := make(chan string)
	use := newUpstream(t, func(w http.ResponseWriter, r *http.Request) {
		w.(http.Flusher).Flush()
		for {
			select {
			case text := <-next:
				io.WriteString(w, text)
				w.(http.Flusher).Flush()
			case <-r.Context().Done():
				return
			}
		}
	})
	a := newApp(t, relays, use, func(c *agentrt.Config) {
		c.HTTP.Heartbeat, c.HTTP.StreamIdle = 20*time.Millisecond, 2*time.Second
	})
	for _, path := range []string{"/passed", "/transformed"} {
		t.Run(path, func(t *testing.T) {
			res, err := a.Get(t.Context(), path)
			if err != nil {
				t.Fatal(err)
			}
			defer res.Body.Close()
			lines := bufio.NewReader(res.Body)
			expect := func(want string) {
				t.Helper()
				for {
					line, err := lines.ReadString('\n')
					if line == want+"\n" {
						return
					}
					if err != nil || line != ":\n" && line != "\n" {
						t.Fatalf("%q, %v, want %q", line, err, want)
					}
				}
			}
			expect(":")
			next <- "data: one\n\ndata: tw"
			expect("data: one")
			expect("")
			expect(":")
			next <- "o\n\n"
			expect("data: two")
			// The upstream's silence has its limit all the same.
			expect("event: error")
		})
	}
}

func TestEventStreamsThatBreak(t *testing.T) {
	use := newUpstream(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.RawQuery {
		case "event":
			io.WriteString(w, "data: one\n\nid: 2\ndata: tw")
		case "line":
			io.WriteString(w, "data: one\n\nevent: x\ndata: two\n")
		case "CRLF":
			io.WriteString(w, "data: one\r\n\r\ndata: two\r\n")
		case "rune":
			io.WriteString(w, "data: one\n\ndata: \xf0\x9f")
		case "large":
			io.WriteString(w, "data: one\n\ndata: "+strings.Repeat("x", 300_000))
		}
		w.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	})
	files := with(relays, "routes/thrown.ts", `
		export const GET = (req: Request) => new Response(new ReadableStream({
			async start(c) {
				const rest = new URL(req.url).search === "?large" ? "x".repeat(300_000) : "tw";
				for (const text of ["data: one\n\ndata: ", rest]) c.enqueue(new TextEncoder().encode(text));
				await new Promise((r) => setTimeout(r, 20));
				throw new Error("broke");
			},
		}), { headers: { "content-type": "text/event-stream; charset=utf-8" } });`)
	a := newApp(t, files, use)
	for _, path := range []string{"/passed", "/transformed", "/thrown"} {
		for _, cut := range []string{"event", "line", "CRLF", "rune"} {
			t.Run(path+" in the midst of a "+cut, func(t *testing.T) {
				events, err := a.events(path + "?" + cut)
				if err != nil || len(events) != 2 || events[0].Data != "one" || events[1].Type != "error" || events[1].ID != "" {
					t.Fatalf("%+v, %v", events, err)
				}
				if !strings.HasPrefix(events[1].Data, `{"message":"The stream failed.","requestId":"`) || !strings.HasSuffix(events[1].Data, `"}`) {
					t.Errorf("data %s", events[1].Data)
				}
			})
		}
		// What the client has of a large event cannot be taken back: the stream must not end well.
		t.Run(path+" in the midst of a large event", func(t *testing.T) {
			if events, err := a.events(path + "?large"); err == nil || len(events) != 1 {
				t.Errorf("%d events, %v", len(events), err)
			}
		})
	}
}

// TestEventStreamHeaders asks as browsers do, in an app that compresses all it can.
func TestEventStreamHeaders(t *testing.T) {
	started, err := apptest.Start(t.TempDir(), map[string]string{"src/routes/events.ts": `
		export const GET = (req: Request) => {
			const headers = Object.fromEntries(new URL(req.url).searchParams);
			return new Response("stream" in headers ? new Blob(["data: a\n\n"]).stream().pipeThrough(new TransformStream()) : "data: a\n\n", { headers });
		};`}, agentrt.Config{CacheDir: cacheDir}, func(app core.App) error {
		app.OnServe().BindFunc(func(e *core.ServeEvent) error {
			e.Router.Bind(apis.Gzip())
			return e.Next()
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := started.Stop(); err != nil {
			t.Error(err)
		}
	}()
	a := &app{started, t}
	const kind = "?content-type=text/event-stream"
	for query, want := range map[string][2]string{
		kind:                                {"no-cache", "no"},
		kind + "&stream":                    {"no-cache", "no"},
		kind + "&stream&content-length=999": {"no-cache", "no"},
		kind + "&stream&cache-control=no-store&x-accel-buffering=yes": {"no-store", "yes"},
		"?content-type=Text/Event-Stream+;+charset=utf-8&stream":      {"no-cache", "no"},
		"?content-type=text/event-streams&stream":                     {"", ""},
	} {
		r := a.get("/events"+query, "Accept-Encoding", "gzip")
		got := [2]string{r.header.Get("Cache-Control"), r.header.Get("X-Accel-Buffering")}
		if r.body != "data: a\n\n" || got != want || r.header.Get("Content-Encoding") != "" {
			t.Errorf("%s: %q %v", query, r.body, r.header)
		}
	}
}
