package loader

import "errors"

// checkpointLines is how many generated lines share a checkpoint.
const checkpointLines = 64

var errMappings = errors.New("the mappings are malformed")

// position is a place in an original source, all counted from 0; columns in UTF-16 code units.
type position struct {
	source, line, column int
}

// mappings decodes the field "mappings" of a source map on demand
// (https://tc39.es/ecma426/#sec-mappings). A position is relative to the one
// before it, across lines; the state at the start of every 64th line is kept.
type mappings struct {
	text        []byte
	checkpoints []checkpoint
}

type checkpoint struct {
	offset int
	state  position
}

// digits maps a base64 character to its value, others to 255.
var digits = func() (table [256]uint8) {
	for i := range table {
		table[i] = 255
	}
	for i, c := range []byte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/") {
		table[c] = uint8(i)
	}
	return table
}()

// newMappings reads all of text once. It keeps text.
func newMappings(text []byte) (*mappings, error) {
	m := &mappings{text: text, checkpoints: []checkpoint{{}}}
	d := decoder{text: text}
	for line := 1; d.skipLine(); line++ {
		if line%checkpointLines == 0 {
			m.checkpoints = append(m.checkpoints, checkpoint{d.offset, d.state})
		}
	}
	return m, d.err
}

// find returns the original position of a generated line and column, counted from
// 0: of the last mapping at or before the column, else of the first one of the line.
func (m *mappings) find(line, column int) (position, bool) {
	at := line / checkpointLines
	if line < 0 || at >= len(m.checkpoints) {
		return position{}, false
	}
	d := decoder{text: m.text, offset: m.checkpoints[at].offset, state: m.checkpoints[at].state}
	for range line % checkpointLines {
		if !d.skipLine() {
			return position{}, false
		}
	}
	var best position
	found := false
	for d.more() {
		generated, mapped := d.segment()
		if generated > column && found {
			break
		}
		if mapped {
			best, found = d.state, true
		} else if generated <= column {
			found = false
		}
	}
	return best, found
}

// decoder walks over the mappings.
type decoder struct {
	text      []byte
	offset    int
	generated int
	state     position
	nameIndex int  // of the last segment with a name
	named     bool // the last segment has one
	err       error
}

// more reports whether the line has another segment.
func (d *decoder) more() bool {
	return d.err == nil && d.offset < len(d.text) && d.text[d.offset] != ';'
}

// skipLine goes to the start of the next line, if there is one.
func (d *decoder) skipLine() bool {
	for d.more() {
		d.segment()
	}
	if d.err != nil || d.offset >= len(d.text) {
		return false
	}
	d.offset++
	d.generated = 0
	return true
}

// segment reads a segment and the comma after it. mapped tells whether it has an original position.
func (d *decoder) segment() (generated int, mapped bool) {
	d.generated += d.number()
	d.named = false
	if d.inSegment() {
		d.state.source += d.number()
		d.state.line += d.number()
		d.state.column += d.number()
		mapped = true
		if d.named = d.inSegment(); d.named {
			d.nameIndex += d.number()
		}
	}
	if d.offset < len(d.text) && d.text[d.offset] == ',' {
		d.offset++
	}
	return d.generated, mapped
}

func (d *decoder) inSegment() bool {
	return d.more() && d.text[d.offset] != ','
}

func (d *decoder) number() int {
	value, shift := 0, 0
	for d.offset < len(d.text) {
		digit := digits[d.text[d.offset]]
		if digit == 255 || shift > 30 {
			break
		}
		d.offset++
		value |= int(digit&31) << shift
		if digit&32 == 0 {
			if value&1 != 0 {
				return -(value >> 1)
			}
			return value >> 1
		}
		shift += 5
	}
	d.err = errMappings
	d.offset = len(d.text)
	return 0
}
