package extract

import (
	"strings"
	"unicode"
)

// tidy joins words that were hyphenated at the end of a line, drops control
// characters and trims lines.
func tidy(text string) string {
	text = strings.ToValidUTF8(text, "\ufffd")
	var b strings.Builder
	b.Grow(len(text))
	hyphen := false
	for line := range strings.Lines(strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\r", "\n")) {
		// PDFium marks a hyphen at the end of a line as U+0002.
		line = strings.TrimRightFunc(line, unicode.IsSpace)
		if hyphen {
			line = strings.TrimLeftFunc(line, unicode.IsSpace)
		} else if b.Len() > 0 {
			b.WriteByte('\n')
		}
		line, hyphen = strings.CutSuffix(line, "\x02")
		b.WriteString(strings.Map(func(r rune) rune {
			if unicode.IsControl(r) && r != '\t' || r == 0xfffe || r == 0xffff {
				return -1
			}
			return r
		}, line))
	}
	return b.String()
}

// oneLine joins the words of a text with single spaces.
func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }
