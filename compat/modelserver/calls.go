package modelserver

import "slices"

// Limits of the calls of one answer.
const (
	maxCalls     = 16 // in all
	maxSameTool  = 8  // of one tool
	maxToolWords = 4096
)

// chooseCalls returns the calls that the message asks for and that were not made
// since it was sent; with required ones at least one.
func (s *Server) chooseCalls(p *prompt, question string) ([]call, error) {
	tools := p.tools
	if len(p.choice.allowed) > 0 {
		tools = nil
		for _, t := range p.tools {
			if slices.Contains(p.choice.allowed, t.name) {
				tools = append(tools, t)
			}
		}
	}
	if p.choice.none || len(tools) == 0 {
		return nil, nil
	}
	made := map[string]int{}
	for _, t := range p.turns[p.lastUser()+1:] {
		for _, c := range t.calls {
			made[c.name]++
		}
	}
	var calls []call
	for _, t := range mentioned(tools, question) {
		of, err := s.callsOf(t, question)
		if err != nil {
			return nil, err
		}
		calls = append(calls, of[min(len(of), made[t.name]):]...)
	}
	if len(calls) == 0 && p.choice.required {
		t := tools[0]
		if i := slices.IndexFunc(tools, func(t tool) bool { return made[t.name] == 0 }); i >= 0 {
			t = tools[i]
		}
		of, err := s.callsOf(t, evidence(p, question))
		if err != nil {
			return nil, err
		}
		calls = of
	}
	if p.serial && len(calls) > 1 {
		calls = calls[:1]
	}
	return calls[:min(len(calls), maxCalls)], nil
}

// mentioned returns the tools that the message names; without any, those of which it
// has a word of the description or a property's name.
func mentioned(tools []tool, question string) []tool {
	text := words(question)
	has := map[string]bool{}
	for _, w := range text[:min(len(text), maxToolWords)] {
		has[stem(w)] = true
	}
	h := newHints(question)
	var byName, byWord []tool
	for _, t := range tools {
		name := keywords(nameWords(t.name))
		if h.hasWord(t.name) || len(name) > 0 && !slices.ContainsFunc(name, func(w string) bool { return !has[w] }) {
			byName = append(byName, t)
			continue
		}
		about := append(name, keywords(words(t.description))...)
		if t.schema != nil {
			for _, prop := range t.schema.Properties {
				about = append(about, keywords(nameWords(prop.name))...)
			}
		}
		if slices.ContainsFunc(about, func(w string) bool { return has[w] }) {
			byWord = append(byWord, t)
		}
	}
	if len(byName) > 0 {
		return byName
	}
	return byWord
}

// callsOf returns one call, or one for each quoted text or name of the message if
// the tool's only property takes one.
func (s *Server) callsOf(t tool, question string) ([]call, error) {
	values := []string{""}
	h := newHints(question)
	if free := onlyText(t.schema); free != "" {
		if _, named := h.named(free); !named {
			candidates := h.quoted
			if len(candidates) == 0 {
				candidates = h.nouns
			}
			if len(candidates) > 1 {
				values = candidates[:min(len(candidates), maxSameTool)]
			}
		}
	}
	if t.custom {
		input := question
		if len(h.quoted) > 0 {
			input = h.quoted[0]
		}
		return []call{{id: s.id("call_"), item: s.id("ctc_"), name: t.name, args: input, custom: true}}, nil
	}
	var calls []call
	for _, value := range values {
		args := "{}"
		root, err := t.schema.resolve(t.schema)
		if err != nil {
			return nil, err
		}
		if root.kind() == "object" || root.AnyOf != nil || root.OneOf != nil {
			g := generator{root: t.schema, hints: newHints(question), args: true}
			if value != "" {
				g.hints.quoted, g.hints.nouns = []string{value}, nil
			}
			if args, err = g.document(); err != nil {
				return nil, err
			}
		}
		calls = append(calls, call{id: s.id("call_"), item: s.id("fc_"), name: t.name, args: args})
	}
	return calls, nil
}

// onlyText is the name of the one property that takes any string, if there is one.
func onlyText(s *schema) string {
	if s == nil {
		return ""
	}
	found := ""
	for _, prop := range s.Properties {
		p := prop.schema
		switch {
		case p.Enum != nil || p.Const != nil || p.kind() == "number" || p.kind() == "integer" || p.kind() == "boolean":
		case p.kind() == "string" && p.Format == "" && p.AnyOf == nil && p.OneOf == nil && p.Ref == "" && found == "":
			found = prop.name
		default:
			return ""
		}
	}
	return found
}
