package extract

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
	"golang.org/x/net/html/charset"
)

// htmlText reads the tokens in their order, without a tree, so that nesting costs
// nothing. Scripts, styles, navigation, and forms' controls are left out.
func htmlText(ctx context.Context, data []byte) (Document, error) {
	r, err := charset.NewReader(bytes.NewReader(data), "text/html")
	if err != nil {
		return Document{}, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	h := htmlReader{tokens: html.NewTokenizer(r)}
	h.tokens.SetMaxBuf(MaxText)
	for {
		kind := h.tokens.Next()
		if kind == html.ErrorToken {
			switch err := h.tokens.Err(); {
			case errors.Is(err, io.EOF):
				return h.document(ctx, h.title.String())
			case errors.Is(err, html.ErrBufferExceeded):
				return Document{}, errText
			default:
				return Document{}, fmt.Errorf("%w: %w", ErrMalformed, err)
			}
		}
		h.token(kind)
		if err := h.done(ctx); err != nil {
			return Document{}, err
		}
	}
}

type htmlReader struct {
	blocks
	tokens *html.Tokenizer
	hidden atom.Atom // the element that is left out, with the number of open ones
	depth  int
	pre    *strings.Builder // the text of an open <pre>
	titled bool             // in <title>
	title  strings.Builder
}

var left = map[atom.Atom]bool{
	atom.Script: true, atom.Style: true, atom.Noscript: true, atom.Template: true, atom.Nav: true, atom.Svg: true, atom.Math: true,
	atom.Iframe: true, atom.Object: true, atom.Select: true, atom.Textarea: true, atom.Button: true, atom.Audio: true, atom.Video: true, atom.Canvas: true,
}

var block = map[atom.Atom]bool{
	atom.P: true, atom.Div: true, atom.Section: true, atom.Article: true, atom.Aside: true, atom.Header: true, atom.Footer: true, atom.Main: true,
	atom.Ul: true, atom.Ol: true, atom.Dl: true, atom.Dt: true, atom.Dd: true, atom.Blockquote: true, atom.Figure: true, atom.Figcaption: true,
	atom.Address: true, atom.Hr: true, atom.Form: true, atom.Fieldset: true, atom.Details: true, atom.Summary: true, atom.Body: true, atom.Caption: true,
}

func (h *htmlReader) token(kind html.TokenType) {
	switch kind {
	case html.TextToken:
		h.content(string(h.tokens.Text()))
	case html.StartTagToken, html.SelfClosingTagToken:
		name, _ := h.tokens.TagName()
		h.open(atom.Lookup(name), kind == html.SelfClosingTagToken)
	case html.EndTagToken:
		name, _ := h.tokens.TagName()
		h.close(atom.Lookup(name))
	}
}

func (h *htmlReader) content(text string) {
	switch {
	case h.hidden != 0:
	case h.titled:
		if h.title.Len() < 1000 {
			h.title.WriteString(text)
		}
	case h.pre != nil:
		h.full = h.full || h.pre.Len()+len(text) > MaxText
		h.pre.WriteString(text)
	default:
		h.text(text)
	}
}

func (h *htmlReader) open(name atom.Atom, closed bool) {
	switch {
	case h.hidden != 0:
		if name == h.hidden && !closed {
			h.depth++
		}
	case left[name]:
		if !closed {
			h.hidden, h.depth = name, 1
		}
	case name == atom.Title:
		h.titled = !closed
	case name == atom.Pre:
		h.end()
		h.pre = new(strings.Builder)
	case h.pre != nil:
		if name == atom.Br {
			h.content("\n")
		}
	case level(name) > 0:
		h.heading(level(name))
	case name == atom.Li:
		h.begin("- ")
	case name == atom.Table:
		h.endTable()
		h.end()
	case name == atom.Tr:
		h.beginRow()
	case name == atom.Td || name == atom.Th:
		h.beginCell()
	case name == atom.Br:
		h.text(" ")
	case block[name]:
		if h.start == "" || strings.TrimSpace(h.line.String()) != "" { // not the paragraph of a list item
			h.end()
		}
	}
}

func (h *htmlReader) close(name atom.Atom) {
	switch {
	case h.hidden != 0:
		if name == h.hidden {
			if h.depth--; h.depth == 0 {
				h.hidden = 0
			}
		}
	case name == atom.Title:
		h.titled = false
	case name == atom.Pre && h.pre != nil:
		text := h.pre.String()
		h.pre = nil
		h.code(text)
	case h.pre != nil:
	case name == atom.Td || name == atom.Th:
		h.endCell()
	case name == atom.Tr:
		h.endRow()
	case name == atom.Table:
		h.endTable()
	case block[name] || name == atom.Li || level(name) > 0:
		h.end()
	}
}

func level(name atom.Atom) int {
	for k, h := range []atom.Atom{atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6} {
		if name == h {
			return k + 1
		}
	}
	return 0
}
