package main

import (
	"fmt"
	"math"

	"github.com/agentrt/agentrt/quickjs/internal/wasmbin"
)

// site is a place for a countdown: between two instructions, or instead of some.
type site struct {
	from, to int  // offsets in the module
	dispatch bool // the header of an interpreter's loop
}

// rewriteCode returns the body of the code section with its loops counted.
func (m *moduleInfo) rewriteCode(c *wasmbin.Cursor) ([]byte, Stats, error) {
	offset := c.Offset()
	count, err := c.U32()
	if err != nil {
		return nil, Stats{}, err
	}
	if uint64(count) != uint64(len(m.functions)) {
		return nil, Stats{}, fmt.Errorf("offset %#x: %d bodies for %d functions", offset, count, len(m.functions))
	}
	stats := Stats{Functions: len(m.functions)}
	out := wasmbin.AppendU32(make([]byte, 0, c.Len()+c.Len()/8), count)
	for i, typ := range m.functions {
		body, n, err := m.rewriteFunction(c, m.types[typ].params)
		if err != nil {
			return nil, Stats{}, fmt.Errorf("function %d: %w", uint64(m.importedFunctions)+uint64(i), err)
		}
		if n > 0 {
			stats.Rewritten++
			stats.Counted += n
		}
		out = wasmbin.AppendU32(out, uint32(len(body)))
		out = append(out, body...)
	}
	if c.Len() > 0 {
		return nil, Stats{}, fmt.Errorf("offset %#x: %d bytes after the last function", c.Offset(), c.Len())
	}
	return out, stats, nil
}

// rewriteFunction reads one entry of the code section, for a function with the
// given number of parameters. It returns the new content of the entry and the
// number of countdowns; without any that is the old content.
func (m *moduleInfo) rewriteFunction(section *wasmbin.Cursor, params uint32) ([]byte, int, error) {
	size, err := section.U32()
	if err != nil {
		return nil, 0, err
	}
	base := section.Offset()
	old, err := section.Bytes(size)
	if err != nil {
		return nil, 0, err
	}
	c := wasmbin.NewCursor(old, base)
	groups, err := c.U32()
	if err != nil {
		return nil, 0, err
	}
	groupsStart := c.Offset()
	locals := uint64(params)
	for range groups {
		n, err := c.U32()
		if err != nil {
			return nil, 0, err
		}
		if err := skipValueType(c); err != nil {
			return nil, 0, err
		}
		locals += uint64(n)
		if locals >= math.MaxUint32 {
			return nil, 0, fmt.Errorf("offset %#x: too many locals", groupsStart)
		}
	}
	copied := c.Offset()
	sites, err := sites(c, m.tick)
	if err != nil {
		return nil, 0, err
	}
	if c.Len() > 0 {
		return nil, 0, fmt.Errorf("offset %#x: %d bytes after the end of the function", c.Offset(), c.Len())
	}
	if len(sites) == 0 {
		return old, 0, nil
	}

	countdown := m.countdown(uint32(locals))
	body := make([]byte, 0, len(old)+8+len(sites)*len(countdown))
	body = wasmbin.AppendU32(body, groups+1)
	body = append(body, old[groupsStart-base:copied-base]...)
	body = append(body, 1, typeI32)
	for _, s := range sites {
		body = append(body, old[copied-base:s.from-base]...)
		body = append(body, countdown...)
		copied = s.to
	}
	return append(body, old[copied-base:]...), len(sites), nil
}

// countdown returns the instructions to insert at a site, with t the index of a
// local to use.
func (m *moduleInfo) countdown(t uint32) []byte {
	fuel := wasmbin.AppendU32(nil, m.fuel())
	local := wasmbin.AppendU32(nil, t)

	code := append([]byte{opGlobalGet}, fuel...)
	code = append(code, opI32Const, 1, opI32Sub, opLocalTee)
	code = append(code, local...)
	code = append(code, opGlobalSet)
	code = append(code, fuel...)
	code = append(code, opLocalGet)
	code = append(code, local...)
	code = append(code, opI32Eqz, opIf, blockEmpty, opCall)
	code = wasmbin.AppendU32(code, m.tick)
	code = append(code, opGlobalSet)
	code = append(code, fuel...)
	return append(code, opEnd)
}
