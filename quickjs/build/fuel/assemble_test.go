package main

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/agentrt/agentrt/quickjs/internal/wasmbin"
)

var mnemonics = map[string]string{
	"unreachable": "\x00", "nop": "\x01", "block": "\x02", "loop": "\x03", "if": "\x04", "else": "\x05",
	"end": "\x0b", "br": "\x0c", "br_if": "\x0d", "br_table": "\x0e", "return": "\x0f",
	"call": "\x10", "call_indirect": "\x11", "return_call": "\x12", "return_call_indirect": "\x13",
	"drop": "\x1a", "select": "\x1b", "select_t": "\x1c",
	"local.get": "\x20", "local.set": "\x21", "local.tee": "\x22", "global.get": "\x23", "global.set": "\x24",
	"table.get": "\x25", "table.set": "\x26",
	"i32.load": "\x28", "i64.load32_u": "\x35", "i32.store": "\x36", "i64.store32": "\x3e",
	"memory.size": "\x3f", "memory.grow": "\x40",
	"i32.const": "\x41", "i64.const": "\x42", "f32.const": "\x43", "f64.const": "\x44",
	"i32.eqz": "\x45", "i32.add": "\x6a", "i32.sub": "\x6b", "f64.add": "\xa0", "i32.trunc_f64_s": "\xaa",
	"i32.extend8_s": "\xc0", "i64.extend32_s": "\xc4",
	"ref.null": "\xd0", "ref.is_null": "\xd1", "ref.func": "\xd2",
	"i32.trunc_sat_f64_s": "\xfc\x02", "i64.trunc_sat_f64_u": "\xfc\x07",
	"memory.init": "\xfc\x08", "data.drop": "\xfc\x09", "memory.copy": "\xfc\x0a", "memory.fill": "\xfc\x0b",
	"table.init": "\xfc\x0c", "elem.drop": "\xfc\x0d", "table.copy": "\xfc\x0e",
	"table.grow": "\xfc\x0f", "table.size": "\xfc\x10", "table.fill": "\xfc\x11",

	"void": "\x40", "i32": "\x7f", "i64": "\x7e", "f32": "\x7d", "f64": "\x7c", "v128": "\x7b", "funcref": "\x70", "externref": "\x6f",
}

// asm assembles mnemonics, decimal numbers (LEB128; below 64 the same signed
// and unsigned) and 0x bytes.
func asm(text string) string {
	var code []byte
	for word := range strings.FieldsSeq(text) {
		if m, ok := mnemonics[word]; ok {
			code = append(code, m...)
		} else if hex, ok := strings.CutPrefix(word, "0x"); ok {
			b, err := strconv.ParseUint(hex, 16, 8)
			if err != nil {
				panic(err)
			}
			code = append(code, byte(b))
		} else {
			v, err := strconv.ParseInt(word, 10, 32)
			if err != nil {
				panic(err)
			}
			code = wasmbin.AppendS32(code, int32(v))
		}
	}
	return string(code)
}

// sized prefixes s with its length.
func sized(s string) string { return string(wasmbin.AppendU32(nil, uint32(len(s)))) + s }

// vec encodes a vector of encoded entries.
func vec(entries ...string) string {
	return string(wasmbin.AppendU32(nil, uint32(len(entries)))) + strings.Join(entries, "")
}

// Function types of every module that assemble makes.
const (
	typTick  = iota // () -> i32
	typVoid         // () -> ()
	typUnary        // (i32) -> i32
	typPair         // (i32, i32) -> (i32, i32)
)

var functionTypes = vec("\x60\x00\x01\x7f", "\x60\x00\x00", "\x60\x01\x7f\x01\x7f", "\x60\x02\x7f\x7f\x02\x7f\x7f")

// function is a function to assemble.
type function struct {
	typ    int
	locals string // "i32 i32", one group each
	code   string // without the final end
}

func (f function) body() string {
	var groups []string
	for typ := range strings.FieldsSeq(f.locals) {
		groups = append(groups, "\x01"+mnemonics[typ])
	}
	return vec(groups...) + asm(f.code) + "\x0b"
}

// section is a section to assemble.
type section struct {
	id   byte
	body string
}

// assemble returns a module that imports agentrt.tick and exports
// __stack_pointer, which is global 0, a memory, and functions as "f0", "f1" and
// so on. Their indices start at 1. It has a table of 4 elements, f0 the first,
// an empty passive element segment and a passive data segment of 3 bytes. Each
// of overrides replaces the section with its ID, or removes it if the body is
// empty.
func assemble(functions []function, overrides ...section) []byte {
	var typs, bodies []string
	exports := []string{sized("__stack_pointer") + "\x03\x00", sized("memory") + "\x02\x00"}
	for i, f := range functions {
		typs = append(typs, string(rune(f.typ)))
		bodies = append(bodies, sized(f.body()))
		exports = append(exports, sized(fmt.Sprint("f", i))+"\x00"+string(rune(i+1)))
	}
	sections := []section{
		{wasmbin.SectionCustom, sized("first") + "\x03\x40"},
		{wasmbin.SectionType, functionTypes},
		{wasmbin.SectionImport, vec(tickImport)},
		{wasmbin.SectionFunction, vec(typs...)},
		{wasmbin.SectionTable, vec("\x70\x00\x04")},
		{wasmbin.SectionMemory, vec("\x00\x01")},
		{wasmbin.SectionGlobal, vec("\x7f\x01" + asm("i32.const 42 end"))},
		{wasmbin.SectionExport, vec(exports...)},
		{wasmbin.SectionElement, vec("\x00"+asm("i32.const 0 end")+"\x01\x01", "\x01\x00\x00")},
		{wasmbin.SectionDataCount, "\x01"},
		{wasmbin.SectionCode, vec(bodies...)},
		{wasmbin.SectionCustom, sized("between")},
		{wasmbin.SectionData, vec("\x01" + sized("abc"))},
		{wasmbin.SectionCustom, sized("name") + "\x00" + sized(sized("module"))},
	}
	var encoded []wasmbin.Section
	for _, s := range sections {
		for _, o := range overrides {
			if o.id == s.id {
				s.body = o.body
			}
		}
		if s.body != "" {
			encoded = append(encoded, wasmbin.Section{ID: s.id, Body: []byte(s.body)})
		}
	}
	return wasmbin.Encode(encoded)
}

var tickImport = sized("agentrt") + sized("tick") + "\x00\x00"
