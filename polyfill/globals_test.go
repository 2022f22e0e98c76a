package polyfill_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/agentrt/agentrt/internal/jstest"
	"github.com/agentrt/agentrt/polyfill"
	"github.com/agentrt/agentrt/quickjs"
	"github.com/evanw/esbuild/pkg/api"
)

func TestGlobals(t *testing.T) {
	jstest.Run(t, jstest.Env{Platform: true, Ops: platformOps()}, []jstest.Case{
		{`[typeof __host, self === globalThis, global === globalThis, typeof window, typeof document, typeof importScripts, typeof WorkerGlobalScope]`, `["undefined",true,true,"undefined","undefined","undefined","undefined"]`},
		{`Object.keys(globalThis)`, `[]`},
		{`globalThis[Symbol.for("ls:tracing_async_local_storage")] instanceof AsyncLocalStorage`, `true`},
		{`[typeof process.versions, Object.prototype.toString.call(process), typeof process.env, Object.keys(process)]`, `["undefined","[object Object]","object",["env","nextTick"]]`},
		{`new Promise((r) => process.nextTick((...a) => r(a), 1, 2))`, `[1,2]`},
		{`process.nextTick(1)`, `"throws TypeError: The callback of process.nextTick() must be a function"`},
		{`[navigator.userAgent, navigator.hardwareConcurrency, navigator.language, navigator.languages, String(navigator), navigator instanceof Navigator]`, `["agentrt/0.1",1,"en",["en"],"[object Navigator]",true]`},
		{`new Navigator()`, `"throws TypeError: Illegal constructor: use the global navigator"`},
		{`(async () => { const o = []; const h = setImmediate(() => o.push("cleared")); clearImmediate(h); await new Promise((r) => { setImmediate((a, b) => { o.push(a, b); r() }, 1, 2); Promise.resolve().then(() => o.push("micro")) }); return o })()`, `["micro",1,2]`},
		{`setImmediate("x")`, `"throws TypeError: The callback of setImmediate() must be a function"`},
		{`[atob("YQ=="), btoa("a"), atob.name, btoa.length]`, `["a","YQ==","atob",1]`},
		{`atob()`, `"throws TypeError: atob() needs 1 argument, but got 0"`},
		{`btoa()`, `"throws TypeError: btoa() needs 1 argument, but got 0"`},
		{`setTimeout(() => {}, 0).unref?.()`, `null`},
	})
}

func TestPerformance(t *testing.T) {
	jstest.Run(t, jstest.Env{Platform: true, Ops: platformOps()}, []jstest.Case{
		{`[performance.now() > 0, performance.timeOrigin > 1e12, Object.keys(performance.toJSON()), String(performance), performance instanceof EventTarget]`, `[true,true,["timeOrigin"],"[object Performance]",true]`},
		{`(() => { const m = performance.mark("a", { startTime: 5, detail: { x: 1 } }); return [m.name, m.entryType, m.startTime, m.duration, m.detail, m instanceof PerformanceMark, m.toJSON()] })()`, `["a","mark",5,0,{"x":1},true,{"name":"a","entryType":"mark","startTime":5,"duration":0,"detail":{"x":1}}]`},
		{`(() => { performance.mark("b", { startTime: 9 }); const m = performance.measure("m", "a", "b"); return [m.startTime, m.duration, m.detail, performance.measure("n", { start: 1, duration: 2, detail: 3 }).duration, performance.measure("o", { end: "b", duration: 4 }).startTime, performance.measure("p").startTime] })()`, `[5,4,null,2,5,0]`},
		{`[performance.getEntriesByName("a").length, performance.getEntriesByType("measure").map((e) => e.name), performance.getEntriesByName("a", "measure").length]`, `[1,["p","n","m","o"],0]`},
		{`performance.measure("x", "none")`, `"throws SyntaxError: There is no mark \"none\""`},
		{`performance.measure("x", { start: 1, end: 2, duration: 3 })`, `"throws TypeError: measure()'s options take two of start, end and duration"`},
		{`performance.mark("x", { startTime: -1 })`, `"throws TypeError: A mark cannot start before the time origin"`},
		{`(() => { for (let i = 0; i < 1500; i++) performance.mark("m" + i); const n = performance.getEntries().length; performance.clearMarks(); performance.clearMeasures("m"); return [n, performance.getEntries().length] })()`, `[1000,0]`},
	})
}

func TestConsole(t *testing.T) {
	var lines []string
	jstest.Run(t, jstest.Env{Platform: true, Ops: platformOps(), Console: func(l quickjs.Level, text string) { lines = append(lines, string("DIWE"[l])+" "+text) }}, []jstest.Case{
		{`(console.debug("d"), console.log("a %s", "b", { x: [1, { y: 2 }] }), console.warn("w"), console.error(new Error("e").message), console.log())`, `null`},
		{`(console.group("g1"), console.log("in\nside"), console.groupCollapsed(), console.info("deeper"), console.groupEnd(), console.groupEnd(), console.groupEnd(), console.log("out"))`, `null`},
		{`(console.assert(true, "no"), console.assert(false), console.assert(false, "x %d", 1), console.assert(0, { a: 1 }))`, `null`},
		{`(console.count(), console.count("c"), console.count(), console.countReset(), console.count(), console.countReset("z"))`, `null`},
		{`(console.table([{ a: 1, b: "x" }, { a: 2, c: true }]), console.table([1, "y"]), console.table(5), console.table([{ a: 1, b: 2 }], ["b"]))`, `null`},
		{`(console.log({ get a() { throw 1 } }), console.log(new Proxy({}, { ownKeys() { throw new Error("trap") } })))`, `null`},
		{`(console.dir({ a: { b: { c: { d: 1 } } } }, { depth: 0 }), console.timeEnd("none"))`, `null`},
		{`(() => { const { log } = console; log("detached"); console.time("t"); console.time("t"); return String(console) })()`, `"[object console]"`},
	})
	want := strings.Split(`D d
I a b { x: [ 1, { y: 2 } ] }
W w
E e
I 
I g1
I   in
  side
I     deeper
I out
E Assertion failed
E Assertion failed: x 1
E Assertion failed { a: 1 }
I default: 1
I c: 1
I default: 2
I default: 1
W Count for 'z' does not exist
I ┌─────────┬───┬─────┬──────┐
│ (index) │ a │ b   │ c    │
├─────────┼───┼─────┼──────┤
│ 0       │ 1 │ 'x' │      │
│ 1       │ 2 │     │ true │
└─────────┴───┴─────┴──────┘
I ┌─────────┬────────┐
│ (index) │ Values │
├─────────┼────────┤
│ 0       │ 1      │
│ 1       │ 'y'    │
└─────────┴────────┘
I 5
I ┌─────────┬───┐
│ (index) │ b │
├─────────┼───┤
│ 0       │ 2 │
└─────────┴───┘
I { a: [Getter] }
I [a value that throws when shown: Error: trap]
I { a: [Object] }
W Timer 'none' does not exist
I detached
W Timer 't' already exists`, "\n")
	compareLines(t, strings.Join(lines, "\n"), strings.Join(want, "\n"))
}

// TestUnavailable imports every name of the modules that do nothing here.
func TestUnavailable(t *testing.T) {
	var names []string
	for name := range polyfill.NodeModules() {
		names = append(names, name)
	}
	slices.Sort(names)
	var setup strings.Builder
	setup.WriteString("const modules = {};\n")
	for n, name := range names {
		setup.WriteString("import * as m" + string(rune('a'+n/26)) + string(rune('a'+n%26)) + ` from "` + name + `"; modules["` + name + `"] = m` + string(rune('a'+n/26)) + string(rune('a'+n%26)) + ";\n")
	}
	setup.WriteString(`
		import { readFileSync, promises } from "fs"; import http, { Agent } from "node:http"; import { createRequire } from "module"; import { Worker } from "worker_threads"; import net from "net"; import process from "process";
		import CJSEvents from "./polyfill/testdata/cjs.cjs";
	`)
	jstest.Run(t, jstest.Env{Platform: true, Ops: platformOps(), Setup: setup.String(), Plugins: []api.Plugin{jstest.NodePlugin()}}, []jstest.Case{
		{`Object.entries(modules).filter(([, m]) => m.default === undefined).map(([n]) => n)`, `[]`},
		{`readFileSync("/etc/passwd")`, `"throws Error: fs.readFileSync is not available in agentrt: use pb.files for stored files, or import text and JSON so that the bundler includes them"`},
		{`(() => { try { promises.readFile() } catch (e) { return [e.code, e.message.slice(0, 30), readFileSync.name] } })()`, `["ERR_NOT_AVAILABLE","fs/promises.readFile is not av","readFileSync"]`},
		{`[new Agent({ keepAlive: true }) instanceof http.Agent, new (class extends Agent {})().on("x") instanceof Agent, http.STATUS_CODES[404], typeof http.globalAgent]`, `[true,true,"Not Found","object"]`},
		{`http.request("http://x")`, `"throws Error: http.request is not available in agentrt: use fetch"`},
		{`createRequire("file:///x")("lodash")`, `"throws Error: module.require is not available in agentrt: import modules statically, so that they become part of the bundle"`},
		{`new Worker("x").postMessage(1)`, `"throws Error: worker_threads.Worker.postMessage is not available in agentrt: use pb.jobs to run work beside a request"`},
		{`["1.2.3.4", "1.2.3.256", "::1", "fe80::1%eth0", "1.2.3", "", "::ffff:1.2.3.4", "g::"].map(net.isIP)`, `[4,0,6,6,0,0,6,0]`},
		{`process.exit(1)`, `"throws Error: process.exit is not available in agentrt: return from the handler, or throw"`},
		{`CJSEvents()`, `["function","function","function","function",true,true]`},
	})
}
