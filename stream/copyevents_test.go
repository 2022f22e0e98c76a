package stream_test

import (
	"bufio"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/agentrt/agentrt/stream"
)

// written gives a source that the test writes.
func written(t *testing.T) (*io.PipeReader, func(string)) {
	r, w := io.Pipe()
	return r, func(text string) {
		if _, err := io.WriteString(w, text); err != nil {
			t.Error(err)
		}
	}
}

func TestHeartbeats(t *testing.T) {
	src, write := written(t)
	config := stream.CopyConfig{Events: true, Heartbeat: 20 * time.Millisecond, IdleTimeout: time.Second}
	res, results := serve(t, src, config)
	body := bufio.NewReader(res.Body)
	read := func(want string) {
		t.Helper()
		got := make([]byte, len(want))
		if _, err := io.ReadFull(body, got); string(got) != want || err != nil {
			t.Fatalf("%q, %v, want %q", got, err, want)
		}
	}
	read(":\n\n")
	write("data: a\n\ndata: b")
	// The rest of the event is late: heartbeats come ahead of all of it.
	for {
		if line, err := body.ReadString('\n'); err != nil {
			t.Fatal(err)
		} else if strings.HasPrefix(line, "data") {
			if line != "data: a\n" {
				t.Fatalf("%q", line)
			}
			break
		}
	}
	read("\n:\n\n:\n\n")
	go write("\n\n")
	text, err := io.ReadAll(body)
	if err != nil {
		t.Error(err)
	}
	if got := strings.ReplaceAll(string(text), ":\n\n", ""); got != "data: b\n\n" || strings.Count(string(text), ":\n\n") < 2 {
		t.Errorf("%q", text)
	}
	if got := <-results; !errors.Is(got.err, stream.ErrIdle) || got.n != 18 {
		t.Errorf("%+v: heartbeats are no progress", got)
	}
}

func TestHeartbeatsStayOutOfLargeEvents(t *testing.T) {
	src, write := written(t)
	res, results := serve(t, src, stream.CopyConfig{Events: true, Heartbeat: 5 * time.Millisecond, IdleTimeout: 200 * time.Millisecond})
	start := "data: " + strings.Repeat("x", 100_000)
	write(start)
	got := make([]byte, len(start))
	for got[0] != 'd' {
		if _, err := io.ReadFull(res.Body, got[:1]); err != nil {
			t.Fatal(err)
		}
	}
	io.ReadFull(res.Body, got[1:])
	if string(got) != start {
		t.Error("the event is broken")
	}
	if rest, err := io.ReadAll(res.Body); len(rest) > 0 {
		t.Errorf("inside the event: %q, %v", rest, err)
	}
	if got := <-results; !errors.Is(got.err, stream.ErrPartialEvent) || !errors.Is(got.err, stream.ErrIdle) {
		t.Error(got.err)
	}
}

// TestEventsEndWithAnError breaks the source off everywhere in an event.
func TestEventsEndWithAnError(t *testing.T) {
	failure := errors.New("upstream broke")
	for _, eol := range []string{"\n", "\r\n", "\r"} {
		text := strings.ReplaceAll("event: x\nid: 1\ndata: a\n\n: c\nevent: y\ndata: b\ndata: c\n\n", "\n", eol)
		whole := strings.Index(text, eol+eol) + len(eol) + 1 // a CR ends the line already
		for cut := range len(text) + 1 {
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				src, to := io.Pipe()
				go func() { io.WriteString(to, text[:cut]); to.CloseWithError(failure) }()
				if _, err := stream.Copy(r.Context(), w, src, stream.CopyConfig{Events: true}); !errors.Is(err, failure) || errors.Is(err, stream.ErrPartialEvent) {
					t.Error(err)
				}
				if err := stream.SendEvent(w, stream.Event{Type: "error", Data: "{}"}, time.Minute); err != nil {
					t.Error(err)
				}
			}))
			res, err := s.Client().Get(s.URL)
			if err != nil {
				t.Fatal(err)
			}
			events, err := readEvents(stream.NewEventReader(res.Body, stream.EventReaderConfig{}))
			res.Body.Close()
			s.Close()
			want := 1
			if cut >= whole {
				want++
			}
			if cut >= len(text)-len(eol)+1 {
				want++
			}
			if err != nil || len(events) != want || events[want-1].Type != "error" || events[want-1].Data != "{}" {
				t.Errorf("after %q: %+v, %v", text[:cut], events, err)
			}
		}
	}
}

// TestCompleteEventsAreNotHeld has each event read before the source goes on, with
// the beginning of the next already there.
func TestCompleteEventsAreNotHeld(t *testing.T) {
	src, write := written(t)
	res, _ := serve(t, src, stream.CopyConfig{Events: true})
	r := stream.NewEventReader(res.Body, stream.EventReaderConfig{})
	for _, s := range []struct{ text, data string }{
		{"data: a\n\nda", "a"}, {"ta: b\n\n", "b"}, {"data: c\r\n\r\n", "c"}, {"data: d\r\r", "d"}, {"data: e\ndata: f\n\nid", "e\nf"},
	} {
		write(s.text)
		if e, err := r.Next(); e.Data != s.data || err != nil {
			t.Fatalf("%+v, %v", e, err)
		}
	}
}

func TestCopyOfEventsKeepsThem(t *testing.T) {
	for _, text := range []string{"", "data: a\n\ndata: cut", strings.Repeat("data: "+strings.Repeat("x", 99_999)+"\r\n\r\n", 10)} {
		res, results := serve(t, io.NopCloser(strings.NewReader(text)), stream.CopyConfig{Events: true, Heartbeat: time.Minute})
		got, err := io.ReadAll(res.Body)
		if string(got) != text || err != nil {
			t.Errorf("%d bytes, want %d, %v", len(got), len(text), err)
		}
		if r := <-results; r.err != nil || r.n != int64(len(text)) {
			t.Error(r)
		}
	}
}
