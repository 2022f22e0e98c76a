package agentrt_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/agentrt/agentrt/agentrt"
	"github.com/pocketbase/pocketbase/core"
)

// twoServers are an upstream and another one that redirects to it.
func twoServers(t *testing.T) (target, redirecting *url.URL) {
	t.Helper()
	serve := func(h http.HandlerFunc) *url.URL {
		s := httptest.NewServer(h)
		t.Cleanup(s.Close)
		u, err := url.Parse(s.URL)
		if err != nil {
			t.Fatal(err)
		}
		return u
	}
	target = serve(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "reached") })
	return target, serve(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "http://localhost:"+target.Port()+"/", http.StatusFound)
	})
}

func TestRouteNet(t *testing.T) {
	target, redirecting := twoServers(t)
	route := func(net, to string) string {
		return fmt.Sprintf(`export const config: RouteConfig = { net: %s };
			export const GET = async () => {
				try { return new Response(await (await fetch(%q)).text()); } catch (e: any) { return new Response(e.cause.code + ": " + e.cause.message); }
			};`, net, to)
	}
	port := ":" + target.Port()
	refused := func(destination, list string) string {
		return fmt.Sprintf("ERR_EGRESS_DENIED: egress denied: %s is not among the destinations that the function's config.net lists (%s); add %q to it", destination, list, destination)
	}
	cases := []struct{ name, net, to, want string }{
		{"absent", `undefined`, "http://localhost" + port, "reached"},
		{"none", `[]`, "http://localhost" + port, refused("localhost"+port, "none")},
		{"host", `["localhost"]`, "http://localhost" + port, "reached"},
		{"host and port", `["localhost` + port + `"]`, "http://localhost" + port, "reached"},
		{"other port", `["localhost:1"]`, "http://localhost" + port, refused("localhost"+port, "localhost:1")},
		{"above the subdomains", `["*.localhost"]`, "http://localhost" + port, refused("localhost"+port, "*.localhost")},
		{"address", `["127.0.0.0/8"]`, target.String(), "reached"},
		{"other address", `["127.0.0.2"]`, target.String(), refused("127.0.0.1"+port, "127.0.0.2")},
		{"redirect", `["127.0.0.1"]`, redirecting.String(), refused("localhost"+port, "127.0.0.1")},
		{"redirect to a listed host", `["127.0.0.1", "localhost"]`, redirecting.String(), "reached"},
		{"nothing that the server denies", `["*", "10.0.0.1"]`, "http://10.0.0.1/", "ERR_EGRESS_DENIED: egress denied: 10.0.0.1 is the private address 10.0.0.1; allow it with --allow-net 10.0.0.1:80"},
	}
	files := map[string]string{}
	for k, c := range cases {
		files[fmt.Sprintf("routes/r%d.ts", k)] = route(c.net, c.to)
	}
	a := newApp(t, files, func(c *agentrt.Config) { c.AllowNet = []string{"localhost", "*.localhost", "127.0.0.1"} })
	for k, c := range cases {
		if got := a.get(fmt.Sprintf("/r%d", k)).body; got != c.want {
			t.Errorf("%s: got %s\nwant %s", c.name, got, c.want)
		}
	}
}

// TestRouteNetWebSocket dials a server that speaks HTTP only: whether it is reached
// is what counts.
func TestRouteNetWebSocket(t *testing.T) {
	var reached atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { reached.Add(1) }))
	t.Cleanup(server.Close)
	dial := func(net string) string {
		return fmt.Sprintf(`export const config: RouteConfig = { net: %s };
			export const GET = () => new Promise<Response>((done) => { new WebSocket(%q).onclose = (e) => done(new Response(String(e.code))); });`,
			net, strings.Replace(server.URL, "http", "ws", 1))
	}
	a := newApp(t, map[string]string{"routes/open.ts": dial(`["127.0.0.1"]`), "routes/closed.ts": dial(`["127.0.0.2"]`)},
		func(c *agentrt.Config) { c.AllowNet = []string{"127.0.0.1"} })
	for path, want := range map[string]int64{"/open": 1, "/closed": 0} {
		reached.Store(0)
		if got := a.get(path); got.body != "1006" || reached.Load() != want {
			t.Errorf("%s: %s, the server was reached %d times, want %d", path, got.body, reached.Load(), want)
		}
	}
}

// TestHookAndCronAccess has hooks and jobs with and without limits; neighbours with
// the same ones share an invocation, and each sees what the one before changed.
func TestHookAndCronAccess(t *testing.T) {
	target, _ := twoServers(t)
	a := newApp(t, map[string]string{
		"hooks/notes.ts": fmt.Sprintf(`
			const note = async (e: RecordEvent, who: string) => {
				const net = await fetch(%q).then((r) => r.text(), (e) => e.cause.code);
				let secret; try { secret = pb.secrets.get("A"); } catch (e: any) { secret = e.code; }
				e.record.text += who + " " + net + " " + secret + ";";
			};
			const shared = globalThis as { seen?: string };
			pb.onRecordBeforeCreate("notes", (e) => { shared.seen = "first"; return note(e, "free"); });
			pb.onRecordBeforeCreate("notes", (e) => note(e, "none " + shared.seen), { net: [], secrets: [] });
			pb.onRecordBeforeCreate("notes", (e) => { shared.seen = "third"; return note(e, "listed"); }, { net: ["127.0.0.1"], secrets: ["B"] });
			pb.onRecordBeforeCreate("notes", (e) => note(e, shared.seen!), { net: ["127.0.0.1"], secrets: ["B"] });`, target),
		"crons/closed.ts": fmt.Sprintf(`
			export const schedule = "0 0 1 1 *";
			export const config = { net: [] };
			export default async () => { console.log("closed " + await fetch(%q).then((r) => r.text(), (e) => e.cause.code)); };`, target),
		"hooks/cron.ts": fmt.Sprintf(`
			pb.cron("open", "0 0 1 1 *", async () => { console.log("open " + await fetch(%q).then((r) => r.text(), (e) => e.cause.code)); }, { net: ["127.0.0.1"] });`, target),
	}, func(c *agentrt.Config) { c.AllowNet = []string{"127.0.0.1"} })
	notes := core.NewBaseCollection("notes")
	notes.Fields.Add(&core.TextField{Name: "text"})
	if err := a.Save(notes); err != nil {
		t.Fatal(err)
	}
	logs := a.logs()
	record := core.NewRecord(notes)
	if err := a.Save(record); err != nil {
		t.Fatal(err)
	}
	const want = "free reached null;none undefined ERR_EGRESS_DENIED ERR_SECRET_NOT_ALLOWED;listed reached ERR_SECRET_NOT_ALLOWED;third reached ERR_SECRET_NOT_ALLOWED;"
	if got := record.GetString("text"); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	for _, job := range a.Cron().Jobs() {
		if job.Id() == "closed" || job.Id() == "open" {
			job.Run()
		}
	}
	eventually(t, func() bool {
		return strings.Contains(logs.String(), "closed ERR_EGRESS_DENIED") && strings.Contains(logs.String(), "open reached")
	}, logs.String)
}

func TestAccessIsChecked(t *testing.T) {
	running := newApp(t, nil)
	for _, c := range []struct{ file, code, want string }{
		{"routes/a.ts", `export const config = { net: ["https://api.test"] }; export const GET = () => new Response();`, `src/routes/a.ts: config.net: security: rule "https://api.test": it is a URL`},
		{"routes/a.ts", `export const config = { rateLimit: { requests: 5 } }; export const GET = () => new Response();`, `src/routes/a.ts: config.rateLimit: requests and per are needed`},
		{"hooks/a.ts", `pb.onRecordAfterDelete("posts", () => {}, { net: "x" } as any);`, `pb.onRecordAfterDelete on posts: net: want an array`},
		{"hooks/a.ts", `pb.onRecordAfterDelete("posts", () => {}, { nets: [] } as any);`, `"nets" is unknown (known: net, secrets)`},
		{"hooks/a.ts", `pb.cron("job", "@daily", () => {}, { secrets: [""] });`, `pb.cron("job"): secrets: want an array of names`},
		{"crons/a.ts", `export const schedule = "@daily"; export const config = []; export default () => {};`, `src/crons/a.ts: want an object`},
	} {
		err := running.Engine.LoadBundle(build(t, map[string]string{c.file: c.code}))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.code, err, c.want)
		}
	}
}

func TestRateLimit(t *testing.T) {
	files := map[string]string{
		"routes/ip.ts": `export const config: RouteConfig = { rateLimit: { requests: 2, per: "1h" }, auth: "user" };
			export const GET = () => new Response("ok");`,
		"routes/user.ts": `export const config: RouteConfig = { rateLimit: { requests: 2, per: "1h", by: "user" } };
			export const GET = () => new Response("ok");`,
	}
	a := newApp(t, files)
	addCollections(t, a)
	_, ada := member(t, a, "ada@example.com")
	_, bob := member(t, a, "bob@example.com")
	as := func(token string) []string { return []string{"Authorization", token} }
	from := func(ip string) []string { return []string{"X-Forwarded-For", ip} }
	step := func(name, path string, headers []string, status int, want string) {
		t.Helper()
		got := a.get(path, headers...)
		limit, policy := got.header.Get("RateLimit"), got.header.Get("RateLimit-Policy")
		left, seconds, _ := strings.Cut(limit, ";t=")
		if got.status != status || left != want || want != "" && policy != `"route";q=2;w=3600` {
			t.Errorf("%s: %d, RateLimit %q, policy %q; want %d, %q", name, got.status, limit, policy, status, want)
		}
		if status == 429 && (got.header.Get("Retry-After") != seconds || !strings.Contains(got.body, "takes 2 in 1h0m0s. Try again in "+seconds+" s.")) {
			t.Errorf("%s: RateLimit %q, Retry-After %q, %s", name, limit, got.header.Get("Retry-After"), got.body)
		}
		if n, err := strconv.Atoi(seconds); want != "" && (err != nil || n < 1500 || n > 3600) {
			t.Errorf("%s: RateLimit %q", name, limit)
		}
	}
	step("a guest counts too", "/ip", nil, 401, `"route";r=1`)
	step("who is not told apart by address", "/ip", as(ada), 200, `"route";r=0`)
	step("too many", "/ip", as(bob), 429, `"route";r=0`)
	step("a header of an untrusted client", "/ip", append(as(bob), from("203.0.113.9")...), 429, `"route";r=0`)
	step("superusers are not limited", "/ip", as(a.superuser()), 200, "")
	for _, token := range []string{ada, bob} {
		step("user", "/user", as(token), 200, `"route";r=1`)
		step("user", "/user", as(token), 200, `"route";r=0`)
		step("user", "/user", as(token), 429, `"route";r=0`)
	}
	step("guests have an address", "/user", nil, 200, `"route";r=1`)

	a = newAppWith(t, files, func(app core.App) error {
		settings := app.Settings()
		settings.TrustedProxy.Headers = []string{"X-Forwarded-For"}
		return app.Save(settings)
	})
	addCollections(t, a)
	_, bob = member(t, a, "bob@example.com")
	step("behind the proxy", "/ip", append(as(bob), from("203.0.113.9")...), 200, `"route";r=1`)
	step("IPv6", "/ip", append(as(bob), from("2001:db8:1:2::1")...), 200, `"route";r=1`)
	step("the same network", "/ip", append(as(bob), from("2001:db8:1:2:ffff::2")...), 200, `"route";r=0`)
	step("the same network, too many", "/ip", append(as(bob), from("2001:db8:1:2:0:1::3")...), 429, `"route";r=0`)
	step("another network", "/ip", append(as(bob), from("2001:db8:1:3::1")...), 200, `"route";r=1`)
}
