package main

import (
	"context"
	"errors"
	"testing"

	"github.com/agentrt/agentrt/hostfn"
	"github.com/agentrt/agentrt/quickjs"
)

// newPlatform returns an instance that has the platform and the source as module "test".
func newPlatform(t testing.TB, source string) *quickjs.Instance {
	t.Helper()
	bundle, err := platform("../..")
	if err != nil {
		t.Fatal(err)
	}
	ops := quickjs.NewOps()
	hostfn.Register(ops)
	var uncaught []error
	e, err := quickjs.New(t.Context(), quickjs.NewConfig().WithOps(ops).WithUncaught(func(_ context.Context, u quickjs.Uncaught) {
		uncaught = append(uncaught, u.Err)
	}).WithCPULimit(0))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(append(uncaught, e.Close(context.Background()))...); err != nil {
			t.Error(err)
		}
	})
	s, err := e.NewSnapshot(t.Context(), func(ctx context.Context, i *quickjs.Instance) error {
		if err := i.EvalModule(ctx, "agentrt:platform", bundle); err != nil {
			return err
		}
		return i.EvalModule(ctx, "test", source)
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	i, err := s.NewInstance(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { i.Close() })
	return i
}

// TestPollution replaces built-ins after the platform has been loaded: streams
// and codecs must neither break nor show their inner workings.
func TestPollution(t *testing.T) {
	i := newPlatform(t, `
export async function run() {
  let touched = [];
  const note = (key) => { touched[touched.length] = key; };
  const trap = (object, key) => {
    const old = object[key];
    Object.defineProperty(object, key, { configurable: true, writable: true, value: function (...args) { note(key); return old.apply(this, args); } });
    return () => Object.defineProperty(object, key, { configurable: true, writable: true, value: old });
  };
  const typed = Object.getPrototypeOf(Uint8Array.prototype);
  const undo = [[Promise, "resolve"], [Promise, "reject"], [Array.prototype, "push"], [Array.prototype, "shift"], [Map.prototype, "get"], [WeakMap.prototype, "get"],
    [ArrayBuffer.prototype, "transfer"], [ArrayBuffer.prototype, "slice"], [typed, "set"], [typed, "subarray"], [String, "fromCharCode"], [String.prototype, "charCodeAt"],
    [String.prototype, "slice"], [String.prototype, "toLowerCase"]].map(([o, k]) => trap(o, k));
  for (const key of ["start", "pull", "type", "highWaterMark", "size", "mode", "signal", "preventCancel", "stream", "fatal", "min", "chunk", "value2"]) {
    Object.defineProperty(Object.prototype, key, { configurable: true, get() { note(key); return undefined; }, set() { note("set " + key); } });
  }
  const real = Promise;
  globalThis.Promise = class { constructor() { note("Promise"); } };
  globalThis.queueMicrotask = () => note("queueMicrotask");
  globalThis.Uint8Array = class { constructor() { note("Uint8Array"); } };
  const own = { __proto__: null };
  const texts = ["a", "\u{1F680}", "z"];
  const source = new ReadableStream({ __proto__: null, pull(c) { texts.length ? c.enqueue(texts.shift()) : c.close(); } }, { __proto__: null, highWaterMark: 0 });
  touched = [];
  const [left, right] = source.pipeThrough(new TextEncoderStream()).tee();
  const decoded = left.pipeThrough(new TextDecoderStream("latin1")).pipeThrough(new TextEncoderStream()).pipeThrough(new TextDecoderStream());
  const other = right.pipeTo(new WritableStream());
  const reader = decoded.getReader();
  let text = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    text += value;
  }
  await other;
  const seen = touched.filter((key) => key !== "shift" && key !== "push");
  globalThis.Promise = real;
  for (const f of undo) f();
  if (text !== "a\u00f0\u0178\u0161\u20acz") throw new Error("got " + text);
  if (seen.length) throw new Error("touched " + seen);
}`)
	if _, err := i.Call(t.Context(), "test", "run", nil, nil); err != nil {
		t.Fatal(err)
	}
}

// TestAsyncContext: callbacks of a transform see the context of the write that
// they serve, also when it had to wait for backpressure.
func TestAsyncContext(t *testing.T) {
	i := newPlatform(t, `
const storage = new AsyncLocalStorage();
export async function run() {
  const seen = [];
  const { readable, writable } = new TransformStream({ transform(chunk, c) { seen.push(chunk + storage.getStore()); c.enqueue(chunk); } });
  const writer = writable.getWriter();
  const settled = () => new Promise((done) => setTimeout(done, 1));
  await settled();
  storage.run("A", () => { writer.write("1"); });
  await settled();
  const reader = readable.getReader();
  await storage.run("B", () => reader.read());
  await settled();
  storage.run("C", () => { writer.write("2"); });
  await storage.run("D", async () => { await reader.read(); if (storage.getStore() !== "D") throw new Error("the reader lost its context"); });
  if (seen.join() !== "1A,2C") throw new Error("saw " + seen);
}`)
	if _, err := i.Call(t.Context(), "test", "run", nil, nil); err != nil {
		t.Fatal(err)
	}
}

// TestLongStream: what a stream needs does not grow with the number of its chunks.
func TestLongStream(t *testing.T) {
	i := newPlatform(t, `
export async function run(chunks) {
  let n = 0, sum = 0;
  const payload = "x".repeat(1024);
  const source = new ReadableStream({ pull(c) { if (n++ === chunks) c.close(); else c.enqueue(payload + n); } }, { highWaterMark: 10 });
  const [a, b] = source.pipeThrough(new TransformStream({}, { highWaterMark: 3 }, { highWaterMark: 5 })).tee();
  await Promise.all([a, b].map((s) => s.pipeTo(new WritableStream({ write(chunk) { sum += chunk.length > 1024 ? 1 : 0; } }))));
  if (sum !== 2 * chunks) throw new Error(sum + " chunks arrived");
}`)
	// All chunks together are larger than the memory of the instance.
	if _, err := i.Call(t.Context(), "test", "run", []byte("140000"), nil); err != nil {
		t.Fatal(err)
	}
}

// TestDecoderSplits: however bytes are cut into chunks, the text is the same.
func TestDecoderSplits(t *testing.T) {
	i := newPlatform(t, `
const lead = [0x41, 0x7f, 0x80, 0xbf, 0xc0, 0xc2, 0xdf, 0xe0, 0xe1, 0xed, 0xef, 0xf0, 0xf1, 0xf4, 0xf5, 0xff, 0x90, 0xa0, 0x8f, 0x9f, 0xbb, 0xd8, 0xdc, 0x00];
export function run() {
  for (const label of ["utf-8", "utf-16le", "utf-16be", "latin1"]) {
    for (let round = 0; round < 1500; round++) {
      const bytes = Uint8Array.from({ length: 1 + Math.random() * 12 }, () => lead[Math.floor(Math.random() * lead.length)]);
      const whole = new TextDecoder(label).decode(bytes);
      const decoder = new TextDecoder(label);
      let text = "", early = "";
      for (let at = 0; at < bytes.length;) {
        const end = at + 1 + Math.floor(Math.random() * 3);
        text += decoder.decode(bytes.subarray(at, end), { stream: true });
        at = end;
      }
      text += decoder.decode();
      if (text !== whole) throw new Error(label + " [" + bytes + "] " + JSON.stringify(whole) + " in pieces " + JSON.stringify(text));
      let fatal = false;
      try { new TextDecoder(label, { fatal: true }).decode(bytes); } catch (e) { fatal = e instanceof TypeError; }
      if (fatal !== (whole.includes("\ufffd") && label !== "latin1") && !(label.startsWith("utf-16"))) throw new Error(label + " fatal [" + bytes + "]");
    }
  }
}`)
	if _, err := i.Call(t.Context(), "test", "run", nil, nil); err != nil {
		t.Fatal(err)
	}
}
