package hostfn_test

import (
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/textproto"
	"testing"
	"time"
)

// standardServer answers as the tests of the Fetch standard's sections need it.
func standardServer(t *testing.T) *httptest.Server {
	mux := http.NewServeMux()
	mux.HandleFunc("/echo", echo)
	mux.HandleFunc("/cookies", func(w http.ResponseWriter, r *http.Request) {
		w.Header()["Set-Cookie"] = []string{"a=1; Path=/", "b=2, with a comma"}
		w.Header()["X-Many"] = []string{"one", "two"}
	})
	mux.HandleFunc("/status/{code}", func(w http.ResponseWriter, r *http.Request) {
		var code int
		fmt.Sscan(r.PathValue("code"), &code)
		w.Header().Set("X-Seen", r.Method)
		w.WriteHeader(code)
	})
	mux.HandleFunc("/to/{code}", func(w http.ResponseWriter, r *http.Request) {
		var code int
		fmt.Sscan(r.PathValue("code"), &code)
		if target := r.URL.Query().Get("to"); target != "" {
			w.Header().Set("Location", target)
		}
		w.WriteHeader(code)
		io.WriteString(w, "redirecting")
	})
	mux.HandleFunc("/multipart", func(w http.ResponseWriter, r *http.Request) {
		m := multipart.NewWriter(w)
		w.Header().Set("Content-Type", m.FormDataContentType())
		m.WriteField("text", "größer")
		m.WriteField("text", "second")
		m.WriteField("empty", "")
		part, _ := m.CreatePart(textproto.MIMEHeader{"Content-Disposition": {`form-data; name="file"; filename="a \"b\".bin"`}, "Content-Type": {"application/x-y"}})
		part.Write([]byte("\x00\r\n--\xff"))
		m.Close()
	})
	mux.HandleFunc("/urlencoded", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
		io.WriteString(w, "a=1&a=2+3&%C3%A4=%F0%9F%A6%8A&b")
	})
	mux.HandleFunc("/broken", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "multipart/form-data; boundary=x")
		io.WriteString(w, "--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nno end")
	})
	mux.HandleFunc("/json", func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, "\ufeff{\"a\":[1,\"é\"]}")
	})
	mux.HandleFunc("/slow", func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Has("head") {
			w.WriteHeader(200)
			io.WriteString(w, "first")
			w.(http.Flusher).Flush()
		}
		select {
		case <-r.Context().Done():
		case <-time.After(15 * time.Second):
			t.Error("the request was not cancelled")
		}
	})
	mux.HandleFunc("/form", func(w http.ResponseWriter, r *http.Request) {
		if err := r.ParseMultipartForm(1 << 20); err != nil {
			http.Error(w, err.Error(), 400)
			return
		}
		out := map[string]any{"values": r.MultipartForm.Value}
		for name, files := range r.MultipartForm.File {
			f, _ := files[0].Open()
			text, _ := io.ReadAll(f)
			out[name] = []string{files[0].Filename, files[0].Header.Get("Content-Type"), string(text)}
		}
		json.NewEncoder(w).Encode(out)
	})
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s
}

// TestFetchStandard follows https://fetch.spec.whatwg.org/ by section, against a server.
func TestFetchStandard(t *testing.T) {
	w := newPlatform(t)
	s := standardServer(t)
	for section, cases := range map[string][]struct{ code, want string }{
		"2.2.5 Statuses": {
			{`Promise.all([204, 205, 304].map(async (n) => { const r = await fetch(args + "/status/" + n); return [r.status, r.body, r.ok] }))`, `[[204,null,true],[205,null,true],[304,null,false]]`},
			{`(async () => { const r = await fetch(args + "/status/404"); return [r.ok, r.status, r.statusText, r.type, r.headers.get("x-seen")] })()`, `[false,404,"Not Found","basic","GET"]`},
		},
		"2.2.2 Headers: lists, Set-Cookie": {
			{`(async () => { const { headers } = await fetch(args + "/cookies"); return [headers.getSetCookie(), headers.get("set-cookie"), headers.get("x-many"), [...headers].filter(([n]) => n === "set-cookie").length] })()`,
				`[["a=1; Path=/","b=2, with a comma"],"a=1; Path=/, b=2, with a comma","one, two",2]`},
		},
		"4.4 HTTP-redirect fetch": {
			{`Promise.all([301, 302, 303, 307, 308].map(async (n) => { const r = await fetch(args + "/to/" + n + "?to=/echo%3Fx", { method: "POST", body: "data", headers: { "x-kept": "1" } }); const j = await r.json(); return [n, j.method, j.body, j.uri, j.headers["X-Kept"]?.[0], j.headers["Content-Type"]?.[0] ?? null, r.redirected, r.url === args + "/echo?x", r.status] }))`,
				`[[301,"GET","","/echo?x","1",null,true,true,200],[302,"GET","","/echo?x","1",null,true,true,200],[303,"GET","","/echo?x","1",null,true,true,200],[307,"POST","data","/echo?x","1","text/plain;charset=UTF-8",true,true,200],[308,"POST","data","/echo?x","1","text/plain;charset=UTF-8",true,true,200]]`},
			{`(async () => { const r = await fetch(args + "/to/303?to=/echo", { method: "HEAD" }); return [r.status, r.redirected] })()`, `[200,true]`},
			{`(async () => { const r = await fetch(args + "/to/302?to=/echo", { redirect: "manual" }); return [r.status, r.headers.get("location"), r.redirected, await r.text()] })()`, `[302,"/echo",false,"redirecting"]`},
			{`failure(fetch(args + "/to/302?to=/echo", { redirect: "error" })).then((e) => [e.name, e.code])`, `["TypeError","ERR_REDIRECT"]`},
			{`(async () => { const r = await fetch(args + "/to/302"); return [r.status, r.redirected] })()`, `[302,false]`},
			{`failure(fetch(args + "/to/307?to=/echo", { method: "POST", duplex: "half", body: new Blob(["x"]).stream() })).then((e) => [e.name, e.code])`, `["TypeError","ERR_REDIRECT"]`},
			{`(async () => (await (await fetch(args + "/to/303?to=/echo", { method: "POST", duplex: "half", body: new Blob(["x"]).stream() })).json()).method)()`, `"GET"`},
			{`failure(fetch(args + "/to/302?to=ftp://h/")).then((e) => [e.name, e.code])`, `["TypeError","ERR_REDIRECT"]`},
		},
		"5.1 Headers class: guards": {
			{`(async () => { const { headers } = await fetch(args + "/cookies"); return ["append", "set", "delete"].map((m) => { try { headers[m]("x", "y"); return "changed" } catch (e) { return e.name } }) })()`, `["TypeError","TypeError","TypeError"]`},
			{`(async () => { const r = await fetch(args + "/cookies"); const copy = new Response(r.body, r); copy.headers.set("x", "y"); copy.headers.append("set-cookie", "c=3"); return [copy.headers.get("x"), copy.headers.getSetCookie().length, r.headers.has("x")] })()`, `["y",3,false]`},
			{`(() => { const r = Response.error(); try { r.headers.set("a", "b") } catch (e) { return e.name } })()`, `"TypeError"`},
		},
		"5.3 Body mixin: formData()": {
			{`(async () => { const f = await (await fetch(args + "/multipart")).formData(); const file = f.get("file"); return [f.getAll("text"), f.get("empty"), file instanceof File, file.name, file.type, [...await file.bytes()]] })()`,
				`[["größer","second"],"",true,"a \"b\".bin","application/x-y",[0,13,10,45,45,255]]`},
			{`(async () => [...await (await fetch(args + "/urlencoded")).formData()])()`, `[["a","1"],["a","2 3"],["ä","🦊"],["b",""]]`},
			{`failure(fetch(args + "/broken").then((r) => r.formData())).then((e) => e.name)`, `"TypeError"`},
			{`failure(fetch(args + "/json").then((r) => r.formData())).then((e) => e.name)`, `"TypeError"`},
			{`(async () => { const f = new FormData(); f.append("t", "ü\nx"); f.append("t", "2"); f.append("file", new Blob(["\u0000bin"], { type: "a/b" }), "n\"1.txt"); const j = await (await fetch(args + "/form", { method: "POST", body: f })).json(); return [j.values, j.file] })()`,
				`[{"t":["ü\r\nx","2"]},["n%221.txt","a/b","\u0000bin"]]`},
		},
		"5.3 Body mixin: json(), text(), bytes(), blob()": {
			{`(async () => (await fetch(args + "/json")).json())()`, `{"a":[1,"é"]}`},
			{`(async () => { const r = await fetch(args + "/json"), b = r.clone(); return [(await r.text()).length, (await b.bytes()).length, r.bodyUsed, await failure(r.text())] })()`, `[13,17,true,{"name":"TypeError","message":"The body was read already, or is locked: read it once, or clone() first"}]`},
			{`(async () => { const b = await (await fetch(args + "/urlencoded")).blob(); return [b.type.startsWith("application/x-www-form-urlencoded;"), b.size] })()`, `[true,31]`},
			{`failure(fetch(args + "/urlencoded").then((r) => r.json())).then((e) => e.name)`, `"SyntaxError"`},
		},
		"5.4 Request class": {
			{`Promise.all([["x", "text/plain;charset=UTF-8"], [new URLSearchParams({ a: "1" }), "application/x-www-form-urlencoded;charset=UTF-8"], [new Blob(["b"], { type: "a/b" }), "a/b"], [new Uint8Array(2), null]].map(async ([body, type]) => { const j = await (await fetch(args + "/echo", { method: "POST", body })).json(); return (j.headers["Content-Type"]?.[0] ?? null) === type }))`, `[true,true,true,true]`},
			{`failure((async () => fetch(args + "/echo", { method: "POST", body: new Blob(["x"]).stream() }))()).then((e) => [e.name, e.message.includes("duplex")])`, `["TypeError",true]`},
			{`(async () => { const j = await (await fetch(args + "/echo", { method: "POST", body: new Blob(["ab", "c"]).stream(), duplex: "half" })).json(); return [j.body, j.chunked] })()`, `["abc",true]`},
			{`(async () => { const q = new Request(args + "/echo", { method: "PUT", body: "x" }); await fetch(q); return [q.bodyUsed, (await failure((async () => fetch(q))())).name] })()`, `[true,"TypeError"]`},
			{`failure((async () => fetch(args + "/echo", { body: "x" }))()).then((e) => e.name)`, `"TypeError"`},
		},
		"5.5 Response class": {
			{`(async () => { const r = Response.json({ é: 1 }, { status: 202, headers: { "content-type": "application/problem+json" } }); return [r.status, r.headers.get("content-type"), await r.text()] })()`, `[202,"application/problem+json","{\"é\":1}"]`},
			{`[Response.error().type, Response.error().status, Response.error().body, Response.redirect(args + "/x").status, Response.redirect(args + "/x", 308).headers.get("location") === args + "/x"]`, `["error",0,null,302,true]`},
			{`[199, 600, 1000].map((status) => { try { new Response(null, { status }) } catch (e) { return e.name } })`, `["RangeError","RangeError","RangeError"]`},
		},
		"5.6 Fetch method: errors and aborts": {
			{`failure(fetch("http://127.0.0.1:1/")).then((e) => [e.name, e.message, e.code])`, `["TypeError","fetch failed","ECONNREFUSED"]`},
			{`failure(fetch("no url")).then((e) => e.name)`, `"TypeError"`},
			{`failure(fetch(args + "/slow", { signal: AbortSignal.abort("why") }))`, `"why"`},
			{`(async () => { const c = new AbortController(); const p = failure(fetch(args + "/slow", { signal: c.signal })); setTimeout(() => c.abort(), 20); const e = await p; return [e instanceof Error ? 0 : e.name, c.signal.reason.name] })()`, `["AbortError","AbortError"]`},
			{`failure(fetch(args + "/slow", { signal: AbortSignal.timeout(20) })).then((e) => e.name)`, `"TimeoutError"`},
			{`(async () => { const c = new AbortController(), reason = { own: true }; const r = await fetch(args + "/slow?head", { signal: AbortSignal.any([c.signal, AbortSignal.timeout(10000)]) }); const reader = r.body.getReader(); const first = (await reader.read()).value.length; setTimeout(() => c.abort(reason), 10); try { await reader.read() } catch (e) { return [first, e === reason] } })()`, `[5,true]`},
			{`(async () => { const r = await fetch(args + "/slow?head"); const reader = r.body.getReader(); await reader.read(); await reader.cancel(); return (await reader.read()).done })()`, `true`},
		},
	} {
		t.Run(section, func(t *testing.T) {
			for _, c := range cases {
				w.t = t
				w.expect(c.code, s.URL, c.want)
			}
		})
	}
	w.t = t
}
