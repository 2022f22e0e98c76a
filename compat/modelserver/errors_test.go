package modelserver

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"
)

func TestBadRequests(t *testing.T) {
	f := start(t, Config{})
	const chat, messages, responses, gemini = "/v1/chat/completions", "/v1/messages", "/v1/responses", "/v1beta/models/m:generateContent"
	one := `"messages":[{"role":"user","content":"hi"}]`
	deep := strings.Repeat(`{"items":`, 200) + "{}" + strings.Repeat("}", 200)
	cases := []struct {
		path, body string
		status     int
		param      string // of OpenAI's shape
		says       string // part of the message
	}{
		{chat, ``, 400, "", "empty"},
		{chat, `{"model":`, 400, "", "JSON"},
		{chat, `{"model":"m",}`, 400, "", "JSON"},
		{chat, `[]`, 400, "", "array"},
		{chat, `{` + one + `}`, 400, "model", "model"},
		{chat, `{"model":5,` + one + `}`, 400, "model", "a string"},
		{chat, `{"model":"m"}`, 400, "messages", "messages"},
		{chat, `{"model":"m","messages":"hi"}`, 400, "messages", "an array"},
		{chat, `{"model":"m","messages":[{"role":"robot","content":"hi"}]}`, 400, "messages[0].role", "robot"},
		{chat, `{"model":"m","stream":"yes",` + one + `}`, 400, "stream", "a boolean"},
		{chat, `{"model":"m","n":0,` + one + `}`, 400, "n", "1 to 128"},
		{chat, `{"model":"m","n":129,` + one + `}`, 400, "n", "1 to 128"},
		{chat, `{"model":"m","max_tokens":-1,` + one + `}`, 400, "max_tokens", "at least 1"},
		{chat, `{"model":"m","tool_choice":"maybe",` + one + `}`, 400, "tool_choice", "maybe"},
		{chat, `{"model":"m","tools":[{"type":"function","function":{}}],` + one + `}`, 400, "tools[0].function.name", "name"},
		{chat, `{"model":"m","response_format":{"type":"xml"},` + one + `}`, 400, "response_format.type", "xml"},
		{chat, `{"model":"m","response_format":{"type":"json_schema"},` + one + `}`, 400, "response_format.json_schema", "schema"},
		{chat, `{"model":"m","response_format":{"type":"json_schema","json_schema":{"name":"x","schema":{"$ref":"#/$defs/none"}}},` + one + `}`, 400, "", "$ref"},
		{chat, `{"model":"m","response_format":{"type":"json_schema","json_schema":{"name":"x","schema":` + deep + `}},` + one + `}`, 400, "response_format.json_schema.schema", "nested"},
		{chat, `{"model":"m;tokens=-1",` + one + `}`, 400, "model", "0 to 1000000"},
		{chat, `{"model":"m;tokens=1000001",` + one + `}`, 400, "model", "0 to 1000000"},
		{chat, `{"model":"m;delay=11m",` + one + `}`, 400, "model", "10m"},
		{chat, `{"model":"m;fault=explode",` + one + `}`, 400, "model", "explode"},
		{chat, `{"model":"m;speed=5",` + one + `}`, 400, "model", "first-delay"},
		{"/v1/embeddings", `{"model":"m"}`, 400, "input", "input"},
		{"/v1/embeddings", `{"input":"x"}`, 400, "model", "model"},
		{"/v1/embeddings", `{"model":"m","input":{"a":1}}`, 400, "input", "array"},
		{"/v1/embeddings", `{"model":"m","input":[]}`, 400, "input", "1 to 2048"},
		{"/v1/embeddings", `{"model":"m","input":"x","dimensions":0}`, 400, "dimensions", "1 to 3072"},
		{"/v1/embeddings", `{"model":"m","input":"x","dimensions":3073}`, 400, "dimensions", "1 to 3072"},
		{"/v1/embeddings", `{"model":"m","input":"x","encoding_format":"hex"}`, 400, "encoding_format", "base64"},
		{responses, `{"input":"x"}`, 400, "model", "model"},
		{responses, `{"model":"m"}`, 400, "input", "input"},
		{responses, `{"model":"m","input":5}`, 400, "input", "array"},
		{responses, `{"model":"m","input":[]}`, 400, "input", "item"},
		{responses, `{"model":"m","input":"x","previous_response_id":"resp_none"}`, 400, "previous_response_id", "not found"},
		{responses, `{"model":"m","input":[{"type":"item_reference","id":"msg_none"}]}`, 404, "input[0]", "msg_none"},
		{responses, `{"model":"m","input":"x","max_output_tokens":0}`, 400, "max_output_tokens", "at least 1"},
		{"/v1/files", `{}`, 400, "file", "multipart"},
		{"/v1/nothing", `{}`, 404, "", "/v1/chat/completions"},
		{messages, `{"max_tokens":1,` + one + `}`, 400, "", "model"},
		{messages, `{"model":"m",` + one + `}`, 400, "", "max_tokens"},
		{messages, `{"model":"m","max_tokens":0,` + one + `}`, 400, "", "max_tokens"},
		{messages, `{"model":"m","max_tokens":1,"messages":[]}`, 400, "", "messages"},
		{messages, `{"model":"m","max_tokens":1,"messages":[{"role":"user","content":5}]}`, 400, "", "content"},
		{messages, `{`, 400, "", "JSON"},
		{gemini, `{}`, 400, "", "contents"},
		{gemini, `{"contents":[{"role":"robot","parts":[]}]}`, 400, "", "robot"},
		{gemini, `{"contents":{}}`, 400, "", "an array"},
		{"/v1beta/models/m:fly", `{}`, 404, "", "URL"},
		{"/v1beta/models/m:embedContent", `{}`, 400, "", "content"},
		{"/v1beta/models/m:batchEmbedContents", `{"requests":[]}`, 400, "", "1 to 2048"},
	}
	for _, c := range cases {
		t.Run(c.path+" "+c.body[:min(len(c.body), 60)], func(t *testing.T) {
			status, body := f.post(t, c.path, c.body)
			if status != c.status {
				t.Fatalf("status %d, want %d: %s", status, c.status, body)
			}
			checkError(t, c.path, body, c.param, c.says, status)
		})
	}
}

// checkError decodes an error strictly in the shape of the route's provider.
func checkError(t *testing.T, path string, body []byte, param, says string, status int) {
	t.Helper()
	var message string
	switch {
	case strings.HasPrefix(path, "/v1beta"):
		var e struct {
			Error struct {
				Code            int
				Message, Status string
			}
		}
		strict(t, string(body), &e)
		message = e.Error.Message
		if e.Error.Code != status || e.Error.Status == "" {
			t.Errorf("error %s", body)
		}
	case path == "/v1/messages":
		var e struct {
			Type      string
			RequestID string `json:"request_id"`
			Error     struct{ Type, Message string }
		}
		strict(t, string(body), &e)
		message = e.Error.Message
		if e.Type != "error" || !strings.HasSuffix(e.Error.Type, "error") && e.Error.Type != "request_too_large" {
			t.Errorf("error %s", body)
		}
	default:
		var e struct {
			Error struct {
				Message, Type string
				Param, Code   *string
			}
		}
		strict(t, string(body), &e)
		message = e.Error.Message
		if got := fmt.Sprint(deref(e.Error.Param)); got != param || e.Error.Type == "" || !bytes.Contains(body, []byte(`"code":`)) {
			t.Errorf("param %q, want %q: %s", got, param, body)
		}
	}
	if !strings.Contains(message, says) {
		t.Errorf("message %q does not say %q", message, says)
	}
}

func deref(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

func TestMethodsAndUnknownFiles(t *testing.T) {
	f := start(t, Config{})
	cases := []struct {
		method, path string
		status       int
		allow        string
	}{
		{"GET", "/v1/chat/completions", 405, "POST"},
		{"DELETE", "/v1/files", 405, "GET, POST"},
		{"POST", "/v1/models/test-model", 405, "GET"},
		{"GET", "/v1/models/none", 404, ""},
		{"GET", "/v1/files/none", 404, ""},
		{"GET", "/_test/none", 404, ""},
		{"GET", "/_test/requests?limit=x", 400, ""},
		{"GET", "/", 404, ""},
	}
	for _, c := range cases {
		res := f.do(t, c.method, c.path, "")
		if res.StatusCode != c.status || res.Header.Get("Allow") != c.allow {
			t.Errorf("%s %s: %d, Allow %q", c.method, c.path, res.StatusCode, res.Header.Get("Allow"))
		}
	}
}

func TestKeyIsAsked(t *testing.T) {
	f := start(t, Config{APIKey: "secret-key"})
	chat := chatBody("m", "say a")
	gemini := `{"contents":[{"parts":[{"text":"say a"}]}]}`
	cases := []struct {
		path, body string
		headers    []string
		status     int
	}{
		{"/v1/chat/completions", chat, nil, 401},
		{"/v1/chat/completions", chat, []string{"Authorization", "Bearer wrong"}, 401},
		{"/v1/chat/completions", chat, []string{"Authorization", "secret-key"}, 401},
		{"/v1/chat/completions", chat, []string{"Authorization", "Bearer secret-key"}, 200},
		{"/v1/messages", `{"model":"m","max_tokens":5,"messages":[{"role":"user","content":"say a"}]}`, []string{"X-Api-Key", "secret-key"}, 200},
		{"/v1/messages", `{}`, []string{"X-Api-Key", "wrong"}, 401},
		{"/v1beta/models/m:generateContent", gemini, []string{"X-Goog-Api-Key", "secret-key"}, 200},
		{"/v1beta/models/m:generateContent?key=secret-key", gemini, nil, 200},
		{"/v1beta/models/m:generateContent?key=wrong", gemini, nil, 401},
		{"/v1/nothing", `{}`, nil, 401},
	}
	for _, c := range cases {
		status, body := f.post(t, c.path, c.body, c.headers...)
		if status != c.status {
			t.Errorf("%s %v: %d, want %d: %s", c.path, c.headers, status, c.status, body)
		}
		if status == 401 {
			path, _, _ := strings.Cut(c.path, "?")
			checkError(t, path, body, "", "key", 401)
		}
	}
	var got struct{ Requests []Request }
	f.get(t, "/_test/requests", &got)
	if dump, _ := json.Marshal(got); bytes.Contains(dump, []byte("secret-key")) || !bytes.Contains(dump, []byte("Bearer …-key")) {
		t.Errorf("recorded keys: %s", dump)
	}
}

func TestTooLargeBodies(t *testing.T) {
	f := start(t, Config{})
	big := strings.Repeat("x", MaxBody)
	for _, path := range []string{"/v1/chat/completions", "/v1/messages", "/v1beta/models/m:generateContent"} {
		status, body := f.post(t, path, `{"model":"`+big+`"}`)
		if status != http.StatusRequestEntityTooLarge {
			t.Fatalf("%s: %d %.200s", path, status, body)
		}
		checkError(t, path, body, "", "33554432", status)
	}
	r, w := io.Pipe()
	form := multipart.NewWriter(w)
	go func() {
		part, err := form.CreateFormFile("file", "big.bin")
		if err == nil {
			_, err = io.Copy(part, strings.NewReader(big))
		}
		if err == nil {
			err = form.Close()
		}
		w.CloseWithError(err)
	}()
	defer r.Close()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, f.url+"/v1/files", r)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", form.FormDataContentType())
	res, err := f.client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusRequestEntityTooLarge {
		t.Errorf("upload: %d", res.StatusCode)
	}
}
