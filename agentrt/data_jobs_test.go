package agentrt_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/agentrt/agentrt/agentrt"
	"github.com/agentrt/agentrt/agentrt/jobs"
	"github.com/agentrt/agentrt/internal/apptest"
	"github.com/pocketbase/pocketbase/core"
)

// jobsRoute runs what the query names and answers with its result or error.
const jobsRoute = `
	export const run = async (f: () => unknown): Promise<Response> => {
		try {
			return Response.json({ value: (await f()) ?? null });
		} catch (e: any) {
			return Response.json({ error: { name: e.name, code: e.code ?? null, message: e.message } });
		}
	};`

// waitJob polls until the job is in the state.
func (a *app) waitJob(id string, state jobs.State) jobs.Info {
	a.t.Helper()
	deadline := time.Now().Add(time.Minute)
	for {
		info, err := a.Engine.Jobs().Get(a.t.Context(), a.PocketBase, id)
		if err != nil {
			a.t.Fatal(err)
		}
		if info.State == state {
			return info
		}
		if info.State.Final() || time.Now().After(deadline) {
			a.t.Fatalf("job %s is %s, want %s: %+v", id, info.State, state, info)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

type jobsReply struct {
	Value json.RawMessage
	Error *struct{ Name, Code, Message string }
}

func (a *app) jobsReply(path string) (r jobsReply) {
	a.t.Helper()
	got := a.get(path)
	if err := json.Unmarshal([]byte(got.body), &r); err != nil || got.status != http.StatusOK {
		a.t.Fatalf("%s: %d %s", path, got.status, got.body)
	}
	return r
}

// text is the reply's value, which has to be a string.
func (r jobsReply) text(t *testing.T) (s string) {
	t.Helper()
	if r.Error != nil {
		t.Fatalf("%+v", *r.Error)
	}
	if err := json.Unmarshal(r.Value, &s); err != nil {
		t.Fatalf("%s: %v", r.Value, err)
	}
	return s
}

func TestJobs(t *testing.T) {
	a := newApp(t, map[string]string{
		"lib.ts": jobsRoute,
		"routes/enqueue.ts": `
			import { run } from "../lib";
			export const GET = (req: Request) => run(() => {
				const q = new URL(req.url).searchParams;
				return pb.jobs.enqueue(q.get("topic")!, { n: Number(q.get("n") ?? 1), text: "a\u0000\u2028é" }, JSON.parse(q.get("options") ?? "{}"));
			});`,
		"routes/get.ts":    `import { run } from "../lib"; export const GET = (req: Request) => run(() => pb.jobs.get(new URL(req.url).searchParams.get("id")!));`,
		"routes/cancel.ts": `import { run } from "../lib"; export const GET = (req: Request) => run(() => pb.jobs.cancel(new URL(req.url).searchParams.get("id")!));`,
		"routes/list.ts":   `import { run } from "../lib"; export const GET = (req: Request) => run(() => pb.jobs.list(JSON.parse(new URL(req.url).searchParams.get("filter")!)));`,
		"workers/mail/send.ts": `
			export const config = { concurrency: 2, timeout: "30s", maxAttempts: 3, backoff: { delay: 20, type: "fixed" } };
			export default async function (job: Job<{ n: number; text: string }>, ctx: JobContext) {
				job.progress(0.5, { half: job.payload.n });
				await pb.kv.set("seen/" + job.id, [job.topic, job.payload.text, job.attempt, job.maxAttempts, typeof job.createdAt, ctx.signal.aborted]);
				return { doubled: job.payload.n * 2 };
			}`,
		"workers/broken.ts": `
			export const config = { maxAttempts: 2, backoff: 10 };
			function deeper(n: number): never {
				throw new RangeError("no good " + n);
			}
			export default (job: Job<{ n: number }>) => deeper(job.payload.n);`,
		"workers/register.ts": `
			pb.jobs.process("slow", async (job, { signal }) => {
				job.progress(1);
				await new Promise((resolve) => signal.addEventListener("abort", resolve));
				await pb.kv.set("reason", String(signal.reason));
				throw signal.reason;
			}, { timeout: 60_000 });
			pb.jobs.process("timed", async (job, { signal }) => {
				await new Promise((resolve) => signal.addEventListener("abort", resolve));
				throw new Error("gave up: " + signal.reason.message);
			}, { timeout: "50ms", maxAttempts: 1 });
			pb.jobs.process("stuck", async () => { await new Promise((resolve) => setTimeout(resolve, 3_600_000)); }, { timeout: 50, maxAttempts: 1 });`,
	})
	t.Run("run", func(t *testing.T) {
		id := a.jobsReply("/enqueue?topic=mail/send&n=21").text(t)
		info := a.waitJob(id, jobs.StateCompleted)
		if string(info.Result) != `{"doubled":42}` || info.MaxAttempts != 3 || info.Progress == nil || info.Progress.N != 0.5 || string(info.Progress.Data) != `{"half":21}` {
			t.Errorf("%+v", info)
		}
		var seen []any
		if err := json.Unmarshal([]byte(a.jobsReply("/get?id="+id).Value), new(any)); err != nil {
			t.Error(err)
		}
		got := a.kv(t, "seen/"+id)
		if err := json.Unmarshal(got, &seen); err != nil || len(seen) != 6 || seen[0] != "mail/send" || seen[1] != "a\x00\u2028é" || seen[2] != 1.0 || seen[3] != 3.0 || seen[4] != "string" || seen[5] != false {
			t.Errorf("the worker saw %s, %v", got, err)
		}
		var shown struct {
			State, Topic string
			Worker       bool
			Payload      struct{ N int }
		}
		if err := json.Unmarshal(a.jobsReply("/get?id="+id).Value, &shown); err != nil || shown.State != "completed" || shown.Topic != "mail/send" || !shown.Worker || shown.Payload.N != 21 {
			t.Errorf("get: %+v, %v", shown, err)
		}
	})
	t.Run("failure", func(t *testing.T) {
		id := a.jobsReply("/enqueue?topic=broken&n=7").text(t)
		info := a.waitJob(id, jobs.StateDiscarded)
		if len(info.Errors) != 2 || !strings.Contains(info.Errors[1].Error, "RangeError: no good 7") || !strings.Contains(info.Errors[1].Error, "src/workers/broken.ts:4") {
			t.Errorf("%+v", info.Errors)
		}
	})
	t.Run("cancel", func(t *testing.T) {
		id := a.jobsReply("/enqueue?topic=slow").text(t)
		for a.waitJob(id, jobs.StateRunning).Progress == nil {
			time.Sleep(5 * time.Millisecond)
		}
		a.jobsReply("/cancel?id=" + id)
		a.waitJob(id, jobs.StateCancelled)
		if got := a.kv(t, "reason"); string(got) != `"AbortError: the job was cancelled"` {
			t.Errorf("reason %s", got)
		}
	})
	t.Run("time-out", func(t *testing.T) {
		info := a.waitJob(a.jobsReply("/enqueue?topic=timed").text(t), jobs.StateDiscarded)
		if !strings.Contains(info.Errors[0].Error, "longer than its timeout (50ms)") || !strings.Contains(info.Errors[0].Error, "gave up: the job took longer") {
			t.Errorf("%+v", info.Errors)
		}
	})
	t.Run("time-out of a handler that does not listen", func(t *testing.T) {
		info := a.waitJob(a.jobsReply("/enqueue?topic=stuck").text(t), jobs.StateDiscarded)
		if !strings.Contains(info.Errors[0].Error, "did not end within 5s") {
			t.Errorf("%+v", info.Errors)
		}
	})
	t.Run("options", func(t *testing.T) {
		id := a.jobsReply(`/enqueue?topic=nobody&options={"delay":"1h","priority":1,"maxAttempts":9,"uniqueKey":"k"}`).text(t)
		info, err := a.Engine.Jobs().Get(t.Context(), a.PocketBase, id)
		if wait := time.Until(info.RunAt); err != nil || info.State != jobs.StateScheduled || info.Priority != 1 || info.MaxAttempts != 9 || info.UniqueKey != "k" || info.Worker || wait < 50*time.Minute || wait > time.Hour {
			t.Errorf("%+v, %v", info, err)
		}
		if again := a.jobsReply(`/enqueue?topic=nobody&options={"uniqueKey":"k"}`).text(t); again != id {
			t.Errorf("a second job with the key: %s beside %s", again, id)
		}
		if other := a.jobsReply(`/enqueue?topic=nobody&options={"runAt":"2020-01-31T12:00:00Z"}`).text(t); other == id {
			t.Error("the same job without the key")
		}
	})
	t.Run("list", func(t *testing.T) {
		var page struct {
			Items []struct {
				ID    string
				Topic string
			}
			Cursor *string
		}
		r := a.jobsReply(`/list?filter={"topic":"nobody","limit":1}`)
		if err := json.Unmarshal(r.Value, &page); err != nil || len(page.Items) != 1 || page.Cursor == nil {
			t.Fatalf("%s, %v", r.Value, err)
		}
		first := page.Items[0].ID
		r = a.jobsReply(`/list?filter={"topic":"nobody","state":["scheduled","available"],"cursor":"` + *page.Cursor + `"}`)
		if err := json.Unmarshal(r.Value, &page); err != nil || len(page.Items) != 1 || page.Cursor != nil || page.Items[0].ID == first {
			t.Errorf("%s, %v", r.Value, err)
		}
	})
	for _, s := range []struct{ name, path, code string }{
		{"topic", "/enqueue?topic=a%20b", "ERR_JOBS_TOPIC"},
		{"reserved topic", "/enqueue?topic=agentrt.index", "ERR_JOBS_TOPIC"},
		{"unknown option", `/enqueue?topic=a&options={"dealy":5}`, "ERR_JOBS_OPTION"},
		{"negative delay", `/enqueue?topic=a&options={"delay":-5}`, "ERR_JOBS_OPTION"},
		{"bad duration", `/enqueue?topic=a&options={"delay":"soon"}`, "ERR_JOBS_OPTION"},
		{"delay and runAt", `/enqueue?topic=a&options={"delay":5,"runAt":5}`, "ERR_JOBS_OPTION"},
		{"bad time", `/enqueue?topic=a&options={"runAt":"noon"}`, "ERR_JOBS_OPTION"},
		{"priority", `/enqueue?topic=a&options={"priority":9}`, "ERR_JOBS_OPTION"},
		{"backoff", `/enqueue?topic=a&options={"backoff":{"type":"linear"}}`, "ERR_JOBS_OPTION"},
		{"state", `/enqueue?topic=a&options={"uniqueKey":"a","uniqueStates":["asleep"]}`, "ERR_JOBS_OPTION"},
		{"list", `/list?filter={"limit":501}`, "ERR_JOBS_OPTION"},
	} {
		t.Run("refused "+s.name, func(t *testing.T) {
			if r := a.jobsReply(s.path); r.Error == nil || r.Error.Code != s.code {
				t.Errorf("%+v %s", r.Error, r.Value)
			}
		})
	}
	for _, path := range []string{"/get?id=999999", "/cancel?id=abc", "/get?id="} {
		if r := a.jobsReply(path); string(r.Value) != "null" {
			t.Errorf("%s: %+v", path, r)
		}
	}
}

// kv reads a value that a function has stored.
func (a *app) kv(t *testing.T, key string) []byte {
	t.Helper()
	var value []byte
	if err := a.ConcurrentDB().NewQuery(`SELECT "value" FROM "_agentrt_kv" WHERE "key" = {:key}`).Bind(map[string]any{"key": key}).Row(&value); err != nil {
		t.Fatalf("kv %s: %v", key, err)
	}
	return value
}

// TestJobsTransactions: jobs exist with what they were enqueued beside, in pb.tx and
// in Before hooks, or not at all.
func TestJobsTransactions(t *testing.T) {
	a := newApp(t, map[string]string{
		"lib.ts": jobsRoute,
		"routes/tx.ts": `
			import { run } from "../lib";
			export const GET = (req: Request) => run(async () => {
				const fail = new URL(req.url).searchParams.has("fail");
				return pb.tx(async (tx) => {
					const id = await tx.jobs.enqueue("count", { from: "tx" });
					if ((await pb.jobs.get(id)).state !== "available") throw new Error("not found inside");
					const taken = await pb.jobs.enqueue("count", { from: "tx" });
					if ((await pb.jobs.cancel(taken)).state !== "cancelled" || await pb.jobs.get(taken) !== null) throw new Error("not taken back");
					await new Promise((resolve) => setTimeout(resolve, 50));
					if (fail) throw new Error("rolled back " + id);
					return id;
				});
			});`,
		"hooks/notes.ts": `
			pb.onRecordBeforeCreate("notes", async (e) => {
				const id = await pb.jobs.enqueue("count", { from: "hook" }, { uniqueKey: "note-" + e.record.title });
				if (e.record.title === "refused") throw new Error("refused after " + id);
			});
			pb.onRecordAfterCreate("notes", async (e) => { await pb.kv.incr("created"); });
			pb.onRecordBeforeDelete("notes", async () => { await pb.jobs.enqueue("count", { from: "delete" }); });`,
		"workers/count.ts": `export default async (job: Job<{ from: string }>) => { await pb.kv.incr("ran/" + job.payload.from); };`,
	})
	notes := core.NewBaseCollection("notes")
	notes.Fields.Add(&core.TextField{Name: "title", Max: 20})
	if err := a.Save(notes); err != nil {
		t.Fatal(err)
	}
	ran := func(from string, want int) {
		t.Helper()
		deadline := time.Now().Add(20 * time.Second)
		for {
			var n int
			err := a.ConcurrentDB().NewQuery(`SELECT CAST("value" AS TEXT) FROM "_agentrt_kv" WHERE "key" = {:key}`).Bind(map[string]any{"key": "ran/" + from}).Row(&n)
			left, _, listErr := a.Engine.Jobs().List(t.Context(), jobs.Filter{Topic: "count", States: []jobs.State{jobs.StateAvailable, jobs.StateRunning}})
			if listErr != nil {
				t.Fatal(listErr)
			}
			if n == want && len(left) == 0 {
				return
			}
			if time.Now().After(deadline) {
				t.Fatalf("%d jobs from %s ran, want %d (%v); waiting: %d", n, from, want, err, len(left))
			}
			time.Sleep(10 * time.Millisecond)
		}
	}
	id := a.jobsReply("/tx").text(t)
	a.waitJob(id, jobs.StateCompleted)
	r := a.jobsReply("/tx?fail=1")
	if r.Error == nil || !strings.HasPrefix(r.Error.Message, "rolled back ") {
		t.Fatalf("%+v", r)
	}
	if _, err := a.Engine.Jobs().Get(t.Context(), a.PocketBase, strings.TrimPrefix(r.Error.Message, "rolled back ")); !errors.Is(err, jobs.ErrNotFound) {
		t.Errorf("a job that was rolled back: %v", err)
	}
	ran("tx", 1)
	create := func(app core.App, title string) error {
		note := core.NewRecord(notes)
		note.Set("title", title)
		return app.Save(note)
	}
	if err := create(a.PocketBase, "saved"); err != nil {
		t.Fatal(err)
	}
	ran("hook", 1)
	for title, text := range map[string]string{"refused": "efused after", "longer than twenty letters": "title"} {
		if err := create(a.PocketBase, title); err == nil || !strings.Contains(err.Error(), text) {
			t.Errorf("%s: %v", title, err)
		}
	}
	rolledBack := errors.New("rolled back")
	if err := a.RunInTransaction(func(tx core.App) error { return errors.Join(create(tx, "in a transaction"), rolledBack) }); !errors.Is(err, rolledBack) || strings.Contains(err.Error(), "title") {
		t.Errorf("%v", err)
	}
	if err := a.RunInTransaction(func(tx core.App) error { return create(tx, "committed") }); err != nil {
		t.Error(err)
	}
	ran("hook", 2)
	if got := a.kv(t, "created"); string(got) != "2" {
		t.Errorf("After hooks ran %s times", got)
	}
	note, err := a.FindFirstRecordByData("notes", "title", "saved")
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Delete(note); err != nil {
		t.Error(err)
	}
	ran("delete", 1)
	var left int
	if err := a.ConcurrentDB().NewQuery(`SELECT count(*) FROM "_agentrt_jobs"`).Row(&left); err != nil || left != 0 {
		t.Errorf("%d rows are in the outbox, %v", left, err)
	}
}

func TestJobsDeploy(t *testing.T) {
	dir := t.TempDir()
	sources := func(worker string) map[string]string {
		return map[string]string{"src/routes/a.ts": `export const GET = async () => new Response(await pb.jobs.enqueue("work", 1));`, "src/workers/work.ts": worker}
	}
	run := func(files map[string]string, f func(*app)) {
		a, err := apptest.Start(dir, files, agentrt.Config{CacheDir: cacheDir}, nil)
		if err != nil {
			t.Fatal(err)
		}
		defer func() {
			if err := a.Stop(); err != nil {
				t.Error(err)
			}
		}()
		f(&app{a, t})
	}
	var waiting, interrupted string
	run(sources(`export {};`), func(a *app) { // no worker
		waiting = a.get("/a").body
		if info, err := a.Engine.Jobs().Get(t.Context(), a.PocketBase, waiting); err != nil || info.State != jobs.StateAvailable || info.Worker {
			t.Errorf("%+v, %v", info, err)
		}
	})
	run(sources(`export default async (job: Job, { signal }: JobContext) => {
		job.progress(1);
		await new Promise((resolve) => signal.addEventListener("abort", resolve));
		await pb.kv.set("reason", signal.reason.message);
		throw new Error("interrupted");
	};
	export const config = { maxAttempts: 1 };`), func(a *app) {
		interrupted = a.get("/a").body
		for _, id := range []string{waiting, interrupted} {
			for a.waitJob(id, jobs.StateRunning).Progress == nil {
				time.Sleep(5 * time.Millisecond)
			}
		}
	})
	run(sources(`export default () => {};`), func(a *app) {
		if got := a.kv(t, "reason"); string(got) != `"the server shuts down"` {
			t.Errorf("reason %s", got)
		}
		for _, id := range []string{waiting, interrupted} {
			if info := a.waitJob(id, jobs.StateCompleted); len(info.Errors) != 0 || info.Attempt != 1 {
				t.Errorf("%+v", info)
			}
		}
	})
	a := newApp(t, nil)
	token := a.superuser()
	if err := a.Engine.Jobs().Handle("go", func(context.Context, jobs.Job) error { return nil }, jobs.HandlerOptions{}); err != nil {
		t.Fatal(err)
	}
	for _, s := range []struct{ name, worker, problem string }{
		{"no handler", `export const config = {};`, "src/workers/work.ts: the handler is a function"},
		{"unknown option", `export default () => {}; export const config = { concurency: 5 };`, "config.concurency is unknown"},
		{"too many", `export default () => {}; export const config = { concurrency: 5000 };`, "from 1 to 1000"},
		{"wrong timeout", `export default () => {}; export const config = { timeout: "soon" };`, "config.timeout: want a number of milliseconds or a duration"},
		{"reserved", `pb.jobs.process("agentrt.x", () => {});`, "reserved"},
		{"twice", `export default () => {}; pb.jobs.process("work", () => {});`, "has a worker already"},
		{"taken by Go", `pb.jobs.process("go", () => {});`, "Go code works on"},
	} {
		t.Run(s.name, func(t *testing.T) {
			if r := a.upload(build(t, map[string]string{"workers/work.ts": s.worker, "routes/a.ts": `export const GET = () => new Response();`}), token, nil); r.status != http.StatusBadRequest || !strings.Contains(r.body, s.problem) {
				t.Errorf("%d %s", r.status, r.body)
			}
		})
	}
}

func TestJobsAPI(t *testing.T) {
	a := newApp(t, map[string]string{
		"routes/a.ts":       `export const GET = async () => new Response(await pb.jobs.enqueue("broken", { n: 1 }));`,
		"workers/broken.ts": `export const config = { maxAttempts: 1 }; export default () => { throw new Error("no"); };`,
	})
	token := a.superuser()
	call := func(method, path string, status int, into any) {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), method, a.URL+"/api/agentrt"+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", token)
		r := a.send(req)
		if r.status != status {
			t.Fatalf("%s %s: %d %s", method, path, r.status, r.body)
		}
		if into != nil {
			if err := json.Unmarshal([]byte(r.body), into); err != nil {
				t.Fatalf("%s: %v", r.body, err)
			}
		}
	}
	id := a.get("/a").body
	a.waitJob(id, jobs.StateDiscarded)
	var page struct{ Items []jobs.Info }
	call(http.MethodGet, "/jobs", http.StatusOK, &page)
	if len(page.Items) != 1 || page.Items[0].ID != id || page.Items[0].State != jobs.StateDiscarded {
		t.Errorf("%+v", page)
	}
	var stats struct{ Topics []jobs.TopicStats }
	call(http.MethodGet, "/jobs/stats", http.StatusOK, &stats)
	stats.Topics = ofUsers(stats.Topics)
	if len(stats.Topics) != 1 || stats.Topics[0].States[jobs.StateDiscarded] != 1 {
		t.Errorf("%+v", stats)
	}
	call(http.MethodPost, "/jobs/"+id+"/retry", http.StatusOK, nil)
	a.waitJob(id, jobs.StateDiscarded)
	var retried struct{ Retried int }
	call(http.MethodPost, "/jobs/retry?topic=broken", http.StatusOK, &retried)
	if retried.Retried != 1 {
		t.Errorf("%+v", retried)
	}
	var info jobs.Info
	call(http.MethodGet, "/jobs/"+a.waitJob(id, jobs.StateDiscarded).ID, http.StatusOK, &info)
	if len(info.Errors) != 3 {
		t.Errorf("%+v", info)
	}
	call(http.MethodDelete, "/jobs/"+id, http.StatusOK, nil)
	call(http.MethodGet, "/jobs/"+id, http.StatusNotFound, nil)
	call(http.MethodGet, "/jobs?limit=x", http.StatusBadRequest, nil)
	call(http.MethodGet, "/jobs?topic=-", http.StatusBadRequest, nil)
	token = ""
	call(http.MethodGet, "/jobs", http.StatusUnauthorized, nil)
}

// TestJobsGo has a worker and enqueues in Go, beside functions.
func TestJobsGo(t *testing.T) {
	a := newApp(t, map[string]string{"routes/list.ts": `export const GET = async () => Response.json((await pb.jobs.list({})).items);`})
	got := make(chan string, 1)
	err := a.Engine.Jobs().Handle("agentrt.index", func(_ context.Context, job jobs.Job) error {
		got <- string(job.Payload)
		return nil
	}, jobs.HandlerOptions{})
	if err != nil {
		t.Fatal(err)
	}
	id, err := a.Engine.Jobs().Enqueue(t.Context(), a.PocketBase, "agentrt.index", map[string]int{"n": 1}, jobs.EnqueueOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if payload := <-got; payload != `{"n":1}` {
		t.Error(payload)
	}
	a.waitJob(id, jobs.StateCompleted)
	if list := a.get("/list").body; list != "[]" {
		t.Errorf("functions see %s", list)
	}
}

// ofUsers leaves out the topics of agentrt's own workers.
func ofUsers(topics []jobs.TopicStats) []jobs.TopicStats {
	return slices.DeleteFunc(topics, func(s jobs.TopicStats) bool { return strings.HasPrefix(s.Topic, "agentrt.") })
}
