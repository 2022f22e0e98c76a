package chunk

import (
	"unicode"
	"unicode/utf8"
)

// Tokens estimates the number of tokens of a text, without a tokenizer: models have
// different ones. A word in Latin letters has a token for each begun six letters, a
// number one for each begun three digits, a run of equal signs one for each two; other
// alphabets have one for two or four bytes, unspaced scripts one a character.
//
// Of prose in Western languages, Markdown, code and JSON the estimate is 0.97 to 1.4
// times the count of cl100k_base, and never much less, so a limit kept by the estimate
// is kept by the tokenizer; of Cyrillic and Arabic it is up to 1.4 times as well, and
// newer vocabularies need fewer tokens for them.
func Tokens(text string) int {
	n := 0
	for i := 0; i < len(text); {
		size, tokens := piece(text[i:])
		i += size
		n += tokens
	}
	return n
}

const (
	lettersPerToken = 6
	digitsPerToken  = 3
)

// piece is the next word, number, sign or run of spaces: its bytes and tokens.
func piece(text string) (size, tokens int) {
	r, size := utf8.DecodeRuneInString(text)
	switch {
	case r == ' ':
		return run(text, size, func(r rune) bool { return r == ' ' }), spaces(text)
	case r == '\n' || r == '\r' || r == '\t':
		return run(text, size, func(r rune) bool { return r == '\n' || r == '\r' || r == '\t' }), 1
	case r < utf8.RuneSelf && isLetter(r):
		size = run(text, size, isLetter)
		return size, (size + lettersPerToken - 1) / lettersPerToken
	case r >= '0' && r <= '9':
		size = run(text, size, func(r rune) bool { return r >= '0' && r <= '9' })
		return size, (size + digitsPerToken - 1) / digitsPerToken
	case r < utf8.RuneSelf:
		size = run(text, size, func(c rune) bool { return c == r })
		return size, (size + 1) / 2
	case unspaced(r):
		return size, 1
	case r < 0x250 && unicode.IsLetter(r): // Latin with marks
		return size, 1
	case unicode.IsLetter(r) || unicode.Is(unicode.M, r):
		perToken := 2
		if r < 0x530 { // Greek, Cyrillic
			perToken = 4
		}
		size = run(text, size, func(r rune) bool {
			return r >= 0x250 && !unspaced(r) && (unicode.IsLetter(r) || unicode.Is(unicode.M, r))
		})
		return size, (size + perToken - 1) / perToken
	}
	return size, (size + 1) / 2
}

// spaces: one space belongs to the word behind it, more of them are a token.
func spaces(text string) int {
	if len(text) > 1 && text[1] == ' ' {
		return 1
	}
	return 0
}

func run(text string, from int, in func(rune) bool) int {
	for from < len(text) {
		r, size := utf8.DecodeRuneInString(text[from:])
		if !in(r) {
			break
		}
		from += size
	}
	return from
}

func isLetter(r rune) bool { return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' }

func unspaced(r rune) bool {
	return r >= 0x0E00 && unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Thai, unicode.Hangul, unicode.Lao, unicode.Khmer, unicode.Myanmar)
}
