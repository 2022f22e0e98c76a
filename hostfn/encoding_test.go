package hostfn

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestReplaceIllFormed(t *testing.T) {
	for in, want := range map[string]string{
		"":                         "",
		"a\xffb":                   "a\ufffdb",
		"\xf0\x90\x80":             "\ufffd",
		"\xf0\x90\x80A":            "\ufffdA",
		"\xf0\x80\x80\x80":         "\ufffd\ufffd\ufffd\ufffd",
		"\xe0\x80\x80":             "\ufffd\ufffd\ufffd",
		"\xed\xa0\x80":             "\ufffd\ufffd\ufffd",
		"\xf4\x90\x80\x80":         "\ufffd\ufffd\ufffd\ufffd",
		"\xc0\xaf":                 "\ufffd\ufffd",
		"\xe1\x80\xe2\xf0\x91\x92": "\ufffd\ufffd\ufffd",
		"\xef\xbb\xbf\xf0\x9f":     "\ufeff\ufffd",
		"\ufffd\xc3":               "\ufffd\ufffd",
		"\U0010ffff\xf1\xbf\xbf":   "\U0010ffff\ufffd",
	} {
		if got := string(replaceIllFormed([]byte(in))); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func FuzzReplaceIllFormed(f *testing.F) {
	f.Add([]byte("a\xf0\x90\x80\xe2"))
	f.Fuzz(func(t *testing.T, in []byte) {
		out := replaceIllFormed(in)
		if !utf8.Valid(out) {
			t.Fatalf("%q became %q", in, out)
		}
		// Replacing byte for byte, as Go does, differs only in the number of marks.
		collapse := func(s string) string {
			return strings.Join(strings.FieldsFunc(s, func(r rune) bool { return r == utf8.RuneError }), "\ufffd")
		}
		if got, want := collapse(string(out)), collapse(string([]rune(string(in)))); got != want {
			t.Fatalf("%q became %q", in, out)
		}
	})
}
