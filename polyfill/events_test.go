package polyfill_test

import (
	"testing"

	"github.com/agentrt/agentrt/internal/jstest"
	"github.com/agentrt/agentrt/quickjs"
)

func TestEvents(t *testing.T) {
	var reported []string
	jstest.Run(t, jstest.Env{
		Setup: `
			import { Event, EventTarget, CustomEvent, ErrorEvent, MessageEvent, defineEventHandler, dispatchTrusted } from "./polyfill/events.ts";
			import { AbortController } from "./polyfill/abort.ts";
			import { reportError } from "./polyfill/reporterror.ts";
			class Source extends EventTarget {}
			defineEventHandler(Source.prototype, "ping");
			function log(fn) { const out = []; fn(out, new Source()); return out; }
		`,
		Uncaught: func(u quickjs.Uncaught) { reported = append(reported, u.Kind+" "+u.Err.Error()) },
	}, []jstest.Case{
		{`log((o, t) => { t.addEventListener("a", () => o.push("bubble")); t.addEventListener("a", () => o.push("capture"), true); t.addEventListener("a", { handleEvent(e) { o.push(this === e ? 0 : e.type) } }); t.dispatchEvent(new Event("a")); })`, `["capture","bubble","a"]`},
		{`log((o, t) => { const f = () => o.push(1); t.addEventListener("a", f); t.addEventListener("a", f, {}); t.addEventListener("a", f, true); t.dispatchEvent(new Event("a")); t.removeEventListener("a", f); t.dispatchEvent(new Event("a")); })`, `[1,1,1]`},
		{`log((o, t) => { t.addEventListener("a", () => o.push("once"), { once: true }); t.dispatchEvent(new Event("a")); t.dispatchEvent(new Event("a")); })`, `["once"]`},
		{`log((o, t) => { const c = new AbortController(); t.addEventListener("a", () => o.push(1), { signal: c.signal }); t.dispatchEvent(new Event("a")); c.abort(); t.dispatchEvent(new Event("a")); t.addEventListener("a", () => o.push(2), { signal: c.signal }); t.dispatchEvent(new Event("a")); })`, `[1]`},
		{`log((o, t) => { t.addEventListener("a", (e) => { e.preventDefault(); o.push(e.defaultPrevented) }, { passive: true }); t.addEventListener("a", (e) => { e.preventDefault(); o.push(e.defaultPrevented) }); o.push(t.dispatchEvent(new Event("a", { cancelable: true }))); })`, `[false,true,false]`},
		{`log((o, t) => { t.addEventListener("a", () => { throw new RangeError("in a listener") }); t.addEventListener("a", () => o.push("goes on")); o.push(t.dispatchEvent(new Event("a"))); })`, `["goes on",true]`},
		{`log((o, t) => { t.addEventListener("a", (e) => { o.push(1); e.stopImmediatePropagation() }); t.addEventListener("a", () => o.push(2)); t.dispatchEvent(new Event("a")); })`, `[1]`},
		{`log((o, t) => { t.addEventListener("a", (e) => e.stopPropagation(), true); t.addEventListener("a", () => o.push(2)); t.dispatchEvent(new Event("a")); })`, `[]`},
		{`log((o, t) => { const g = () => o.push("removed"); t.addEventListener("a", () => { t.removeEventListener("a", g); t.addEventListener("a", () => o.push("late")) }); t.addEventListener("a", g); t.dispatchEvent(new Event("a")); })`, `[]`},
		{`log((o, t) => { t.addEventListener("a", (e) => { o.push(e.target === t, e.currentTarget === t, e.eventPhase, e.composedPath().length, e.isTrusted); try { t.dispatchEvent(e) } catch (x) { o.push(x.name) } }); const e = new Event("a"); t.dispatchEvent(e); o.push(e.target === t, e.currentTarget, e.eventPhase, e.composedPath().length) })`, `[true,true,2,1,false,"InvalidStateError",true,null,0,0]`},
		{`log((o, t) => { t.onping = () => o.push("first"); t.addEventListener("ping", () => o.push("second")); t.onping = function (e) { o.push(this === t); return false }; o.push(t.dispatchEvent(new Event("ping", { cancelable: true }))); t.onping = null; o.push(t.onping); t.dispatchEvent(new Event("ping")) })`, `[true,"second",false,null,"second"]`},
		{`log((o, t) => { t.addEventListener("a", (e) => o.push(e.isTrusted)); const e = new Event("a"); dispatchTrusted(t, e) })`, `[true]`},
		{`new CustomEvent("x", { detail: { a: 1 } }).detail`, `{"a":1}`},
		{`[new CustomEvent("x").detail, String(new CustomEvent("x")), Event.AT_TARGET, new Event("x").NONE]`, `[null,"[object CustomEvent]",2,0]`},
		{`(({ message, lineno, error, filename }) => [message, lineno, error, filename])(new ErrorEvent("error", { message: "m", lineno: 3, error: 7 }))`, `["m",3,7,""]`},
		{`(({ data, origin, ports }) => [data, origin, ports])(new MessageEvent("message", { data: [1] }))`, `[[1],"",[]]`},
		{`new EventTarget().dispatchEvent({ type: "a" })`, `"throws TypeError: dispatchEvent() takes an Event"`},
		{`new EventTarget().addEventListener("a", 1)`, `"throws TypeError: The listener is neither a function nor an object"`},
		{`new Event()`, `"throws TypeError: Event() needs 1 argument, but got 0"`},
		{`(new EventTarget().addEventListener("a", null), "null is allowed")`, `"null is allowed"`},
		{`Object.keys(EventTarget.prototype)`, `["addEventListener","removeEventListener","dispatchEvent"]`},
		{`(reportError(new Error("reported")), await null, 1)`, `1`},
	})
	want := []string{"exception RangeError: in a listener", "exception Error: reported"}
	if len(reported) != 2 || reported[0] != want[0] || reported[1] != want[1] {
		t.Errorf("reported %q, want %q", reported, want)
	}
}

func TestAbort(t *testing.T) {
	jstest.Run(t, jstest.Env{Ops: platformOps(), Setup: `
		import { AbortController, AbortSignal, addAbortAlgorithm, removeAbortAlgorithm, isAbortSignal } from "./polyfill/abort.ts";
		import { Event } from "./polyfill/events.ts";
	`}, []jstest.Case{
		{`(() => { const c = new AbortController(), o = []; c.signal.onabort = (e) => o.push(e.type, e.isTrusted, e.bubbles); addAbortAlgorithm(c.signal, () => o.push("algorithm")); c.abort(); c.abort(); return [...o, c.signal.aborted, c.signal.reason.name, c.signal.reason instanceof DOMException] })()`, `["algorithm","abort",true,false,true,"AbortError",true]`},
		{`(() => { const c = new AbortController(), o = [], f = () => o.push(1); addAbortAlgorithm(c.signal, f); removeAbortAlgorithm(c.signal, f); c.abort("why"); return [o, c.signal.reason] })()`, `[[],"why"]`},
		{`AbortSignal.abort("x").throwIfAborted()`, `"throws x"`},
		{`new AbortController().signal.throwIfAborted()`, `null`},
		{`(async () => { const s = AbortSignal.timeout(1); await new Promise((r) => (s.onabort = r)); return [s.aborted, s.reason.name, s.reason.code] })()`, `[true,"TimeoutError",23]`},
		{`AbortSignal.timeout(-1)`, `"throws TypeError: AbortSignal.timeout()'s time is outside of 0 to 9007199254740991"`},
		{`(() => { const a = new AbortController(), b = new AbortController(), o = []; const s = AbortSignal.any([a.signal, b.signal]), d = AbortSignal.any([s]); s.onabort = () => o.push("s", d.aborted); d.onabort = () => o.push("d"); a.signal.onabort = () => o.push("a", s.aborted); a.abort(1); b.abort(2); return [o, s.reason, d.reason] })()`, `[["a",true,"s",true,"d"],1,1]`},
		{`[AbortSignal.any([]).aborted, AbortSignal.any([AbortSignal.abort(5)]).reason]`, `[false,5]`},
		{`AbortSignal.any([1])`, `"throws TypeError: AbortSignal.any() takes a sequence of AbortSignals"`},
		{`new AbortSignal()`, `"throws TypeError: Illegal constructor: use new AbortController().signal, AbortSignal.timeout() or AbortSignal.any()"`},
		{`[isAbortSignal(AbortSignal.abort()), isAbortSignal({ aborted: true }), String(AbortSignal.abort())]`, `[true,false,"[object AbortSignal]"]`},
	})
}
