package chunk

import (
	"slices"
	"strings"
)

// markdownBlocks reads the lines of a text once, without nesting: a list item or quote
// is a block like a paragraph.
func markdownBlocks(text string) []block {
	m := markdown{text: text, paragraph: -1}
	at := m.frontMatter()
	for at < len(text) {
		at = m.line(at)
	}
	m.end(len(text))
	return m.blocks
}

type markdown struct {
	text      string
	blocks    []block
	path      []heading
	paragraph int  // where it began, -1 outside of one
	list      bool // the last block is a list item
}

type heading struct {
	level int
	text  string
}

func (m *markdown) add(b block) {
	b.path = m.titles()
	m.blocks = append(m.blocks, b)
}

func (m *markdown) titles() []string {
	titles := make([]string, len(m.path))
	for k, h := range m.path {
		titles[k] = h.text
	}
	return titles
}

// end closes the open paragraph.
func (m *markdown) end(at int) {
	if m.paragraph >= 0 {
		m.add(block{start: m.paragraph, end: at})
		m.paragraph = -1
	}
}

func (m *markdown) heading(start, end, level int, title string) {
	m.path = slices.DeleteFunc(m.path, func(h heading) bool { return h.level >= level })
	m.path = append(m.path, heading{level, title})
	m.list = false
	m.add(block{start: start, end: end, level: level})
}

// line reads the line or block at at and returns where the next one begins.
func (m *markdown) line(at int) int {
	next := lineEnd(m.text, at)
	raw := m.text[at:next]
	line := strings.TrimSpace(raw)
	indent := indentation(raw)
	if line == "" {
		m.end(at)
		return next
	}
	if fence := fenceOf(line); fence != "" {
		m.end(at)
		return m.fenced(at, next, fence)
	}
	if level, title := atx(line); level > 0 && indent < 4 {
		m.end(at)
		m.heading(at, next, level, title)
		return next
	}
	if m.paragraph >= 0 && indent < 4 && !m.list {
		if level := setext(line); level > 0 {
			start := m.paragraph
			m.paragraph = -1
			m.heading(start, next, level, strings.Join(strings.Fields(m.text[start:at]), " "))
			return next
		}
	}
	if strings.Contains(line, "|") && next < len(m.text) && tableRule(m.text[next:lineEnd(m.text, next)]) {
		m.end(at)
		return m.table(at)
	}
	if m.paragraph < 0 && indent >= 4 && !m.list {
		return m.indented(at)
	}
	if item := listItem(line); item || m.paragraph < 0 {
		m.end(at)
		m.paragraph = at
		m.list = item || m.list && indent >= 2
	}
	return next
}

// frontMatter is YAML between lines of --- at the start.
func (m *markdown) frontMatter() int {
	if !strings.HasPrefix(m.text, "---\n") && !strings.HasPrefix(m.text, "---\r\n") {
		return 0
	}
	for at := lineEnd(m.text, 0); at < len(m.text); {
		next := lineEnd(m.text, at)
		if line := strings.TrimSpace(m.text[at:next]); line == "---" || line == "..." {
			m.add(block{end: next, whole: true})
			return next
		}
		at = next
	}
	return 0
}

func (m *markdown) fenced(start, at int, fence string) int {
	for at < len(m.text) {
		next := lineEnd(m.text, at)
		line := strings.TrimSpace(m.text[at:next])
		at = next
		if strings.HasPrefix(line, fence) && strings.Trim(line, fence[:1]) == "" {
			break
		}
	}
	m.add(block{start: start, end: at, whole: true})
	return at
}

func (m *markdown) table(start int) int {
	at := start
	for at < len(m.text) {
		next := lineEnd(m.text, at)
		if !strings.Contains(m.text[at:next], "|") {
			break
		}
		at = next
	}
	m.list = false
	m.add(block{start: start, end: at, whole: true})
	return at
}

func (m *markdown) indented(start int) int {
	at, end := start, start
	for at < len(m.text) {
		next := lineEnd(m.text, at)
		raw := m.text[at:next]
		empty := strings.TrimSpace(raw) == ""
		if !empty && indentation(raw) < 4 {
			break
		}
		at = next
		if !empty {
			end = next
		}
	}
	m.add(block{start: start, end: end, whole: true})
	return end
}

func indentation(line string) (n int) {
	for _, c := range line {
		switch c {
		case ' ':
			n++
		case '\t':
			n += 4 - n%4
		default:
			return n
		}
	}
	return n
}

func fenceOf(line string) string {
	for _, mark := range []string{"`", "~"} {
		fence := line[:len(line)-len(strings.TrimLeft(line, mark))]
		if len(fence) >= 3 && (mark == "~" || !strings.Contains(line[len(fence):], "`")) {
			return fence
		}
	}
	return ""
}

func atx(line string) (level int, title string) {
	level = len(line) - len(strings.TrimLeft(line, "#"))
	if level < 1 || level > 6 || len(line) > level && line[level] != ' ' && line[level] != '\t' {
		return 0, ""
	}
	title = strings.TrimSpace(line[level:])
	if closed := strings.TrimRight(title, "#"); closed == "" || strings.HasSuffix(closed, " ") {
		title = strings.TrimSpace(closed)
	}
	return level, title
}

func setext(line string) int {
	switch {
	case strings.Trim(line, "=") == "":
		return 1
	case strings.Trim(line, "-") == "":
		return 2
	}
	return 0
}

func tableRule(line string) bool {
	line = strings.TrimSpace(line)
	return strings.Contains(line, "-") && strings.Contains(line, "|") && strings.Trim(line, "|:- \t") == ""
}

func listItem(line string) bool {
	if strings.HasPrefix(line, "- ") || strings.HasPrefix(line, "* ") || strings.HasPrefix(line, "+ ") {
		return true
	}
	digits := len(line) - len(strings.TrimLeft(line, "0123456789"))
	return digits > 0 && digits < 10 && (strings.HasPrefix(line[digits:], ". ") || strings.HasPrefix(line[digits:], ") "))
}
