package loader_test

import (
	"strings"
	"testing"

	"github.com/agentrt/agentrt/agentrt/loader"
)

// small maps generated line 2, columns 0, 4 and 10, and nothing in lines 1 and 3.
const small = `{
  "version" : 3, "x_extra": [1, {"a": "]}"}, null, -1.5e3],
  "sources": ["../src/a.ts", "../../node_modules/p/i.js"],
  "sourcesContent": ["one\r\n\t\"two\" \\\\n 𝒳 three\nlast", null],
  "names": ["f"],
  "mappings": ";AACA,IACIA,MCCA"
}`

func TestSourceMap(t *testing.T) {
	m := loader.NewSourceMap([]byte(small))
	for _, c := range []struct{ frame, want string }{
		{"agentrt:app:2:1", "src/a.ts:2:1"},
		{"agentrt:app:2:4", "src/a.ts:2:1"},
		{"agentrt:app:2:5", "src/a.ts:3:5"},
		{"agentrt:app:2:999", "node_modules/p/i.js:4:5"},
		{"agentrt:app:1:1", "agentrt:app:1:1"},
		{"agentrt:app:3:1", "agentrt:app:3:1"},
		{"agentrt:app:9999999:1", "agentrt:app:9999999:1"},
		{"agentrt:app:0:0", "agentrt:app:0:0"},
		{"other.js:2:1", "other.js:2:1"},
	} {
		if got, want := m.Stack("Error: x\n    at f ("+c.frame+")"), "Error: x\n    at f ("+c.want+")"; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	for _, c := range []struct {
		frame loader.Frame
		want  string
	}{
		{loader.Frame{File: "src/a.ts", Line: 2, Column: 2}, "  2 | \t\"two\" \\\\n 𝒳 three\n    | \t^"},
		{loader.Frame{File: "src/a.ts", Line: 2, Column: 15}, "  2 | \t\"two\" \\\\n 𝒳 three\n    | \t            ^"},
		{loader.Frame{File: "src/a.ts", Line: 1, Column: 99}, "  1 | one\n    |    ^"},
		{loader.Frame{File: "src/a.ts", Line: 3, Column: 1}, "  3 | last\n    | ^"},
		{loader.Frame{File: "src/a.ts", Line: 4, Column: 1}, ""},
		{loader.Frame{File: "node_modules/p/i.js", Line: 1, Column: 1}, ""},
		{loader.Frame{File: "none", Line: 1, Column: 1}, ""},
		{loader.Frame{File: "src/a.ts"}, ""},
	} {
		if got := m.Excerpt(c.frame); got != c.want {
			t.Errorf("%v: got\n%s\nwant\n%s", c.frame, got, c.want)
		}
	}
}

func TestExcerptOfLongLine(t *testing.T) {
	line := strings.Repeat("a", 5_000) + "X" + strings.Repeat("b", 5_000)
	m := loader.NewSourceMap([]byte(`{"version":3,"sources":["../a.js"],"sourcesContent":["` + line + `"],"mappings":"AAAA"}`))
	got := strings.Split(m.Excerpt(loader.Frame{File: "a.js", Line: 1, Column: 5_001}), "\n")
	if len(got) != 2 || len(got[0]) > 140 {
		t.Fatalf("got %q", got)
	}
	caret := len([]rune(got[1])) - 1
	if c := []rune(got[0])[caret]; c != 'X' {
		t.Errorf("the caret is below %c", c)
	}
}

func TestStackLines(t *testing.T) {
	m := loader.NewSourceMap([]byte(small))
	stack := `TypeError: at first
    at nothing
    at get x (agentrt:app:2:1)
    at async f (native)
    at <anonymous> (agentrt:app:2:5)
    at pipe (agentrt:platform:1:22)
    at <eval> (<input>:1:1)
    at agentrt:app:2:1`
	want := `TypeError: at first
    at nothing
    at get x (src/a.ts:2:1)
    at async f (native)
    at src/a.ts:3:5
    at <eval> (<input>:1:1)
    at src/a.ts:2:1`
	if got := m.Stack(stack); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	frames := m.Frames(stack)
	if len(frames) != 7 || !frames[4].Platform || frames[3].Function != "" || !frames[3].Mapped || frames[2].File != "native" {
		t.Errorf("frames %+v", frames)
	}
	if n := strings.Count(m.Stack(strings.Repeat("    at f (agentrt:app:2:1)\n", 5_000)), "\n"); n != 200 {
		t.Errorf("%d lines of 5,000 frames", n)
	}
}

func TestMalformedSourceMap(t *testing.T) {
	for _, raw := range []string{
		``, `null`, `[]`, `{`, `{}`, `{"version":3}`, `{"version":2,"sources":[],"mappings":""}`,
		`{"version":3,"sources":"a","mappings":""}`, `{"version":3,"sources":[],"mappings":"!"}`,
		`{"version":3,"sources":[],"mappings":"gggggggggggggg"}`, `{"version":3,"sources":[],"mappings":"AA`,
		`{"version":3,"sources":[],"mappings":"\u0041"}`, `{"version":3,"sources":[],"mappings":12}`,
		`{"version":3,"sources":[],"sourcesContent":["a" "b"],"mappings":""}`,
	} {
		m := loader.NewSourceMap([]byte(raw))
		if err := m.Prepare(); err == nil {
			t.Errorf("%s: no error", raw)
		}
		if got := m.Stack("    at f (agentrt:app:1:1)"); got != "    at f (agentrt:app:1:1)" {
			t.Errorf("%s: %s", raw, got)
		}
	}
}

func FuzzSourceMap(f *testing.F) {
	f.Add(small, 2, 5)
	f.Add(`{"version":3,"sources":["a"],"sourcesContent":["\\"],"mappings":"AAAA;DDDD"}`, 1, 1)
	f.Fuzz(func(t *testing.T, raw string, line, column int) {
		m := loader.NewSourceMap([]byte(raw))
		frame := loader.Frame{File: "agentrt:app", Line: line, Column: column}
		for _, mapped := range m.Frames("    " + frame.String()) {
			m.Excerpt(mapped)
		}
	})
}
