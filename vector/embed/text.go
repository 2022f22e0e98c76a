package embed

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

func blank(text string) bool {
	return !strings.ContainsFunc(text, func(c rune) bool { return !unicode.IsSpace(c) })
}

// clip shortens foreign text for a message and takes control characters out.
func clip(text string, limit int) string {
	if len(text) > limit {
		for limit > 0 && !utf8.RuneStart(text[limit]) {
			limit--
		}
		text = text[:limit] + "…"
	}
	return strings.Map(func(c rune) rune {
		if unicode.IsControl(c) {
			return ' '
		}
		return c
	}, strings.ToValidUTF8(text, "\ufffd"))
}
