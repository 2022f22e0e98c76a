package modelserver

import (
	"encoding/json"
	"image/png"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// TestHostedItems checks the order of the events and that each item that was added is
// done and part of the response.
func TestHostedItems(t *testing.T) {
	f := start(t, Config{})
	res := f.do(t, "POST", "/v1/responses", `{"model":"m","stream":true,"background":true,"reasoning":{"summary":"detailed"},
		"input":"Use web search, file search, the code interpreter, image generation and tracker","tools":[
		{"type":"web_search"},{"type":"file_search"},{"type":"code_interpreter"},{"type":"image_generation"},{"type":"mcp","server_label":"Tracker"}]}`)
	type item struct{ ID, Type, Status string }
	var last struct{ Response struct{ Output []item } }
	added, done := []item{}, []item{}
	types := []string{}
	for number, e := range events(t, res.Body) {
		var v struct {
			Type   string
			Number int    `json:"sequence_number"`
			Index  int    `json:"output_index"`
			ItemID string `json:"item_id"`
			Item   item
		}
		if err := json.Unmarshal([]byte(e.data), &v); err != nil {
			t.Fatal(err)
		}
		if types = append(types, v.Type); v.Type != e.name || v.Number != number {
			t.Errorf("event %d is %s with number %d, named %s", number, v.Type, v.Number, e.name)
		}
		switch {
		case v.Type == "response.output_item.added":
			added = append(added, v.Item)
		case v.Type == "response.output_item.done":
			done = append(done, v.Item)
		case v.ItemID != "" && (v.ItemID != added[len(added)-1].ID || v.Index != len(added)-1):
			t.Errorf("%s is of item %s at %d, but %v was the last", v.Type, v.ItemID, v.Index, added[len(added)-1])
		case v.Type == "response.completed":
			if err := json.Unmarshal([]byte(e.data), &last); err != nil {
				t.Fatal(err)
			}
		}
	}
	var kinds []string
	for i, d := range done {
		kinds = append(kinds, d.Type)
		if d.ID != added[i].ID || d != last.Response.Output[i] {
			t.Errorf("item %d: added %v, done %v, in the response %v", i, added[i], d, last.Response.Output[i])
		}
	}
	want := []string{"reasoning", "web_search_call", "file_search_call", "code_interpreter_call", "image_generation_call", "mcp_list_tools", "mcp_call", "message"}
	if !slices.Equal(kinds, want) {
		t.Errorf("the items are %q, want %q", kinds, want)
	}
	if !slices.Equal(types[:3], []string{"response.created", "response.queued", "response.in_progress"}) || !slices.Contains(types, "response.output_text.annotation.added") {
		t.Errorf("the events are %q", types)
	}
}

func TestRefusals(t *testing.T) {
	f := start(t, Config{})
	_, chat := f.post(t, "/v1/chat/completions", `{"model":"m","messages":[{"role":"user","content":"refuse: not that"}]}`)
	if !strings.Contains(string(chat), `"content":null,"refusal":"not that"`) {
		t.Errorf("chat: %s", chat)
	}
	_, response := f.post(t, "/v1/responses", `{"model":"m","input":"refuse: not that"}`)
	if !strings.Contains(string(response), `"content":[{"type":"refusal","refusal":"not that"}]`) {
		t.Errorf("response: %s", response)
	}
	_, stream := f.post(t, "/v1/responses", `{"model":"m","stream":true,"input":"refuse: not that"}`)
	for _, want := range []string{`"type":"response.refusal.delta"`, `"delta":" that"`, `"type":"response.refusal.done"`, `"part":{"type":"refusal","refusal":"not that"}`} {
		if !strings.Contains(string(stream), want) {
			t.Errorf("the stream lacks %s: %s", want, stream)
		}
	}
}

func TestCustomTools(t *testing.T) {
	f := start(t, Config{})
	const tools = `"tools":[{"type":"custom","name":"shell_script","description":"runs a script"}]`
	_, body := f.post(t, "/v1/responses", `{"model":"m","input":"Run the shell_script \"ls -l\"",`+tools+`}`)
	var first struct {
		Output []struct {
			Type, Name, Input string
			CallID            string `json:"call_id"`
		}
	}
	if err := json.Unmarshal(body, &first); err != nil || len(first.Output) != 1 || first.Output[0].Type != "custom_tool_call" || first.Output[0].Input != "ls -l" {
		t.Fatalf("%v: %s", err, body)
	}
	_, body = f.post(t, "/v1/responses", `{"model":"m",`+tools+`,"input":[{"role":"user","content":"Run the shell_script \"ls -l\""},
		{"type":"custom_tool_call","call_id":"c","name":"shell_script","input":"ls -l"},{"type":"custom_tool_call_output","call_id":"c","output":"a.txt"}]}`)
	if !strings.Contains(string(body), "shell_script returned a.txt.") {
		t.Errorf("the result is not told: %s", body)
	}
}

func TestStoredResponses(t *testing.T) {
	f := start(t, Config{})
	_, body := f.post(t, "/v1/responses", `{"model":"m","input":"say hello"}`)
	var created struct{ ID string }
	if err := json.Unmarshal(body, &created); err != nil {
		t.Fatal(err)
	}
	var stored json.RawMessage
	if status := f.get(t, "/v1/responses/"+created.ID, &stored); status != http.StatusOK || string(stored) != string(body) {
		t.Errorf("%d %s, want %s", status, stored, body)
	}
	for _, want := range []int{http.StatusOK, http.StatusNotFound} {
		if res := f.do(t, "DELETE", "/v1/responses/"+created.ID, ""); res.StatusCode != want {
			t.Errorf("DELETE: %d, want %d", res.StatusCode, want)
		}
	}
	if status := f.get(t, "/v1/responses/"+created.ID, &stored); status != http.StatusNotFound {
		t.Errorf("after it was deleted: %d", status)
	}
}

func TestImages(t *testing.T) {
	f := start(t, Config{})
	_, body := f.post(t, "/v1/images/generations", `{"model":"m","prompt":"a boat","n":2}`)
	var images struct {
		Data []struct {
			File []byte `json:"b64_json"`
		}
	}
	if err := json.Unmarshal(body, &images); err != nil || len(images.Data) != 2 {
		t.Fatalf("%v: %s", err, body)
	}
	for _, image := range images.Data {
		if _, err := png.Decode(strings.NewReader(string(image.File))); err != nil {
			t.Error(err)
		}
	}
	if string(images.Data[0].File) == string(images.Data[1].File) {
		t.Error("both images are the same")
	}
	if status, body := f.post(t, "/v1/images/generations", `{"model":"m","prompt":"x","n":11}`); status != http.StatusBadRequest {
		t.Errorf("11 images: %d %s", status, body)
	}
}

func TestCounts(t *testing.T) {
	f := start(t, Config{})
	if status, body := f.post(t, "/v1/messages/count_tokens", `{"model":"m","messages":[{"role":"user","content":"one two three"}]}`); status != 200 || string(body) != `{"input_tokens":6}` {
		t.Errorf("Anthropic: %d %s", status, body)
	}
	for _, version := range []string{"v1", "v1beta"} {
		if status, body := f.post(t, "/"+version+"/models/m:countTokens", `{"contents":[{"parts":[{"text":"one two three"}]}]}`); status != 200 || string(body) != `{"totalTokens":6}` {
			t.Errorf("Gemini %s: %d %s", version, status, body)
		}
	}
}

func TestFileContent(t *testing.T) {
	f := start(t, Config{})
	upload := func(content string) string {
		body := "--b\r\nContent-Disposition: form-data; name=\"purpose\"\r\n\r\nbatch\r\n--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\n" + content + "\r\n--b--\r\n"
		_, answer := f.post(t, "/v1/files", body, "Content-Type", "multipart/form-data; boundary=b")
		var v struct {
			ID    string
			Bytes int
		}
		if err := json.Unmarshal(answer, &v); err != nil || v.Bytes != len(content) {
			t.Fatalf("%v: %s", err, answer)
		}
		return v.ID
	}
	small, large := upload("hello"), upload(strings.Repeat("x", MaxFileContent+1))
	for path, want := range map[string]int{small: 200, large: 400, "file-none": 404} {
		if res := f.do(t, "GET", "/v1/files/"+path+"/content", ""); res.StatusCode != want {
			t.Errorf("%s: %d, want %d", path, res.StatusCode, want)
		}
	}
	for _, want := range []int{200, 404} {
		if res := f.do(t, "DELETE", "/v1/files/"+small, ""); res.StatusCode != want {
			t.Errorf("DELETE: %d, want %d", res.StatusCode, want)
		}
	}
}
