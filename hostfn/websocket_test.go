package hostfn_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/agentrt/agentrt/agentrt/security"
	"github.com/agentrt/agentrt/hostfn"
	"github.com/agentrt/agentrt/internal/jstest"
	"github.com/agentrt/agentrt/quickjs"
	"github.com/coder/websocket"
)

const platformSource = `
	const describe = (e) => e instanceof Error ? { name: e.name, message: e.message, ...(e.cause && { code: e.cause.code }) } : e;
	const failure = (p) => p.then(() => "did not fail", describe);
	const next = (target, type) => new Promise((resolve) => target.addEventListener(type, resolve, { once: true }));
	const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
	/** All events of a WebSocket or EventSource up to the one named last. */
	const events = (target, names, last) => new Promise((resolve) => {
		const out = [];
		for (const name of names) target.addEventListener(name, (e) => { out.push(name === "close" ? ["close", e.code, e.reason, e.wasClean] : name === "message" ? e.data : name); if (name === last) resolve(out); });
	});
	Object.assign(globalThis, { describe, failure, next, wait, events });
	export const run = async ({ code, args }) => (await (0, eval)("(async (args) => (" + code + "))")(args)) ?? null;
`

// newPlatform is newWorld with all globals and operations.
func newPlatform(t testing.TB) *world {
	t.Helper()
	ops := quickjs.NewOps()
	hostfn.Register(ops)
	loopback, err := security.ParseRule("127.0.0.0/8")
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, transport: security.NewEgressPolicy().Allow(loopback).Transport(security.TransportConfig{})}
	t.Cleanup(w.transport.CloseIdleConnections)
	w.instance = jstest.Load(t, jstest.Env{Ops: ops, Platform: true}, jstest.Bundle(t, platformSource))
	w.invocation()
	return w
}

// newSocketServer serves a WebSocket that does what the path says.
func newSocketServer(t testing.TB, ended chan<- error) string {
	s := newServer(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/plain" {
			http.Error(w, "no", http.StatusForbidden)
			return
		}
		if r.URL.Path == "/redirect" {
			http.Redirect(w, r, "/echo", http.StatusFound)
			return
		}
		c, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{"b", "a"}})
		if err != nil {
			return
		}
		defer c.CloseNow()
		c.SetReadLimit(32 << 20)
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		switch r.URL.Path {
		case "/header":
			c.Write(ctx, websocket.MessageText, []byte(r.Header.Get("Authorization")+" "+r.Header.Get("User-Agent")+" "+r.RequestURI))
		case "/bye":
			c.Close(4001, "bye")
			return
		case "/drop":
			return
		case "/large":
			c.Write(ctx, websocket.MessageBinary, make([]byte, 16<<20+1))
		case "/invalid":
			c.Write(ctx, websocket.MessageText, []byte{0xff})
		}
		for {
			kind, data, err := c.Read(ctx)
			if err != nil {
				if ended != nil {
					ended <- err
				}
				return
			}
			c.Write(ctx, kind, data)
		}
	})
	return strings.Replace(s.URL, "http", "ws", 1)
}

func TestWebSocket(t *testing.T) {
	w := newPlatform(t)
	url := newSocketServer(t, nil)
	for _, c := range []struct{ code, want string }{
		{`(async () => { const s = new WebSocket(args + "/echo"); const before = [s.readyState, s.url === args + "/echo", s.binaryType, s.protocol, s.extensions]; const e = await next(s, "open"); s.send("hé\ud800"); const m = await next(s, "message"); s.close(1000, "done"); const states = [s.readyState]; const c = await next(s, "close"); return [before, e.isTrusted, m.data, m.origin === args, states, s.readyState, c.code, c.reason, c.wasClean, c.constructor.name] })()`,
			`[[0,true,"blob","",""],true,"hé�",true,[2],3,1000,"done",true,"CloseEvent"]`},
		{`(async () => { const s = new WebSocket(args + "/echo"); await next(s, "open"); s.send(new Uint8Array([1, 2])); const a = (await next(s, "message")).data; s.binaryType = "arraybuffer"; s.send(new Blob(["xyz"])); const b = (await next(s, "message")).data; s.binaryType = "other"; s.close(); await next(s, "close"); return [a instanceof Blob, a.size, b instanceof ArrayBuffer, b.byteLength, s.binaryType] })()`, `[true,2,true,3,"arraybuffer"]`},
		// Order and amounts.
		{`(async () => { const s = new WebSocket(args + "/echo"), got = []; await next(s, "open"); s.onmessage = (e) => got.push(e.data); for (let i = 0; i < 100; i++) s.send(String(i)); const waiting = s.bufferedAmount; while (got.length < 100) await wait(1); s.close(); await next(s, "close"); return [waiting, s.bufferedAmount, got.every((v, i) => v === String(i))] })()`, `[190,0,true]`},
		{`(async () => { const s = new WebSocket(args + "/echo"); await next(s, "open"); s.send(new Uint8Array(3 << 20)); s.send("after"); s.close(); return await events(s, ["close", "error"], "close") })()`, `[["close",1005,"",true]]`},
		{`(async () => { const s = new WebSocket(args + "/echo"); await next(s, "open"); s.close(3000, "mine"); return events(s, ["close"], "close") })()`, `[["close",3000,"mine",true]]`},
		{`(async () => events(new WebSocket(args + "/bye"), ["open", "message", "error", "close"], "close"))()`, `["open",["close",4001,"bye",true]]`},
		{`(async () => events(new WebSocket(args + "/drop"), ["open", "message", "error", "close"], "close"))()`, `["open","error",["close",1006,"",false]]`},
		{`(async () => events(new WebSocket(args + "/invalid"), ["open", "message", "error", "close"], "close"))()`, `["open","error",["close",1006,"",false]]`},
		{`(async () => { const s = new WebSocket(args + "/large"); const e = await next(s, "error"); return [e.message, (await next(s, "close")).code] })()`, `["the server sent a message of more than 16777216 bytes",1006]`},
		{`(async () => { const s = new WebSocket(args + "/echo"); await next(s, "open"); const all = events(s, ["error", "close"], "close"); s.send(new Uint8Array((16 << 20) + 1)); return [await all, s.readyState] })()`, `[["error",["close",1006,"",false]],3]`},
		// Subprotocols.
		{`(async () => { const s = new WebSocket(args + "/echo", ["x", "a"]); await next(s, "open"); const p = s.protocol; s.close(); await next(s, "close"); return p })()`, `"a"`},
		{`(async () => { const s = new WebSocket(args + "/echo", "unknown"); const e = await next(s, "error"); return e.message })()`, `"the server chose none of the subprotocols [\"unknown\"]"`},
		{`(async () => { const s = new WebSocket(args + "/header?q=a%2Fb", { protocols: ["a"], headers: { Authorization: "Bearer t", "Sec-WebSocket-Version": "1", Host: "evil" } }); const m = await next(s, "message"); s.close(); return [s.protocol, m.data] })()`, `["a","Bearer t agentrt /header?q=a%2Fb"]`},
		// The handshake fails.
		{`(async () => { const s = new WebSocket(args + "/plain"); const e = await next(s, "error"); return [e.message, e.error.code, (await next(s, "close")).code, s.readyState] })()`, `["the server answered 403 instead of 101 to the opening of the WebSocket","ERR_WS_HANDSHAKE",1006,3]`},
		{`(async () => (await next(new WebSocket(args + "/redirect"), "error")).message)()`, `"the server answered 302 instead of 101 to the opening of the WebSocket"`},
		{`(async () => (await next(new WebSocket("ws://10.0.0.1/"), "error")).error.code)()`, `"ERR_EGRESS_DENIED"`},
		{`(async () => (await next(new WebSocket("ws://127.0.0.1:1/"), "error")).error.code)()`, `"ECONNREFUSED"`},
		{`(async () => { const s = new WebSocket(args + "/echo"); s.close(); return [s.readyState, await events(s, ["open", "error", "close"], "close")] })()`, `[2,["error",["close",1006,"",false]]]`},
		// Arguments.
		{`["", "/x", "ftp://h/", "ws://h/#f", "ws://h/#"].map((u) => { try { new WebSocket(u) } catch (e) { return e.name } })`, `["SyntaxError","SyntaxError","SyntaxError","SyntaxError","SyntaxError"]`},
		{`[["a", "A"], [""], ["a b"], "é"].map((p) => { try { new WebSocket("ws://h/", p) } catch (e) { return e.name } })`, `["SyntaxError","SyntaxError","SyntaxError","SyntaxError"]`},
		{`(async () => { const s = new WebSocket(args.replace("ws:", "http:") + "/echo"); await next(s, "open"); const out = [s.url.startsWith("ws:")]; for (const a of [[999], [1001], [1000, "x".repeat(124)], [5000]]) try { s.close(...a) } catch (e) { out.push(e.name) } s.close(); await next(s, "close"); return out })()`, `[true,"InvalidAccessError","InvalidAccessError","SyntaxError","InvalidAccessError"]`},
		{`(() => { const s = new WebSocket(args + "/echo"); try { s.send("x") } catch (e) { s.close(); return e.name } })()`, `"InvalidStateError"`},
		{`[WebSocket.CONNECTING, WebSocket.OPEN, WebSocket.prototype.CLOSING, WebSocket.CLOSED, String(WebSocket.prototype), WebSocket.length]`, `[0,1,2,3,"[object WebSocket]",1]`},
		{`(({ code, reason, wasClean }) => [code, reason, wasClean])(new CloseEvent("close", { code: 1000, reason: "r", wasClean: true }))`, `[1000,"r",true]`},
	} {
		w.expect(c.code, url, c.want)
	}
}

func TestWebSocketLimit(t *testing.T) {
	w := newPlatform(t)
	url := newSocketServer(t, nil)
	w.expect(`(async () => { const open = []; for (let i = 0; i < 32; i++) { const s = new WebSocket(args + "/echo"); await next(s, "open"); open.push(s) } const e = await next(new WebSocket(args + "/echo"), "error"); open[0].close(); await next(open[0], "close"); const again = new WebSocket(args + "/echo"); await next(again, "open"); return [e.error.code, e.message] })()`, url,
		`["ERR_WS_LIMIT","32 WebSockets are open, which is the limit: close some first"]`)
}

// TestWebSocketEndsWithInvocation leaves a connection open.
func TestWebSocketEndsWithInvocation(t *testing.T) {
	w := newPlatform(t)
	ended := make(chan error, 1)
	url := newSocketServer(t, ended)
	ctx, cancel := context.WithCancel(context.Background())
	w.scope.Context = ctx
	w.expect(`(async () => { const s = globalThis.left = new WebSocket(args + "/echo"); await next(s, "open"); return s.readyState })()`, url, `1`)
	cancel()
	select {
	case err := <-ended:
		if websocket.CloseStatus(err) != -1 {
			t.Errorf("closed with %v, want an ended connection", err)
		}
	case <-time.After(10 * time.Second):
		t.Error("the connection is still open")
	}
}

func TestEventSource(t *testing.T) {
	w := newPlatform(t)
	connections := 0
	s := newServer(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		switch r.URL.Path {
		case "/events":
			connections++
			fmt.Fprintf(w, "\ufeffretry: 100\r\n: comment\r\rdata: %s|%s|%s\nid: n%d\n\n", r.Header.Get("Last-Event-ID"), r.Header.Get("Accept"), r.Header.Get("Cache-Control"), connections)
			if connections == 1 {
				fmt.Fprint(w, "event: named\ndata: a\ndata:  b\ndata\n\nevent: empty\n\nid: é\ndata:x\n\ndata: cut off")
			}
		case "/auth":
			fmt.Fprintf(w, "data: %s\n\n", r.Header.Get("Authorization"))
			w.(http.Flusher).Flush()
			<-r.Context().Done()
		case "/status":
			w.WriteHeader(500)
		case "/type":
			w.Header().Set("Content-Type", "text/plain")
		case "/nul":
			fmt.Fprint(w, "id: a\ndata: 1\n\nid: b\x00\nretry: 1x\ndata: 2\n\n")
		case "/long":
			fmt.Fprint(w, "data: "+strings.Repeat("x", 1<<20)+"\n\n")
		}
	})
	for _, c := range []struct{ code, want string }{
		{`(async () => { const s = new EventSource(args + "/events"), o = []; s.addEventListener("named", (e) => o.push(e.type, e.data)); s.addEventListener("empty", () => o.push("never")); s.onopen = (e) => o.push(e.type, s.readyState); s.onerror = (e) => o.push(e.type, s.readyState); let n = 0; await new Promise((r) => { s.onmessage = (e) => { o.push(e.data, e.lastEventId, e.origin === args); if (++n === 3) r() } }); s.close(); return [o, s.readyState] })()`,
			`[["open",1,"|text/event-stream|no-store","n1",true,"named","a\n b\n","x","é",true,"error",0,"open",1,"é|text/event-stream|no-store","n2",true],2]`},
		{`(async () => { const s = new EventSource(args + "/auth", { headers: { Authorization: "Bearer t" } }); const m = await next(s, "message"); s.close(); return [m.data, s.readyState, s.url === args + "/auth", s.withCredentials] })()`, `["Bearer t",2,true,false]`},
		{`(async () => { const s = new EventSource(args + "/status"); const e = await next(s, "error"); return [e.message, s.readyState] })()`, `["The server answered 500",2]`},
		{`(async () => { const s = new EventSource(args + "/type"); const e = await next(s, "error"); return [e.message, s.readyState] })()`, `["The server answered with text/plain, not text/event-stream",2]`},
		{`(async () => { const s = new EventSource(args + "/nul"), o = []; s.onmessage = (e) => o.push(e.data, e.lastEventId); await next(s, "error"); s.close(); return o })()`, `["1","a","2","a"]`},
		{`(async () => { const s = new EventSource(args + "/long"); const e = await next(s, "error"); return [e.message, s.readyState] })()`, `["An event is longer than 1048576 characters",2]`},
		{`(async () => { const s = new EventSource("http://10.0.0.1/"); const e = await next(s, "error"); return [e.error.cause.code, s.readyState] })()`, `["ERR_EGRESS_DENIED",2]`},
		{`(() => { try { new EventSource("no url") } catch (e) { return e.name } })()`, `"SyntaxError"`},
		{`[EventSource.CONNECTING, EventSource.OPEN, EventSource.CLOSED, EventSource.prototype.CLOSED]`, `[0,1,2,2]`},
	} {
		w.expect(c.code, s.URL, c.want)
	}
}
