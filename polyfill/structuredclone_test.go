package polyfill_test

import (
	"testing"

	"github.com/agentrt/agentrt/internal/jstest"
)

func TestStructuredClone(t *testing.T) {
	jstest.Run(t, jstest.Env{Ops: platformOps(), Setup: `
		import { structuredClone } from "./polyfill/structuredclone.ts";
		import { Blob, File } from "./polyfill/blob.ts";
		import { EventTarget } from "./polyfill/events.ts";
		const c = structuredClone;
	`}, []jstest.Case{
		{`c({ a: [1, "x", null, { b: true }], u: undefined }).a`, `[1,"x",null,{"b":true}]`},
		{`(() => { const a = [1, , 3]; a.k = 4; const b = c(a); return [b.length, 1 in b, b.k, Object.keys(b)] })()`, `[3,false,4,["0","2","k"]]`},
		{`(() => { const o = { x: {} }; o.self = o; o.y = o.x; const d = c(o); return [d.self === d, d.x === d.y, d !== o] })()`, `[true,true,true]`},
		{`(() => { const m = new Map([[{ k: 1 }, new Set([1, "2"])]]); m.set("m", m); const d = c(m); return [d instanceof Map, [...d.keys()][0], [...[...d.values()][0]], d.get("m") === d] })()`, `[true,{"k":1},[1,"2"],true]`},
		{`[c(new Date(5)).getTime(), String(c(/a\/b/giy)), c(/a/g).lastIndex, String(c(10n)), typeof c(Object(10n)), c(Object("s")) instanceof String, c(new Boolean(false)).valueOf(), Object.is(c(new Number(-0)).valueOf(), -0)]`, `[5,"/a\\/b/giy",0,"10","object",true,false,true]`},
		{`(() => { const b = new ArrayBuffer(8), u = new Uint16Array(b, 2, 2), d = c({ b, u, v: new DataView(b, 1, 3) }); return [d.b !== b, d.u.buffer === d.b, d.u.byteOffset, d.u.length, d.v.byteLength, d.u.constructor.name] })()`, `[true,true,2,2,3,"Uint16Array"]`},
		{`(() => { const b = new Uint8Array([1, 2, 3]).buffer; const d = c({ b, u: new Uint8Array(b, 1), m: new Map([["u", new Uint8Array(b, 1)], ["z", 1]]), s: new Set([b]), l: [b] }, { transfer: [b] }); return [b.byteLength, b.detached, [...d.u], d.u.buffer === d.b, [...d.m.get("u")], [...d.m.keys()], d.s.has(d.b), d.l[0] === d.b, Object.keys(d)] })()`, `[0,true,[2,3],true,[2,3],["u","z"],true,true,["b","u","m","s","l"]]`},
		{`(() => { const b = new ArrayBuffer(4); return [c(b, { transfer: [b] }).byteLength, b.byteLength] })()`, `[4,0]`},
		{`(() => { const b = new ArrayBuffer(4); try { c([b, () => 1], { transfer: [b] }) } catch (e) { return [e.name, e.message, e.code, b.byteLength] } })()`, `["DataCloneError","The function (anonymous) cannot be cloned",25,4]`},
		{`(() => { const b = new ArrayBuffer(4); c(1, { transfer: [b, b] }) })()`, `"throws DataCloneError: The transfer list names an object twice"`},
		{`(() => { const b = new ArrayBuffer(4); b.transfer(); c(1, { transfer: [b] }) })()`, `"throws DataCloneError: An object that is to be transferred is detached"`},
		{`c(1, { transfer: [{}] })`, `"throws DataCloneError: Only an ArrayBuffer or a MessagePort can be transferred here"`},
		{`(() => { const b = new ArrayBuffer(4, { maxByteLength: 8 }), d = c(new Uint8Array(b)); return [d.buffer.resizable, d.buffer.maxByteLength, d.length] })()`, `[true,8,4]`},
		{`(() => { const e = new RangeError("m", { cause: { a: 1 } }); e.extra = 1; const d = c(e); return [d instanceof RangeError, d.message, d.cause, d.stack === e.stack, d.extra, Object.keys(d)] })()`, `[true,"m",{"a":1},true,null,[]]`},
		{`(() => { class X extends Error { name = "X" } const d = c(new X("m")); return [d.constructor === Error, d.name, d.message, "cause" in d] })()`, `[true,"Error","m",false]`},
		{`(() => { const d = c(new DOMException("m", "AbortError")); return [d instanceof DOMException, d.name, d.message, d.code] })()`, `[true,"AbortError","m",20]`},
		{`(() => { class P { a = 1; get b() { return 2 } } const d = c(new P()); return [d.constructor === Object, d] })()`, `[true,{"a":1}]`},
		{`(() => { const d = c(JSON.parse('{"__proto__": 1}')); return [Object.keys(d), Object.getPrototypeOf(d) === Object.prototype] })()`, `[["__proto__"],true]`},
		{`(async () => { const d = c([new File(["x"], "n", { type: "a/b", lastModified: 3 }), new Blob(["yz"])]); return [d[0] instanceof File, d[0].name, d[0].lastModified, await d[0].text(), await d[1].text()] })()`, `[true,"n",3,"x","yz"]`},
		{`c(Object.create(null, { a: { value: 1, enumerable: true }, b: { value: 2 } }))`, `{"a":1}`},
		{`c(Object.create(Date.prototype))`, `{}`},
		{`c(Symbol("s"))`, `"throws DataCloneError: Symbol(s) cannot be cloned"`},
		{`c({ f() {} })`, `"throws DataCloneError: The function f cannot be cloned"`},
		{`c(Promise.resolve())`, `"throws DataCloneError: A Promise cannot be cloned"`},
		{`c(new WeakMap())`, `"throws DataCloneError: A WeakMap cannot be cloned"`},
		{`c(new EventTarget())`, `"throws DataCloneError: An object of EventTarget cannot be cloned"`},
		{`c(Object(Symbol()))`, `"throws DataCloneError: A Symbol object cannot be cloned"`},
		{`c()`, `"throws TypeError: structuredClone() needs 1 argument, but got 0"`},
		{`c({ get a() { throw new Error("from a getter") } })`, `"throws Error: from a getter"`},
		{`(() => { let o = {}; for (let i = 0; i < 1e5; i++) o = { o }; try { c(o) } catch (e) { return e.name } })()`, `"RangeError"`},
	})
}
