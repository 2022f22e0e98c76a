// Package hashing embeds texts without a model: words, pairs of words and
// character trigrams are hashed into the dimensions of a vector (feature
// hashing, https://arxiv.org/abs/0902.2206), so texts that share words, word
// order or word stems are near each other by cosine similarity.
//
// It knows nothing of meaning: synonyms are far apart. It serves demonstrations,
// tests and offline use, where the same text must give the same vector on every
// machine and version.
//
// A text is lower-cased and split at everything that is neither a letter, a mark
// nor a digit. Scripts written without spaces (Han, Hiragana, Katakana, Thai) give
// one word a character. Function words such as "the" count a quarter.
package hashing

import (
	"fmt"
	"math"
	"unicode"
	"unicode/utf8"
)

// Limits of the number of dimensions.
const (
	DefaultDim = 256
	MaxDim     = 65536
)

const (
	wordWeight     = 1.0
	pairWeight     = 0.5
	trigramWeight  = 0.3
	functionWeight = 0.25
)

// Embedder turns texts into vectors of one length. It is immutable and safe for
// concurrent use.
type Embedder struct{ dim int }

// New returns an Embedder of dim dimensions; 0 means DefaultDim. It panics if dim
// is negative or above MaxDim.
func New(dim int) *Embedder {
	if dim == 0 {
		dim = DefaultDim
	}
	if dim < 0 || dim > MaxDim {
		panic(fmt.Sprintf("hashing: %d dimensions, want 1 to %d", dim, MaxDim))
	}
	return &Embedder{dim: dim}
}

// Dim is the length of the vectors.
func (e *Embedder) Dim() int { return e.dim }

// Embed returns the vector of the text, of Euclidean length 1. A text without a
// letter or digit gives the first unit vector (1, 0, 0, …), so that cosine
// similarity is defined for every result. The time is linear in the text.
func (e *Embedder) Embed(text string) []float32 {
	sum := make([]float64, e.dim)
	s := splitter{text: text}
	var word, previous []byte
	var previousWeight float64
	for {
		word = s.next(word[:0])
		if len(word) == 0 {
			break
		}
		weight := wordWeight
		if functionWords[string(word)] {
			weight = functionWeight
		}
		h := hashBytes(seedWord, word)
		e.add(sum, h, weight)
		if len(previous) > 0 {
			pair := hashBytes(hashBytes(seedPair, previous)^separator, word)
			e.add(sum, pair, float64(pairWeight*min(weight, previousWeight)))
		}
		e.trigrams(sum, word, weight)
		previous, word = append(previous[:0], word...), word[:0]
		previousWeight = weight
	}
	return normalise(sum)
}

// trigrams adds the character trigrams of ^word$, each a share of the word's weight.
func (e *Embedder) trigrams(sum []float64, word []byte, weight float64) {
	n := utf8.RuneCount(word)
	if n < 3 {
		return
	}
	share := trigramWeight * weight / math.Sqrt(float64(n))
	a, b := rune('^'), rune(0)
	for i := 0; i <= len(word); {
		c, size := rune('$'), 1
		if i < len(word) {
			c, size = utf8.DecodeRune(word[i:])
		}
		i += size
		if b != 0 {
			e.add(sum, hashRunes(seedTrigram, a, b, c), share)
			a = b
		}
		b = c
	}
}

// add, like normalise, converts products explicitly: a fused multiply-add would give
// other bits on some processors.
func (e *Embedder) add(sum []float64, h uint64, weight float64) {
	h = mix(h)
	if h>>63 == 1 {
		weight = -weight
	}
	sum[(h&(1<<32-1))*uint64(e.dim)>>32] += weight
}

func normalise(sum []float64) []float32 {
	var squares float64
	for _, v := range sum {
		squares += float64(v * v)
	}
	out := make([]float32, len(sum))
	if squares < 1e-18 {
		out[0] = 1
		return out
	}
	scale := 1 / math.Sqrt(squares)
	for i, v := range sum {
		out[i] = float32(v * scale)
	}
	return out
}

// Cosine is the cosine similarity of two vectors of Embed: their dot product.
// Vectors of different lengths give 0.
func Cosine(a, b []float32) float64 {
	if len(a) != len(b) {
		return 0
	}
	var dot float64
	for i := range a {
		dot += float64(a[i]) * float64(b[i])
	}
	return dot
}

// splitter yields the lower-cased words of a text.
type splitter struct {
	text string
	at   int
}

// next appends the next word to buf; nothing appended means the end. Words above
// 256 bytes are cut into pieces.
func (s *splitter) next(buf []byte) []byte {
	for s.at < len(s.text) {
		r, size := utf8.DecodeRuneInString(s.text[s.at:])
		alone := unspaced(r)
		switch {
		case !alone && !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.Is(unicode.M, r):
			s.at += size
			if len(buf) > 0 {
				return buf
			}
			continue
		case len(buf) > 0 && (alone || len(buf) > 256):
			return buf
		}
		s.at += size
		buf = utf8.AppendRune(buf, unicode.ToLower(r))
		if alone {
			return buf
		}
	}
	return buf
}

func unspaced(r rune) bool {
	return r >= 0x0E00 && unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Thai)
}

const (
	seedWord    = 14695981039346656037
	seedPair    = 7809847782465536322
	seedTrigram = 12638153115695167455
	separator   = 0xff51afd7ed558ccd
	prime       = 1099511628211
)

// hashBytes is FNV-1a from a seed of our choice.
func hashBytes(h uint64, b []byte) uint64 {
	for _, c := range b {
		h = (h ^ uint64(c)) * prime
	}
	return h
}

func hashRunes(h uint64, runes ...rune) uint64 {
	for _, r := range runes {
		h = (h ^ uint64(r)) * prime
	}
	return h
}

// mix spreads the entropy of h over all bits, as FNV's high bits are weak.
func mix(h uint64) uint64 {
	h ^= h >> 32
	h *= 0xd6e8feb86659fd93
	h ^= h >> 32
	h *= 0xd6e8feb86659fd93
	return h ^ h>>32
}
