package main

import (
	"slices"
	"strings"
	"testing"

	"github.com/agentrt/agentrt/quickjs/internal/wasmbin"
)

// FuzzRewrite checks that Rewrite does not panic, and that it only changes the
// sections it should and recognizes its own output.
func FuzzRewrite(f *testing.F) {
	for _, p := range programs {
		f.Add(assemble(p.functions, p.overrides...))
	}
	f.Fuzz(func(t *testing.T, module []byte) {
		rewritten, stats, err := Rewrite(module, options)
		if err != nil {
			return
		}
		changed := func(s wasmbin.Section) bool {
			return s.ID == wasmbin.SectionGlobal || s.ID == wasmbin.SectionExport || s.ID == wasmbin.SectionCode && stats.Counted > 0
		}
		old := slices.DeleteFunc(sections(t, module), changed)
		got := slices.DeleteFunc(sections(t, rewritten), changed)
		if len(got) != len(old) {
			t.Fatalf("got %d other sections, want %d", len(got), len(old))
		}
		for i := range old {
			if got[i].ID != old[i].ID || got[i].ID != wasmbin.SectionCode && !slices.Equal(got[i].Body, old[i].Body) {
				t.Errorf("section %d: got % x, want % x", old[i].ID, got[i].Body, old[i].Body)
			}
		}
		if _, _, err := Rewrite(rewritten, options); err == nil {
			t.Error("rewritten twice")
		}
	})
}

// FuzzRewriteCode checks that a function that is valid can be rewritten and is
// valid afterwards.
func FuzzRewriteCode(f *testing.F) {
	for _, p := range programs {
		for _, fn := range p.functions {
			f.Add(asm(fn.code))
		}
	}
	f.Fuzz(func(t *testing.T, code string) {
		body := vec("\x02\x7f", "\x01\x7c") + code + "\x0b"
		module := assemble([]function{{typ: typUnary}}, section{wasmbin.SectionCode, vec(sized(body))})
		r := newRuntime(t.Context())
		defer r.Close(t.Context())
		if _, err := r.CompileModule(t.Context(), module); err != nil {
			t.Skip()
		}
		rewritten, _, err := Rewrite(module, options)
		if err != nil {
			for _, s := range beyondSpecification {
				if strings.Contains(err.Error(), s) {
					t.Skip()
				}
			}
			t.Fatal(err)
		}
		if _, err := r.CompileModule(t.Context(), rewritten); err != nil {
			t.Fatal(err)
		}
	})
}

// beyondSpecification has the errors for code that wazero compiles although it
// is not WebAssembly 2.0.
var beyondSpecification = []string{
	"integer does not fit",   // it does not check all unused bits
	"unsupported value type", // it knows typed references
	"unsupported block type",
}
