package loader

import (
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"
)

// maxExcerpt is the length in characters that a source line is cut to, around the column.
const maxExcerpt = 120

// maxPrinted bounds the diagnostics that Error.Error prints.
const maxPrinted = 20

// Diagnostic is an error or warning about one place.
type Diagnostic struct {
	// File is relative to the functions folder, with slashes.
	File string `json:"file"`
	// Line and Column start at 1; both are 0 when the whole file is meant. Column counts bytes.
	Line   int `json:"line,omitempty"`
	Column int `json:"column,omitempty"`
	// LineText is the source line.
	LineText string `json:"lineText,omitempty"`
	Message  string `json:"message"`
	// Hint says what to do, if known.
	Hint string `json:"hint,omitempty"`
}

// String formats d as compilers do: position and message, the source line, a caret, the hint.
func (d Diagnostic) String() string {
	var b strings.Builder
	if d.File != "" {
		b.WriteString(d.File)
		if d.Line > 0 {
			fmt.Fprintf(&b, ":%d:%d", d.Line, d.Column)
		}
		b.WriteString(": ")
	}
	b.WriteString(d.Message)
	if d.LineText != "" && d.Line > 0 {
		column := utf8.RuneCountInString(d.LineText[:min(max(d.Column-1, 0), len(d.LineText))])
		b.WriteString("\n" + excerpt(d.Line, d.LineText, column))
	}
	if d.Hint != "" {
		b.WriteString("\n  hint: " + d.Hint)
	}
	return b.String()
}

// Error reports why a functions folder could not be bundled.
type Error struct {
	// Diagnostics has at least one element.
	Diagnostics []Diagnostic
}

// Error prints up to 20 diagnostics as a compiler does.
func (e *Error) Error() string {
	var b strings.Builder
	for i, d := range e.Diagnostics {
		if i == maxPrinted {
			fmt.Fprintf(&b, "\nand %d more errors", len(e.Diagnostics)-i)
			break
		}
		if i > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(d.String())
	}
	return b.String()
}

// excerpt shows a source line with its number and a caret below the character at
// the 0-based column, counted in runes.
func excerpt(line int, text string, column int) string {
	runes := []rune(text)
	column = min(column, len(runes))
	before, after := "", ""
	if len(runes) > maxExcerpt {
		start := min(max(column-maxExcerpt/2, 0), len(runes)-maxExcerpt)
		if start+maxExcerpt < len(runes) {
			after = "…"
		}
		runes = runes[start : start+maxExcerpt]
		if column -= start; start > 0 {
			before = "…"
			column++
		}
	}
	shown := []rune(before + string(runes) + after)
	pad := make([]rune, column)
	for i := range pad {
		if pad[i] = ' '; shown[i] == '\t' {
			pad[i] = '\t'
		}
	}
	number := fmt.Sprint(line)
	return fmt.Sprintf("  %s | %s\n  %*s | %s^", number, string(shown), len(number), "", string(pad))
}

// quote writes s as a JavaScript string.
func quote(s string) string {
	text, _ := json.Marshal(s)
	return string(text)
}
