// Package extract makes text of files: plain text, Markdown, HTML, CSV, JSON, Word
// (docx) and PDF. Headings, lists and tables become Markdown where the format has
// them, so that package chunk can keep them together.
//
// PDFs are read by PDFium, compiled to WebAssembly and run by wazero: hostile files
// meet a sandbox without files and network and with bounded memory and time.
package extract

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"mime"
	"path"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/agentrt/agentrt/vector/chunk"
)

// Limits of a file.
const (
	// MaxFile is the largest file in bytes.
	MaxFile = 64 << 20
	// MaxText is the longest text that comes out, in bytes: what package chunk takes.
	MaxText = chunk.MaxText
	// MaxPages is the most pages of a PDF.
	MaxPages = 5000
	// Timeout is how long one file may take, waiting for other PDFs included.
	Timeout = 2 * time.Minute
)

// Kinds of failures, for errors.Is.
var (
	ErrType      = errors.New("files of this type have no text to extract")
	ErrTooLarge  = errors.New("the file is too large")
	ErrMalformed = errors.New("the file is damaged")
	ErrEncrypted = errors.New("the file is protected by a password")
	ErrNoText    = errors.New("the file has no text")
	ErrTimeout   = errors.New("extracting the text took too long")
)

// Types are the types of files, by their extensions.
var Types = map[string]string{
	".txt": "text/plain", ".text": "text/plain", ".log": "text/plain",
	".md": "text/markdown", ".markdown": "text/markdown",
	".html": "text/html", ".htm": "text/html", ".xhtml": "text/html",
	".csv": "text/csv", ".tsv": "text/tab-separated-values",
	".json": "application/json", ".jsonl": "application/jsonl", ".ndjson": "application/jsonl",
	".docx": docxType, ".pdf": pdfType,
}

const (
	docxType = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
	pdfType  = "application/pdf"
)

// Document is the text of a file.
type Document struct {
	// Text is UTF-8 with line feeds.
	Text string
	// Format says how to cut it.
	Format chunk.Format
	// Title is what the file itself says, often nothing.
	Title string
	// Pages says where the pages of a PDF begin; nil for other files.
	Pages []Page
}

// Page is where a page begins.
type Page struct {
	// Number counts from 1.
	Number int
	// Start is the offset in the text, in bytes.
	Start int
}

// Extractor extracts texts. It is safe for concurrent use.
type Extractor struct{ pdf pdfReader }

// New returns an extractor. PDFium is compiled when the first PDF comes, which takes
// some six seconds of CPU time and 300 MB, or a tenth of it if cacheDir has the
// result of a former time (some 20 MB); an empty cacheDir means no cache.
func New(cacheDir string) *Extractor { return &Extractor{pdfReader{cacheDir: cacheDir}} }

// Close releases what PDFs needed. Extract fails afterwards.
func (x *Extractor) Close() error { return x.pdf.close() }

// Extract returns the text of a file. Its type follows from mediaType if that is a
// known one, else from the extension of filename, else from the content. Errors are
// those above, or of the context.
func (x *Extractor) Extract(ctx context.Context, filename, mediaType string, data []byte) (d Document, err error) {
	if len(data) > MaxFile {
		return d, fmt.Errorf("%w: it has %d bytes, want at most %d", ErrTooLarge, len(data), MaxFile)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, Timeout, ErrTimeout)
	defer cancel()
	// Whatever a library does with a hostile file stays here.
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: %v", ErrMalformed, p)
		}
	}()
	kind := typeOf(filename, mediaType, data)
	switch kind {
	case "text/plain":
		d.Text, err = plainText(data)
	case "text/markdown":
		d.Format = chunk.Markdown
		d.Text, err = plainText(data)
	case "text/html":
		d, err = htmlText(ctx, data)
	case "text/csv":
		d.Text, err = csvText(ctx, data, 0)
	case "text/tab-separated-values":
		d.Text, err = csvText(ctx, data, '\t')
	case "application/json", "application/jsonl":
		d.Text, err = jsonText(ctx, data)
	case docxType:
		d, err = docxText(ctx, data)
	case pdfType:
		d, err = x.pdf.text(ctx, data)
	default:
		return d, fmt.Errorf("%w: %s; there are txt, md, html, csv, json, docx and pdf", ErrType, kind)
	}
	if err != nil {
		return Document{}, err
	}
	if d.Format == "" {
		d.Format = chunk.Text
	}
	if strings.TrimSpace(d.Text) == "" {
		if kind == pdfType {
			return Document{}, fmt.Errorf("%w: its pages may be images, which need text recognition first", ErrNoText)
		}
		return Document{}, ErrNoText
	}
	return d, nil
}

// typeOf returns a type of Types, or a description of the file.
func typeOf(filename, mediaType string, data []byte) string {
	if t, _, err := mime.ParseMediaType(mediaType); err == nil {
		switch t {
		case "text/x-markdown":
			t = "text/markdown"
		case "application/xhtml+xml":
			t = "text/html"
		case "application/x-ndjson":
			t = "application/jsonl"
		}
		for _, known := range Types {
			// What browsers call text may be a more special format.
			if t == known && t != "text/plain" {
				return t
			}
		}
	}
	ext := strings.ToLower(path.Ext(filename))
	if t, ok := Types[ext]; ok {
		return t
	}
	start := data[:min(len(data), 1024)]
	switch {
	case bytes.HasPrefix(data, []byte("%PDF-")):
		return pdfType
	case bytes.HasPrefix(data, []byte("PK\x03\x04")) && bytes.Contains(data[:min(len(data), 8192)], []byte("word/")):
		return docxType
	case bytes.HasPrefix(bytes.ToLower(bytes.TrimSpace(start)), []byte("<!doctype html")) || bytes.HasPrefix(bytes.ToLower(bytes.TrimSpace(start)), []byte("<html")):
		return "text/html"
	case ext == "" && utf8.Valid(data) && bytes.IndexByte(start, 0) < 0 || strings.HasPrefix(mediaType, "text/plain"):
		return "text/plain"
	}
	if ext == "" {
		ext = "unknown content"
	}
	return fmt.Sprintf("%.60q", strings.Trim(ext+" "+mediaType, " "))
}

var errText = fmt.Errorf("%w: its text has more than %d bytes", ErrTooLarge, MaxText)

// writer collects text up to MaxText.
type writer struct {
	strings.Builder
	full bool
}

func (w *writer) write(parts ...string) {
	for _, s := range parts {
		if w.Len()+len(s) > MaxText {
			w.full = true
			return
		}
		w.WriteString(s)
	}
}

// done reports why extraction must not go on.
func (w *writer) done(ctx context.Context) error {
	if w.full {
		return errText
	}
	return context.Cause(ctx)
}
