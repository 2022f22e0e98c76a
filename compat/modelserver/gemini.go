package modelserver

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
)

// geminiRequest is a request of https://ai.google.dev/api/generate-content.
type geminiRequest struct {
	Contents          []geminiContent `json:"contents"`
	SystemInstruction *geminiContent  `json:"systemInstruction"`
	Tools             []struct {
		FunctionDeclarations []struct {
			Name                 string          `json:"name"`
			Description          string          `json:"description"`
			Parameters           json.RawMessage `json:"parameters"`
			ParametersJSONSchema json.RawMessage `json:"parametersJsonSchema"`
		} `json:"functionDeclarations"`
	} `json:"tools"`
	ToolConfig struct {
		FunctionCallingConfig struct {
			Mode                 string   `json:"mode"`
			AllowedFunctionNames []string `json:"allowedFunctionNames"`
		} `json:"functionCallingConfig"`
	} `json:"toolConfig"`
	GenerationConfig struct {
		MaxOutputTokens    int             `json:"maxOutputTokens"`
		StopSequences      []string        `json:"stopSequences"`
		CandidateCount     *int            `json:"candidateCount"`
		ResponseMIMEType   string          `json:"responseMimeType"`
		ResponseSchema     json.RawMessage `json:"responseSchema"`
		ResponseJSONSchema json.RawMessage `json:"responseJsonSchema"`
	} `json:"generationConfig"`
}

type geminiContent struct {
	Role  string       `json:"role"`
	Parts []geminiPart `json:"parts"`
}

type geminiPart struct {
	Text         string          `json:"text"`
	InlineData   json.RawMessage `json:"inlineData"`
	FileData     json.RawMessage `json:"fileData"`
	FunctionCall *struct {
		ID   string          `json:"id"`
		Name string          `json:"name"`
		Args json.RawMessage `json:"args"`
	} `json:"functionCall"`
	FunctionResponse *struct {
		ID       string          `json:"id"`
		Name     string          `json:"name"`
		Response json.RawMessage `json:"response"`
	} `json:"functionResponse"`
}

// googleRoute routes what follows /v1beta/models/.
func googleRoute(rest string, get, post func(handler) map[string]handler) map[string]handler {
	i := strings.LastIndexByte(rest, ':')
	if i < 0 {
		return get(func(x *exchange) error { return getModel(x, rest) })
	}
	model := rest[:i]
	switch rest[i+1:] {
	case "generateContent":
		return post(func(x *exchange) error { return generateContent(x, model, false) })
	case "streamGenerateContent":
		return post(func(x *exchange) error { return generateContent(x, model, true) })
	case "countTokens":
		return post(func(x *exchange) error { return countContentTokens(x, model) })
	case "embedContent":
		return post(func(x *exchange) error { return embedContent(x, model) })
	case "batchEmbedContents":
		return post(func(x *exchange) error { return batchEmbedContents(x, model) })
	}
	return nil
}

func generateContent(x *exchange, model string, streamed bool) error {
	body, err := x.body()
	if err != nil {
		return err
	}
	var req geminiRequest
	if err := decode(body, &req); err != nil {
		return err
	}
	if model, err = x.configure(model); err != nil {
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
	e := &geminiEncoder{id: x.srv.id("gemini-"), model: model, answer: a, choices: p.choices}
	if streamed {
		framing := frameArray
		if x.r.URL.Query().Get("alt") == "sse" {
			framing = frameEvents
		}
		x.stream(e, a, framing)
		return nil
	}
	var parts []any
	for i := range a.calls {
		parts = append(parts, a.calls[i].geminiPart())
	}
	if len(a.calls) == 0 {
		parts = append(parts, map[string]any{"text": a.text.text()})
	}
	return x.whole(a, e.response(parts, true))
}

// countContentTokens serves https://ai.google.dev/api/tokens.
func countContentTokens(x *exchange, model string) error {
	body, err := x.body()
	if err != nil {
		return err
	}
	var req geminiRequest
	if err := decode(body, &req); err != nil {
		return err
	}
	if model, err = x.configure(model); err != nil {
		return err
	}
	p, err := req.prompt(model)
	if err != nil {
		return err
	}
	return x.whole(&answer{}, map[string]int{"totalTokens": p.countInput()})
}

func (r *geminiRequest) prompt(model string) (*prompt, error) {
	p := &prompt{model: model, choices: 1, stop: r.GenerationConfig.StopSequences, maxTokens: r.GenerationConfig.MaxOutputTokens}
	if len(r.Contents) == 0 {
		return nil, badRequest("contents", "* GenerateContentRequest.contents: contents is not specified")
	}
	if n := r.GenerationConfig.CandidateCount; n != nil {
		if p.choices = *n; p.choices < 1 || p.choices > MaxChoices {
			return nil, badRequest("generationConfig.candidateCount", "candidateCount is %d, want 1 to %d", p.choices, MaxChoices)
		}
	}
	if p.maxTokens < 0 {
		return nil, badRequest("generationConfig.maxOutputTokens", "maxOutputTokens is %d, want at least 1", p.maxTokens)
	}
	if r.SystemInstruction != nil {
		p.turns = append(p.turns, turn{role: roleSystem, text: r.SystemInstruction.text()})
	}
	for i, content := range r.Contents {
		switch content.Role {
		case "", "user", "model", "function":
		default:
			return nil, badRequest("contents", "contents[%d].role is %q, want user or model", i, content.Role)
		}
		p.turns = append(p.turns, content.turns()...)
	}
	for _, group := range r.Tools {
		for i, given := range group.FunctionDeclarations {
			param := "tools.function_declarations[" + strconv.Itoa(i) + "]"
			if given.Name == "" {
				return nil, badRequest(param, "%s.name: Cannot be empty", param)
			}
			raw := given.ParametersJSONSchema
			if len(raw) == 0 {
				raw = given.Parameters
			}
			schema, err := parseSchema(raw, param+".parameters")
			if err != nil {
				return nil, err
			}
			p.tools = append(p.tools, tool{name: given.Name, description: given.Description, schema: schema})
		}
	}
	config := r.ToolConfig.FunctionCallingConfig
	switch strings.ToUpper(config.Mode) {
	case "", "AUTO", "VALIDATED", "MODE_UNSPECIFIED":
	case "ANY":
		p.choice = toolChoice{required: true, allowed: config.AllowedFunctionNames}
	case "NONE":
		p.choice.none = true
	default:
		return nil, badRequest("toolConfig", "functionCallingConfig.mode is %q, want AUTO, ANY, VALIDATED or NONE", config.Mode)
	}
	return p, r.format(p)
}

func (r *geminiRequest) format(p *prompt) error {
	raw := r.GenerationConfig.ResponseJSONSchema
	if len(raw) == 0 {
		raw = r.GenerationConfig.ResponseSchema
	}
	var err error
	p.schema, err = parseSchema(raw, "generationConfig.responseSchema")
	p.json = r.GenerationConfig.ResponseMIMEType == "application/json"
	return err
}

func (c *geminiContent) text() string {
	text := ""
	for _, part := range c.Parts {
		text = joinText(text, part.Text)
	}
	return text
}

func (c *geminiContent) turns() []turn {
	t := turn{role: roleUser, text: c.text()}
	if c.Role == "model" {
		t.role = roleAssistant
	}
	var turns []turn
	for _, part := range c.Parts {
		switch {
		case part.InlineData != nil || part.FileData != nil:
			t.images++
		case part.FunctionCall != nil:
			t.calls = append(t.calls, call{id: part.FunctionCall.ID, name: part.FunctionCall.Name, args: string(part.FunctionCall.Args)})
		case part.FunctionResponse != nil:
			r := part.FunctionResponse
			turns = append(turns, turn{role: roleTool, callID: r.ID, name: r.Name, text: unwrapResult(r.Response)})
		}
	}
	if t.text != "" || t.images > 0 || len(t.calls) > 0 || len(turns) == 0 {
		turns = append(turns, t)
	}
	return turns
}

// unwrapResult takes a result out of the object that Gemini's clients put around it.
func unwrapResult(raw json.RawMessage) string {
	var object map[string]json.RawMessage
	if json.Unmarshal(raw, &object) == nil {
		for _, name := range []string{"output", "result", "content"} {
			if inner, ok := object[name]; ok && (len(object) == 1 || len(object) == 2 && object["name"] != nil) {
				return string(inner)
			}
		}
	}
	return string(raw)
}

// geminiEncoder writes GenerateContentResponse objects.
type geminiEncoder struct {
	id, model string
	answer    *answer
	choices   int
	tail      []byte
	sent      int // tokens, for the usage of each chunk
}

func (c *call) geminiPart() any {
	return map[string]any{"functionCall": map[string]any{"id": c.id, "name": c.name, "args": json.RawMessage(c.args)}}
}

func (e *geminiEncoder) usage(tokens int) map[string]any {
	tokens *= e.choices
	return map[string]any{"promptTokenCount": e.answer.inputTokens, "candidatesTokenCount": tokens, "totalTokenCount": e.answer.inputTokens + tokens}
}

func (e *geminiEncoder) response(parts []any, last bool) map[string]any {
	tokens := e.sent
	if last {
		tokens = e.answer.outputTokens
	}
	var candidates []any
	for i := range e.choices {
		candidate := map[string]any{"content": map[string]any{"role": "model", "parts": parts}, "index": i}
		if last {
			candidate["finishReason"] = "STOP"
			if e.answer.finish == finishLength {
				candidate["finishReason"] = "MAX_TOKENS"
			}
		}
		candidates = append(candidates, candidate)
	}
	return map[string]any{"candidates": candidates, "usageMetadata": e.usage(tokens), "modelVersion": e.model, "responseId": e.id}
}

func (e *geminiEncoder) open(*stream) {
	e.tail = append(e.tail, `],"modelVersion":`...)
	e.tail = appendString(e.tail, e.model)
	e.tail = append(e.tail, `,"responseId":`...)
	e.tail = appendString(e.tail, e.id)
	e.tail = append(e.tail, `,"usageMetadata":{"promptTokenCount":`...)
	e.tail = strconv.AppendInt(e.tail, int64(e.answer.inputTokens), 10)
	e.tail = append(e.tail, `,"candidatesTokenCount":`...)
}

func (e *geminiEncoder) text(s *stream, token string) {
	e.sent++
	s.begin("")
	s.buf = append(s.buf, `{"candidates":[`...)
	for i := range e.choices {
		if i > 0 {
			s.buf = append(s.buf, ',')
		}
		s.buf = append(s.buf, `{"content":{"role":"model","parts":[{"text":`...)
		s.buf = appendString(s.buf, token)
		s.buf = append(s.buf, `}]},"index":`...)
		s.buf = strconv.AppendInt(s.buf, int64(i), 10)
		s.buf = append(s.buf, '}')
	}
	s.buf = append(s.buf, e.tail...)
	s.buf = strconv.AppendInt(s.buf, int64(e.sent*e.choices), 10)
	s.buf = append(s.buf, `,"totalTokenCount":`...)
	s.buf = strconv.AppendInt(s.buf, int64(e.answer.inputTokens+e.sent*e.choices), 10)
	s.buf = append(s.buf, "}}"...)
	s.finish()
}

func (e *geminiEncoder) callOpen(*stream, int, *call) {}

func (e *geminiEncoder) callDelta(*stream, int, string) { e.sent++ }

func (e *geminiEncoder) callClose(s *stream, _ int, c *call) {
	s.event("", e.response([]any{c.geminiPart()}, false))
}

func (e *geminiEncoder) close(s *stream) {
	s.event("", e.response([]any{map[string]any{"text": ""}}, true))
}

func (e *geminiEncoder) fail(s *stream, err *apiError) {
	s.event("", err.body(shapeGoogle, ""))
}

type geminiEmbedRequest struct {
	Content              *geminiContent `json:"content"`
	OutputDimensionality *int           `json:"outputDimensionality"`
}

func (r *geminiEmbedRequest) embed() (map[string]any, error) {
	if r.Content == nil {
		return nil, badRequest("content", "* EmbedContentRequest.content: content is not specified")
	}
	embedder, err := embedderOf(r.OutputDimensionality, "outputDimensionality")
	if err != nil {
		return nil, err
	}
	return map[string]any{"values": embedder.Embed(r.Content.text())}, nil
}

// embedContent serves https://ai.google.dev/api/embeddings.
func embedContent(x *exchange, model string) error {
	body, err := x.body()
	if err != nil {
		return err
	}
	var req geminiEmbedRequest
	if err := decode(body, &req); err != nil {
		return err
	}
	if _, err := x.configure(model); err != nil {
		return err
	}
	embedding, err := req.embed()
	if err != nil {
		return err
	}
	return x.whole(&answer{}, map[string]any{"embedding": embedding})
}

func batchEmbedContents(x *exchange, model string) error {
	body, err := x.body()
	if err != nil {
		return err
	}
	var req struct {
		Requests []geminiEmbedRequest `json:"requests"`
	}
	if err := decode(body, &req); err != nil {
		return err
	}
	if _, err := x.configure(model); err != nil {
		return err
	}
	if n := len(req.Requests); n == 0 || n > MaxInputs {
		return &apiError{status: http.StatusBadRequest, message: "requests has " + strconv.Itoa(n) + " texts, want 1 to " + strconv.Itoa(MaxInputs)}
	}
	embeddings := make([]any, len(req.Requests))
	for i := range req.Requests {
		if embeddings[i], err = req.Requests[i].embed(); err != nil {
			return err
		}
	}
	return x.whole(&answer{}, map[string]any{"embeddings": embeddings})
}
