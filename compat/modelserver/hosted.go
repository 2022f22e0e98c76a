package modelserver

import (
	"encoding/base64"
	"encoding/json"
	"strings"
)

// hostedItem is an item of a response ahead of the answer: reasoning, or a call of a
// tool that the provider runs itself.
type hostedItem struct {
	id      string
	started map[string]any // as output_item.added shows it
	done    map[string]any // as output_item.done and the response show it
	events  []hostedEvent  // in between
}

// hostedEvent has the fields beside item_id, output_index and sequence_number.
type hostedEvent struct {
	name   string
	fields map[string]any
}

// hostedTool is a tool of a request that is no function.
type hostedTool struct {
	Type        string `json:"type"`
	ServerLabel string `json:"server_label"`
}

// hosted returns the items that come ahead of the answer: reasoning if a summary of it
// is asked for, and one of each hosted tool that the question names.
func (s *Server) hosted(tools []hostedTool, summary, question string) ([]hostedItem, error) {
	var items []hostedItem
	if summary != "" {
		items = append(items, s.reasoning(question, summary == "detailed"))
	}
	words := " " + strings.Join(words(question), " ") + " "
	for _, t := range tools {
		name := strings.ReplaceAll(t.Type, "_", " ")
		if t.Type == "mcp" {
			name = strings.ToLower(t.ServerLabel)
		}
		if name == "" || !strings.Contains(words, " "+strings.TrimSuffix(name, " preview")+" ") {
			continue
		}
		switch {
		case strings.HasPrefix(t.Type, "web_search"):
			action := map[string]any{"type": "search", "query": question, "queries": []string{question}}
			items = append(items, s.hostedCall("ws_", "web_search_call", map[string]any{"action": action}, "in_progress", "searching", "completed"))
		case t.Type == "file_search":
			found := map[string]any{"queries": []string{question}, "results": nil}
			items = append(items, s.hostedCall("fs_", "file_search_call", found, "in_progress", "searching", "completed"))
		case t.Type == "code_interpreter":
			items = append(items, s.interpreter())
		case t.Type == "image_generation":
			item, err := s.imageCall(question)
			if err != nil {
				return nil, err
			}
			items = append(items, item)
		case t.Type == "mcp":
			items = append(items, s.mcpCalls(t.ServerLabel, question)...)
		}
	}
	return items, nil
}

// hostedCall is a call whose events only tell of its states.
func (s *Server) hostedCall(prefix, kind string, fields map[string]any, states ...string) hostedItem {
	item := hostedItem{id: s.id(prefix)}
	item.started = map[string]any{"id": item.id, "type": kind, "status": "in_progress"}
	item.done = map[string]any{"id": item.id, "type": kind, "status": "completed"}
	for name, value := range fields {
		item.done[name] = value
		if _, isText := value.(string); isText {
			item.started[name] = value
		}
	}
	for _, state := range states {
		item.events = append(item.events, hostedEvent{name: "response." + kind + "." + state})
	}
	return item
}

// deltas are the events of a text that grows, the done event last.
func deltas(name, text string, done map[string]any, fields map[string]any) []hostedEvent {
	event := func(name string, more map[string]any) hostedEvent {
		all := map[string]any{}
		for _, from := range []map[string]any{fields, more} {
			for k, v := range from {
				all[k] = v
			}
		}
		return hostedEvent{name, all}
	}
	var events []hostedEvent
	for _, token := range tokenise(text) {
		events = append(events, event(name+".delta", map[string]any{"delta": token}))
	}
	return append(events, event(name+".done", done))
}

func (s *Server) reasoning(question string, detailed bool) hostedItem {
	text := "The question has " + plural(len(words(question)), "word") + "."
	part := func(text string) map[string]any { return map[string]any{"type": "summary_text", "text": text} }
	first := map[string]any{"summary_index": 0}
	item := hostedItem{id: s.id("rs_")}
	item.started = map[string]any{"id": item.id, "type": "reasoning", "summary": []any{}}
	item.done = map[string]any{"id": item.id, "type": "reasoning", "summary": []any{part(text)}}
	item.events = append(item.events, hostedEvent{"response.reasoning_summary_part.added", map[string]any{"summary_index": 0, "part": part("")}})
	item.events = append(item.events, deltas("response.reasoning_summary_text", text, map[string]any{"text": text}, first)...)
	item.events = append(item.events, hostedEvent{"response.reasoning_summary_part.done", map[string]any{"summary_index": 0, "part": part(text)}})
	if detailed {
		full := "Let me look at it. " + text
		item.done["content"] = []any{map[string]any{"type": "reasoning_text", "text": full}}
		item.events = append(item.events, deltas("response.reasoning_text", full, map[string]any{"text": full}, map[string]any{"content_index": 0})...)
	}
	return item
}

func (s *Server) interpreter() hostedItem {
	const code = "print(6 * 7)"
	item := s.hostedCall("ci_", "code_interpreter_call", map[string]any{
		"code": code, "container_id": "cntr_1", "outputs": []any{map[string]string{"type": "logs", "logs": "42\n"}},
	}, "in_progress")
	item.started["code"] = ""
	item.events = append(item.events, deltas("response.code_interpreter_call_code", code, map[string]any{"code": code}, nil)...)
	for _, state := range []string{"interpreting", "completed"} {
		item.events = append(item.events, hostedEvent{name: "response.code_interpreter_call." + state})
	}
	return item
}

func (s *Server) imageCall(prompt string) (hostedItem, error) {
	file, err := pixel(prompt, 0)
	if err != nil {
		return hostedItem{}, err
	}
	image := base64.StdEncoding.EncodeToString(file)
	item := s.hostedCall("ig_", "image_generation_call", map[string]any{"result": image, "revised_prompt": prompt}, "in_progress", "generating", "partial_image", "completed")
	item.started["result"] = nil
	item.events[2].fields = map[string]any{"partial_image_index": 0, "partial_image_b64": image}
	return item, nil
}

// mcpCalls are the list of a server's tools and one call.
func (s *Server) mcpCalls(label, question string) []hostedItem {
	tool := map[string]any{"name": "echo", "description": "Gives back a text.", "input_schema": json.RawMessage(`{"type":"object","properties":{"text":{"type":"string"}}}`)}
	list := s.hostedCall("mcpl_", "mcp_list_tools", map[string]any{"server_label": label, "tools": []any{tool}}, "in_progress", "completed")
	list.started["tools"] = []any{}
	delete(list.started, "status")
	delete(list.done, "status")
	args := string(appendJSON(nil, map[string]string{"text": question}))
	call := s.hostedCall("mcp_", "mcp_call", map[string]any{"server_label": label, "name": "echo", "arguments": args, "output": question}, "in_progress")
	call.started["arguments"] = ""
	delete(call.started, "output")
	call.events = append(call.events, deltas("response.mcp_call_arguments", args, map[string]any{"arguments": args}, nil)...)
	call.events = append(call.events, hostedEvent{name: "response.mcp_call.completed"})
	return []hostedItem{list, call}
}

// sendHosted writes the events of the items ahead of the answer.
func (e *responseEncoder) sendHosted(s *stream) {
	for i, item := range e.hosted {
		e.send(s, responseEvent{Type: "response.output_item.added", OutputIndex: &i, Item: item.started})
		for _, event := range item.events {
			fields := map[string]any{"type": event.name, "sequence_number": e.number, "item_id": item.id, "output_index": i}
			for name, value := range event.fields {
				fields[name] = value
			}
			e.number++
			s.event(event.name, fields)
		}
		e.send(s, responseEvent{Type: "response.output_item.done", OutputIndex: &i, Item: item.done})
	}
}

// citation is the source that a text names after a search of the web.
type citation struct {
	Type  string `json:"type"`
	Start int    `json:"start_index"`
	End   int    `json:"end_index"`
	Title string `json:"title"`
	URL   string `json:"url"`
}

// citations are those of a text behind the items.
func citations(items []hostedItem, text string) []citation {
	for _, item := range items {
		if item.done["type"] == "web_search_call" {
			return []citation{{"url_citation", 0, len([]rune(text)), "Example", "https://example.com/"}}
		}
	}
	return []citation{}
}
