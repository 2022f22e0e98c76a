package stream

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
)

func eventsOf(t *testing.T, text string) []Event {
	t.Helper()
	r := NewEventReader(strings.NewReader(text), EventReaderConfig{})
	var all []Event
	for {
		e, err := r.Next()
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, e)
	}
}

// check sends text through frames in pieces, and inserts events wherever a client
// has seen whole events only.
func checkFrames(t *testing.T, text string, size int) {
	t.Helper()
	f := &frames{}
	var out bytes.Buffer
	for rest := text; rest != ""; {
		n := min(size, len(rest))
		out.Write(f.add([]byte(rest[:n])))
		rest = rest[n:]
		if f.partial {
			continue
		}
		seen := eventsOf(t, out.String())
		ended := eventsOf(t, out.String()+":\n\nevent: error\ndata: e\n\n")
		if len(ended) != len(seen)+1 || !slices.Equal(ended[:len(seen)], seen) || ended[len(seen)].Type != "error" || ended[len(seen)].Data != "e" {
			t.Fatalf("%q in pieces of %d: after %q come %+v", text, size, out.String(), ended)
		}
		if want := eventsOf(t, text[:len(text)-len(rest)]); !slices.Equal(seen, want) {
			t.Fatalf("%q in pieces of %d: the client has %+v, want %+v", text, size, seen, want)
		}
	}
	out.Write(f.rest())
	if want := strings.TrimPrefix(text, "\ufeff"); out.String() != want {
		t.Fatalf("%q became %q", want, out.String())
	}
}

var framed = []string{
	"", "data: a", "data: a\n", "data: a\n\n", "data: a\n\ndata: b\n\ndata: c", "data: a\r\n\r\ndata: b\r\n\r\nid: c\r\n",
	"data: a\r\rdata: b\r\r", ": ping\ndata: a\n: ping\n\n: ping\n", ": ping\r\n: ping\r\n\r\ndata: a\r\n\r\n",
	"\ufeffdata: a\n\n", "\ufeff", "\xef", "\xef\xbbdata: a\n\n", "retry: 1\n\nid: 2\n\nevent: x\n\ndata: a\n\n", "\n\n\r\r\n\ndata\n\n",
}

func TestFrames(t *testing.T) {
	for _, text := range framed {
		for _, size := range []int{1, 2, 3, 7, 1 << 20} {
			checkFrames(t, text, size)
		}
	}
	large := "data: " + strings.Repeat("x", 3*maxHeld) + "\n\n"
	for _, size := range []int{1000, ChunkSize, 1 << 20} {
		checkFrames(t, "data: a\n\n"+large+"data: b\n\n"+large+large+"data: c", size)
	}
}

func TestFramesHold(t *testing.T) {
	f := &frames{}
	for range maxHeld {
		if out := f.add([]byte("x")); len(out) > 0 {
			t.Fatalf("%d bytes were passed on", len(out))
		}
	}
	if out := f.add([]byte("x")); len(out) != maxHeld+1 || !f.partial || len(f.held) != 0 {
		t.Errorf("%d bytes were passed on, %d are held", len(out), len(f.held))
	}
	if out := f.add([]byte("\n\ndata: b")); string(out) != "\n\n" || f.partial {
		t.Errorf("%q, partial %v", out, f.partial)
	}
}

func FuzzFrames(f *testing.F) {
	for k, text := range framed {
		f.Add(text, k)
	}
	f.Fuzz(func(t *testing.T, text string, size int) { checkFrames(t, text, max(1, size)) })
}

func BenchmarkFrames(b *testing.B) {
	event := []byte("data: {\"choices\":[{\"delta\":{\"content\":\"" + strings.Repeat("x", 200) + "\"}}]}\n\n")
	f := &frames{begun: true}
	b.SetBytes(int64(len(event)))
	for b.Loop() {
		if len(f.add(event)) != len(event) {
			b.Fatal("an event was held")
		}
	}
}
