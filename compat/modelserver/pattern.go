package modelserver

import (
	"math"
	"regexp/syntax"
	"strings"
	"unicode/utf8"
)

// matching returns a text of at least least characters that matches a pattern.
// Repetitions are taken as often as the length asks for; salt varies characters.
func matching(pattern string, least, salt int) (string, error) {
	re, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		return "", badRequest("", "Invalid schema: the pattern %q is not understood: %v", pattern, err)
	}
	for extra := 0; ; extra = extra*2 + 1 {
		var b strings.Builder
		writeMatch(&b, re.Simplify(), extra, salt)
		if n := utf8.RuneCountInString(b.String()); n >= least || extra > min(least, maxStringOf) {
			return b.String(), nil
		}
	}
}

func writeMatch(b *strings.Builder, re *syntax.Regexp, extra, salt int) {
	repeat := func(least, most int) {
		if most < 0 {
			most = math.MaxInt
		}
		for range min(max(least, extra), most) {
			writeMatch(b, re.Sub[0], 0, salt)
		}
	}
	switch re.Op {
	case syntax.OpLiteral:
		b.WriteString(string(re.Rune))
	case syntax.OpCharClass:
		b.WriteRune(classRune(re.Rune, salt))
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		b.WriteRune('a' + rune(salt%26))
	case syntax.OpStar:
		repeat(0, -1)
	case syntax.OpPlus:
		repeat(1, -1)
	case syntax.OpQuest:
		repeat(0, 1)
	case syntax.OpRepeat:
		repeat(re.Min, re.Max)
	case syntax.OpAlternate:
		writeMatch(b, re.Sub[salt%len(re.Sub)], extra, salt)
	case syntax.OpConcat, syntax.OpCapture:
		for _, sub := range re.Sub {
			writeMatch(b, sub, extra, salt)
		}
	}
}

// classRune prefers a printable character of the class, given as pairs of bounds.
func classRune(pairs []rune, salt int) rune {
	for _, wanted := range [3][2]rune{{'a', 'z'}, {'0', '9'}, {'!', '~'}} {
		for i := 0; i+1 < len(pairs); i += 2 {
			low, high := max(pairs[i], wanted[0]), min(pairs[i+1], wanted[1])
			if low <= high {
				return low + rune(salt)%(high-low+1)
			}
		}
	}
	if len(pairs) > 0 {
		return pairs[0]
	}
	return 'a'
}
