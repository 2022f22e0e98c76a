package agentrt_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/agentrt/agentrt/agentrt"
	"github.com/agentrt/agentrt/agentrt/pool"
	"github.com/agentrt/agentrt/compat/modelserver"
	"github.com/agentrt/agentrt/internal/apptest"
	"github.com/pocketbase/pocketbase/core"
)

var routes = map[string]string{
	"routes/hello.ts": `
		export function GET(req: Request, ctx: RouteContext) {
			return Response.json({ hello: new URL(req.url).searchParams.get("name") ?? "world", route: ctx.route, id: ctx.requestId, auth: ctx.auth });
		}
		export const POST = async (req: Request) => new Response(await req.text(), { status: 201, headers: { "x-type": req.headers.get("content-type")! } });`,
	"routes/index.ts":           `export default () => new Response("root");`,
	"routes/users/[id].ts":      `export const GET = (_: Request, ctx: RouteContext) => Response.json(ctx.params);`,
	"routes/files/[...path].ts": `export const GET = (_: Request, ctx: RouteContext) => Response.json(ctx.params);`,
	"routes/object.ts":          `export default { fetch(req: Request, ctx: RouteContext) { return new Response(req.method + " " + ctx.route); } };`,
	"routes/throws.ts": `
		interface Order { total: number }
		function total(order: Order | undefined): number {
			return order!.total;
		}
		export const GET = () => Response.json(total(undefined));`,
	"routes/thrown-response.ts": `export const GET = () => { throw new Response("no tea", { status: 418 }); };`,
	"routes/nothing.ts":         `export const GET = () => {};`,
	"routes/stalled.ts":         `export const GET = () => new Promise(() => {});`,
	"routes/slow.ts":            `export const config = { timeout: "100ms" }; export const GET = () => new Promise((r) => setTimeout(r, 60_000));`,
	"routes/spin.ts":            `export const config = { cpu: "50ms" }; export const GET = () => { for (;;); };`,
	"routes/greedy.ts":          `export const config = { memory: "16MB" }; export const GET = () => { const all = []; for (;;) all.push(new Uint8Array(1 << 20).fill(1)); };`,
	"routes/caught-greed.ts":    `export const config = { memory: "16MB" }; export const GET = () => { try { new Uint8Array(1 << 25); } catch (e) { return new Response(String(e)); } };`,
	"routes/status.ts":          `export const GET = () => new Response(null, { status: 204 });`,
	"routes/cookies.ts":         `export const GET = () => { const h = new Headers({ "content-type": "text/html" }); h.append("set-cookie", "a=1"); h.append("set-cookie", "b=2"); return new Response("<p>", { headers: h }); };`,
	"routes/count.ts":           `let n = 0; export const GET = () => Response.json(++n);`,
	"routes/size.ts":            `export async function POST(req: Request) { let n = 0; for await (const c of req.body!) n += c.byteLength; return Response.json(n); }`,
	"routes/members.ts":         `export const config = { auth: "users" }; export const GET = (_: Request, ctx: RouteContext) => Response.json(ctx.requireAuth().email);`,
	"routes/anyone.ts":          `export const config = { auth: "user" }; export const GET = (_: Request, ctx: RouteContext) => Response.json(ctx.auth!.collectionName);`,
	"routes/admins.ts":          `export const config = { auth: "superuser" }; export const GET = () => Response.json(true);`,
	"routes/requires.ts":        `export const GET = (_: Request, ctx: RouteContext) => Response.json(ctx.requireAuth());`,
	"routes/ticks.ts": `
		export const GET = () => new Response(new ReadableStream({
			async start(c) { for (let k = 0; k < 3; k++) { c.enqueue(new TextEncoder().encode("tick " + k + "\n")); await new Promise((r) => setTimeout(r, 30)); } c.close(); },
		}), { headers: { "content-type": "text/plain" } });`,
	"routes/breaks.ts": `
		export const GET = (req: Request) => new Response(new ReadableStream({
			async start(c) { c.enqueue(new TextEncoder().encode("data: one\n\n")); await new Promise((r) => setTimeout(r, 20)); throw new Error("upstream broke"); },
		}), { headers: { "content-type": new URL(req.url).searchParams.get("type") ?? "text/plain" } });`,
}

func TestHTTP(t *testing.T) {
	a := newApp(t, routes)
	logs := a.logs()
	for _, s := range []struct {
		name, method, path, body string
		headers                  []string
		status                   int
		contains                 []string
		not                      []string
	}{
		{name: "json", path: "/hello?name=you", status: 200, contains: []string{`"hello":"you"`, `"route":"routes/hello.ts"`, `"auth":null`}},
		{name: "echo", method: "POST", path: "/hello", body: "ä body", headers: []string{"content-type", "text/plain"}, status: 201, contains: []string{"ä body"}},
		{name: "index", path: "", status: 200, contains: []string{"root"}},
		{name: "index with a slash", path: "/", status: 200, contains: []string{"root"}},
		{name: "parameter", path: "/users/a%2Fb%20c", status: 200, contains: []string{`{"id":"a/b c"}`}},
		{name: "catch-all", path: "/files/a/b.txt", status: 200, contains: []string{`{"path":["a","b.txt"]}`}},
		{name: "default object", method: "PUT", path: "/object", status: 200, contains: []string{"PUT routes/object.ts"}},
		{name: "unknown route", path: "/nowhere", status: 404, contains: []string{`"status":404`, "/nowhere"}},
		{name: "wrong method", method: "DELETE", path: "/hello", status: 405, contains: []string{"allowed: GET, POST, HEAD"}},
		{name: "exception", path: "/throws", status: 500, contains: []string{"The function failed."}, not: []string{"total", "throws.ts"}},
		{name: "thrown response", path: "/thrown-response", status: 418, contains: []string{"no tea"}},
		{name: "no response", path: "/nothing", status: 500},
		{name: "stalled", path: "/stalled", status: 500, contains: []string{"waits for a promise"}},
		{name: "silent", path: "/slow", status: 504, contains: []string{"within 100ms"}},
		{name: "CPU limit", path: "/spin", status: 503, contains: []string{"CPU time"}},
		{name: "memory limit", path: "/greedy", status: 503, contains: []string{"out of memory"}},
		{name: "caught out of memory", path: "/caught-greed", status: 200, contains: []string{"out of memory"}},
		{name: "no content", path: "/status", status: 204},
		{name: "one instance a request", path: "/count", status: 200, contains: []string{"1"}},
		{name: "and another", path: "/count", status: 200, contains: []string{"1"}},
		{name: "body streamed", method: "POST", path: "/size", body: strings.Repeat("x", 1<<20), status: 200, contains: []string{"1048576"}},
		{name: "guest at members", path: "/members", status: 401},
		{name: "guest at superusers", path: "/admins", status: 401},
		{name: "guest where code requires", path: "/requires", status: 401, contains: []string{`"status":401`}},
	} {
		t.Run(s.name, func(t *testing.T) {
			if s.method == "" {
				s.method = http.MethodGet
			}
			r := a.do(s.method, s.path, s.body, s.headers...)
			if r.status != s.status {
				t.Errorf("status %d, want %d: %s", r.status, s.status, r.body)
			}
			for _, want := range s.contains {
				if !strings.Contains(r.body, want) {
					t.Errorf("%q lacks %q", r.body, want)
				}
			}
			for _, bad := range s.not {
				if strings.Contains(r.body, bad) {
					t.Errorf("%q gives away %q", r.body, bad)
				}
			}
			if r.header.Get("X-Request-Id") == "" {
				t.Error("there is no X-Request-Id")
			}
		})
	}
	t.Run("the log shows the TypeScript source", func(t *testing.T) {
		for _, want := range []string{
			"TypeError: cannot read property 'total' of undefined", "src/routes/throws.ts:4", "return order!.total;",
			"returned undefined: return a Response", "routes/nothing.ts",
		} {
			eventually(t, func() bool { return strings.Contains(logs.String(), want) }, func() string { return "the log lacks " + want + ":\n" + logs.String() })
		}
	})
}

func eventually(t *testing.T, ok func() bool, message func() string) {
	t.Helper()
	for range 300 {
		if ok() {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Error(message())
}

func TestHTTPHeaders(t *testing.T) {
	a := newApp(t, routes)
	t.Run("cookies stay apart", func(t *testing.T) {
		if got := a.get("/cookies").header.Values("Set-Cookie"); !slices.Equal(got, []string{"a=1", "b=2"}) {
			t.Errorf("cookies %q", got)
		}
	})
	t.Run("the caller's request id", func(t *testing.T) {
		r := a.get("/hello", "X-Request-Id", "abc-1")
		if r.header.Get("X-Request-Id") != "abc-1" || !strings.Contains(r.body, `"id":"abc-1"`) {
			t.Errorf("%v %s", r.header, r.body)
		}
	})
	t.Run("an id that could forge a log line is replaced", func(t *testing.T) {
		if got := a.get("/hello", "X-Request-Id", "a b").header.Get("X-Request-Id"); len(got) != 32 {
			t.Errorf("id %q", got)
		}
	})
	t.Run("a trace", func(t *testing.T) {
		if got := a.get("/hello", "Traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01").header.Get("X-Request-Id"); got != "0af7651916cd43dd8448eb211c80319c" {
			t.Errorf("id %q", got)
		}
	})
	t.Run("HEAD answers as GET without the body", func(t *testing.T) {
		r := a.do(http.MethodHead, "/hello", "")
		if r.status != 200 || r.body != "" || r.header.Get("Content-Type") != "application/json" {
			t.Errorf("%+v", r)
		}
	})
	t.Run("Allow", func(t *testing.T) {
		if got := a.do(http.MethodPatch, "/hello", "").header.Get("Allow"); got != "GET, POST, HEAD, OPTIONS" {
			t.Errorf("Allow %q", got)
		}
	})
}

func TestHTTPAuth(t *testing.T) {
	a := newApp(t, routes)
	token := func(collection, email string) string {
		c, err := a.FindCollectionByNameOrId(collection)
		if err != nil {
			t.Fatal(err)
		}
		r := core.NewRecord(c)
		r.SetEmail(email)
		r.SetPassword("1234567890")
		if err := a.Save(r); err != nil {
			t.Fatal(err)
		}
		token, err := r.NewAuthToken()
		if err != nil {
			t.Fatal(err)
		}
		return token
	}
	user, super := token("users", "u@example.com"), token(core.CollectionNameSuperusers, "s@example.com")
	for _, s := range []struct {
		path, token string
		status      int
		body        string
	}{
		{"/members", user, 200, `"u@example.com"`},
		{"/members", super, 403, "not allowed"},
		{"/members", "nonsense", 401, ""},
		{"/anyone", user, 200, `"users"`},
		{"/anyone", super, 200, `"_superusers"`},
		{"/admins", user, 403, ""},
		{"/admins", super, 200, "true"},
		{"/requires", user, 200, `"collectionName":"users"`},
	} {
		t.Run(s.path+" "+s.body, func(t *testing.T) {
			r := a.get(s.path, "Authorization", s.token)
			if r.status != s.status || !strings.Contains(r.body, s.body) {
				t.Errorf("%d %s", r.status, r.body)
			}
			if strings.Contains(r.body, "tokenKey") || strings.Contains(r.body, "password") {
				t.Errorf("the record shows secrets: %s", r.body)
			}
		})
	}
}

func TestDevShowsTheStack(t *testing.T) {
	a := newApp(t, routes, func(c *agentrt.Config) { c.Dev = true })
	r := a.get("/throws")
	for _, want := range []string{"total", "src/routes/throws.ts:4"} {
		if !strings.Contains(r.body, want) {
			t.Errorf("%s lacks %s", r.body, want)
		}
	}
}

func TestBodyLimit(t *testing.T) {
	a := newApp(t, routes, func(c *agentrt.Config) { c.HTTP.MaxBody = 100_000 })
	if r := a.do(http.MethodPost, "/size", strings.Repeat("x", 100_000)); r.status != 200 || r.body != "100000" {
		t.Errorf("at the limit: %d %s", r.status, r.body)
	}
	if r := a.do(http.MethodPost, "/size", strings.Repeat("x", 100_001)); r.status != 413 || !strings.Contains(r.body, "100000 bytes") {
		t.Errorf("above it: %d %s", r.status, r.body)
	}
	t.Run("of unknown length", func(t *testing.T) {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, a.Functions+"/size", io.LimitReader(endless{}, 100_001))
		if err != nil {
			t.Fatal(err)
		}
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		if text, _ := io.ReadAll(res.Body); res.StatusCode != 413 {
			t.Errorf("%d %s", res.StatusCode, text)
		}
	})
}

type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }

func TestStream(t *testing.T) {
	read := make(chan struct{}) // the client has read a chunk
	gate := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-read }))
	defer gate.Close()
	a := newApp(t, with(routes, "routes/gated.ts", `
		export const GET = () => new Response(new ReadableStream({
			async start(c) { for (let k = 0; k < 3; k++) { c.enqueue(new TextEncoder().encode("tick " + k)); await fetch(process.env.GATE!); } c.close(); },
		}));`), func(c *agentrt.Config) {
		c.Env = map[string]string{"GATE": gate.URL}
		c.AllowNet = []string{strings.TrimPrefix(gate.URL, "http://")}
	})
	t.Run("a chunk comes before the next one is made", func(t *testing.T) {
		res, err := a.Get(t.Context(), "/gated")
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		buf := make([]byte, 4096)
		for k := range 3 {
			n, err := res.Body.Read(buf)
			if want := fmt.Sprint("tick ", k); string(buf[:n]) != want || err != nil && err != io.EOF {
				t.Fatalf("%q %v, want %q", buf[:n], err, want)
			}
			read <- struct{}{}
		}
		if n, err := res.Body.Read(buf); n != 0 || err != io.EOF {
			t.Errorf("%q %v after the end", buf[:n], err)
		}
	})
	t.Run("an error in the middle is no silent end", func(t *testing.T) {
		res, err := a.Get(t.Context(), "/breaks")
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		text, err := io.ReadAll(res.Body)
		if err == nil {
			t.Errorf("the body %q ended as if it were complete", text)
		}
	})
	t.Run("nor in an event stream", func(t *testing.T) {
		r := a.get("/breaks?type=text/event-stream")
		if !strings.HasPrefix(r.body, "data: one\n\n") || !strings.Contains(r.body, "event: error\ndata: {") || strings.Contains(r.body, "broke") {
			t.Errorf("body %q", r.body)
		}
		if r.header.Get("X-Accel-Buffering") != "no" || r.header.Get("Cache-Control") != "no-cache" {
			t.Errorf("headers %v", r.header)
		}
	})
}

// TestStreamOutlivesServerTimeouts has PocketBase's five minutes cut to 300 ms.
func TestStreamOutlivesServerTimeouts(t *testing.T) {
	started, err := apptest.Start(t.TempDir(), map[string]string{
		"src/routes/slow.ts": `
			export const GET = () => new Response(new ReadableStream({
				async start(c) { for (let k = 0; k < 5; k++) { await new Promise((r) => setTimeout(r, 200)); c.enqueue(new TextEncoder().encode("tick ")); } c.close(); },
			}));
			export const POST = async (req: Request) => { await req.text(); return GET(); };`,
	}, agentrt.Config{CacheDir: cacheDir}, func(app core.App) error {
		app.OnServe().BindFunc(func(e *core.ServeEvent) error {
			e.Server.ReadTimeout, e.Server.WriteTimeout = 300*time.Millisecond, 300*time.Millisecond
			return e.Next()
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := started.Stop(); err != nil {
			t.Error(err)
		}
	}()
	a := &app{started, t}
	for name, body := range map[string]string{"none": "", "small": "x", "streamed": strings.Repeat("x", 100_000)} {
		method := http.MethodPost
		if body == "" {
			method = http.MethodGet
		}
		if r := a.do(method, "/slow", body); r.body != "tick tick tick tick tick " {
			t.Errorf("body %s: %d %q", name, r.status, r.body)
		}
	}
}

const chatRoute = `
	export async function POST(req: Request) {
		const { messages } = await req.json();
		const upstream = await fetch(process.env.OPENAI_BASE_URL + "/chat/completions", {
			method: "POST", headers: { "content-type": "application/json" }, signal: req.signal,
			body: JSON.stringify({ model: "test-model", stream: true, messages }),
		});
		if (!upstream.ok) return new Response(await upstream.text(), { status: 502, headers: { "retry-after": upstream.headers.get("retry-after") ?? "" } });
		return new Response(upstream.body, { headers: { "content-type": "text/event-stream" } });
	}`

const question = `{"messages":[{"role":"user","content":"What is 6 times 7?"}]}`

func TestClientLeaves(t *testing.T) {
	transformed := strings.Replace(chatRoute, "new Response(upstream.body,", "new Response(upstream.body!.pipeThrough(new TransformStream()),", 1)
	for name, source := range map[string]string{"passed through": chatRoute, "transformed": transformed, "before the response": strings.Replace(chatRoute, "return new Response(upstream.body", "await upstream.text(); return new Response(null", 1)} {
		t.Run(name, func(t *testing.T) {
			model, use := newModel(t, modelserver.Config{Tokens: 100_000, Delay: 10 * time.Millisecond})
			a := newApp(t, map[string]string{"routes/chat.ts": source}, use)
			ctx, leave := context.WithCancel(t.Context())
			defer leave()
			req, err := http.NewRequestWithContext(ctx, http.MethodPost, a.Functions+"/chat", strings.NewReader(question))
			if err != nil {
				t.Fatal(err)
			}
			if name == "before the response" {
				time.AfterFunc(300*time.Millisecond, leave)
				if _, err := http.DefaultClient.Do(req); err == nil {
					t.Fatal("there was a response")
				}
			} else {
				res, err := http.DefaultClient.Do(req)
				if err != nil {
					t.Fatal(err)
				}
				defer res.Body.Close()
				if line, err := bufio.NewReader(res.Body).ReadString('\n'); err != nil || !strings.HasPrefix(line, "data:") {
					t.Fatalf("%q %v", line, err)
				}
				leave()
			}
			eventually(t, func() bool { return model.Stats().Live == 0 }, func() string { return fmt.Sprintf("upstream goes on: %+v", model.Stats()) })
			if model.Stats().Cancelled != 1 {
				t.Errorf("the model server saw %+v", model.Stats())
			}
			eventually(t, func() bool { return a.running() == 0 }, func() string { return "the instance is not freed" })
		})
	}
}

// superuser returns a superuser's token.
func (a *app) superuser() string {
	a.t.Helper()
	c, err := a.FindCollectionByNameOrId(core.CollectionNameSuperusers)
	if err != nil {
		a.t.Fatal(err)
	}
	r, err := a.FindFirstRecordByData(c, "email", "status@example.com")
	if err != nil {
		r = core.NewRecord(c)
		r.SetEmail("status@example.com")
		r.SetPassword("1234567890")
		if err := a.Save(r); err != nil {
			a.t.Fatal(err)
		}
	}
	token, err := r.NewAuthToken()
	if err != nil {
		a.t.Fatal(err)
	}
	return token
}

// running asks the server how many invocations hold an instance.
func (a *app) running() int {
	a.t.Helper()
	var status struct{ Running int }
	reply := a.do(http.MethodGet, "/../agentrt/status", "", "Authorization", a.superuser())
	if err := json.Unmarshal([]byte(reply.body), &status); err != nil {
		a.t.Fatalf("%d %s: %v", reply.status, reply.body, err)
	}
	return status.Running
}

func TestModelFaults(t *testing.T) {
	for _, s := range []struct {
		fault  string
		status int
		body   string
	}{
		{"429", 502, "error"},
		{"500", 502, "error"},
		{"cut@3", 200, "event: error"},
		{"reset@3", 200, "event: error"},
		{"stall@3", 200, "event: error"},
	} {
		t.Run(s.fault, func(t *testing.T) {
			faults, err := modelserver.ParseFaults(s.fault)
			if err != nil {
				t.Fatal(err)
			}
			_, use := newModel(t, modelserver.Config{Faults: faults})
			a := newApp(t, map[string]string{"routes/chat.ts": chatRoute}, use, func(c *agentrt.Config) { c.HTTP.StreamIdle = 500 * time.Millisecond })
			r := a.do(http.MethodPost, "/chat", question)
			if r.status != s.status || !strings.Contains(r.body, s.body) {
				t.Errorf("%d %q", r.status, r.body)
			}
			if s.fault == "429" && r.header.Get("Retry-After") == "" {
				t.Error("Retry-After did not come through")
			}
		})
	}
}

// TestSplitStreams sends the model's events through decoding, a transform and
// encoding, in the sizes that networks make of them.
func TestSplitStreams(t *testing.T) {
	source, err := os.ReadFile("../examples/ai/chat-fetch/pb_serverless/src/routes/chat.ts")
	if err != nil {
		t.Fatal(err)
	}
	const say = `{"messages":[{"role":"user","content":"repeat: grüße aus 東京 🙂 und zurück"}]}`
	const plain, split = "grüße aus 東京 🙂 und zurück", "grüßeé aus世 東京🙂 🙂é und世 zurück🙂" // the fault ends each token with a long rune
	for fault, want := range map[string]string{"utf8": split, "frames": plain, "crlf": plain, "comments": plain, "utf8,crlf,comments": split} {
		t.Run(fault, func(t *testing.T) {
			faults, err := modelserver.ParseFaults(fault)
			if err != nil {
				t.Fatal(err)
			}
			_, use := newModel(t, modelserver.Config{Faults: faults})
			a := newApp(t, map[string]string{"routes/chat.ts": string(source)}, use)
			if r := a.do(http.MethodPost, "/chat", say); r.status != 200 || r.body != want {
				t.Errorf("%d %q", r.status, r.body)
			}
		})
	}
}

func TestWaitUntil(t *testing.T) {
	a := newApp(t, map[string]string{
		"routes/later.ts": `
			export const GET = (_: Request, ctx: RouteContext) => {
				ctx.waitUntil((async () => { await new Promise((r) => setTimeout(r, 200)); console.log("worked on"); })());
				return new Response("at once");
			};`,
		"routes/failing.ts": `export const GET = (_: Request, ctx: RouteContext) => { ctx.waitUntil(Promise.reject(new Error("late failure"))); return new Response("ok"); };`,
		"routes/endless.ts": `export const GET = (_: Request, ctx: RouteContext) => { ctx.waitUntil(new Promise((r) => setTimeout(r, 1e9))); return new Response("ok"); };`,
	}, func(c *agentrt.Config) { c.HTTP.Background = time.Second })
	logs := a.logs()
	start := time.Now()
	if r := a.get("/later"); r.body != "at once" {
		t.Errorf("body %q", r.body)
	}
	t.Logf("answered after %v", time.Since(start))
	a.get("/failing")
	a.get("/endless")
	for _, want := range []string{"worked on", "late failure", "the time for work after the response is over"} {
		eventually(t, func() bool { return strings.Contains(logs.String(), want) }, func() string { return "the log lacks " + want + ":\n" + logs.String() })
	}
	eventually(t, func() bool { return a.running() == 0 }, func() string { return "an instance is not freed" })
}

func TestOverload(t *testing.T) {
	a := newApp(t, map[string]string{
		"routes/wait.ts": `export const GET = async () => { await new Promise((r) => setTimeout(r, 1500)); return new Response("ok"); };`,
	}, func(c *agentrt.Config) {
		c.MaxInstances, c.MaxQueue, c.QueueTimeout = 1, 1, 300*time.Millisecond
		c.Pool = pool.Config{Warm: 1}
	})
	replies := make(chan reply)
	for range 3 {
		go func() { replies <- a.get("/wait") }()
		time.Sleep(100 * time.Millisecond)
	}
	var statuses []int
	for range 3 {
		r := <-replies
		statuses = append(statuses, r.status)
		if r.status == 503 && r.header.Get("Retry-After") == "" {
			t.Error("no Retry-After")
		}
	}
	slices.Sort(statuses)
	if !slices.Equal(statuses, []int{200, 503, 503}) {
		t.Errorf("statuses %v: one runs, one waits in vain, one finds the queue full", statuses)
	}
}
