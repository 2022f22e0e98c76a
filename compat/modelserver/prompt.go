package modelserver

import "strings"

type role uint8

const (
	roleSystem role = iota
	roleUser
	roleAssistant
	roleTool
)

// prompt is a request of any protocol.
type prompt struct {
	model     string
	turns     []turn
	tools     []tool
	choice    toolChoice
	serial    bool // at most one call an answer
	json      bool // the answer is a JSON object
	schema    *schema
	stop      []string
	maxTokens int // 0 is no limit
	choices   int
}

// turn is one message. A tool's result has the name of its call, if it is known.
type turn struct {
	role   role
	text   string
	images int
	calls  []call
	callID string
	name   string
}

type call struct {
	id, item, name, args string
	custom               bool // args is any text, not JSON
}

type tool struct {
	name, description string
	schema            *schema
	custom            bool // takes any text
}

type toolChoice struct {
	none, required bool
	allowed        []string // empty is all
}

// nameResults gives tool results the names of the calls that they answer.
func (p *prompt) nameResults() {
	names := map[string]string{}
	for i := range p.turns {
		t := &p.turns[i]
		for _, c := range t.calls {
			names[c.id] = c.name
		}
		if t.role == roleTool && t.name == "" {
			t.name = names[t.callID]
		}
	}
}

// lastUser is the index of the last message of the user, or -1.
func (p *prompt) lastUser() int {
	for i := len(p.turns) - 1; i >= 0; i-- {
		if p.turns[i].role == roleUser {
			return i
		}
	}
	return -1
}

func (p *prompt) message() string {
	if i := p.lastUser(); i >= 0 {
		return p.turns[i].text
	}
	if n := len(p.turns); n > 0 {
		return p.turns[n-1].text
	}
	return ""
}

func (p *prompt) system() string {
	var parts []string
	for _, t := range p.turns {
		if t.role == roleSystem {
			parts = append(parts, t.text)
		}
	}
	return strings.Join(parts, "\n")
}

// countInput is the number of tokens of the prompt: those of the texts, three a
// message, 85 an image, and those of the tools' definitions.
func (p *prompt) countInput() int {
	n := 0
	for _, t := range p.turns {
		n += 3 + countTokens(t.text) + 85*t.images
		for _, c := range t.calls {
			n += countTokens(c.name) + countTokens(c.args)
		}
	}
	for _, t := range p.tools {
		n += 3 + countTokens(t.name) + countTokens(t.description) + t.schema.tokens()
	}
	return n
}

type finish uint8

const (
	finishStop finish = iota
	finishLength
	finishSequence // a stop sequence was met
	finishCalls
)

// answer is text or calls, never both.
type answer struct {
	text         sequence
	calls        []call
	refusal      bool
	finish       finish
	sequence     string // the stop sequence that was met
	inputTokens  int
	outputTokens int
}

// answer applies the rule and the options to the prompt.
func (x *exchange) answer(p *prompt) (*answer, error) {
	p.nameResults()
	if refusal, ok := strings.CutPrefix(p.message(), "refuse: "); ok {
		a := &answer{text: newSequence(refusal), refusal: true, inputTokens: p.countInput()}
		a.outputTokens = a.text.n
		return a, nil
	}
	text, calls, err := x.srv.rule(p)
	if err != nil {
		return nil, err
	}
	a := &answer{calls: calls, inputTokens: p.countInput()}
	if len(calls) > 0 {
		a.finish = finishCalls
		for i := range calls {
			a.outputTokens += countTokens(calls[i].name) + countTokens(calls[i].args)
		}
		return a, nil
	}
	structured := p.json || p.schema != nil
	a.text = newSequence(text)
	if x.opt.tokens > 0 && !structured {
		a.text.repeat(x.opt.tokens)
	}
	if cut, sequence := cutAtStop(&a.text, p.stop); sequence != "" {
		a.text, a.finish, a.sequence = newSequence(cut), finishSequence, sequence
	}
	if p.maxTokens > 0 && a.text.n > p.maxTokens {
		a.text.n, a.finish = p.maxTokens, finishLength
	}
	a.text.marks = x.opt.has(faultUTF8) && !structured
	a.outputTokens = a.text.n
	return a, nil
}

// cutAtStop returns the text ahead of the first stop sequence, and the sequence.
func cutAtStop(s *sequence, stop []string) (cut, sequence string) {
	if len(stop) == 0 {
		return "", ""
	}
	text := s.text()
	at := len(text)
	for _, candidate := range stop {
		if candidate == "" {
			continue
		}
		if i := strings.Index(text, candidate); i >= 0 && i < at {
			at, sequence = i, candidate
		}
	}
	return text[:at], sequence
}
