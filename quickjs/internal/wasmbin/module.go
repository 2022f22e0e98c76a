// Package wasmbin reads and writes the parts of the WebAssembly binary format
// (core specification 2.0, chapter 5) that quickjs and its build need. It
// checks the structure it walks through, not that the module is valid.
package wasmbin

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
)

// Section identifiers. In a module the non-custom sections appear at most once
// and in this order, except that SectionDataCount precedes SectionCode.
const (
	SectionCustom byte = iota
	SectionType
	SectionImport
	SectionFunction
	SectionTable
	SectionMemory
	SectionGlobal
	SectionExport
	SectionStart
	SectionElement
	SectionCode
	SectionData
	SectionDataCount
)

var header = []byte("\x00asm\x01\x00\x00\x00")

// Section is one section of a module.
type Section struct {
	// ID is one of the Section constants.
	ID byte
	// Body is the content after the size, aliasing the module.
	Body []byte
	// Offset is where Body starts, in bytes from the start of the module.
	Offset int
}

// Cursor returns a cursor at the start of the body.
func (s Section) Cursor() *Cursor { return NewCursor(s.Body, s.Offset) }

// Sections splits a module into its sections. It fails when the header is not
// that of a version 1 module, a section is truncated, or a non-custom section
// is unknown, repeated or out of order.
func Sections(module []byte) ([]Section, error) {
	if !bytes.HasPrefix(module, header) {
		return nil, errors.New("offset 0x0: not a WebAssembly version 1 module")
	}
	c := NewCursor(module[len(header):], len(header))
	var sections []Section
	var last int
	for c.Len() > 0 {
		offset := c.Offset()
		id, err := c.Byte()
		if err != nil {
			return nil, err
		}
		if id != SectionCustom {
			order := slices.Index(sectionOrder, id)
			if order < 0 {
				return nil, fmt.Errorf("offset %#x: unknown section %d", offset, id)
			}
			if order < last {
				return nil, fmt.Errorf("offset %#x: section %d is repeated or out of order", offset, id)
			}
			last = order + 1
		}
		size, err := c.U32()
		if err != nil {
			return nil, fmt.Errorf("section %d: %w", id, err)
		}
		start := c.Offset()
		body, err := c.Bytes(size)
		if err != nil {
			return nil, fmt.Errorf("section %d: %w", id, err)
		}
		sections = append(sections, Section{ID: id, Body: body, Offset: start})
	}
	return sections, nil
}

var sectionOrder = []byte{
	SectionType, SectionImport, SectionFunction, SectionTable, SectionMemory, SectionGlobal,
	SectionExport, SectionStart, SectionElement, SectionDataCount, SectionCode, SectionData,
}

// Encode writes a module of the given sections, in the given order. It ignores
// Section.Offset and encodes sizes in their shortest form, so it reverses
// Sections for every module whose section sizes are so encoded. A body must be
// smaller than 4 GiB.
func Encode(sections []Section) []byte {
	size := len(header)
	for _, s := range sections {
		size += 6 + len(s.Body)
	}
	module := append(make([]byte, 0, size), header...)
	for _, s := range sections {
		module = append(module, s.ID)
		module = AppendU32(module, uint32(len(s.Body)))
		module = append(module, s.Body...)
	}
	return module
}

// Without returns the sections that have none of ids. The rest may depend on
// what was dropped: memory.init and data.drop need SectionDataCount.
func Without(sections []Section, ids ...byte) []Section {
	return slices.DeleteFunc(slices.Clone(sections), func(s Section) bool { return slices.Contains(ids, s.ID) })
}

// EmptyFunctions replaces, in sections, every function body by a single
// unreachable. It fails when the number of functions is malformed.
func EmptyFunctions(sections []Section) error {
	for k, s := range sections {
		if s.ID != SectionCode {
			continue
		}
		count, err := s.Cursor().U32()
		if err != nil {
			return fmt.Errorf("code section: %w", err)
		}
		if uint64(count) > uint64(len(s.Body)) {
			return fmt.Errorf("code section: %d functions in %d bytes", count, len(s.Body))
		}
		// size 3, no locals, unreachable, end
		sections[k].Body = append(AppendU32(nil, count), bytes.Repeat([]byte{3, 0, 0x00, 0x0b}, int(count))...)
	}
	return nil
}
