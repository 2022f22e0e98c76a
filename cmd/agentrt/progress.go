package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"
)

// bar shows how far a command is: on a terminal a bar in one line, elsewhere a line
// every five seconds.
type bar struct {
	out      io.Writer
	terminal bool
	start    time.Time
	shown    time.Time
	label    string
}

func newBar(out io.Writer) *bar {
	b := &bar{out: out}
	if f, ok := out.(*os.File); ok {
		b.terminal = isTerminal(f)
	}
	return b
}

const barWidth = 30

// show reports done of total, with a note behind it. A new label begins a new bar.
func (b *bar) show(label string, done, total int, note string) {
	now := time.Now()
	if label != b.label {
		b.end()
		b.label, b.start, b.shown = label, now, time.Time{}
	}
	every := 5 * time.Second
	if b.terminal {
		every = 100 * time.Millisecond
	}
	if now.Sub(b.shown) < every && done < total {
		return
	}
	b.shown = now
	share := 1.0
	if total > 0 {
		share = min(float64(done)/float64(total), 1)
	}
	left := ""
	if passed := now.Sub(b.start); share > 0 && share < 1 && passed > time.Second {
		left = ", " + (time.Duration(float64(passed) * (1 - share) / share)).Round(time.Second).String() + " left"
	}
	text := fmt.Sprintf("%s %3.0f%% %d/%d%s%s", label, 100*share, done, total, note, left)
	if b.terminal {
		full := int(share * barWidth)
		fmt.Fprintf(b.out, "\r\x1b[K%s [%s%s] %s", label, strings.Repeat("#", full), strings.Repeat("-", barWidth-full), strings.TrimPrefix(text, label+" "))
	} else {
		fmt.Fprintln(b.out, text)
	}
}

// end closes the line of the last bar.
func (b *bar) end() {
	if b.terminal && b.label != "" {
		fmt.Fprintln(b.out)
	}
	b.label = ""
}
