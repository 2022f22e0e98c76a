package benchmarks

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/agentrt/agentrt/agentrt"
	"github.com/agentrt/agentrt/agentrt/jobs"
	"github.com/agentrt/agentrt/hostfn/pb/kvstore"
	"github.com/agentrt/agentrt/internal/apptest"
	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
)

// dataRows is how many records the collection has.
const dataRows = 1000

// dataFiles are the functions that the group measures. The route answers with the
// milliseconds that n operations took, and does one before it looks at the clock.
var dataFiles = map[string]string{
	"src/routes/data.ts": `
		export const config = { timeout: "10m", cpu: "10m" };
		export const POST = async (req: Request) => {
			const { n, id, kind } = await req.json();
			const rows = pb.collection("rows");
			const operation: Record<string, () => unknown> = {
				one: () => rows.getOne(id),
				full: async () => { if ((await rows.getFullList({ batch: 1000 })).length !== 1000) throw new Error("rows are missing"); },
				kv: async () => { if ((await pb.kv.get("key")).name !== "value") throw new Error("no value"); },
				enqueue: () => pb.jobs.enqueue("nothing", { n: 1 }),
			};
			const run = operation[kind]!;
			if (kind !== "enqueue") await run();
			const start = performance.now();
			for (let k = 0; k < n; k++) await run();
			return Response.json(performance.now() - start);
		};`,
	"src/hooks/hooked.ts":    `pb.onRecordBeforeCreate("hooked", (e) => { e.record.title += "!"; });`,
	"src/workers/nothing.ts": `export const config = { concurrency: 16 }; export default () => {};`,
}

type dataBench struct {
	app     *apptest.App
	id      string // of a record
	figures map[string]float64
}

// data compares operations called from JavaScript with the same ones in Go, its
// JSON included, in turns; and counts the jobs that are enqueued and worked on.
func data(ctx context.Context, o options, progress io.Writer) (figures map[string]float64, err error) {
	dir, err := os.MkdirTemp("", "agentrt-bench-*")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	b := &dataBench{figures: map[string]float64{}}
	if b.app, err = apptest.Start(dir, dataFiles, agentrt.Config{}, b.prepare); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, b.app.Stop()) }()
	rounds, count := 40, 4000
	if o.quick {
		rounds, count = 8, 500
	}
	fmt.Fprintf(progress, "records and values: %d rounds in turns\n", rounds)
	if err := b.reads(ctx, rounds); err != nil {
		return nil, err
	}
	fmt.Fprintln(progress, "writes with a hook")
	if err := b.hook(rounds); err != nil {
		return nil, err
	}
	fmt.Fprintf(progress, "%d jobs\n", count)
	return b.figures, b.jobs(ctx, count)
}

func (b *dataBench) prepare(app core.App) error {
	rows := core.NewBaseCollection("rows")
	rows.Fields.Add(&core.TextField{Name: "title"}, &core.TextField{Name: "text"}, &core.NumberField{Name: "n"}, &core.BoolField{Name: "done"},
		&core.JSONField{Name: "meta"}, &core.AutodateField{Name: "created", OnCreate: true}, &core.AutodateField{Name: "updated", OnCreate: true, OnUpdate: true})
	if err := app.Save(rows); err != nil {
		return err
	}
	for _, name := range []string{"hooked", "plain"} {
		c := core.NewBaseCollection(name)
		c.Fields.Add(&core.TextField{Name: "title"})
		if err := app.Save(c); err != nil {
			return err
		}
	}
	return app.RunInTransaction(func(tx core.App) error {
		for k := range dataRows {
			r := core.NewRecord(rows)
			r.Load(map[string]any{"title": fmt.Sprint("title ", k), "text": strings.Repeat("text ", 20), "n": k, "done": k%2 == 0, "meta": map[string]any{"k": k}})
			if err := tx.Save(r); err != nil {
				return err
			}
			b.id = r.Id
		}
		return nil
	})
}

// javascript runs kind n times in one request and returns the time of one.
func (b *dataBench) javascript(ctx context.Context, kind string, n int) (time.Duration, error) {
	body := fmt.Sprintf(`{"n":%d,"id":%q,"kind":%q}`, n, b.id, kind)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, b.app.Functions+"/data", strings.NewReader(body))
	if err != nil {
		return 0, err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		return 0, err
	}
	var ms float64
	if err := json.Unmarshal(text, &ms); err != nil || res.StatusCode != http.StatusOK {
		return 0, fmt.Errorf("%s from JavaScript: %d %s", kind, res.StatusCode, text)
	}
	return time.Duration(ms * float64(time.Millisecond) / float64(n)), nil
}

func (b *dataBench) reads(ctx context.Context, rounds int) error {
	rows, err := b.app.FindCachedCollectionByNameOrId("rows")
	if err != nil {
		return err
	}
	if _, err := kvstore.Set(ctx, b.app, "key", []byte(`{"name":"value"}`), kvstore.JSON, kvstore.SetOptions{}); err != nil {
		return err
	}
	event := &core.RequestEvent{App: b.app.App}
	event.Request = httptest.NewRequest(http.MethodGet, "/", nil)
	for _, op := range []struct {
		kind, name string
		n          int
		unit       func(time.Duration) float64
		call       func() (any, error)
	}{
		{"one", "getone_%s_us", 100, microseconds, func() (any, error) {
			r, err := b.app.FindRecordById(rows, b.id)
			if err != nil {
				return nil, err
			}
			return r, apis.EnrichRecord(event, r)
		}},
		{"full", "fulllist_%s_ms", 3, milliseconds, func() (any, error) {
			list, err := b.app.FindRecordsByFilter(rows, "", "", dataRows, 0)
			if err != nil {
				return nil, err
			}
			return list, apis.EnrichRecords(event, list)
		}},
		{"kv", "kv_get_%s_us", 300, microseconds, func() (any, error) {
			e, err := kvstore.Get(ctx, b.app, "key")
			return json.RawMessage(e.Value), err
		}},
	} {
		var inGo, inJS []time.Duration
		for range rounds {
			start := time.Now()
			for range op.n {
				value, err := op.call()
				if err != nil {
					return err
				}
				if _, err := json.Marshal(value); err != nil {
					return err
				}
			}
			inGo = append(inGo, time.Since(start)/time.Duration(op.n))
			d, err := b.javascript(ctx, op.kind, op.n)
			if err != nil {
				return err
			}
			inJS = append(inJS, d)
		}
		plain, js := median(inGo), median(inJS)
		b.figures[fmt.Sprintf(op.name, "go")] = op.unit(plain)
		b.figures[fmt.Sprintf(op.name, "js")] = op.unit(js)
		b.figures[fmt.Sprintf(op.name, "overhead")] = op.unit(js - plain)
	}
	return nil
}

// hook compares writes of two collections, one of which has a hook.
func (b *dataBench) hook(rounds int) error {
	times := map[string][]time.Duration{}
	for range rounds * 10 {
		for _, name := range []string{"plain", "hooked"} {
			c, err := b.app.FindCachedCollectionByNameOrId(name)
			if err != nil {
				return err
			}
			r := core.NewRecord(c)
			r.Set("title", "title")
			start := time.Now()
			if err := b.app.Save(r); err != nil {
				return err
			}
			times[name] = append(times[name], time.Since(start))
			if got := r.GetString("title"); (got == "title!") != (name == "hooked") {
				return fmt.Errorf("the title of %s is %q", name, got)
			}
		}
	}
	b.figures["write_us"] = microseconds(median(times["plain"]))
	b.figures["hook_overhead_us"] = microseconds(median(times["hooked"]) - median(times["plain"]))
	return nil
}

// jobs enqueues from four requests at a time while a worker in JavaScript works on
// them, until all are completed. The processor time of a job, from enqueue() to the
// end, says what an idle machine could do.
func (b *dataBench) jobs(ctx context.Context, count int) error {
	const clients = 4
	start, spent := time.Now(), ownCPUTime()
	failed := make(chan error, clients)
	for range clients {
		go func() {
			_, err := b.javascript(ctx, "enqueue", count/clients)
			failed <- err
		}()
	}
	var errs []error
	for range clients {
		errs = append(errs, <-failed)
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	b.figures["enqueue_per_s"] = float64(count) / time.Since(start).Seconds()
	for {
		stats, err := b.app.Engine.Jobs().Stats(ctx)
		if err != nil {
			return err
		}
		k := slices.IndexFunc(stats, func(s jobs.TopicStats) bool { return s.Topic == "nothing" })
		if k >= 0 && stats[k].States[jobs.StateCompleted] == count {
			break
		}
		if time.Since(start) > 10*time.Minute {
			return fmt.Errorf("jobs are left: %v", stats)
		}
		select {
		case <-time.After(10 * time.Millisecond):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	b.figures["jobs_per_s"] = float64(count) / time.Since(start).Seconds()
	b.figures["job_cpu_us"] = microseconds((ownCPUTime() - spent) / time.Duration(count)) // 0 but on Linux
	return nil
}
