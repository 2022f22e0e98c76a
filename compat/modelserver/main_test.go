package modelserver

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/sashabaranov/go-openai"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fixture is a server on the loopback interface.
type fixture struct {
	*Server
	url    string
	client *http.Client
}

func start(t testing.TB, config Config) *fixture {
	t.Helper()
	s := New(config)
	h := httptest.NewServer(s)
	client := &http.Client{Transport: &http.Transport{}}
	t.Cleanup(func() {
		client.CloseIdleConnections()
		h.Close()
	})
	return &fixture{Server: s, url: h.URL, client: client}
}

func (f *fixture) openai() *openai.Client {
	config := openai.DefaultConfig("test-key")
	config.BaseURL, config.HTTPClient = f.url+"/v1", f.client
	return openai.NewClientWithConfig(config)
}

// do sends a request; headers come in pairs.
func (f *fixture) do(t testing.TB, method, path, body string, headers ...string) *http.Response {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, f.url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	res, err := f.client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { res.Body.Close() })
	return res
}

// post returns the status and the body.
func (f *fixture) post(t testing.TB, path, body string, headers ...string) (int, []byte) {
	t.Helper()
	res := f.do(t, http.MethodPost, path, body, headers...)
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return res.StatusCode, b
}

func (f *fixture) get(t testing.TB, path string, v any) int {
	t.Helper()
	res := f.do(t, http.MethodGet, path, "")
	if err := json.NewDecoder(res.Body).Decode(v); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return res.StatusCode
}

// ask returns the text of a chat completion.
func (f *fixture) ask(t testing.TB, messages ...openai.ChatCompletionMessage) string {
	t.Helper()
	res, err := f.openai().CreateChatCompletion(t.Context(), openai.ChatCompletionRequest{Model: "test-model", Messages: messages})
	if err != nil {
		t.Fatal(err)
	}
	return res.Choices[0].Message.Content
}

func user(text string) openai.ChatCompletionMessage {
	return openai.ChatCompletionMessage{Role: "user", Content: text}
}

func system(text string) openai.ChatCompletionMessage {
	return openai.ChatCompletionMessage{Role: "system", Content: text}
}

func chatBody(model, text string, more ...string) string {
	b, _ := json.Marshal(map[string]any{"model": model, "stream": true, "messages": []any{map[string]string{"role": "user", "content": text}}})
	if len(more) > 0 {
		b = append(b[:len(b)-1], ","+strings.Join(more, ",")+"}"...)
	}
	return string(b)
}

type sse struct{ name, data string }

// events reads server-sent events strictly: only event and data fields of one line.
func events(t testing.TB, r io.Reader) []sse {
	t.Helper()
	var out []sse
	var e sse
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 32<<20)
	for lines.Scan() {
		line := lines.Text()
		name, value, _ := strings.Cut(line, ": ")
		switch {
		case line == "":
			out, e = append(out, e), sse{}
		case name == "event" && e.name == "" && e.data == "":
			e.name = value
		case name == "data" && e.data == "":
			e.data = value
		default:
			t.Fatalf("unexpected line %q", line)
		}
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	if e != (sse{}) {
		t.Fatalf("the last event %q has no end", e)
	}
	return out
}

// strict decodes a document and refuses fields that v lacks.
func strict(t testing.TB, data string, v any) {
	t.Helper()
	dec := json.NewDecoder(strings.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(v); err != nil {
		t.Fatalf("%v in %s", err, data)
	}
}

// eventually waits until the condition holds; the test's deadline bounds it.
func eventually(t testing.TB, what string, condition func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	for !condition() {
		select {
		case <-ctx.Done():
			t.Fatalf("never came true: %s", what)
		case <-time.After(time.Millisecond):
		}
	}
}
