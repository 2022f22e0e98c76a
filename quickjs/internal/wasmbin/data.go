package wasmbin

import "fmt"

// DataSegment is an active data segment of memory 0.
type DataSegment struct {
	// Offset is the address in memory of the first byte.
	Offset uint32
	// Bytes is the initial content, aliasing the module.
	Bytes []byte
}

// DataSegments returns the data segments of a module in their order, none when
// there is no data section. A segment that is passive, belongs to another
// memory, or whose offset is not a single i32.const is an error, as is a
// malformed section. It does not check that segments fit the memory.
func DataSegments(module []byte) ([]DataSegment, error) {
	sections, err := Sections(module)
	if err != nil {
		return nil, err
	}
	for _, s := range sections {
		if s.ID == SectionData {
			segments, err := dataSegments(s.Cursor())
			if err != nil {
				return nil, fmt.Errorf("data section: %w", err)
			}
			return segments, nil
		}
	}
	return nil, nil
}

func dataSegments(c *Cursor) ([]DataSegment, error) {
	count, err := c.U32()
	if err != nil {
		return nil, err
	}
	var segments []DataSegment
	for i := range count {
		segment, err := dataSegment(c)
		if err != nil {
			return nil, fmt.Errorf("segment %d: %w", i, err)
		}
		segments = append(segments, segment)
	}
	if c.Len() > 0 {
		return nil, fmt.Errorf("offset %#x: %d bytes after the last segment", c.Offset(), c.Len())
	}
	return segments, nil
}

const (
	opEnd      = 0x0b
	opI32Const = 0x41
)

func dataSegment(c *Cursor) (DataSegment, error) {
	start := c.Offset()
	kind, err := c.U32()
	if err != nil {
		return DataSegment{}, err
	}
	switch kind {
	case 0:
	case 1:
		return DataSegment{}, fmt.Errorf("offset %#x: passive segments are not supported", start)
	case 2:
		memory, err := c.U32()
		if err != nil {
			return DataSegment{}, err
		}
		if memory != 0 {
			return DataSegment{}, fmt.Errorf("offset %#x: memory %d is not supported", start, memory)
		}
	default:
		return DataSegment{}, fmt.Errorf("offset %#x: unknown segment kind %d", start, kind)
	}
	offset, err := constOffset(c)
	if err != nil {
		return DataSegment{}, err
	}
	size, err := c.U32()
	if err != nil {
		return DataSegment{}, err
	}
	data, err := c.Bytes(size)
	if err != nil {
		return DataSegment{}, err
	}
	return DataSegment{Offset: offset, Bytes: data}, nil
}

func constOffset(c *Cursor) (uint32, error) {
	start := c.Offset()
	op, err := c.Byte()
	if err != nil {
		return 0, err
	}
	if op != opI32Const {
		return 0, fmt.Errorf("offset %#x: segment offset is not an i32.const", start)
	}
	v, err := c.S32()
	if err != nil {
		return 0, err
	}
	if op, err = c.Byte(); err != nil {
		return 0, err
	}
	if op != opEnd {
		return 0, fmt.Errorf("offset %#x: segment offset is not a single i32.const", start)
	}
	return uint32(v), nil
}
