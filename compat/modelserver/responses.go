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
	Background         bool            `json:"background"`
	Reasoning          struct {
		Effort  *string `json:"effort"`
		Summary *string `json:"summary"`
	} `json:"reasoning"`
	Tools []struct {
		hostedTool
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
	Input     string          `json:"input"` // of a custom tool
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
	hosted, err := x.srv.hosted(req.hostedTools(), req.summary(), p.message())
	if err != nil {
		return err
	}
	e := &responseEncoder{answer: a, hosted: hosted, base: len(hosted), message: x.srv.id("msg_"), response: req.response(x.srv.id("resp_"), body, model)}
	if req.Store == nil || *req.Store {
		x.srv.responses.add(e, p)
	}
	if req.Stream {
		x.stream(e, a, frameEvents)
		x.srv.responses.complete(e.response)
		return nil
	}
	e.complete()
	x.srv.responses.complete(e.response)
	return x.whole(a, e.response)
}

func (r *responseRequest) hostedTools() []hostedTool {
	var tools []hostedTool
	for _, t := range r.Tools {
		tools = append(tools, t.hostedTool)
	}
	return tools
}

func (r *responseRequest) summary() string {
	if r.Reasoning.Summary == nil {
		return ""
	}
	return *r.Reasoning.Summary
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
		if given.Type != "function" && given.Type != "custom" {
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
		p.tools = append(p.tools, tool{given.Name, given.Description, schema, given.Type == "custom"})
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
		case "custom_tool_call":
			turns = append(turns, turn{role: roleAssistant, calls: []call{{id: item.CallID, item: item.ID, name: item.Name, args: item.Input, custom: true}}})
		case "function_call_output", "custom_tool_call_output":
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

// responsePart is a text or a refusal.
type responsePart struct {
	Type        string      `json:"type"`
	Text        *string     `json:"text,omitempty"`
	Refusal     *string     `json:"refusal,omitempty"`
	Annotations *[]citation `json:"annotations,omitempty"`
	Logprobs    *[]struct{} `json:"logprobs,omitempty"`
}

type responseCall struct {
	ID        string `json:"id"`
	Type      string `json:"type"`
	Status    string `json:"status"`
	CallID    string `json:"call_id"`
	Name      string `json:"name"`
	Arguments string `json:"arguments"`
}

// responseCustomCall is a call of a custom tool, whose input is any text.
type responseCustomCall struct {
	ID     string `json:"id"`
	Type   string `json:"type"`
	Status string `json:"status"`
	CallID string `json:"call_id"`
	Name   string `json:"name"`
	Input  string `json:"input"`
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
		PreviousResponseID: r.PreviousResponseID, Reasoning: map[string]any{"effort": r.Reasoning.Effort, "summary": r.Reasoning.Summary}, Background: r.Background, ServiceTier: "default",
		Store: r.Store == nil || *r.Store, Temperature: 1, Text: or(echo.Text, `{"format":{"type":"text"}}`),
		ToolChoice: or(echo.ToolChoice, `"auto"`), Tools: or(echo.Tools, "[]"), TopP: 1, Truncation: "disabled", Metadata: metadata,
	}
}

// responseEncoder writes the events of
// https://platform.openai.com/docs/api-reference/responses-streaming in order.
type responseEncoder struct {
	answer   *answer
	hosted   []hostedItem
	base     int // index of the answer's first item
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
	Refusal     *string         `json:"refusal,omitempty"`
	Annotation  *citation       `json:"annotation,omitempty"`
	AnnotationN *int            `json:"annotation_index,omitempty"`
	Input       *string         `json:"input,omitempty"`
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
		m.Content = append(m.Content, *e.part(text))
	}
	return m
}

func (e *responseEncoder) part(text string) *responsePart {
	if e.answer.refusal {
		return &responsePart{Type: "refusal", Refusal: &text}
	}
	cited := citations(e.hosted, text)
	if text == "" {
		cited = []citation{}
	}
	return &responsePart{Type: "output_text", Text: &text, Annotations: &cited, Logprobs: &[]struct{}{}}
}

var zero = 0

func (e *responseEncoder) open(s *stream) {
	e.send(s, responseEvent{Type: "response.created", Response: e.response})
	if e.response.Background {
		e.send(s, responseEvent{Type: "response.queued", Response: e.response})
	}
	e.send(s, responseEvent{Type: "response.in_progress", Response: e.response})
	e.sendHosted(s)
	if len(e.answer.calls) > 0 {
		return
	}
	name, end := "response.output_text.delta", `,"content_index":0,"logprobs":[],"delta":`
	if e.answer.refusal {
		name, end = "response.refusal.delta", `,"content_index":0,"delta":`
	}
	e.deltas(s, name, e.message, e.base, end)
	e.send(s, responseEvent{Type: "response.output_item.added", OutputIndex: &e.base, Item: e.item("in_progress", "")})
	e.send(s, responseEvent{Type: "response.content_part.added", ItemID: e.message, OutputIndex: &e.base, ContentPart: &zero, Part: e.part("")})
}

// deltas prepares the events of an item's parts.
func (e *responseEncoder) deltas(s *stream, name, item string, index int, end string) {
	s.deltaName = name
	e.head = []byte(`{"type":"` + name + `","sequence_number":`)
	e.tail = appendString([]byte(`,"item_id":`), item)
	e.tail = strconv.AppendInt(append(e.tail, `,"output_index":`...), int64(index), 10)
	e.tail = append(e.tail, end...)
}

// text writes an event by hand, as there is one a token.
func (e *responseEncoder) text(s *stream, token string) {
	s.begin(s.deltaName)
	s.buf = append(s.buf, e.head...)
	s.buf = strconv.AppendInt(s.buf, int64(e.number), 10)
	e.number++
	s.buf = append(s.buf, e.tail...)
	s.buf = appendString(s.buf, token)
	s.buf = append(s.buf, '}')
	s.finish()
}

func (c *call) responseItem(status, args string) any {
	if c.custom {
		return responseCustomCall{ID: c.item, Type: "custom_tool_call", Status: status, CallID: c.id, Name: c.name, Input: args}
	}
	return responseCall{ID: c.item, Type: "function_call", Status: status, CallID: c.id, Name: c.name, Arguments: args}
}

func (e *responseEncoder) callOpen(s *stream, i int, c *call) {
	name := "response.function_call_arguments.delta"
	if c.custom {
		name = "response.custom_tool_call_input.delta"
	}
	i += e.base
	e.deltas(s, name, c.item, i, `,"delta":`)
	e.send(s, responseEvent{Type: "response.output_item.added", OutputIndex: &i, Item: c.responseItem("in_progress", "")})
}

func (e *responseEncoder) callDelta(s *stream, _ int, part string) { e.text(s, part) }

func (e *responseEncoder) callClose(s *stream, i int, c *call) {
	i += e.base
	if c.custom {
		e.send(s, responseEvent{Type: "response.custom_tool_call_input.done", ItemID: c.item, OutputIndex: &i, Input: &c.args})
	} else {
		e.send(s, responseEvent{Type: "response.function_call_arguments.done", ItemID: c.item, OutputIndex: &i, Name: c.name, Arguments: &c.args})
	}
	e.send(s, responseEvent{Type: "response.output_item.done", OutputIndex: &i, Item: c.responseItem("completed", c.args)})
}

func (e *responseEncoder) close(s *stream) {
	text := e.complete()
	if len(e.answer.calls) == 0 {
		e.closeText(s, text)
	}
	e.send(s, responseEvent{Type: "response." + e.response.Status, Response: e.response})
}

func (e *responseEncoder) closeText(s *stream, text string) {
	done := responseEvent{Type: "response.output_text.done", ItemID: e.message, OutputIndex: &e.base, ContentPart: &zero, Text: &text, Logprobs: &[]struct{}{}}
	if e.answer.refusal {
		done.Type, done.Text, done.Refusal, done.Logprobs = "response.refusal.done", nil, &text, nil
	}
	for i, cited := range citations(e.hosted, text) {
		e.send(s, responseEvent{
			Type: "response.output_text.annotation.added", ItemID: e.message, OutputIndex: &e.base, ContentPart: &zero, AnnotationN: &i, Annotation: &cited,
		})
	}
	e.send(s, done)
	e.send(s, responseEvent{Type: "response.content_part.done", ItemID: e.message, OutputIndex: &e.base, ContentPart: &zero, Part: e.part(text)})
	e.send(s, responseEvent{Type: "response.output_item.done", OutputIndex: &e.base, Item: e.response.Output[e.base]})
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
	for _, item := range e.hosted {
		r.Output = append(r.Output, item.done)
	}
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
