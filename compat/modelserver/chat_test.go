package modelserver

import (
	"encoding/json"
	"errors"
	"io"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/sashabaranov/go-openai"
	"github.com/sashabaranov/go-openai/jsonschema"
)

// streamed collects a stream of go-openai's client.
type streamed struct {
	text   map[int]string
	calls  []openai.ToolCall
	finish []openai.FinishReason
	usage  *openai.Usage
	chunks int
}

func (f *fixture) stream(t testing.TB, req openai.ChatCompletionRequest) streamed {
	t.Helper()
	req.StreamOptions = &openai.StreamOptions{IncludeUsage: true}
	s, err := f.openai().CreateChatCompletionStream(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	out := streamed{text: map[int]string{}}
	for {
		chunk, err := s.Recv()
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		if chunk.Usage != nil {
			out.usage = chunk.Usage
		}
		for _, choice := range chunk.Choices {
			out.chunks++
			out.text[choice.Index] += choice.Delta.Content
			if choice.FinishReason != "" {
				out.finish = append(out.finish, choice.FinishReason)
			}
			for _, c := range choice.Delta.ToolCalls {
				if *c.Index == len(out.calls) {
					out.calls = append(out.calls, c)
					continue
				}
				out.calls[*c.Index].Function.Arguments += c.Function.Arguments
			}
		}
	}
}

func TestStreamEqualsWholeAnswer(t *testing.T) {
	f := start(t, Config{})
	cases := []struct {
		name   string
		change func(*openai.ChatCompletionRequest)
		want   string
		finish openai.FinishReason
	}{
		//lint:file-ignore SA1019 many clients send max_tokens
		{"plain", func(r *openai.ChatCompletionRequest) {}, "one two, three \"four\"\n五", "stop"},
		{"max_tokens", func(r *openai.ChatCompletionRequest) { r.MaxTokens = 2 }, "one two", "length"},
		{"max_completion_tokens", func(r *openai.ChatCompletionRequest) { r.MaxCompletionTokens = 1 }, "one", "length"},
		{"max_tokens is the length", func(r *openai.ChatCompletionRequest) { r.MaxTokens = 8 }, "one two, three \"four\"\n五", "stop"},
		{"stop", func(r *openai.ChatCompletionRequest) { r.Stop = []string{"four", " three"} }, "one two,", "stop"},
		{"stop is not met", func(r *openai.ChatCompletionRequest) { r.Stop = []string{"six"} }, "one two, three \"four\"\n五", "stop"},
		{"n", func(r *openai.ChatCompletionRequest) { r.N = 3; r.MaxTokens = 3 }, "one two,", "length"},
		{"tokens repeat", func(r *openai.ChatCompletionRequest) { r.Model += ";tokens=10" }, "one two, three \"four\"\n五 one two", "stop"},
		{"tokens cut", func(r *openai.ChatCompletionRequest) { r.Model += ";tokens=3" }, "one two,", "stop"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			req := openai.ChatCompletionRequest{Model: "test-model", Messages: []openai.ChatCompletionMessage{user("say one two, three \"four\"\n五")}}
			c.change(&req)
			whole, err := f.openai().CreateChatCompletion(t.Context(), req)
			if err != nil {
				t.Fatal(err)
			}
			got := f.stream(t, req)
			n := max(req.N, 1)
			if len(whole.Choices) != n || len(got.finish) != n {
				t.Fatalf("%d choices whole, %d streamed, want %d", len(whole.Choices), len(got.finish), n)
			}
			for i, choice := range whole.Choices {
				if choice.Message.Content != c.want || got.text[i] != c.want || choice.FinishReason != c.finish || got.finish[i] != c.finish {
					t.Errorf("choice %d: whole %q (%s), streamed %q (%s)", i, choice.Message.Content, choice.FinishReason, got.text[i], got.finish[i])
				}
			}
			if u := whole.Usage; u.CompletionTokens != n*countTokens(c.want) || u.TotalTokens != u.PromptTokens+u.CompletionTokens || u.PromptTokens == 0 {
				t.Errorf("usage %+v", u)
			}
			if *got.usage.CompletionTokensDetails != *whole.Usage.CompletionTokensDetails || got.usage.TotalTokens != whole.Usage.TotalTokens {
				t.Errorf("usage streamed %+v, whole %+v", got.usage, whole.Usage)
			}
		})
	}
}

func TestChunksComeAsOpenAISendsThem(t *testing.T) {
	f := start(t, Config{})
	_, body := f.post(t, "/v1/chat/completions", chatBody("test-model", "say a b"))
	got := events(t, strings.NewReader(string(body)))
	deltas := []string{`{"role":"assistant","content":"","refusal":null}`, `{"content":"a"}`, `{"content":" b"}`, `{}`}
	if len(got) != len(deltas)+1 || got[len(deltas)].data != "[DONE]" {
		t.Fatalf("events %q", got)
	}
	for i, want := range deltas {
		var chunk struct {
			ID, Object, Model string
			Created           int64
			ServiceTier       string `json:"service_tier"`
			Fingerprint       string `json:"system_fingerprint"`
			Choices           []struct {
				Index        int
				Delta        json.RawMessage
				Logprobs     any
				FinishReason *string `json:"finish_reason"`
			}
		}
		strict(t, got[i].data, &chunk)
		last := i == len(deltas)-1
		if got[i].name != "" || chunk.Object != "chat.completion.chunk" || string(chunk.Choices[0].Delta) != want || (chunk.Choices[0].FinishReason != nil) != last {
			t.Errorf("event %d: %s", i, got[i].data)
		}
	}
}

func weatherTool() openai.Tool {
	return openai.Tool{Type: "function", Function: &openai.FunctionDefinition{
		Name: "get_weather", Description: "Get the current weather in a place",
		Parameters: json.RawMessage(`{"type":"object","properties":{"city":{"type":"string"},"unit":{"type":"string","enum":["celsius","fahrenheit"]},"days":{"type":"integer","minimum":1}},"required":["city"],"additionalProperties":false}`),
	}}
}

func sumTool() openai.Tool {
	return openai.Tool{Type: "function", Function: &openai.FunctionDefinition{
		Name: "add", Description: "Adds two numbers",
		Parameters: json.RawMessage(`{"type":"object","properties":{"a":{"type":"number"},"b":{"type":"number"}},"required":["a","b"]}`),
	}}
}

func TestToolCalls(t *testing.T) {
	f := start(t, Config{})
	tools := []openai.Tool{weatherTool(), sumTool()}
	named := openai.ToolChoice{Type: "function", Function: openai.ToolFunction{Name: "add"}}
	cases := []struct {
		name     string
		question string
		choice   any
		parallel any
		want     []string // name and arguments; none is a text
	}{
		{"a word of the name", "What is the weather in Paris?", nil, nil, []string{`get_weather {"city":"Paris"}`}},
		{"the name itself", "call get_weather for New York with unit fahrenheit", "auto", nil, []string{`get_weather {"city":"New York","unit":"fahrenheit"}`}},
		{"a call for each name", "Compare the weather of Paris and São Paulo in celsius", nil, nil, []string{`get_weather {"city":"Paris","unit":"celsius"}`, `get_weather {"city":"São Paulo","unit":"celsius"}`}},
		{"quoted text", `weather for "the moon", days: 3`, nil, nil, []string{`get_weather {"city":"the moon","days":3}`}},
		{"one at a time", "Compare the weather of Paris and Rome", nil, false, []string{`get_weather {"city":"Paris"}`}},
		{"two tools", "Add 2 and 3.5, and tell me the weather in Oslo", nil, nil, []string{`get_weather {"city":"Oslo"}`, `add {"a":2,"b":3.5}`}},
		{"not asked for", "Who wrote Faust?", nil, nil, nil},
		{"none", "What is the weather in Paris?", "none", nil, nil},
		{"required without a hint", "Hello there", "required", nil, []string{`get_weather {"city":"Hello there"}`}},
		{"a certain one", "The weather in Paris: 4 and 5", named, nil, []string{`add {"a":4,"b":5}`}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			req := openai.ChatCompletionRequest{Model: "test-model", Tools: tools, ToolChoice: c.choice, ParallelToolCalls: c.parallel, Messages: []openai.ChatCompletionMessage{user(c.question)}}
			whole, err := f.openai().CreateChatCompletion(t.Context(), req)
			if err != nil {
				t.Fatal(err)
			}
			got := f.stream(t, req)
			check := func(way string, calls []openai.ToolCall, finish openai.FinishReason) {
				var all []string
				ids := map[string]bool{}
				for _, call := range calls {
					all = append(all, call.Function.Name+" "+call.Function.Arguments)
					ids[call.ID] = call.ID != "" && call.Type == "function"
				}
				want := openai.FinishReasonToolCalls
				if c.want == nil {
					want = openai.FinishReasonStop
				}
				if !slices.Equal(all, c.want) || len(ids) != len(c.want) || ids[""] || finish != want {
					t.Errorf("%s: %q %s, want %q", way, all, finish, c.want)
				}
			}
			check("whole", whole.Choices[0].Message.ToolCalls, whole.Choices[0].FinishReason)
			check("streamed", got.calls, got.finish[0])
			if len(got.calls) > 0 && got.chunks < 5 {
				t.Errorf("arguments came in %d chunks only", got.chunks)
			}
		})
	}
}

func TestToolResultsLeadToTheAnswer(t *testing.T) {
	f := start(t, Config{})
	messages := []openai.ChatCompletionMessage{user("What is the weather in Paris, and add 2 and 3")}
	req := openai.ChatCompletionRequest{Model: "test-model", Tools: []openai.Tool{weatherTool(), sumTool()}, ParallelToolCalls: false}
	results := map[string]string{"get_weather": `{"temperature":21}`, "add": "5"}
	var order []string
	for range 4 {
		req.Messages = messages
		res, err := f.openai().CreateChatCompletion(t.Context(), req)
		if err != nil {
			t.Fatal(err)
		}
		m := res.Choices[0].Message
		if len(m.ToolCalls) == 0 {
			if want := `get_weather returned {"temperature":21}. add returned 5.`; m.Content != want {
				t.Errorf("got %q, want %q", m.Content, want)
			}
			break
		}
		messages = append(messages, m)
		for _, c := range m.ToolCalls {
			order = append(order, c.Function.Name)
			messages = append(messages, openai.ChatCompletionMessage{Role: "tool", ToolCallID: c.ID, Content: results[c.Function.Name]})
		}
	}
	if !slices.Equal(order, []string{"get_weather", "add"}) {
		t.Errorf("calls %q", order)
	}
	messages = append(messages, user("what is 1+1?"))
	req.Messages = messages
	res, err := f.openai().CreateChatCompletion(t.Context(), req)
	if err != nil || res.Choices[0].Message.Content != "1+1 = 2" {
		t.Errorf("a later question: %v %v", res.Choices, err)
	}
}

func TestLongToolResultIsSearched(t *testing.T) {
	f := start(t, Config{})
	long := strings.Repeat("The sea is wide and blue. ", 40) + "The lighthouse was built in 1811. " + strings.Repeat("Gulls cry. ", 20)
	got := f.ask(t, user("When was the lighthouse built?"), openai.ChatCompletionMessage{Role: "assistant", ToolCalls: []openai.ToolCall{{ID: "1", Type: "function", Function: openai.FunctionCall{Name: "search", Arguments: "{}"}}}},
		openai.ChatCompletionMessage{Role: "tool", ToolCallID: "1", Content: long})
	if want := "search found: According to the context: The lighthouse was built in 1811."; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestStructuredOutput(t *testing.T) {
	f := start(t, Config{})
	type person struct {
		Name string   `json:"name"`
		Age  int      `json:"age"`
		Tags []string `json:"tags"`
	}
	definition, err := jsonschema.GenerateSchemaForType(person{})
	if err != nil {
		t.Fatal(err)
	}
	req := openai.ChatCompletionRequest{
		Model: "test-model", Messages: []openai.ChatCompletionMessage{user(`Extract: "Ada Lovelace" is 36, likes "algebra" and "poems"`)},
		ResponseFormat: &openai.ChatCompletionResponseFormat{Type: "json_schema", JSONSchema: &openai.ChatCompletionResponseFormatJSONSchema{Name: "person", Schema: definition, Strict: true}},
	}
	res, err := f.openai().CreateChatCompletion(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	var got person
	if err := jsonschema.VerifySchemaAndUnmarshal(*definition, []byte(res.Choices[0].Message.Content), &got); err != nil {
		t.Fatalf("%v: %s", err, res.Choices[0].Message.Content)
	}
	if got.Name != "Ada Lovelace" || got.Age != 36 || !slices.Equal(got.Tags, []string{"algebra", "poems"}) {
		t.Errorf("%+v", got)
	}
	if s := f.stream(t, req); s.text[0] != res.Choices[0].Message.Content {
		t.Errorf("streamed %q", s.text[0])
	}
	req.ResponseFormat = &openai.ChatCompletionResponseFormat{Type: "json_object"}
	req.Messages = []openai.ChatCompletionMessage{user("what is 2+2? Answer in JSON.")}
	res, err = f.openai().CreateChatCompletion(t.Context(), req)
	if err != nil || res.Choices[0].Message.Content != `{"answer":"2+2 = 4"}` {
		t.Errorf("json_object: %v %v", res.Choices, err)
	}
}

func TestEmbeddings(t *testing.T) {
	f := start(t, Config{})
	c := f.openai()
	texts := []string{"How do I reset my password?", "Resetting a password", "Banana bread recipe"}
	floats, err := c.CreateEmbeddings(t.Context(), openai.EmbeddingRequestStrings{Input: texts, Model: "test-embedding"})
	if err != nil {
		t.Fatal(err)
	}
	encoded, err := c.CreateEmbeddings(t.Context(), openai.EmbeddingRequestStrings{Input: texts, Model: "test-embedding", EncodingFormat: openai.EmbeddingEncodingFormatBase64})
	if err != nil {
		t.Fatal(err)
	}
	for i := range texts {
		if !slices.Equal(floats.Data[i].Embedding, encoded.Data[i].Embedding) || len(floats.Data[i].Embedding) != 256 || floats.Data[i].Index != i {
			t.Errorf("text %d: %d floats, %d from base64", i, len(floats.Data[i].Embedding), len(encoded.Data[i].Embedding))
		}
	}
	near, _ := floats.Data[0].DotProduct(&floats.Data[1])
	far, _ := floats.Data[0].DotProduct(&floats.Data[2])
	if near < far+0.2 || math.IsNaN(float64(far)) {
		t.Errorf("near %v, far %v", near, far)
	}
	if u := floats.Usage; u.PromptTokens == 0 || u.TotalTokens != u.PromptTokens {
		t.Errorf("usage %+v", u)
	}
	for _, input := range []string{`"one"`, `["one"]`, `[1,2]`, `[[1,2]]`} {
		status, body := f.post(t, "/v1/embeddings", `{"model":"m","dimensions":3072,"input":`+input+`}`)
		var res openai.EmbeddingResponse
		if err := json.Unmarshal(body, &res); err != nil || status != 200 || len(res.Data) != 1 || len(res.Data[0].Embedding) != 3072 {
			t.Errorf("%s: %d %.200s", input, status, body)
		}
	}
}

func TestModelsAndFiles(t *testing.T) {
	f := start(t, Config{})
	c := f.openai()
	list, err := c.ListModels(t.Context())
	if err != nil || len(list.Models) != 3 {
		t.Fatalf("%v %v", list, err)
	}
	if m, err := c.GetModel(t.Context(), "test-model"); err != nil || m.ID != "test-model" || m.Object != "model" {
		t.Errorf("%+v %v", m, err)
	}
	var last openai.File
	for range MaxFiles + 1 {
		if last, err = c.CreateFileBytes(t.Context(), openai.FileBytesRequest{Name: "a.jsonl", Bytes: []byte("12345"), Purpose: openai.PurposeFineTune}); err != nil {
			t.Fatal(err)
		}
	}
	got, err := c.GetFile(t.Context(), last.ID)
	if err != nil || got.Bytes != 5 || got.FileName != "a.jsonl" || got.Purpose != "fine-tune" {
		t.Errorf("%+v %v", got, err)
	}
	files, err := c.ListFiles(t.Context())
	if err != nil || len(files.Files) != MaxFiles {
		t.Errorf("%d files, %v", len(files.Files), err)
	}
}
