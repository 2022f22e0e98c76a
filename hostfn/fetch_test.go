package hostfn_test

import (
	"bufio"
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/agentrt/agentrt/agentrt/security"
	"github.com/agentrt/agentrt/hostfn"
	"github.com/agentrt/agentrt/internal/jstest"
	"github.com/agentrt/agentrt/quickjs"
	"github.com/agentrt/agentrt/stream"
)

const fetchSource = `
	import { URL, URLSearchParams } from "./hostfn/url.ts";
	import { fetch } from "./hostfn/fetch.ts";
	import { pump, streamFromRid } from "./hostfn/body.ts";
	import { Headers } from "./polyfill/headers.ts";
	import { Request, makeRequest } from "./polyfill/request.ts";
	import { Response, takeResponse } from "./polyfill/response.ts";
	import { ReadableStream, TransformStream } from "./polyfill/streams.ts";
	import { AbortController, AbortSignal } from "./polyfill/abort.ts";
	import { decodeUtf8, encodeUtf8 } from "./polyfill/utf8.ts";
	import { host } from "./polyfill/host.ts";
	globalThis.forgedFetch = host.op("fetch");
	const pipe = host.op("body.pipe"), write = host.op("body.write"), drain = host.op("body.drain"), read = host.op("body.read");
	const describe = (e) => e instanceof Error ? { name: e.name, message: e.message, ...(e.cause && { code: e.cause.code, cause: e.cause.message }) } : e;
	const failure = (p) => p.then(() => "did not fail", describe);
	Object.assign(globalThis, { URL, URLSearchParams, fetch, pump, streamFromRid, Headers, Request, makeRequest, Response, takeResponse, ReadableStream,
		TransformStream, AbortController, AbortSignal, decodeUtf8, encodeUtf8, pipe, write, drain, read, describe, failure });
	export const run = async ({ code, args }) => (await (0, eval)("(async (args) => (" + code + "))")(args)) ?? null;
	export async function fetches({ url, n }) { for (let k = 0; k < n; k++) await (await fetch(url)).text(); }
	export async function chunks(url) { let n = 0; const reader = (await fetch(url)).body.getReader(); for (;;) { const { value, done } = await reader.read(); if (done) return n; n++; } }
`

// world is an engine instance with a scope.
type world struct {
	t         testing.TB
	instance  *quickjs.Instance
	scope     *hostfn.Scope
	transport *security.Transport
}

func newWorld(t testing.TB) *world {
	t.Helper()
	ops := quickjs.NewOps()
	hostfn.RegisterEncoding(ops)
	hostfn.RegisterURL(ops)
	hostfn.RegisterBody(ops)
	hostfn.RegisterFetch(ops)
	loopback, err := security.ParseRule("127.0.0.0/8")
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, transport: security.NewEgressPolicy().Allow(loopback).Transport(security.TransportConfig{})}
	t.Cleanup(w.transport.CloseIdleConnections)
	w.instance = jstest.Load(t, jstest.Env{Ops: ops}, jstest.Bundle(t, fetchSource))
	w.invocation()
	return w
}

// invocation begins a new scope and ends it with the test.
func (w *world) invocation() {
	ctx, cancel := context.WithCancel(context.Background())
	w.scope = &hostfn.Scope{Context: ctx, Streams: stream.NewTable(stream.Config{}), Transport: w.transport}
	table := w.scope.Streams
	w.t.Cleanup(func() { cancel(); table.Close() })
}

func (w *world) call(export string, arg any) (*quickjs.Result, error) {
	w.t.Helper()
	head, err := json.Marshal(arg)
	if err != nil {
		w.t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(hostfn.WithScope(context.Background(), w.scope), 20*time.Second)
	defer cancel()
	return w.instance.Call(ctx, "main.js", export, head, nil)
}

// run gives the JSON of a JavaScript expression.
func (w *world) run(code string, args any) string {
	w.t.Helper()
	r, err := w.call("run", map[string]any{"code": code, "args": args})
	if err != nil {
		w.t.Errorf("%s: %v", code, err)
		return ""
	}
	return string(r.Head)
}

func (w *world) expect(code string, args any, want string) {
	w.t.Helper()
	got := w.run(code, args)
	var a, b any
	if err := json.Unmarshal([]byte(want), &b); err != nil {
		w.t.Errorf("the wanted value is no JSON: %s", want)
	}
	json.Unmarshal([]byte(got), &a)
	x, _ := json.Marshal(a)
	y, _ := json.Marshal(b)
	if !bytes.Equal(x, y) {
		w.t.Errorf("%s\n got %s\nwant %s", code, x, y)
	}
}

func newServer(t testing.TB, h http.HandlerFunc) *httptest.Server {
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s
}

// echo answers with what it was sent.
func echo(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	json.NewEncoder(w).Encode(map[string]any{
		"method": r.Method, "uri": r.RequestURI, "host": r.Host, "headers": r.Header, "body": string(body), "length": r.ContentLength, "chunked": len(r.TransferEncoding) > 0,
	})
}

func TestFetchSendsRequests(t *testing.T) {
	w := newWorld(t)
	s := newServer(t, echo)
	for _, c := range []struct{ code, want string }{
		{`fetch(args + "/a%20b?q=1#f").then((r) => r.json()).then((j) => [j.method, j.uri, j.body, j.length, j.headers["User-Agent"], j.headers["Accept-Encoding"], j.headers.Accept])`,
			`["GET","/a%20b?q=1","",0,["agentrt"],["gzip, deflate"],["*/*"]]`},
		{`fetch(args, { method: "POST", body: "hé" }).then((r) => r.json()).then((j) => [j.method, j.uri, j.body, j.length, j.headers["Content-Type"]])`,
			`["POST","/","hé",3,["text/plain;charset=UTF-8"]]`},
		{`fetch(args, { method: "POST" }).then((r) => r.json()).then((j) => [j.length, j.chunked])`, `[0,false]`},
		{`fetch(args, { method: "PUT", body: new Uint8Array(300000) }).then((r) => r.json()).then((j) => [j.length, j.body.length])`, `[300000,300000]`},
		{`fetch(new Request(args, { method: "PATCH", body: new URLSearchParams({ a: "1" }) })).then((r) => r.json()).then((j) => [j.method, j.body])`, `["PATCH","a=1"]`},
		{`fetch(args, { headers: [["X-A", "1"], ["x-a", "2"], ["Cookie", "c=1"], ["User-Agent", "mine"], ["X-Latin", "\u00e9"]] }).then((r) => r.json()).then((j) => [j.headers["X-A"], j.headers.Cookie, j.headers["User-Agent"], j.headers["X-Latin"]])`,
			`[["1","2"],["c=1"],["mine"],["\ufffd"]]`},
		// What belongs to the connection is not for the guest.
		{`fetch(args, { method: "POST", body: "abc", headers: { Host: "evil.test", "Content-Length": "1", "Transfer-Encoding": "chunked", Connection: "close, x-a", Upgrade: "h2c", TE: "trailers", Trailer: "x", Expect: "100-continue", "Keep-Alive": "1" } }).then((r) => r.json())
			.then((j) => [j.host === new URL(args).host, j.length, j.chunked, Object.keys(j.headers).filter((k) => !/^(Accept|Accept-Encoding|User-Agent|Content-Type|Content-Length)$/.test(k))])`, `[true,3,false,[]]`},
		// Paths that Go's URLs would rewrite or refuse.
		{`fetch(args + "/a|b/[x]?^%zz").then((r) => r.json()).then((j) => j.uri)`, `"/a|b/[x]?^%zz"`},
		{`fetch(args + "//a/b").then((r) => r.json()).then((j) => j.uri)`, `"//a/b"`},
		{`fetch(args, { method: "POST", duplex: "half", body: new ReadableStream({ start(c) { c.enqueue(encodeUtf8("a")); c.enqueue(encodeUtf8("b")); c.close() } }) }).then((r) => r.json()).then((j) => [j.body, j.chunked])`, `["ab",true]`},
		{`fetch(args, { method: "POST", duplex: "half", headers: { "content-length": "2" }, body: new ReadableStream({ start(c) { c.enqueue(encodeUtf8("ab")); c.close() } }) }).then((r) => r.json()).then((j) => [j.body, j.length])`, `["ab",2]`},
		{`(async () => { const r = await fetch("data:text/x,a%20b"); return [r.status, r.url, r.headers.get("content-type"), await r.text()] })()`, `[200,"data:text/x,a%20b","text/x","a b"]`},
	} {
		w.expect(c.code, s.URL, c.want)
	}
	if n := w.scope.Streams.Len(); n != 0 {
		t.Errorf("%d streams are left open", n)
	}
}

// TestPathsAreSentAsTheyAre has a server of its own, since Go's refuses such paths.
func TestPathsAreSentAsTheyAre(t *testing.T) {
	w := newWorld(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan string)
	go func() {
		c, err := l.Accept()
		if err != nil {
			done <- err.Error()
			return
		}
		defer c.Close()
		line, _ := bufio.NewReader(c).ReadString('\n')
		io.WriteString(c, "HTTP/1.1 204 No Content\r\n\r\n")
		done <- line
	}()
	w.expect(`fetch(args + "/%zz/a%2fb?%zz").then((r) => r.status)`, "http://"+l.Addr().String(), `204`)
	l.Close()
	if got := <-done; got != "GET /%zz/a%2fb?%zz HTTP/1.1\r\n" {
		t.Errorf("%q", got)
	}
}

func TestFetchResponses(t *testing.T) {
	w := newWorld(t)
	s := newServer(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/status":
			w.Header()["Set-Cookie"] = []string{"a=1", "b=2"}
			w.Header()["X-Latin"] = []string{"\xe9"}
			w.WriteHeader(418)
			io.WriteString(w, "short and stout")
		case "/empty":
			w.WriteHeader(204)
		case "/broken":
			w.Header().Set("Content-Length", "10")
			io.WriteString(w, "abc")
		case "/large":
			for range 40 {
				w.Write(make([]byte, 100_000))
			}
		case "/headers":
			for k := range 30 {
				w.Header().Set(fmt.Sprintf("X-%d", k), strings.Repeat("x", 10_000))
			}
		}
	})
	for _, c := range []struct{ code, want string }{
		{`fetch(args + "/status").then(async (r) => [r.status, r.ok, r.statusText, r.type, r.url === args + "/status", r.redirected, r.headers.getSetCookie(), r.headers.get("x-latin"), await r.text()])`,
			`[418,false,"I'm a teapot","basic",true,false,["a=1","b=2"],"é","short and stout"]`},
		{`fetch(args + "/status").then((r) => { try { r.headers.set("a", "b") } catch (e) { return e.name } })`, `"TypeError"`},
		{`fetch(args + "/empty").then((r) => [r.status, r.body])`, `[204,null]`},
		{`fetch(args + "/status", { method: "HEAD" }).then(async (r) => [r.status, r.body, await r.text()])`, `[418,null,""]`},
		{`fetch(args + "/large").then(async (r) => (await r.arrayBuffer()).byteLength)`, `4000000`},
		{`fetch(args + "/large").then(async (r) => { let n = 0; for await (const c of r.body) { if (!(c instanceof Uint8Array) || c.length > 65536) return "bad chunk"; n += c.length } return n })`, `4000000`},
		{`fetch(args + "/large").then(async (r) => { const reader = r.body.getReader({ mode: "byob" }); let n = 0; for (;;) { const { value, done } = await reader.read(new Uint8Array(50000)); if (done) return n; n += value.length } })`, `4000000`},
		{`fetch(args + "/large").then(async (r) => { const c = r.clone(); const [a, b] = await Promise.all([r.arrayBuffer(), c.arrayBuffer()]); return [a.byteLength, b.byteLength] })`, `[4000000,4000000]`},
		{`failure(fetch(args + "/broken").then((r) => r.text()))`, `{"name":"TypeError","message":"terminated","code":"UND_ERR_SOCKET","cause":"other side closed the connection before the end of the response"}`},
		{`failure(fetch(args + "/broken").then(async (r) => { const reader = r.body.getReader(); for (;;) await reader.read() }))`, `{"name":"TypeError","message":"terminated","code":"UND_ERR_SOCKET","cause":"other side closed the connection before the end of the response"}`},
		{`failure(fetch(args + "/headers"))`, `{"name":"TypeError","message":"fetch failed","code":"UND_ERR_HEADERS_OVERFLOW","cause":"server response headers exceeded 262144 bytes; aborted"}`},
	} {
		w.expect(c.code, s.URL, c.want)
	}
	if n := w.scope.Streams.Len(); n != 0 {
		t.Errorf("%d streams are left open", n)
	}
}

func TestFetchErrors(t *testing.T) {
	w := newWorld(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closedPort := l.Addr().String()
	l.Close()
	secure := httptest.NewUnstartedServer(http.HandlerFunc(echo))
	secure.Config.ErrorLog = log.New(io.Discard, "", 0)
	secure.StartTLS()
	defer secure.Close()
	for _, c := range []struct{ target, code, cause string }{
		{"http://" + closedPort, "ECONNREFUSED", "connect ECONNREFUSED " + closedPort},
		{"http://nowhere.invalid/", "ENOTFOUND", "getaddrinfo ENOTFOUND nowhere.invalid"},
		{"http://10.0.0.1/", "ERR_EGRESS_DENIED", "10.0.0.1 is the private address 10.0.0.1; allow it with --allow-net 10.0.0.1:80"},
		{"http://[::1]:99/", "ERR_EGRESS_DENIED", "--allow-net [::1]:99"},
		{"http://2130706433:1/", "ECONNREFUSED", "127.0.0.1:1"}, // the URL standard makes it 127.0.0.1
		{"http://0xA000001/", "ERR_EGRESS_DENIED", "--allow-net 10.0.0.1:80"},
		{"http://0251.0376.0251.0376/latest/meta-data/", "ERR_EGRESS_DENIED", "metadata"},
		{"http://\u2488\u2488\uff11\u3002.1/", "", ""},
		{"http://[::ffff:169.254.169.254]/", "ERR_EGRESS_DENIED", "metadata"},
		{"http://169.254.169.254./", "ERR_EGRESS_DENIED", "metadata"},
		{secure.URL, "UNABLE_TO_VERIFY_LEAF_SIGNATURE", "the certificate of 127.0.0.1"},
		{"ftp://h.test/", "ERR_INVALID_URL", "fetch supports http:, https: and data: URLs"},
		{"file:///etc/passwd", "ERR_INVALID_URL", "fetch supports"},
		{"blob:https://h.test/1", "ERR_INVALID_URL", "is not one of this instance"},
		{"data:x", "ERR_INVALID_URL", "malformed"},
	} {
		var got struct{ Name, Message, Code, Cause string }
		if err := json.Unmarshal([]byte(w.run(`failure(fetch(args))`, c.target)), &got); err != nil {
			t.Errorf("%s: %v", c.target, err)
		}
		if c.code == "" { // not a URL, or not an address: it must only fail
			if got.Name != "TypeError" {
				t.Errorf("%s: %+v", c.target, got)
			}
			continue
		}
		if got.Name != "TypeError" || got.Message != "fetch failed" || got.Code != c.code || !strings.Contains(got.Cause, c.cause) {
			t.Errorf("%s: %+v, want %s: %s", c.target, got, c.code, c.cause)
		}
	}
	w.expect(`failure(fetch("/x"))`, nil, `{"name":"TypeError","message":"Failed to parse URL from /x","code":"ERR_INVALID_URL","cause":"Invalid URL: \"/x\""}`)
	w.expect(`failure(fetch())`, nil, `{"name":"TypeError","message":"fetch() needs 1 argument, but got 0"}`)
}

func TestRedirects(t *testing.T) {
	w := newWorld(t)
	other := newServer(t, echo)
	s := newServer(t, func(w http.ResponseWriter, r *http.Request) {
		to := r.URL.Query().Get("to")
		status := http.StatusFound
		fmt.Sscanf(r.URL.Path, "/%d", &status)
		switch {
		case r.URL.Path == "/echo":
			echo(w, r)
		case r.URL.Path == "/loop":
			http.Redirect(w, r, "/loop", http.StatusFound)
		case to != "":
			w.Header().Set("Location", to)
			w.WriteHeader(status)
			io.WriteString(w, "moved")
		default:
			w.WriteHeader(status)
		}
	})
	_, port, _ := net.SplitHostPort(strings.TrimPrefix(other.URL, "http://"))
	args := map[string]string{"s": s.URL, "other": other.URL, "port": port}
	post := func(status int, rest string) string {
		return fmt.Sprintf(`fetch(args.s + "/%d?to=/echo", { method: "POST", body: "x", headers: { "content-type": "a/b", "content-language": "de" } }).then(async (r) => { const j = await r.json(); return [r.redirected, j.method, j.body, j.headers["Content-Type"] ?? null, j.headers["Content-Language"] ?? null] })%s`, status, rest)
	}
	for _, c := range []struct{ code, want string }{
		{`fetch(args.s + "/302?to=/echo").then(async (r) => [r.redirected, r.url === args.s + "/echo", r.status])`, `[true,true,200]`},
		{post(301, ""), `[true,"GET","",null,null]`},
		{post(302, ""), `[true,"GET","",null,null]`},
		{post(303, ""), `[true,"GET","",null,null]`},
		{post(307, ""), `[true,"POST","x",["a/b"],["de"]]`},
		{post(308, ""), `[true,"POST","x",["a/b"],["de"]]`},
		{`fetch(args.s + "/303?to=/echo", { method: "PUT", body: "x" }).then((r) => r.json()).then((j) => j.method)`, `"GET"`},
		{`fetch(args.s + "/302?to=/echo", { method: "PUT", body: "x" }).then((r) => r.json()).then((j) => [j.method, j.body])`, `["PUT","x"]`},
		{`fetch(args.s + "/302?to=/echo", { headers: { authorization: "s", cookie: "c" } }).then((r) => r.json()).then((j) => [j.headers.Authorization, j.headers.Cookie])`, `[["s"],["c"]]`},
		{`fetch(args.s + "/302?to=" + args.other, { headers: { authorization: "s", cookie: "c", "proxy-authorization": "p", "x-kept": "1" } }).then((r) => r.json()).then((j) => [j.headers.Authorization ?? null, j.headers.Cookie ?? null, j.headers["Proxy-Authorization"] ?? null, j.headers["X-Kept"]])`, `[null,null,null,["1"]]`},
		{`fetch(args.s + "/302?to=/echo", { redirect: "manual" }).then(async (r) => [r.status, r.headers.get("location"), r.redirected, await r.text()])`, `[302,"/echo",false,"moved"]`},
		{`fetch(args.s + "/302").then((r) => r.status)`, `302`},
		{`fetch(args.s + "/300?to=/echo").then((r) => r.status)`, `300`},
		{`failure(fetch(args.s + "/302?to=/echo", { redirect: "error" })).then((e) => [e.name, e.code, e.cause.endsWith('was not followed: the request has redirect: "error"')])`, `["TypeError","ERR_REDIRECT",true]`},
		{`failure(fetch(args.s + "/loop")).then((e) => [e.code, e.cause.endsWith("there were 20 before it")])`, `["ERR_REDIRECT",true]`},
		{`failure(fetch(args.s + "/307?to=/echo", { method: "POST", duplex: "half", body: new ReadableStream({ start(c) { c.enqueue(encodeUtf8("x")); c.close() } }) })).then((e) => [e.code, e.cause.endsWith("cannot be sent again; use a string or bytes")])`, `["ERR_REDIRECT",true]`},
		{`fetch(args.s + "/303?to=/echo", { method: "POST", duplex: "half", body: new ReadableStream({ start(c) { c.enqueue(encodeUtf8("x")); c.close() } }) }).then((r) => r.json()).then((j) => j.method)`, `"GET"`},
		{`failure(fetch(args.s + "/302?to=http://10.0.0.1/")).then((e) => e.code)`, `"ERR_EGRESS_DENIED"`},
		{`failure(fetch(args.s + "/302?to=http://[::ffff:a00:1]/")).then((e) => e.code)`, `"ERR_EGRESS_DENIED"`},
		{`failure(fetch(args.s + "/302?to=http://0xA000001/")).then((e) => e.code)`, `"ERR_EGRESS_DENIED"`},
		{`fetch(args.s + "/302?to=http://2130706433:" + args.port + "/x").then((r) => r.url === args.other + "/x")`, `true`},
		{`failure(fetch(args.s + "/302?to=file:///etc/passwd")).then((e) => [e.code, e.cause.includes("fetch supports http:")])`, `["ERR_REDIRECT",true]`},
		{`failure(fetch(args.s + "/302?to=http://")).then((e) => [e.code, e.cause.endsWith("it is no URL")])`, `["ERR_REDIRECT",true]`},
		{`failure(fetch(args.s + "/302?to=data:,x")).then((e) => e.code)`, `"ERR_REDIRECT"`},
	} {
		w.expect(c.code, args, c.want)
	}
	if n := w.scope.Streams.Len(); n != 0 {
		t.Errorf("%d streams are left open", n)
	}
}

func compressed(t *testing.T, coding string, data []byte) []byte {
	var b bytes.Buffer
	var z io.WriteCloser
	switch coding {
	case "gzip":
		z = gzip.NewWriter(&b)
	case "zlib":
		z = zlib.NewWriter(&b)
	default:
		z, _ = flate.NewWriter(&b, 9)
	}
	z.Write(data)
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestContentCodings(t *testing.T) {
	w := newWorld(t)
	text := []byte(strings.Repeat("some text ", 1000))
	bomb := compressed(t, "gzip", make([]byte, 40<<20))
	s := newServer(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Encoding", r.URL.Query().Get("coding"))
		switch r.URL.Path {
		case "/gzip":
			w.Write(compressed(t, "gzip", text))
		case "/zlib":
			w.Write(compressed(t, "zlib", text))
		case "/raw":
			w.Write(compressed(t, "raw", text))
		case "/double":
			w.Write(compressed(t, "gzip", compressed(t, "zlib", text)))
		case "/plain":
			w.Write(text)
		case "/damaged":
			damaged := compressed(t, "gzip", text)
			damaged[len(damaged)-5] ^= 0xff
			w.Write(damaged)
		case "/bomb":
			w.Write(bomb)
		case "/events":
			z := gzip.NewWriter(w)
			io.WriteString(z, "first")
			z.Flush()
			w.(http.Flusher).Flush()
			<-r.Context().Done()
		}
	})
	ok := `.then(async (r) => [r.headers.get("content-encoding"), r.headers.get("content-length"), (await r.text()).length])`
	for _, c := range []struct{ code, want string }{
		{`fetch(args + "/gzip?coding=gzip")` + ok, `[null,null,10000]`},
		{`fetch(args + "/gzip?coding=X-GZIP")` + ok, `[null,null,10000]`},
		{`fetch(args + "/zlib?coding=deflate")` + ok, `[null,null,10000]`},
		{`fetch(args + "/raw?coding=deflate")` + ok, `[null,null,10000]`},
		{`fetch(args + "/double?coding=deflate,%20gzip")` + ok, `[null,null,10000]`},
		{`fetch(args + "/plain?coding=br").then(async (r) => [r.headers.get("content-encoding"), (await r.text()).length])`, `["br",10000]`},
		{`fetch(args + "/none?coding=gzip")` + ok, `[null,null,0]`},
		{`failure(fetch(args + "/damaged?coding=gzip").then((r) => r.text())).then((e) => [e.message, e.code])`, `["terminated","ERR_CONTENT_DECODING"]`},
		{`failure(fetch(args + "/plain?coding=gzip").then((r) => r.text())).then((e) => [e.message, e.code])`, `["terminated","ERR_CONTENT_DECODING"]`},
		{`failure(fetch(args + "/bomb?coding=gzip").then((r) => r.arrayBuffer()))`, `{"name":"TypeError","message":"terminated","code":"ERR_DECOMPRESSED_SIZE","cause":"the response grows more than 250 times when decompressed"}`},
		{`(async () => { const c = new AbortController(); const r = await fetch(args + "/events?coding=gzip", { signal: c.signal }); const first = await r.body.getReader().read(); c.abort(); return decodeUtf8(first.value) })()`, `"first"`},
	} {
		w.expect(c.code, s.URL, c.want)
	}
	w.invocation()
	w.scope.Limits.MaxDecompressed = 5000
	w.expect(`failure(fetch(args + "/gzip?coding=gzip").then((r) => r.text())).then((e) => e.cause)`, s.URL, `"the response has more than 5000 bytes when decompressed"`)
}

func TestLimits(t *testing.T) {
	w := newWorld(t)
	s := newServer(t, echo)
	w.scope.Limits = hostfn.Limits{MaxFetches: 2, MaxHeaderBytes: 1000}
	w.expect(`Promise.all([1, 2, 3].map(() => fetch(args).then((r) => r.status, (e) => e.cause.code))).then((l) => l.sort())`, s.URL, `[200,200,"ERR_FETCH_LIMIT"]`)
	w.invocation()
	w.scope.Limits.MaxHeaderBytes = 1000
	w.expect(`failure(fetch(args, { headers: { a: "x".repeat(1000) } })).then((e) => e.cause)`, s.URL, `"the headers of the request have more than 1000 bytes"`)
	w.invocation()
	w.scope.Transport = nil
	w.expect(`failure(fetch(args)).then((e) => e.code)`, s.URL, `"ERR_EGRESS_DENIED"`)

	// Without a scope nothing works, and it says why.
	head, _ := json.Marshal(map[string]any{"code": `Promise.all([failure(fetch(args)), failure((async () => pipe())())])`, "args": s.URL})
	r, err := w.instance.Call(t.Context(), "main.js", "run", head, nil)
	if err != nil || strings.Count(string(r.Head), "move the call from the top level") != 2 {
		t.Errorf("%s, %v", r.Head, err)
	}
	// A guest that forges requests gets no further than one that does not.
	w.invocation()
	u, _ := url.Parse(s.URL)
	for _, forged := range []map[string]any{
		{"method": "GET", "url": s.URL + "/a b"}, {"method": "GET", "url": s.URL + "/\r\nX: y"}, {"method": "GET\r\nX: y", "url": s.URL},
		{"method": "CONNECT", "url": s.URL}, {"method": "", "url": s.URL}, {"method": "GET", "url": "http://" + u.Host + "\\@10.0.0.1/"},
		{"method": "GET", "url": s.URL, "headers": [][2]string{{"a\r\nb", "c"}}}, {"method": "GET", "url": s.URL, "headers": [][2]string{{"a", "b\r\nc: d"}}},
		{"method": "GET", "url": s.URL, "rid": 77}, {"method": "GET", "url": s.URL, "rid": -1}, {"method": "GET", "url": "http:///x"},
	} {
		w.forge(forged)
	}
}

// forge calls the operation itself, as a guest that broke out of the polyfill would.
func (w *world) forge(head map[string]any) {
	w.t.Helper()
	got := w.run(`forgedFetch(args).then((r) => "status " + r.status, (e) => "refused: " + e.message)`, head)
	if !strings.HasPrefix(got, `"refused: `) {
		w.t.Errorf("%v: %s", head, got)
	}
}
