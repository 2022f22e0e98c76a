package stream

import "bytes"

// maxHeld is how much of an incomplete event Copy holds back, in bytes.
const maxHeld = 64 << 10

// frames cuts an event stream where a client has seen whole events only: after a
// blank line, or after a comment between two events. There other events can be
// inserted and the stream can end without an event that looks complete but is not.
type frames struct {
	held    []byte // of the event that is not complete
	partial bool   // it was too large to hold: some of it was passed on
	begun   bool   // past a byte order mark

	inLine  bool
	comment bool // this line is one
	fields  bool // the event has a line that is none
	afterCR bool // a LF that follows belongs to the line before
}

// add takes what the source gave and returns what may be sent. It owns chunk. A
// byte order mark is left out, as it is none once anything precedes it.
func (f *frames) add(chunk []byte) []byte {
	if !f.begun {
		chunk = append(f.held, chunk...)
		if f.held = nil; len(chunk) < len(byteOrderMark) && bytes.HasPrefix(byteOrderMark, chunk) {
			f.held = chunk
			return nil
		}
		chunk, f.begun = bytes.TrimPrefix(chunk, byteOrderMark), true
	}
	end := f.scan(chunk)
	if end == 0 && !f.partial && len(f.held)+len(chunk) <= maxHeld {
		f.held = append(f.held, chunk...)
		return nil
	}
	out, rest := chunk[:end], chunk[end:]
	if end > 0 {
		f.partial = false
	}
	if f.partial || len(rest) > maxHeld || end == 0 {
		out, rest, f.partial = chunk, nil, true
	}
	if len(f.held) > 0 {
		out = append(f.held, out...)
	}
	f.held = bytes.Clone(rest)
	return out
}

// rest is what is left at the end of the source.
func (f *frames) rest() []byte { return f.held }

// scan returns the length of the part of p after which no event is incomplete.
func (f *frames) scan(p []byte) (end int) {
	for i := 0; i < len(p); {
		c := p[i]
		switch {
		case f.afterCR && c == '\n':
			f.afterCR = false
			if i++; !f.fields {
				end = i
			}
			continue
		case f.inLine:
			n := lineEnd(p[i:])
			if n < 0 {
				return end
			}
			i += n
			c, f.inLine = p[i], false
		case c == '\n' || c == '\r':
			f.fields = false
		default:
			f.inLine, f.afterCR, f.comment = true, false, c == ':'
			f.fields = f.fields || !f.comment
			i++
			continue
		}
		f.afterCR = c == '\r'
		if i++; !f.fields {
			end = i
		}
	}
	return end
}
