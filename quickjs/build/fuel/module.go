package main

import (
	"errors"
	"fmt"
	"slices"

	"github.com/agentrt/agentrt/quickjs/internal/wasmbin"
)

// moduleInfo is what the rewrite needs to know about a module.
type moduleInfo struct {
	opts Options

	types     []funcType
	functions []uint32 // type index of each defined function

	importedFunctions uint32
	importedGlobals   uint32
	globals           vector
	hasGlobals        bool
	exports           vector

	tick            uint32 // function index
	hasTick         bool
	hasStackPointer bool
}

type funcType struct {
	params  uint32
	results []byte
}

// vector locates the entries of a section that is a vector.
type vector struct {
	count uint32
	start int // of the first entry, in bytes from the start of the body
}

// fuel returns the index of the global to add.
func (m *moduleInfo) fuel() uint32 { return m.importedGlobals + m.globals.count }

// External kinds of imports and exports.
const (
	kindFunction byte = iota
	kindTable
	kindMemory
	kindGlobal
)

const (
	typeI32       = 0x7f
	typeF64       = 0x7c
	typeV128      = 0x7b
	typeFuncref   = 0x70
	typeExternref = 0x6f
	typeFunction  = 0x60
)

func parse(sections []wasmbin.Section, opts Options) (*moduleInfo, error) {
	m := &moduleInfo{opts: opts}
	for _, s := range sections {
		var name string
		var err error
		switch s.ID {
		case wasmbin.SectionType:
			name = "type"
			_, err = eachEntry(s, m.parseType)
		case wasmbin.SectionImport:
			name = "import"
			_, err = eachEntry(s, m.parseImport)
		case wasmbin.SectionFunction:
			name = "function"
			_, err = eachEntry(s, m.parseFunction)
		case wasmbin.SectionGlobal:
			name = "global"
			m.hasGlobals = true
			m.globals, err = eachEntry(s, parseGlobal)
		case wasmbin.SectionExport:
			name = "export"
			m.exports, err = eachEntry(s, m.parseExport)
		}
		if err != nil {
			return nil, fmt.Errorf("%s section: %w", name, err)
		}
	}
	if !m.hasTick {
		return nil, fmt.Errorf("import section: no function %s.%s", opts.Module, opts.Tick)
	}
	if !m.hasStackPointer {
		return nil, fmt.Errorf("export section: no global %s", stackPointer)
	}
	return m, nil
}

// eachEntry calls parse for every entry of a section that is a vector, which
// must fill the section.
func eachEntry(s wasmbin.Section, parse func(*wasmbin.Cursor) error) (vector, error) {
	c := s.Cursor()
	count, err := c.U32()
	if err != nil {
		return vector{}, err
	}
	v := vector{count: count, start: c.Offset() - s.Offset}
	for i := range count {
		if err := parse(c); err != nil {
			return vector{}, fmt.Errorf("entry %d: %w", i, err)
		}
	}
	if c.Len() > 0 {
		return vector{}, fmt.Errorf("offset %#x: %d bytes after the last entry", c.Offset(), c.Len())
	}
	return v, nil
}

// appendEntry returns a copy of body, a section that is the vector v, with
// entry added at its end.
func appendEntry(body []byte, v vector, entry []byte) []byte {
	out := wasmbin.AppendU32(make([]byte, 0, len(body)+5+len(entry)), v.count+1)
	out = append(out, body[v.start:]...)
	return append(out, entry...)
}

func (m *moduleInfo) parseType(c *wasmbin.Cursor) error {
	offset := c.Offset()
	form, err := c.Byte()
	if err != nil {
		return err
	}
	if form != typeFunction {
		return fmt.Errorf("offset %#x: type %#x is not a function type", offset, form)
	}
	params, err := valueTypes(c)
	if err != nil {
		return err
	}
	results, err := valueTypes(c)
	if err != nil {
		return err
	}
	m.types = append(m.types, funcType{params: uint32(len(params)), results: results})
	return nil
}

func (m *moduleInfo) parseImport(c *wasmbin.Cursor) error {
	offset := c.Offset()
	module, err := c.Name()
	if err != nil {
		return err
	}
	name, err := c.Name()
	if err != nil {
		return err
	}
	kindOffset := c.Offset()
	kind, err := c.Byte()
	if err != nil {
		return err
	}
	isTick := module == m.opts.Module && name == m.opts.Tick
	if isTick && kind != kindFunction {
		return fmt.Errorf("offset %#x: %s.%s is not a function", offset, module, name)
	}
	switch kind {
	case kindFunction:
		typ, err := m.typeIndex(c)
		if err != nil {
			return err
		}
		if isTick {
			if t := m.types[typ]; t.params != 0 || !slices.Equal(t.results, []byte{typeI32}) {
				return fmt.Errorf("offset %#x: %s.%s does not have type () -> i32", offset, module, name)
			}
			m.tick, m.hasTick = m.importedFunctions, true
		}
		m.importedFunctions++
		return nil
	case kindTable:
		if err := skipValueType(c); err != nil {
			return err
		}
		return skipLimits(c)
	case kindMemory:
		return skipLimits(c)
	case kindGlobal:
		m.importedGlobals++
		return skipGlobalType(c)
	}
	return fmt.Errorf("offset %#x: unsupported import kind %d", kindOffset, kind)
}

func (m *moduleInfo) parseFunction(c *wasmbin.Cursor) error {
	typ, err := m.typeIndex(c)
	m.functions = append(m.functions, typ)
	return err
}

func (m *moduleInfo) typeIndex(c *wasmbin.Cursor) (uint32, error) {
	offset := c.Offset()
	i, err := c.U32()
	if err != nil {
		return 0, err
	}
	if uint64(i) >= uint64(len(m.types)) {
		return 0, fmt.Errorf("offset %#x: type %d is not defined", offset, i)
	}
	return i, nil
}

func parseGlobal(c *wasmbin.Cursor) error {
	if err := skipGlobalType(c); err != nil {
		return err
	}
	_, err := sites(c, 0)
	return err
}

func (m *moduleInfo) parseExport(c *wasmbin.Cursor) error {
	offset := c.Offset()
	name, err := c.Name()
	if err != nil {
		return err
	}
	kind, err := c.Byte()
	if err != nil {
		return err
	}
	switch {
	case name == m.opts.Fuel:
		return fmt.Errorf("offset %#x: %q is already exported, the module is already rewritten", offset, name)
	case name == stackPointer && kind == kindGlobal:
		m.hasStackPointer = true
	}
	return skipU32(c, 1)
}

func skipGlobalType(c *wasmbin.Cursor) error {
	if err := skipValueType(c); err != nil {
		return err
	}
	_, err := c.Byte() // mutability
	return err
}

func skipLimits(c *wasmbin.Cursor) error {
	offset := c.Offset()
	flags, err := c.Byte()
	if err != nil {
		return err
	}
	switch flags {
	case 0:
		return skipU32(c, 1)
	case 1:
		return skipU32(c, 2)
	}
	return fmt.Errorf("offset %#x: unsupported limits %#x (shared or 64-bit memory)", offset, flags)
}

func valueTypes(c *wasmbin.Cursor) ([]byte, error) {
	count, err := c.U32()
	if err != nil {
		return nil, err
	}
	var types []byte
	for range count {
		t, err := valueType(c)
		if err != nil {
			return nil, err
		}
		types = append(types, t)
	}
	return types, nil
}

func skipValueType(c *wasmbin.Cursor) error {
	_, err := valueType(c)
	return err
}

func valueType(c *wasmbin.Cursor) (byte, error) {
	offset := c.Offset()
	t, err := c.Byte()
	if err != nil {
		return 0, err
	}
	if !isValueType(t) {
		return 0, fmt.Errorf("offset %#x: %w", offset, unsupportedType(t))
	}
	return t, nil
}

func isValueType(t byte) bool {
	return typeF64 <= t && t <= typeI32 || t == typeFuncref || t == typeExternref
}

func unsupportedType(t byte) error {
	if t == typeV128 {
		return errors.New("type v128 (SIMD) is not supported")
	}
	return fmt.Errorf("unsupported value type %#x", t)
}
