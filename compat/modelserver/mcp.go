package modelserver

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// maxSessions is the number of MCP sessions that are kept; the oldest go first.
const maxSessions = 256

// mcpVersions are the versions of the protocol that are spoken, the newest first.
var mcpVersions = []string{"2025-11-25", "2025-06-18", "2025-03-26"}

// mcpMessage is a message of JSON-RPC 2.0.
type mcpMessage struct {
	ID     json.RawMessage `json:"id"`
	Method string          `json:"method"`
	Params json.RawMessage `json:"params"`
}

type mcpError struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
}

func (e *mcpError) Error() string { return e.Message }

const (
	mcpUnknownMethod = -32601
	mcpInvalidParams = -32602
	mcpNoResource    = -32002
)

func toolSchema(text string) json.RawMessage { return json.RawMessage(text) }

var mcpTools = []map[string]any{
	{
		"name": "reverse_text", "description": "Reverses a text.",
		"inputSchema": toolSchema(`{"type":"object","properties":{"text":{"type":"string"}},"required":["text"]}`),
	},
	{
		"name": "add_numbers", "description": "Adds two numbers.",
		"inputSchema":  toolSchema(`{"type":"object","properties":{"a":{"type":"number"},"b":{"type":"number"}},"required":["a","b"]}`),
		"outputSchema": toolSchema(`{"type":"object","properties":{"sum":{"type":"number"}},"required":["sum"]}`),
	},
	{
		"name": "count_up", "description": "Counts to a number and tells of its progress.",
		"inputSchema": toolSchema(`{"type":"object","properties":{"to":{"type":"integer","minimum":1,"maximum":100}},"required":["to"]}`),
	},
}

const (
	mcpResource = "test://greeting"
	mcpPrompt   = "greet"
)

// postMCP serves the Streamable HTTP transport of
// https://modelcontextprotocol.io/specification/2025-06-18/basic/transports.
func postMCP(x *exchange) error {
	if _, err := x.configure(""); err != nil {
		return err
	}
	body, err := x.body()
	if err != nil {
		return err
	}
	var m mcpMessage
	if err := decode(body, &m); err != nil {
		return err
	}
	h := x.w.Header()
	switch {
	case m.Method == "initialize":
		id := x.srv.id("session-")
		x.srv.sessions.add(id)
		h.Set("Mcp-Session-Id", id)
	case !slices.Contains(x.srv.sessions.all(), x.r.Header.Get("Mcp-Session-Id")):
		return &apiError{status: http.StatusNotFound, code: "session_not_found", message: "There is no such session: begin with initialize and send its Mcp-Session-Id."}
	}
	if len(m.ID) == 0 {
		x.rec.status(http.StatusAccepted)
		x.w.WriteHeader(http.StatusAccepted)
		return nil
	}
	if m.Method == "tools/call" {
		x.streamCall(&m)
		return nil
	}
	result, failed := m.answer()
	x.write(http.StatusOK, m.reply(result, failed))
	return nil
}

func deleteMCP(x *exchange) error {
	if !x.srv.sessions.drop(func(id string) bool { return id == x.r.Header.Get("Mcp-Session-Id") }) {
		return &apiError{status: http.StatusNotFound, code: "session_not_found", message: "There is no such session."}
	}
	x.rec.status(http.StatusOK)
	x.w.WriteHeader(http.StatusOK)
	return nil
}

func (m *mcpMessage) reply(result any, failed *mcpError) map[string]any {
	reply := map[string]any{"jsonrpc": "2.0", "id": m.ID}
	if failed != nil {
		reply["error"] = failed
	} else {
		reply["result"] = result
	}
	return reply
}

func (m *mcpMessage) answer() (any, *mcpError) {
	var p struct {
		ProtocolVersion string            `json:"protocolVersion"`
		URI             string            `json:"uri"`
		Name            string            `json:"name"`
		Arguments       map[string]string `json:"arguments"`
	}
	if len(m.Params) > 0 && json.Unmarshal(m.Params, &p) != nil {
		return nil, &mcpError{mcpInvalidParams, "the params have a wrong type"}
	}
	switch m.Method {
	case "initialize":
		version := mcpVersions[0]
		if slices.Contains(mcpVersions, p.ProtocolVersion) {
			version = p.ProtocolVersion
		}
		return map[string]any{
			"protocolVersion": version, "serverInfo": map[string]string{"name": "agentrt-modelserver", "version": "1"},
			"capabilities": map[string]any{"tools": struct{}{}, "resources": struct{}{}, "prompts": struct{}{}},
			"instructions": "Three tools, one resource and one prompt for tests.",
		}, nil
	case "ping":
		return struct{}{}, nil
	case "tools/list":
		return map[string]any{"tools": mcpTools}, nil
	case "resources/list":
		return map[string]any{"resources": []any{map[string]string{"uri": mcpResource, "name": "greeting", "mimeType": "text/plain"}}}, nil
	case "resources/templates/list":
		return map[string]any{"resourceTemplates": []any{}}, nil
	case "resources/read":
		if p.URI != mcpResource {
			return nil, &mcpError{mcpNoResource, "there is no resource " + p.URI}
		}
		return map[string]any{"contents": []any{map[string]string{"uri": mcpResource, "mimeType": "text/plain", "text": "Hello from a resource."}}}, nil
	case "prompts/list":
		return map[string]any{"prompts": []any{map[string]any{
			"name": mcpPrompt, "description": "Greets somebody.", "arguments": []any{map[string]any{"name": "name", "required": true}},
		}}}, nil
	case "prompts/get":
		if p.Name != mcpPrompt || p.Arguments["name"] == "" {
			return nil, &mcpError{mcpInvalidParams, "want the prompt greet with the argument name"}
		}
		text := map[string]string{"type": "text", "text": "say Hello " + p.Arguments["name"]}
		return map[string]any{"messages": []any{map[string]any{"role": "user", "content": text}}}, nil
	}
	return nil, &mcpError{mcpUnknownMethod, "unknown method " + m.Method}
}

// streamCall answers a call of a tool as events, progress first.
func (x *exchange) streamCall(m *mcpMessage) {
	var p struct {
		Name      string `json:"name"`
		Arguments struct {
			Text string  `json:"text"`
			A    float64 `json:"a"`
			B    float64 `json:"b"`
			To   int     `json:"to"`
		} `json:"arguments"`
		Meta struct {
			ProgressToken json.RawMessage `json:"progressToken"`
		} `json:"_meta"`
	}
	x.w.Header().Set("Content-Type", "text/event-stream")
	x.w.Header().Set("Cache-Control", "no-cache")
	x.rec.status(http.StatusOK)
	x.w.WriteHeader(http.StatusOK)
	s := &stream{x: x, ctx: x.r.Context(), rc: http.NewResponseController(x.w), eol: "\n"}
	defer s.release()
	send := func(result any, failed *mcpError) { s.event("message", m.reply(result, failed)) }
	content := func(text string) []any { return []any{map[string]string{"type": "text", "text": text}} }
	if err := json.Unmarshal(m.Params, &p); err != nil {
		send(map[string]any{"content": content("the arguments have a wrong type"), "isError": true}, nil)
		return
	}
	args := p.Arguments
	switch p.Name {
	case "reverse_text":
		runes := []rune(args.Text)
		slices.Reverse(runes)
		send(map[string]any{"content": content(string(runes))}, nil)
	case "add_numbers":
		sum := map[string]float64{"sum": args.A + args.B}
		send(map[string]any{"content": content(string(appendJSON(nil, sum))), "structuredContent": sum}, nil)
	case "count_up":
		if args.To < 1 || args.To > 100 {
			send(map[string]any{"content": content(fmt.Sprintf("cannot count to %d", args.To)), "isError": true}, nil)
			return
		}
		var counted []string
		for k := 1; k <= args.To; k++ {
			counted = append(counted, fmt.Sprint(k))
			if len(p.Meta.ProgressToken) > 0 {
				s.event("message", map[string]any{"jsonrpc": "2.0", "method": "notifications/progress", "params": map[string]any{
					"progressToken": p.Meta.ProgressToken, "progress": k, "total": args.To, "message": counted[k-1],
				}})
			}
		}
		send(map[string]any{"content": content(strings.Join(counted, " "))}, nil)
	default:
		send(nil, &mcpError{mcpInvalidParams, "unknown tool " + p.Name})
	}
}
