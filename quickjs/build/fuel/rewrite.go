package main

import (
	"fmt"

	"github.com/agentrt/agentrt/quickjs/internal/wasmbin"
)

// Options names what Rewrite looks for and adds.
type Options struct {
	// Module and Tick name the imported function to call when the fuel is
	// used up.
	Module, Tick string
	// Fuel is the name under which the counter is exported.
	Fuel string
}

// Stats counts what Rewrite saw and changed.
type Stats struct {
	// Functions is the number of functions the module defines.
	Functions int
	// Rewritten is the number of those that count.
	Rewritten int
	// Counted is the number of places in them that do.
	Counted int
}

// stackPointer is the export a host needs to unwind the C stack after tick
// aborted a call.
const stackPointer = "__stack_pointer"

// Rewrite inserts a countdown at every loop header of a WebAssembly module. It
// adds a mutable i32 global, initially 1, as the last global and exports it as
// opts.Fuel. A loop header, reached on entry and on every branch back,
// decrements the global; when that makes it zero, it calls the imported
// function opts.Tick and stores the result in the global. So tick runs at the
// first header and then once every N headers, N being what it returned last,
// as an unsigned number; 0 means 2³². A call of tick whose result is dropped counts
// like a header: the countdown replaces it. A function with such calls is an
// interpreter that counts by itself: the loop that dispatches its instructions, the
// innermost one around a br_table with 128 targets or more, is not counted. While
// tick runs, and after it aborted the call, the global is 0. Recursion without a
// loop, tail calls included, is not counted, nor is time spent within one
// instruction such as memory.fill.
//
// The module must import the tick function with type () -> i32, export the
// global __stack_pointer and not export opts.Fuel, which is how a module that
// is already rewritten is recognized. It may use WebAssembly 2.0 without SIMD,
// and tail calls. Otherwise, and for a malformed module, Rewrite returns an
// error that names the section, the function index and the offset in bytes, as
// far as they apply. It does not validate the module.
//
// Indices do not change. Functions without a loop, custom sections and all
// other sections are copied as they are, so a custom section that holds offsets
// into the code, such as DWARF, becomes wrong.
func Rewrite(module []byte, opts Options) ([]byte, Stats, error) {
	sections, err := wasmbin.Sections(module)
	if err != nil {
		return nil, Stats{}, err
	}
	m, err := parse(sections, opts)
	if err != nil {
		return nil, Stats{}, err
	}

	out := make([]wasmbin.Section, 0, len(sections)+1)
	var stats Stats
	for _, s := range sections {
		switch s.ID {
		case wasmbin.SectionGlobal:
			s.Body = appendEntry(s.Body, m.globals, fuelGlobal)
		case wasmbin.SectionExport:
			if !m.hasGlobals {
				out = append(out, wasmbin.Section{
					ID:   wasmbin.SectionGlobal,
					Body: appendEntry(nil, m.globals, fuelGlobal),
				})
			}
			s.Body = appendEntry(s.Body, m.exports, m.fuelExport())
		case wasmbin.SectionCode:
			s.Body, stats, err = m.rewriteCode(s.Cursor())
			if err != nil {
				return nil, Stats{}, fmt.Errorf("code section: %w", err)
			}
		}
		out = append(out, s)
	}
	return wasmbin.Encode(out), stats, nil
}

// fuelGlobal is an entry of the global section: a mutable i32, initially 1.
var fuelGlobal = []byte{typeI32, 1, opI32Const, 1, opEnd}

func (m *moduleInfo) fuelExport() []byte {
	entry := wasmbin.AppendU32(nil, uint32(len(m.opts.Fuel)))
	entry = append(entry, m.opts.Fuel...)
	entry = append(entry, kindGlobal)
	return wasmbin.AppendU32(entry, m.fuel())
}
