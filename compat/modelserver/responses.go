package modelserver

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"
)

// responseRequest is a request of https://platform.openai.com/docs/api-reference/responses.
type responseRequest struct {
	Model              string          `json:"model"`
	Input              json.RawMessage `json:"input"`
	Instructions       *string         `json:"instructions"`
	PreviousResponseID *string         `json:"previous_response_id"`
	Stream             bool            `json:"stream"`
	Store              *bool           `json:"store"`
	MaxOutputTokens    *int            `json:"max_output_tokens"`
	ParallelToolCalls  *bool           `json:"parallel_tool_calls"`
	Tools              []struct {
		Type        string          `json:"type"`
		Name        string          `json:"name"`
		Description string          `json:"description"`
		Parameters  json.RawMessage `json:"parameters"`
	} `json:"tools"`
	ToolChoice json.RawMessage `json:"tool_choice"`
	Text       struct {
		Format *struct {
			Type   string          `json:"type"`
			Schema json.RawMessage `json:"schema"`
		} `json:"format"`
	} `json:"text"`
	Metadata map[string]string `json:"metadata"`
}

// responseItem is an item of input in any of its forms.
type responseItem struct {
	Type      string          `json:"type"`
	ID        string          `json:"id"`
	Role      string          `json:"role"`
	Content   json.RawMessage `json:"content"`
	CallID    string          `json:"call_id"`
	Name      string          `json:"name"`
	Arguments string          `json:"arguments"`
	Output    json.RawMessage `json:"output"`
}

func createResponse(x *exchange) error {
	body, err := x.body()
	if err != nil {
		return err
	}
	var req responseRequest
	if err := decode(body, &req); err != nil {
		return err
	}
	if req.Model == "" {
		return badRequest("model", "Missing required parameter: 'model'.")
	}
	model, err := x.configure(req.Model)
	if err != nil {
		return err
	}
	p, err := req.prompt(x.srv, model)
	if err != nil {
		return err
	}
	a, err := x.answer(p)
	if err != nil {
		return err
	}
	e := &responseEncoder{answer: a, message: x.srv.id("msg_"), response: req.response(x.srv.id("resp_"), body, model)}
	if req.Store == nil || *req.Store {
		x.srv.responses.add(e, p)
	}
	if req.Stream {
		x.stream(e, a, false)
		return nil
	}
	e.complete()
	return x.whole(a, e.response)
}

func (r *responseRequest) prompt(s *Server, model string) (*prompt, error) {
	p := &prompt{model: model, choices: 1, serial: r.ParallelToolCalls != nil && !*r.ParallelToolCalls}
	if r.Instructions != nil {
		p.turns = append(p.turns, turn{role: roleSystem, text: *r.Instructions})
	}
	if r.PreviousResponseID != nil && *r.PreviousResponseID != "" {
		earlier, ok := s.responses.turns(*r.PreviousResponseID)
		if !ok {
			return nil, &apiError{
				status: 400, param: "previous_response_id", code: "previous_response_not_found",
				message: "Previous response with id '" + *r.PreviousResponseID + "' not found. The last 256 stored responses are kept.",
			}
		}
		p.turns = append(p.turns, earlier...)
	}
	turns, err := s.inputTurns(r.Input)
	if err != nil {
		return nil, err
	}
	p.turns = append(p.turns, turns...)
	if r.MaxOutputTokens != nil {
		if p.maxTokens = *r.MaxOutputTokens; p.maxTokens < 1 {
			return nil, badRequest("max_output_tokens", "max_output_tokens is %d, want at least 1", p.maxTokens)
		}
	}
	for i, given := range r.Tools {
		if given.Type != "function" {
			continue
		}
		param := "tools[" + strconv.Itoa(i) + "]"
		if given.Name == "" {
			return nil, badRequest(param+".name", "Missing required parameter: '%s.name'.", param)
		}
		schema, err := parseSchema(given.Parameters, param+".parameters")
		if err != nil {
			return nil, err
		}
		p.tools = append(p.tools, tool{given.Name, given.Description, schema})
	}
	if p.choice, err = parseToolChoice(r.ToolChoice); err != nil {
		return nil, err
	}
	if f := r.Text.Format; f != nil {
		switch f.Type {
		case "json_object":
			p.json = true
		case "json_schema":
			if p.schema, err = parseSchema(f.Schema, "text.format.schema"); err == nil && p.schema == nil {
				err = badRequest("text.format.schema", "Missing required parameter: 'text.format.schema'.")
			}
		case "", "text":
		default:
			err = badRequest("text.format.type", "text.format.type is %q, want text, json_object or json_schema", f.Type)
		}
	}
	return p, err
}

func (s *Server) inputTurns(raw json.RawMessage) ([]turn, error) {
	if len(raw) == 0 || string(raw) == "null" {
		return nil, badRequest("input", "Missing required parameter: 'input'.")
	}
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return []turn{{role: roleUser, text: text}}, nil
	}
	var items []responseItem
	if err := json.Unmarshal(raw, &items); err != nil {
		return nil, badRequest("input", "Invalid type for 'input': expected a string or an array of items.")
	}
	if len(items) == 0 {
		return nil, badRequest("input", "'input' must have at least one item.")
	}
	var turns []turn
	for i, item := range items {
		param := "input[" + strconv.Itoa(i) + "]"
		switch item.Type {
		case "", "message":
			t, err := item.message(param)
			if err != nil {
				return nil, err
			}
			turns = append(turns, t)
		case "function_call":
			turns = append(turns, turn{role: roleAssistant, calls: []call{{id: item.CallID, item: item.ID, name: item.Name, args: item.Arguments}}})
		case "function_call_output":
			text, images, err := partsText(item.Output, param+".output")
			if err != nil {
				return nil, err
			}
			turns = append(turns, turn{role: roleTool, callID: item.CallID, text: text, images: images})
		case "item_reference":
			t, ok := s.responses.item(item.ID)
			if !ok {
				return nil, &apiError{status: 404, param: param, message: "Item with id '" + item.ID + "' not found. Items of the last 256 stored responses are kept."}
			}
			turns = append(turns, t)
		}
	}
	return turns, nil
}

func (item *responseItem) message(param string) (turn, error) {
	roles := map[string]role{"system": roleSystem, "developer": roleSystem, "user": roleUser, "assistant": roleAssistant}
	r, ok := roles[item.Role]
	if !ok {
		return turn{}, badRequest(param+".role", "Invalid role %q: want system, developer, user or assistant.", item.Role)
	}
	text, images, err := partsText(item.Content, param+".content")
	return turn{role: r, text: text, images: images}, err
}

// partsText reads content that is a string or a list of parts.
func partsText(raw json.RawMessage, param string) (text string, images int, err error) {
	if len(raw) == 0 || json.Unmarshal(raw, &text) == nil {
		return text, 0, nil
	}
	var parts []struct {
		Type string `json:"type"`
		Text string `json:"text"`
	}
	if err := json.Unmarshal(raw, &parts); err != nil {
		return "", 0, badRequest(param, "Invalid type for '%s': expected a string or an array of parts.", param)
	}
	for _, part := range parts {
		if part.Type == "input_image" || part.Type == "image" {
			images++
			continue
		}
		text = joinText(text, part.Text)
	}
	return text, images, nil
}

// responseObject is the answer; fields that the rule does not use are sent back as they came.
type responseObject struct {
	ID                 string             `json:"id"`
	Object             string             `json:"object"`
	CreatedAt          int64              `json:"created_at"`
	CompletedAt        *int64             `json:"completed_at"`
	Status             string             `json:"status"`
	Background         bool               `json:"background"`
	Error              *openaiError       `json:"error"`
	IncompleteDetails  *incompleteDetails `json:"incomplete_details"`
	Instructions       *string            `json:"instructions"`
	MaxOutputTokens    *int               `json:"max_output_tokens"`
	Model              string             `json:"model"`
	Output             []any              `json:"output"`
	ParallelToolCalls  bool               `json:"parallel_tool_calls"`
	PreviousResponseID *string            `json:"previous_response_id"`
	Reasoning          map[string]any     `json:"reasoning"`
	ServiceTier        string             `json:"service_tier"`
	Store              bool               `json:"store"`
	Temperature        float64            `json:"temperature"`
	Text               json.RawMessage    `json:"text"`
	ToolChoice         json.RawMessage    `json:"tool_choice"`
	Tools              json.RawMessage    `json:"tools"`
	TopP               float64            `json:"top_p"`
	Truncation         string             `json:"truncation"`
	Usage              *responseUsage     `json:"usage"`
	User               *string            `json:"user"`
	Metadata           map[string]string  `json:"metadata"`
}

type incompleteDetails struct {
	Reason string `json:"reason"`
}

type responseUsage struct {
	InputTokens   int            `json:"input_tokens"`
	InputDetails  map[string]int `json:"input_tokens_details"`
	OutputTokens  int            `json:"output_tokens"`
	OutputDetails map[string]int `json:"output_tokens_details"`
	TotalTokens   int            `json:"total_tokens"`
}

type responseMessage struct {
	ID      string         `json:"id"`
	Type    string         `json:"type"`
	Status  string         `json:"status"`
	Role    string         `json:"role"`
	Content []responsePart `json:"content"`
}

type responsePart struct {
	Type        string     `json:"type"`
	Text        string     `json:"text"`
	Annotations []struct{} `json:"annotations"`
	Logprobs    []struct{} `json:"logprobs"`
}

type responseCall struct {
	ID        string `json:"id"`
	Type      string `json:"type"`
	Status    string `json:"status"`
	CallID    string `json:"call_id"`
	Name      string `json:"name"`
	Arguments string `json:"arguments"`
}

func (r *responseRequest) response(id string, body []byte, model string) *responseObject {
	var echo struct {
		Text       json.RawMessage `json:"text"`
		ToolChoice json.RawMessage `json:"tool_choice"`
		Tools      json.RawMessage `json:"tools"`
	}
	_ = json.Unmarshal(body, &echo)
	or := func(raw json.RawMessage, other string) json.RawMessage {
		if len(raw) == 0 || string(raw) == "null" {
			return json.RawMessage(other)
		}
		return raw
	}
	metadata := r.Metadata
	if metadata == nil {
		metadata = map[string]string{}
	}
	return &responseObject{
		ID: id, Object: "response", CreatedAt: time.Now().Unix(), Status: "in_progress", Instructions: r.Instructions,
		MaxOutputTokens: r.MaxOutputTokens, Model: model, Output: []any{}, ParallelToolCalls: r.ParallelToolCalls == nil || *r.ParallelToolCalls,
		PreviousResponseID: r.PreviousResponseID, Reasoning: map[string]any{"effort": nil, "summary": nil}, ServiceTier: "default",
		Store: r.Store == nil || *r.Store, Temperature: 1, Text: or(echo.Text, `{"format":{"type":"text"}}`),
		ToolChoice: or(echo.ToolChoice, `"auto"`), Tools: or(echo.Tools, "[]"), TopP: 1, Truncation: "disabled", Metadata: metadata,
	}
}

// responseEncoder writes the events of
// https://platform.openai.com/docs/api-reference/responses-streaming in order.
type responseEncoder struct {
	answer   *answer
	message  string
	response *responseObject
	number   int
	head     []byte // of a delta, up to its sequence number
	tail     []byte // behind it, up to the delta
}

type responseEvent struct {
	Type        string          `json:"type"`
	Number      int             `json:"sequence_number"`
	Response    *responseObject `json:"response,omitempty"`
	OutputIndex *int            `json:"output_index,omitempty"`
	Item        any             `json:"item,omitempty"`
	ItemID      string          `json:"item_id,omitempty"`
	ContentPart *int            `json:"content_index,omitempty"`
	Part        *responsePart   `json:"part,omitempty"`
	Text        *string         `json:"text,omitempty"`
	Logprobs    *[]struct{}     `json:"logprobs,omitempty"`
	Name        string          `json:"name,omitempty"`
	Arguments   *string         `json:"arguments,omitempty"`
}

func (e *responseEncoder) send(s *stream, v responseEvent) {
	v.Number = e.number
	e.number++
	s.event(v.Type, v)
}

func (e *responseEncoder) item(status, text string) responseMessage {
	m := responseMessage{ID: e.message, Type: "message", Status: status, Role: "assistant", Content: []responsePart{}}
	if status != "in_progress" {
		m.Content = append(m.Content, *textPart(text))
	}
	return m
}

func textPart(text string) *responsePart {
	return &responsePart{Type: "output_text", Text: text, Annotations: []struct{}{}, Logprobs: []struct{}{}}
}

var zero = 0

func (e *responseEncoder) open(s *stream) {
	s.deltaName = "response.output_text.delta"
	e.send(s, responseEvent{Type: "response.created", Response: e.response})
	e.send(s, responseEvent{Type: "response.in_progress", Response: e.response})
	if len(e.answer.calls) > 0 {
		return
	}
	e.head = []byte(`{"type":"response.output_text.delta","sequence_number":`)
	e.tail = appendString([]byte(`,"item_id":`), e.message)
	e.tail = append(e.tail, `,"output_index":0,"content_index":0,"logprobs":[],"delta":`...)
	e.send(s, responseEvent{Type: "response.output_item.added", OutputIndex: &zero, Item: e.item("in_progress", "")})
	e.send(s, responseEvent{Type: "response.content_part.added", ItemID: e.message, OutputIndex: &zero, ContentPart: &zero, Part: textPart("")})
}

// delta writes an event by hand, as there is one a token.
func (e *responseEncoder) delta(s *stream, name string, head, tail []byte, text string) {
	s.begin(name)
	s.buf = append(s.buf, head...)
	s.buf = strconv.AppendInt(s.buf, int64(e.number), 10)
	e.number++
	s.buf = append(s.buf, tail...)
	s.buf = appendString(s.buf, text)
	s.buf = append(s.buf, '}')
	s.finish()
}

func (e *responseEncoder) text(s *stream, token string) {
	e.delta(s, "response.output_text.delta", e.head, e.tail, token)
}

func (c *call) responseItem(status, args string) responseCall {
	return responseCall{ID: c.item, Type: "function_call", Status: status, CallID: c.id, Name: c.name, Arguments: args}
}

func (e *responseEncoder) callOpen(s *stream, i int, c *call) {
	s.deltaName = "response.function_call_arguments.delta"
	e.head = []byte(`{"type":"response.function_call_arguments.delta","sequence_number":`)
	e.tail = appendString([]byte(`,"item_id":`), c.item)
	e.tail = strconv.AppendInt(append(e.tail, `,"output_index":`...), int64(i), 10)
	e.tail = append(e.tail, `,"delta":`...)
	e.send(s, responseEvent{Type: "response.output_item.added", OutputIndex: &i, Item: c.responseItem("in_progress", "")})
}

func (e *responseEncoder) callDelta(s *stream, _ int, part string) {
	e.delta(s, "response.function_call_arguments.delta", e.head, e.tail, part)
}

func (e *responseEncoder) callClose(s *stream, i int, c *call) {
	e.send(s, responseEvent{Type: "response.function_call_arguments.done", ItemID: c.item, OutputIndex: &i, Name: c.name, Arguments: &c.args})
	e.send(s, responseEvent{Type: "response.output_item.done", OutputIndex: &i, Item: c.responseItem("completed", c.args)})
}

func (e *responseEncoder) close(s *stream) {
	text := e.complete()
	if len(e.answer.calls) == 0 {
		e.send(s, responseEvent{Type: "response.output_text.done", ItemID: e.message, OutputIndex: &zero, ContentPart: &zero, Text: &text, Logprobs: &[]struct{}{}})
		e.send(s, responseEvent{Type: "response.content_part.done", ItemID: e.message, OutputIndex: &zero, ContentPart: &zero, Part: textPart(text)})
		e.send(s, responseEvent{Type: "response.output_item.done", OutputIndex: &zero, Item: e.response.Output[0]})
	}
	e.send(s, responseEvent{Type: "response." + e.response.Status, Response: e.response})
}

// complete fills in the response and returns its text.
func (e *responseEncoder) complete() string {
	r, a := e.response, e.answer
	r.Status = "completed"
	if a.finish == finishLength {
		r.Status, r.IncompleteDetails = "incomplete", &incompleteDetails{"max_output_tokens"}
	} else {
		now := time.Now().Unix()
		r.CompletedAt = &now
	}
	r.Usage = &responseUsage{
		InputTokens: a.inputTokens, OutputTokens: a.outputTokens, TotalTokens: a.inputTokens + a.outputTokens,
		InputDetails: map[string]int{"cached_tokens": 0}, OutputDetails: map[string]int{"reasoning_tokens": 0},
	}
	text := ""
	for i := range a.calls {
		r.Output = append(r.Output, a.calls[i].responseItem("completed", a.calls[i].args))
	}
	if len(a.calls) == 0 {
		text = a.text.text()
		r.Output = append(r.Output, e.item(r.Status, text))
	}
	return text
}

func (e *responseEncoder) fail(s *stream, err *apiError) {
	body := err.openai()
	s.event("error", map[string]any{"type": "error", "code": body.Type, "message": body.Message, "param": body.Param, "sequence_number": e.number})
	e.number++
}

// turnsOf is the answer as the turns of a later request.
func (e *responseEncoder) turnsOf() (turns []turn, ids []string) {
	for _, c := range e.answer.calls {
		turns = append(turns, turn{role: roleAssistant, calls: []call{c}})
		ids = append(ids, c.item)
	}
	if len(e.answer.calls) == 0 {
		turns = append(turns, turn{role: roleAssistant, text: strings.Clone(e.answer.text.text())})
		ids = append(ids, e.message)
	}
	return turns, ids
}
