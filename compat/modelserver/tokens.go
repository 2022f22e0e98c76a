package modelserver

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// longestToken is the number of letters after which a word is cut.
const longestToken = 16

// nextToken returns the length in bytes of the first token: white space with the
// word, or with the run of other characters, behind it.
func nextToken(text string) int {
	i := 0
	for i < len(text) {
		r, size := utf8.DecodeRuneInString(text[i:])
		if !unicode.IsSpace(r) {
			break
		}
		i += size
	}
	inWord := false
	for n := 0; i < len(text) && n < longestToken; n++ {
		r, size := utf8.DecodeRuneInString(text[i:])
		if unicode.IsSpace(r) {
			break
		}
		word := unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.Is(unicode.M, r) || r == '_'
		if n == 0 {
			inWord = word
		} else if word != inWord {
			break
		}
		i += size
	}
	return i
}

func tokenise(text string) []string {
	if text == "" {
		return nil
	}
	tokens := make([]string, 0, len(text)/4+1)
	for len(text) > 0 {
		n := nextToken(text)
		tokens = append(tokens, text[:n])
		text = text[n:]
	}
	return tokens
}

func countTokens(text string) int {
	count := 0
	for len(text) > 0 {
		text = text[nextToken(text):]
		count++
	}
	return count
}

// sequence is a text as n tokens: those of base over and over.
type sequence struct {
	base  []string
	again string // the first token of a repetition
	n     int
	marks bool // a multi-byte character behind each token
}

func newSequence(text string) sequence {
	base := tokenise(text)
	return sequence{base: base, n: len(base)}
}

// repeat makes the sequence n tokens long.
func (s *sequence) repeat(n int) {
	if len(s.base) == 0 {
		s.base = []string{"token"}
	}
	s.again = " " + strings.TrimLeft(s.base[0], " ")
	s.n = n
}

var multiByte = [...]string{"é", "世", "🙂"}

func (s *sequence) at(i int) string {
	token := s.again
	if i < len(s.base) {
		token = s.base[i]
	} else if k := i % len(s.base); k > 0 {
		token = s.base[k]
	}
	if s.marks {
		token += multiByte[i%len(multiByte)]
	}
	return token
}

func (s *sequence) text() string {
	var b strings.Builder
	for i := range s.n {
		b.WriteString(s.at(i))
	}
	return b.String()
}
