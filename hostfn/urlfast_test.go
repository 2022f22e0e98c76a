package hostfn

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/nlnwa/whatwg-url/url"
)

// TestSerializedURLs compares the shortcut with the parser on URLs made of pieces
// that matter to it.
func TestSerializedURLs(t *testing.T) {
	pieces := []string{
		"a", "b1", "-", "--", "xn--", "example", ".com", ".", "..", "/", "//", "/.", "/..", "/a", "?", "#", "%", "%2e", "%2E", "%41", "%zz", "@", ":", ":80", ":443", ":8080", ":0", ":080",
		":99999", "1", ".1", "0x7f", "A", "é", " ", "\t", "\\", "'", "\"", "<", "^", "|", "`", "{", "=", "&", "+", "~", "!", "$", "(", "*", ",", ";", "[", "]", "_",
	}
	r := rand.New(rand.NewPCG(1, 2))
	taken := 0
	for range 200_000 {
		var b strings.Builder
		b.WriteString([]string{"http://", "https://", "HTTPS://", "http:/", "ftp://"}[max(r.IntN(20)-15, r.IntN(2))])
		if r.IntN(2) == 0 {
			b.WriteString("example.com")
		}
		for range 1 + r.IntN(7) {
			b.WriteString(pieces[r.IntN(len(pieces))])
		}
		input := b.String()
		href, ok := serialized(input)
		if !ok {
			continue
		}
		taken++
		u, err := url.Parse(input)
		if err != nil {
			t.Fatalf("%q is taken as it is, but is no URL: %v", input, err)
		}
		if want := u.Href(false); href != want {
			t.Fatalf("%q becomes %q, not %q", input, href, want)
		}
	}
	if taken < 1000 {
		t.Errorf("only %d URLs took the shortcut", taken)
	}
	for _, input := range []string{"https://api.example.com/v1/x-y_z?a=b&c=d%20#f?g", "http://localhost:8090/", "https://h.test", "https://h.test?q"} {
		if _, ok := serialized(input); !ok {
			t.Errorf("%q does not take the shortcut", input)
		}
	}
}
