package hostfn

import (
	"context"
	"unicode/utf8"

	"github.com/agentrt/agentrt/quickjs"
)

// RegisterEncoding adds the UTF-8 codec of https://encoding.spec.whatwg.org/#utf-8
// behind polyfill/encoding.ts. Loops over characters cost 0.1 us each in the
// engine, a call about 1 us and 15 ns a byte.
//
//	encoding.utf8.decode  head: fatal (boolean or nothing), bytes -> string
//	encoding.utf8.encode  head: string                            -> bytes
//	encoding.label        head: label in lower case               -> name of the encoding, "" if none
//	encoding.legacy       head: {encoding, fatal, more, mode}, bytes -> {text, keep, mode}
//
// legacy decodes the standard's other encodings; keep bytes at the end come first
// in the next call, which gets the mode.
//
// decode replaces each maximal ill-formed part by U+FFFD, keeps a byte order mark
// and throws a TypeError for ill-formed bytes if fatal. encode writes U+FFFD for
// lone surrogates. Sizes are bounded by the memory of the instance.
func RegisterEncoding(ops *quickjs.Ops) {
	quickjs.Sync(ops, "encoding.utf8.decode", func(_ context.Context, m quickjs.Message[bool]) (string, error) {
		if utf8.Valid(m.Body) {
			return string(m.Body), nil
		}
		if m.Head {
			return "", &quickjs.HostError{Name: "TypeError", Message: "The encoded data is not valid UTF-8"}
		}
		return string(replaceIllFormed(m.Body)), nil
	})
	quickjs.Sync(ops, "encoding.utf8.encode", func(_ context.Context, text string) ([]byte, error) {
		return []byte(text), nil
	})
	quickjs.Sync(ops, "encoding.label", label)
	quickjs.Sync(ops, "encoding.legacy", decodeLegacy)
}

// replaceIllFormed is the UTF-8 decoder of the Encoding Standard. Go's own
// conversion replaces every byte of an ill-formed part instead of the part.
func replaceIllFormed(p []byte) []byte {
	out := make([]byte, 0, len(p)+16)
	for len(p) > 0 {
		if r, n := utf8.DecodeRune(p); r != utf8.RuneError || n > 1 {
			out = append(out, p[:n]...)
			p = p[n:]
			continue
		}
		out = utf8.AppendRune(out, utf8.RuneError)
		p = p[illFormedPart(p):]
	}
	return out
}

// illFormedPart returns the length of the maximal part at the start of p, which
// begins no well-formed character: at least one byte.
func illFormedPart(p []byte) int {
	low, high, size := byte(0x80), byte(0xbf), 1
	switch c := p[0]; {
	case c >= 0xc2 && c <= 0xdf:
		size = 2
	case c >= 0xe0 && c <= 0xef:
		size = 3
	case c >= 0xf0 && c <= 0xf4:
		size = 4
	}
	switch p[0] {
	case 0xe0:
		low = 0xa0
	case 0xed:
		high = 0x9f
	case 0xf0:
		low = 0x90
	case 0xf4:
		high = 0x8f
	}
	n := 1
	for n < size && n < len(p) && p[n] >= low && p[n] <= high {
		low, high = 0x80, 0xbf
		n++
	}
	return n
}
