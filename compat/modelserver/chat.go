package modelserver

import (
	"bytes"
	"encoding/json"
	"strconv"
	"time"

	"github.com/sashabaranov/go-openai"
)

// chatRequest is go-openai's request; the fields here replace its own where real
// clients send more forms, or where the order of a schema's properties counts.
type chatRequest struct {
	openai.ChatCompletionRequest
	Messages   []chatMessage   `json:"messages"`
	Stop       stringList      `json:"stop"`
	N          *int            `json:"n"`
	Tools      []chatTool      `json:"tools"`
	ToolChoice json.RawMessage `json:"tool_choice"`
}

// chatMessage adds to go-openai's message the contents that it cannot hold.
type chatMessage struct{ openai.ChatCompletionMessage }

// UnmarshalJSON accepts content that is a string, null or a list of parts.
func (m *chatMessage) UnmarshalJSON(raw []byte) error {
	return json.Unmarshal(raw, &m.ChatCompletionMessage)
}

type chatTool struct {
	Type     string `json:"type"`
	Function struct {
		Name        string          `json:"name"`
		Description string          `json:"description"`
		Parameters  json.RawMessage `json:"parameters"`
	} `json:"function"`
}

// stringList is a string or a list of strings.
type stringList []string

// UnmarshalJSON implements json.Unmarshaler.
func (l *stringList) UnmarshalJSON(raw []byte) error {
	if bytes.HasPrefix(raw, []byte(`"`)) {
		*l = []string{""}
		return json.Unmarshal(raw, &(*l)[0])
	}
	return json.Unmarshal(raw, (*[]string)(l))
}

func chatCompletions(x *exchange) error {
	body, err := x.body()
	if err != nil {
		return err
	}
	var req chatRequest
	if err := decode(body, &req); err != nil {
		return err
	}
	if req.Model == "" {
		return badRequest("model", "you must provide a model parameter")
	}
	model, err := x.configure(req.Model)
	if err != nil {
		return err
	}
	p, err := req.prompt(model)
	if err != nil {
		return err
	}
	a, err := x.answer(p)
	if err != nil {
		return err
	}
	e := &chatEncoder{id: x.srv.id("chatcmpl-"), model: model, created: time.Now().Unix(), choices: p.choices, answer: a}
	if req.Stream {
		e.usage = req.StreamOptions != nil && req.StreamOptions.IncludeUsage
		x.stream(e, a, frameEvents)
		return nil
	}
	return x.whole(a, e.completion())
}

func (r *chatRequest) prompt(model string) (*prompt, error) {
	p := &prompt{model: model, stop: r.Stop, maxTokens: r.MaxCompletionTokens, choices: 1}
	if p.maxTokens == 0 {
		p.maxTokens = r.MaxTokens //lint:ignore SA1019 many clients send the former name
	}
	if len(r.Messages) == 0 {
		return nil, badRequest("messages", "Missing required parameter: 'messages' must have at least one message.")
	}
	if r.N != nil {
		if p.choices = *r.N; p.choices < 1 || p.choices > MaxChoices {
			return nil, badRequest("n", "n is %d, want 1 to %d", p.choices, MaxChoices)
		}
	}
	if p.maxTokens < 0 {
		return nil, badRequest("max_tokens", "max_tokens is %d, want at least 1", p.maxTokens)
	}
	if parallel, ok := r.ParallelToolCalls.(bool); ok {
		p.serial = !parallel
	}
	for i, m := range r.Messages {
		t, err := chatTurn(i, m.ChatCompletionMessage)
		if err != nil {
			return nil, err
		}
		p.turns = append(p.turns, t)
	}
	for i, given := range r.Tools {
		if given.Type != "function" {
			continue
		}
		param := "tools[" + strconv.Itoa(i) + "].function"
		if given.Function.Name == "" {
			return nil, badRequest(param+".name", "Missing required parameter: '%s.name'.", param)
		}
		s, err := parseSchema(given.Function.Parameters, param+".parameters")
		if err != nil {
			return nil, err
		}
		p.tools = append(p.tools, tool{name: given.Function.Name, description: given.Function.Description, schema: s})
	}
	var err error
	if p.choice, err = parseToolChoice(r.ToolChoice); err != nil {
		return nil, err
	}
	return p, r.format(p)
}

func (r *chatRequest) format(p *prompt) error {
	f := r.ResponseFormat
	if f == nil {
		return nil
	}
	switch f.Type {
	case openai.ChatCompletionResponseFormatTypeJSONObject:
		p.json = true
	case openai.ChatCompletionResponseFormatTypeJSONSchema:
		if f.JSONSchema == nil || f.JSONSchema.Schema == nil {
			return badRequest("response_format.json_schema", "Missing required parameter: 'response_format.json_schema.schema'.")
		}
		raw, err := f.JSONSchema.Schema.MarshalJSON()
		if err != nil {
			return badRequest("response_format", "Invalid schema: %v", err)
		}
		p.schema, err = parseSchema(raw, "response_format.json_schema.schema")
		return err
	case "", openai.ChatCompletionResponseFormatTypeText:
	default:
		return badRequest("response_format.type", "response_format.type is %q, want text, json_object or json_schema", f.Type)
	}
	return nil
}

func chatTurn(i int, m openai.ChatCompletionMessage) (turn, error) {
	t := turn{text: m.Content, callID: m.ToolCallID, name: m.Name}
	switch m.Role {
	case openai.ChatMessageRoleSystem, openai.ChatMessageRoleDeveloper:
		t.role = roleSystem
	case openai.ChatMessageRoleUser:
		t.role = roleUser
	case openai.ChatMessageRoleAssistant:
		t.role = roleAssistant
	case openai.ChatMessageRoleTool, openai.ChatMessageRoleFunction:
		t.role = roleTool
	default:
		return t, badRequest("messages["+strconv.Itoa(i)+"].role", "Invalid role %q: want system, developer, user, assistant or tool.", m.Role)
	}
	for _, part := range m.MultiContent {
		switch part.Type {
		case openai.ChatMessagePartTypeImageURL:
			t.images++
		default:
			t.text = joinText(t.text, part.Text)
		}
	}
	for _, c := range m.ToolCalls {
		t.calls = append(t.calls, call{id: c.ID, name: c.Function.Name, args: c.Function.Arguments})
	}
	return t, nil
}

func joinText(a, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	return a + "\n" + b
}

// parseToolChoice reads OpenAI's tool_choice, of chat completions and of responses.
func parseToolChoice(raw json.RawMessage) (toolChoice, error) {
	if len(raw) == 0 || string(raw) == "null" {
		return toolChoice{}, nil
	}
	var mode string
	if json.Unmarshal(raw, &mode) != nil {
		type named struct {
			Name string `json:"name"`
		}
		var object struct {
			Type         string  `json:"type"`
			Mode         string  `json:"mode"`
			Name         string  `json:"name"`
			Function     named   `json:"function"`
			Tools        []named `json:"tools"`
			AllowedTools *struct {
				Mode  string `json:"mode"`
				Tools []struct {
					Function named `json:"function"`
				} `json:"tools"`
			} `json:"allowed_tools"`
		}
		if err := json.Unmarshal(raw, &object); err != nil {
			return toolChoice{}, badRequest("tool_choice", "Invalid type for 'tool_choice': expected a string or an object.")
		}
		c := toolChoice{required: true}
		switch {
		case object.Function.Name != "":
			c.allowed = []string{object.Function.Name}
		case object.Name != "":
			c.allowed = []string{object.Name}
		case object.AllowedTools != nil:
			c.required = object.AllowedTools.Mode == "required"
			for _, t := range object.AllowedTools.Tools {
				c.allowed = append(c.allowed, t.Function.Name)
			}
		case object.Type == "allowed_tools":
			c.required = object.Mode == "required"
			for _, t := range object.Tools {
				c.allowed = append(c.allowed, t.Name)
			}
		default:
			return c, badRequest("tool_choice", "tool_choice names no function.")
		}
		return c, nil
	}
	switch mode {
	case "auto":
		return toolChoice{}, nil
	case "none":
		return toolChoice{none: true}, nil
	case "required":
		return toolChoice{required: true}, nil
	}
	return toolChoice{}, badRequest("tool_choice", "tool_choice is %q, want auto, none, required or a function.", mode)
}

var openaiFinish = map[finish]openai.FinishReason{
	finishStop: openai.FinishReasonStop, finishLength: openai.FinishReasonLength,
	finishSequence: openai.FinishReasonStop, finishCalls: openai.FinishReasonToolCalls,
}

// chatEncoder writes chat.completion.chunk objects
// (https://platform.openai.com/docs/api-reference/chat-streaming).
type chatEncoder struct {
	id, model string
	created   int64
	choices   int
	usage     bool
	answer    *answer
	head      []byte
}

func (e *chatEncoder) open(s *stream) {
	e.head = append(e.head, `{"id":`...)
	e.head = appendString(e.head, e.id)
	e.head = append(e.head, `,"object":"chat.completion.chunk","created":`...)
	e.head = strconv.AppendInt(e.head, e.created, 10)
	e.head = append(e.head, `,"model":`...)
	e.head = appendString(e.head, e.model)
	e.head = append(e.head, `,"service_tier":"default","system_fingerprint":"fp_test","choices":[`...)
	content := `"content":"","refusal":null}`
	if len(e.answer.calls) > 0 {
		content = `"content":null,"refusal":null}`
	}
	for i := range e.choices {
		e.chunk(s, i)
		s.buf = append(s.buf, `{"role":"assistant",`...)
		s.buf = append(s.buf, content...)
		e.end(s, "")
	}
}

// chunk begins the event of a choice; the delta follows.
func (e *chatEncoder) chunk(s *stream, choice int) {
	s.begin("")
	s.buf = append(s.buf, e.head...)
	s.buf = append(s.buf, `{"index":`...)
	s.buf = strconv.AppendInt(s.buf, int64(choice), 10)
	s.buf = append(s.buf, `,"delta":`...)
}

func (e *chatEncoder) end(s *stream, reason openai.FinishReason) {
	s.buf = append(s.buf, `,"logprobs":null,"finish_reason":`...)
	if reason == "" {
		s.buf = append(s.buf, "null"...)
	} else {
		s.buf = appendString(s.buf, string(reason))
	}
	s.buf = append(s.buf, "}]"...)
	if e.usage {
		s.buf = append(s.buf, `,"usage":null`...)
	}
	s.buf = append(s.buf, '}')
	s.finish()
}

func (e *chatEncoder) text(s *stream, token string) {
	field := `{"content":`
	if e.answer.refusal {
		field = `{"refusal":`
	}
	for i := range e.choices {
		e.chunk(s, i)
		s.buf = append(s.buf, field...)
		s.buf = appendString(s.buf, token)
		s.buf = append(s.buf, '}')
		e.end(s, "")
	}
}

func (e *chatEncoder) callOpen(s *stream, i int, c *call) {
	for choice := range e.choices {
		e.chunk(s, choice)
		s.buf = append(s.buf, `{"tool_calls":[`...)
		s.buf = appendJSON(s.buf, chatCall{Index: &i, ID: c.id, Type: "function", Function: chatFunction{Name: c.name}})
		s.buf = append(s.buf, `]}`...)
		e.end(s, "")
	}
}

func (e *chatEncoder) callDelta(s *stream, i int, part string) {
	for choice := range e.choices {
		e.chunk(s, choice)
		s.buf = append(s.buf, `{"tool_calls":[{"index":`...)
		s.buf = strconv.AppendInt(s.buf, int64(i), 10)
		s.buf = append(s.buf, `,"function":{"arguments":`...)
		s.buf = appendString(s.buf, part)
		s.buf = append(s.buf, `}}]}`...)
		e.end(s, "")
	}
}

func (e *chatEncoder) callClose(*stream, int, *call) {}

func (e *chatEncoder) close(s *stream) {
	for i := range e.choices {
		e.chunk(s, i)
		s.buf = append(s.buf, "{}"...)
		e.end(s, openaiFinish[e.answer.finish])
	}
	if e.usage {
		s.begin("")
		s.buf = append(s.buf, e.head...)
		s.buf = append(s.buf, `],"usage":`...)
		s.buf = appendJSON(s.buf, e.totals())
		s.buf = append(s.buf, '}')
		s.finish()
	}
	s.begin("")
	s.buf = append(s.buf, "[DONE]"...)
	s.finish()
}

func (e *chatEncoder) fail(s *stream, err *apiError) {
	s.event("", err.body(shapeOpenAI, ""))
}

func (e *chatEncoder) totals() openai.Usage {
	out := e.answer.outputTokens * e.choices
	return openai.Usage{
		PromptTokens: e.answer.inputTokens, CompletionTokens: out, TotalTokens: e.answer.inputTokens + out,
		PromptTokensDetails: &openai.PromptTokensDetails{}, CompletionTokensDetails: &openai.CompletionTokensDetails{},
	}
}

// The answer's types are not go-openai's, which leave out "content": null and add
// Azure's content filters.
type chatCompletion struct {
	ID          string       `json:"id"`
	Object      string       `json:"object"`
	Created     int64        `json:"created"`
	Model       string       `json:"model"`
	Choices     []chatChoice `json:"choices"`
	Usage       openai.Usage `json:"usage"`
	ServiceTier string       `json:"service_tier"`
	Fingerprint string       `json:"system_fingerprint"`
}

type chatChoice struct {
	Index        int                 `json:"index"`
	Message      chatAnswer          `json:"message"`
	Logprobs     *struct{}           `json:"logprobs"`
	FinishReason openai.FinishReason `json:"finish_reason"`
}

type chatAnswer struct {
	Role        string     `json:"role"`
	Content     *string    `json:"content"`
	Refusal     *string    `json:"refusal"`
	ToolCalls   []chatCall `json:"tool_calls,omitempty"`
	Annotations []struct{} `json:"annotations"`
}

type chatCall struct {
	Index    *int         `json:"index,omitempty"`
	ID       string       `json:"id"`
	Type     string       `json:"type"`
	Function chatFunction `json:"function"`
}

type chatFunction struct {
	Name      string `json:"name"`
	Arguments string `json:"arguments"`
}

func (e *chatEncoder) completion() chatCompletion {
	message := chatAnswer{Role: "assistant", Annotations: []struct{}{}}
	if len(e.answer.calls) == 0 {
		text := e.answer.text.text()
		if message.Content = &text; e.answer.refusal {
			message.Content, message.Refusal = nil, &text
		}
	}
	for _, c := range e.answer.calls {
		message.ToolCalls = append(message.ToolCalls, chatCall{ID: c.id, Type: "function", Function: chatFunction{c.name, c.args}})
	}
	out := chatCompletion{
		ID: e.id, Object: "chat.completion", Created: e.created, Model: e.model, Usage: e.totals(), ServiceTier: "default", Fingerprint: "fp_test",
	}
	for i := range e.choices {
		out.Choices = append(out.Choices, chatChoice{Index: i, Message: message, FinishReason: openaiFinish[e.answer.finish]})
	}
	return out
}
