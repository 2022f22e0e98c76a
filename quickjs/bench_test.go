package quickjs_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/agentrt/agentrt/quickjs"
)

// library returns about kib KiB of JavaScript that builds classes and closures,
// standing for an SDK that a bundle loads.
func library(kib int) string {
	var b strings.Builder
	for n := 0; b.Len() < kib<<10; n++ {
		fmt.Fprintf(&b, `
			class Resource%[1]d { #id = %[1]d; constructor(client) { this.client = client; }
				list(query = {}, options) { return this.client.get("/v1/resource%[1]d", { query, ...options }); }
				async create(body, options) { const r = await this.client.post("/v1/resource%[1]d", { body, ...options }); return { id: this.#id, ...r }; } }
			registry.push({ name: "resource%[1]d", make: (client) => new Resource%[1]d(client), defaults: { limit: %[1]d, tags: ["a%[1]d", "b"] } });`, n)
	}
	return "const registry = [];" + b.String() + `
		export const hello = (head) => ({ hello: head?.name ?? "world", n: registry.length });`
}

func benchEngine(b *testing.B) *quickjs.Engine {
	return newEngine(b, quickjs.NewConfig().WithOps(testOps()))
}

func BenchmarkNewInstance(b *testing.B) {
	s := newSnapshot(b, benchEngine(b), library(450))
	for b.Loop() {
		i, err := s.NewInstance(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		if err := i.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkFreshHello(b *testing.B) {
	s := newSnapshot(b, benchEngine(b), library(450))
	for b.Loop() {
		i, err := s.NewInstance(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		if _, err := i.Call(b.Context(), "main.js", "hello", []byte(`{"name":"x"}`), nil); err != nil {
			b.Fatal(err)
		}
		if err := i.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkResetHello(b *testing.B) {
	s := newSnapshot(b, benchEngine(b), library(450))
	i := newInstance(b, s)
	for b.Loop() {
		if _, err := i.Call(b.Context(), "main.js", "hello", []byte(`{"name":"x"}`), nil); err != nil {
			b.Fatal(err)
		}
		if err := i.Reset(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}

// The host-call benchmarks report the cost of one call within one Call.
func BenchmarkHostCall(b *testing.B) {
	i := newInstance(b, newSnapshot(b, benchEngine(b), hostSource))
	for name, export := range map[string]string{"sync": "nops", "async": "nopsLater", "echo64KiB": "echoes"} {
		b.Run(name, func(b *testing.B) {
			const batch = 1000
			for b.Loop() {
				if _, err := i.Call(b.Context(), "main.js", export, []byte("1000"), nil); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/batch, "ns/call")
		})
	}
}

func BenchmarkLoad(b *testing.B) {
	e := benchEngine(b)
	source := library(450)
	code, err := e.Compile(b.Context(), "main.js", source)
	if err != nil {
		b.Fatal(err)
	}
	empty := newSnapshot(b, e, "")
	for name, load := range map[string]func(*quickjs.Instance) error{
		"source":   func(i *quickjs.Instance) error { return i.EvalModule(b.Context(), "m.js", source) },
		"bytecode": func(i *quickjs.Instance) error { return i.EvalBytecode(b.Context(), "m.js", code) },
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				i, err := empty.NewInstance(b.Context())
				if err != nil {
					b.Fatal(err)
				}
				if err := load(i); err != nil {
					b.Fatal(err)
				}
				if err := i.Close(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
