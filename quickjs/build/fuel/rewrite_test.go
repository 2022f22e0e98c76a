package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"

	"github.com/agentrt/agentrt/quickjs/internal/wasmbin"
)

var options = Options{Module: "agentrt", Tick: "tick", Fuel: "fuel"}

// programs are modules whose function f0 is called with args. It gives results
// and reaches a loop header the given number of times.
var programs = []struct {
	name      string
	functions []function
	args      []uint64
	results   []uint64
	headers   int
	calls     int // of tick in the original
	overrides []section
}{
	{name: "loop", args: []uint64{10}, results: []uint64{0}, headers: 10, functions: []function{
		{typ: typUnary, code: countDown + "local.get 0"},
	}},
	{name: "loop not entered", args: []uint64{0}, results: []uint64{7}, functions: []function{
		{typ: typUnary, code: "local.get 0 if void " + countDown + "end i32.const 7"},
	}},
	{name: "loop without branch", headers: 1, functions: []function{
		{typ: typVoid, code: "loop void end"},
	}},
	{name: "unreachable loop", functions: []function{
		{typ: typVoid, code: "return loop void br 0 end"},
	}},
	{name: "consecutive loops", args: []uint64{3}, results: []uint64{0}, headers: 3 + 5, functions: []function{
		{typ: typUnary, code: countDown + "i32.const 5 local.set 0 " + countDown + "local.get 0"},
	}},
	{name: "nested loops", args: []uint64{4}, results: []uint64{0}, headers: 4 + 4*6, functions: []function{
		{typ: typUnary, locals: "i32", code: `
			loop void
				i32.const 6 local.set 1
				loop void local.get 1 i32.const 1 i32.sub local.tee 1 br_if 0 end
				local.get 0 i32.const 1 i32.sub local.tee 0 br_if 0
			end local.get 0`},
	}},
	{name: "continue outer loop", args: []uint64{4}, results: []uint64{0}, headers: 2 * 4, functions: []function{
		{typ: typUnary, code: `
			loop void loop void
				local.get 0 i32.const 1 i32.sub local.tee 0 br_if 1
			end end local.get 0`},
	}},
	{name: "loop with result", args: []uint64{5}, results: []uint64{9}, headers: 5, functions: []function{
		{typ: typUnary, code: "loop i32 local.get 0 i32.const 1 i32.sub local.tee 0 br_if 0 i32.const 9 end"},
	}},
	{name: "loop with parameter", args: []uint64{5}, results: []uint64{0}, headers: 5, functions: []function{
		{typ: typUnary, locals: "i32", code: "local.get 0 loop 2 i32.const 1 i32.sub local.tee 1 local.get 1 br_if 0 end"},
	}},
	{name: "loop with two parameters and results", args: []uint64{5, 100}, results: []uint64{0, 110}, headers: 5, functions: []function{
		{typ: typPair, locals: "i32", code: `
			local.get 0 local.get 1
			loop 3
				i32.const 2 i32.add local.set 1
				i32.const 1 i32.sub local.tee 2
				local.get 1
				local.get 2 br_if 0
			end`},
	}},
	{name: "loop in if", args: []uint64{3}, results: []uint64{0}, headers: 3, functions: []function{
		{typ: typUnary, code: "local.get 0 if void " + countDown + "else loop void end end local.get 0"},
	}},
	{name: "loop in else", args: []uint64{0}, results: []uint64{0}, headers: 1, functions: []function{
		{typ: typUnary, code: "local.get 0 if void " + countDown + "else loop void end end local.get 0"},
	}},
	{name: "br_table dispatch", args: []uint64{3}, results: []uint64{3}, headers: 3, functions: []function{
		// Every state decrements itself and continues until it is 0.
		{typ: typUnary, locals: "i32", code: `
			loop void
				block void block void block void
					local.get 0 br_table 3 0 1 2 2
				end nop
				end nop
				end
				local.get 1 i32.const 1 i32.add local.set 1
				local.get 0 i32.const 1 i32.sub local.tee 0 br_if 0
			end local.get 1`},
	}},
	{name: "calls of tick", args: []uint64{3}, results: []uint64{0}, headers: 3, calls: 3, functions: []function{
		// The dispatch is not counted, the call in its place is.
		{typ: typUnary, code: `
			loop void
				block void
					i32.const 0 br_table 128 ` + strings.Repeat("0 ", 129) + `
				end
				call 0 drop
				local.get 0 i32.const 1 i32.sub local.tee 0 br_if 0
			end local.get 0`},
	}},
	{name: "calls of tick beside a loop", args: []uint64{3}, results: []uint64{0}, headers: 1 + 3, calls: 1, functions: []function{
		{typ: typUnary, code: "call 0 drop " + countDown + "local.get 0"},
	}},
	{name: "a large br_table without calls of tick", args: []uint64{3}, results: []uint64{0}, headers: 3, functions: []function{
		{typ: typUnary, code: `
			loop void
				block void
					i32.const 0 br_table 128 ` + strings.Repeat("0 ", 129) + `
				end
				local.get 0 i32.const 1 i32.sub local.tee 0 br_if 0
			end local.get 0`},
	}},
	{name: "br_table to loop header", args: []uint64{3}, results: []uint64{0}, headers: 3, functions: []function{
		{typ: typUnary, code: `
			block void loop void
				local.get 0 i32.const 1 i32.sub local.tee 0 i32.eqz
				br_table 1 0 1
			end end local.get 0`},
	}},
	{name: "bulk memory", args: []uint64{2}, results: []uint64{0x03030303}, headers: 2, functions: []function{
		{typ: typUnary, code: `
			loop void
				i32.const 3 i32.const 3 i32.const 3 memory.fill 0x00
				i32.const 6 i32.const 3 i32.const 3 memory.copy 0x00 0x00
				i32.const 16 i32.const 0 i32.const 3 memory.init 0 0x00
				local.get 0 i32.const 1 i32.sub local.tee 0 br_if 0
				data.drop 0
			end i32.const 3 i32.load 2 0`},
	}},
	{name: "constants that look like loops", args: []uint64{2}, results: []uint64{3}, headers: 2, functions: []function{
		{typ: typUnary, code: `
			loop void
				f64.const 0x03 0x40 0x03 0x40 0x03 0x40 0x03 0x40 drop
				f32.const 0x03 0x40 0x0b 0x0b drop
				i64.const 3 drop i32.const 3 drop
				i64.const 0x83 0x80 0x80 0x80 0x80 0x80 0x80 0x80 0x80 0x00 drop
				local.get 0 i32.const 1 i32.sub local.tee 0 br_if 0
			end i32.const 3`},
	}},
	{name: "memory instructions", args: []uint64{2}, results: []uint64{1}, headers: 2, functions: []function{
		{typ: typUnary, code: `
			loop void
				i32.const 3 i64.const 3 i64.store32 2 3
				i32.const 3 i64.load32_u 2 0x83 0x00 drop
				i32.const 0 memory.grow 0x00 drop
				local.get 0 i32.const 1 i32.sub local.tee 0 br_if 0
			end memory.size 0x00`},
	}},
	{name: "references and tables", args: []uint64{2}, results: []uint64{7}, headers: 2, functions: []function{
		{typ: typUnary, code: `
			loop void
				i32.const 3 ref.func 1 table.set 0
				i32.const 3 table.get 0 ref.is_null drop
				ref.null externref ref.is_null drop
				ref.null funcref ref.func 1 i32.const 1 select_t 1 funcref drop
				i32.const 1 i32.const 2 i32.const 1 select drop
				ref.null funcref i32.const 3 table.grow 0 drop
				i32.const 0 ref.func 1 i32.const 3 table.fill 0
				i32.const 0 i32.const 1 i32.const 3 table.copy 0 0
				i32.const 0 i32.const 0 i32.const 0 table.init 1 0 elem.drop 1
				local.get 0 i32.const 1 i32.sub local.tee 0
				if void br 1 end
			end table.size 0 i32.const 3 i32.sub`},
	}},
	{name: "conversions", args: []uint64{2}, results: []uint64{3}, headers: 2, functions: []function{
		{typ: typUnary, code: `
			loop void
				f64.const 0 0 0 0 0 0 0x08 0x40 i64.trunc_sat_f64_u i64.extend32_s drop
				local.get 0 i32.const 1 i32.sub local.tee 0 br_if 0
			end f64.const 0 0 0 0 0 0 0x08 0x40 i32.trunc_sat_f64_s i32.extend8_s`},
	}},
	{name: "locals keep their values", args: []uint64{4}, results: []uint64{14}, headers: 4, functions: []function{
		{typ: typUnary, locals: "f64 i64 i32 f32 i32", code: `
			i32.const 6 local.set 5
			loop void
				local.get 1 f64.const 0 0 0 0 0 0 0 0x40 f64.add local.set 1
				local.get 0 i32.const 1 i32.sub local.tee 0 br_if 0
			end local.get 1 i32.trunc_f64_s local.get 5 i32.add`},
	}},
	{name: "padded integers", args: []uint64{2}, results: []uint64{0}, headers: 2, functions: []function{
		{typ: typUnary, code: `
			loop void
				local.get 0x80 0x80 0x80 0x80 0x00
				i32.const 0x81 0x80 0x80 0x80 0x00 i32.sub
				local.tee 0x80 0x00 br_if 0x80 0x80 0x00
			end local.get 0`},
	}},
	{name: "calls", args: []uint64{3}, results: []uint64{0}, headers: 3 + 2 + 1 + 2 + 1, functions: []function{
		{typ: typUnary, code: countDown + "i32.const 2 call 2 i32.const 1 i32.add call 3"},
		{typ: typUnary, code: countDown + "call 4 i32.const 2 return_call 3"},
		{typ: typUnary, code: countDown + "local.get 0"},
		{typ: typVoid, code: "loop void end"},
	}},
	{name: "indirect calls", args: []uint64{3}, results: []uint64{0}, headers: 3 + 2, functions: []function{
		// f0 calls itself through the table with one less.
		{typ: typUnary, code: `
			loop void end
			local.get 0 i32.const 1 i32.sub local.tee 0 i32.eqz if void i32.const 0 return end
			local.get 0 i32.const 1 i32.sub if void
				loop void loop void end end local.get 0 i32.const 0 call_indirect 2 0 return
			end
			local.get 0 i32.const 0 return_call_indirect 2 0`},
	}},
	{name: "imported globals", args: []uint64{3}, results: []uint64{0}, headers: 3, functions: []function{
		{typ: typUnary, code: countDown + "local.get 0"},
	}, overrides: []section{
		{wasmbin.SectionImport, vec(sized("env")+sized("sp")+"\x03\x7f\x01", sized("env")+sized("tick")+"\x00\x01", tickImport)},
		{wasmbin.SectionGlobal, ""},
		{wasmbin.SectionExport, vec(sized("__stack_pointer")+"\x03\x00", sized("f0")+"\x00\x02")},
	}},
	{name: "all import kinds", args: []uint64{3}, results: []uint64{0}, headers: 3, functions: []function{
		{typ: typUnary, code: countDown + "local.get 0"},
	}, overrides: []section{
		{wasmbin.SectionImport, vec(tickImport, sized("env")+sized("sp")+"\x03\x7f\x01",
			sized("env")+sized("table")+"\x01\x70\x01\x04\x08", sized("env")+sized("memory")+"\x02\x00\x01")},
		{wasmbin.SectionTable, ""},
		{wasmbin.SectionMemory, ""},
	}},
}

// countDown loops until local 0, the number of iterations, is 0.
const countDown = "loop void local.get 0 i32.const 1 i32.sub local.tee 0 br_if 0 end "

func TestRewriteRuns(t *testing.T) {
	for _, p := range programs {
		t.Run(p.name, func(t *testing.T) {
			original := assemble(p.functions, p.overrides...)
			rewritten, _, err := Rewrite(original, options)
			if err != nil {
				t.Fatal(err)
			}
			results, ticks := call(t, original, 0, p.args)
			if !slices.Equal(results, p.results) || ticks != p.calls {
				t.Fatalf("original: got %v and %d ticks, want %v and %d", results, ticks, p.results, p.calls)
			}
			for _, budget := range []int32{1, 2, 3, 1000} {
				results, ticks := call(t, rewritten, budget, p.args)
				want := (p.headers + int(budget) - 1) / int(budget)
				if !slices.Equal(results, p.results) || ticks != want {
					t.Errorf("budget %d: got %v and %d ticks, want %v and %d", budget, results, ticks, p.results, want)
				}
			}
		})
	}
}

// call instantiates a module and calls f0. It returns its results and how often
// it called tick, which returned budget.
func call(t *testing.T, module []byte, budget int32, args []uint64) (results []uint64, ticks int) {
	t.Helper()
	instance := instantiate(t, module, func() int32 { ticks++; return budget })
	results, err := instance.ExportedFunction("f0").Call(t.Context(), args...)
	if err != nil {
		t.Fatal(err)
	}
	return results, ticks
}

// environment satisfies the imports from env.
var environment = wasmbin.Encode([]wasmbin.Section{
	{ID: wasmbin.SectionType, Body: []byte(vec("\x60\x00\x00"))},
	{ID: wasmbin.SectionFunction, Body: []byte(vec("\x00"))},
	{ID: wasmbin.SectionTable, Body: []byte(vec("\x70\x01\x04\x08"))},
	{ID: wasmbin.SectionMemory, Body: []byte(vec("\x00\x01"))},
	{ID: wasmbin.SectionGlobal, Body: []byte(vec("\x7f\x01" + asm("i32.const 42 end")))},
	{ID: wasmbin.SectionExport, Body: []byte(vec(
		sized("tick")+"\x00\x00", sized("table")+"\x01\x00", sized("memory")+"\x02\x00", sized("sp")+"\x03\x00"))},
	{ID: wasmbin.SectionCode, Body: []byte(vec(sized("\x00\x0b")))},
})

func instantiate(t *testing.T, module []byte, tick func() int32) api.Module {
	t.Helper()
	ctx := t.Context()
	r := newRuntime(ctx)
	t.Cleanup(func() { r.Close(context.WithoutCancel(ctx)) })
	if _, err := r.NewHostModuleBuilder("agentrt").NewFunctionBuilder().WithFunc(tick).Export("tick").Instantiate(ctx); err != nil {
		t.Fatal(err)
	}
	if _, err := r.InstantiateWithConfig(ctx, environment, wazero.NewModuleConfig().WithName("env")); err != nil {
		t.Fatal(err)
	}
	instance, err := r.InstantiateWithConfig(ctx, module, wazero.NewModuleConfig().WithName("main"))
	if err != nil {
		t.Fatal(err)
	}
	return instance
}

// newRuntime returns a runtime with the features Rewrite supports.
func newRuntime(ctx context.Context) wazero.Runtime {
	features := api.CoreFeaturesV2&^api.CoreFeatureSIMD | experimental.CoreFeaturesTailCall
	return wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfigInterpreter().WithCoreFeatures(features))
}

func TestRewriteStopsInfiniteLoop(t *testing.T) {
	rewritten, stats, err := Rewrite(assemble([]function{{typ: typVoid, code: "loop void br 0 end"}}), options)
	if err != nil {
		t.Fatal(err)
	}
	if want := (Stats{Functions: 1, Rewritten: 1, Counted: 1}); stats != want {
		t.Errorf("got %+v, want %+v", stats, want)
	}
	stop := errors.New("stop")
	var ticks int
	instance := instantiate(t, rewritten, func() int32 {
		if ticks++; ticks%3 == 0 {
			panic(stop)
		}
		return 100
	})
	fuel := instance.ExportedGlobal("fuel").(api.MutableGlobal)
	if got := fuel.Get(); got != 1 {
		t.Errorf("initial fuel is %d, want 1", got)
	}
	// The instance can be used again once the fuel is reset.
	for want := 3; want <= 6; want += 3 {
		if _, err := instance.ExportedFunction("f0").Call(t.Context()); !errors.Is(err, stop) {
			t.Fatalf("got error %v, want %v", err, stop)
		}
		if ticks != want || fuel.Get() != 0 {
			t.Errorf("got %d ticks and fuel %d, want %d and 0", ticks, fuel.Get(), want)
		}
		fuel.Set(1)
	}
	if got := instance.ExportedGlobal(stackPointer).Get(); got != 42 {
		t.Errorf("%s is %d, want 42", stackPointer, got)
	}
}

func TestRewriteCopies(t *testing.T) {
	functions := []function{
		{typ: typUnary, locals: "i64 f64", code: "f64.const 3 3 3 3 3 3 3 3 local.set 2 local.get 0"},
		{typ: typUnary, code: countDown + "local.get 0"},
		{typ: typVoid, code: "block void br 0 end i32.const 3 drop"},
	}
	module := assemble(functions)
	before := bytes.Clone(module)
	rewritten, stats, err := Rewrite(module, options)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(module, before) {
		t.Error("the input was modified")
	}
	if want := (Stats{Functions: 3, Rewritten: 1, Counted: 1}); stats != want {
		t.Errorf("got %+v, want %+v", stats, want)
	}
	again, _, err := Rewrite(module, options)
	if err != nil || !bytes.Equal(again, rewritten) {
		t.Error("the output differs between runs")
	}

	old, got := sections(t, module), sections(t, rewritten)
	if len(old) != len(got) {
		t.Fatalf("got %d sections, want %d", len(got), len(old))
	}
	for i, s := range old {
		want := string(s.Body)
		switch s.ID {
		case wasmbin.SectionGlobal:
			want = vec("\x7f\x01"+asm("i32.const 42 end"), "\x7f\x01"+asm("i32.const 1 end"))
		case wasmbin.SectionExport:
			want = "\x06" + want[1:] + sized("fuel") + "\x03\x01"
		case wasmbin.SectionCode:
			want = vec(sized(functions[0].body()), sized(function{locals: "i32", code: `
				loop void
					global.get 1 i32.const 1 i32.sub local.tee 1 global.set 1
					local.get 1 i32.eqz if void call 0 global.set 1 end
					local.get 0 i32.const 1 i32.sub local.tee 0 br_if 0
				end local.get 0`}.body()), sized(functions[2].body()))
		}
		if got[i].ID != s.ID || string(got[i].Body) != want {
			t.Errorf("section %d: got % x, want %d % x", got[i].ID, got[i].Body, s.ID, want)
		}
	}
}

func TestRewriteErrors(t *testing.T) {
	loop := []function{{typ: typUnary, code: countDown + "local.get 0"}}
	code := func(text string) []byte { return assemble([]function{{typ: typVoid, code: text}}) }
	override := func(id byte, body string) []byte { return assemble(loop, section{id, body}) }
	rewritten, _, err := Rewrite(assemble(loop), options)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name   string
		module []byte
		err    string
	}{
		{"not a module", []byte("#!/bin/sh"), "offset 0x0: not a WebAssembly version 1 module"},
		{"rewritten", rewritten, `"fuel" is already exported, the module is already rewritten`},
		{"fuel of another kind", override(wasmbin.SectionExport, vec(sized("fuel")+"\x00\x00")), "already rewritten"},
		{"empty", wasmbin.Encode(nil), "import section: no function agentrt.tick"},
		{"no imports", override(wasmbin.SectionImport, ""), "import section: no function agentrt.tick"},
		{"tick of another module", override(wasmbin.SectionImport, vec(sized("env")+sized("tick")+"\x00\x00")), "no function agentrt.tick"},
		{"tick without result", override(wasmbin.SectionImport, vec(sized("agentrt")+sized("tick")+"\x00\x01")), "import section: entry 0: offset 0x2b: agentrt.tick does not have type () -> i32"},
		{"tick with parameter", override(wasmbin.SectionImport, vec(sized("agentrt")+sized("tick")+"\x00\x02")), "does not have type () -> i32"},
		{"tick with i64 result", assemble(loop, section{wasmbin.SectionType, vec("\x60\x00\x01\x7e", "\x60\x00\x00", "\x60\x01\x7f\x01\x7f")}), "does not have type () -> i32"},
		{"tick is a global", override(wasmbin.SectionImport, vec(sized("agentrt")+sized("tick")+"\x03\x7f\x01")), "agentrt.tick is not a function"},
		{"no exports", override(wasmbin.SectionExport, ""), "export section: no global __stack_pointer"},
		{"stack pointer not exported", override(wasmbin.SectionExport, vec(sized("f0")+"\x00\x01")), "export section: no global __stack_pointer"},
		{"stack pointer is a function", override(wasmbin.SectionExport, vec(sized("__stack_pointer")+"\x00\x00")), "no global __stack_pointer"},

		{"not a function type", override(wasmbin.SectionType, vec("\x5f\x00")), "type section: entry 0: offset 0x15: type 0x5f is not a function type"},
		{"v128 parameter", override(wasmbin.SectionType, vec("\x60\x01\x7b\x00")), "type section: entry 0: offset 0x17: type v128 (SIMD) is not supported"},
		{"unknown parameter type", override(wasmbin.SectionType, vec("\x60\x01\x64\x00")), "unsupported value type 0x64"},
		{"trailing type bytes", override(wasmbin.SectionType, "\x00\x00"), "type section: offset 0x15: 1 bytes after the last entry"},
		{"imported function of unknown type", override(wasmbin.SectionImport, vec(sized("")+sized("")+"\x00\x09")), "type 9 is not defined"},
		{"imported tag", override(wasmbin.SectionImport, vec(tickImport, sized("")+sized("")+"\x04\x00\x00")), "import section: entry 1: offset 0x3c: unsupported import kind 4"},
		{"imported shared memory", override(wasmbin.SectionImport, vec(sized("")+sized("")+"\x02\x03\x01\x01")), "unsupported limits 0x3"},
		{"name not UTF-8", override(wasmbin.SectionImport, vec(sized("\xff")+sized("")+"\x00\x00")), "name is not valid UTF-8"},
		{"function of unknown type", override(wasmbin.SectionFunction, vec("\x09")), "function section: entry 0: offset 0x3d: type 9 is not defined"},
		{"global without end", override(wasmbin.SectionGlobal, vec("\x7f\x01"+asm("i32.const 0"))), "global section: entry 0: offset 0x50: read byte: unexpected EOF"},
		{"fewer globals than counted", override(wasmbin.SectionGlobal, "\x01"), "global section: entry 0: offset 0x4c: read byte: unexpected EOF"},
		{"more globals than counted", override(wasmbin.SectionGlobal, "\x00\x7f"), "global section: offset 0x4c: 1 bytes after the last entry"},

		{"missing body", override(wasmbin.SectionCode, vec()), "code section: offset 0x85: 0 bodies for 1 functions"},
		{"huge body count", override(wasmbin.SectionCode, "\xff\xff\xff\xff\x0f"), "4294967295 bodies for 1 functions"},
		{"truncated body", override(wasmbin.SectionCode, "\x01\x05\x00\x0b"), "code section: function 1: offset 0x87: read 5 bytes, 2 left: unexpected EOF"},
		{"trailing bytes", override(wasmbin.SectionCode, vec(sized("\x00\x0b"))+"\x00"), "code section: offset 0x89: 1 bytes after the last function"},
		{"function without end", override(wasmbin.SectionCode, vec(sized("\x00\x01"))), "function 1: offset 0x89: read byte: unexpected EOF"},
		{"loop without end", override(wasmbin.SectionCode, vec(sized("\x00\x03\x40\x0b"))), "function 1: offset 0x8b: read byte: unexpected EOF"},
		{"bytes after end", override(wasmbin.SectionCode, vec(sized("\x00\x0b\x0b"))), "function 1: offset 0x89: 1 bytes after the end of the function"},
		{"v128 local", override(wasmbin.SectionCode, vec(sized("\x01\x01\x7b\x0b"))), "function 1: offset 0x89: type v128 (SIMD) is not supported"},
		{"too many locals", override(wasmbin.SectionCode, vec(sized("\x02\xff\xff\xff\xff\x0f\x7f\x01\x7f\x0b"))), "function 1: offset 0x88: too many locals"},
		{"second function", assemble([]function{{typ: typVoid}, {typ: typVoid, code: "nop 0xfd 12"}}), "code section: function 2: offset 0x92: opcode 0xfd: SIMD is not supported"},

		{"SIMD", code("0xfd 12"), "function 1: offset 0x88: opcode 0xfd: SIMD is not supported"},
		{"atomics", code("0xfe 3 0"), "opcode 0xfe: atomic instructions are not supported"},
		{"exceptions", code("0x06 void end"), "opcode 0x6: unknown instruction"},
		{"unassigned opcode", code("0x27"), "opcode 0x27: unknown instruction"},
		{"after sign extension", code("0xc5"), "opcode 0xc5: unknown instruction"},
		{"unassigned 0xfc opcode", code("0xfc 18"), "opcode 0xfc: unknown instruction 18"},
		{"v128 block", code("loop v128 end"), "opcode 0x3: type v128 (SIMD) is not supported"},
		{"unknown block type", code("block 0x60 end"), "opcode 0x2: unsupported value type 0x60"},
		{"negative block type", code("block 0x80 0x7f end"), "opcode 0x2: unsupported block type -128"},
		{"v128 select", code("select_t 1 v128"), "type v128 (SIMD) is not supported"},
		{"memory argument with memory index", code("i32.load 0xc2 0x00 1 0"), "opcode 0x28: unsupported alignment 0x42"},
		{"memory.size of memory 1", code("memory.size 1"), "opcode 0x3f: memory 1 is not supported"},
		{"memory.copy to memory 1", code("memory.copy 0 1"), "opcode 0xfc: memory 1 is not supported"},
		{"br_table with huge count", code("br_table 0xff 0xff 0xff 0xff 0x0f"), "opcode 0xe: offset 0x8f: read byte: unexpected EOF"},
		{"overlong integer", code("br 0xff 0xff 0xff 0xff 0x7f"), "opcode 0xc: offset 0x89: integer does not fit 32 unsigned bits"},
		{"overlong i64", code("i64.const 0xff 0xff 0xff 0xff 0xff 0xff 0xff 0xff 0xff 0x3f"), "integer does not fit 64 signed bits"},
		{"truncated f64", override(wasmbin.SectionCode, vec(sized("\x00\x44\x00\x00"))), "offset 0x89: read 8 bytes, 2 left: unexpected EOF"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, stats, err := Rewrite(tt.module, options)
			if err == nil || !strings.Contains(err.Error(), tt.err) {
				t.Fatalf("got error %v, want %q", err, tt.err)
			}
			if got != nil || stats != (Stats{}) {
				t.Errorf("got a result with the error: % x, %+v", got, stats)
			}
		})
	}
}

func TestRewriteDamaged(t *testing.T) {
	for _, p := range programs {
		module := assemble(p.functions, p.overrides...)
		for n := range module {
			Rewrite(module[:n:n], options)
			for _, b := range []byte{0x00, 0x03, 0x40, 0x7f, 0x80, 0xff} {
				damaged := bytes.Clone(module)
				damaged[n] = b
				Rewrite(damaged, options)
			}
		}
	}
}

// The code section truncated at every length, with a consistent size, is
// always an error.
func TestRewriteTruncatedCode(t *testing.T) {
	for _, p := range programs {
		module := assemble(p.functions, p.overrides...)
		for _, s := range sections(t, module) {
			if s.ID != wasmbin.SectionCode {
				continue
			}
			for n := 1; n < len(s.Body); n++ {
				overrides := append([]section{{wasmbin.SectionCode, string(s.Body[:n])}}, p.overrides...)
				if _, _, err := Rewrite(assemble(p.functions, overrides...), options); err == nil {
					t.Fatalf("%s: no error for %d of %d bytes", p.name, n, len(s.Body))
				}
			}
		}
	}
}

func sections(t *testing.T, module []byte) []wasmbin.Section {
	t.Helper()
	s, err := wasmbin.Sections(module)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestRun(t *testing.T) {
	dir := t.TempDir()
	in, out, bad := filepath.Join(dir, "in.wasm"), filepath.Join(dir, "out.wasm"), filepath.Join(dir, "bad.wasm")
	module := assemble([]function{{typ: typUnary, code: countDown + "local.get 0"}, {typ: typVoid}})
	want, _, err := Rewrite(module, options)
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string][]byte{in: module, bad: want} {
		if err := os.WriteFile(name, content, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct {
		name string
		args []string
		err  string
	}{
		{"no arguments", nil, "usage"},
		{"no output", []string{"-in", in}, "usage"},
		{"extra argument", []string{"-in", in, "-out", out, "x"}, "usage"},
		{"unknown flag", []string{"-x"}, "not defined"},
		{"missing input", []string{"-in", in + "x", "-out", out}, "no such file"},
		{"rewritten", []string{"-in", bad, "-out", out}, bad + ": export section"},
		{"output in missing directory", []string{"-in", in, "-out", filepath.Join(dir, "x", "y")}, "no such file"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if err := run(tt.args, &bytes.Buffer{}); err == nil || !strings.Contains(err.Error(), tt.err) {
				t.Errorf("got error %v, want %q", err, tt.err)
			}
			if _, err := os.Stat(out); err == nil {
				t.Error("output was written")
			}
		})
	}
	var stderr bytes.Buffer
	if err := run([]string{"-in", in, "-out", out}, &stderr); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(out); err != nil || !bytes.Equal(got, want) {
		t.Errorf("output differs from Rewrite: %v", err)
	}
	if got := stderr.String(); !strings.HasPrefix(got, "fuel: 1 countdowns in 1 of 2 functions, ") {
		t.Errorf("got report %q", got)
	}
}
