package modelserver

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// The types here say all that a response may hold; strict refuses anything else.
type testResponse struct {
	ID, Object, Status, Model string
	CreatedAt                 int64  `json:"created_at"`
	CompletedAt               *int64 `json:"completed_at"`
	Background, Store         bool
	Error                     any
	IncompleteDetails         *struct{ Reason string } `json:"incomplete_details"`
	Instructions              *string
	MaxOutputTokens           *int `json:"max_output_tokens"`
	Output                    []testItem
	ParallelToolCalls         bool    `json:"parallel_tool_calls"`
	PreviousResponseID        *string `json:"previous_response_id"`
	Reasoning                 map[string]any
	ServiceTier               string `json:"service_tier"`
	Temperature               float64
	TopP                      float64 `json:"top_p"`
	Text, Tools               json.RawMessage
	ToolChoice                json.RawMessage `json:"tool_choice"`
	Truncation                string
	User                      any
	Metadata                  map[string]string
	Usage                     *struct {
		Input        int            `json:"input_tokens"`
		InputDetail  map[string]int `json:"input_tokens_details"`
		Output       int            `json:"output_tokens"`
		OutputDetail map[string]int `json:"output_tokens_details"`
		Total        int            `json:"total_tokens"`
	}
}

type testItem struct {
	ID, Type, Status, Role, Name, Arguments string
	CallID                                  string `json:"call_id"`
	Content                                 []testPart
}

type testPart struct {
	Type, Text            string
	Annotations, Logprobs []any
}

type testEvent struct {
	Type           string
	SequenceNumber int `json:"sequence_number"`
	Response       *testResponse
	OutputIndex    *int `json:"output_index"`
	ContentIndex   *int `json:"content_index"`
	Item           *testItem
	ItemID         string `json:"item_id"`
	Part           *testPart
	Delta, Text    string
	Name           string
	Arguments      string
	Logprobs       []any
}

func responseBody(input string, more ...string) string {
	body := `{"model":"test-model","input":` + input
	for _, m := range more {
		body += "," + m
	}
	return body + "}"
}

// respond returns the whole response and the events of the same request.
func (f *fixture) respond(t *testing.T, body string) (testResponse, []testEvent) {
	t.Helper()
	status, whole := f.post(t, "/v1/responses", body)
	if status != 200 {
		t.Fatalf("%d %s", status, whole)
	}
	var r testResponse
	strict(t, string(whole), &r)
	_, stream := f.post(t, "/v1/responses", body[:len(body)-1]+`,"stream":true}`)
	var all []testEvent
	for i, e := range events(t, strings.NewReader(string(stream))) {
		var v testEvent
		strict(t, e.data, &v)
		if v.Type != e.name || v.SequenceNumber != i {
			t.Errorf("event %d is %s %s with number %d", i, e.name, v.Type, v.SequenceNumber)
		}
		all = append(all, v)
	}
	return r, all
}

func (r *testResponse) summary() string {
	var parts []string
	for _, item := range r.Output {
		switch item.Type {
		case "message":
			parts = append(parts, item.Role+": "+item.Content[0].Text)
		default:
			parts = append(parts, item.Name+" "+item.Arguments)
		}
	}
	return strings.Join(parts, "; ") + " (" + r.Status + ")"
}

const responseTools = `"tools":[{"type":"function","name":"get_weather","description":"Weather","strict":true,"parameters":{"type":"object","properties":{"city":{"type":"string"}},"required":["city"],"additionalProperties":false}}]`

func TestResponses(t *testing.T) {
	f := start(t, Config{})
	cases := []struct{ name, body, want string }{
		{"text", responseBody(`"say a b"`), "assistant: a b (completed)"},
		{"items", responseBody(`[{"role":"developer","content":"The fox is red."},{"type":"message","role":"user","content":[{"type":"input_text","text":"What colour is the fox?"}]}]`), "assistant: According to the context: The fox is red. (completed)"},
		{"instructions", responseBody(`"What colour is the fox?"`, `"instructions":"The fox is red."`), "assistant: According to the context: The fox is red. (completed)"},
		{"image", responseBody(`[{"role":"user","content":[{"type":"input_text","text":"what is 1+1?"},{"type":"input_image","image_url":"data:image/png;base64,AA=="}]}]`), "assistant: I see 1 image. 1+1 = 2 (completed)"},
		{"length", responseBody(`"say a b c"`, `"max_output_tokens":2`), "assistant: a b (incomplete)"},
		{"schema", responseBody(`"Eve is 20"`, `"text":{"format":{"type":"json_schema","name":"p","strict":true,"schema":{"type":"object","properties":{"name":{"type":"string"},"age":{"type":"integer"}},"required":["name","age"],"additionalProperties":false}}}`), `assistant: {"name":"Eve","age":20} (completed)`},
		{"json_object", responseBody(`"what is 1+1?"`, `"text":{"format":{"type":"json_object"}}`), `assistant: {"answer":"1+1 = 2"} (completed)`},
		{"calls", responseBody(`"weather in Rome and Oslo"`, responseTools), `get_weather {"city":"Rome"}; get_weather {"city":"Oslo"} (completed)`},
		{"one call", responseBody(`"weather in Rome and Oslo"`, responseTools, `"parallel_tool_calls":false`), `get_weather {"city":"Rome"} (completed)`},
		{"a certain call", responseBody(`"Hi Tom"`, responseTools, `"tool_choice":{"type":"function","name":"get_weather"}`), `get_weather {"city":"Tom"} (completed)`},
		{"result", responseBody(`[{"role":"user","content":"weather in Rome"},{"type":"function_call","call_id":"c1","name":"get_weather","arguments":"{}"},{"type":"function_call_output","call_id":"c1","output":"sunny"}]`, responseTools), `assistant: get_weather returned sunny. (completed)`},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			r, all := f.respond(t, c.body)
			if got := r.summary(); got != c.want {
				t.Errorf("whole: %s", got)
			}
			if u := r.Usage; u.Total != u.Input+u.Output || u.Input == 0 || u.Output == 0 {
				t.Errorf("usage %+v", u)
			}
			last := all[len(all)-1]
			if got := last.Response.summary(); got != c.want || last.Type != "response."+r.Status || fmt.Sprint(*last.Response.Usage) != fmt.Sprint(*r.Usage) {
				t.Errorf("streamed: %s %s", last.Type, got)
			}
			checkOrder(t, all)
		})
	}
}

// checkOrder compares the events' types with the documented order and the deltas with
// the final items.
func checkOrder(t *testing.T, all []testEvent) {
	t.Helper()
	want := []string{"response.created", "response.in_progress"}
	last := all[len(all)-1]
	deltas := map[int]int{}
	joined := map[int]string{}
	for _, e := range all {
		if strings.HasSuffix(e.Type, ".delta") {
			deltas[*e.OutputIndex]++
			joined[*e.OutputIndex] += e.Delta
		}
	}
	for i, item := range last.Response.Output {
		kind, text := "response.output_text", ""
		want = append(want, "response.output_item.added")
		if item.Type == "message" {
			want = append(want, "response.content_part.added")
			text = item.Content[0].Text
		} else {
			kind, text = "response.function_call_arguments", item.Arguments
		}
		want = append(want, slices.Repeat([]string{kind + ".delta"}, deltas[i])...)
		want = append(want, kind+".done")
		if item.Type == "message" {
			want = append(want, "response.content_part.done")
		}
		want = append(want, "response.output_item.done")
		if joined[i] != text {
			t.Errorf("deltas %q, text %q", joined[i], text)
		}
	}
	want = append(want, last.Type)
	var got []string
	for _, e := range all {
		got = append(got, e.Type)
		if e.ItemID != "" && e.ItemID != last.Response.Output[*e.OutputIndex].ID {
			t.Errorf("%s: item %s", e.Type, e.ItemID)
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("events\n%q, want\n%q", got, want)
	}
}

func TestPreviousResponses(t *testing.T) {
	f := start(t, Config{})
	first, _ := f.respond(t, responseBody(`"My cat is called Tom."`))
	second, _ := f.respond(t, responseBody(`"What is my cat called?"`, `"previous_response_id":"`+first.ID+`"`))
	if got := second.summary(); got != "assistant: You said earlier: My cat is called Tom. (completed)" {
		t.Error(got)
	}
	call, _ := f.respond(t, responseBody(`"weather in Rome"`, responseTools))
	output := `{"type":"function_call_output","call_id":"` + call.Output[0].CallID + `","output":[{"type":"input_text","text":"rain"}]}`
	after, _ := f.respond(t, responseBody(`[`+output+`]`, responseTools, `"previous_response_id":"`+call.ID+`"`))
	if got := after.summary(); got != "assistant: get_weather returned rain. (completed)" {
		t.Error(got)
	}
	referred, _ := f.respond(t, responseBody(`[{"role":"user","content":"weather in Rome"},{"type":"item_reference","id":"`+call.Output[0].ID+`"},`+output+`]`, responseTools))
	if got := referred.summary(); got != "assistant: get_weather returned rain. (completed)" {
		t.Error(got)
	}
	_, raw := f.post(t, "/v1/responses", responseBody(`"say a"`, `"store":false`))
	var unstored testResponse
	strict(t, string(raw), &unstored)
	if status, _ := f.post(t, "/v1/responses", responseBody(`"say b"`, `"previous_response_id":"`+unstored.ID+`"`)); status != 400 {
		t.Errorf("a response that was not stored: %d", status)
	}
	for range MaxResponses {
		f.post(t, "/v1/responses", responseBody(`"say b"`))
	}
	if status, _ := f.post(t, "/v1/responses", responseBody(`"say c"`, `"previous_response_id":"`+first.ID+`"`)); status != 400 {
		t.Errorf("a response of long ago: %d", status)
	}
	if n := len(f.responses.byID); n != MaxResponses || len(f.responses.items) < n {
		t.Errorf("%d responses, %d items kept", n, len(f.responses.items))
	}
}

func TestStoredResponsesAreBoundedInBytes(t *testing.T) {
	var store responseStore
	text := strings.Repeat("x", 30<<20)
	for i := range 3 {
		id := fmt.Sprint(i)
		e := &responseEncoder{message: "msg_" + id, answer: &answer{text: newSequence("ok")}, response: &responseObject{ID: id}}
		store.add(e, &prompt{turns: []turn{{role: roleUser, text: text}}})
	}
	_, first := store.turns("0")
	last, ok := store.turns("2")
	if first || !ok || len(last) != 2 || store.bytes > MaxResponseBytes || len(store.byID) != 2 || len(store.items) != 2 {
		t.Errorf("first %v, last %v, %d bytes of %d responses and %d items", first, ok, store.bytes, len(store.byID), len(store.items))
	}
}
