package polyfill_test

import (
	"testing"

	"github.com/agentrt/agentrt/internal/jstest"
)

func TestBlob(t *testing.T) {
	jstest.Run(t, jstest.Env{Ops: platformOps(), Setup: `
		import { Blob, File, isBlob, isFile } from "./polyfill/blob.ts";
		async function read(stream) { const r = stream.getReader(), out = []; for (;;) { const { done, value } = await r.read(); if (done) return out; out.push(value.length); } }
	`}, []jstest.Case{
		{`new Blob(["aé", new Uint8Array([98, 99]), new Uint16Array([0x4141]).buffer, new Blob(["z"]), 7]).text()`, `"aébcAAz7"`},
		{`(async () => { const b = new Blob(["0123456789"], { type: "Text/PLAIN" }); return [b.size, b.type, await b.slice(2, 5).text(), await b.slice(-3, -1, "a/b").text(), b.slice(1, 0).size, b.slice(-3, -1, "a/b").type, await b.slice(NaN, 1).text(), await b.slice(5).text(), b.slice().type] })()`, `[10,"text/plain","234","78",0,"a/b","0","56789",""]`},
		{`new Blob(["ab", "cd", "ef"]).slice(1, 5).slice(1, 3).text()`, `"cd"`},
		{`(async () => { const u = new Uint8Array([65]); const b = new Blob([u]); u[0] = 66; const c = await b.bytes(); c[0] = 67; return [await b.text(), c instanceof Uint8Array, (await b.arrayBuffer()) instanceof ArrayBuffer] })()`, `["A",true,true]`},
		{`read(new Blob([new Uint8Array(150000), "ab"]).stream())`, `[65536,65536,18928,2]`},
		{`read(new Blob().stream())`, `[]`},
		{`(async () => { const b = new Blob(["abc"]); const { value } = await b.stream().getReader().read(); value.fill(0); return b.text() })()`, `"abc"`},
		{`new Blob(["a\r\nb\nc\rd"], { endings: "native" }).text()`, `"a\nb\nc\nd"`},
		{`new Blob("abc")`, `"throws TypeError: Blob()'s parts are not a sequence: wrap a single part in an array"`},
		{`new Blob([], { endings: "x" })`, `"throws TypeError: Blob()'s endings is \"x\", not one of \"transparent\", \"native\""`},
		{`[new Blob([], { type: "ä" }).type, String(new Blob()), new Blob(["\ufeffa"]).size]`, `["","[object Blob]",4]`},
		{`new Blob(["\ufeffa"]).text()`, `"a"`},
		{`(() => { const f = new File(["x"], "n\ud800", { type: "a/b", lastModified: 5.7 }); return [f.name, f.type, f.lastModified, f.size, f instanceof Blob, String(f), isFile(f), isBlob(f), isFile(new Blob())] })()`, `["n�","a/b",5,1,true,"[object File]",true,true,false]`},
		{`[new File([], "x").lastModified > 1e12, new File([], "x", { lastModified: NaN }).lastModified]`, `[true,0]`},
		{`new File([])`, `"throws TypeError: File() needs 2 arguments, but got 1"`},
	})
}

func TestFormData(t *testing.T) {
	jstest.Run(t, jstest.Env{Ops: platformOps(), Setup: `
		import { Blob, File } from "./polyfill/blob.ts";
		import { FormData, isFormData } from "./polyfill/formdata.ts";
		const form = (...pairs) => { const f = new FormData(); for (const p of pairs) f.append(...p); return f; };
	`}, []jstest.Case{
		{`[...form(["a", 1], ["b", "x"], ["a", null])]`, `[["a","1"],["b","x"],["a","null"]]`},
		{`(() => { const f = form(["a", 1], ["b", 2], ["a", 3], ["c", 4]); f.set("a", 9); f.delete("b"); return [[...f], f.get("a"), f.getAll("a"), f.has("b"), f.get("z")] })()`, `[[["a","9"],["c","4"]],"9",["9"],false,null]`},
		{`(() => { const f = form(["a", new Blob(["x"], { type: "t/x" })], ["b", new File(["y"], "n", { lastModified: 1 })], ["c", new File(["z"], "n", { type: "q/r", lastModified: 2 }), "m"]); return [...f.values()].map((v) => [v instanceof File, v.name, v.type]).concat(f.get("b").lastModified, f.get("c").lastModified) })()`, `[[true,"blob","t/x"],[true,"n",""],[true,"m","q/r"],1,2]`},
		{`(() => { const file = new File(["y"], "n"); return form(["b", file]).get("b") === file })()`, `true`},
		{`form(["a", "x", "name"])`, `"throws TypeError: append() takes a file name for a Blob only"`},
		{`new FormData({})`, `"throws TypeError: FormData() takes no form here: there are no documents"`},
		{`[String(new FormData()), isFormData(new FormData()), isFormData({}), String(new FormData().keys())]`, `["[object FormData]",true,false,"[object FormData Iterator]"]`},
		{`FormData.prototype.entries.call({})`, `"throws TypeError: private class field '#entries' does not exist"`},
	})
}

func TestMultipart(t *testing.T) {
	jstest.Run(t, jstest.Env{Ops: platformOps(), Setup: `
		import { File } from "./polyfill/blob.ts";
		import { FormData } from "./polyfill/formdata.ts";
		import { encodeMultipart, parseMultipart } from "./polyfill/multipart.ts";
		import { encodeUtf8, decodeUtf8 } from "./polyfill/utf8.ts";
		const join = (e) => { const out = new Uint8Array(e.length); let n = 0; for (const s of e.segments) { out.set(s, n); n += s.length } if (n !== e.length) throw new Error("length"); return out };
		const list = async (form) => { const out = []; for (const [k, v] of form) out.push(typeof v === "string" ? [k, v] : [k, v.name, v.type, await v.text()]); return out };
		const form = (...pairs) => { const f = new FormData(); for (const p of pairs) f.append(...p); return f };
		const again = (f) => { const e = encodeMultipart(f); return list(parseMultipart(join(e), e.boundary)) };
		const parse = (text, boundary = "b") => list(parseMultipart(encodeUtf8(text), boundary));
		const part = (name, body, rest = "") => '--b\r\nContent-Disposition: form-data; name="' + name + '"' + rest + "\r\n\r\n" + body + "\r\n";
	`}, []jstest.Case{
		{`(() => { const e = encodeMultipart(form(['q"\n', "l1\nl2"], ["f", new File(["data"], "ä\"\r.txt")])); return [decodeUtf8(join(e)).replaceAll(e.boundary, "B"), e.contentType.replace(e.boundary, "B"), e.boundary.length] })()`,
			`["--B\r\nContent-Disposition: form-data; name=\"q%22%0D%0A\"\r\n\r\nl1\r\nl2\r\n--B\r\nContent-Disposition: form-data; name=\"f\"; filename=\"ä%22%0D.txt\"\r\nContent-Type: application/octet-stream\r\n\r\ndata\r\n--B--\r\n","multipart/form-data; boundary=B",43]`},
		{`again(form(["a", "x\ny"], ["ü\"", ""], ["f", new File(["\u0000\r\n--x"], "n ;\"ä\"", { type: "a/b; c=d" })], ["e", new File([], "")]))`, `[["a","x\r\ny"],["ü\"",""],["f","n ;\"ä\"","a/b; c=d","\u0000\r\n--x"],["e","","application/octet-stream",""]]`},
		{`again(form(["f", new File(["\r\n-".repeat(90000)], "n", { type: "t/t" })])).then(([[k, n, t, text]]) => text === "\r\n-".repeat(90000))`, `true`},
		{`again(new FormData())`, `[]`},
		{`parse("preamble\r\n" + part("a", "1") + part("a", "2") + "--b--\r\nepilogue")`, `[["a","1"],["a","2"]]`},
		{`parse('--b  \r\ncontent-TYPE:x/y\r\nCONTENT-disposition:Form-Data;NAME=a;filename="c:\\x"\r\n\r\n1\r\n--b--')`, `[["a","c:\\x","x/y","1"]]`},
		{`parse(part("a\\\"b", "1", '; filename="q\\"') + "--b--")`, `[["a\"b","q\\","text/plain","1"]]`},
		{`parse('--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n--b--')`, `[["a",""]]`},
		{`parse("")`, `"throws TypeError: The multipart/form-data body does not contain its boundary"`},
		{`parse('--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n1')`, `"throws TypeError: The multipart/form-data body ends within a part"`},
		{`parse(part("a", "1") + "--b")`, `"throws TypeError: The multipart/form-data body is cut off or has characters after a boundary"`},
		{`parse(part("a", "1") + "--bx")`, `"throws TypeError: The multipart/form-data body is cut off or has characters after a boundary"`},
		{`parse("--b\r\nContent-Type: x\r\n\r\n1\r\n--b--")`, `"throws TypeError: The multipart/form-data body has a part without a name"`},
		{`parse("--b\r\nContent-Disposition: attachment; name=a\r\n\r\n1\r\n--b--")`, `"throws TypeError: The multipart/form-data body has a part whose Content-Disposition is not form-data"`},
		{`parse('--b\r\nContent-Disposition: form-data; name="a\r\n\r\n1\r\n--b--')`, `"throws TypeError: The multipart/form-data body has a part with an unterminated quoted name"`},
		{`parse("--b\r\nx: " + "y".repeat(20000) + "\r\n\r\n1\r\n--b--")`, `"throws TypeError: The multipart/form-data body has a part whose headers do not end within 16384 bytes"`},
		{`parse(part("a", "").repeat(10001) + "--b--")`, `"throws TypeError: The multipart/form-data body has more than 10000 parts"`},
		{`parse("", "x".repeat(71))`, `"throws TypeError: The boundary of a multipart/form-data type has 1 to 70 printable ASCII characters"`},
	})
}
