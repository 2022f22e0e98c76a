package main

import (
	"errors"
	"testing"

	"github.com/agentrt/agentrt/quickjs"
)

// TestStreamsAreCollected: streams that nobody holds are freed in every state,
// though their parts refer to each other.
func TestStreamsAreCollected(t *testing.T) {
	i := newPlatform(t, `
const never = () => new Promise(() => {});
const later = () => new Promise((done) => setTimeout(done, 0));
const chunk = () => new Uint8Array(512);
const source = (more) => new ReadableStream({ pull(c) { c.enqueue("x".repeat(100) + Math.random()); }, ...more });
const bytes = (more) => new ReadableStream({ type: "bytes", pull(c) { c.enqueue(chunk()); }, ...more });
const shapes = [
  () => source().getReader().read(),
  () => { source({ pull: () => never() }).getReader().read(); },
  () => source().pipeThrough(new TransformStream()).pipeThrough(new TransformStream({ transform: () => never() })),
  () => { source().pipeTo(new WritableStream({ write: () => never() })); },
  () => { source().pipeTo(new WritableStream({ write: () => never() }), { signal: new AbortController().signal }); },
  () => { const [a, b] = source().tee(); a.getReader().read(); b.cancel("one branch").catch(() => {}); },
  () => { const [a, b] = bytes().tee(); a.getReader({ mode: "byob" }).read(chunk()); b.getReader().read(); },
  () => bytes({ autoAllocateChunkSize: 64, pull: () => never() }).getReader().read(),
  () => bytes({ pull: () => never() }).getReader({ mode: "byob" }).read(new Uint16Array(64), { min: 3 }),
  () => bytes({ pull(c) { if (c.byobRequest !== null) c.byobRequest.respond(7); } }).getReader({ mode: "byob" }).read(chunk()),
  () => { source().values().next(); },
  () => { const it = source().values(); it.next(); it.next(); it.return(); },
  () => { ReadableStream.from(["a", never()]).getReader().read(); },
  () => { ReadableStream.from((async function* () { yield 1; await never(); })()).cancel(); },
  () => { const w = new WritableStream({ write: () => never() }).getWriter(); for (const p of [w.write(chunk()), w.write(chunk()), w.abort("enough"), w.closed]) p.catch(() => {}); },
  () => { const w = new WritableStream().getWriter(); w.write("x"); w.releaseLock(); },
  () => { const { readable, writable } = new TransformStream(); writable.getWriter().write("held"); readable.getReader(); },
  () => new ReadableStream({ start(c) { c.error(new Error("at once")); } }).pipeTo(new WritableStream()).catch(() => {}),
  () => { new ReadableStream({}, new ByteLengthQueuingStrategy({ highWaterMark: 5 })); new ReadableStream({ start: () => never() }); },
  () => { bytes().pipeThrough(new TextDecoderStream()).pipeThrough(new TextEncoderStream()).getReader().read(); },
];
export async function run(rounds) {
  for (let n = 0; n < rounds; n++) {
    for (const shape of shapes) {
      const p = shape();
      if (p instanceof Promise) p.catch(() => {});
    }
    if (n % 10 === 0) await later();
  }
  await later();
}`)
	var first uint64
	for n := range 12 {
		if _, err := i.Call(t.Context(), "test", "run", []byte("50"), nil); err != nil {
			t.Fatal(err)
		}
		if _, heap := i.Memory(); n == 3 {
			first = heap
		} else if n > 3 && heap > first*2 {
			t.Fatalf("the heap holds %d bytes after %d calls, %d after 4", heap, n+1, first)
		}
	}
}

// TestStreamsOutOfMemory: a queue that takes all memory ends the use with
// ErrMemoryLimit, wherever in the machinery the limit is met.
func TestStreamsOutOfMemory(t *testing.T) {
	for name, body := range map[string]string{
		"enqueue": `new ReadableStream({ start(c) { for (;;) c.enqueue(new Uint8Array(1000)); } })`,
		"write":   `const w = new WritableStream({ write: () => new Promise(() => {}) }).getWriter(); for (;;) w.write("x")`,
		"tee":     `for (const held = [];;) held.push(new ReadableStream().tee())`,
		"reads":   `const r = new ReadableStream().getReader(); for (;;) r.read()`,
	} {
		t.Run(name, func(t *testing.T) {
			i := newPlatform(t, "export function run() { "+body+"; }")
			if _, err := i.Call(t.Context(), "test", "run", nil, nil); !errors.Is(err, quickjs.ErrMemoryLimit) {
				t.Errorf("the error is %v", err)
			}
		})
	}
}
