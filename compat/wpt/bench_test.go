package main

import (
	"context"
	"testing"

	"github.com/agentrt/agentrt/hostfn"
	"github.com/agentrt/agentrt/quickjs"
)

const benchmarks = `
const drain = async (stream) => {
  const reader = stream.getReader();
  let n = 0;
  for (;;) {
    const { done } = await reader.read();
    if (done) return n;
    n++;
  }
};
const source = (count) => {
  let n = 0;
  return new ReadableStream({ pull(c) { if (n++ === count) c.close(); else c.enqueue(n); } });
};
const chunk = new TextEncoder().encode("data: {\"choices\":[{\"delta\":{\"content\":\" token\"}}]}\n\n");
const bytes = (count) => {
  let n = 0;
  return new ReadableStream({ pull(c) { if (n++ === count) c.close(); else c.enqueue(chunk); } });
};
const nothing = async (n) => { for (let i = 0; i <= n; i++) await { value: i, done: false }; return n; };
const cases = {
  await: nothing,
  pull: (n) => drain(source(n)),
  transform: (n) => drain(source(n).pipeThrough(new TransformStream())),
  transformer: (n) => drain(source(n).pipeThrough(new TransformStream({ transform(chunk, c) { c.enqueue(chunk); } }))),
  iterate: async (n) => { let k = 0; for await (const _ of source(n)) k++; return k; },
  tee: async (n) => { const [a, b] = source(n).tee(); return (await Promise.all([drain(a), drain(b)]))[0]; },
  decode: (n) => drain(bytes(n).pipeThrough(new TextDecoderStream())),
  async write(n) {
    let k = 0;
    const writer = new WritableStream({ write() { k++; } }).getWriter();
    for (let i = 0; i < n; i++) { await writer.ready; writer.write(i); }
    await writer.close();
    return k;
  },
};
export const run = async ({ name, chunks }) => {
  const n = await cases[name](chunks);
  if (n !== chunks) throw new Error(name + " saw " + n + " chunks");
};
`

// BenchmarkStreams reports the time of one chunk within streams of 1,000.
func BenchmarkStreams(b *testing.B) {
	bundle, err := platform("../..")
	if err != nil {
		b.Fatal(err)
	}
	ops := quickjs.NewOps()
	hostfn.Register(ops)
	e, err := quickjs.New(b.Context(), quickjs.NewConfig().WithOps(ops).WithCPULimit(0))
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = e.Close(context.Background()) }()
	s, err := e.NewSnapshot(b.Context(), func(ctx context.Context, i *quickjs.Instance) error {
		if err := i.EvalModule(ctx, "agentrt:platform", bundle); err != nil {
			return err
		}
		return i.EvalModule(ctx, "bench", benchmarks)
	})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	i, err := s.NewInstance(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	defer i.Close()
	for _, name := range []string{"await", "pull", "transform", "transformer", "iterate", "tee", "decode", "write"} {
		b.Run(name, func(b *testing.B) {
			head := []byte(`{"name":"` + name + `","chunks":1000}`)
			for b.Loop() {
				if _, err := i.Call(b.Context(), "bench", "run", head, nil); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/1000, "us/chunk")
		})
	}
}
