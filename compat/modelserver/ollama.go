package modelserver

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// ollamaRequest is a request of https://docs.ollama.com/api/chat or /api/generate.
type ollamaRequest struct {
	Model    string `json:"model"`
	Stream   *bool  `json:"stream"`
	Messages []struct {
		Role      string            `json:"role"`
		Content   string            `json:"content"`
		Images    []json.RawMessage `json:"images"`
		ToolName  string            `json:"tool_name"`
		ToolCalls []struct {
			Function struct {
				Name      string          `json:"name"`
				Arguments json.RawMessage `json:"arguments"`
			} `json:"function"`
		} `json:"tool_calls"`
	} `json:"messages"`
	Prompt  string            `json:"prompt"`
	System  string            `json:"system"`
	Images  []json.RawMessage `json:"images"`
	Tools   []chatTool        `json:"tools"`
	Format  json.RawMessage   `json:"format"`
	Options struct {
		NumPredict int        `json:"num_predict"`
		Stop       stringList `json:"stop"`
	} `json:"options"`
}

// ollamaRoute routes what follows /api/.
func ollamaRoute(name string, get, post func(handler) map[string]handler) map[string]handler {
	switch name {
	case "chat":
		return post(func(x *exchange) error { return ollamaAnswer(x, true) })
	case "generate":
		return post(func(x *exchange) error { return ollamaAnswer(x, false) })
	case "embed":
		return post(ollamaEmbed)
	case "tags":
		return get(ollamaModels)
	case "version":
		return get(func(x *exchange) error {
			x.write(http.StatusOK, map[string]string{"version": "0.13.0"})
			return nil
		})
	}
	return nil
}

func ollamaAnswer(x *exchange, chat bool) error {
	body, err := x.body()
	if err != nil {
		return err
	}
	var req ollamaRequest
	if err := decode(body, &req); err != nil {
		return err
	}
	if req.Model == "" {
		return badRequest("model", "model is required")
	}
	model, err := x.configure(req.Model)
	if err != nil {
		return err
	}
	p, err := req.prompt(model, chat)
	if err != nil {
		return err
	}
	a, err := x.answer(p)
	if err != nil {
		return err
	}
	e := &ollamaEncoder{model: model, chat: chat, answer: a}
	if req.Stream == nil || *req.Stream {
		x.stream(e, a, frameLines)
		return nil
	}
	object := e.object(a.text.text(), e.calls())
	e.finish(object)
	return x.whole(a, object)
}

func (r *ollamaRequest) prompt(model string, chat bool) (*prompt, error) {
	p := &prompt{model: model, choices: 1, stop: r.Options.Stop, maxTokens: max(r.Options.NumPredict, 0)}
	if !chat {
		p.turns = append(p.turns, turn{role: roleSystem, text: r.System}, turn{role: roleUser, text: r.Prompt, images: len(r.Images)})
	}
	roles := map[string]role{"system": roleSystem, "user": roleUser, "assistant": roleAssistant, "tool": roleTool}
	for i, m := range r.Messages {
		known, ok := roles[m.Role]
		if !ok {
			return nil, badRequest("messages", "messages[%d].role is %q, want system, user, assistant or tool", i, m.Role)
		}
		t := turn{role: known, text: m.Content, images: len(m.Images), name: m.ToolName}
		for _, c := range m.ToolCalls {
			t.calls = append(t.calls, call{name: c.Function.Name, args: string(c.Function.Arguments)})
		}
		p.turns = append(p.turns, t)
	}
	for i, given := range r.Tools {
		schema, err := parseSchema(given.Function.Parameters, "tools["+strconv.Itoa(i)+"].function.parameters")
		if err != nil {
			return nil, err
		}
		p.tools = append(p.tools, tool{name: given.Function.Name, description: given.Function.Description, schema: schema})
	}
	var err error
	switch format := string(r.Format); format {
	case "", "null", `""`:
	case `"json"`:
		p.json = true
	default:
		p.schema, err = parseSchema(r.Format, "format")
	}
	return p, err
}

// ollamaEncoder writes a line for each token.
type ollamaEncoder struct {
	model  string
	chat   bool
	answer *answer
}

func (e *ollamaEncoder) object(text string, calls []any) map[string]any {
	object := map[string]any{"model": e.model, "created_at": time.Now().UTC(), "done": false}
	if !e.chat {
		object["response"] = text
		return object
	}
	message := map[string]any{"role": "assistant", "content": text}
	if calls != nil {
		message["tool_calls"] = calls
	}
	object["message"] = message
	return object
}

func (e *ollamaEncoder) calls() (calls []any) {
	for _, c := range e.answer.calls {
		calls = append(calls, map[string]any{"function": map[string]any{"name": c.name, "arguments": json.RawMessage(c.args)}})
	}
	return calls
}

// finish adds what the last object has. Durations are in nanoseconds.
func (e *ollamaEncoder) finish(object map[string]any) {
	object["done"], object["done_reason"] = true, "stop"
	if e.answer.finish == finishLength {
		object["done_reason"] = "length"
	}
	object["prompt_eval_count"], object["eval_count"] = e.answer.inputTokens, e.answer.outputTokens
	for _, name := range []string{"total_duration", "load_duration", "prompt_eval_duration", "eval_duration"} {
		object[name] = time.Millisecond
	}
}

func (e *ollamaEncoder) open(*stream) {}

func (e *ollamaEncoder) text(s *stream, token string) { s.event("", e.object(token, nil)) }

func (e *ollamaEncoder) callOpen(*stream, int, *call) {}

func (e *ollamaEncoder) callDelta(*stream, int, string) {}

func (e *ollamaEncoder) callClose(s *stream, i int, _ *call) {
	s.event("", e.object("", e.calls()[i:i+1]))
}

func (e *ollamaEncoder) close(s *stream) {
	object := e.object("", nil)
	e.finish(object)
	s.event("", object)
}

func (e *ollamaEncoder) fail(s *stream, err *apiError) { s.event("", err.body(shapeOllama, "")) }

func ollamaEmbed(x *exchange) error {
	body, err := x.body()
	if err != nil {
		return err
	}
	var req struct {
		Model      string          `json:"model"`
		Input      json.RawMessage `json:"input"`
		Dimensions *int            `json:"dimensions"`
	}
	if err := decode(body, &req); err != nil {
		return err
	}
	model, err := x.configure(req.Model)
	if err != nil {
		return err
	}
	texts, err := embeddingInput(req.Input)
	if err != nil {
		return err
	}
	embedder, err := embedderOf(req.Dimensions, "dimensions")
	if err != nil {
		return err
	}
	tokens, embeddings := 0, make([][]float32, len(texts))
	for i, text := range texts {
		tokens, embeddings[i] = tokens+countTokens(text), embedder.Embed(text)
	}
	return x.whole(&answer{}, map[string]any{"model": model, "embeddings": embeddings, "prompt_eval_count": tokens})
}

func ollamaModels(x *exchange) error {
	if _, err := x.configure(""); err != nil {
		return err
	}
	var list []any
	for i, name := range models {
		list = append(list, map[string]any{
			"name": name, "model": name, "modified_at": time.Unix(modelsCreated, 0).UTC(), "size": 1 << 30, "digest": fmt.Sprintf("%064x", i),
			"details": map[string]any{"format": "gguf", "family": "test", "parameter_size": "1B", "quantization_level": "Q4_0"},
		})
	}
	x.write(http.StatusOK, map[string]any{"models": list})
	return nil
}
