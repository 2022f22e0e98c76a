package hashing

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"math"
	"strings"
	"testing"
)

func TestParaphrasesAreNearerThanUnrelatedTexts(t *testing.T) {
	cases := []struct{ text, near, far string }{
		{"How do I reset my password?", "Resetting the password of your account", "The opening hours of the museum are nine to five"},
		{"What does the cat eat?", "Cats eat fish and mice.", "The stock market fell by two per cent."},
		{"refund policy for broken goods", "Broken goods: our refund policy", "shipping times to Norway"},
		{"Wie hoch ist der Eiffelturm?", "Der Eiffelturm ist 330 Meter hoch.", "Das Museum öffnet um neun Uhr."},
		{"東京の天気は?", "今日の東京の天気は晴れです", "パスワードを変更する方法"},
		{"Когда открывается музей?", "Музей открывается в девять часов", "Как сменить пароль"},
	}
	for _, dim := range []int{256, 1536} {
		e := New(dim)
		for _, c := range cases {
			v := e.Embed(c.text)
			near, far := Cosine(v, e.Embed(c.near)), Cosine(v, e.Embed(c.far))
			if near < far+0.15 {
				t.Errorf("dim %d %q: near %.3f, far %.3f", dim, c.text, near, far)
			}
		}
	}
}

func TestOrderOfWordsCounts(t *testing.T) {
	e := New(0)
	v := e.Embed("dog bites man")
	if same, other := Cosine(v, e.Embed("Dog bites man!")), Cosine(v, e.Embed("man bites dog")); same < 0.9999 || other > 0.99 {
		t.Errorf("same words %.4f, other order %.4f", same, other)
	}
}

func TestUnitNormOfEveryText(t *testing.T) {
	texts := []string{"", " \n\t", "?!", "a", "the", "naïve café", "👩‍👩‍👧 family", "\xff\xfe broken", "ไทย", strings.Repeat("long ", 50000), strings.Repeat("x", 100000)}
	for _, dim := range []int{1, 2, 256, 3072} {
		e := New(dim)
		for _, text := range texts {
			v := e.Embed(text)
			if len(v) != dim {
				t.Fatalf("length %d, want %d", len(v), dim)
			}
			if norm := math.Sqrt(Cosine(v, v)); math.Abs(norm-1) > 1e-5 {
				t.Errorf("dim %d %.20q: norm %v", dim, text, norm)
			}
		}
	}
}

func TestTextWithoutWordsIsTheFirstUnitVector(t *testing.T) {
	for _, text := range []string{"", "  ", "…!"} {
		v := New(8).Embed(text)
		if v[0] != 1 || Cosine(v, v) != 1 {
			t.Errorf("%q: %v", text, v)
		}
	}
}

func TestVectorsNeverChange(t *testing.T) {
	h := sha256.New()
	for _, v := range New(64).Embed("Stored vectors outlive the program: Grüße, 東京 42") {
		_ = binary.Write(h, binary.LittleEndian, math.Float32bits(v))
	}
	const want = "ef3e95fed0802afa"
	if got := hex.EncodeToString(h.Sum(nil)[:8]); got != want {
		t.Errorf("fingerprint %s, want %s: stored vectors no longer match", got, want)
	}
}

func TestNewRefusesDimensionsOutOfRange(t *testing.T) {
	for _, dim := range []int{-1, MaxDim + 1} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("New(%d) did not panic", dim)
				}
			}()
			New(dim)
		}()
	}
}

func BenchmarkEmbed(b *testing.B) {
	e, text := New(1536), strings.Repeat("The quick brown fox jumps over the lazy dog. ", 20)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		e.Embed(text)
	}
}
