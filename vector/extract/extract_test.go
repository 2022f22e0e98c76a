package extract_test

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/agentrt/agentrt/vector/chunk"
	"github.com/agentrt/agentrt/vector/extract"
	"go.uber.org/goleak"
)

var pdfCache string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "agentrt-pdf-*")
	if err != nil {
		panic(err)
	}
	pdfCache = dir
	code := m.Run()
	if code == 0 {
		if err := goleak.Find(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	os.RemoveAll(dir)
	os.Exit(code)
}

func newExtractor(t testing.TB) *extract.Extractor {
	x := extract.New(pdfCache)
	t.Cleanup(func() {
		if err := x.Close(); err != nil {
			t.Error(err)
		}
	})
	return x
}

const page = `<!DOCTYPE html><html><head><title>The  title</title><style>p {}</style><script>if (a < b) alert("</p>")</script></head>
<body><nav><a href="/">Home</a></nav><h1>Main <em>thing</em></h1><p>One &amp; two<br>three</p>loose text
<ul><li>first<li><p>second</p></li></ul><pre><code>x = 1
  y = 2</code></pre><table><thead><tr><th>A<th>B | C</tr></thead><tr><td><p>1</p></td><td>2<br>3</td></tr></table><h2>Last</h2><div>end<div>of it</div></div></body></html>`

func docx(document string) []byte {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for name, text := range map[string]string{
		"[Content_Types].xml": "<Types/>",
		"docProps/core.xml":   `<cp:coreProperties xmlns:cp="c" xmlns:dc="d"><dc:title>The title</dc:title></cp:coreProperties>`,
		"word/styles.xml":     `<w:styles xmlns:w="w"><w:style w:styleId="berschrift2"><w:name w:val="heading 2"/></w:style><w:style w:styleId="T"><w:name w:val="Title"/></w:style></w:styles>`,
		"word/document.xml":   `<w:document xmlns:w="w" xmlns:mc="m"><w:body>` + document + `</w:body></w:document>`,
	} {
		w, err := z.Create(name)
		if err == nil {
			_, err = w.Write([]byte(text))
		}
		if err != nil {
			panic(err)
		}
	}
	if err := z.Close(); err != nil {
		panic(err)
	}
	return b.Bytes()
}

func paragraph(style, text string) string {
	if style != "" {
		style = `<w:pPr><w:pStyle w:val="` + style + `"/></w:pPr>`
	}
	return `<w:p>` + style + `<w:r><w:t>` + text + `</w:t></w:r></w:p>`
}

// pdf has a page for each text, a line for each line.
func pdf(title string, pages ...string) []byte {
	var b bytes.Buffer
	var offsets []int
	object := func(format string, args ...any) {
		offsets = append(offsets, b.Len())
		fmt.Fprintf(&b, "%d 0 obj\n%s\nendobj\n", len(offsets), fmt.Sprintf(format, args...))
	}
	b.WriteString("%PDF-1.4\n")
	object("<< /Type /Catalog /Pages 2 0 R >>")
	var kids strings.Builder
	for k := range pages {
		fmt.Fprintf(&kids, "%d 0 R ", 5+2*k)
	}
	object("<< /Type /Pages /Count %d /Kids [%s] >>", len(pages), kids.String())
	object("<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>")
	object("<< /Title (%s) >>", title)
	for k, text := range pages {
		object("<< /Type /Page /Parent 2 0 R /MediaBox [0 0 600 800] /Resources << /Font << /F 3 0 R >> >> /Contents %d 0 R >>", 6+2*k)
		content := "BT /F 12 Tf 14 TL 50 700 Td (" + strings.Join(strings.Split(text, "\n"), ") Tj T* (") + ") Tj ET"
		object("<< /Length %d >>\nstream\n%s\nendstream", len(content), content)
	}
	xref := b.Len()
	fmt.Fprintf(&b, "xref\n0 %d\n0000000000 65535 f \n", len(offsets)+1)
	for _, at := range offsets {
		fmt.Fprintf(&b, "%010d 00000 n \n", at)
	}
	fmt.Fprintf(&b, "trailer << /Size %d /Root 1 0 R /Info 4 0 R >>\nstartxref\n%d\n%%%%EOF\n", len(offsets)+1, xref)
	return b.Bytes()
}

func TestExtract(t *testing.T) {
	x := newExtractor(t)
	for _, c := range []struct {
		name, mediaType string
		data            string
		want            string
		format          chunk.Format
		title           string
	}{
		{"a.txt", "", "\ufeffgrüße\r\nyou\r", "grüße\nyou\n", chunk.Text, ""},
		{"latin.txt", "", "gr\xfc\xdfe", "grüße", chunk.Text, ""},
		{"utf16.txt", "", "\xff\xfeg\x00r\x00\xfc\x00", "grü", chunk.Text, ""},
		{"no extension", "", "just text", "just text", chunk.Text, ""},
		{"a.md", "text/plain", "# A\n\ntext", "# A\n\ntext", chunk.Markdown, ""},
		{"blob", "text/markdown; charset=utf-8", "# A", "# A", chunk.Markdown, ""},
		{"a.html", "", page, "# Main thing\n\nOne & two three\n\nloose text\n\n- first\n- second\n\n```\nx = 1\n  y = 2\n```\n\n| A | B \\| C |\n| --- | --- |\n| 1 | 2 3 |\n\n## Last\n\nend\n\nof it\n", chunk.Markdown, "The title"},
		{"x", "text/html", `<meta charset="iso-8859-1"><p>gr` + "\xfc\xdf" + `e`, "grüße\n", chunk.Markdown, ""},
		{"a.csv", "", "name,age\nAnn,3\n\"Bob, jr\",\n", "name: Ann\nage: 3\n\nname: Bob, jr\n", chunk.Text, ""},
		{"semi.csv", "", "a;b;\n1,5;\"x\ny\";z;w", "a: 1,5\nb: x y\ncolumn 3: z\ncolumn 4: w\n", chunk.Text, ""},
		{"a.tsv", "", "a\tb\n1\t2", "a: 1\nb: 2\n", chunk.Text, ""},
		{"a.json", "", `[{"a":1.50,"b":{"c":["x","y"],"d":null}},"z"]`, "a: 1.50\nb.c[0]: x\nb.c[1]: y\n\nz\n", chunk.Text, ""},
		{"a.jsonl", "", "{\"a\":1}\n{\"a\":true}\n", "a: 1\n\na: true\n", chunk.Text, ""},
		{"a.docx", "", string(docx(paragraph("T", "Report") + paragraph("", "One <w:br/>two") + `<w:p><w:r><w:t>a</w:t><w:br/><w:t>b</w:t></w:r><w:del><w:r><w:t>gone</w:t></w:r></w:del></w:p>` + paragraph("berschrift2", "Part") +
			`<w:p><w:pPr><w:numPr/></w:pPr><w:r><w:t>item</w:t></w:r></w:p><w:tbl><w:tr><w:tc>` + paragraph("", "A") + paragraph("", "B") + `</w:tc><w:tc>` + paragraph("T", "C") + `</w:tc></w:tr><w:tr><w:tc>` + paragraph("", "1") + `</w:tc><w:tc/></w:tr></w:tbl>` + paragraph("", "end"))),
			"# Report\n\nOne two\n\na b\n\n## Part\n\n- item\n\n| A B | C |\n| --- | --- |\n| 1 |  |\n\nend\n", chunk.Markdown, "The title"},
		{"a.pdf", "", string(pdf("A report", "First line\nsecond line", "Page two")), "First line\nsecond line\n\nPage two", chunk.Text, "A report"},
		{"named.bin", "application/pdf", string(pdf("", "x")), "x", chunk.Text, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			d, err := x.Extract(t.Context(), c.name, c.mediaType, []byte(c.data))
			if err != nil {
				t.Fatal(err)
			}
			if d.Text != c.want || d.Format != c.format || d.Title != c.title {
				t.Errorf("got %q %s %q\nwant %q %s %q", d.Text, d.Format, d.Title, c.want, c.format, c.title)
			}
		})
	}
}

func TestPages(t *testing.T) {
	d, err := newExtractor(t).Extract(t.Context(), "a.pdf", "", pdf("", "One", "Two", "Three"))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for k, p := range d.Pages {
		end := len(d.Text)
		if k+1 < len(d.Pages) {
			end = d.Pages[k+1].Start
		}
		got = append(got, fmt.Sprintf("%d %s", p.Number, strings.TrimSpace(d.Text[p.Start:end])))
	}
	if strings.Join(got, ",") != "1 One,2 Two,3 Three" {
		t.Errorf("got %q", got)
	}
}

func TestErrors(t *testing.T) {
	x := newExtractor(t)
	var bomb bytes.Buffer
	z := zip.NewWriter(&bomb)
	w, err := z.Create("word/document.xml")
	if err != nil {
		t.Fatal(err)
	}
	zeros := bytes.Repeat([]byte("<w:p><w:t>aaaaaaaaaaaaaaaaaaaaaa</w:t></w:p>"), 20_000)
	for range 100 {
		_, _ = w.Write(zeros)
	}
	_ = z.Close()
	for _, c := range []struct {
		name string
		data string
		kind error
		want string
	}{
		{"a.exe", "MZ", extract.ErrType, `".exe"; there are txt, md, html, csv, json, docx and pdf`},
		{"image", "\x89PNG\r\n\x1a\n\x00", extract.ErrType, "unknown content"},
		{"a.txt", "a\x00b", extract.ErrMalformed, "zero bytes"},
		{"a.txt", " \n", extract.ErrNoText, ""},
		{"a.json", `{"a":`, extract.ErrMalformed, ""},
		{"a.json", strings.Repeat("[", 5000), extract.ErrTooLarge, "nested"},
		{"deep.json", strings.Repeat(`{"a":`, 90) + "1" + strings.Repeat("}", 90) + "x", extract.ErrMalformed, ""},
		{"a.docx", "PK\x03\x04nonsense", extract.ErrMalformed, ""},
		{"old.docx", "\xd0\xcf\x11\xe0", extract.ErrEncrypted, "save it as docx"},
		{"no.docx", string(docx("<w:p")), extract.ErrMalformed, ""},
		{"bomb.docx", bomb.String(), extract.ErrTooLarge, "its text has more than"},
		{"a.pdf", "%PDF-1.4\nnonsense", extract.ErrMalformed, ""},
		{"empty.pdf", string(pdf("", "")), extract.ErrNoText, "text recognition"},
		{"wide.csv", strings.Repeat("a,", 3000), extract.ErrTooLarge, "columns"},
		{"large.txt", strings.Repeat("a", extract.MaxText+1), extract.ErrTooLarge, ""},
		{"large.csv", "a\n" + strings.Repeat("a\n", extract.MaxText/4), extract.ErrTooLarge, "its text has more than"},
		{"larger.txt", strings.Repeat("a", extract.MaxFile+1), extract.ErrTooLarge, "want at most"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := x.Extract(t.Context(), c.name, "", []byte(c.data))
			if !errors.Is(err, c.kind) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %v: %s", err, c.kind, c.want)
			}
		})
	}
}

// TestTimeout stops PDFium inside a page that takes long.
func TestTimeout(t *testing.T) {
	x := newExtractor(t)
	many := make([]string, 4000)
	for k := range many {
		many[k] = strings.Repeat("text ", 50)
	}
	data := pdf("", many...)
	ctx, cancel := context.WithTimeoutCause(t.Context(), time.Millisecond, extract.ErrTimeout)
	defer cancel()
	if _, err := x.Extract(ctx, "a.pdf", "", data); !errors.Is(err, extract.ErrTimeout) {
		t.Errorf("got %v, want %v", err, extract.ErrTimeout)
	}
	ctx, cancel = context.WithTimeoutCause(t.Context(), 300*time.Millisecond, extract.ErrTimeout) // PDFium runs
	defer cancel()
	if _, err := x.Extract(ctx, "a.pdf", "", data); !errors.Is(err, extract.ErrTimeout) {
		t.Errorf("got %v, want %v", err, extract.ErrTimeout)
	}
	if d, err := x.Extract(t.Context(), "a.pdf", "", pdf("", "still works")); err != nil || d.Text != "still works" {
		t.Errorf("after a timeout: %q, %v", d.Text, err)
	}
}

// TestDamagedPDFs: no panic, and the next file is read.
func TestDamagedPDFs(t *testing.T) {
	x := newExtractor(t)
	random := rand.New(rand.NewPCG(1, 2))
	good := pdf("Title", "First line\nsecond line", "Page two")
	for k := range 100 {
		data := bytes.Clone(good)
		for range 1 + random.IntN(20) {
			switch at := random.IntN(len(data)); random.IntN(3) {
			case 0:
				data[at] = byte(random.Uint32())
			case 1:
				data = append(data[:at], data[min(len(data), at+random.IntN(50)):]...)
			default:
				data = append(data[:at:at], append([]byte("99999999999 "), data[at:]...)...)
			}
			if len(data) < 10 {
				break
			}
		}
		if _, err := x.Extract(t.Context(), "a.pdf", "", data); err != nil &&
			!errors.Is(err, extract.ErrMalformed) && !errors.Is(err, extract.ErrNoText) && !errors.Is(err, extract.ErrEncrypted) && !errors.Is(err, extract.ErrTooLarge) {
			t.Errorf("file %d: %v", k, err)
		}
	}
	if d, err := x.Extract(t.Context(), "a.pdf", "", good); err != nil || !strings.Contains(d.Text, "second line") {
		t.Errorf("after all: %q, %v", d.Text, err)
	}
}

func FuzzExtract(f *testing.F) {
	names := []string{"a.txt", "a.md", "a.html", "a.csv", "a.tsv", "a.json", "a.docx", "a"}
	f.Add(byte(0), []byte("text"))
	f.Add(byte(2), []byte(page))
	f.Add(byte(3), []byte("a,b\n1,2\n"))
	f.Add(byte(5), []byte(`[{"a":[1,{"b":null}]}]`))
	f.Add(byte(6), docx(paragraph("T", "x")+"<w:tbl><w:tr><w:tc>"+paragraph("", "y")+"</w:tc></w:tr></w:tbl>"))
	f.Fuzz(func(t *testing.T, kind byte, data []byte) {
		if bytes.HasPrefix(data, []byte("%PDF-")) {
			return
		}
		x := extract.New("")
		d, err := x.Extract(t.Context(), names[int(kind)%len(names)], "", data)
		if err == nil && (d.Text == "" || strings.ContainsRune(d.Text, '\r') && d.Format == chunk.Text) {
			t.Errorf("got %q without an error", d.Text)
		}
	})
}
