package agentrt_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/agentrt/agentrt/agentrt"
	"github.com/agentrt/agentrt/compat/modelserver"
	"github.com/agentrt/agentrt/internal/apptest"
	"github.com/agentrt/agentrt/stream"
)

// TestSlowReader has a client that reads 1 KB at a time from an upstream without
// end: what was taken from the upstream stays within the buffers of the sockets.
func TestSlowReader(t *testing.T) {
	var sent atomic.Int64
	var live atomic.Int32
	use := newUpstream(t, func(w http.ResponseWriter, r *http.Request) {
		live.Add(1)
		defer live.Add(-1)
		event := []byte("data: " + strings.Repeat("x", 1<<10) + "\n\n")
		for {
			n, err := w.Write(event)
			if sent.Add(int64(n)); err != nil {
				return
			}
		}
	})
	a := newApp(t, relays, use)
	for _, path := range []string{"/passed", "/transformed"} {
		t.Run(path, func(t *testing.T) {
			sent.Store(0)
			ctx, leave := context.WithCancel(t.Context())
			defer leave()
			res, err := a.Get(ctx, path)
			if err != nil {
				t.Fatal(err)
			}
			defer res.Body.Close()
			buf := make([]byte, 1<<10)
			var before int64
			quiet := 0
			eventually(t, func() bool {
				if _, err := io.ReadFull(res.Body, buf); err != nil {
					t.Fatal(err)
				}
				now := sent.Load()
				if quiet++; now != before || now == 0 {
					quiet = 0
				}
				before = now
				return quiet == 5
			}, func() string { return fmt.Sprintf("the upstream goes on: %d bytes", sent.Load()) })
			if n := sent.Load(); n > 32<<20 {
				t.Errorf("%d bytes were taken for a client that read some KB", n)
			}
			leave()
			eventually(t, func() bool { return live.Load() == 0 }, func() string { return "the upstream was not cancelled" })
		})
	}
	eventually(t, func() bool { return a.running() == 0 }, func() string { return "an instance is not freed" })
}

// TestClientLeavesAfterTheLastEvent has clients that close the connection once they
// have seen [DONE], as SDKs do, while the provider still holds its own open: it is
// cancelled, and nobody calls that an error.
func TestClientLeavesAfterTheLastEvent(t *testing.T) {
	var live atomic.Int32
	use := newUpstream(t, func(w http.ResponseWriter, r *http.Request) {
		live.Add(1)
		defer live.Add(-1)
		io.WriteString(w, "data: one\n\ndata: [DONE]\n\n")
		http.NewResponseController(w).Flush()
		<-r.Context().Done()
	})
	a := newApp(t, relays, use)
	for _, path := range []string{"/passed", "/transformed"} {
		t.Run(path, func(t *testing.T) {
			log := a.logs()
			res, err := a.Get(t.Context(), path)
			if err != nil {
				t.Fatal(err)
			}
			events := stream.NewEventReader(res.Body, stream.EventReaderConfig{})
			for _, want := range []string{"one", "[DONE]"} {
				if e, err := events.Next(); e.Data != want || err != nil {
					t.Fatalf("%+v, %v", e, err)
				}
			}
			res.Body.Close()
			eventually(t, func() bool { return live.Load() == 0 }, func() string { return "the upstream was not cancelled" })
			eventually(t, func() bool { return a.running() == 0 }, func() string { return "an instance is not freed" })
			if text := log.String(); strings.Contains(text, "ERROR") || strings.Contains(text, "uncaught") {
				t.Error(text)
			}
		})
	}
}

// TestLargeEvents sends 10 MB in one event, and a line without an end.
func TestLargeEvents(t *testing.T) {
	transformed := strings.Replace(chatRoute, "new Response(upstream.body,", "new Response(upstream.body!.pipeThrough(new TransformStream()),", 1)
	for _, s := range []struct {
		fault string
		bytes int // at least
		whole bool
	}{
		{"huge", 10 << 20, true},
		{"endless-line@8000000", 8_000_000, false},
	} {
		for name, source := range map[string]string{"passed": chatRoute, "transformed": transformed} {
			t.Run(s.fault+" "+name, func(t *testing.T) {
				faults, err := modelserver.ParseFaults(s.fault)
				if err != nil {
					t.Fatal(err)
				}
				_, use := newModel(t, modelserver.Config{Faults: faults})
				a := newApp(t, map[string]string{"routes/chat.ts": source}, use)
				req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, a.Functions+"/chat", strings.NewReader(question))
				if err != nil {
					t.Fatal(err)
				}
				res, err := http.DefaultClient.Do(req)
				if err != nil {
					t.Fatal(err)
				}
				defer res.Body.Close()
				text, err := io.ReadAll(res.Body)
				if len(text) < s.bytes || (err == nil) != s.whole || strings.Contains(string(text), "event: error") {
					t.Errorf("%d bytes, %v", len(text), err)
				}
				if s.whole && !strings.HasSuffix(string(text), "data: [DONE]\n\n") {
					t.Error("the end is missing")
				}
			})
		}
	}
}

// TestShutdownEndsEventStreams stops the server in the midst of an event: the
// client gets an error event once the time for streams is over.
func TestShutdownEndsEventStreams(t *testing.T) {
	a, err := apptest.Start(t.TempDir(), map[string]string{"src/routes/events.ts": `
		export const GET = () => new Response(new ReadableStream({
			start(c) { c.enqueue(new TextEncoder().encode("data: one\n\ndata: tw")); return new Promise((r) => setTimeout(r, 600_000)); },
		}), { headers: { "content-type": "text/event-stream" } });`}, agentrt.Config{CacheDir: cacheDir, ShutdownTimeout: 200 * time.Millisecond}, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := a.Get(context.Background(), "/events")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	r := stream.NewEventReader(res.Body, stream.EventReaderConfig{})
	if e, err := r.Next(); e.Data != "one" || err != nil {
		t.Errorf("%+v, %v", e, err)
	}
	stopped := make(chan error, 1)
	go func() { stopped <- a.Stop() }()
	if e, err := r.Next(); e.Type != "error" || err != nil {
		t.Errorf("%+v, %v", e, err)
	}
	if err := <-stopped; err != nil {
		t.Error(err)
	}
}
