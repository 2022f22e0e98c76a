package quickjs_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/agentrt/agentrt/quickjs"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m)
}

// cacheDir is shared by the tests of this process: the module compiles once.
var cacheDir = filepath.Join(os.TempDir(), "agentrt-test-cache")

func newEngine(t testing.TB, config quickjs.Config) *quickjs.Engine {
	t.Helper()
	e, err := quickjs.New(t.Context(), config.WithCacheDir(cacheDir))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := e.Close(ctx); err != nil {
			t.Error(err)
		}
	})
	return e
}

func newSnapshot(t testing.TB, e *quickjs.Engine, source string) *quickjs.Snapshot {
	t.Helper()
	s, err := e.NewSnapshot(t.Context(), func(ctx context.Context, i *quickjs.Instance) error {
		return i.EvalModule(ctx, "main.js", source)
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func newInstance(t testing.TB, s *quickjs.Snapshot) *quickjs.Instance {
	t.Helper()
	i, err := s.NewInstance(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := i.Close(); err != nil {
			t.Error(err)
		}
	})
	return i
}

func call(t testing.TB, i *quickjs.Instance, export, head string) string {
	t.Helper()
	var h []byte
	if head != "" {
		h = []byte(head)
	}
	r, err := i.Call(t.Context(), "main.js", export, h, nil)
	if err != nil {
		t.Fatalf("%s(%s): %v", export, head, err)
	}
	return string(r.Head)
}

// memories runs a test with copy-on-write and with copied memory.
func memories(t *testing.T, test func(t *testing.T, config quickjs.Config)) {
	for name, copying := range map[string]bool{"mapped": false, "copying": true} {
		t.Run(name, func(t *testing.T) { test(t, quickjs.NewConfig().WithCopyingMemory(copying)) })
	}
}

func TestLanguage(t *testing.T) {
	s := newSnapshot(t, newEngine(t, quickjs.NewConfig()), `
		export const add = ({ a, b }) => a + b;
		export async function later(x) { await null; return { x, type: typeof x }; }
		export function* gen() { yield 1; yield 2; }
		export const list = () => [...gen()];
		export const proxy = () => new Proxy({}, { get: (_, k) => k.toUpperCase() }).hello;
		export async function asyncGen() {
			async function* g() { yield 1; await null; yield 2; }
			const out = []; for await (const v of g()) out.push(v); return out;
		}
		export const order = async () => {
			const out = [];
			setTimeout(() => out.push("timer"), 0);
			queueMicrotask(() => out.push("micro"));
			Promise.resolve().then(() => out.push("then"));
			out.push("sync");
			await new Promise((r) => setTimeout(r, 5));
			return out;
		};
		export const weak = async () => {
			const ref = new WeakRef({ a: 1 });
			const kept = ref.deref() !== undefined;   // KeepDuringJob
			await new Promise((r) => setTimeout(r, 0));
			return [kept, ref.deref() === undefined];
		};
		const als = new AsyncLocalStorage();
		export const storage = async () => {
			const seen = async (tag) => {
				const out = [als.getStore()];
				await null; out.push(als.getStore());
				await new Promise((r) => setTimeout(r, 1)); out.push(als.getStore());
				await Promise.resolve().then(() => out.push(als.getStore()));
				return out.every((v) => v === tag) && out.length === 4;
			};
			const inside = await Promise.all([1, 2, 3].map((n) => als.run(n, seen, n)));
			return [...inside, als.getStore() === undefined];
		};
		export const undef = () => undefined;
		export const regexp = () => "2026-11-24".replace(/(?<y>\d+)-(?<m>\d+)/u, "$<m>.$<y>");
		export const big = () => String(2n ** 100n);
	`)
	i := newInstance(t, s)
	for _, c := range []struct{ export, head, want string }{
		{"add", `{"a":1,"b":2}`, `3`},
		{"later", `"x"`, `{"x":"x","type":"string"}`},
		{"list", ``, `[1,2]`},
		{"proxy", ``, `"HELLO"`},
		{"asyncGen", ``, `[1,2]`},
		{"order", ``, `["sync","micro","then","timer"]`},
		{"weak", ``, `[true,true]`},
		{"storage", ``, `[true,true,true,true]`},
		{"undef", ``, ``},
		{"regexp", ``, `"11.2026-24"`},
		{"big", ``, `"1267650600228229401496703205376"`},
	} {
		if got := call(t, i, c.export, c.head); got != c.want {
			t.Errorf("%s(%s) = %s, want %s", c.export, c.head, got, c.want)
		}
	}
}

func TestErrors(t *testing.T) {
	s := newSnapshot(t, newEngine(t, quickjs.NewConfig()), `
		export function boom() { throw new TypeError("bad", { cause: new RangeError("deep") }); }
		export function text() { throw "plain"; }
		export function never() { return new Promise(() => {}); }
		export function cyclic() { const a = {}; a.a = a; return a; }
		export function recurse() { return recurse(); }
		export class MyError extends Error { name = "MyError"; code = "E_MINE"; status = 418; }
		export async function mine() { await null; throw new MyError("async"); }
		export const notFunction = 1;
	`)
	i := newInstance(t, s)
	for _, c := range []struct{ export, name, message string }{
		{"boom", "TypeError", "bad"}, {"text", "", "plain"}, {"cyclic", "TypeError", ""},
		{"recurse", "RangeError", "Maximum call stack size exceeded"}, {"mine", "MyError", "async"},
		{"notFunction", "TypeError", "module 'main.js' exports no function 'notFunction'"},
		{"absent", "TypeError", "module 'main.js' exports no function 'absent'"},
	} {
		_, err := i.Call(t.Context(), "main.js", c.export, nil, nil)
		js, ok := errors.AsType[*quickjs.JSError](err)
		if !ok || js.Name != c.name || (c.message != "" && js.Message != c.message) {
			t.Errorf("%s: %v, want %s: %s", c.export, err, c.name, c.message)
			continue
		}
		if js.Name != "" && !strings.HasPrefix(js.Stack, js.Error()) && c.export != "mine" {
			t.Errorf("%s: the stack does not start with the head: %q", c.export, js.Stack)
		}
		switch c.export {
		case "boom":
			if js.Cause == nil || js.Cause.Name != "RangeError" || !strings.Contains(js.Stack, "main.js:2:") {
				t.Errorf("boom: cause %v, stack %q", js.Cause, js.Stack)
			}
		case "mine":
			if js.Code != "E_MINE" || js.Status != 418 {
				t.Errorf("mine: code %q, status %d", js.Code, js.Status)
			}
		}
	}
	if _, err := i.Call(t.Context(), "main.js", "never", nil, nil); !errors.Is(err, quickjs.ErrStalled) {
		t.Errorf("never: %v", err)
	}
	if _, err := i.Call(t.Context(), "other.js", "f", nil, nil); err == nil || !strings.Contains(err.Error(), "not loaded") {
		t.Errorf("missing module: %v", err)
	}
	err := i.EvalModule(t.Context(), "syntax.js", "let x = ;")
	if js, ok := errors.AsType[*quickjs.JSError](err); !ok || js.Name != "SyntaxError" || !strings.Contains(js.Stack, "syntax.js:1") {
		t.Errorf("syntax error: %v", err)
	}
}
