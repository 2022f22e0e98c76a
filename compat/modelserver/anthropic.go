package modelserver

import (
	"encoding/json"
	"strconv"
)

// messagesRequest is a request of https://docs.anthropic.com/en/api/messages.
type messagesRequest struct {
	Model     string          `json:"model"`
	MaxTokens *int            `json:"max_tokens"`
	System    json.RawMessage `json:"system"`
	Messages  []struct {
		Role    string          `json:"role"`
		Content json.RawMessage `json:"content"`
	} `json:"messages"`
	Tools []struct {
		Name        string          `json:"name"`
		Description string          `json:"description"`
		InputSchema json.RawMessage `json:"input_schema"`
	} `json:"tools"`
	ToolChoice *struct {
		Type    string `json:"type"`
		Name    string `json:"name"`
		Disable bool   `json:"disable_parallel_tool_use"`
	} `json:"tool_choice"`
	StopSequences []string         `json:"stop_sequences"`
	Stream        bool             `json:"stream"`
	OutputFormat  *anthropicFormat `json:"output_format"`
	OutputConfig  struct {
		Format *anthropicFormat `json:"format"`
	} `json:"output_config"`
}

type anthropicFormat struct {
	Type   string          `json:"type"`
	Schema json.RawMessage `json:"schema"`
}

type anthropicBlock struct {
	Type      string          `json:"type"`
	Text      string          `json:"text"`
	ID        string          `json:"id"`
	Name      string          `json:"name"`
	Input     json.RawMessage `json:"input"`
	ToolUseID string          `json:"tool_use_id"`
	Content   json.RawMessage `json:"content"`
}

func messages(x *exchange) error {
	body, err := x.body()
	if err != nil {
		return err
	}
	var req messagesRequest
	if err := decode(body, &req); err != nil {
		return err
	}
	if req.Model == "" {
		return badRequest("model", "model: Field required")
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
	e := &anthropicEncoder{id: x.srv.id("msg_"), model: model, answer: a}
	if req.Stream {
		x.stream(e, a, frameEvents)
		return nil
	}
	return x.whole(a, e.message(a.outputTokens, e.blocks()))
}

// countMessageTokens serves https://docs.anthropic.com/en/api/messages-count-tokens.
func countMessageTokens(x *exchange) error {
	body, err := x.body()
	if err != nil {
		return err
	}
	var req messagesRequest
	if err := decode(body, &req); err != nil {
		return err
	}
	model, err := x.configure(req.Model)
	if err != nil {
		return err
	}
	unlimited := 1
	req.MaxTokens = &unlimited
	p, err := req.prompt(model)
	if err != nil {
		return err
	}
	return x.whole(&answer{}, map[string]int{"input_tokens": p.countInput()})
}

func (r *messagesRequest) prompt(model string) (*prompt, error) {
	p := &prompt{model: model, choices: 1, stop: r.StopSequences}
	switch {
	case r.MaxTokens == nil:
		return nil, badRequest("max_tokens", "max_tokens: Field required")
	case *r.MaxTokens < 1:
		return nil, badRequest("max_tokens", "max_tokens: Input should be greater than or equal to 1")
	case len(r.Messages) == 0:
		return nil, badRequest("messages", "messages: at least one message is required")
	}
	p.maxTokens = *r.MaxTokens
	system, _, err := partsText(r.System, "system")
	if err != nil {
		return nil, err
	}
	if system != "" {
		p.turns = append(p.turns, turn{role: roleSystem, text: system})
	}
	for i, m := range r.Messages {
		turns, err := anthropicTurns(m.Role, m.Content, "messages."+strconv.Itoa(i))
		if err != nil {
			return nil, err
		}
		p.turns = append(p.turns, turns...)
	}
	for i, given := range r.Tools {
		param := "tools." + strconv.Itoa(i)
		if given.Name == "" {
			return nil, badRequest(param, "%s.name: Field required", param)
		}
		schema, err := parseSchema(given.InputSchema, param+".input_schema")
		if err != nil {
			return nil, err
		}
		p.tools = append(p.tools, tool{name: given.Name, description: given.Description, schema: schema})
	}
	if c := r.ToolChoice; c != nil {
		p.serial = c.Disable
		switch c.Type {
		case "any":
			p.choice.required = true
		case "tool":
			p.choice = toolChoice{required: true, allowed: []string{c.Name}}
		case "none":
			p.choice.none = true
		case "auto":
		default:
			return nil, badRequest("tool_choice", "tool_choice.type: %q is not one of auto, any, tool, none", c.Type)
		}
	}
	format := r.OutputFormat
	if format == nil {
		format = r.OutputConfig.Format
	}
	if format != nil && format.Type == "json_schema" {
		p.schema, err = parseSchema(format.Schema, "output_config.format.schema")
	}
	return p, err
}

// anthropicTurns parts a message into tools' results and the rest.
func anthropicTurns(name string, content json.RawMessage, param string) ([]turn, error) {
	roles := map[string]role{"user": roleUser, "assistant": roleAssistant, "system": roleSystem}
	r, ok := roles[name]
	if !ok {
		return nil, badRequest(param+".role", "%s.role: %q is not one of user, assistant", param, name)
	}
	t := turn{role: r}
	if json.Unmarshal(content, &t.text) == nil {
		return []turn{t}, nil
	}
	var blocks []anthropicBlock
	if err := json.Unmarshal(content, &blocks); err != nil {
		return nil, badRequest(param+".content", "%s.content: Input should be a string or a list of content blocks", param)
	}
	var turns []turn
	for _, block := range blocks {
		switch block.Type {
		case "text":
			t.text = joinText(t.text, block.Text)
		case "image":
			t.images++
		case "tool_use":
			t.calls = append(t.calls, call{id: block.ID, name: block.Name, args: string(block.Input)})
		case "tool_result":
			text, images, err := partsText(block.Content, param+".content")
			if err != nil {
				return nil, err
			}
			turns = append(turns, turn{role: roleTool, callID: block.ToolUseID, text: text, images: images})
		}
	}
	if t.text != "" || t.images > 0 || len(t.calls) > 0 || len(turns) == 0 {
		turns = append(turns, t)
	}
	return turns, nil
}

var anthropicFinish = map[finish]string{
	finishStop: "end_turn", finishLength: "max_tokens", finishSequence: "stop_sequence", finishCalls: "tool_use",
}

// anthropicEncoder writes the events of
// https://docs.anthropic.com/en/docs/build-with-claude/streaming.
type anthropicEncoder struct {
	id, model string
	answer    *answer
}

type anthropicMessage struct {
	ID           string         `json:"id"`
	Type         string         `json:"type"`
	Role         string         `json:"role"`
	Model        string         `json:"model"`
	Content      []any          `json:"content"`
	StopReason   *string        `json:"stop_reason"`
	StopSequence *string        `json:"stop_sequence"`
	Usage        map[string]any `json:"usage"`
}

// message is the message object; without blocks it is the one that begins a stream.
func (e *anthropicEncoder) message(tokens int, blocks []any) anthropicMessage {
	m := anthropicMessage{
		ID: e.id, Type: "message", Role: "assistant", Model: e.model, Content: []any{},
		Usage: map[string]any{
			"input_tokens": e.answer.inputTokens, "output_tokens": tokens, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 0, "service_tier": "standard",
		},
	}
	if blocks != nil {
		m.Content = blocks
		m.StopReason, m.StopSequence = e.stop()
	}
	return m
}

func (e *anthropicEncoder) stop() (reason, sequence *string) {
	text := anthropicFinish[e.answer.finish]
	if e.answer.finish == finishSequence {
		sequence = &e.answer.sequence
	}
	return &text, sequence
}

func (e *anthropicEncoder) blocks() []any {
	if len(e.answer.calls) == 0 {
		return []any{map[string]any{"type": "text", "text": e.answer.text.text()}}
	}
	var blocks []any
	for i := range e.answer.calls {
		c := &e.answer.calls[i]
		blocks = append(blocks, map[string]any{"type": "tool_use", "id": c.anthropicID(), "name": c.name, "input": json.RawMessage(c.args)})
	}
	return blocks
}

// anthropicID has the prefix that Anthropic's identifiers have.
func (c *call) anthropicID() string { return "toolu_" + c.id[len("call_"):] }

func (e *anthropicEncoder) open(s *stream) {
	s.deltaName = "content_block_delta"
	s.event("message_start", map[string]any{"type": "message_start", "message": e.message(1, nil)})
	if len(e.answer.calls) == 0 {
		s.event("content_block_start", map[string]any{"type": "content_block_start", "index": 0, "content_block": map[string]any{"type": "text", "text": ""}})
	}
	s.event("ping", map[string]any{"type": "ping"})
}

func (e *anthropicEncoder) text(s *stream, token string) {
	s.begin("content_block_delta")
	s.buf = append(s.buf, `{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":`...)
	s.buf = appendString(s.buf, token)
	s.buf = append(s.buf, "}}"...)
	s.finish()
}

func (e *anthropicEncoder) callOpen(s *stream, i int, c *call) {
	s.event("content_block_start", map[string]any{
		"type": "content_block_start", "index": i,
		"content_block": map[string]any{"type": "tool_use", "id": c.anthropicID(), "name": c.name, "input": struct{}{}},
	})
}

func (e *anthropicEncoder) callDelta(s *stream, i int, part string) {
	s.begin("content_block_delta")
	s.buf = append(s.buf, `{"type":"content_block_delta","index":`...)
	s.buf = strconv.AppendInt(s.buf, int64(i), 10)
	s.buf = append(s.buf, `,"delta":{"type":"input_json_delta","partial_json":`...)
	s.buf = appendString(s.buf, part)
	s.buf = append(s.buf, "}}"...)
	s.finish()
}

func (e *anthropicEncoder) callClose(s *stream, i int, _ *call) {
	s.event("content_block_stop", map[string]any{"type": "content_block_stop", "index": i})
}

func (e *anthropicEncoder) close(s *stream) {
	if len(e.answer.calls) == 0 {
		e.callClose(s, 0, nil)
	}
	reason, sequence := e.stop()
	s.event("message_delta", map[string]any{
		"type": "message_delta", "delta": map[string]any{"stop_reason": reason, "stop_sequence": sequence},
		"usage": map[string]any{"output_tokens": e.answer.outputTokens},
	})
	s.event("message_stop", map[string]any{"type": "message_stop"})
}

func (e *anthropicEncoder) fail(s *stream, err *apiError) {
	s.event("error", map[string]any{"type": "error", "error": map[string]string{"type": err.kind(shapeAnthropic), "message": err.message}})
}
