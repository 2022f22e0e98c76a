package modelserver

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

type testMessage struct {
	ID, Type, Role, Model string
	Content               []testBlock
	StopReason            *string `json:"stop_reason"`
	StopSequence          *string `json:"stop_sequence"`
	Usage                 testTokens
}

type testTokens struct {
	Input       int    `json:"input_tokens"`
	Output      int    `json:"output_tokens"`
	CacheCreate int    `json:"cache_creation_input_tokens"`
	CacheRead   int    `json:"cache_read_input_tokens"`
	ServiceTier string `json:"service_tier"`
}

type testBlock struct {
	Type, Text, ID, Name string
	Input                json.RawMessage
}

func (m *testMessage) summary() string {
	var parts []string
	for _, b := range m.Content {
		parts = append(parts, strings.TrimSpace(b.Text+b.Name+" "+string(b.Input)))
	}
	return strings.Join(parts, "; ") + " (" + deref(m.StopReason) + deref(m.StopSequence) + ")"
}

func messageBody(content string, more ...string) string {
	body := `{"model":"test-model","max_tokens":1000,"messages":[` + content + `]`
	for _, m := range more {
		body += "," + m
	}
	return body + "}"
}

const anthropicTools = `"tools":[{"name":"get_weather","description":"Weather","input_schema":{"type":"object","properties":{"city":{"type":"string"}},"required":["city"]}}]`

func TestMessages(t *testing.T) {
	f := start(t, Config{})
	hi := func(text string) string { return `{"role":"user","content":"` + text + `"}` }
	call := `{"role":"assistant","content":[{"type":"tool_use","id":"toolu_1","name":"get_weather","input":{"city":"Rome"}}]}`
	schema := `{"type":"json_schema","schema":{"type":"object","properties":{"name":{"type":"string"}},"required":["name"],"additionalProperties":false}}`
	cases := []struct{ name, body, want string }{
		{"text", messageBody(hi("say a b")), "a b (end_turn)"},
		{"system", messageBody(hi("Which colour has the fox?"), `"system":[{"type":"text","text":"The fox is red."}]`), "According to the context: The fox is red. (end_turn)"},
		{"blocks and an image", messageBody(`{"role":"user","content":[{"type":"text","text":"what is 1+1?"},{"type":"image","source":{}}]}`), "I see 1 image. 1+1 = 2 (end_turn)"},
		{"stop", messageBody(hi("say a b c"), `"stop_sequences":[" b"]`), "a (stop_sequence b)"},
		{"calls", messageBody(hi("weather in Rome and Oslo"), anthropicTools), `get_weather {"city":"Rome"}; get_weather {"city":"Oslo"} (tool_use)`},
		{"one call", messageBody(hi("weather in Rome and Oslo"), anthropicTools, `"tool_choice":{"type":"auto","disable_parallel_tool_use":true}`), `get_weather {"city":"Rome"} (tool_use)`},
		{"any", messageBody(hi("Hi Tom"), anthropicTools, `"tool_choice":{"type":"any"}`), `get_weather {"city":"Tom"} (tool_use)`},
		{"none", messageBody(hi("say weather"), anthropicTools, `"tool_choice":{"type":"none"}`), `weather (end_turn)`},
		{"result", messageBody(hi("weather in Rome")+`,`+call+`,{"role":"user","content":[{"type":"tool_result","tool_use_id":"toolu_1","content":[{"type":"text","text":"rain"}]}]}`, anthropicTools), "get_weather returned rain. (end_turn)"},
		{"output_config", messageBody(hi("I am Eve"), `"output_config":{"format":`+schema+`}`), `{"name":"Eve"} (end_turn)`},
		{"output_format", messageBody(hi("I am Eve"), `"output_format":`+schema), `{"name":"Eve"} (end_turn)`},
		{"length", strings.Replace(messageBody(hi("say a b c")), "1000", "2", 1), "a b (max_tokens)"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			status, raw := f.post(t, "/v1/messages", c.body)
			if status != 200 {
				t.Fatalf("%d %s", status, raw)
			}
			var whole testMessage
			strict(t, string(raw), &whole)
			if got := whole.summary(); got != c.want {
				t.Errorf("whole: %s", got)
			}
			_, stream := f.post(t, "/v1/messages", c.body[:len(c.body)-1]+`,"stream":true}`)
			streamed := assemble(t, events(t, strings.NewReader(string(stream))))
			if got := streamed.summary(); got != c.want || streamed.Usage.Output != whole.Usage.Output || streamed.Usage.Input != whole.Usage.Input {
				t.Errorf("streamed: %s %+v, whole %+v", got, streamed.Usage, whole.Usage)
			}
		})
	}
}

// assemble checks the order of the events and puts the message together.
func assemble(t *testing.T, all []sse) testMessage {
	t.Helper()
	var m testMessage
	var names []string
	for _, e := range all {
		var v struct {
			Type         string
			Index        int
			Message      *testMessage
			ContentBlock *testBlock `json:"content_block"`
			Delta        *struct {
				Type, Text   string
				PartialJSON  string  `json:"partial_json"`
				StopReason   *string `json:"stop_reason"`
				StopSequence *string `json:"stop_sequence"`
			}
			Usage *testTokens
		}
		strict(t, e.data, &v)
		if v.Type != e.name {
			t.Errorf("event %s has type %s", e.name, v.Type)
		}
		if n := len(names); n == 0 || names[n-1] != e.name {
			names = append(names, e.name)
		}
		switch e.name {
		case "message_start":
			m = *v.Message
		case "content_block_start":
			if v.Index != len(m.Content) {
				t.Errorf("block %d begins after %d", v.Index, len(m.Content))
			}
			v.ContentBlock.Input = nil
			m.Content = append(m.Content, *v.ContentBlock)
		case "content_block_delta":
			b := &m.Content[v.Index]
			if want := map[string]string{"text": "text_delta", "tool_use": "input_json_delta"}[b.Type]; v.Delta.Type != want {
				t.Errorf("delta %s of a block %s", v.Delta.Type, b.Type)
			}
			b.Text += v.Delta.Text
			b.Input = append(b.Input, v.Delta.PartialJSON...)
		case "message_delta":
			m.StopReason, m.StopSequence, m.Usage.Output = v.Delta.StopReason, v.Delta.StopSequence, v.Usage.Output
		}
	}
	block := []string{"content_block_start", "content_block_delta", "content_block_stop"}
	want := []string{"message_start", "content_block_start", "ping", "content_block_delta", "content_block_stop"}
	if len(m.Content) > 0 && m.Content[0].Type == "tool_use" {
		want = append([]string{"message_start", "ping"}, slices.Repeat(block, len(m.Content))...)
	}
	if want = append(want, "message_delta", "message_stop"); !slices.Equal(names, want) {
		t.Errorf("events %q, want %q", names, want)
	}
	return m
}

func TestModelsInAnthropicsShape(t *testing.T) {
	f := start(t, Config{})
	res := f.do(t, "GET", "/v1/models", "", "Anthropic-Version", "2023-06-01")
	var list struct {
		Data []struct {
			Type, ID    string
			DisplayName string `json:"display_name"`
			CreatedAt   string `json:"created_at"`
		}
		HasMore bool   `json:"has_more"`
		FirstID string `json:"first_id"`
		LastID  string `json:"last_id"`
	}
	dec := json.NewDecoder(res.Body)
	dec.DisallowUnknownFields()
	if err := dec.Decode(&list); err != nil || len(list.Data) != 3 || list.Data[0].Type != "model" {
		t.Errorf("%+v %v", list, err)
	}
}
