package polyfill_test

import (
	"slices"
	"testing"

	"github.com/agentrt/agentrt/internal/jstest"
	"github.com/agentrt/agentrt/quickjs"
)

func TestGlobalEvents(t *testing.T) {
	var logged []string
	jstest.Run(t, jstest.Env{Platform: true, Ops: platformOps(), Uncaught: func(u quickjs.Uncaught) { logged = append(logged, u.Kind+" "+u.Err.Error()) },
		Setup: `
			const turn = () => new Promise((r) => setTimeout(r, 2));
			async function seen(type, cause, cancel) {
				const out = [];
				const f = (e) => { out.push(e); if (cancel) e.preventDefault(); };
				addEventListener(type, f);
				cause();
				await turn();
				removeEventListener(type, f);
				return out;
			}
		`}, []jstest.Case{
		{`[globalThis instanceof EventTarget, Object.keys(globalThis), onerror, onunhandledrejection, onrejectionhandled]`, `[true,[],null,null,null]`},
		{`(() => { const o = []; const f = function (e) { o.push(this === globalThis, e.target === globalThis, e.currentTarget === globalThis, e.composedPath()[0] === globalThis) }; addEventListener("x", f); dispatchEvent(new Event("x")); globalThis.removeEventListener("x", f); EventTarget.prototype.dispatchEvent.call(undefined, new Event("x")); return o })()`, `[true,true,true,true]`},
		{`EventTarget.prototype.addEventListener.call({}, "x", () => {})`, `"throws TypeError: Illegal invocation: this is not an EventTarget"`},
		// https://html.spec.whatwg.org/#report-an-exception
		{`(async () => { const [e] = await seen("error", () => reportError(new RangeError("r")), true); return [e.constructor.name, e.message, e.error.message, e.cancelable, e.isTrusted, e.lineno > 0, e.filename] })()`, `["ErrorEvent","Uncaught RangeError: r","r",true,true,true,"main.js"]`},
		{`(async () => (await seen("error", () => reportError("text"), true)).map((e) => [e.error, e.message, e.filename]))()`, `[["text","Uncaught text",""]]`},
		{`(async () => (await seen("error", () => setTimeout(() => { throw new Error("timer") }), true)).map((e) => e.error.message))()`, `["timer"]`},
		{`(async () => (await seen("error", () => queueMicrotask(() => { throw new Error("job") }), true)).map((e) => e.error.message))()`, `["job"]`},
		{`(async () => (await seen("error", () => { const t = new EventTarget(); t.addEventListener("a", () => { throw new Error("listener") }); t.dispatchEvent(new Event("a")) }, true)).map((e) => e.error.message))()`, `["listener"]`},
		{`(async () => (await seen("error", () => reportError(new Error("not cancelled")), false)).length)()`, `1`},
		{`(async () => { const o = []; onerror = (...a) => { o.push(a.length, a[0], a[4].message); return true }; reportError(new Error("by handler")); onerror = null; await turn(); return o })()`, `[5,"Uncaught Error: by handler","by handler"]`},
		{`(async () => { const o = []; addEventListener("error", () => { throw new Error("in the listener of errors") }, { once: true }); reportError(new Error("first")); await turn(); return o })()`, `[]`},
		// https://html.spec.whatwg.org/#unhandled-promise-rejections
		{`(async () => { let p; const [e] = await seen("unhandledrejection", () => { p = Promise.reject(new Error("rejected")) }, true); return [e.promise === p, e.reason.message, e.constructor.name, e.cancelable] })()`, `[true,"rejected","PromiseRejectionEvent",true]`},
		{`(async () => (await seen("unhandledrejection", () => Promise.reject(7).catch(() => {}), true)).length)()`, `0`},
		{`(async () => { const o = []; onunhandledrejection = (e) => { o.push(e.reason); return false }; onrejectionhandled = (e) => o.push("handled", e.promise === p); const p = Promise.reject(1); await turn(); p.catch(() => {}); await turn(); onunhandledrejection = onrejectionhandled = null; return o })()`, `[1,"handled",true]`},
		{`(async () => { Promise.reject(new Error("logged")); await turn() })()`, `null`},
		{`new PromiseRejectionEvent("x")`, `"throws TypeError: PromiseRejectionEvent() needs 2 arguments, but got 1"`},
		{`new PromiseRejectionEvent("x", {})`, `"throws TypeError: PromiseRejectionEvent()'s init has no promise"`},
	})
	want := []string{"exception Error: not cancelled", "exception Error: first", "exception Error: in the listener of errors", "rejection Error: logged"}
	slices.Sort(want)
	slices.Sort(logged)
	if !slices.Equal(logged, want) {
		t.Errorf("logged %q, want %q", logged, want)
	}
}

func TestQuotaExceededError(t *testing.T) {
	jstest.Run(t, jstest.Env{Platform: true, Ops: platformOps()}, []jstest.Case{
		{`(() => { const e = new QuotaExceededError("m", { quota: 1, requested: 2 }); return [e.name, e.message, e.code, e.quota, e.requested, e instanceof DOMException, e instanceof Error, String(e)] })()`, `["QuotaExceededError","m",22,1,2,true,true,"QuotaExceededError: m"]`},
		{`(() => { const e = new QuotaExceededError(); return [e.message, e.quota, e.requested] })()`, `["",null,null]`},
		{`new QuotaExceededError("", { quota: -1 })`, `"throws RangeError: QuotaExceededError()'s quota is negative"`},
		{`new QuotaExceededError("", { quota: 3, requested: 2 })`, `"throws RangeError: QuotaExceededError()'s requested is less than its quota"`},
		{`new QuotaExceededError("", { quota: Infinity })`, `"throws TypeError: QuotaExceededError()'s quota is not a finite number"`},
		{`(() => { const e = structuredClone(new QuotaExceededError("m", { quota: 1 })); return [e.constructor.name, e.quota, e.requested] })()`, `["QuotaExceededError",1,null]`},
		{`(() => { try { crypto.getRandomValues(new Uint8Array(65537)) } catch (e) { return [e instanceof QuotaExceededError, e.quota, e.requested] } })()`, `[true,null,null]`},
	})
}
