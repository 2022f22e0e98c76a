package modelserver

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"unicode/utf8"
)

const (
	chatPath   = "/v1/chat/completions"
	geminiPath = "/v1beta/models/%s:streamGenerateContent?alt=sse"
)

// ways are the streamed routes with a body for a model and a question.
var ways = []struct {
	name string
	req  func(model, text string) (path, body string)
}{
	{"chat", func(model, text string) (string, string) { return chatPath, chatBody(model, text) }},
	{"responses", func(model, text string) (string, string) {
		return "/v1/responses", fmt.Sprintf(`{"model":%q,"stream":true,"input":%q}`, model, text)
	}},
	{"anthropic", func(model, text string) (string, string) {
		return "/v1/messages", fmt.Sprintf(`{"model":%q,"stream":true,"max_tokens":1000000,"messages":[{"role":"user","content":%q}]}`, model, text)
	}},
	{"gemini", func(model, text string) (string, string) {
		return fmt.Sprintf(geminiPath, model), fmt.Sprintf(`{"contents":[{"parts":[{"text":%q}]}]}`, text)
	}},
}

// tokensOf returns the deltas of a stream's events, whatever the protocol.
func tokensOf(t *testing.T, all []sse) []string {
	t.Helper()
	var out []string
	for _, e := range all {
		var v struct {
			Type    string
			Delta   json.RawMessage
			Choices []struct {
				Delta struct{ Content string }
			}
			Candidates []struct {
				Content struct{ Parts []struct{ Text string } }
			}
		}
		if json.Unmarshal([]byte(e.data), &v) != nil {
			continue
		}
		token := ""
		switch {
		case v.Type == "response.output_text.delta":
			_ = json.Unmarshal(v.Delta, &token)
		case v.Type == "content_block_delta":
			var d struct{ Text string }
			_ = json.Unmarshal(v.Delta, &d)
			token = d.Text
		case len(v.Choices) > 0:
			token = v.Choices[0].Delta.Content
		case len(v.Candidates) > 0:
			token = v.Candidates[0].Content.Parts[0].Text
		}
		if token != "" {
			out = append(out, token)
		}
	}
	return out
}

// raw sends a request over its own connection and returns the answer's reader behind
// the header.
func (f *fixture) raw(t *testing.T, path, body string) (net.Conn, *bufio.Reader, http.Header) {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(f.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if _, err := fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s", path, len(body), body); err != nil {
		t.Fatal(err)
	}
	r := bufio.NewReader(conn)
	status, err := r.ReadString('\n')
	if err != nil || !strings.Contains(status, "200") {
		t.Fatalf("%q %v", status, err)
	}
	header := http.Header{}
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		if line == "\r\n" {
			return conn, r, header
		}
		name, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
		header.Set(name, value)
	}
}

// chunks reads the body's HTTP chunks, which are the server's writes.
func chunks(t *testing.T, r *bufio.Reader) []string {
	t.Helper()
	var out []string
	for {
		var size int
		line, err := r.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		if _, err := fmt.Sscanf(line, "%x", &size); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		data := make([]byte, size+2)
		if _, err := io.ReadFull(r, data); err != nil {
			t.Fatal(err)
		}
		if size == 0 {
			return out
		}
		out = append(out, string(data[:size]))
	}
}

func TestStatusFaults(t *testing.T) {
	f := start(t, Config{})
	for _, way := range ways {
		for _, status := range []int{429, 500, 503, 418, 529} {
			path, body := way.req(fmt.Sprintf("m;fault=%d", status), "say a")
			got, answer := f.post(t, path, body)
			if got != status {
				t.Errorf("%s: %d, want %d", way.name, got, status)
			}
			path, _, _ = strings.Cut(path, "?")
			checkError(t, path, answer, "", "fault", status)
		}
	}
	res := f.do(t, http.MethodPost, chatPath, chatBody("m;fault=429/1500ms", "say a"))
	if res.Header.Get("Retry-After") != "2" || res.Header.Get("Retry-After-Ms") != "1500" {
		t.Errorf("headers %v", res.Header)
	}
	if res := f.do(t, http.MethodGet, "/v1/models?test-fault=500", ""); res.StatusCode != 500 {
		t.Errorf("models: %d", res.StatusCode)
	}
	if status, _ := f.post(t, "/v1/embeddings", `{"model":"m;fault=503","input":"x"}`); status != 503 {
		t.Errorf("embeddings: %d", status)
	}
}

func TestStatusFaultsStopAfterTheirTimes(t *testing.T) {
	f := start(t, Config{})
	send := func(key, fault string) int {
		status, _ := f.post(t, chatPath, chatBody("m", "say a"), "Authorization", "Bearer "+key, "X-Test-Fault", fault)
		return status
	}
	for _, fault := range []string{"429x2", "500x2"} {
		want := []int{429, 429, 200, 200}
		if fault == "500x2" {
			want = []int{500, 500, 200, 200}
		}
		for i := range want {
			for _, key := range []string{"a", "b"} {
				if got := send(key, fault); got != want[i] {
					t.Errorf("%s, key %s, request %d: %d", fault, key, i, got)
				}
			}
		}
	}
	f.Reset()
	if got := send("a", "429x2"); got != 429 {
		t.Errorf("after Reset: %d", got)
	}
	if status, _ := f.post(t, chatPath, chatBody("m;fault=429x1;key=other", "say a")); status != 429 {
		t.Errorf("key as an option: %d", status)
	}
}

func TestEndingFaults(t *testing.T) {
	cases := []struct {
		fault string
		ends  func(error) bool
	}{
		{"cut", func(err error) bool { return errors.Is(err, io.ErrUnexpectedEOF) }},
		{"reset", func(err error) bool { return errors.Is(err, syscall.ECONNRESET) }},
		{"end", func(err error) bool { return err == nil }},
		{"error", func(err error) bool { return err == nil }},
	}
	for _, way := range ways {
		for _, c := range cases {
			for k, at := range map[int]string{0: "", 3: "@3", 5: "@99"} {
				t.Run(way.name+" "+c.fault+at, func(t *testing.T) {
					f := start(t, Config{Delay: 1})
					path, body := way.req("m;fault="+c.fault+at, "say a b c d e")
					res := f.do(t, http.MethodPost, path, body)
					got, err := io.ReadAll(res.Body)
					if !c.ends(err) {
						t.Errorf("the body ends with %v", err)
					}
					if c.fault == "reset" {
						// What the client's system has not handed over is lost in a reset.
						return
					}
					all := events(t, strings.NewReader(string(got)))
					if n := len(tokensOf(t, all)); n != k {
						t.Errorf("%d tokens, want %d", n, k)
					}
					last := ""
					if len(all) > 0 {
						last = all[len(all)-1].data
					}
					if isError := strings.Contains(last, "was asked for"); isError != (c.fault == "error") {
						t.Errorf("the last event is %s", last)
					}
					if strings.Contains(string(got), "[DONE]") || strings.Contains(string(got), "message_stop") || strings.Contains(string(got), "response.completed") || strings.Contains(string(got), `"STOP"`) {
						t.Error("the stream was ended in full")
					}
					eventually(t, "the fault is counted", func() bool { return f.Stats().Faulted == 1 && f.Stats().Live == 0 })
					if r := f.Requests()[0]; r.Outcome != OutcomeFault || r.Tokens != k || len(r.Faults) != 1 {
						t.Errorf("recorded %+v", r)
					}
				})
			}
		}
	}
}

func TestErrorEventsHaveTheProvidersShape(t *testing.T) {
	f := start(t, Config{})
	for i, want := range []sse{
		{"", `{"error":{"message":"fault \"error@1\" was asked for","type":"server_error","param":null,"code":null}}`},
		{"error", `{"code":"server_error","message":"fault \"error@1\" was asked for","param":null,"sequence_number":5,"type":"error"}`},
		{"error", `{"error":{"message":"fault \"error@1\" was asked for","type":"api_error"},"type":"error"}`},
		{"", `{"error":{"code":500,"message":"fault \"error@1\" was asked for","status":"INTERNAL"}}`},
	} {
		path, body := ways[i].req("m;fault=error@1", "say a b")
		_, got := f.post(t, path, body)
		all := events(t, strings.NewReader(string(got)))
		if last := all[len(all)-1]; last != want {
			t.Errorf("%s: %+v", ways[i].name, last)
		}
	}
}

func TestStallLastsUntilTheClientLeaves(t *testing.T) {
	f := start(t, Config{})
	for i, way := range ways {
		path, body := way.req("m;fault=stall@2", "say a b c")
		res := f.do(t, http.MethodPost, path, body)
		lines := bufio.NewScanner(res.Body)
		for tokens := 0; tokens < 2 && lines.Scan(); {
			data, _ := strings.CutPrefix(lines.Text(), "data: ")
			tokens += len(tokensOf(t, []sse{{data: data}}))
		}
		if s := f.Stats(); s.Live != 1 {
			t.Errorf("%s: %+v", way.name, s)
		}
		res.Body.Close()
		eventually(t, "the stream is cancelled", func() bool { s := f.Stats(); return s.Live == 0 && s.Cancelled == int64(i+1) })
	}
}

func TestBadJSONIsFollowedByTheRest(t *testing.T) {
	f := start(t, Config{})
	for _, way := range ways {
		path, body := way.req("m;fault=bad-json@1", "say a b c")
		_, got := f.post(t, path, body)
		all := events(t, strings.NewReader(string(got)))
		bad := 0
		for _, e := range all {
			if !json.Valid([]byte(e.data)) && e.data != "[DONE]" {
				bad++
			}
		}
		if tokens := strings.Join(tokensOf(t, all), ""); bad != 1 || tokens != "a b c" {
			t.Errorf("%s: %d bad events, tokens %q", way.name, bad, tokens)
		}
	}
}

func TestHugeEvent(t *testing.T) {
	f := start(t, Config{})
	for i, way := range ways {
		fault, size := "huge", DefaultHuge
		if i > 0 {
			fault, size = "huge@300000", 300_000
		}
		path, body := way.req("m;fault="+fault, "say a b")
		_, got := f.post(t, path, body)
		tokens := tokensOf(t, events(t, strings.NewReader(string(got))))
		if len(tokens) != 3 || len(tokens[0]) != size {
			t.Errorf("%s: %d tokens, the first of %d bytes", way.name, len(tokens), len(tokens[0]))
		}
	}
}

func TestEndlessLineIsBounded(t *testing.T) {
	f := start(t, Config{})
	path, body := ways[0].req("m;fault=endless-line", "say a b")
	res := f.do(t, http.MethodPost, path, body)
	r := bufio.NewReader(res.Body)
	line := 0
	for {
		part, err := r.ReadSlice('\n')
		line += len(part)
		if err == nil {
			line = 0
		} else if !errors.Is(err, bufio.ErrBufferFull) {
			if !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Errorf("ends with %v", err)
			}
			break
		}
	}
	if want := DefaultEndlessLine + len("data: "); line != want {
		t.Errorf("the last line has %d bytes, want %d", line, want)
	}
}

func TestUTF8IsSplitByEveryWrite(t *testing.T) {
	f := start(t, Config{})
	for _, way := range ways {
		path, body := way.req("m;fault=utf8", "say a b c d")
		_, r, _ := f.raw(t, path, body)
		parts := chunks(t, r)
		for i, part := range parts[:len(parts)-1] {
			if last, _ := utf8.DecodeLastRuneInString(part); last != utf8.RuneError {
				t.Errorf("%s: write %d ends with %q", way.name, i, part[len(part)-10:])
			}
		}
		if len(parts) < 5 {
			t.Errorf("%s: %d writes", way.name, len(parts))
		}
		all := events(t, strings.NewReader(strings.Join(parts, "")))
		if got := strings.Join(tokensOf(t, all), ""); got != "aé b世 c🙂 dé" {
			t.Errorf("%s: %q", way.name, got)
		}
	}
}

func TestFramesAreSplitTheSameWayEachTime(t *testing.T) {
	f := start(t, Config{})
	for _, way := range ways {
		var sizes [2][]int
		for i := range sizes {
			path, body := way.req("m;fault=frames", "say a b c d")
			_, r, _ := f.raw(t, path, body)
			parts := chunks(t, r)
			for _, part := range parts[:20] {
				sizes[i] = append(sizes[i], len(part))
				if len(part) < 1 || len(part) > 24 {
					t.Errorf("%s: a piece of %d bytes", way.name, len(part))
				}
			}
			if got := strings.Join(tokensOf(t, events(t, strings.NewReader(strings.Join(parts, "")))), ""); got != "a b c d" {
				t.Errorf("%s: %q", way.name, got)
			}
		}
		if fmt.Sprint(sizes[0]) != fmt.Sprint(sizes[1]) {
			t.Errorf("%s: sizes %v and %v", way.name, sizes[0], sizes[1])
		}
	}
}

func TestLineEndsAndComments(t *testing.T) {
	f := start(t, Config{})
	for _, way := range ways {
		path, body := way.req("m", "say a b")
		_, plain := f.post(t, path, body)
		path, body = way.req("m;fault=crlf,comments", "say a b")
		_, got := f.post(t, path, body)
		text := string(got)
		if strings.Count(text, "\n") != strings.Count(text, "\r\n") {
			t.Errorf("%s: lone line ends", way.name)
		}
		comments := strings.Count(text, ": heartbeat\r\n\r\n")
		text = strings.ReplaceAll(strings.ReplaceAll(text, ": heartbeat\r\n\r\n", ""), "\r\n", "\n")
		if want := len(events(t, strings.NewReader(string(plain)))); comments != want || len(events(t, strings.NewReader(text))) != want {
			t.Errorf("%s: %d comments, want %d", way.name, comments, want)
		}
	}
}

func TestSlowHeadersAreCancelledByTheClient(t *testing.T) {
	f := start(t, Config{})
	if status, body := f.post(t, chatPath, chatBody("m;fault=slow-headers@1ms", "say a")); status != 200 || len(events(t, strings.NewReader(string(body)))) != 4 {
		t.Errorf("%d %s", status, body)
	}
	conn, err := net.Dial("tcp", strings.TrimPrefix(f.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	body := chatBody("m;fault=slow-headers@10m", "say a")
	fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s", chatPath, len(body), body)
	eventually(t, "the request waits", func() bool { all := f.Requests(); return len(all) == 2 && len(all[1].Faults) == 1 })
	conn.Close()
	eventually(t, "the request is cancelled", func() bool { return f.Requests()[1].Outcome == OutcomeCancelled })
}

func TestFaultsOfWholeAnswers(t *testing.T) {
	f := start(t, Config{})
	whole := func(fault string) string {
		return strings.Replace(chatBody("m;fault="+fault, "say a é b"), `"stream":true`, `"stream":false`, 1)
	}
	cases := []struct {
		fault string
		check func(status int, body []byte, err error) bool
	}{
		{"cut@1", func(_ int, b []byte, err error) bool { return errors.Is(err, io.ErrUnexpectedEOF) && len(b) > 0 }},
		{"reset@1", func(_ int, _ []byte, err error) bool { return errors.Is(err, syscall.ECONNRESET) }},
		{"end@1", func(_ int, b []byte, err error) bool { return err == nil && len(b) > 0 && !json.Valid(b) }},
		{"error", func(status int, b []byte, err error) bool {
			return status == 500 && strings.Contains(string(b), `"server_error"`)
		}},
		{"bad-json", func(_ int, b []byte, err error) bool {
			return err == nil && !json.Valid(b) && json.Valid(append(b, '}'))
		}},
		{"utf8", func(_ int, b []byte, err error) bool { return err == nil && json.Valid(b) }},
		{"frames", func(_ int, b []byte, err error) bool { return err == nil && json.Valid(b) }},
		{"huge,crlf,comments", func(_ int, b []byte, err error) bool { return err == nil && json.Valid(b) && len(b) < 1000 }},
	}
	for _, c := range cases {
		res := f.do(t, http.MethodPost, chatPath, whole(c.fault))
		body, err := io.ReadAll(res.Body)
		if !c.check(res.StatusCode, body, err) {
			t.Errorf("%s: %d %s %v", c.fault, res.StatusCode, body, err)
		}
	}
	body := whole("stall")
	conn, r, header := f.raw(t, chatPath, body)
	half := make([]byte, 10)
	if _, err := io.ReadFull(r, half); err != nil || header.Get("Content-Length") == "" {
		t.Errorf("%v %v", header, err)
	}
	conn.Close()
	eventually(t, "the stalled request ends", func() bool { all := f.Requests(); return all[len(all)-1].Outcome == OutcomeCancelled })
}
