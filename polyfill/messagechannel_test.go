package polyfill_test

import (
	"testing"

	"github.com/agentrt/agentrt/internal/jstest"
)

func TestMessageChannel(t *testing.T) {
	jstest.Run(t, jstest.Env{Platform: true, Ops: platformOps(), Setup: `
		const turn = (ms = 2) => new Promise((r) => setTimeout(r, ms));
		const next = (port, type = "message") => new Promise((r) => port.addEventListener(type, r, { once: true }));
	`}, []jstest.Case{
		{`(async () => { const { port1, port2 } = new MessageChannel(), o = []; port2.onmessage = (e) => o.push(e.data, e.ports.length, e.isTrusted, e.target === port2); port1.postMessage({ a: [1] }); o.push("later"); await turn(); return o })()`, `["later",{"a":[1]},0,true,true]`},
		{`(async () => { const { port1, port2 } = new MessageChannel(), o = []; port2.addEventListener("message", (e) => { o.push(e.data); queueMicrotask(() => o.push("micro")) }); port1.postMessage(1); port1.postMessage(2); await turn(); o.push("start"); port2.start(); await turn(); return o })()`, `["start",1,"micro",2,"micro"]`},
		{`(async () => { const { port1, port2 } = new MessageChannel(); const value = { d: new Date(0) }; port1.postMessage(value); value.d = 1; port2.start(); return (await next(port2)).data.d.getTime() })()`, `0`},
		{`(async () => { const { port1, port2 } = new MessageChannel(); const b = new ArrayBuffer(4); port1.postMessage([b], [b]); port2.start(); return [b.detached, (await next(port2)).data[0].byteLength] })()`, `[true,4]`},
		{`(async () => { const a = new MessageChannel(), b = new MessageChannel(); b.port1.postMessage("before"); a.port1.postMessage({ p: b.port2 }, { transfer: [b.port2] }); a.port2.start(); const e = await next(a.port2); const p = e.data.p; const m = next(p); p.start(); return [e.ports[0] === p, p !== b.port2, (await m).data, b.port2.postMessage("nowhere")] })()`, `[true,true,"before",null]`},
		{`(() => { const { port1 } = new MessageChannel(); port1.postMessage(port1, [port1]) })()`, `"throws DataCloneError: A port cannot be sent through itself"`},
		{`(() => { const { port1, port2 } = new MessageChannel(); port1.postMessage(port2) })()`, `"throws DataCloneError: An object of MessagePort cannot be cloned"`},
		{`(() => { const { port1, port2 } = new MessageChannel(), other = new MessageChannel(); other.port1.postMessage(port2, [port2]); port1.postMessage(0, [port2]) })()`, `"throws DataCloneError: An object that is to be transferred is detached"`},
		{`(async () => { const { port1, port2 } = new MessageChannel(), o = []; port2.onmessage = (e) => o.push(e.data); port2.addEventListener("close", () => o.push("close")); port1.postMessage(1); port1.close(); port1.postMessage(2); await turn(); return o })()`, `[1,"close"]`},
		{`(async () => { const { port1, port2 } = new MessageChannel(), o = []; port2.onmessage = (e) => o.push(e.data); port1.postMessage(1); port2.close(); await turn(); return o })()`, `[]`},
		{`(() => { const { port1 } = new MessageChannel(); for (let i = 0; i <= 10000; i++) port1.postMessage(i) })()`, `"throws QuotaExceededError: 10000 messages wait at the other port: give it a listener and call start()"`},
		{`(async () => { const als = new AsyncLocalStorage(), { port1, port2 } = new MessageChannel(); als.run("x", () => { port2.onmessage = () => {} }); port1.postMessage(1); await turn(); return structuredClone(port1, { transfer: [port1] }) instanceof MessagePort })()`, `true`},
		{`new MessagePort()`, `"throws TypeError: Illegal constructor: use new MessageChannel()"`},
		{`[Object.keys(MessagePort.prototype).sort(), Object.keys(MessageChannel.prototype)]`, `[["close","onmessage","onmessageerror","postMessage","start"],["port1","port2"]]`},
	})
}

func TestPerformanceObserver(t *testing.T) {
	jstest.Run(t, jstest.Env{Platform: true, Ops: platformOps(), Setup: `const turn = () => new Promise((r) => setTimeout(r, 2));`}, []jstest.Case{
		{`(async () => { const o = []; const p = new PerformanceObserver((list, self, options) => o.push(list.getEntries().map((e) => e.name), self === p, options.droppedEntriesCount, list.getEntriesByType("mark").length, list.getEntriesByName("b", "mark").length)); p.observe({ entryTypes: ["mark", "unknown"] }); performance.mark("b", { startTime: 2 }); performance.mark("a", { startTime: 1 }); performance.measure("m"); await turn(); p.disconnect(); performance.mark("c"); await turn(); return o })()`, `[["a","b"],true,0,2,1]`},
		{`(async () => { performance.mark("early"); const o = []; const p = new PerformanceObserver((list) => o.push(...list.getEntries().map((e) => e.name))); p.observe({ type: "mark", buffered: true }); await turn(); p.disconnect(); return o.includes("early") })()`, `true`},
		{`(async () => { const o = []; const p = new PerformanceObserver((list, s, options) => o.push(list.getEntries().length, options)); p.observe({ type: "mark" }); for (let i = 0; i < 1500; i++) performance.mark("x"); await turn(); p.disconnect(); return o })()`, `[1000,{"droppedEntriesCount":500}]`},
		{`(() => { const p = new PerformanceObserver(() => {}); p.observe({ type: "mark" }); performance.mark("t"); return [p.takeRecords().length, p.takeRecords().length, p.disconnect()] })()`, `[1,0,null]`},
		{`new PerformanceObserver(() => {}).observe({})`, `"throws TypeError: observe() needs entryTypes or a type"`},
		{`(() => { const p = new PerformanceObserver(() => {}); p.observe({ type: "mark" }); p.observe({ entryTypes: ["mark"] }) })()`, `"throws InvalidModificationError: An observer keeps to either entryTypes or type"`},
		{`[PerformanceObserver.supportedEntryTypes, Object.isFrozen(PerformanceObserver.supportedEntryTypes)]`, `[["mark","measure"],true]`},
	})
}

func TestFileReader(t *testing.T) {
	jstest.Run(t, jstest.Env{Platform: true, Ops: platformOps(), Setup: `
		const read = (blob, method, ...args) => new Promise((resolve) => {
			const reader = new FileReader(), events = [];
			for (const type of ["loadstart", "progress", "load", "error", "abort", "loadend"]) reader.addEventListener(type, (e) => {
				events.push(type);
				if (type === "loadend") resolve([reader.result instanceof ArrayBuffer ? reader.result.byteLength : reader.result, events, reader.readyState, e.loaded, e.total]);
			});
			reader[method](blob, ...args);
		});
	`}, []jstest.Case{
		{`read(new Blob(["héllo"]), "readAsText")`, `["héllo",["loadstart","progress","load","loadend"],2,6,6]`},
		{`read(new Blob([]), "readAsDataURL")`, `["data:application/octet-stream;base64,",["loadstart","load","loadend"],2,0,0]`},
		{`(await read(new Blob([new Uint8Array([0, 255])]), "readAsBinaryString"))[0]`, `"\u0000ÿ"`},
		{`(await read(new Blob(["abc"], { type: "text/plain" }), "readAsDataURL"))[0]`, `"data:text/plain;base64,YWJj"`},
		{`(await read(new Blob(["abc"]), "readAsArrayBuffer"))[0]`, `3`},
		{`(await read(new Blob([new Uint8Array([0xe4])]), "readAsText", "windows-1252"))[0]`, `"ä"`},
		{`(await read(new Blob([new Uint8Array([0xe4])], { type: "text/plain;charset=latin1" }), "readAsText", "no such label"))[0]`, `"ä"`},
		{`(await read(new Blob([new Uint8Array([0xff, 0xfe, 65, 0])]), "readAsText", "utf-8"))[0]`, `"A"`},
		{`(async () => { const r = new FileReader(), o = []; r.onabort = () => o.push("abort", r.readyState); r.onloadend = () => o.push("loadend"); r.onload = () => o.push("load"); r.readAsText(new Blob(["x"])); r.abort(); await new Promise((r) => setTimeout(r, 5)); return o })()`, `["abort",2,"loadend"]`},
		{`(() => { const r = new FileReader(); r.readAsText(new Blob([])); r.readAsText(new Blob([])) })()`, `"throws InvalidStateError: The reader is reading: wait for its end or call abort()"`},
		{`new FileReader().readAsText("x")`, `"throws TypeError: FileReader reads Blobs and Files"`},
		{`(({ lengthComputable, loaded, total }) => [lengthComputable, loaded, total])(new ProgressEvent("progress", { lengthComputable: true, loaded: 1, total: 2 }))`, `[true,1,2]`},
	})
}

func TestBlobURLs(t *testing.T) {
	jstest.Run(t, jstest.Env{Platform: true, Ops: platformOps()}, []jstest.Case{
		{`(async () => { const u = URL.createObjectURL(new Blob(["abc"], { type: "text/x" })); const r = await fetch(u + "#f"); return [/^blob:null\/[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(u), new URL(u).href === u, r.status, r.headers.get("content-type"), r.headers.get("content-length"), await r.text()] })()`, `[true,true,200,"text/x","3","abc"]`},
		{`(async () => { const u = URL.createObjectURL(new Blob(["a"])); URL.revokeObjectURL(u); URL.revokeObjectURL("blob:null/other"); try { await fetch(u) } catch (e) { return [e.name, e.cause.message] } })()`, `["TypeError","The blob: URL is not one of this instance, or was revoked"]`},
		{`(async () => { try { await fetch(URL.createObjectURL(new Blob([])), { method: "POST" }) } catch (e) { return e.cause.message } })()`, `"A blob: URL is read with GET, not POST"`},
		{`URL.createObjectURL({})`, `"throws TypeError: createObjectURL() takes a Blob"`},
		{`(() => { for (let i = 0; i < 10001; i++) URL.createObjectURL(new Blob([])) })()`, `"throws QuotaExceededError: There are 10000 blob: URLs: revoke some with URL.revokeObjectURL()"`},
	})
}
