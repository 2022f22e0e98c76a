package hostfn_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/agentrt/agentrt/hostfn"
	"github.com/agentrt/agentrt/stream"
)

// tokens serves /events: an event for each value of next, until the client goes;
// gone tells that it has. /head never answers, and /arrived does for each request to it.
func tokens(t *testing.T, next <-chan string) (url string, gone <-chan struct{}) {
	left, arrived := make(chan struct{}, 16), make(chan struct{}, 16)
	s := newServer(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/arrived":
			select {
			case <-arrived:
			case <-r.Context().Done():
			}
			return
		case "/head":
			arrived <- struct{}{}
			// A server notices that its client left only once the body has ended.
			_, _ = io.Copy(io.Discard, r.Body)
			<-r.Context().Done()
			left <- struct{}{}
			return
		}
		w.Header().Set("Content-Type", "text/event-stream")
		w.(http.Flusher).Flush()
		for {
			select {
			case text, ok := <-next:
				if !ok {
					return
				}
				fmt.Fprintf(w, "data: %s\n\n", text)
				w.(http.Flusher).Flush()
			case <-r.Context().Done():
				left <- struct{}{}
				return
			}
		}
	})
	return s.URL, left
}

func wait(t *testing.T, ch <-chan struct{}, what string) {
	t.Helper()
	select {
	case <-ch:
	case <-time.After(10 * time.Second):
		t.Fatalf("%s did not happen within 10 s", what)
	}
}

func TestAbort(t *testing.T) {
	w := newWorld(t)
	next := make(chan string, 8)
	url, gone := tokens(t, next)
	for name, code := range map[string]string{
		"before the head": `(async () => { const c = new AbortController(); const p = failure(fetch(args + "/head", { signal: c.signal })); await fetch(args + "/arrived"); c.abort("stop"); return p })()`,
		"during text()":   `(async () => { const c = new AbortController(); const r = await fetch(args + "/events", { signal: c.signal }); setTimeout(() => c.abort("stop"), 5); return failure(r.text()) })()`,
		"during read()":   `(async () => { const c = new AbortController(); const r = await fetch(args + "/events", { signal: c.signal }); const reader = r.body.getReader(); setTimeout(() => c.abort("stop"), 5); return failure(reader.read()) })()`,
		"before text()":   `(async () => { const c = new AbortController(); const r = await fetch(args + "/events", { signal: c.signal }); c.abort("stop"); return failure(r.text()) })()`,
		"before .body":    `(async () => { const c = new AbortController(); const r = await fetch(args + "/events", { signal: c.signal }); c.abort("stop"); return failure(r.body.getReader().read()) })()`,
		"by the Request":  `(async () => { const c = new AbortController(); const r = new Request(args + "/events", { signal: c.signal }); const s = await fetch(r); setTimeout(() => c.abort("stop"), 5); return failure(s.text()) })()`,
		"while uploading": `(async () => { const c = new AbortController(); let why; const body = new ReadableStream({ pull(k) { return new Promise((r) => setTimeout(r, 1)).then(() => k.enqueue(new Uint8Array(1000))) }, cancel(e) { why = e } });
			const p = failure(fetch(args + "/head", { method: "POST", body, duplex: "half", signal: c.signal })); await fetch(args + "/arrived"); c.abort("stop"); const e = await p; return why === "stop" ? e : "not cancelled: " + why })()`,
	} {
		if got := w.run(code, url); got != `"stop"` {
			t.Errorf("%s: %s", name, got)
		}
		wait(t, gone, name+": the end upstream")
	}
	for code, want := range map[string]string{
		`failure(fetch(args, { signal: AbortSignal.abort("early") }))`: `"early"`,
		`(async () => { const p = failure(fetch(args + "/head", { signal: AbortSignal.timeout(1000) })); await fetch(args + "/arrived"); return (await p).name })()`: `"TimeoutError"`,
	} {
		w.expect(code, url, want)
	}
	wait(t, gone, "timeout: the end upstream")
	w.expect(`(async () => { const r = await fetch(args + "/events"); await r.body.cancel("enough"); return [r.bodyUsed, await failure(r.text()).then((e) => e.name)] })()`, url, `[true,"TypeError"]`)
	wait(t, gone, "cancel: the end upstream")
	if n := w.scope.Streams.Len(); n != 0 {
		t.Errorf("%d streams are left open", n)
	}
}

// TestSignalIsHeld aborts through a controller that only a WeakRef and the signal's
// listeners keep, as SDKs do it.
// TestCutAfterData reads what came before a connection broke, also if all of it has
// arrived when reading begins.
func TestCutAfterData(t *testing.T) {
	w := newWorld(t)
	s := newServer(t, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "one")
		w.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	})
	w.expect(`(async () => {
		const res = await fetch(args);
		await new Promise((resolve) => setTimeout(resolve, 100));
		const letters = res.body.pipeThrough(new TransformStream({ transform(chunk, c) { for (const letter of decodeUtf8(chunk)) c.enqueue(letter); } })).pipeThrough(new TransformStream());
		let text = "";
		const e = await failure((async () => {
			for await (const letter of letters) {
				text += letter;
				for (let k = 0; k < 20; k++) await null;
			}
		})());
		return [text, e.name];
	})()`, s.URL, `["one","TypeError"]`)
}

func TestSignalIsHeld(t *testing.T) {
	w := newWorld(t)
	next := make(chan string, 8)
	url, gone := tokens(t, next)
	next <- "one"
	w.expect(`(async () => {
		const outer = new AbortController();
		const start = async () => {
			const inner = new AbortController(), weak = new WeakRef(inner.signal);
			outer.signal.addEventListener("abort", () => globalThis.abortWeakly(weak));
			globalThis.inner = new WeakRef(inner);
			return fetch(args + "/events", { signal: inner.signal });
		};
		globalThis.abortWeakly = (weak) => { globalThis.alive = weak.deref() !== undefined; globalThis.inner.deref()?.abort("inner") };
		const reader = (await start()).body.getReader();
		await reader.read();
		await new Promise((r) => setTimeout(r, 5));
		const pending = failure(reader.read());
		outer.abort();
		return [globalThis.alive, globalThis.inner.deref() === undefined ? "controller gone" : await pending];
	})()`, url, `[true,"controller gone"]`)
	w.scope.Streams.Close()
	wait(t, gone, "the end upstream")
}

func TestEndOfInvocationCancelsUpstream(t *testing.T) {
	w := newWorld(t)
	url, gone := tokens(t, make(chan string))
	ctx, cancel := context.WithCancel(t.Context())
	w.scope = &hostfn.Scope{Context: ctx, Streams: stream.NewTable(stream.Config{}), Transport: w.transport}
	w.expect(`fetch(args + "/events").then((r) => { globalThis.kept = r; return r.status })`, url, `200`)
	w.scope.Streams.Close()
	wait(t, gone, "the end upstream after the table closed")

	w.scope.Streams = stream.NewTable(stream.Config{})
	defer w.scope.Streams.Close()
	w.expect(`fetch(args + "/events").then((r) => { globalThis.kept = r; return r.status })`, url, `200`)
	cancel()
	wait(t, gone, "the end upstream after the context ended")
}

// TestResponseStreams reads events as they come: the next one is sent only when
// the one before it has arrived.
func TestResponseStreams(t *testing.T) {
	w := newWorld(t)
	next := make(chan string, 1)
	turn := 0
	s := newServer(t, func(rw http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/next" {
			if turn++; turn > 5 {
				close(next)
			} else {
				next <- fmt.Sprint(turn)
			}
			return
		}
	})
	url, _ := tokens(t, next)
	w.expect(`(async () => {
		const events = (await fetch(args[0] + "/events")).body.getReader(), seen = [];
		for (;;) {
			const [{ value, done }] = await Promise.all([events.read(), fetch(args[1] + "/next").then((r) => r.text())]);
			if (done) return seen;
			seen.push(decodeUtf8(value).trim());
		}
	})()`, []string{url, s.URL}, `["data: 1","data: 2","data: 3","data: 4","data: 5"]`)
}

func TestUploadBackpressure(t *testing.T) {
	w := newWorld(t)
	release := make(chan struct{})
	var received atomic.Int64
	s := newServer(t, func(rw http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/early" {
			rw.WriteHeader(403)
			return
		}
		<-release
		n, _ := io.Copy(io.Discard, r.Body)
		received.Store(n)
	})
	// The server reads nothing until the producer has been stopped for a while.
	ticks := newServer(t, func(http.ResponseWriter, *http.Request) { close(release) })
	w.expect(`(async () => {
		let pulled = 0;
		const body = new ReadableStream({ pull(c) { if (pulled >= 64e6) return c.close(); pulled += 100000; c.enqueue(new Uint8Array(100000)) } }, { highWaterMark: 0 });
		const p = fetch(args[0], { method: "POST", body, duplex: "half" });
		let before = -1;
		while (before !== pulled || pulled === 0) { before = pulled; await new Promise((r) => setTimeout(r, 100)) }
		const stopped = pulled;
		await fetch(args[1]);
		const r = await p;
		return [stopped < 32e6, r.status, pulled];
	})()`, []string{s.URL, ticks.URL}, `[true,200,64000000]`)
	if received.Load() != 64_000_000 {
		t.Errorf("the server received %d bytes", received.Load())
	}
	// A server that answers without reading ends the producer.
	w.expect(`(async () => {
		let cancelled; const ended = new Promise((r) => (cancelled = r));
		const body = new ReadableStream({ pull(c) { c.enqueue(new Uint8Array(65536)) }, cancel(e) { cancelled(e instanceof Error) } });
		const r = await fetch(args + "/early", { method: "POST", body, duplex: "half" }).catch((e) => ({ status: 403, text() {} }));
		await r.text();
		return [r.status, await ended];
	})()`, s.URL, `[403,true]`)
	for code, want := range map[string]string{
		`new ReadableStream({ pull(c) { c.error(new RangeError("broke")) } })`:                                `["TypeError","fetch failed","broke"]`,
		`new ReadableStream({ start(c) { c.enqueue("text") } })`:                                              `["TypeError","fetch failed","A body's stream must give Uint8Array chunks, but gave one of type string: pipe the stream through new TextEncoderStream()"]`,
		`new ReadableStream({ start(c) { c.enqueue(encodeUtf8("a")) }, pull() { throw new Error("late") } })`: `["TypeError","fetch failed","late"]`,
	} {
		w.expect(`failure(fetch(args, { method: "POST", duplex: "half", body: `+code+` })).then((e) => [e.name, e.message, e.cause])`, s.URL, want)
	}
}

func TestPump(t *testing.T) {
	w := newWorld(t)
	read := func(rid int) (string, error) {
		r, err := w.scope.Streams.Take(rid)
		if err != nil {
			return "", err
		}
		defer r.Close()
		b, err := io.ReadAll(r)
		return string(b), err
	}
	results := make(chan func(), 1)
	start := func(check func(string, error)) int {
		rid, err := w.scope.Streams.NewPipe()
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			got, err := read(rid)
			results <- func() { check(got, err) }
		}()
		return rid
	}
	rid := start(func(got string, err error) {
		if err != nil || len(got) != 1_000_003 || strings.Trim(got, "x") != "" {
			t.Errorf("%d bytes, %v", len(got), err)
		}
	})
	w.expect(`pump(new ReadableStream({ start(c) { c.enqueue(new Uint8Array(1e6).fill(120)); c.enqueue(new Uint8Array(0)); c.enqueue(new Uint8Array(3).fill(120)); c.close() } }), args).then(() => "done")`, rid, `"done"`)
	(<-results)()
	rid = start(func(got string, err error) {
		if got != "a" || err == nil || err.Error() != "broke" {
			t.Errorf("%q, %v", got, err)
		}
	})
	w.expect(`failure(pump(new ReadableStream({ start(c) { c.enqueue(encodeUtf8("a")) }, pull(c) { c.error(new RangeError("broke")) } }, { highWaterMark: 0 }), args)).then((e) => e.name)`, rid, `"RangeError"`)
	(<-results)()
	rid = start(func(_ string, err error) {
		if err == nil || !strings.Contains(err.Error(), "TextEncoderStream") {
			t.Error(err)
		}
	})
	w.expect(`(async () => { let why; const e = await failure(pump(new ReadableStream({ start(c) { c.enqueue("a") }, cancel(e) { why = e } }), args)); return [e.name, why.message === e.message] })()`, rid, `["TypeError",true]`)
	(<-results)()

	// A reader that goes cancels the stream, whether it is writing or idle.
	for _, body := range []string{`pull(c) { c.enqueue(new Uint8Array(65536)) }`, `start(c) { c.enqueue(new Uint8Array(1)) }`} {
		rid, _ := w.scope.Streams.NewPipe()
		r, err := w.scope.Streams.Take(rid)
		if err != nil {
			t.Fatal(err)
		}
		closed := make(chan struct{})
		go func() { io.ReadFull(r, make([]byte, 1)); r.Close(); close(closed) }()
		w.expect(`(async () => { let why; await pump(new ReadableStream({ `+body+`, cancel(e) { why = e } }), args); return why instanceof Error })()`, rid, `true`)
		<-closed
	}
	if n := w.scope.Streams.Len(); n != 0 {
		t.Errorf("%d streams are left open", n)
	}
}

// TestSplice passes bodies on without reading them in JavaScript.
func TestSplice(t *testing.T) {
	w := newWorld(t)
	s := newServer(t, func(rw http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		rw.(http.Flusher).Flush() // the length is not known then
		fmt.Fprintf(rw, "%s upstream", body)
	})
	take := func(code string, args any) (string, bool) {
		t.Helper()
		r, err := w.call("run", map[string]any{"code": `(async () => { const t = takeResponse(await (` + code + `)); return t.rid ?? (t.stream ? "stream" : "bytes") })()`, "args": args})
		if err != nil {
			t.Fatal(err)
		}
		var rid int
		if _, err := fmt.Sscan(string(r.Head), &rid); err != nil {
			return string(r.Head), false
		}
		body, err := w.scope.Streams.Take(rid)
		if err != nil {
			t.Fatal(err)
		}
		defer body.Close()
		b, err := io.ReadAll(body)
		if err != nil {
			t.Error(err)
		}
		return string(b), true
	}
	for _, code := range []string{
		`fetch(args, { method: "POST", body: "an" })`,
		`fetch(args, { method: "POST", body: "an" }).then((r) => new Response(r.body, r))`,
		`fetch(args, { method: "POST", body: "an" }).then((r) => new Response(new Response(r.body).body, { status: 201 }))`,
		`fetch(new Request(args, { method: "POST", body: "an", signal: makeRequest({ url: "http://h/", method: "GET", headers: [], signal: () => new AbortController().signal }).signal }))`,
	} {
		if got, ok := take(code, s.URL); !ok || got != "an upstream" {
			t.Errorf("%s: %s, spliced %v", code, got, ok)
		}
	}
	for _, code := range []string{
		`fetch(args, { signal: new AbortController().signal })`, // the signal must still be able to abort
		`fetch(args).then((r) => { const c = r.clone(); return r })`,
		`fetch(args).then((r) => new Response(r.body.pipeThrough(new TransformStream())))`,
	} {
		if got, ok := take(code, s.URL); ok || got != `"stream"` {
			t.Errorf("%s: %s, spliced %v", code, got, ok)
		}
	}
	// An incoming body goes upstream the same way.
	rid, err := w.scope.Streams.AddReader(io.NopCloser(strings.NewReader("incoming")))
	if err != nil {
		t.Fatal(err)
	}
	w.expect(`fetch(args[0], makeRequest({ url: "http://h/", method: "POST", headers: [], rid: args[1] })).then((r) => r.text(), describe)`, []any{s.URL, rid}, `"incoming upstream"`)
}

// TestIncomingBodies reads a request's body in every way.
func TestIncomingBodies(t *testing.T) {
	w := newWorld(t)
	for _, c := range []struct{ code, want string }{
		{`makeRequest(args).text()`, `"{\"a\":1}"`},
		{`makeRequest(args).json()`, `{"a":1}`},
		{`(async () => { const r = makeRequest(args), c = r.clone(); return [await r.text(), await c.json()] })()`, `["{\"a\":1}",{"a":1}]`},
		{`(async () => { const r = makeRequest(args); let s = ""; for await (const c of r.body) s += decodeUtf8(c); return [s, r.bodyUsed, await failure(r.text()).then((e) => e.name)] })()`, `["{\"a\":1}",true,"TypeError"]`},
		{`(async () => { const r = new Request(makeRequest(args), { headers: { "x": "1" } }); return r.json() })()`, `{"a":1}`},
		{`new Response(streamFromRid(args.rid)).text()`, `"{\"a\":1}"`},
		{`failure(streamFromRid(9999).getReader().read()).then((e) => [e.name, e.message])`, `["TypeError","stream: the handle is not open: 9999"]`},
	} {
		rid, err := w.scope.Streams.AddReader(io.NopCloser(strings.NewReader(`{"a":1}`)))
		if err != nil {
			t.Fatal(err)
		}
		w.expect(c.code, map[string]any{"url": "http://h/", "method": "POST", "headers": []any{}, "rid": rid}, c.want)
	}
	failing := io.MultiReader(strings.NewReader("ab"), errReader{errors.New("the client broke off")})
	rid, _ := w.scope.Streams.AddReader(io.NopCloser(failing))
	w.expect(`failure(new Response(streamFromRid(args)).text()).then((e) => [e.name, e.cause])`, rid, `["TypeError","the client broke off"]`)
}

type errReader struct{ err error }

func (e errReader) Read([]byte) (int, error) { return 0, e.err }

// TestManyStreams holds 300 streams open at the same time in one instance.
func TestManyStreams(t *testing.T) {
	w := newWorld(t)
	arrived := make(chan struct{}, 400)
	all := make(chan struct{})
	s := newServer(t, func(rw http.ResponseWriter, r *http.Request) {
		rw.(http.Flusher).Flush()
		arrived <- struct{}{}
		<-all
		io.WriteString(rw, "done")
	})
	go func() {
		for range 300 {
			<-arrived
		}
		close(all)
	}()
	w.expect(`Promise.all(Array.from({ length: 300 }, () => fetch(args).then((r) => r.text()))).then((l) => l.filter((x) => x === "done").length)`, s.URL, `300`)
}

func TestResponseToAClient(t *testing.T) {
	w := newWorld(t)
	next := make(chan string, 1)
	url, gone := tokens(t, next)
	rids := make(chan int, 1)
	front := newServer(t, func(rw http.ResponseWriter, r *http.Request) {
		body, err := w.scope.Streams.Take(<-rids)
		if err != nil {
			t.Error(err)
			return
		}
		stream.Copy(r.Context(), rw, body, stream.CopyConfig{})
	})
	r, err := w.call("run", map[string]any{"code": `fetch(args + "/events").then((r) => takeResponse(r).rid)`, "args": url})
	if err != nil {
		t.Fatal(err)
	}
	var rid int
	fmt.Sscan(string(r.Head), &rid)
	rids <- rid
	res, err := front.Client().Get(front.URL)
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(res.Body)
	for _, token := range []string{"a", "b"} {
		next <- token
		if line, err := lines.ReadString('\n'); line != "data: "+token+"\n" || err != nil {
			t.Fatalf("%q, %v", line, err)
		}
		lines.ReadString('\n')
	}
	res.Body.Close()
	wait(t, gone, "the end upstream after the client left")
}
