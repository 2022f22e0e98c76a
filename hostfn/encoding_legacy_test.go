package hostfn

import (
	"math/rand/v2"
	"testing"

	"github.com/agentrt/agentrt/quickjs"
)

// TestLegacyStreaming cuts bytes at every place: the text must be that of the whole.
func TestLegacyStreaming(t *testing.T) {
	decode := func(request legacyRequest, in []byte) legacyText {
		t.Helper()
		text, err := decodeLegacy(t.Context(), quickjs.Message[legacyRequest]{Head: request, Body: in})
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	random := rand.New(rand.NewPCG(1, 2))
	alphabet := []byte("\x1b\x1b$B(JI@aZ~\\09\x80\x81\x84\x8e\x8f\xa1\xa4\xb0\xe0\xfc\xfe\xff")
	for _, name := range []string{"gb18030", "big5", "euc-kr", "shift_jis", "euc-jp", "iso-2022-jp", "windows-1253", "iso-8859-8-i", "x-user-defined"} {
		for range 300 {
			in := make([]byte, 12)
			for i := range in {
				in[i] = alphabet[random.IntN(len(alphabet))]
			}
			want := decode(legacyRequest{Encoding: name}, in).Text
			for split := range len(in) + 1 {
				head := decode(legacyRequest{Encoding: name, More: true}, in[:split])
				rest := in[split-head.Keep:]
				if got := head.Text + decode(legacyRequest{Encoding: name, Mode: head.Mode}, rest).Text; got != want {
					t.Fatalf("%s: %x cut at %d is %q, want %q", name, in, split, got, want)
				}
				if head.Keep > 3 {
					t.Fatalf("%s: %x cut at %d keeps %d bytes", name, in, split, head.Keep)
				}
			}
		}
	}
}

func TestLegacyDeviations(t *testing.T) {
	for _, c := range []struct{ encoding, in, want string }{
		{"gbk", "\xa3\xa0\xfe\x51\xaa\xa1\xfe\xfe\xa1\x40\xa7\xa0", "\u3000\U00020087\ue000\ue4c5\ue4c6\ue765"},
		{"gb18030", "\x81\x35\xf4\x37\x84\x31\xa4\x39\xa8\xbc\x90\x30\x81\x30", "\ue7c7\uffff\u1e3f\U00010000"},
		{"big5", "\x88\x62\x88\xa5", "\u00ca\u0304\u00ea\u030c"},
		{"shift_jis", "\x80\xf0\x40\xf9\xfc\xb1\x81A", "\u0080\ue000\ue757\uff71\u3001"},
		{"windows-1253", "\x81\xaa", "\u0081\ufffd"},
	} {
		got, err := decodeLegacy(t.Context(), quickjs.Message[legacyRequest]{Head: legacyRequest{Encoding: c.encoding}, Body: []byte(c.in)})
		if err != nil || got.Text != c.want {
			t.Errorf("%s: %x is %+q, want %+q (%v)", c.encoding, c.in, got.Text, c.want, err)
		}
	}
}
