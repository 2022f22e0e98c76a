package modelserver

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestStreamEndsWhenTheClientLeaves(t *testing.T) {
	f := start(t, Config{})
	for i, way := range ways {
		path, body := way.req("m;tokens=1000000;delay=1ms", "say a b c")
		ctx, cancel := context.WithCancel(t.Context())
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, f.url+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		res, err := f.client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(res.Body, make([]byte, 2000)); err != nil {
			t.Fatal(err)
		}
		if s := f.Stats(); s.Live != 1 || s.Streams != int64(i+1) {
			t.Errorf("%s: %+v", way.name, s)
		}
		cancel()
		res.Body.Close()
		eventually(t, "the stream is gone", func() bool { s := f.Stats(); return s.Live == 0 && s.Cancelled == int64(i+1) })
		if r := f.Requests()[i]; r.Outcome != OutcomeCancelled || r.Tokens == 0 || r.Tokens >= MaxTokens || !r.Stream {
			t.Errorf("%s: %+v", way.name, r)
		}
	}
}

func TestClientThatDoesNotReadEndsToo(t *testing.T) {
	f := start(t, Config{})
	conn, _, _ := f.raw(t, chatPath, chatBody("m;tokens=1000000", "say a"))
	eventually(t, "tokens are sent", func() bool { return f.Stats().Live == 1 })
	conn.Close()
	eventually(t, "the stream is gone", func() bool { s := f.Stats(); return s.Live == 0 && s.Cancelled == 1 })
}

func TestNoTokenComesAheadOfItsTime(t *testing.T) {
	const delay, first = 5 * time.Millisecond, 20 * time.Millisecond
	f := start(t, Config{Delay: delay, FirstDelay: first, Timestamps: true})
	for _, way := range ways {
		path, body := way.req("m", "say a b c d e")
		begin := time.Now().UnixNano()
		_, got := f.post(t, path, body)
		n := int64(0)
		for _, e := range events(t, strings.NewReader(string(got))) {
			if e.data == "[DONE]" {
				continue
			}
			var v struct {
				SentNS int64 `json:"sent_ns"`
			}
			if err := json.Unmarshal([]byte(e.data), &v); err != nil || v.SentNS < begin {
				t.Fatalf("%s: %s %v", way.name, e.data, err)
			}
			if len(tokensOf(t, []sse{e})) == 0 {
				continue
			}
			if due := begin + int64(first) + n*int64(delay); v.SentNS < due {
				t.Errorf("%s: token %d is %s early", way.name, n, time.Duration(due-v.SentNS))
			}
			n++
		}
		if n != 5 {
			t.Errorf("%s: %d tokens", way.name, n)
		}
	}
}

func TestWholeAnswerTakesTheTimeOfItsTokens(t *testing.T) {
	f := start(t, Config{Delay: 5 * time.Millisecond, FirstDelay: 20 * time.Millisecond})
	begin := time.Now()
	f.ask(t, user("say a b c"))
	if took := time.Since(begin); took < 30*time.Millisecond {
		t.Errorf("took %s", took)
	}
}

func TestHeadersAreSentAheadOfTheFirstDelay(t *testing.T) {
	f := start(t, Config{FirstDelay: MaxDelay})
	for i, way := range ways {
		path, body := way.req("m", "say a")
		res := f.do(t, http.MethodPost, path, body)
		if i < 3 {
			if line, err := bufio.NewReader(res.Body).ReadString('\n'); err != nil || line == "" {
				t.Errorf("%s: %q %v", way.name, line, err)
			}
		}
		if got := res.Header.Get("Content-Type"); got != "text/event-stream; charset=utf-8" {
			t.Errorf("%s: %s", way.name, got)
		}
		res.Body.Close()
	}
	eventually(t, "all are cancelled", func() bool { return f.Stats().Cancelled == int64(len(ways)) })
}

func TestManyStreamsAtOnce(t *testing.T) {
	const streams, tokens = 500, 20
	f := start(t, Config{Tokens: tokens, Delay: 2 * time.Millisecond})
	var wg sync.WaitGroup
	errs := make(chan error, streams)
	for range streams {
		wg.Go(func() {
			res, err := f.client.Post(f.url+chatPath, "application/json", strings.NewReader(chatBody("m", "say a b")))
			if err != nil {
				errs <- err
				return
			}
			defer res.Body.Close()
			body, err := io.ReadAll(res.Body)
			if n := strings.Count(string(body), `"content":" `) + strings.Count(string(body), `"content":"a`); err != nil || n != tokens {
				errs <- fmt.Errorf("%d tokens, %w", n, err)
			}
		})
	}
	wg.Wait()
	close(errs)
	for err := range errs {
		t.Error(err)
	}
	want := Stats{Requests: streams, Streams: streams, Completed: streams, Tokens: streams * tokens}
	eventually(t, "all have ended", func() bool { return f.Stats() == want })
}

func TestATokenAllocatesNothing(t *testing.T) {
	count := func(tokens int) uint64 {
		s := New(Config{Tokens: tokens})
		req := httptest.NewRequest(http.MethodPost, chatPath, strings.NewReader(chatBody("m", "say a b c")))
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		s.ServeHTTP(&sink{}, req)
		runtime.ReadMemStats(&after)
		return after.Mallocs - before.Mallocs
	}
	count(10)
	few, many := count(10), count(10_010)
	if perToken := float64(many-few) / 10_000; many > few && perToken > 0.05 {
		t.Errorf("%.2f allocations a token", perToken)
	}
}

// sink is a ResponseWriter that counts bytes.
type sink struct {
	header http.Header
	n      int
}

func (s *sink) Header() http.Header {
	if s.header == nil {
		s.header = http.Header{}
	}
	return s.header
}
func (s *sink) Write(b []byte) (int, error) { s.n += len(b); return len(b), nil }
func (s *sink) WriteHeader(int)             {}
func (s *sink) Flush()                      {}

func TestRequestsAndStats(t *testing.T) {
	f := start(t, Config{})
	for i := range MaxRequests + 10 {
		f.post(t, chatPath+"?test-tokens=2", chatBody("m;delay=0", fmt.Sprintf("say %d", i)), "X-Custom", "yes")
	}
	f.post(t, chatPath, strings.Repeat(" ", MaxRecordedBody+1))
	var got struct{ Requests []Request }
	f.get(t, "/_test/requests?limit=2", &got)
	if len(got.Requests) != 2 {
		t.Fatalf("%d requests", len(got.Requests))
	}
	chat, bad := got.Requests[0], got.Requests[1]
	if chat.Method != "POST" || chat.Path != chatPath || chat.Query != "test-tokens=2" || chat.Model != "m" || chat.Status != 200 || chat.Tokens != 2 ||
		chat.Outcome != OutcomeCompleted || chat.Header.Get("X-Custom") != "yes" || !json.Valid([]byte(chat.Body)) || chat.Ended.Before(chat.Started) {
		t.Errorf("%+v", chat)
	}
	if bad.Status != 400 || bad.Outcome != OutcomeError || !bad.Truncated || len(bad.Body) != MaxRecordedBody {
		t.Errorf("status %d, outcome %s, %d bytes", bad.Status, bad.Outcome, len(bad.Body))
	}
	if n := len(f.Requests()); n != MaxRequests {
		t.Errorf("%d requests kept", n)
	}
	var stats Stats
	f.get(t, "/_test/stats", &stats)
	if want := (Stats{Requests: MaxRequests + 11, Streams: MaxRequests + 10, Completed: MaxRequests + 10, Tokens: 2 * (MaxRequests + 10)}); stats != want {
		t.Errorf("%+v, want %+v", stats, want)
	}
	if status, _ := f.post(t, "/_test/reset", ""); status != 200 || f.Stats() != (Stats{}) || len(f.Requests()) != 0 {
		t.Errorf("reset: %d, %+v, %d requests", status, f.Stats(), len(f.Requests()))
	}
}

// BenchmarkStream sends b.N tokens in streams over a loopback connection; with no
// delay every token is one write.
func BenchmarkStream(b *testing.B) {
	for _, way := range ways {
		b.Run(way.name, func(b *testing.B) {
			f := start(b, Config{})
			path, body := way.req(fmt.Sprintf("m;tokens=%d", min(b.N, MaxTokens)), "say a b c d")
			b.ReportAllocs()
			b.ResetTimer()
			for left := b.N; left > 0; left -= MaxTokens {
				res := f.do(b, http.MethodPost, path, body)
				if _, err := io.Copy(io.Discard, res.Body); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "tokens/s")
		})
	}
}
