package quickjs_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/agentrt/agentrt/quickjs"
)

type pair struct{ A, B int }

func testOps() *quickjs.Ops {
	ops := quickjs.NewOps()
	quickjs.Sync(ops, "add", func(_ context.Context, p pair) (int, error) { return p.A + p.B, nil })
	quickjs.Sync(ops, "fail", func(context.Context, quickjs.None) (quickjs.None, error) {
		return quickjs.None{}, &quickjs.HostError{Name: "TypeError", Message: "no", Code: "E_NO", Status: 400}
	})
	quickjs.Sync(ops, "nop", func(context.Context, quickjs.None) (quickjs.None, error) { return quickjs.None{}, nil })
	quickjs.Sync(ops, "echo", func(_ context.Context, b []byte) ([]byte, error) { return bytes.Clone(b), nil })
	quickjs.Async(ops, "echoLater", func(_ context.Context, m quickjs.Message[string]) (quickjs.Message[string], error) {
		return m, nil
	})
	quickjs.Async(ops, "nopLater", func(context.Context, quickjs.None) (quickjs.None, error) { return quickjs.None{}, nil })
	quickjs.Async(ops, "sleep", func(ctx context.Context, ms int) (int, error) {
		select {
		case <-time.After(time.Duration(ms) * time.Millisecond):
			return ms, nil
		case <-ctx.Done():
			return 0, ctx.Err()
		}
	})
	together := make(chan struct{})
	quickjs.Async(ops, "meet", func(ctx context.Context, _ quickjs.None) (string, error) {
		select {
		case together <- struct{}{}:
		case <-together:
		case <-ctx.Done():
			return "", ctx.Err()
		case <-time.After(20 * time.Second):
			return "alone", nil
		}
		return "met", nil
	})
	return ops
}

const hostSource = `
	const op = __host.op;
	const add = op("add"), fail = op("fail"), echo = op("echo"), echoLater = op("echoLater"), sleep = op("sleep"), nop = op("nop"), nopLater = op("nopLater");
	export const sum = (p) => add(p);
	export const failing = () => { try { fail(); } catch (e) { return [e instanceof TypeError, e.message, e.code, e.status, e.stack.split("\n")[0]]; } };
	export const missing = () => op("missing");
	export const echoing = (n) => { const b = new Uint8Array(n).fill(7); const r = new Uint8Array(echo(undefined, b)); return r.length === n && r.every((v) => v === 7); };
	export async function later(n) { const r = await echoLater("h".repeat(n), new Uint8Array(n).fill(9)); return [r.head.length, r.body.byteLength, new Uint8Array(r.body).every((v) => v === 9)]; }
	const meet = op("meet");
	export const parallel = () => Promise.all([meet(), meet()]);
	export async function cancelled() { const p = sleep(60000); __host.cancel(__host.callId()); return p.catch((e) => e.name); }
	export const pass = (head, body) => __host.reply(head, body);
	export const view = () => new Uint8Array([1, 2, 3]).subarray(1);
	export async function flood() { const all = []; for (let k = 0; k < 2000; k++) all.push(sleep(1)); const r = await Promise.allSettled(all); return [...new Set(r.map((x) => x.reason?.message ?? "ok"))]; }
	export function nops(n) { for (let k = 0; k < n; k++) nop(); }
	export async function nopsLater(n) { for (let k = 0; k < n; k++) await nopLater(); }
	export function echoes(n) { const b = new Uint8Array(65536); for (let k = 0; k < n; k++) echo(undefined, b); }
	export const timers = () => { try { for (;;) setTimeout(() => {}, 1e6); } catch (e) { return e.message; } };
	export const rejected = () => { Promise.reject(new Error("lost")); };
	export const thrown = async () => { setTimeout(() => { throw new Error("in timer"); }); await new Promise((r) => setTimeout(r, 2)); };
	export const log = () => { console.log("a %s c", "b", { x: [1, "2", null] }); console.error("x".repeat(100000)); };
	export const random = () => [Math.random(), String(__host.random(new Uint8Array(8))), performance.timeOrigin];
`

func TestHostCalls(t *testing.T) {
	memories(t, func(t *testing.T, config quickjs.Config) {
		i := newInstance(t, newSnapshot(t, newEngine(t, config.WithOps(testOps())), hostSource))
		for _, c := range []struct{ export, head, want string }{
			{"sum", `{"A":40,"B":2}`, `42`},
			{"failing", ``, `[true,"no","E_NO",400,"TypeError: no"]`},
			{"echoing", `10`, `true`}, {"echoing", `16384`, `true`}, {"echoing", `1000000`, `true`}, {"echoing", `0`, `true`},
			{"later", `10`, `[10,10,true]`}, {"later", `5000`, `[5000,5000,true]`}, {"later", `300000`, `[300000,300000,true]`},
			{"parallel", ``, `["met","met"]`},
			{"cancelled", ``, `"AbortError"`},
			{"flood", ``, `["ok","too many host calls in flight (limit 1024): await some of them first"]`},
		} {
			if got := call(t, i, c.export, c.head); got != c.want {
				t.Errorf("%s(%s) = %s, want %s", c.export, c.head, got, c.want)
			}
		}
		body := bytes.Repeat([]byte("0123456789"), 20_000)
		r, err := i.Call(t.Context(), "main.js", "pass", []byte(`{"k":1}`), body)
		if err != nil || string(r.Head) != `{"k":1}` || !bytes.Equal(r.Body, body) {
			t.Errorf("pass: %v", err)
		}
		r, err = i.Call(t.Context(), "main.js", "view", nil, nil)
		if err != nil || !bytes.Equal(r.Body, []byte{2, 3}) {
			t.Errorf("view: %v, %v", r, err)
		}
		if _, err := i.Call(t.Context(), "main.js", "missing", nil, nil); err == nil || !strings.Contains(err.Error(), `"missing"`) {
			t.Errorf("missing operation: %v", err)
		}
		if got := call(t, i, "timers", ""); !strings.Contains(got, "limit 10000") {
			t.Errorf("timers: %s", got)
		}
	})
}

func TestUncaughtAndConsole(t *testing.T) {
	var uncaught, lines []string
	config := quickjs.NewConfig().WithOps(testOps()).
		WithUncaught(func(_ context.Context, u quickjs.Uncaught) { uncaught = append(uncaught, u.Kind+": "+u.Err.Error()) }).
		WithConsole(func(_ context.Context, l quickjs.Level, s string) { lines = append(lines, fmt.Sprint(l, " ", s)) })
	i := newInstance(t, newSnapshot(t, newEngine(t, config), hostSource))
	call(t, i, "rejected", "")
	call(t, i, "thrown", "")
	if got := strings.Join(uncaught, "|"); got != "rejection: Error: lost|exception: Error: in timer" {
		t.Errorf("uncaught: %s", got)
	}
	call(t, i, "log", "")
	if len(lines) != 2 || lines[0] != `1 a b c { x: [ 1, "2", null ] }` || !strings.HasSuffix(lines[1], "... (34464 bytes more)") {
		t.Errorf("console: %.200q", lines)
	}
}

func TestTopLevel(t *testing.T) {
	e := newEngine(t, quickjs.NewConfig().WithOps(testOps()))
	for source, want := range map[string]string{
		`await __host.op("sleep")(1)`:  "move the call into a handler",
		`setTimeout(() => {}, 1000)`:   "pending work",
		`throw new Error("at load")`:   "at load",
		`import "other"`:               "imports are not available",
		`await new Promise(() => { })`: "never settle",
	} {
		_, err := e.NewSnapshot(t.Context(), func(ctx context.Context, i *quickjs.Instance) error {
			return i.EvalModule(ctx, "main.js", source)
		})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", source, err, want)
		}
	}
}

type files map[string]quickjs.Module

func (f files) Resolve(_ context.Context, base, specifier string) (string, error) {
	return strings.TrimPrefix(specifier, "./"), nil
}

func (f files) Load(_ context.Context, name, _ string) (quickjs.Module, error) {
	m, ok := f[name]
	if !ok {
		return m, errors.New("no such file")
	}
	return m, nil
}

func TestModules(t *testing.T) {
	e := newEngine(t, quickjs.NewConfig().WithBytecodeKey([]byte("key")).WithResolver(files{
		"lib.js":    {Source: []byte(`export const twice = (x) => 2 * x; export const url = import.meta.url;`)},
		"data.json": {Type: "json", Source: []byte(`{"a":[1,2]}`)},
		"note.txt":  {Type: "text", Source: []byte("hello")},
		"bad.js":    {Source: []byte("let = 1;")},
	}))
	source := `import { twice, url } from "./lib.js"; import data from "./data.json" with { type: "json" }; import note from "./note.txt" with { type: "text" };
		export const get = async () => [twice(21), url, data.a, note, (await import("./lib.js")).twice(1)];
		export const broken = () => import("./bad.js"); export const gone = () => import("./gone.js");`
	code, err := e.Compile(t.Context(), "main.js", source)
	if err != nil {
		t.Fatal(err)
	}
	s, err := e.NewSnapshot(t.Context(), func(ctx context.Context, i *quickjs.Instance) error { return i.EvalBytecode(ctx, "main.js", code) })
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	i := newInstance(t, s)
	if got := call(t, i, "get", ""); got != `[42,"lib.js",[1,2],"hello",2]` {
		t.Errorf("get() = %s", got)
	}
	for export, want := range map[string]string{"broken": "SyntaxError", "gone": "no such file"} {
		if _, err := i.Call(t.Context(), "main.js", export, nil, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", export, err)
		}
	}
	for name, damaged := range map[string][]byte{"flipped": flip(code), "short": code[:20], "empty": nil} {
		if err := i.EvalBytecode(t.Context(), "x.js", damaged); !errors.Is(err, quickjs.ErrBytecode) {
			t.Errorf("%s bytecode: %v", name, err)
		}
	}
}

func flip(code []byte) []byte {
	c := bytes.Clone(code)
	c[len(c)-1] ^= 1
	return c
}
