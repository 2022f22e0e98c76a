package quickjs_test

import (
	"io"
	"testing"
	"time"

	"github.com/agentrt/agentrt/benchmarks/synthetic"
	"github.com/agentrt/agentrt/quickjs"
)

func benchEngine(b *testing.B) *quickjs.Engine {
	return newEngine(b, quickjs.NewConfig().WithOps(testOps()))
}

func BenchmarkNewInstance(b *testing.B) {
	s := newSnapshot(b, benchEngine(b), synthetic.Library(450))
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
	s := newSnapshot(b, benchEngine(b), synthetic.Library(450))
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
	s := newSnapshot(b, benchEngine(b), synthetic.Library(450))
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
	source := synthetic.Library(450)
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

// BenchmarkProfiler is a workload of calls, objects, strings and numbers, without
// and with the profiler at its default period and at the shortest.
func BenchmarkProfiler(b *testing.B) {
	e := benchEngine(b)
	i := newInstance(b, newSnapshot(b, e, `
		const fib = (n) => n < 2 ? n : fib(n - 1) + fib(n - 2);
		const words = (n) => { let s = ""; for (let k = 0; k < n; k++) s += String.fromCharCode(97 + k % 26); return s; };
		export const work = () => {
			const all = [];
			for (let k = 0; k < 2000; k++) all.push({ k, text: words(20), half: k / 2 });
			return fib(18) + JSON.stringify(all.sort((a, b) => b.k - a.k)).length;
		};`))
	for name, period := range map[string]time.Duration{"off": 0, "1ms": time.Millisecond, "100us": 100 * time.Microsecond} {
		b.Run(name, func(b *testing.B) {
			if period > 0 {
				p, err := e.StartProfiler(period)
				if err != nil {
					b.Fatal(err)
				}
				defer p.Stop(io.Discard)
			}
			for b.Loop() {
				if _, err := i.Call(b.Context(), "main.js", "work", nil, nil); err != nil {
					b.Fatal(err)
				}
				if err := i.Reset(b.Context()); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
