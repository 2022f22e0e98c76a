package wasmbin

import (
	"fmt"
	"io"
	"math"
	"unicode/utf8"
)

// Cursor reads values from the front of a byte slice. It never reads past the
// end: a read that would, fails with an error wrapping io.ErrUnexpectedEOF.
// Every error names the offset in the module at which the value starts. After
// an error the position is unspecified.
type Cursor struct {
	data []byte
	base int
	pos  int
}

// NewCursor returns a cursor over data, which starts offset bytes into the
// module.
func NewCursor(data []byte, offset int) *Cursor {
	return &Cursor{data: data, base: offset}
}

// Offset returns the position of the next byte, in bytes from the start of the
// module.
func (c *Cursor) Offset() int { return c.base + c.pos }

// Len returns the number of bytes left.
func (c *Cursor) Len() int { return len(c.data) - c.pos }

// Byte reads one byte.
func (c *Cursor) Byte() (byte, error) {
	if c.Len() == 0 {
		return 0, fmt.Errorf("offset %#x: read byte: %w", c.Offset(), io.ErrUnexpectedEOF)
	}
	b := c.data[c.pos]
	c.pos++
	return b, nil
}

// Bytes reads n bytes. The result aliases the underlying slice.
func (c *Cursor) Bytes(n uint32) ([]byte, error) {
	if uint64(n) > uint64(c.Len()) {
		return nil, fmt.Errorf("offset %#x: read %d bytes, %d left: %w", c.Offset(), n, c.Len(), io.ErrUnexpectedEOF)
	}
	end := c.pos + int(n)
	b := c.data[c.pos:end:end]
	c.pos = end
	return b, nil
}

// Name reads a length-prefixed UTF-8 string.
func (c *Cursor) Name() (string, error) {
	offset := c.Offset()
	n, err := c.U32()
	if err != nil {
		return "", err
	}
	b, err := c.Bytes(n)
	if err != nil {
		return "", err
	}
	if !utf8.Valid(b) {
		return "", fmt.Errorf("offset %#x: name is not valid UTF-8", offset)
	}
	return string(b), nil
}

// U32 reads an unsigned LEB128 integer of at most 32 bits and 5 bytes.
func (c *Cursor) U32() (uint32, error) {
	offset := c.Offset()
	var v uint64
	for shift := 0; shift < 35; shift += 7 {
		b, err := c.Byte()
		if err != nil {
			return 0, err
		}
		v |= uint64(b&0x7f) << shift
		if b&0x80 != 0 {
			continue
		}
		if v > math.MaxUint32 {
			break
		}
		return uint32(v), nil
	}
	return 0, fmt.Errorf("offset %#x: integer does not fit 32 unsigned bits", offset)
}

// S32 reads a signed LEB128 integer of at most 32 bits and 5 bytes.
func (c *Cursor) S32() (int32, error) {
	v, err := c.signed(32)
	return int32(v), err
}

// S33 reads a signed LEB128 integer of at most 33 bits and 5 bytes, the
// encoding of block types.
func (c *Cursor) S33() (int64, error) { return c.signed(33) }

// SkipS64 skips a signed LEB128 integer of at most 64 bits and 10 bytes.
func (c *Cursor) SkipS64() error {
	_, err := c.signed(64)
	return err
}

func (c *Cursor) signed(bits int) (int64, error) {
	offset := c.Offset()
	var v int64
	for shift := 0; ; shift += 7 {
		b, err := c.Byte()
		if err != nil {
			return 0, err
		}
		group := int64(int8(b<<1) >> 1)
		if left := bits - shift; left < 7 {
			// The unused bits of the last byte must repeat the sign bit.
			sign := group >> (left - 1)
			if b&0x80 != 0 || sign != 0 && sign != -1 {
				return 0, fmt.Errorf("offset %#x: integer does not fit %d signed bits", offset, bits)
			}
		}
		if b&0x80 == 0 {
			return v | group<<shift, nil
		}
		v |= int64(b&0x7f) << shift
	}
}

// AppendU32 appends v to dst as the shortest unsigned LEB128.
func AppendU32(dst []byte, v uint32) []byte {
	for v >= 0x80 {
		dst = append(dst, byte(v)|0x80)
		v >>= 7
	}
	return append(dst, byte(v))
}

// AppendS32 appends v to dst as the shortest signed LEB128.
func AppendS32(dst []byte, v int32) []byte {
	for v < -0x40 || v >= 0x40 {
		dst = append(dst, byte(v)|0x80)
		v >>= 7
	}
	return append(dst, byte(v)&0x7f)
}
