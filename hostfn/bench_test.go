//go:build unix

package hostfn_test

import (
	"encoding/json"
	"io"
	"net/http"
	"syscall"
	"testing"
	"time"
)

// cpuTime is what the process has used, so that figures hold on a busy machine.
func cpuTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkFetch compares a small request through the engine with the same through
// Go's client, both with the server in the process.
func BenchmarkFetch(b *testing.B) {
	s := newServer(b, func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, `{"hello":"world"}`) })
	w := newWorld(b)
	w.scope.Limits.MaxFetches = -1
	plain := func(n int) {
		for range n {
			req, _ := http.NewRequestWithContext(b.Context(), "GET", s.URL, nil)
			res, err := w.transport.RoundTrip(req)
			if err != nil {
				b.Fatal(err)
			}
			io.Copy(io.Discard, res.Body)
			res.Body.Close()
		}
	}
	engine := func(n int) {
		if _, err := w.call("fetches", map[string]any{"url": s.URL, "n": n}); err != nil {
			b.Fatal(err)
		}
	}
	plain(10)
	engine(10)
	b.ResetTimer()
	start := cpuTime(b)
	engine(b.N)
	inEngine := cpuTime(b) - start
	b.StopTimer()
	start = cpuTime(b)
	plain(b.N)
	inGo := cpuTime(b) - start
	b.ReportMetric(float64(inEngine)/float64(b.N)/1e3, "cpu-us/op")
	b.ReportMetric(float64(inGo)/float64(b.N)/1e3, "go-cpu-us/op")
	b.ReportMetric(float64(inEngine)/float64(inGo), "cpu-ratio")
}

// BenchmarkBodyChunk is the cost of 64 KiB of a large body that JavaScript reads,
// beside that of reading it in Go.
func BenchmarkBodyChunk(b *testing.B) {
	s := newServer(b, func(w http.ResponseWriter, _ *http.Request) {
		chunk := make([]byte, 64<<10)
		for range b.N {
			w.Write(chunk)
		}
	})
	w := newWorld(b)
	b.SetBytes(64 << 10)
	b.ResetTimer()
	start := cpuTime(b)
	r, err := w.call("chunks", s.URL)
	inEngine := cpuTime(b) - start
	b.StopTimer()
	if err != nil {
		b.Fatal(err)
	}
	var chunks float64
	if err := json.Unmarshal(r.Head, &chunks); err != nil || chunks == 0 {
		b.Fatalf("%s chunks: %v", r.Head, err)
	}
	req, _ := http.NewRequestWithContext(b.Context(), "GET", s.URL, nil)
	start = cpuTime(b)
	res, err := w.transport.RoundTrip(req)
	if err != nil {
		b.Fatal(err)
	}
	io.CopyBuffer(struct{ io.Writer }{io.Discard}, res.Body, make([]byte, 64<<10))
	res.Body.Close()
	inGo := cpuTime(b) - start
	b.ReportMetric(float64(b.N)*(64<<10)/chunks, "bytes/chunk")
	b.ReportMetric(float64(inEngine)/float64(b.N)/1e3, "cpu-us/op")
	b.ReportMetric(float64(inGo)/float64(b.N)/1e3, "go-cpu-us/op")
}
