package hostfn

import (
	"context"
	"strings"
	"sync"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/korean"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/traditionalchinese"

	"github.com/agentrt/agentrt/quickjs"
)

// legacyRequest asks for the text of bytes in an encoding of the standard other
// than UTF-8 and UTF-16.
type legacyRequest struct {
	Encoding string
	Fatal    bool
	// More says that further bytes follow.
	More bool
	// Mode is what the previous call returned; 0 at the start.
	Mode int
}

type legacyText struct {
	Text string `json:"text"`
	// Keep is how many bytes at the end begin a character that further bytes may
	// complete: at most 3.
	Keep int `json:"keep"`
	Mode int `json:"mode"`
}

// label returns the name of the encoding that a label stands for, in lower case,
// or "" if none.
func label(_ context.Context, name string) (string, error) {
	e, err := htmlindex.Get(name)
	// Get drops white space that the standard keeps.
	if err != nil || strings.TrimSpace(name) != name {
		return "", nil
	}
	return htmlindex.Name(e)
}

func decodeLegacy(_ context.Context, m quickjs.Message[legacyRequest]) (legacyText, error) {
	d := &legacyDecoder{in: m.Body, out: make([]byte, 0, len(m.Body)*2), more: m.Head.More, mode: m.Head.Mode}
	switch m.Head.Encoding {
	case "gbk", "gb18030":
		d.gb18030()
	case "big5":
		d.pairs(big5)
	case "euc-kr":
		d.pairs(eucKR)
	case "shift_jis":
		d.pairs(shiftJIS)
	case "euc-jp":
		d.eucJP()
	case "iso-2022-jp":
		d.iso2022JP()
	default:
		e, err := htmlindex.Get(m.Head.Encoding)
		table, ok := e.(*charmap.Charmap)
		if m.Head.Encoding == "iso-8859-8-i" {
			table, ok = charmap.ISO8859_8, true
		}
		if err != nil || !ok {
			return legacyText{}, &quickjs.HostError{Name: "RangeError", Message: "The encoding " + m.Head.Encoding + " is not supported"}
		}
		d.singleByte(table)
	}
	if m.Head.Fatal && d.malformed {
		return legacyText{}, &quickjs.HostError{Name: "TypeError", Message: "The encoded data is not valid " + m.Head.Encoding}
	}
	return legacyText{Text: string(d.out), Keep: len(d.in) - d.at, Mode: d.mode}, nil
}

// legacyDecoder runs the decoders of https://encoding.spec.whatwg.org/#legacy-multi-byte-chinese-(simplified)
// and the sections after it. The tables come from x/text, whose decoders cannot
// be used themselves: they consume other bytes with an error than the standard.
type legacyDecoder struct {
	in   []byte
	at   int
	out  []byte
	more bool
	// mode is the state of ISO-2022-JP.
	mode      int
	malformed bool
}

func (d *legacyDecoder) put(r rune) { d.out = utf8.AppendRune(d.out, r) }

func (d *legacyDecoder) error() {
	d.malformed = true
	d.put(utf8.RuneError)
}

// incomplete tells whether the n bytes from here are not all there. At the end
// of the input it has then consumed what is there as one error.
func (d *legacyDecoder) incomplete(n int) bool {
	if d.at+n <= len(d.in) {
		return false
	}
	if !d.more {
		d.at = len(d.in)
		d.error()
	}
	return true
}

func (d *legacyDecoder) singleByte(table *charmap.Charmap) {
	for ; d.at < len(d.in); d.at++ {
		b := d.in[d.at]
		switch r := table.DecodeByte(b); {
		case r != utf8.RuneError:
			d.put(r)
		case b < 0xa0:
			// Where x/text has nothing, the standard has control characters.
			d.put(rune(b))
		default:
			d.error()
		}
	}
}

// doubleByte is an encoding whose characters are ASCII, single bytes, or a lead
// and a trail byte.
type doubleByte struct {
	single func(byte) rune
	lead   func(byte) bool
	char   func(lead, trail byte) rune
	second func(lead, trail byte) rune
}

func noSingle(byte) rune { return utf8.RuneError }

func commonLead(b byte) bool { return b >= 0x81 && b <= 0xfe }

var (
	eucKR = doubleByte{single: noSingle, lead: commonLead, char: pairTable(korean.EUCKR)}
	big5  = doubleByte{single: noSingle, lead: commonLead, char: pairTable(traditionalchinese.Big5), second: big5Second}

	shiftJIS = doubleByte{
		single: func(b byte) rune {
			switch {
			case b == 0x80:
				return 0x80
			case b >= 0xa1 && b <= 0xdf:
				return 0xff61 - 0xa1 + rune(b)
			}
			return utf8.RuneError
		},
		lead: func(b byte) bool { return b >= 0x81 && b <= 0x9f || b >= 0xe0 && b <= 0xfc },
		char: shiftJISChar,
	}
	shiftJISTable = pairTable(japanese.ShiftJIS)
	jis0208       = pairTable(japanese.EUCJP)
	jis0212       = pairTable(japanese.EUCJP, 0x8f)
	gbkTable      = pairTable(simplifiedchinese.GB18030)
)

// shiftJISChar adds the private use area of lead bytes 0xF0 to 0xF9.
func shiftJISChar(lead, trail byte) rune {
	if lead >= 0xf0 && lead <= 0xf9 && trail >= 0x40 && trail <= 0xfc && trail != 0x7f {
		n := rune(trail) - 0x40
		if trail > 0x7f {
			n--
		}
		return 0xe000 + (rune(lead)-0xf0)*188 + n
	}
	return shiftJISTable(lead, trail)
}

// big5Second returns the combining mark of the four characters that have one.
func big5Second(lead, trail byte) rune {
	if lead == 0x88 {
		switch trail {
		case 0x62, 0xa3:
			return 0x304
		case 0x64, 0xa5:
			return 0x30c
		}
	}
	return 0
}

// pairTable returns a lookup of the characters that the encoding has for two
// bytes after prefix; 0 for none. The table is made when first used (some ms).
func pairTable(e encoding.Encoding, prefix ...byte) func(lead, trail byte) rune {
	table := sync.OnceValue(func() *[0x10000]rune {
		t := new([0x10000]rune)
		decoder := e.NewDecoder()
		in := append(append([]byte{}, prefix...), 0, 0)
		pair := in[len(prefix):]
		out := make([]byte, 32)
		for lead := 0x81; lead <= 0xfe; lead++ {
			for trail := 0x40; trail <= 0xfe; trail++ {
				pair[0], pair[1] = byte(lead), byte(trail)
				decoder.Reset()
				n, _, err := decoder.Transform(out, in, true)
				r, size := utf8.DecodeRune(out[:n])
				if err == nil && r != utf8.RuneError && (size == n || e == traditionalchinese.Big5 && big5Second(pair[0], pair[1]) != 0) {
					t[lead<<8|trail] = r
				}
			}
		}
		return t
	})
	return func(lead, trail byte) rune { return table()[int(lead)<<8|int(trail)] }
}

func (d *legacyDecoder) pairs(e doubleByte) {
	for d.at < len(d.in) {
		b := d.in[d.at]
		switch {
		case b < 0x80:
			d.put(rune(b))
			d.at++
		case !e.lead(b):
			if r := e.single(b); r != utf8.RuneError {
				d.put(r)
			} else {
				d.error()
			}
			d.at++
		case d.incomplete(2):
			return
		default:
			trail := d.in[d.at+1]
			d.pair(e.char(b, trail), trail)
			if e.second != nil && e.second(b, trail) != 0 {
				d.put(e.second(b, trail))
			}
		}
	}
}

// pair consumes two bytes that stand for r; if r is 0 they are an error, which
// leaves a trail byte that is ASCII.
func (d *legacyDecoder) pair(r rune, trail byte) {
	d.at += 2
	switch {
	case r != 0:
		d.put(r)
	case trail < 0x80:
		d.at--
		d.error()
	default:
		d.error()
	}
}

// eucJP is https://encoding.spec.whatwg.org/#euc-jp-decoder
func (d *legacyDecoder) eucJP() {
	high := func(b byte) bool { return b >= 0xa1 && b <= 0xfe }
	for d.at < len(d.in) {
		b := d.in[d.at]
		switch {
		case b < 0x80:
			d.put(rune(b))
			d.at++
			continue
		case b != 0x8e && b != 0x8f && !high(b):
			d.error()
			d.at++
			continue
		case d.incomplete(2):
			return
		}
		trail := d.in[d.at+1]
		switch {
		case b == 0x8e && trail >= 0xa1 && trail <= 0xdf:
			d.pair(0xff61-0xa1+rune(trail), trail)
		case b == 0x8f && high(trail):
			if d.incomplete(3) {
				return
			}
			d.at++
			third := d.in[d.at+1]
			var r rune
			if high(third) {
				r = jis0212(trail, third)
			}
			d.pair(r, third)
		case high(b) && high(trail):
			d.pair(jis0208(b, trail), trail)
		default:
			d.pair(0, trail)
		}
	}
}

// gb18030 is https://encoding.spec.whatwg.org/#gb18030-decoder
func (d *legacyDecoder) gb18030() {
	digit := func(b byte) bool { return b >= 0x30 && b <= 0x39 }
	for d.at < len(d.in) {
		b := d.in[d.at]
		switch {
		case b < 0x80:
			d.put(rune(b))
			d.at++
			continue
		case b == 0x80:
			d.put(0x20ac)
			d.at++
			continue
		case b == 0xff:
			d.error()
			d.at++
			continue
		case d.incomplete(2):
			return
		}
		second := d.in[d.at+1]
		if !digit(second) {
			d.pair(gbkChar(b, second), second)
			continue
		}
		if d.incomplete(3) {
			return
		}
		third := d.in[d.at+2]
		if third < 0x81 || third == 0xff {
			d.error()
			d.at++
			continue
		}
		if d.incomplete(4) {
			return
		}
		fourth := d.in[d.at+3]
		if !digit(fourth) {
			d.error()
			d.at++
			continue
		}
		d.at += 4
		pointer := ((rune(b)-0x81)*10+rune(second)-0x30)*1260 + (rune(third)-0x81)*10 + rune(fourth) - 0x30
		if r := gb18030Range(pointer, d.in[d.at-4:d.at]); r != 0 {
			d.put(r)
		} else {
			d.error()
		}
	}
}

// gbkRuns are what x/text lacks of https://encoding.spec.whatwg.org/index-gb18030.txt:
// private use, characters above U+FFFF and GB18030-2022. Consecutive bytes of one
// lead byte stand for consecutive characters.
var gbkRuns = []struct {
	first, last uint16
	char        rune
}{
	{0xa2ab, 0xa2b0, 0xe766}, {0xa2e4, 0xa2e4, 0xe76d}, {0xa2ef, 0xa2f0, 0xe76e}, {0xa2fd, 0xa2fe, 0xe770},
	{0xa4f4, 0xa4fe, 0xe772}, {0xa5f7, 0xa5fe, 0xe77d}, {0xa6b9, 0xa6c0, 0xe785}, {0xa6f6, 0xa6fe, 0xe797},
	{0xa7c2, 0xa7d0, 0xe7a0}, {0xa7f2, 0xa7fe, 0xe7af}, {0xa896, 0xa8a0, 0xe7bc}, {0xa8c1, 0xa8c4, 0xe7c9},
	{0xa8ea, 0xa8fe, 0xe7cd}, {0xa958, 0xa958, 0xe7e2}, {0xa95b, 0xa95b, 0xe7e3}, {0xa95d, 0xa95f, 0xe7e4},
	{0xa997, 0xa9a3, 0xe7f4}, {0xa9f0, 0xa9fe, 0xe801}, {0xd7fa, 0xd7fe, 0xe810},
	{0xfe51, 0xfe51, 0x20087}, {0xfe52, 0xfe52, 0x20089}, {0xfe53, 0xfe53, 0x200cc},
	{0xfe6c, 0xfe6c, 0x215d7}, {0xfe76, 0xfe76, 0x2298f}, {0xfe91, 0xfe91, 0x241fe},
	{0xa6d9, 0xa6d9, 0xfe10}, {0xa6da, 0xa6da, 0xfe12}, {0xa6db, 0xa6db, 0xfe11}, {0xa6dc, 0xa6df, 0xfe13},
	{0xa6ec, 0xa6ed, 0xfe17}, {0xa6f3, 0xa6f3, 0xfe19}, {0xa8bc, 0xa8bc, 0x1e3f},
	{0xfe59, 0xfe59, 0x9fb4}, {0xfe61, 0xfe61, 0x9fb5}, {0xfe66, 0xfe67, 0x9fb6}, {0xfe6d, 0xfe6d, 0x9fb8},
	{0xfe7e, 0xfe7e, 0x9fb9}, {0xfe90, 0xfe90, 0x9fba}, {0xfea0, 0xfea0, 0x9fbb},
}

func gbkChar(lead, trail byte) rune {
	if r := gbkTable(lead, trail); r != 0 {
		return r
	}
	// The three areas for the users' own characters.
	l, t := rune(lead), rune(trail)
	switch {
	case trail == 0x7f || trail == 0xff:
		return 0
	case l >= 0xaa && l <= 0xaf && t >= 0xa1:
		return 0xe000 + (l-0xaa)*94 + t - 0xa1
	case l >= 0xf8 && t >= 0xa1:
		return 0xe234 + (l-0xf8)*94 + t - 0xa1
	case l >= 0xa1 && l <= 0xa7 && t >= 0x40 && t <= 0xa0:
		if t > 0x7f {
			t--
		}
		return 0xe4c6 + (l-0xa1)*96 + t - 0x40
	}
	pair := uint16(lead)<<8 | uint16(trail)
	for _, run := range gbkRuns {
		if pair >= run.first && pair <= run.last {
			return run.char + rune(pair-run.first)
		}
	}
	return 0
}

// gb18030Range is https://encoding.spec.whatwg.org/#index-gb18030-ranges-code-point
func gb18030Range(pointer rune, four []byte) rune {
	switch {
	case pointer > 39419 && pointer < 189000 || pointer > 1237575:
		return 0
	case pointer == 7457:
		return 0xe7c7
	case pointer >= 189000:
		return 0x10000 + pointer - 189000
	}
	text, err := simplifiedchinese.GB18030.NewDecoder().Bytes(four)
	r, size := utf8.DecodeRune(text)
	if err != nil || size != len(text) || r == utf8.RuneError {
		return 0
	}
	return r
}

// The modes of ISO-2022-JP: where output is and, as a bit, the standard's
// "ISO-2022-JP output".
const (
	jpASCII = iota
	jpRoman
	jpKatakana
	jpDouble
	jpEscaped = 4
)

// iso2022JP is https://encoding.spec.whatwg.org/#iso-2022-jp-decoder
func (d *legacyDecoder) iso2022JP() {
	for d.at < len(d.in) {
		b, state := d.in[d.at], d.mode&^jpEscaped
		if b == 0x1b {
			if !d.escape(state) {
				return
			}
			continue
		}
		d.mode = state
		switch {
		case state == jpKatakana && b >= 0x21 && b <= 0x5f:
			d.put(0xff61 - 0x21 + rune(b))
		case state == jpRoman && b == 0x5c:
			d.put(0xa5)
		case state == jpRoman && b == 0x7e:
			d.put(0x203e)
		case state <= jpRoman && b < 0x80 && b != 0x0e && b != 0x0f:
			d.put(rune(b))
		case state == jpDouble && b >= 0x21 && b <= 0x7e:
			if d.incomplete(2) {
				return
			}
			trail := d.in[d.at+1]
			if trail == 0x1b {
				d.error()
				break
			}
			d.at++
			var r rune
			if trail >= 0x21 && trail <= 0x7e {
				r = jis0208(b|0x80, trail|0x80)
			}
			if r == 0 {
				d.error()
			} else {
				d.put(r)
			}
		default:
			d.error()
		}
		d.at++
	}
}

// escape consumes an escape sequence, or its first byte as an error; false if the
// rest has to be awaited.
func (d *legacyDecoder) escape(state int) bool {
	rest := d.in[d.at+1:]
	if d.more && (len(rest) == 0 || len(rest) == 1 && (rest[0] == '$' || rest[0] == '(')) {
		return false
	}
	next := -1
	if len(rest) >= 2 {
		switch string(rest[:2]) {
		case "(B":
			next = jpASCII
		case "(J":
			next = jpRoman
		case "(I":
			next = jpKatakana
		case "$@", "$B":
			next = jpDouble
		}
	}
	if next < 0 {
		d.mode = state
		d.at++
		d.error()
		return true
	}
	if d.mode&jpEscaped != 0 {
		d.error()
	}
	d.mode = next | jpEscaped
	d.at += 3
	return true
}
