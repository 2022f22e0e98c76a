// Package chunk cuts texts into pieces for embeddings: by tokens, at the ends of
// blocks and sentences, with overlap, and with where each piece lies in the source.
package chunk

import (
	"errors"
	"fmt"
	"strings"
)

// Limits and defaults, in tokens as Tokens estimates them.
const (
	DefaultSize    = 400
	DefaultOverlap = 40
	MinSize        = 16
	MaxSize        = 8192
	// MaxText is the largest text in bytes.
	MaxText = 16 << 20
)

// Format says how a text is read.
type Format string

// The formats.
const (
	// Text has paragraphs between empty lines.
	Text Format = "text"
	// Markdown has headings, code blocks, tables and lists too
	// (https://spec.commonmark.org, tables as in https://github.github.com/gfm).
	Markdown Format = "markdown"
)

// Options of Split. The zero value means the defaults.
type Options struct {
	// Size is the most tokens of a chunk.
	Size int
	// Overlap is the most tokens that a chunk repeats of the one before it, whole
	// sentences or lines; at most half of Size. Negative means none, 0 the default,
	// or a tenth of Size if that is less. A chunk that begins with a heading
	// repeats nothing.
	Overlap int
	// Format is Text by default.
	Format Format
}

// Chunk is a piece of a text.
type Chunk struct {
	// Start and End are the offsets of the piece in the source, in bytes.
	Start, End int
	// Tokens is the estimate for the piece.
	Tokens int
	// Headings are those that the piece stands under, the outermost first, with
	// those that it begins with.
	Headings []string
}

// ErrOptions reports options or a text beyond the limits.
var ErrOptions = errors.New("cannot cut the text")

func (o Options) withDefaults() (Options, error) {
	if o.Size == 0 {
		o.Size = DefaultSize
	}
	if o.Size < MinSize || o.Size > MaxSize {
		return o, fmt.Errorf("%w: the size is %d tokens, want %d to %d", ErrOptions, o.Size, MinSize, MaxSize)
	}
	switch {
	case o.Overlap == 0:
		o.Overlap = min(DefaultOverlap, o.Size/10)
	case o.Overlap < 0:
		o.Overlap = 0
	case o.Overlap > o.Size/2:
		return o, fmt.Errorf("%w: the overlap is %d tokens, want at most half of the size, %d", ErrOptions, o.Overlap, o.Size/2)
	}
	switch o.Format {
	case "":
		o.Format = Text
	case Text, Markdown:
	default:
		return o, fmt.Errorf("%w: the format is %q, want text or markdown", ErrOptions, o.Format)
	}
	return o, nil
}

// Split cuts text into chunks of at most Size tokens. They cover everything but white
// space between them. Code blocks and tables that fit into a chunk are not cut, a
// heading comes with the beginning of its text if both fit, and a paragraph is cut between sentences
// only if moving it as a whole would leave the chunk less than half full. A text of
// nothing but white space has no chunks. The error is ErrOptions.
func Split(text string, o Options) ([]Chunk, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	if len(text) > MaxText {
		return nil, fmt.Errorf("%w: it has %d bytes, want at most %d", ErrOptions, len(text), MaxText)
	}
	var blocks []block
	if o.Format == Markdown {
		blocks = markdownBlocks(text)
	} else {
		blocks = textBlocks(text)
	}
	return pack(text, atoms(text, blocks, o.Size), o), nil
}

// block is a paragraph, heading, list item, table or code block.
type block struct {
	start, end int
	level      int  // of a heading, else 0
	whole      bool // cut only by lines, and only if it does not fit
	path       []string
}

// atom is a part of a block that is never cut.
type atom struct {
	start, end int
	cost       int  // tokens up to the next atom
	first      bool // begins its block
	heading    bool
	path       []string
}

func textBlocks(text string) (blocks []block) {
	start := -1
	for at := 0; at < len(text); {
		end := lineEnd(text, at)
		switch empty := strings.TrimSpace(text[at:end]) == ""; {
		case empty && start >= 0:
			blocks = append(blocks, block{start: start, end: at})
			start = -1
		case !empty && start < 0:
			start = at
		}
		at = end
	}
	if start >= 0 {
		blocks = append(blocks, block{start: start, end: len(text)})
	}
	return blocks
}

// lineEnd is the offset behind the line's break.
func lineEnd(text string, at int) int {
	if k := strings.IndexByte(text[at:], '\n'); k >= 0 {
		return at + k + 1
	}
	return len(text)
}
