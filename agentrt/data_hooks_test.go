package agentrt_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/agentrt/agentrt/agentrt"
	"github.com/agentrt/agentrt/internal/apptest"
	"github.com/pocketbase/pocketbase/core"
)

// The hooks tell a server what they see: a record of it would be rolled back with
// the write.
const hookFiles = `
	const tell = (e: any) => fetch(process.env.CALLS!, { method: "POST", body: [e.type, e.collection, e.record.title ?? e.record.text, e.original?.title ?? "-", e.auth?.email ?? "-"].join("|") });
	pb.onRecordBeforeCreate("notes", async (e) => {
		await tell(e);
		if (e.record.title === "plain") throw new Error("not this one");
		if (e.record.title === "fields") throw new ValidationError({ title: "is too short", n: { code: "odd", message: "is odd" } });
		if (e.record.title === "unknown") e.record.tittle = 1;
		if (e.record.title === "bug") (undefined as any).x;
		e.record.n = e.record.n + 1;
	});
	pb.onRecordAfterCreate("notes", tell);
	pb.onRecordBeforeUpdate(["notes"], async (e) => { await tell(e); e.record.title = e.record.title.trim(); });
	pb.onRecordAfterUpdate("notes", async (e) => { await tell(e); throw new Error("after fails"); });
	pb.onRecordBeforeDelete("*", tell);
	pb.onRecordAfterDelete("*", tell);
	pb.onRecordAfterCreate("tags", async (e) => {
		if (e.record.text === "loop") await pb.collection("tags").create({ text: "loop" });
	});
	pb.onRecordAfterCreate("missing", () => {});`

type calls struct {
	mu  sync.Mutex
	all []string
}

func (c *calls) take() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	text := strings.Join(c.all, "\n")
	c.all = nil
	return text
}

// newCalls starts a server that collects what it is sent.
func newCalls(t *testing.T) (*calls, *httptest.Server) {
	c := &calls{}
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		c.all = append(c.all, string(body))
	}))
	t.Cleanup(server.Close)
	return c, server
}

func TestRecordHooks(t *testing.T) {
	seen, server := newCalls(t)
	config := agentrt.Config{CacheDir: cacheDir, AllowNet: []string{strings.TrimPrefix(server.URL, "http://")}, Env: map[string]string{"CALLS": server.URL}}
	started, err := apptest.Start(t.TempDir(), map[string]string{"src/hooks/notes.ts": hookFiles, "src/routes/run.ts": `
		const late = () => pb.onRecordAfterCreate("notes", () => {});
		export const GET = () => { try { late(); return new Response("taken"); } catch (e) { return new Response(String(e)); } };
		export const config = { auth: "user" };
		export const POST = async (req: Request) => {
			await pb.collection("notes").create({ title: "from js" });
			return new Response("ok");
		};`}, config, func(app core.App) error {
		addNotes(t, app)
		settings := app.Settings()
		settings.Batch.Enabled = true
		return app.Save(settings)
	})
	if err != nil {
		t.Fatal(err)
	}
	a := &app{started, t}
	t.Cleanup(func() {
		if err := a.Stop(); err != nil {
			t.Error(err)
		}
	})
	token := a.superuser()
	rest := func(method, path, body string) reply {
		return a.do(method, "/../"+path, body, "Content-Type", "application/json", "Authorization", token)
	}
	auth := "boss@example.com"
	if users, err := a.FindAllRecords(core.CollectionNameSuperusers); err == nil && len(users) > 0 {
		auth = users[len(users)-1].Email()
	}
	note := func(title string) *core.Record {
		c, err := a.FindCollectionByNameOrId("notes")
		if err != nil {
			t.Fatal(err)
		}
		r := core.NewRecord(c)
		r.Set("title", title)
		return r
	}
	kept := note("kept")
	kept.Id = "keptkeptkeptkep"
	for _, s := range []struct {
		name  string
		do    func(t *testing.T)
		calls []string
	}{
		{"create through REST", func(t *testing.T) {
			r := rest("POST", "collections/notes/records", `{"title":"rest","n":1}`)
			if r.status != 200 || !strings.Contains(r.body, `"n":2`) {
				t.Errorf("%d %s", r.status, r.body)
			}
		}, []string{"beforeCreate|notes|rest|-|" + auth, "afterCreate|notes|rest|-|" + auth}},
		{"create in Go", func(t *testing.T) {
			if err := a.Save(kept); err != nil {
				t.Error(err)
			}
		}, []string{"beforeCreate|notes|kept|-|-", "afterCreate|notes|kept|-|-"}},
		{"update through REST", func(t *testing.T) {
			r := rest("PATCH", "collections/notes/records/keptkeptkeptkep", `{"title":" new "}`)
			if r.status != 200 || !strings.Contains(r.body, `"title":"new"`) {
				t.Errorf("%d %s", r.status, r.body)
			}
		}, []string{"beforeUpdate|notes| new |kept|" + auth, "afterUpdate|notes|new|kept|" + auth}},
		{"an error refuses", func(t *testing.T) {
			r := rest("POST", "collections/notes/records", `{"title":"plain"}`)
			if r.status != 400 || !strings.Contains(r.body, `"message":"Not this one."`) {
				t.Errorf("%d %s", r.status, r.body)
			}
		}, []string{"beforeCreate|notes|plain|-|" + auth}},
		{"field errors", func(t *testing.T) {
			r := rest("POST", "collections/notes/records", `{"title":"fields"}`)
			for _, want := range []string{`"title":{"code":"validation_invalid_value","message":"Is too short."}`, `"n":{"code":"odd","message":"Is odd."}`} {
				if r.status != 400 || !strings.Contains(r.body, want) {
					t.Errorf("%d %s", r.status, r.body)
				}
			}
		}, []string{"beforeCreate|notes|fields|-|" + auth}},
		{"an unknown field", func(t *testing.T) {
			if r := rest("POST", "collections/notes/records", `{"title":"unknown"}`); r.status != 400 || !strings.Contains(r.body, "tittle") {
				t.Errorf("%d %s", r.status, r.body)
			}
		}, []string{"beforeCreate|notes|unknown|-|" + auth}},
		{"batch", func(t *testing.T) {
			r := rest("POST", "batch", `{"requests":[{"method":"POST","url":"/api/collections/notes/records","body":{"title":"b1"}},{"method":"POST","url":"/api/collections/notes/records","body":{"title":"b2"}}]}`)
			if r.status != 200 {
				t.Errorf("%d %s", r.status, r.body)
			}
		}, []string{"beforeCreate|notes|b1|-|" + auth, "beforeCreate|notes|b2|-|" + auth, "afterCreate|notes|b1|-|" + auth, "afterCreate|notes|b2|-|" + auth}},
		{"batch that fails", func(t *testing.T) {
			r := rest("POST", "batch", `{"requests":[{"method":"POST","url":"/api/collections/notes/records","body":{"title":"b3"}},{"method":"POST","url":"/api/collections/notes/records","body":{"title":"plain"}}]}`)
			if r.status != 400 {
				t.Errorf("%d %s", r.status, r.body)
			}
		}, []string{"beforeCreate|notes|b3|-|" + auth, "beforeCreate|notes|plain|-|" + auth}},
		{"rollback in Go", func(t *testing.T) {
			err := a.RunInTransaction(func(tx core.App) error {
				if err := tx.Save(note("rolled back")); err != nil {
					return err
				}
				return errors.New("no")
			})
			if err == nil {
				t.Error("committed")
			}
		}, []string{"beforeCreate|notes|rolled back|-|-"}},
		{"from a function", func(t *testing.T) {
			if r := a.do("POST", "/run", "{}", "Authorization", token); r.body != "ok" {
				t.Error(r.body)
			}
		}, []string{"beforeCreate|notes|from js|-|" + auth, "afterCreate|notes|from js|-|" + auth}},
		{"cascade", func(t *testing.T) {
			if r := rest("POST", "collections/tags/records", `{"text":"tag","note":"keptkeptkeptkep"}`); r.status != 200 {
				t.Fatalf("%d %s", r.status, r.body)
			}
			if r := rest("DELETE", "collections/notes/records/keptkeptkeptkep", ""); r.status != 204 {
				t.Errorf("%d %s", r.status, r.body)
			}
		}, []string{"beforeDelete|notes|new|new|" + auth, "beforeDelete|tags|tag|-|" + auth, "afterDelete|tags|tag|-|" + auth, "afterDelete|notes|new|new|" + auth}},
		{"registering late", func(t *testing.T) {
			if r := a.get("/run", "Authorization", token); !strings.Contains(r.body, "top level") {
				t.Error(r.body)
			}
		}, nil},
	} {
		t.Run(s.name, func(t *testing.T) {
			s.do(t)
			if want, got := strings.Join(s.calls, "\n"), seen.take(); got != want {
				t.Errorf("calls:\n%s\nwant:\n%s", got, want)
			}
		})
	}
	t.Run("hooks that lead to each other", func(t *testing.T) {
		before, err := a.CountRecords("tags")
		if err != nil {
			t.Fatal(err)
		}
		if r := rest("POST", "collections/tags/records", `{"text":"loop"}`); r.status != 200 {
			t.Fatalf("%d %s", r.status, r.body)
		}
		if n, err := a.CountRecords("tags"); err != nil || n != before+9 {
			t.Errorf("%d records, want 9 more than %d, %v", n, before, err)
		}
	})
}

// A new version's hooks replace the former ones.
func TestRecordHooksSwitch(t *testing.T) {
	version := func(v string) map[string]string {
		return map[string]string{"hooks/notes.ts": `pb.onRecordBeforeCreate("notes", (e) => { e.record.title += "` + v + `"; });`}
	}
	a := newApp(t, version("1"))
	addNotes(t, a)
	token := a.superuser()
	create := func() string {
		return a.do("POST", "/../collections/notes/records", `{"title":"v"}`, "Content-Type", "application/json").body
	}
	if got := create(); !strings.Contains(got, `"title":"v1"`) {
		t.Error(got)
	}
	if r := a.upload(build(t, version("2")), token, nil); r.status != 200 {
		t.Fatalf("%d %s", r.status, r.body)
	}
	if got := create(); !strings.Contains(got, `"title":"v2"`) {
		t.Error(got)
	}
}

// A client that leaves, and the server's end, roll back.
func TestTxKilled(t *testing.T) {
	a := newApp(t, map[string]string{"routes/run.ts": txRoutes})
	addNotes(t, a)
	inserted := make(chan struct{}, 1)
	a.OnRecordCreateExecute("notes").BindFunc(func(e *core.RecordEvent) error {
		err := e.Next()
		select {
		case inserted <- struct{}{}:
		default:
		}
		return err
	})
	ctx, cancel := context.WithCancel(t.Context())
	left := make(chan error, 1)
	go func() {
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, a.Functions+"/run", strings.NewReader(`{"name":"open"}`))
		if err == nil {
			_, err = http.DefaultClient.Do(req)
		}
		left <- err
	}()
	<-inserted
	cancel()
	if err := <-left; err == nil {
		t.Error("the client got an answer")
	}
	// This waits for the transaction, whose own limit is 30 s.
	begin := time.Now()
	if got := a.do(http.MethodPost, "/run", `{"name":"write"}`).body; got != "w" {
		t.Errorf("got %q after %v", got, time.Since(begin))
	}
	a.expectCounts(1, 0)
	t.Run("by its CPU limit", func(t *testing.T) {
		a := newApp(t, map[string]string{"routes/run.ts": txRoutes}, func(c *agentrt.Config) { c.CPULimit = 200 * time.Millisecond })
		addNotes(t, a)
		if r := a.do(http.MethodPost, "/run", `{"name":"spins"}`); r.status != 503 {
			t.Errorf("%d %s", r.status, r.body)
		}
		a.expectCounts(0, 0)
	})
}

func TestCrons(t *testing.T) {
	a := newApp(t, map[string]string{
		"crons/digest.ts": `export const schedule = "0 7 * * *"; export const timezone = "Europe/Berlin";
			export default async function (e: { name: string }) { await pb.collection("notes").create({ title: e.name }); }`,
		"routes/x.ts": `
			pb.cron("slow", "*/5 * * * *", async () => {
				await pb.collection("notes").create({ title: "slow" });
				while ((await pb.collection("tags").getList(1, 1)).totalItems === 0) await new Promise((f) => setTimeout(f, 20));
			});
			pb.cron("fails", "@hourly", () => { throw new Error("a broken job"); });
			export const GET = () => new Response("x");`,
	})
	logs := a.logs()
	addNotes(t, a)
	token := a.superuser()
	list := a.do(http.MethodGet, "/../crons", "", "Authorization", token).body
	for _, want := range []string{`{"id":"digest","expression":"0 7 * * *"}`, `{"id":"slow","expression":"*/5 * * * *"}`, `{"id":"fails","expression":"0 * * * *"}`} {
		if !strings.Contains(list, want) {
			t.Errorf("the list lacks %s: %s", want, list)
		}
	}
	at := func(text string) time.Time {
		now, err := time.Parse(time.RFC3339, text)
		if err != nil {
			t.Fatal(err)
		}
		return now
	}
	count := func(title string) int64 {
		records, err := a.FindAllRecords("notes")
		if err != nil {
			t.Fatal(err)
		}
		n := int64(0)
		for _, r := range records {
			if r.GetString("title") == title {
				n++
			}
		}
		return n
	}
	run := func(name string) {
		for _, j := range a.Cron().Jobs() {
			if j.Id() == name {
				j.Run()
			}
		}
	}
	t.Run("by their own clock", func(t *testing.T) {
		for k, tick := range []struct {
			at   string
			runs int64
		}{
			{"2026-07-01T07:00:00Z", 0}, // 9:00 in Berlin
			{"2026-07-01T05:00:00Z", 1}, // 7:00 in summer
			{"2026-07-01T05:01:00Z", 1},
			{"2026-12-01T05:00:00Z", 1},
			{"2026-12-01T06:00:30Z", 2}, // 7:00 in winter
		} {
			agentrt.TickCrons(a.Engine, at(tick.at))
			eventually(t, func() bool { return count("digest") >= tick.runs }, func() string { return "tick " + tick.at })
			if n := count("digest"); n != tick.runs {
				t.Errorf("tick %d at %s: %d runs, want %d", k, tick.at, n, tick.runs)
			}
		}
		run("digest")
		if n := count("digest"); n != 2 {
			t.Errorf("PocketBase's own clock ran it: %d", n)
		}
		if r := a.do(http.MethodPost, "/../crons/digest", "", "Authorization", token); r.status != 204 {
			t.Errorf("%d %s", r.status, r.body)
		}
		eventually(t, func() bool { return count("digest") == 3 }, func() string { return "not started by hand" })
		if r := a.do(http.MethodPost, "/../crons/digest", ""); r.status != 401 {
			t.Errorf("a guest: %d", r.status)
		}
	})
	t.Run("no overlap", func(t *testing.T) {
		var work sync.WaitGroup
		work.Go(func() { run("slow") })
		eventually(t, func() bool { return count("slow") == 1 }, func() string { return "not started" })
		run("slow")
		if n := count("slow"); n != 1 {
			t.Errorf("%d runs at a time", n)
		}
		eventually(t, func() bool { return strings.Contains(logs.String(), "cron job skipped") }, logs.String)
		c, err := a.FindCollectionByNameOrId("tags")
		if err != nil {
			t.Fatal(err)
		}
		if err := a.Save(core.NewRecord(c)); err != nil {
			t.Fatal(err)
		}
		work.Wait()
		run("slow")
		if n := count("slow"); n != 2 {
			t.Errorf("%d runs, want 2", n)
		}
	})
	t.Run("errors are logged", func(t *testing.T) {
		run("fails")
		eventually(t, func() bool { return strings.Contains(logs.String(), "a broken job") }, logs.String)
	})
	t.Run("what is wrong is an error of loading", func(t *testing.T) {
		r := a.upload(build(t, map[string]string{
			"crons/slow.ts":  `export const schedule = "never"; export default () => {};`,
			"crons/zone.ts":  `export const schedule = "@daily"; export const timezone = "Mars/Base"; export default () => {};`,
			"crons/empty.ts": `export const schedule = "@daily";`,
			"hooks/a.ts":     `pb.cron("slow", "@daily", () => {});`,
		}), token, nil)
		for _, want := range []string{`src/crons/slow.ts: the schedule`, `src/crons/slow.ts: a cron job named`, `src/crons/zone.ts: the time zone`, `src/crons/empty.ts: the handler`} {
			if r.status != 400 || !strings.Contains(strings.ReplaceAll(r.body, `\"`, `"`), want) {
				t.Errorf("no %q in %d %s", want, r.status, r.body)
			}
		}
		if r := a.upload(build(t, map[string]string{"hooks/a.ts": `pb.cron("__pbLogsCleanup__", "@daily", () => {});`}), token, nil); r.status != 400 || !strings.Contains(r.body, "exists already") {
			t.Errorf("%d %s", r.status, r.body)
		}
	})
}
