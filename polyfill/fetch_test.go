package polyfill_test

import (
	"testing"

	"github.com/agentrt/agentrt/hostfn"
	"github.com/agentrt/agentrt/internal/jstest"
	"github.com/agentrt/agentrt/quickjs"
)

func fetchEnv(setup string) jstest.Env {
	ops := quickjs.NewOps()
	hostfn.RegisterEncoding(ops)
	hostfn.RegisterURL(ops)
	hostfn.RegisterBody(ops)
	return jstest.Env{Ops: ops, Setup: `
		import { URL, URLSearchParams } from "./hostfn/url.ts";
		import "./hostfn/body.ts";
		import { Headers, wrapHeaders } from "./polyfill/headers.ts";
		import { Request, makeRequest } from "./polyfill/request.ts";
		import { Response, makeResponse, takeResponse } from "./polyfill/response.ts";
		import { ReadableStream } from "./polyfill/streams.ts";
		import { AbortController } from "./polyfill/abort.ts";
		import { Blob, File } from "./polyfill/blob.ts";
		import { FormData } from "./polyfill/formdata.ts";
		import { parseDataUrl } from "./polyfill/dataurl.ts";
		import { parseMimeType } from "./polyfill/mimetype.ts";
		import { decodeUtf8, encodeUtf8, latin1 } from "./polyfill/utf8.ts";
		const message = (fn) => { try { return fn() } catch (e) { return e.name + ": " + e.message } };
		const chunks = (...list) => new ReadableStream({ start(c) { for (const x of list) c.enqueue(typeof x === "string" ? encodeUtf8(x) : x); c.close() } });
	` + setup}
}

func TestHeaders(t *testing.T) {
	jstest.Run(t, fetchEnv(""), []jstest.Case{
		{`[...new Headers([["b", "1"], ["A", " 2\t"], ["a", "3"], ["Set-Cookie", "x"], ["set-cookie", "y"]])]`, `[["a","2, 3"],["b","1"],["set-cookie","x"],["set-cookie","y"]]`},
		{`[...new Headers({ "X-B": 1, a: null })]`, `[["a","null"],["x-b","1"]]`},
		{`[...new Headers(new Headers({ a: "1" }))]`, `[["a","1"]]`},
		{`[...new Headers(new Map([["a", "1"]]))]`, `[["a","1"]]`},
		{`(() => { const h = new Headers({ a: "1" }); h.append("A", "2"); h.set("b", "x"); h.append("b", "y"); h.set("B", "z"); const seen = [h.get("a"), h.has("B"), h.get("b"), h.get("c")]; h.delete("A"); return [...seen, [...h]] })()`, `["1, 2",true,"z",null,[["b","z"]]]`},
		{`new Headers([["set-cookie", "a=1"], ["Set-Cookie", "b=2"]]).getSetCookie()`, `["a=1","b=2"]`},
		{`new Headers([["set-cookie", "a=1"], ["Set-Cookie", "b=2"]]).get("set-cookie")`, `"a=1, b=2"`},
		// Iteration is live: by position in the sorted list.
		{`(() => { const h = new Headers({ b: "1", c: "2" }), seen = []; for (const [k] of h) { seen.push(k); if (k === "b") { h.append("d", "3"); h.append("a", "0") } } return seen })()`, `["b","b","c","d"]`},
		{`[[...new Headers({ a: "1" }).keys()], [...new Headers({ a: "1" }).values()], String(new Headers().entries()), String(new Headers())]`, `[["a"],["1"],"[object Headers Iterator]","[object Headers]"]`},
		{`(() => { const seen = []; new Headers({ a: "1" }).forEach(function (v, k, h) { seen.push(v, k, h instanceof Headers, this.x) }, { x: 9 }); return seen })()`, `["1","a",true,9]`},
		{`new Headers({ "a b": "1" })`, `"throws TypeError: \"a b\" is no header name"`},
		{`new Headers({ "": "1" })`, `"throws TypeError: \"\" is no header name"`},
		{`new Headers({ a: "x\ny" })`, `"throws TypeError: The value of the header a has a line break or a zero byte"`},
		{`new Headers({ a: "\u0101" })`, `"throws TypeError: The value of the header a has characters above U+00FF: encode them, for example with encodeURIComponent()"`},
		{`new Headers({ a: "\n x \r\n" }).get("a")`, `"x"`},
		{`new Headers({ a: "" }).get("a")`, `""`},
		{`new Headers({ a: "\u00ff" }).get("a")`, `"\u00ff"`},
		{`new Headers(null)`, `"throws TypeError: Headers are given as an object, as pairs of name and value, or as Headers"`},
		{`new Headers([["a"]])`, `"throws TypeError: Each header must be a pair of name and value, but one has 1 items"`},
		{`new Headers().append("a")`, `"throws TypeError: Headers.append() needs 2 arguments, but got 1"`},
		{`[...new Headers(Object.defineProperty({ a: "1" }, "b", { value: "2", enumerable: false }))]`, `[["a","1"]]`},
		{`wrapHeaders([["a", "1"]], true).set("a", "2")`, `"throws TypeError: The headers are immutable: make a copy with new Headers(headers), or a new Response"`},
		{`(() => { const h = new Headers(wrapHeaders([["a", "1"]], true)); h.set("a", "2"); return h.get("a") })()`, `"2"`},
		{`message(() => Headers.prototype.get.call({}, "a")).split(":")[0]`, `"TypeError"`},
		// A polluted prototype changes nothing.
		{`(() => { const keep = RegExp.prototype.exec, test = RegExp.prototype.test; RegExp.prototype.exec = () => null; RegExp.prototype.test = () => false; try { return message(() => new Headers({ a: "x\ny" })) } finally { RegExp.prototype.exec = keep; RegExp.prototype.test = test } })()`, `"TypeError: The value of the header a has a line break or a zero byte"`},
	})
}

func TestRequest(t *testing.T) {
	jstest.Run(t, fetchEnv(`const url = "https://h.test/a";`), []jstest.Case{
		{`(({ method, url, redirect, mode, credentials, cache, referrer, duplex, destination, body, bodyUsed, signal }) => [method, url, redirect, mode, credentials, cache, referrer, duplex, destination, body, bodyUsed, signal.aborted])(new Request("https://h.test/b/../a#f"))`, `["GET","https://h.test/a#f","follow","cors","same-origin","default","about:client","half","",null,false,false]`},
		{`new Request(new URL(url)).url`, `"https://h.test/a"`},
		{`[new Request(url, { method: "post", body: "x" }).method, new Request(url, { method: "patch" }).method, new Request(url, { method: "Delete" }).method]`, `["POST","patch","DELETE"]`},
		{`new Request("/a")`, `"throws TypeError: Failed to parse URL from /a"`},
		{`message(() => new Request("https://u:p@h/"))`, `"TypeError: A Request's URL must not have a user name or password: send them in the Authorization header (https://***@h/)"`},
		{`new Request(url, { method: "CONNECT" })`, `"throws TypeError: The method CONNECT is not allowed in a Request"`},
		{`new Request(url, { method: "a b" })`, `"throws TypeError: \"a b\" is no HTTP method"`},
		{`new Request(url, { body: "x" })`, `"throws TypeError: A Request with the method GET cannot have a body"`},
		{`new Request(url, { redirect: "x" })`, `"throws TypeError: redirect is \"x\", not one of \"follow\", \"error\", \"manual\""`},
		{`new Request(url, { signal: {} })`, `"throws TypeError: The signal of a Request must be an AbortSignal, or null"`},
		{`new Request(url, { method: "POST", body: chunks("x") })`, `"throws TypeError: A Request with a stream as its body needs duplex: \"half\", since the response may come before the body has been sent"`},
		{`new Request(url, { method: "POST", body: chunks("x", "y"), duplex: "half" }).text()`, `"xy"`},
		{`[["text", "x"], ["params", new URLSearchParams({ a: "1" })], ["blob", new Blob(["x"], { type: "a/b" })], ["bytes", new Uint8Array(1)]].map(([k, body]) => new Request(url, { method: "POST", body }).headers.get("content-type"))`, `["text/plain;charset=UTF-8","application/x-www-form-urlencoded;charset=UTF-8","a/b",null]`},
		{`new Request(url, { method: "POST", body: "{}", headers: { "Content-Type": "application/json" } }).headers.get("content-type")`, `"application/json"`},
		{`(async () => { const a = new Request(url, { method: "POST", body: "x", headers: { a: "1" } }); const b = new Request(a, { headers: { b: "2" } }); return [a.bodyUsed, await b.text(), b.method, [...b.headers], [...a.headers]] })()`, `[true,"x","POST",[["b","2"]],[["a","1"],["content-type","text/plain;charset=UTF-8"]]]`},
		{`(async () => { const a = new Request(url, { method: "POST", body: chunks("x"), duplex: "half" }); const b = new Request(a); return [a.bodyUsed, a.body.locked, await b.text()] })()`, `[true,true,"x"]`},
		{`(async () => { const a = new Request(url, { method: "POST", body: "x" }); await a.text(); return message(() => new Request(a)) })()`, `"TypeError: The Request given has a body that was read already, or is locked"`},
		{`(async () => { const a = new Request(url, { method: "POST", body: "x" }); await a.text(); return message(() => a.clone()) })()`, `"TypeError: A Request whose body was read already, or is locked, cannot be cloned"`},
		{`(async () => { const a = new Request(url, { method: "POST", body: chunks("x", "y"), duplex: "half", headers: { a: "1" } }), b = a.clone(); b.headers.set("a", "2"); return [await a.text(), await b.text(), a.headers.get("a")] })()`, `["xy","xy","1"]`},
		{`(() => { const c = new AbortController(), a = new Request(url, { signal: c.signal }), b = a.clone(), d = new Request(b), e = new Request(b, { signal: null }); c.abort("why"); return [a.signal.aborted, b.signal.reason, d.signal.reason, e.signal.aborted, a.signal === a.signal, a.signal === c.signal] })()`, `[true,"why","why",false,true,false]`},
		{`(() => { let made = 0; const c = new AbortController(); const r = makeRequest({ url: "https://h/", method: "GET", headers: [["a", "1"]], signal: () => (made++, c.signal) }); const before = made; return [before, r.signal === c.signal, r.signal === c.signal, made, r.headers.get("A"), r.body] })()`, `[0,true,true,1,"1",null]`},
		{`makeRequest({ url: "https://h/", method: "POST", headers: [], bytes: encodeUtf8('{"a":1}').buffer }).json()`, `{"a":1}`},
		{`[Object.keys(Request.prototype).includes("json"), String(new Request(url)), Request.length, Request.prototype.clone.length]`, `[true,"[object Request]",1,0]`},
	})
}

func TestResponse(t *testing.T) {
	jstest.Run(t, fetchEnv(""), []jstest.Case{
		{`(({ status, statusText, ok, type, url, redirected, body, bodyUsed }) => [status, statusText, ok, type, url, redirected, body, bodyUsed])(new Response())`, `[200,"",true,"default","",false,null,false]`},
		{`(async () => { const r = new Response("x", { status: 404, statusText: "gone", headers: { a: "1" } }); return [r.status, r.ok, r.statusText, [...r.headers], await r.text(), r.bodyUsed] })()`, `[404,false,"gone",[["a","1"],["content-type","text/plain;charset=UTF-8"]],"x",true]`},
		{`new Response("x", { status: 204 })`, `"throws TypeError: A Response with the status 204 cannot have a body: give null"`},
		{`new Response(null, { status: 204 }).status`, `204`},
		{`new Response(null, { status: 199 })`, `"throws RangeError: The status of a Response must be from 200 to 599, not 199"`},
		{`new Response(null, { status: 101 })`, `"throws RangeError: The status of a Response must be from 200 to 599, not 101"`},
		{`new Response(null, { statusText: "a\nb" })`, `"throws TypeError: The statusText of a Response must not have control characters"`},
		{`(async () => { const r = Response.json({ a: 1 }, { status: 201 }); return [r.status, r.headers.get("content-type"), await r.json()] })()`, `[201,"application/json",{"a":1}]`},
		{`Response.json(undefined)`, `"throws TypeError: Response.json() cannot send undefined as JSON"`},
		{`(() => { const r = Response.redirect("https://h/a b", 307); return [r.status, r.headers.get("location"), message(() => r.headers.set("a", "b")).slice(0, 36)] })()`, `[307,"https://h/a%20b","TypeError: The headers are immutable"]`},
		{`Response.redirect("https://h/", 200)`, `"throws RangeError: The status of a redirect is 301, 302, 303, 307 or 308, not 200"`},
		{`Response.redirect("/a")`, `"throws TypeError: Failed to parse URL from /a: Response.redirect() needs a full URL, for example new URL(\"/a\", req.url)"`},
		{`[Response.error().type, Response.error().status]`, `["error",0]`},
		{`(async () => { const r = new Response("héllo"); return [[...new Uint8Array(await r.arrayBuffer())], await r.text().catch((e) => e.message)] })()`, `[[104,195,169,108,108,111],"The body was read already, or is locked: read it once, or clone() first"]`},
		{`new Response("\ufeffx").text()`, `"x"`},
		{`(async () => latin1(await new Response(new Uint8Array([65, 66, 67]).subarray(1)).bytes()))()`, `"BC"`},
		{`(async () => { const u = new Uint8Array([65]); const r = new Response(u); u[0] = 66; return r.text() })()`, `"A"`},
		{`(async () => { const b = await new Response("xy", { headers: { "content-type": "a/b" } }).blob(); return [b.size, b.type, await b.text()] })()`, `[2,"a/b","xy"]`},
		{`(async () => { const f = new FormData(); f.append("a", "1"); f.append("f", new File(["data"], "n.txt", { type: "text/x" })); const r = await new Response(f).formData(); const file = r.get("f"); return [r.get("a"), file.name, file.type, await file.text()] })()`, `["1","n.txt","text/x","data"]`},
		{`(async () => [...await new Response(new URLSearchParams({ a: "x y" })).formData()])()`, `[["a","x y"]]`},
		{`new Response("x").formData()`, `"throws TypeError: formData() reads multipart/form-data and application/x-www-form-urlencoded, but the body's Content-Type is text/plain;charset=UTF-8"`},
		{`new Response("{").json().catch((e) => e.name)`, `"SyntaxError"`},
		{`new Response(null).text()`, `""`},
		{`(async () => { const r = new Response(null); await r.text(); return [r.bodyUsed, await r.text()] })()`, `[false,""]`},
		{`(async () => { const r = new Response("x"), b = r.clone(); return [await r.text(), await b.text()] })()`, `["x","x"]`},
		{`(async () => { const r = new Response(chunks("a", "b")), b = r.clone(); return [await r.text(), await b.text(), b.bodyUsed] })()`, `["ab","ab",true]`},
		{`(async () => { const r = new Response("abc"); const reader = r.body.getReader(); const one = await reader.read(), two = await reader.read(); return [decodeUtf8(one.value), two.done, r.bodyUsed, r.body === r.body] })()`, `["abc",true,true,true]`},
		{`(async () => { const r = new Response("abc"); const reader = r.body.getReader({ mode: "byob" }); const one = await reader.read(new Uint8Array(2)), two = await reader.read(new Uint8Array(2)), three = await reader.read(new Uint8Array(2)); return [decodeUtf8(one.value), decodeUtf8(two.value), three.done] })()`, `["ab","c",true]`},
		{`(async () => { const r = new Response("abc"); await r.text(); return [r.body.locked, r.bodyUsed] })()`, `[true,true]`},
		{`(async () => { const r = new Response("abc"), other = new Response(r.body, r); return [await other.text(), r.bodyUsed] })()`, `["abc",true]`},
		{`(async () => { const s = chunks("a"); s.getReader(); return message(() => new Response(s)) })()`, `"TypeError: The body is a ReadableStream that is locked or was read already"`},
		{`new Response(chunks("a", 7)).text().catch((e) => e.message)`, `"A body's stream must give Uint8Array chunks, but gave one of type number"`},
		{`new Response(new ReadableStream({ start(c) { c.enqueue("text") } })).text().catch((e) => e.message)`, `"A body's stream must give Uint8Array chunks, but gave one of type string: pipe the stream through new TextEncoderStream()"`},
		{`new Response(new ReadableStream({ pull(c) { c.error(new RangeError("broke")) } })).text()`, `"throws RangeError: broke"`},
		{`new Response((async function* () { yield encodeUtf8("a"); yield encodeUtf8("b") })()).text()`, `"ab"`},
		{`(async () => { const big = new Uint8Array(300000).fill(120); const s = new ReadableStream({ pull(c) { c.enqueue(big.slice()); if (++this.n === 20) c.close() }, n: 0 }); return (await new Response(s).arrayBuffer()).byteLength })()`, `6000000`},
		{`(async () => { let n = 0; const s = new ReadableStream({ start(c) { for (; n < 20000; n++) c.enqueue(new Uint8Array(1)); c.close() } }); return (await new Response(s).bytes()).length })()`, `20000`},
		{`String(Object.keys(Response.prototype).sort())`, `"arrayBuffer,blob,body,bodyUsed,bytes,clone,formData,headers,json,ok,redirected,status,statusText,text,type,url"`},
		{`message(() => Object.getOwnPropertyDescriptor(Response.prototype, "body").get.call({})).split(":")[0]`, `"TypeError"`},
	})
}

func TestTakeResponse(t *testing.T) {
	jstest.Run(t, fetchEnv(`const take = (r) => { const { bytes, stream, ...rest } = takeResponse(r); return { ...rest, ...(bytes && { text: decodeUtf8(bytes) }), ...(stream && { stream: stream instanceof ReadableStream }) } };`), []jstest.Case{
		{`take(new Response(null, { status: 204, statusText: "x" }))`, `{"status":204,"statusText":"x","headers":[]}`},
		{`take(new Response("hé", { headers: { A: "1" } }))`, `{"status":200,"statusText":"","headers":[["a","1"],["content-type","text/plain;charset=UTF-8"]],"text":"hé"}`},
		{`take(new Response(new Blob(["a", "b"])))`, `{"status":200,"statusText":"","headers":[],"text":"ab"}`},
		{`take(new Response(chunks("a")))`, `{"status":200,"statusText":"","headers":[],"stream":true}`},
		// As frameworks do to change headers.
		{`(() => { const r = new Response("abc"); const other = new Response(r.body, r); other.headers.set("x", "1"); return take(other) })()`, `{"status":200,"statusText":"","headers":[["content-type","text/plain;charset=UTF-8"],["x","1"]],"text":"abc"}`},
		{`(() => { const r = makeRequest({ url: "https://h/", method: "POST", headers: [], rid: 7 }); return [take(new Response(r.body)), r.bodyUsed, r.body.locked] })()`, `[{"status":200,"statusText":"","headers":[],"rid":7},true,true]`},
		{`(() => { const r = makeRequest({ url: "https://h/", method: "POST", headers: [], rid: 7 }); return take(new Response(new Response(new Response(r.body).body).body)) })()`, `{"status":200,"statusText":"","headers":[],"rid":7}`},
		{`(() => { const r = new Response("x"); takeResponse(r); return [r.bodyUsed, message(() => takeResponse(r))] })()`, `[true,"TypeError: The Response was used already: its body was read, is locked, or was sent; make a new Response, or clone() it before"]`},
		{`(async () => { const r = new Response("x"); await r.text(); return message(() => takeResponse(r)).slice(0, 9) })()`, `"TypeError"`},
		{`message(() => takeResponse(Response.error()))`, `"TypeError: Response.error() cannot be sent as a response"`},
		{`(() => { const r = new Response("x"); const c = r.clone(); return [take(r), take(c)] })()`, `[{"status":200,"statusText":"","headers":[["content-type","text/plain;charset=UTF-8"]],"text":"x"},{"status":200,"statusText":"","headers":[["content-type","text/plain;charset=UTF-8"]],"text":"x"}]`},
	})
}

func TestDataURLs(t *testing.T) {
	jstest.Run(t, fetchEnv(`const parse = (u) => { const d = parseDataUrl(u); return d && [d.type, latin1(d.bytes)] };`), []jstest.Case{
		{`parse("data:,a%20b")`, `["text/plain;charset=US-ASCII","a b"]`},
		{`parse("data:text/html,<p>#x")`, `["text/html","<p>"]`},
		{`parse("data:;charset=utf-8;base64,aGk=")`, `["text/plain;charset=utf-8","hi"]`},
		{`parse("data:a/b;base64, aG k")`, `["a/b","hi"]`},
		{`parse("data:a/b;base64,a")`, `null`},
		{`parse("data:a/b")`, `null`},
		{`parse("data:x,%ff%4")`, `["text/plain;charset=US-ASCII","\u00ff%4"]`},
		{`(({ essence, parameters }) => [essence, [...parameters]])(parseMimeType('Multipart/Form-Data; a="x\\"y;z"; B=c; a=2;d=;e'))`, `["multipart/form-data",[["a","x\"y;z"],["b","c"]]]`},
		{`["", "a", "a/", "/b", "a b/c"].map((s) => parseMimeType(s))`, `[null,null,null,null,null]`},
	})
}
