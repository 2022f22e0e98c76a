package chunk

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// atoms cuts the blocks: prose into sentences, what is too long for a chunk into lines
// or groups of words.
func atoms(text string, blocks []block, size int) []atom {
	var all []atom
	for _, b := range blocks {
		first := len(all)
		switch {
		case b.level > 0 || b.whole:
			all = fit(all, text, b.start, b.end, size, lines)
		default:
			for start, end := range sentences(text, b.start, b.end) {
				all = fit(all, text, start, end, size, nil)
			}
		}
		for k := first; k < len(all); k++ {
			all[k].path, all[k].heading, all[k].first = b.path, b.level > 0, k == first
		}
	}
	for k := range all {
		next := all[k].end
		if k+1 < len(all) {
			next = all[k+1].start
		}
		all[k].cost = Tokens(text[all[k].start:next])
	}
	return all
}

type splitter func(text string, start, end int) func(yield func(start, end int) bool)

// fit appends the part without the white space around it; if it has more tokens than
// a chunk, in parts by split, and these by words.
func fit(all []atom, text string, start, end, size int, split splitter) []atom {
	start, end = trim(text, start, end)
	// White space behind an atom counts too: at most a few tokens.
	const space = 2
	switch {
	case start == end:
		return all
	case Tokens(text[start:end]) <= size-space:
		return append(all, atom{start: start, end: end})
	case split != nil:
		for s, e := range split(text, start, end) {
			all = fit(all, text, s, e, size, nil)
		}
		return all
	}
	// Small groups, so that some of them can be an overlap.
	most, n, from := max(size/16, 4), 0, start
	for at := start; at < end; {
		part := text[at:min(end, at+most*bytesPerToken)] // not all of an endless word
		length, tokens := piece(part)
		length, tokens = shorten(part, length, tokens, most)
		for k := 1; k < utf8.UTFMax && at+length < end && !utf8.RuneStart(text[at+length]); k++ {
			length++
		}
		if n+tokens > most && at > from {
			if s, e := trim(text, from, at); s < e {
				all = append(all, atom{start: s, end: e})
			}
			from, n = at, 0
		}
		n, at = n+tokens, at+length
	}
	if s, e := trim(text, from, end); s < e {
		all = append(all, atom{start: s, end: e})
	}
	return all
}

// bytesPerToken is at least what a token of a word, number or sign has.
const bytesPerToken = 8

// shorten cuts a piece of more than most tokens.
func shorten(text string, length, tokens, most int) (int, int) {
	if tokens <= most {
		return length, tokens
	}
	return max(length*most/tokens, 1), most
}

func trim(text string, start, end int) (int, int) {
	part := text[start:end]
	left := strings.TrimLeftFunc(part, unicode.IsSpace)
	return start + len(part) - len(left), start + len(part) - len(left) + len(strings.TrimRightFunc(left, unicode.IsSpace))
}

func lines(text string, start, end int) func(yield func(int, int) bool) {
	return func(yield func(int, int) bool) {
		for at := start; at < end; {
			next := min(lineEnd(text, at), end)
			if !yield(at, next) {
				return
			}
			at = next
		}
	}
}

// sentences end with . ! ? … and closing signs ahead of white space that is not
// followed by a small letter, or with one of 。！？.
func sentences(text string, start, end int) func(yield func(int, int) bool) {
	return func(yield func(int, int) bool) {
		from, ended := start, false
		for at := start; at < end; {
			r, size := utf8.DecodeRuneInString(text[at:end])
			at += size
			switch {
			case r == '。' || r == '！' || r == '？':
				if !yield(from, at) {
					return
				}
				from, ended = at, false
			case r == '.' || r == '!' || r == '?' || r == '…':
				ended = true
			case ended && strings.ContainsRune(`"'”’»)]*_`, r):
			case ended && unicode.IsSpace(r):
				rest := strings.TrimLeftFunc(text[at:end], unicode.IsSpace)
				if next, _ := utf8.DecodeRuneInString(rest); rest != "" && !unicode.IsLower(next) {
					if !yield(from, at) {
						return
					}
					from = at
				}
				ended = false
			default:
				ended = false
			}
		}
		if from < end {
			yield(from, end)
		}
	}
}
