package modelserver

import (
	"bufio"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
)

// ollamaLines returns the objects of a streamed answer.
func ollamaLines(t *testing.T, res *http.Response) (objects []map[string]any) {
	t.Helper()
	if kind := res.Header.Get("Content-Type"); kind != "application/x-ndjson" {
		t.Errorf("the content type is %q", kind)
	}
	for lines := bufio.NewScanner(res.Body); lines.Scan(); {
		var v map[string]any
		if err := json.Unmarshal(lines.Bytes(), &v); err != nil {
			t.Fatalf("%v in %s", err, lines.Bytes())
		}
		objects = append(objects, v)
	}
	return objects
}

func TestOllamaStreams(t *testing.T) {
	f := start(t, Config{})
	text := ""
	objects := ollamaLines(t, f.do(t, "POST", "/api/chat", `{"model":"m","messages":[{"role":"user","content":"say one two"}]}`))
	for _, v := range objects {
		text += v["message"].(map[string]any)["content"].(string)
	}
	last := objects[len(objects)-1]
	if text != "one two" || last["done"] != true || last["done_reason"] != "stop" || last["eval_count"] != 2.0 {
		t.Errorf("the text is %q, the last line %v", text, last)
	}
	objects = ollamaLines(t, f.do(t, "POST", "/api/generate", `{"model":"m","prompt":"say one two three","options":{"num_predict":2}}`))
	if n := len(objects); n != 3 || objects[1]["response"] != " two" || objects[2]["done_reason"] != "length" {
		t.Errorf("%d lines: %v", n, objects)
	}
	objects = ollamaLines(t, f.do(t, "POST", "/api/chat", `{"model":"m;fault=error@1","messages":[{"role":"user","content":"say one two"}]}`))
	if n := len(objects); n != 2 || objects[1]["error"] == nil {
		t.Errorf("an error in the midst: %v", objects)
	}
}

func TestOllama(t *testing.T) {
	f := start(t, Config{})
	for _, c := range []struct {
		path, body string
		status     int
		want       string
	}{
		{"/api/chat", `{"model":"m","stream":false,"messages":[{"role":"user","content":"weather in \"Oslo\"?"}],"tools":[{"type":"function","function":{"name":"get_weather","parameters":{"type":"object","properties":{"city":{"type":"string"}},"required":["city"]}}}]}`, 200, `"tool_calls":[{"function":{"arguments":{"city":"Oslo"},"name":"get_weather"}}]`},
		{"/api/chat", `{"model":"m","stream":false,"messages":[{"role":"user","content":"weather in \"Oslo\"?"},{"role":"assistant","content":"","tool_calls":[{"function":{"name":"get_weather","arguments":{"city":"Oslo"}}}]},{"role":"tool","tool_name":"get_weather","content":"dry"}]}`, 200, `get_weather returned dry.`},
		{"/api/chat", `{"model":"m","stream":false,"format":{"type":"object","properties":{"age":{"type":"integer"}},"required":["age"]},"messages":[{"role":"user","content":"of age 36"}]}`, 200, `{\"age\":36}`},
		{"/api/generate", `{"model":"m","stream":false,"prompt":"What is 1+1?","images":["aGk="],"format":"json"}`, 200, `I see 1 image. 1+1 = 2`},
		{"/api/generate", `{"model":"m","stream":false,"system":"The pool opens at ten.","prompt":"When does the pool open?"}`, 200, `The pool opens at ten.`},
		{"/api/embed", `{"model":"m","input":["a","b"],"dimensions":8}`, 200, `"embeddings":[[`},
		{"/api/chat", `{"messages":[]}`, 400, `{"error":"model is required"}`},
		{"/api/chat", `{"model":"m","messages":[{"role":"x"}]}`, 400, `messages[0].role`},
		{"/api/chat", `{"model":"m;fault=404","messages":[]}`, 404, `"error":"fault`},
		{"/api/nope", `{}`, 404, `{"error":"Unknown request URL`},
	} {
		status, body := f.post(t, c.path, c.body)
		if status != c.status || !strings.Contains(string(body), c.want) {
			t.Errorf("%s %s gives %d %s, want %d with %s", c.path, c.body, status, body, c.status, c.want)
		}
	}
	var tags struct{ Models []struct{ Name string } }
	if status := f.get(t, "/api/tags", &tags); status != 200 || len(tags.Models) != len(models) {
		t.Errorf("tags: %d %v", status, tags)
	}
}
