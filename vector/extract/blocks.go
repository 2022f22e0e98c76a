package extract

import (
	"context"
	"strings"

	"github.com/agentrt/agentrt/vector/chunk"
)

// blocks writes Markdown: paragraphs, headings, list items, code and tables, which
// may stand in each other in any order, as HTML has them.
type blocks struct {
	writer
	line  strings.Builder // text of the open block
	start string          // what the block begins with, such as "## "
	row   []string        // cells of the open table row
	rows  int             // of the open table
	cell  bool            // text goes to a cell
	tight bool            // the last block was a list item or row
}

func (b *blocks) text(s string) {
	if b.line.Len()+len(s) > MaxText {
		b.full = true
		return
	}
	b.line.WriteString(s)
}

// end closes the open block.
func (b *blocks) end() {
	if b.cell {
		b.text(" ")
		return
	}
	text := oneLine(b.line.String())
	b.line.Reset()
	item := strings.HasPrefix(b.start, "- ")
	if text != "" {
		b.separate(item && b.tight)
		b.write(b.start, text, "\n")
		b.tight = item
	}
	b.start = ""
}

func (b *blocks) separate(tight bool) {
	if b.Len() > 0 && !tight {
		b.write("\n")
	}
}

// begin closes the open block and begins one with a heading's or item's sign.
func (b *blocks) begin(start string) {
	b.end()
	if !b.cell {
		b.start = start
	}
}

func (b *blocks) heading(level int) { b.begin(strings.Repeat("#", min(max(level, 1), 6)) + " ") }

// code writes the text as a code block.
func (b *blocks) code(text string) {
	if b.cell {
		b.text(oneLine(text))
		return
	}
	b.end()
	if strings.TrimSpace(text) == "" {
		return
	}
	fence := "```"
	for strings.Contains(text, fence) {
		fence += "`"
	}
	b.separate(false)
	b.write(fence, "\n", strings.Trim(text, "\n"), "\n", fence, "\n")
	b.tight = false
}

func (b *blocks) beginRow() {
	b.endCell()
	b.endRow()
	b.end()
}

func (b *blocks) beginCell() {
	b.endCell()
	b.end()
	b.cell = true
}

func (b *blocks) endCell() {
	if b.cell && len(b.row) < maxColumns {
		b.row = append(b.row, strings.ReplaceAll(oneLine(b.line.String()), "|", `\|`))
	}
	if b.cell {
		b.line.Reset()
		b.cell = false
	}
}

func (b *blocks) endRow() {
	b.endCell()
	if len(b.row) == 0 {
		return
	}
	b.separate(b.rows > 0)
	b.write("| ", strings.Join(b.row, " | "), " |\n")
	if b.rows == 0 {
		b.write("|", strings.Repeat(" --- |", len(b.row)), "\n")
	}
	b.rows++
	b.row = nil
}

func (b *blocks) endTable() {
	b.endRow()
	b.rows, b.tight = 0, false
}

func (b *blocks) document(ctx context.Context, title string) (Document, error) {
	b.endTable()
	b.end()
	return Document{Text: b.String(), Format: chunk.Markdown, Title: oneLine(title)}, b.done(ctx)
}
