package stream_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/agentrt/agentrt/stream"
)

type result struct {
	n   int64
	err error
}

// serve answers one request with a copy of src and gives its result.
func serve(t *testing.T, src io.ReadCloser, config stream.CopyConfig) (*http.Response, <-chan result) {
	t.Helper()
	results := make(chan result, 1)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n, err := stream.Copy(r.Context(), w, src, config)
		results <- result{n, err}
	}))
	t.Cleanup(s.Close)
	client := s.Client()
	res, err := client.Get(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { res.Body.Close() })
	return res, results
}

func TestCopyFlushesEachEvent(t *testing.T) {
	for _, kind := range []string{"reader", "pipe"} {
		t.Run(kind, func(t *testing.T) {
			table := newTable(t, stream.Config{})
			var src io.ReadCloser
			var write func(string)
			var end func()
			if kind == "pipe" {
				rid, _ := table.NewPipe()
				src, _ = table.Take(rid)
				write = func(s string) { table.Write(rid, []byte(s)) }
				end = func() { table.CloseWrite(rid) }
			} else {
				r, w := io.Pipe()
				src, write, end = r, func(s string) { io.WriteString(w, s) }, func() { w.Close() }
			}
			progress := 0
			res, results := serve(t, src, stream.CopyConfig{OnProgress: func(n int) { progress += n }})
			lines := bufio.NewReader(res.Body)
			for _, line := range []string{"one\n", "two\n", "three\n"} {
				write(line)
				if got, err := lines.ReadString('\n'); got != line || err != nil {
					t.Fatalf("%q, %v", got, err)
				}
			}
			end()
			if got := <-results; got.n != 14 || got.err != nil || progress != 14 {
				t.Errorf("%+v, progress %d", got, progress)
			}
		})
	}
}

func TestCopyOfBulkData(t *testing.T) {
	want := bytes.Repeat([]byte("0123456789abcdef"), 1<<18)
	res, results := serve(t, io.NopCloser(bytes.NewReader(want)), stream.CopyConfig{})
	got, err := io.ReadAll(res.Body)
	if !bytes.Equal(got, want) || err != nil {
		t.Errorf("%d bytes, %v", len(got), err)
	}
	if r := <-results; r.err != nil {
		t.Error(r.err)
	}
}

func TestCopyEnds(t *testing.T) {
	t.Run("idle source", func(t *testing.T) {
		r, _ := io.Pipe()
		_, results := serve(t, r, stream.CopyConfig{IdleTimeout: 20 * time.Millisecond})
		if got := <-results; !errors.Is(got.err, stream.ErrIdle) {
			t.Error(got.err)
		}
	})
	t.Run("failing source", func(t *testing.T) {
		r, w := io.Pipe()
		failure := errors.New("upstream broke")
		go func() { io.WriteString(w, "x"); w.CloseWithError(failure) }()
		_, results := serve(t, r, stream.CopyConfig{})
		if got := <-results; !errors.Is(got.err, failure) || errors.Is(got.err, stream.ErrWrite) || got.n != 1 {
			t.Error(got)
		}
	})
	t.Run("client gone while the source waits", func(t *testing.T) {
		r, w := io.Pipe()
		res, results := serve(t, r, stream.CopyConfig{})
		res.Body.Close()
		if got := <-results; !errors.Is(got.err, context.Canceled) && !errors.Is(got.err, stream.ErrWrite) {
			t.Error(got.err)
		}
		if _, err := w.Write([]byte("x")); !errors.Is(err, io.ErrClosedPipe) {
			t.Errorf("the source is still open: %v", err)
		}
	})
	t.Run("client that does not read", func(t *testing.T) {
		_, results := serve(t, &counted{}, stream.CopyConfig{WriteTimeout: 100 * time.Millisecond})
		if got := <-results; !errors.Is(got.err, stream.ErrWrite) {
			t.Error(got.err)
		}
	})
}

func TestRequestBodyClosesWhileRead(t *testing.T) {
	results := make(chan error, 1)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		table := stream.NewTable(stream.Config{})
		rid, _ := table.AddReader(stream.RequestBody(w, r.Body))
		first, err := table.Read(r.Context(), rid)
		if string(first) != "hello" || err != nil {
			t.Errorf("%q, %v", first, err)
		}
		go func() { results <- second(table.Read(context.WithoutCancel(r.Context()), rid)) }()
		table.Close()
	}))
	defer s.Close()
	body, w := io.Pipe()
	go io.WriteString(w, "hello")
	req, _ := http.NewRequestWithContext(t.Context(), "POST", s.URL, body)
	if res, err := s.Client().Do(req); err == nil {
		res.Body.Close()
	} else if !strings.Contains(err.Error(), "reset") && !strings.Contains(err.Error(), "EOF") && !strings.Contains(err.Error(), "broken pipe") {
		t.Error(err)
	}
	w.Close()
	if err := <-results; !errors.Is(err, stream.ErrClosed) {
		t.Error(err)
	}
}
