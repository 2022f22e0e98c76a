package modelserver

import (
	"fmt"
	"strings"
	"unicode"

	"github.com/agentrt/agentrt/vector/embed/hashing"
)

var (
	contextPattern  = lazily(`(?im)^\s*context information is below|^\s*(?:context|documents?|sources?|passages?|facts|notes)\b[^\n]*:|^\s*<(?:context|documents?|doc|source|passage)\b|^\s*\[[^\]\n]{1,40}\]`)
	questionPattern = lazily(`(?im)^\s*(?:user\s+)?(?:question|query)\s*:\s*`)
	labelPattern    = lazily(`(?i)^\s*(?:\[([^\]\n]{1,40})\]|((?:document|source|passage|doc)\s+[\w.-]{1,40})\s*:|<(?:document|doc|source|passage)[^>]*?(?:id|index|name|source|title)="([^"\n]{1,80})"[^>]*>)\s*`)
	leadPattern     = lazily(`(?i)^\s*(?:context|documents?|sources?|passages?|facts|notes)\s*:`)
	tagPattern      = lazily(`</?[a-zA-Z][^>\n]{0,100}>`)
	orderPattern    = lazily(`(?i)^(?:you\s+(?:are|must|should|can|may|will)|answer|use|be|do not|don't|always|never|respond|reply|if|please|context|documents?|sources?|question|cite)\b`)
)

// splitQuestion parts a message that brings its own documents into the question and
// the rest: the question follows "Question:" or is the last line.
func splitQuestion(message string) (question, context string) {
	if !strings.Contains(message, "\n") || !contextPattern().MatchString(message) {
		return message, ""
	}
	if at := questionPattern().FindAllStringIndex(message, -1); at != nil {
		last := at[len(at)-1]
		question, after, _ := strings.Cut(message[last[1]:], "\n\n")
		return strings.TrimSpace(question), message[:last[0]] + "\n" + after
	}
	trimmed := strings.TrimSpace(message)
	if i := strings.LastIndexByte(trimmed, '\n'); i >= 0 {
		return trimmed[i+1:], trimmed[:i]
	}
	return message, ""
}

type sentence struct{ text, label string }

// maxContext is the number of bytes of context that are searched.
const maxContext = 1 << 20

// sentencesOf splits a context; each sentence has the label of the document it is in.
func sentencesOf(context string) []sentence {
	var out []sentence
	label := ""
	context = cutText(context, maxContext)
	for line := range strings.Lines(context) {
		if m := labelPattern().FindStringSubmatch(line); m != nil {
			label = m[1] + m[2] + m[3]
			line = line[len(m[0]):]
		}
		line = leadPattern().ReplaceAllString(line, "")
		line = strings.TrimSpace(tagPattern().ReplaceAllString(line, " "))
		for line != "" {
			n := sentenceEnd(line)
			if text := strings.TrimSpace(strings.TrimLeft(line[:n], "-*•# \t")); text != "" {
				out = append(out, sentence{text, label})
			}
			line = strings.TrimSpace(line[n:])
		}
	}
	return out
}

// sentenceEnd is the length of the first sentence of a line.
func sentenceEnd(line string) int {
	previous := ' '
	for i, r := range line {
		if unicode.IsSpace(r) && strings.ContainsRune(".!?", previous) {
			return i
		}
		if strings.ContainsRune("。！？", r) {
			return i + len(string(r))
		}
		previous = r
	}
	return len(line)
}

// leastSimilar is the cosine similarity under which a sentence is no answer.
const leastSimilar = 0.12

// best returns the sentence nearest to the question that shares a content word with it.
func (s *Server) best(sentences []sentence, question string) (sentence, bool) {
	wanted := contentWords(question)
	if len(wanted) == 0 {
		return sentence{}, false
	}
	vector := s.similar.Embed(stems(question))
	var found sentence
	highest := leastSimilar
	for _, candidate := range sentences {
		if !sharesWord(wanted, candidate.text) {
			continue
		}
		if similarity := hashing.Cosine(vector, s.similar.Embed(stems(candidate.text))); similarity > highest {
			found, highest = candidate, similarity
		}
	}
	return found, found.text != ""
}

// cite answers from a context, leaving out instructions such as "You are …".
func (s *Server) cite(context, question string) (string, bool) {
	if strings.TrimSpace(context) == "" {
		return "", false
	}
	var sentences []sentence
	for _, candidate := range sentencesOf(context) {
		if !orderPattern().MatchString(candidate.text) {
			sentences = append(sentences, candidate)
		}
	}
	found, ok := s.best(sentences, question)
	switch {
	case !ok:
		return "", false
	case found.label == "":
		return fmt.Sprintf("According to the context: %s", found.text), true
	}
	return fmt.Sprintf("%s [%s]", found.text, found.label), true
}

// recall answers from what the user said earlier in the conversation.
func (s *Server) recall(p *prompt, question string) (string, bool) {
	var said []sentence
	for i, t := range p.turns {
		if t.role == roleUser && i < p.lastUser() {
			for _, candidate := range sentencesOf(t.text) {
				if !strings.HasSuffix(candidate.text, "?") {
					said = append(said, candidate)
				}
			}
		}
	}
	found, ok := s.best(said, question)
	if !ok {
		return "", false
	}
	return fmt.Sprintf("You said earlier: %s", found.text), true
}

// words splits a text into lower-case words.
func words(text string) []string {
	return strings.FieldsFunc(strings.ToLower(text), func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.Is(unicode.M, r)
	})
}

// stem drops common English endings, so that "makes" and "making" meet "make".
func stem(word string) string {
	for _, ending := range []string{"ing", "ed", "es", "s", "e"} {
		if rest, ok := strings.CutSuffix(word, ending); ok && len(rest) >= 3 {
			return rest
		}
	}
	return word
}

// stems are the stems of the content words of a text.
func stems(text string) string {
	var out []string
	for _, w := range words(text) {
		if !hashing.IsFunctionWord(w) {
			out = append(out, stem(w))
		}
	}
	return strings.Join(out, " ")
}

func contentWords(text string) map[string]bool {
	out := map[string]bool{}
	for _, w := range strings.Fields(stems(text)) {
		out[w] = true
	}
	return out
}

func sharesWord(wanted map[string]bool, text string) bool {
	for _, w := range words(text) {
		if wanted[stem(w)] {
			return true
		}
	}
	return strings.ContainsFunc(text, func(r rune) bool { return r >= 0x2E80 })
}
