package modelserver

import (
	"encoding/json"
	"fmt"
	"strings"
)

// rule is the rule of the package's documentation: it returns a text or calls.
func (s *Server) rule(p *prompt) (string, []call, error) {
	question, context := splitQuestion(p.message())
	if !p.json && p.schema == nil && !p.choice.required {
		if echo, ok := echoOf(question); ok {
			return echo, nil, nil
		}
	}
	question = cutText(question, maxQuestion)
	calls, err := s.chooseCalls(p, question)
	if err != nil || len(calls) > 0 {
		return "", calls, err
	}
	text := s.plainAnswer(p, question, context)
	switch {
	case p.schema != nil:
		g := generator{root: p.schema, hints: newHints(evidence(p, question)), answer: text}
		text, err = g.document()
	case p.json:
		text = string(appendJSON(nil, map[string]string{"answer": text}))
	}
	return text, nil, err
}

// evidence is what structured answers are drawn from: the question and the results of tools.
func evidence(p *prompt, question string) string {
	for _, t := range resultsOf(p) {
		question += "\n" + t.text
	}
	return question
}

func (s *Server) plainAnswer(p *prompt, question, context string) string {
	var text string
	results := resultsOf(p)
	if len(results) > 0 {
		parts := make([]string, len(results))
		for i, r := range results {
			parts[i] = s.reportResult(r, question)
		}
		text = strings.Join(parts, " ")
	} else if sum, ok := arithmetic(question); ok {
		text = sum
	} else if cited, ok := s.cite(context+"\n"+p.system(), question); ok {
		text = cited
	} else if earlier, ok := s.recall(p, question); ok {
		text = earlier
	} else {
		text = fmt.Sprintf("Hello from %s, a deterministic test model. You said: %q. I compute (\"what is 12*7?\"), repeat (\"say hello\"), "+
			"call the tools you offer and answer from documents in the prompt.", p.model, excerpt(strings.TrimSpace(question), maxQuoted))
	}
	if i := p.lastUser(); i >= 0 && p.turns[i].images > 0 {
		text = fmt.Sprintf("I see %s. %s", plural(p.turns[i].images, "image"), text)
	}
	return text
}

// plural is a number with its noun.
func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// resultsOf returns the tools' results that follow the last message of the user.
func resultsOf(p *prompt) []turn {
	var out []turn
	for _, t := range p.turns[p.lastUser()+1:] {
		if t.role == roleTool {
			out = append(out, t)
		}
	}
	return out
}

// Limits of the rule, in bytes: of a question beyond its echo, and of what is quoted.
const (
	maxQuestion = 64 << 10
	maxQuoted   = 1000
)

// longResult is the size in bytes above which only the best sentence of a result is told.
const longResult = 500

func (s *Server) reportResult(r turn, question string) string {
	text := strings.TrimSpace(r.text)
	var unquoted string
	if json.Unmarshal([]byte(text), &unquoted) == nil {
		text = unquoted
	}
	name := r.name
	if name == "" {
		name = "The tool"
	}
	if len(text) > longResult {
		if best, ok := s.cite(text, question); ok {
			return fmt.Sprintf("%s found: %s", name, best)
		}
		text = excerpt(text, longResult)
	}
	return fmt.Sprintf("%s returned %s.", name, strings.TrimSuffix(text, "."))
}

// cutText returns at most n bytes of text, cut between characters.
func cutText(text string, n int) string {
	if len(text) <= n {
		return text
	}
	for n > 0 && text[n]&0xC0 == 0x80 {
		n--
	}
	return text[:n]
}

// excerpt is the text, or its first n bytes with an ellipsis.
func excerpt(text string, n int) string {
	if len(text) <= n {
		return text
	}
	return cutText(text, n) + "…"
}

var echoPattern = lazily(`(?is)^\s*(?:please\s+)?(?:repeat\s*:|say\s*:|say\s+|echo\s*:)\s*(.+)$`)

// echoOf returns X of "repeat: X" and "say X".
func echoOf(question string) (string, bool) {
	m := echoPattern().FindStringSubmatch(question)
	if m == nil {
		return "", false
	}
	text := strings.TrimSpace(m[1])
	for _, quotes := range []string{`""`, `''`, "“”"} {
		open, end, _ := cutRune(quotes)
		if inner, ok := strings.CutPrefix(text, open); ok {
			if inner, ok = strings.CutSuffix(inner, end); ok {
				return inner, true
			}
		}
	}
	return text, true
}

func cutRune(s string) (first, rest string, ok bool) {
	for i := range s {
		if i > 0 {
			return s[:i], s[i:], true
		}
	}
	return s, "", false
}
