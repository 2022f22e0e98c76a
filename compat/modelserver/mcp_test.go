package modelserver

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
)

func TestMCP(t *testing.T) {
	f := start(t, Config{})
	session := ""
	send := func(method, body string) (*http.Response, string) {
		res := f.do(t, method, "/mcp", body, "Content-Type", "application/json", "Accept", "application/json, text/event-stream", "Mcp-Session-Id", session)
		if strings.HasPrefix(res.Header.Get("Content-Type"), "text/event-stream") {
			var all []string
			for _, e := range events(t, res.Body) {
				all = append(all, e.data)
			}
			return res, strings.Join(all, "\n")
		}
		var v json.RawMessage
		if err := json.NewDecoder(res.Body).Decode(&v); err != nil {
			return res, ""
		}
		return res, string(v)
	}
	if res, _ := send("POST", `{"jsonrpc":"2.0","id":1,"method":"tools/list"}`); res.StatusCode != http.StatusNotFound {
		t.Errorf("without a session: %d, want 404", res.StatusCode)
	}
	res, body := send("POST", `{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-03-26"}}`)
	if session = res.Header.Get("Mcp-Session-Id"); session == "" || !strings.Contains(body, `"protocolVersion":"2025-03-26"`) {
		t.Fatalf("initialize: session %q, %s", session, body)
	}
	if res, _ := send("POST", `{"jsonrpc":"2.0","method":"notifications/initialized"}`); res.StatusCode != http.StatusAccepted {
		t.Errorf("a notification: %d, want 202", res.StatusCode)
	}
	for _, c := range []struct{ request, want string }{
		{`"method":"ping"`, `"result":{}`},
		{`"method":"tools/list"`, `"name":"reverse_text"`},
		{`"method":"resources/list"`, `"uri":"test://greeting"`},
		{`"method":"resources/templates/list"`, `"resourceTemplates":[]`},
		{`"method":"resources/read","params":{"uri":"test://greeting"}`, `Hello from a resource.`},
		{`"method":"resources/read","params":{"uri":"test://x"}`, `"code":-32002`},
		{`"method":"prompts/list"`, `"name":"greet"`},
		{`"method":"prompts/get","params":{"name":"greet","arguments":{"name":"Ada"}}`, `say Hello Ada`},
		{`"method":"prompts/get","params":{"name":"greet"}`, `"code":-32602`},
		{`"method":"prompts/get","params":{"name":7}`, `"code":-32602`},
		{`"method":"nope"`, `"code":-32601`},
		{`"method":"tools/call","params":{"name":"reverse_text","arguments":{"text":"abü"}}`, `"text":"üba"`},
		{`"method":"tools/call","params":{"name":"add_numbers","arguments":{"a":1.5,"b":2}}`, `"structuredContent":{"sum":3.5}`},
		{`"method":"tools/call","params":{"name":"count_up","arguments":{"to":3}}`, `"text":"1 2 3"`},
		{`"method":"tools/call","params":{"name":"count_up","arguments":{"to":2},"_meta":{"progressToken":7}}`, `"progress":2,"progressToken":7`},
		{`"method":"tools/call","params":{"name":"count_up","arguments":{"to":101}}`, `"isError":true`},
		{`"method":"tools/call","params":{"name":"count_up","arguments":{"to":"x"}}`, `"isError":true`},
		{`"method":"tools/call","params":{"name":"nope"}`, `"message":"unknown tool nope"`},
	} {
		if _, body := send("POST", `{"jsonrpc":"2.0","id":"a",`+c.request+`}`); !strings.Contains(body, c.want) || !strings.Contains(body, `"id":"a"`) {
			t.Errorf("%s gives %s, want %s", c.request, body, c.want)
		}
	}
	if res, _ := send("DELETE", ""); res.StatusCode != http.StatusOK {
		t.Errorf("DELETE: %d", res.StatusCode)
	}
	if res, _ := send("DELETE", ""); res.StatusCode != http.StatusNotFound {
		t.Errorf("a second DELETE: %d, want 404", res.StatusCode)
	}
	if res := f.do(t, "GET", "/mcp", ""); res.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("GET: %d, want 405", res.StatusCode)
	}
}
