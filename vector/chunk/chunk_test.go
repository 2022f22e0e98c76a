package chunk_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/agentrt/agentrt/vector/chunk"
)

const document = `# Manual

Intro of the manual. It has two sentences.

## Install

Run the installer:

` + "```sh\n# not a heading\nagentrt init demo\n\nagentrt serve\n```" + `

| OS | Supported |
|----|:---------:|
| Linux | yes |
| Windows | yes |

### Windows

Use the zip archive. Unpack it somewhere. Start the program from there. It needs no other files at all.

Usage
-----

1. Write a route
   and save it.
2. Call it.
   - nested item

> A quote stands here.

    indented code stays
    in one piece
`

func sections(chunks []chunk.Chunk, text string) (out []string) {
	for _, c := range chunks {
		out = append(out, strings.Join(c.Headings, "/")+": "+strings.Join(strings.Fields(text[c.Start:c.End]), " "))
	}
	return out
}

func TestMarkdown(t *testing.T) {
	chunks, err := chunk.Split(document, chunk.Options{Size: 40, Format: chunk.Markdown, Overlap: -1})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"Manual: # Manual Intro of the manual. It has two sentences.",
		"Manual/Install: ## Install Run the installer: ```sh # not a heading agentrt init demo agentrt serve ```",
		"Manual/Install: | OS | Supported | |----|:---------:| | Linux | yes | | Windows | yes |",
		"Manual/Install/Windows: ### Windows Use the zip archive. Unpack it somewhere. Start the program from there. It needs no other files at all.",
		"Manual/Usage: Usage ----- 1. Write a route and save it. 2. Call it. - nested item > A quote stands here.",
		"Manual/Usage: indented code stays in one piece",
	}
	if got := sections(chunks, document); !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestMarkdownBlocks(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       []string
	}{
		{"levels", "# A\n\none\n\n### C\n\nthree\n\n## B ##\n\ntwo\n\n# D\n\nfour", []string{"A: # A one ### C three ## B ## two # D four"}},
		{"headings alone", "# A\n## B\n### C\n", []string{"A/B/C: # A ## B ### C"}},
		{"no headings", "#tag and #5\n\n####### seven\n\ntext", []string{": #tag and #5 ####### seven text"}},
		{"setext", "Title of\ntwo lines\n===\n\ntext", []string{"Title of two lines: Title of two lines === text"}},
		{"a rule is no heading", "text\n\n---\n\nmore", []string{": text --- more"}},
		{"fence without end", "text\n\n~~~\n# no heading\n", []string{": text ~~~ # no heading"}},
		{"fence of four", "````\n```\n# no\n```\n````\n\n# Yes\n\ntext", []string{"Yes: ```` ``` # no ``` ```` # Yes text"}},
		{"front matter", "---\ntitle: x\n# no\n---\n\n# Yes\n\ntext", []string{"Yes: --- title: x # no --- # Yes text"}},
		{"line ends", "# A\r\n\r\ntext\r\n", []string{"A: # A text"}},
		{"empty", " \n\t\n", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			chunks, err := chunk.Split(c.text, chunk.Options{Size: 1000, Format: chunk.Markdown})
			if err != nil {
				t.Fatal(err)
			}
			got := sections(chunks, c.text)
			for k := range got { // the path of the last block, since all are in one chunk
				_, text, _ := strings.Cut(got[k], ": ")
				_, want, _ := strings.Cut(c.want[k], ": ")
				if text != want {
					t.Errorf("got %q, want %q", text, want)
				}
			}
			if len(got) != len(c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestHeadings(t *testing.T) {
	text := "# A\n\n" + words(30) + "\n\n### C\n\n" + words(30) + "\n\n## B ##\n\n" + words(30) + "\n\nE *x*\n===\n\n" + words(30)
	chunks, err := chunk.Split(text, chunk.Options{Size: 50, Format: chunk.Markdown})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, c := range chunks {
		got = append(got, strings.Join(c.Headings, "/"))
	}
	if want := []string{"A", "A/C", "A/B", "E *x*"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func words(n int) string { return strings.TrimSpace(strings.Repeat("word ", n)) }

func TestOverlap(t *testing.T) {
	var text strings.Builder
	for k := range 40 {
		fmt.Fprintf(&text, "Sentence number %d has words. ", k)
	}
	chunks, err := chunk.Split(text.String(), chunk.Options{Size: 60, Overlap: 20})
	if err != nil {
		t.Fatal(err)
	}
	if len(chunks) < 5 {
		t.Fatalf("only %d chunks", len(chunks))
	}
	for k := 1; k < len(chunks); k++ {
		common := text.String()[chunks[k].Start:chunks[k-1].End]
		if n := chunk.Tokens(common); n == 0 || n > 20 || !strings.HasPrefix(common, "Sentence") || !strings.HasSuffix(common, ".") {
			t.Errorf("chunk %d repeats %q, %d tokens: want whole sentences, at most 20", k, common, n)
		}
	}
}

func TestParagraphsStayWhole(t *testing.T) {
	paragraph := func(name string) string { return strings.Repeat(name+" has a sentence here. ", 5) }
	text := paragraph("One") + "\n\n" + paragraph("Two") + "\n\n" + paragraph("Three")
	chunks, err := chunk.Split(text, chunk.Options{Size: 50, Overlap: -1})
	if err != nil {
		t.Fatal(err)
	}
	if len(chunks) != 3 || !strings.HasPrefix(text[chunks[1].Start:], "Two") || !strings.HasPrefix(text[chunks[2].Start:], "Three") {
		t.Errorf("got %q", sections(chunks, text))
	}
}

func TestOptions(t *testing.T) {
	for _, c := range []struct {
		o    chunk.Options
		want string
	}{
		{chunk.Options{Size: 15}, "the size is 15 tokens, want 16 to 8192"},
		{chunk.Options{Size: 8193}, "the size is 8193 tokens"},
		{chunk.Options{Size: 100, Overlap: 51}, "the overlap is 51 tokens, want at most half of the size, 50"},
		{chunk.Options{Format: "html"}, `the format is "html", want text or markdown`},
	} {
		if _, err := chunk.Split("text", c.o); !errors.Is(err, chunk.ErrOptions) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: got %v, want %q", c.o, err, c.want)
		}
	}
	if _, err := chunk.Split(strings.Repeat("a", chunk.MaxText+1), chunk.Options{}); !errors.Is(err, chunk.ErrOptions) {
		t.Errorf("a text above the limit: %v", err)
	}
}

// Counts of the estimate against those of cl100k_base, made once with its vocabulary.
func TestTokens(t *testing.T) {
	for _, c := range []struct {
		text   string
		cl100k int
	}{
		{"The quick brown fox jumps over the lazy dog.", 10},
		{"const x = await fetch(url, { method: \"POST\" });", 14},
		{"1234567 apples", 4},
		{"Die Geschwindigkeitsbegrenzung gilt außerhalb.", 14},
		{"数据库的管理通过图形界面进行。", 10},
		{"| a | b |\n|---|---|\n| 1 | 2 |\n", 17},
		{"    return nil\n\t}\n", 6},
		{"", 0},
	} {
		got := chunk.Tokens(c.text)
		if float64(got) < 0.75*float64(c.cl100k) || float64(got) > 1.7*float64(c.cl100k) {
			t.Errorf("%q: %d, the tokenizer has %d", c.text, got, c.cl100k)
		}
	}
}

// With quadratic time it does not end.
func TestLinear(t *testing.T) {
	for name, text := range map[string]string{"letters": "x", "signs": "|", "spaces": " ", "marks": "\u0301", "sentences": ". A", "bytes": "\xff", "ticks": "`", "lines": "|\n"} {
		if _, err := chunk.Split(strings.Repeat(text, 2<<20/len(text)), chunk.Options{Size: 16, Format: chunk.Markdown}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// check has what holds for all texts: pieces in order, of at most size tokens, at the
// ends of characters, with nothing but white space between them.
func check(t *testing.T, text string, o chunk.Options) {
	t.Helper()
	chunks, err := chunk.Split(text, o)
	if err != nil {
		t.Fatal(err)
	}
	end := 0
	for k, c := range chunks {
		if c.Start >= c.End || c.End <= end || k > 0 && c.Start <= chunks[k-1].Start {
			t.Fatalf("chunk %d is %d to %d, the one before ends at %d", k, c.Start, c.End, end)
		}
		if c.Start > end && strings.TrimFunc(text[end:c.Start], unicode.IsSpace) != "" {
			t.Fatalf("%q is left out", text[end:c.Start])
		}
		if c.Start < end && chunk.Tokens(text[c.Start:end]) > max(o.Overlap, 0) {
			t.Fatalf("chunk %d repeats %d tokens", k, chunk.Tokens(text[c.Start:end]))
		}
		if c.Tokens > o.Size {
			t.Fatalf("chunk %d has %d tokens, the size is %d: %q", k, c.Tokens, o.Size, text[c.Start:c.End])
		}
		if utf8.ValidString(text) && !utf8.ValidString(text[c.Start:c.End]) {
			t.Fatalf("chunk %d cuts a character", k)
		}
		end = c.End
	}
	if strings.TrimFunc(text[end:], unicode.IsSpace) != "" {
		t.Fatalf("%q is left out at the end", text[end:])
	}
}

func FuzzSplit(f *testing.F) {
	for _, text := range []string{document, words(500), strings.Repeat("x", 1000), strings.Repeat("世界。", 100), strings.Repeat("# A\n", 50), "```\n" + strings.Repeat("|a|b|\n|-|-|\n", 40),
		strings.Repeat(" ", 300) + "a" + strings.Repeat("\n", 300) + "b", strings.Repeat("\u0301", 300), "\xff\xfe" + strings.Repeat("\x80", 200), strings.Repeat("1. a\n    b\n\n", 40)} {
		f.Add(text, 16, 4, true)
		f.Add(text, 40, 20, false)
	}
	f.Fuzz(func(t *testing.T, text string, size, overlap int, md bool) {
		o := chunk.Options{Size: 16 + abs(size)%400, Format: chunk.Text}
		if o.Overlap = abs(overlap) % (o.Size/2 + 1); o.Overlap == 0 {
			o.Overlap = -1
		}
		if md {
			o.Format = chunk.Markdown
		}
		check(t, text, o)
	})
}

func abs(n int) int { return max(n, -(n + 1)) }

func BenchmarkSplit(b *testing.B) {
	text := strings.Repeat(document, 1000)
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		if _, err := chunk.Split(text, chunk.Options{Format: chunk.Markdown}); err != nil {
			b.Fatal(err)
		}
	}
}
