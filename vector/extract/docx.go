package extract

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// maxXML bounds an unpacked part of a docx file, in bytes.
const maxXML = 256 << 20

// docxText reads WordprocessingML (ECMA-376 part 1, section 17): paragraphs, headings
// by their styles, list items and tables of the document's body.
func docxText(ctx context.Context, data []byte) (Document, error) {
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		if bytes.HasPrefix(data, []byte{0xd0, 0xcf, 0x11, 0xe0}) { // OLE: an encrypted docx, or a doc
			return Document{}, fmt.Errorf("%w, or in an older format: save it as docx without one", ErrEncrypted)
		}
		return Document{}, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	d := docxReader{levels: map[string]int{}}
	styles := func(t xml.Token) { d.style(t) }
	if err := readXML(ctx, z, "word/styles.xml", styles); err != nil && !errors.Is(err, errNoPart) {
		return Document{}, err
	}
	var title strings.Builder
	inTitle := false
	core := func(t xml.Token) {
		switch t := t.(type) {
		case xml.StartElement:
			inTitle = t.Name.Local == "title"
		case xml.EndElement:
			inTitle = false
		case xml.CharData:
			if inTitle && title.Len() < 1000 {
				title.Write(t)
			}
		}
	}
	if err := readXML(ctx, z, "docProps/core.xml", core); err != nil && !errors.Is(err, errNoPart) {
		return Document{}, err
	}
	if err := readXML(ctx, z, "word/document.xml", d.token, &d.writer); err != nil {
		return Document{}, err
	}
	return d.document(ctx, title.String())
}

var errNoPart = fmt.Errorf("%w: it is no Word document", ErrMalformed)

// readXML gives the tokens of a part to f until a writer is full.
func readXML(ctx context.Context, z *zip.Reader, name string, f func(xml.Token), full ...*writer) (err error) {
	k := -1
	for i, file := range z.File {
		if file.Name == name {
			k = i
		}
	}
	if k < 0 {
		return errNoPart
	}
	if z.File[k].UncompressedSize64 > maxXML {
		return fmt.Errorf("%w: %s has more than %d bytes", ErrTooLarge, name, maxXML)
	}
	part, err := z.File[k].Open()
	if err != nil {
		return fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	defer func() { err = errors.Join(err, part.Close()) }()
	limited := &io.LimitedReader{R: part, N: maxXML}
	tokens := xml.NewDecoder(limited)
	for {
		t, err := tokens.RawToken()
		switch {
		case limited.N <= 0:
			return fmt.Errorf("%w: %s has more than %d bytes", ErrTooLarge, name, maxXML)
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return fmt.Errorf("%w: %w", ErrMalformed, err)
		}
		f(t)
		err = context.Cause(ctx)
		for _, w := range full {
			err = w.done(ctx)
		}
		if err != nil {
			return err
		}
	}
}

type docxReader struct {
	blocks
	levels map[string]int // of headings, by the style's id
	id     string         // of the style that is read
	inText bool           // in w:t
	tables int            // open ones: the cells of inner tables join the outer cell
	hidden int            // open elements whose text does not count
}

func attribute(e xml.StartElement, name string) string {
	for _, a := range e.Attr {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

// style reads w:style/w:name: "heading 1" in every language, "Title".
func (d *docxReader) style(t xml.Token) {
	e, ok := t.(xml.StartElement)
	if !ok || len(d.levels) > 10_000 {
		return
	}
	switch e.Name.Local {
	case "style":
		d.id = attribute(e, "styleId")
	case "name":
		name := strings.ToLower(attribute(e, "val"))
		if number, ok := strings.CutPrefix(name, "heading "); ok {
			if n, err := strconv.Atoi(number); err == nil && n > 0 {
				d.levels[d.id] = n
			}
		} else if name == "title" {
			d.levels[d.id] = 1
		}
	}
}

func (d *docxReader) token(t xml.Token) {
	switch t := t.(type) {
	case xml.StartElement:
		d.open(t)
	case xml.EndElement:
		d.close(t.Name.Local)
	case xml.CharData:
		if d.inText && d.hidden == 0 {
			d.text(string(t))
		}
	}
}

func (d *docxReader) open(e xml.StartElement) {
	switch e.Name.Local {
	case "del", "moveFrom", "Fallback": // deleted, moved away, said twice
		d.hidden++
	case "t":
		d.inText = true
	case "tab", "br", "cr":
		d.text(" ")
	case "p":
		d.end()
	case "pStyle":
		if n := d.levels[attribute(e, "val")]; n > 0 && d.tables == 0 {
			d.start = strings.Repeat("#", min(n, 6)) + " "
		}
	case "numPr":
		if d.start == "" && d.tables == 0 {
			d.start = "- "
		}
	case "tbl":
		if d.tables++; d.tables == 1 {
			d.end()
		}
	case "tr":
		if d.tables == 1 {
			d.beginRow()
		}
	case "tc":
		if d.tables == 1 {
			d.beginCell()
		}
	}
}

func (d *docxReader) close(name string) {
	switch name {
	case "del", "moveFrom", "Fallback":
		d.hidden = max(d.hidden-1, 0)
	case "t":
		d.inText = false
	case "p":
		d.end()
	case "tc":
		if d.tables == 1 {
			d.endCell()
		}
	case "tr":
		if d.tables == 1 {
			d.endRow()
		}
	case "tbl":
		if d.tables = max(d.tables-1, 0); d.tables == 0 {
			d.endTable()
		}
	}
}
