package stream_test

import (
	"errors"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"
	"unicode/utf8"

	"github.com/agentrt/agentrt/stream"
)

// pieces gives a text in reads of at most n bytes.
type pieces struct {
	text string
	n    int
}

func (p *pieces) Read(buf []byte) (int, error) {
	if p.text == "" {
		return 0, io.EOF
	}
	n := copy(buf, p.text[:min(p.n, len(p.text))])
	p.text = p.text[n:]
	return n, nil
}

func readEvents(r *stream.EventReader) ([]stream.Event, error) {
	var events []stream.Event
	for {
		e, err := r.Next()
		if errors.Is(err, io.EOF) {
			return events, nil
		}
		if err != nil {
			return events, err
		}
		events = append(events, e)
	}
}

func message(data string) stream.Event { return stream.Event{Type: "message", Data: data} }

var streams = []struct {
	name, text string
	events     []stream.Event
	id         string // in force at the end
}{
	{name: "nothing"},
	{name: "one", text: "data: a\n\n", events: []stream.Event{message("a")}},
	{name: "lines", text: "data: YHOO\ndata: +2\ndata\ndata:10\n\n", events: []stream.Event{message("YHOO\n+2\n\n10")}},
	{name: "only one space is left out", text: "data:a\n\ndata: a\n\ndata:  a\n\ndata:\ta\n\n",
		events: []stream.Event{message("a"), message("a"), message(" a"), message("\ta")}},
	{name: "empty data is an event", text: "data\n\ndata:\n\n", events: []stream.Event{message(""), message("")}},
	{name: "two empty lines", text: "data\ndata\n\n", events: []stream.Event{message("\n")}},
	{name: "no data is none", text: "event: x\n\ndata: a\n\n", events: []stream.Event{message("a")}},
	{name: "a colon in the value", text: "data: a: b:\n\n", events: []stream.Event{message("a: b:")}},
	{name: "comments", text: ": one\ndata: a\n:\n: two\n\n:\n\n", events: []stream.Event{message("a")}},
	{name: "names", text: "event: x\ndata: a\n\ndata: b\n\nevent: x\nevent:\ndata: c\n\n",
		events: []stream.Event{{Type: "x", Data: "a"}, message("b"), message("c")}},
	{name: "field names are exact", text: "Data: a\n data: b\ndata : c\ndata2: d\n\n"},
	{name: "IDs stay", text: "id: 1\ndata: a\n\ndata: b\n\nid\ndata: c\n\n",
		events: []stream.Event{{Type: "message", Data: "a", ID: "1"}, {Type: "message", Data: "b", ID: "1"}, message("c")}},
	{name: "an ID with NUL is ignored", text: "id: 1\nid: 2\x003\ndata: a\n\n", events: []stream.Event{{Type: "message", Data: "a", ID: "1"}}, id: "1"},
	{name: "an ID without data counts", text: "id: 7\n\n", id: "7"},
	{name: "an ID of an event cut off does not", text: "id: 7\n\nid: 8\ndata: a\n", id: "7"},
	{name: "retry", text: "retry: 1500\ndata: a\n\nretry: 1s\nretry: -1\nretry: +1\nretry:\ndata: b\n\nretry: 20\n\ndata: c\n\n",
		events: []stream.Event{{Type: "message", Data: "a", Retry: 1500 * time.Millisecond}, message("b"), {Type: "message", Data: "c", Retry: 20 * time.Millisecond}}},
	{name: "an endless retry", text: "retry: 99999999999999999999999999\ndata: a\n\n",
		events: []stream.Event{{Type: "message", Data: "a", Retry: math.MaxInt64 / time.Millisecond * time.Millisecond}}},
	{name: "CR", text: "data: a\rdata: b\r\rdata: c\r\r", events: []stream.Event{message("a\nb"), message("c")}},
	{name: "CRLF", text: "data: a\r\ndata: b\r\n\r\ndata: c\r\n\r\n", events: []stream.Event{message("a\nb"), message("c")}},
	{name: "mixed", text: "data: a\r\ndata: b\r\n\ndata: c\n\r\ndata: d\r\r\n", events: []stream.Event{message("a\nb"), message("c"), message("d")}},
	{name: "byte order mark", text: "\ufeffdata: a\n\n\ufeffdata: b\n\n", events: []stream.Event{message("a")}},
	{name: "two byte order marks", text: "\ufeff\ufeffdata: a\n\n"},
	{name: "half a byte order mark", text: "\xef\xbbdata: a\n\ndata: b\n\n", events: []stream.Event{message("b")}},
	{name: "runes", text: "event: é\ndata: 東京 🙂\nid: ü\n\n", events: []stream.Event{{Type: "é", Data: "東京 🙂", ID: "ü"}}, id: "ü"},
	{name: "malformed UTF-8", text: "data: \xe2\x82x\xff\xf0\x9f\n\n", events: []stream.Event{message("\ufffdx\ufffd\ufffd")}},
	{name: "NUL in data", text: "data: a\x00b\n\n", events: []stream.Event{message("a\x00b")}},
	{name: "cut off", text: "data: a\n\ndata: b\n", events: []stream.Event{message("a")}},
	{name: "cut off in a line", text: "data: a\n\ndata: b", events: []stream.Event{message("a")}},
}

func TestEventReader(t *testing.T) {
	for _, s := range streams {
		for _, n := range []int{1, 2, 3, 5, 1 << 20} {
			t.Run(s.name, func(t *testing.T) {
				r := stream.NewEventReader(&pieces{s.text, n}, stream.EventReaderConfig{})
				got, err := readEvents(r)
				if err != nil || !slices.Equal(got, s.events) || r.LastEventID() != s.id {
					t.Errorf("in pieces of %d: %+v, ID %q, %v\nwant %+v, ID %q", n, got, r.LastEventID(), err, s.events, s.id)
				}
			})
		}
	}
}

func TestEventReaderLimits(t *testing.T) {
	config := stream.EventReaderConfig{MaxLine: 10_000, MaxEvent: 25_000}
	line := func(n int) string { return "data:" + strings.Repeat("x", n-5) + "\n" }
	for _, s := range []struct {
		name, text string
		err        error
		events     int
	}{
		{"a line at the limit", line(10_000) + "\n", nil, 1},
		{"and after a byte order mark", "\ufeff" + line(10_000) + "\n", nil, 1},
		{"a line above it", "data: a\n\n" + line(10_001) + "\n", stream.ErrLineTooLong, 1},
		{"an endless line", "data: a\n\n" + strings.Repeat("x", 1<<20), stream.ErrLineTooLong, 1},
		{"an event at the limit", line(8338) + line(8338) + line(8337) + "\n", nil, 1},
		{"an event above it", line(10_000) + line(10_000) + line(5_100) + "\n", stream.ErrEventTooLarge, 0},
	} {
		t.Run(s.name, func(t *testing.T) {
			r := stream.NewEventReader(strings.NewReader(s.text), config)
			events, err := readEvents(r)
			if !errors.Is(err, s.err) || len(events) != s.events {
				t.Errorf("%d events, %v", len(events), err)
			}
			if _, again := r.Next(); s.err != nil && !errors.Is(again, s.err) {
				t.Errorf("after the error: %v", again)
			}
		})
	}
	failure := errors.New("reset")
	r := stream.NewEventReader(io.MultiReader(strings.NewReader("data: a\n\ndata: b\n"), iotest.ErrReader(failure)), stream.EventReaderConfig{})
	if events, err := readEvents(r); len(events) != 1 || !errors.Is(err, failure) {
		t.Errorf("%d events, %v", len(events), err)
	}
}

func TestEventWriter(t *testing.T) {
	for _, s := range []struct {
		event stream.Event
		text  string
		field string // that is refused
	}{
		{stream.Event{Data: "a"}, "data: a\n\n", ""},
		{stream.Event{}, "data: \n\n", ""},
		{stream.Event{Data: "a\nb\n"}, "data: a\ndata: b\ndata: \n\n", ""},
		{stream.Event{Type: "x", ID: " 1", Retry: 2 * time.Second, Data: " a"}, "event: x\nid:  1\nretry: 2000\ndata:  a\n\n", ""},
		{stream.Event{Data: "a\x00"}, "data: a\x00\n\n", ""},
		{stream.Event{Data: "a\rb"}, "", "data"},
		{stream.Event{Data: "a\r\nb"}, "", "data"},
		{stream.Event{Data: "\xff"}, "", "data"},
		{stream.Event{Type: "a\nb"}, "", "event"},
		{stream.Event{Type: "a\rb"}, "", "event"},
		{stream.Event{ID: "a\n"}, "", "id"},
		{stream.Event{ID: "a\x00"}, "", "id"},
		{stream.Event{ID: "\xc3"}, "", "id"},
		{stream.Event{Retry: -time.Second}, "", "retry"},
		{stream.Event{Retry: time.Microsecond}, "", "retry"},
	} {
		var b strings.Builder
		err := stream.NewEventWriter(&b).Write(s.event)
		if s.field == "" {
			if b.String() != s.text || err != nil {
				t.Errorf("%+v: %q, %v", s.event, b.String(), err)
			}
			continue
		}
		var refused *stream.EncodingError
		if !errors.As(err, &refused) || refused.Field != s.field || b.Len() != 0 {
			t.Errorf("%+v: wrote %q, %v", s.event, b.String(), err)
		}
	}
	for text, want := range map[string]string{"": ":\n\n", "a\n\nb": ": a\n:\n: b\n\n", "a\rb": ""} {
		var b strings.Builder
		err := stream.NewEventWriter(&b).Comment(text)
		if b.String() != want || (err != nil) != (want == "") {
			t.Errorf("comment %q: %q, %v", text, b.String(), err)
		}
	}
	if err := stream.NewEventWriter(failingWriter{}).Write(stream.Event{}); !errors.Is(err, stream.ErrWrite) {
		t.Error(err)
	}
}

type failingWriter struct{}

func (failingWriter) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

// TestEventWriterFlushes has each event read before the next one is written.
func TestEventWriterFlushes(t *testing.T) {
	read := make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		events := stream.NewEventWriter(w)
		for _, data := range []string{"a", "b\nb", "c"} {
			if err := events.Write(stream.Event{Data: data}); err != nil {
				t.Error(err)
			}
			<-read
		}
	}))
	defer s.Close()
	res, err := s.Client().Get(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	r := stream.NewEventReader(res.Body, stream.EventReaderConfig{})
	for _, want := range []string{"a", "b\nb", "c"} {
		if e, err := r.Next(); e != message(want) || err != nil {
			t.Fatalf("%+v, %v", e, err)
		}
		read <- struct{}{}
	}
}

// FuzzEvents writes events and reads them back, whatever is between them.
func FuzzEvents(f *testing.F) {
	f.Add("x", "a\nb", "1", uint16(5), "comment", 3)
	f.Add("", "", "", uint16(0), "", 1)
	f.Add("message", "\n\n", " ", uint16(1), "data: x\n\n", 2)
	f.Add("é", ":\ufeff", "\ufeff", uint16(9), "\n", 7)
	f.Fuzz(func(t *testing.T, kind, data, id string, retry uint16, comment string, size int) {
		in := stream.Event{Type: kind, Data: data, ID: id, Retry: time.Duration(retry) * time.Millisecond}
		var b strings.Builder
		w := stream.NewEventWriter(&b)
		var want []stream.Event
		last := ""
		for _, e := range []stream.Event{in, {Data: "plain"}, in} {
			if err := w.Comment(comment); err != nil && utf8.ValidString(comment) && !strings.Contains(comment, "\r") {
				t.Fatal(err)
			}
			if err := w.Write(e); err != nil {
				if utf8.ValidString(kind+"|"+data+"|"+id) && !strings.ContainsAny(kind+id, "\r\n") && !strings.Contains(data, "\r") && !strings.Contains(id, "\x00") {
					t.Fatal(err)
				}
				continue
			}
			if e.Type == "" {
				e.Type = "message"
			}
			if e.ID == "" {
				e.ID = last
			}
			last = e.ID
			want = append(want, e)
		}
		got, err := readEvents(stream.NewEventReader(&pieces{b.String(), max(1, size)}, stream.EventReaderConfig{MaxLine: 1 << 30, MaxEvent: 1 << 30}))
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%q: %+v, %v\nwant %+v", b.String(), got, err, want)
		}
	})
}

// FuzzEventReader reads any text in pieces of any size: the events are the same,
// and well-formed.
func FuzzEventReader(f *testing.F) {
	for _, s := range streams {
		f.Add(s.text, 3)
	}
	f.Fuzz(func(t *testing.T, text string, size int) {
		config := stream.EventReaderConfig{MaxLine: 100, MaxEvent: 200}
		whole, wholeErr := readEvents(stream.NewEventReader(strings.NewReader(text), config))
		split, splitErr := readEvents(stream.NewEventReader(&pieces{text, max(1, size)}, config))
		if !slices.Equal(whole, split) || (wholeErr == nil) != (splitErr == nil) || wholeErr != nil && wholeErr.Error() != splitErr.Error() {
			t.Errorf("%q in pieces of %d: %+v, %v\nwant %+v, %v", text, size, split, splitErr, whole, wholeErr)
		}
		for _, e := range whole {
			if !utf8.ValidString(e.Type+e.Data+e.ID) || strings.ContainsAny(e.Type+e.Data+e.ID, "\r") || len(e.Data) > 3*config.MaxEvent {
				t.Errorf("%+v", e)
			}
		}
	})
}
