package sqlitevec

import (
	"encoding/binary"
	"errors"
	"math"
)

const chunkSize = 1024

// emptyLength marks a slot without a vector.
const emptyLength = float32(-1)

// storedChunk is the codes of 1,024 slots as the database has them.
type storedChunk struct {
	size  int
	ids   [chunkSize]string
	codes []byte
}

func newStoredChunk(e *encoder) *storedChunk {
	c := &storedChunk{size: e.size(), codes: make([]byte, chunkSize*e.size())}
	for at := range c.ids {
		c.set(at, "", nil)
	}
	return c
}

// set sets a slot; a nil code empties it.
func (c *storedChunk) set(at int, id string, code []byte) {
	record := c.codes[at*c.size : (at+1)*c.size]
	c.ids[at] = id
	if len(code) == 0 {
		clear(record)
		binary.LittleEndian.PutUint32(record[c.size-4:], math.Float32bits(emptyLength))
		return
	}
	copy(record, code)
}

// idBytes are the ids, each after a byte with its length.
func (c *storedChunk) idBytes() []byte {
	var b []byte
	for _, id := range c.ids {
		b = append(append(b, byte(len(id))), id...)
	}
	return b
}

func (c *storedChunk) read(ids, codes []byte) error {
	if len(codes) != len(c.codes) {
		return errDamaged
	}
	copy(c.codes, codes)
	return splitIDs(&c.ids, ids)
}

var errDamaged = errors.New("the index is damaged: rebuild it")

// splitIDs makes the ids parts of one string.
func splitIDs(ids *[chunkSize]string, b []byte) error {
	text := string(b)
	for at := range ids {
		if len(text) == 0 || len(text) <= int(text[0]) {
			return errDamaged
		}
		n := 1 + int(text[0])
		ids[at], text = text[1:n], text[n:]
	}
	return nil
}

// chunk is the codes of 1,024 slots in memory.
type chunk struct {
	codes   []uint64
	lengths [chunkSize]float32
	ids     [chunkSize]string
}

func newChunk(words int) *chunk {
	c := &chunk{codes: make([]uint64, chunkSize*words)}
	for at := range c.lengths {
		c.lengths[at] = emptyLength
	}
	return c
}

// set takes a stored code; an empty one empties the slot.
func (c *chunk) set(at, words int, code []byte) {
	if len(code) == 0 {
		c.lengths[at] = emptyLength
		return
	}
	for j := range words {
		c.codes[at*words+j] = binary.LittleEndian.Uint64(code[8*j:])
	}
	c.lengths[at] = math.Float32frombits(binary.LittleEndian.Uint32(code[8*words:]))
}
