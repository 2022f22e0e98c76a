package agentrt_test

import (
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/agentrt/agentrt/agentrt"
	"github.com/pocketbase/pocketbase/core"
)

func TestExecute(t *testing.T) {
	a := newApp(t, routes)
	for _, s := range []struct {
		name     string
		req      agentrt.ExecuteRequest
		status   int
		isStream bool
		contains string
	}{
		{name: "by path", req: agentrt.ExecuteRequest{Path: "/hello", Query: url.Values{"name": {"Go"}}, TraceID: "trace-1"}, status: 200, contains: `"hello":"Go"`},
		{name: "by handler", req: agentrt.ExecuteRequest{Handler: "routes/hello.ts", TraceID: "trace-1"}, status: 200, contains: `"id":"trace-1"`},
		{name: "with a body", req: agentrt.ExecuteRequest{Method: "POST", Path: "/hello", Body: strings.NewReader("text"), Headers: http.Header{"Content-Type": {"text/plain"}}}, status: 201, contains: "text"},
		{name: "with a body of unknown length", req: agentrt.ExecuteRequest{Method: "POST", Path: "/size", Body: io.LimitReader(endless{}, 300_000)}, status: 200, contains: "300000"},
		{name: "a stream", req: agentrt.ExecuteRequest{Path: "/ticks"}, status: 200, isStream: true, contains: "tick 2"},
		{name: "unknown", req: agentrt.ExecuteRequest{Path: "/nowhere"}, status: 404, isStream: true},
		{name: "an exception", req: agentrt.ExecuteRequest{Path: "/throws"}, status: 500, isStream: true},
		{name: "the rules hold", req: agentrt.ExecuteRequest{Path: "/admins"}, status: 401, isStream: true},
	} {
		t.Run(s.name, func(t *testing.T) {
			res, err := a.Engine.Execute(t.Context(), &s.req)
			if err != nil {
				t.Fatal(err)
			}
			defer res.Body.Close()
			text, err := io.ReadAll(res.Body)
			if err != nil || res.Status != s.status || res.IsStream != s.isStream || !strings.Contains(string(text), s.contains) {
				t.Errorf("%d %q stream %v, %v", res.Status, text, res.IsStream, err)
			}
		})
	}
	t.Run("a broken stream is an error of the body", func(t *testing.T) {
		res, err := a.Engine.Execute(t.Context(), &agentrt.ExecuteRequest{Path: "/breaks"})
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		if _, err := io.ReadAll(res.Body); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("error %v", err)
		}
	})
	t.Run("a handler that does not exist", func(t *testing.T) {
		if _, err := a.Engine.Execute(t.Context(), &agentrt.ExecuteRequest{Handler: "routes/none.ts"}); err == nil {
			t.Error("no error")
		}
	})
	t.Run("closing the body ends the function", func(t *testing.T) {
		res, err := a.Engine.Execute(t.Context(), &agentrt.ExecuteRequest{Path: "/ticks"})
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		eventually(t, func() bool { return a.running() == 0 }, func() string { return "the instance is not freed" })
	})
}

func TestLoadBundleAndCompile(t *testing.T) {
	a := newApp(t, answering("folder"))
	if err := a.Engine.LoadBundle(build(t, answering("bundle"))); err != nil {
		t.Fatal(err)
	}
	if got := a.get("/v").body; got != "bundle" {
		t.Errorf("answer %q", got)
	}
	if err := a.Engine.LoadBundle(t.TempDir()); err == nil {
		t.Error("an empty folder was loaded")
	}
	code, err := a.Engine.Compile("export const f = (n: number): number => n + 1;")
	if err != nil || len(code) == 0 {
		t.Errorf("%d bytes, %v", len(code), err)
	}
	if _, err := a.Engine.Compile("export const = ;"); err == nil || !strings.Contains(err.Error(), "source.ts:1:") {
		t.Errorf("error %v", err)
	}
}

func TestLifecycle(t *testing.T) {
	a := newApp(t, answering("x"))
	if err := a.Engine.Start(); !errors.Is(err, agentrt.ErrStarted) {
		t.Errorf("a second Start: %v", err)
	}
	if err := a.Engine.Stop(); err != nil {
		t.Error(err)
	}
	if _, err := a.Engine.Execute(t.Context(), &agentrt.ExecuteRequest{Path: "/v"}); !errors.Is(err, agentrt.ErrNotStarted) {
		t.Errorf("Execute after Stop: %v", err)
	}
	if r := a.get("/v"); r.status != 503 {
		t.Errorf("over HTTP: %d %s", r.status, r.body)
	}
}

var hooks = map[string]string{
	"hooks/notes.ts": `
		export default function (e: any) { e.record.title = e.record.title.trim(); }
		export function refuse(e: any) { if (e.record.title === "bad") throw new Error("a bad title"); }
		export async function after(e: any) { console.log("after", e.type, e.collection, e.record.title); }
		export function daily(e: any) { console.log("cron", e.name); }`,
	"routes/v.ts": `export const GET = () => new Response("v");`,
}

func TestRegisterHook(t *testing.T) {
	a := newApp(t, hooks)
	logs := a.logs()
	c := core.NewBaseCollection("notes")
	c.Fields.Add(&core.TextField{Name: "title"})
	rule := ""
	c.CreateRule = &rule
	if err := a.Save(c); err != nil {
		t.Fatal(err)
	}
	for _, h := range [][3]string{
		{"notes", "beforeCreate", "hooks/notes.ts"},
		{"notes", "beforeCreate", "hooks/notes.ts#refuse"},
		{"*", "afterCreate", "hooks/notes.ts#after"},
	} {
		if err := a.Engine.RegisterHook(h[0], h[1], h[2]); err != nil {
			t.Fatal(err)
		}
	}
	if err := a.Engine.RegisterHook("notes", "sometimes", "hooks/notes.ts"); err == nil || !strings.Contains(err.Error(), "beforeCreate") {
		t.Errorf("an unknown event: %v", err)
	}
	create := func(title string) reply {
		return a.do(http.MethodPost, "/../collections/notes/records", `{"title":"`+title+`"}`, "Content-Type", "application/json")
	}
	if r := create("  trimmed "); r.status != 200 || !strings.Contains(r.body, `"title":"trimmed"`) {
		t.Errorf("%d %s", r.status, r.body)
	}
	if r := create(" bad "); r.status != 400 || !strings.Contains(r.body, "A bad title.") {
		t.Errorf("%d %s", r.status, r.body)
	}
	if n, err := a.CountRecords("notes"); err != nil || n != 1 {
		t.Errorf("%d records, %v", n, err)
	}
	eventually(t, func() bool { return strings.Contains(logs.String(), "after afterCreate notes trimmed") }, logs.String)
}

func TestRegisterCron(t *testing.T) {
	a := newApp(t, hooks)
	logs := a.logs()
	if err := a.Engine.RegisterCron("daily", "0 7 * * *", "hooks/notes.ts#daily"); err != nil {
		t.Fatal(err)
	}
	if err := a.Engine.RegisterCron("wrong", "never", "hooks/notes.ts#daily"); err == nil {
		t.Error("a wrong schedule was taken")
	}
	token := a.superuser()
	if list := a.do(http.MethodGet, "/../crons", "", "Authorization", token).body; !strings.Contains(list, `"id":"daily"`) {
		t.Errorf("PocketBase's list lacks it: %s", list)
	}
	if r := a.do(http.MethodPost, "/../crons/daily", "", "Authorization", token); r.status != 204 {
		t.Errorf("%d %s", r.status, r.body)
	}
	eventually(t, func() bool { return strings.Contains(logs.String(), "cron daily") }, logs.String)
}

func TestEnvironment(t *testing.T) {
	a := newApp(t, map[string]string{
		"routes/env.ts": `const key = process.env.API_KEY; export const GET = () => Response.json([key, process.env.FROM_GO, process.env.PATH ?? null]);`,
		"../.env":       "API_KEY=from-file\n",
	}, func(c *agentrt.Config) { c.Env = map[string]string{"FROM_GO": "go"} })
	if got := a.get("/env").body; got != `["from-file","go",null]` {
		t.Errorf("answer %s", got)
	}
}
