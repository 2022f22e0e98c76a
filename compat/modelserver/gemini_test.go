package modelserver

import (
	"encoding/json"
	"strings"
	"testing"
)

type testGenerated struct {
	Candidates []struct {
		Content struct {
			Role  string
			Parts []struct {
				Text         string
				FunctionCall *struct {
					ID, Name string
					Args     json.RawMessage
				}
			}
		}
		FinishReason string
		Index        int
	}
	UsageMetadata struct {
		PromptTokenCount, CandidatesTokenCount, TotalTokenCount int
	}
	ModelVersion, ResponseID string
}

// summary joins the first candidate of all chunks.
func summary(chunks []testGenerated) string {
	text, calls, reason := "", []string{}, ""
	for _, c := range chunks {
		for _, p := range c.Candidates[0].Content.Parts {
			text += p.Text
			if p.FunctionCall != nil {
				calls = append(calls, p.FunctionCall.Name+" "+string(p.FunctionCall.Args))
			}
		}
		reason += c.Candidates[0].FinishReason
	}
	return text + strings.Join(calls, "; ") + " (" + reason + ")"
}

const geminiTools = `"tools":[{"functionDeclarations":[{"name":"get_weather","description":"Weather","parameters":{"type":"OBJECT","properties":{"city":{"type":"STRING"}},"required":["city"]}}]}]`

func TestGenerateContent(t *testing.T) {
	f := start(t, Config{})
	body := func(contents string, more ...string) string {
		return `{"contents":[` + contents + `]` + strings.Join(append([]string{""}, more...), ",") + `}`
	}
	hi := func(text string) string { return `{"role":"user","parts":[{"text":"` + text + `"}]}` }
	cases := []struct{ name, body, want string }{
		{"text", body(hi("say a b")), "a b (STOP)"},
		{"system", body(hi("Which colour has the fox?"), `"systemInstruction":{"parts":[{"text":"The fox is red."}]}`), "According to the context: The fox is red. (STOP)"},
		{"image", body(`{"parts":[{"text":"what is 1+1?"},{"inlineData":{"mimeType":"image/png","data":"AA=="}}]}`), "I see 1 image. 1+1 = 2 (STOP)"},
		{"stop", body(hi("say a b c"), `"generationConfig":{"stopSequences":[" b"]}`), "a (STOP)"},
		{"length", body(hi("say a b c"), `"generationConfig":{"maxOutputTokens":2}`), "a b (MAX_TOKENS)"},
		{"calls", body(hi("weather in Rome and Oslo"), geminiTools), `get_weather {"city":"Rome"}; get_weather {"city":"Oslo"} (STOP)`},
		{"any", body(hi("Hi Tom"), geminiTools, `"toolConfig":{"functionCallingConfig":{"mode":"ANY","allowedFunctionNames":["get_weather"]}}`), `get_weather {"city":"Tom"} (STOP)`},
		{"none", body(hi("say weather"), geminiTools, `"toolConfig":{"functionCallingConfig":{"mode":"NONE"}}`), `weather (STOP)`},
		{"result", body(hi("weather in Rome")+`,{"role":"model","parts":[{"functionCall":{"name":"get_weather","args":{"city":"Rome"}}}]},{"role":"user","parts":[{"functionResponse":{"name":"get_weather","response":{"output":"rain"}}}]}`, geminiTools), "get_weather returned rain. (STOP)"},
		{"responseSchema", body(hi("Eve is 20"), `"generationConfig":{"responseMimeType":"application/json","responseSchema":{"type":"OBJECT","properties":{"name":{"type":"STRING"},"age":{"type":"INTEGER"}},"required":["name"]}}`), `{"name":"Eve","age":20} (STOP)`},
		{"responseJsonSchema", body(hi("Eve is 20"), `"generationConfig":{"responseMimeType":"application/json","responseJsonSchema":{"type":"object","properties":{"age":{"type":"integer"}},"required":["age"]}}`), `{"age":20} (STOP)`},
		{"JSON without a schema", body(hi("what is 1+1?"), `"generationConfig":{"responseMimeType":"application/json"}`), `{"answer":"1+1 = 2"} (STOP)`},
	}
	const base = "/v1beta/models/test-model:"
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			status, raw := f.post(t, base+"generateContent", c.body)
			if status != 200 {
				t.Fatalf("%d %s", status, raw)
			}
			var whole testGenerated
			strict(t, string(raw), &whole)
			if got := summary([]testGenerated{whole}); got != c.want {
				t.Errorf("whole: %s", got)
			}
			_, raw = f.post(t, base+"streamGenerateContent", c.body)
			var array []testGenerated
			strict(t, string(raw), &array)
			_, raw = f.post(t, base+"streamGenerateContent?alt=sse", c.body)
			var chunks []testGenerated
			for _, e := range events(t, strings.NewReader(string(raw))) {
				var chunk testGenerated
				strict(t, e.data, &chunk)
				chunks = append(chunks, chunk)
			}
			if a, s := summary(array), summary(chunks); a != c.want || s != c.want || len(array) != len(chunks) {
				t.Errorf("array: %s, events: %s", a, s)
			}
			u := whole.UsageMetadata
			if last := chunks[len(chunks)-1].UsageMetadata; last != u || u.TotalTokenCount != u.PromptTokenCount+u.CandidatesTokenCount || u.PromptTokenCount == 0 {
				t.Errorf("usage %+v whole, %+v streamed", u, last)
			}
		})
	}
}

func TestGeminiEmbeddings(t *testing.T) {
	f := start(t, Config{})
	var one struct{ Embedding struct{ Values []float32 } }
	_, raw := f.post(t, "/v1beta/models/e:embedContent", `{"content":{"parts":[{"text":"a cat"}]},"outputDimensionality":64}`)
	strict(t, string(raw), &one)
	var many struct{ Embeddings []struct{ Values []float32 } }
	_, raw = f.post(t, "/v1beta/models/e:batchEmbedContents", `{"requests":[{"model":"models/e","content":{"parts":[{"text":"a dog"}]}},{"content":{"parts":[{"text":"a cat"}]},"outputDimensionality":64}]}`)
	strict(t, string(raw), &many)
	if len(one.Embedding.Values) != 64 || len(many.Embeddings) != 2 || len(many.Embeddings[0].Values) != 256 {
		t.Fatalf("%d, %d", len(one.Embedding.Values), len(many.Embeddings))
	}
	for i, v := range one.Embedding.Values {
		if v != many.Embeddings[1].Values[i] {
			t.Fatalf("dimension %d: %v and %v", i, v, many.Embeddings[1].Values[i])
		}
	}
}
