package hostfn_test

import (
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/agentrt/agentrt/hostfn"
)

// TestSmallResponses reads bodies that come with the reply of fetch in every way.
func TestSmallResponses(t *testing.T) {
	hostfn.WaitForSmallResponses(t)
	w := newWorld(t)
	s := newServer(t, func(w http.ResponseWriter, r *http.Request) {
		switch n, err := strconv.Atoi(r.URL.Path[1:]); {
		case err == nil:
			w.Header().Set("Content-Length", strconv.Itoa(n))
			io.WriteString(w, strings.Repeat("x", n))
		case r.URL.Path == "/gzip":
			w.Header().Set("Content-Encoding", "gzip")
			w.Write(compressed(t, "gzip", []byte("unpacked")))
		default:
			io.WriteString(w, `{"a":"é"}`)
		}
	})
	const signal = `, { signal: new AbortController().signal }`
	for _, options := range []string{"", signal} {
		get := `(await fetch(args + "/json"` + options + `))`
		for _, c := range []struct{ code, want string }{
			{`const r = ` + get + `; return [r.bodyUsed, await r.text(), r.bodyUsed, await failure(r.text()).then((e) => e.name)]`, `[false,"{\"a\":\"é\"}",true,"TypeError"]`},
			{`return ` + get + `.json()`, `{"a":"é"}`},
			{`const r = ` + get + `; return [(await r.bytes()).length, r.bodyUsed]`, `[10,true]`},
			{`const b = await ` + get + `.arrayBuffer(); return [b instanceof ArrayBuffer, b.byteLength]`, `[true,10]`},
			{`const r = ` + get + `, chunks = []; for await (const c of r.body) chunks.push(decodeUtf8(c)); return [chunks, r.bodyUsed, r.body.locked]`, `[["{\"a\":\"é\"}"],true,false]`},
			{`const r = ` + get + `, reader = r.body.getReader({ mode: "byob" }); const a = await reader.read(new Uint8Array(4)), b = await reader.read(new Uint8Array(9)), c = await reader.read(new Uint8Array(1)); return [a.value.length, b.value.length, c.done, c.value.length]`, `[4,6,true,0]`},
			{`const r = ` + get + `, c = r.clone(); return [await r.json(), await c.text(), r.bodyUsed, c.bodyUsed]`, `[{"a":"é"},"{\"a\":\"é\"}",true,true]`},
			{`const r = new Response(` + get + `.body, { status: 201 }); return [r.status, await r.json()]`, `[201,{"a":"é"}]`},
			{`const r = ` + get + `; await r.body.cancel(); return [r.bodyUsed, await failure(r.text()).then((e) => e.name)]`, `[true,"TypeError"]`},
			{`const r = await fetch(args + "/0"` + options + `); return [r.status, r.body !== null, await r.text()]`, `[200,true,""]`},
			{`const r = await fetch(args + "/0"` + options + `); const { value, done } = await r.body.getReader().read(); return [value === undefined, done]`, `[true,true]`},
			{`return (await fetch(args + "/16384"` + options + `).then((r) => r.text())).length`, `16384`},
			{`return (await fetch(args + "/16385"` + options + `).then((r) => r.text())).length`, `16385`},
			{`return fetch(args + "/gzip"` + options + `).then((r) => r.text())`, `"unpacked"`},
		} {
			w.expect(`(async () => { `+c.code+` })()`, s.URL, c.want)
		}
	}
	for _, how := range []string{"r.text()", "r.body.getReader().read()", "new Response(r.body).text()"} {
		w.expect(`(async () => { const c = new AbortController(); const r = await fetch(args + "/json", { signal: c.signal }); c.abort("stop"); return failure(`+how+`) })()`, s.URL, `"stop"`)
	}
	w.expect(`(async () => { const c = new AbortController(); const r = await fetch(args + "/json", { signal: c.signal }); const text = await r.text(); c.abort("stop"); return text })()`, s.URL, `"{\"a\":\"é\"}"`)
	w.expect(`fetch(args + "/16384").then((r) => r.status)`, s.URL, `200`)
	if n := w.scope.Streams.Len(); n != 0 {
		t.Errorf("%d streams are open", n)
	}
	w.expect(`fetch(args + "/16385").then((r) => r.status)`, s.URL, `200`)
	if n := w.scope.Streams.Len(); n != 1 {
		t.Errorf("%d streams are open, want that of the larger body", n)
	}
}

// TestSlowSmallResponse has the body follow the head only when the head, and then
// the first half, have been seen.
func TestSlowSmallResponse(t *testing.T) {
	w := newWorld(t)
	seen := make(chan struct{})
	s := newServer(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/seen" {
			select {
			case seen <- struct{}{}:
			case <-r.Context().Done():
			}
			return
		}
		w.Header().Set("Content-Length", "10")
		for _, half := range []string{"", "first", "other"} {
			if half != "" {
				select {
				case <-seen:
				case <-r.Context().Done():
					return
				}
			}
			io.WriteString(w, half)
			w.(http.Flusher).Flush()
			if half == "first" && r.URL.Path == "/cut" {
				panic(http.ErrAbortHandler)
			}
		}
	})
	const read = `(async () => {
		const r = await fetch(args + "/body"), got = [];
		const reader = r.body.getReader();
		for (;;) {
			await fetch(args + "/seen").then((r) => r.text());
			const { value } = await reader.read();
			got.push(decodeUtf8(value));
			if (got.length === 2) return [got, (await reader.read()).done];
		}
	})()`
	w.expect(read, s.URL, `[["first","other"],true]`)
	w.expect(`(async () => { const r = await fetch(args + "/cut"); await fetch(args + "/seen"); return [r.status, (await failure(r.text())).code] })()`, s.URL, `[200,"UND_ERR_SOCKET"]`)
	w.expect(`(async () => { const c = new AbortController(); const r = await fetch(args + "/body", { signal: c.signal }); const text = failure(r.text()); c.abort("stop"); return text })()`, s.URL, `"stop"`)
	if n := w.scope.Streams.Len(); n != 0 {
		t.Errorf("%d streams are open", n)
	}
	w.expect(`(async () => { const r = await fetch(args + "/body"); await r.body.cancel(); return r.status })()`, s.URL, `200`)
}
