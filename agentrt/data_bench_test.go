//go:build unix

package agentrt_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"

	"github.com/agentrt/agentrt/agentrt"
	"github.com/agentrt/agentrt/internal/apptest"
	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
)

const benchRows = 1000

// newBenchApp has a collection of a thousand records, and a route that reads it.
func newBenchApp(b *testing.B) (*apptest.App, string) {
	var id string
	prepare := func(app core.App) error {
		c := core.NewBaseCollection("rows")
		c.Fields.Add(&core.TextField{Name: "title"}, &core.TextField{Name: "text"}, &core.NumberField{Name: "n"}, &core.BoolField{Name: "done"},
			&core.JSONField{Name: "meta"}, &core.AutodateField{Name: "created", OnCreate: true}, &core.AutodateField{Name: "updated", OnCreate: true, OnUpdate: true})
		if err := app.Save(c); err != nil {
			return err
		}
		return app.RunInTransaction(func(tx core.App) error {
			for k := range benchRows {
				r := core.NewRecord(c)
				r.Load(map[string]any{"title": fmt.Sprint("title ", k), "text": strings.Repeat("text ", 20), "n": k, "done": k%2 == 0, "meta": map[string]any{"k": k}})
				if err := tx.Save(r); err != nil {
					return err
				}
				id = r.Id
			}
			return nil
		})
	}
	a, err := apptest.Start(b.TempDir(), map[string]string{"src/routes/bench.ts": `
		export const config = { timeout: "10m", cpu: "10m" };
		export const POST = async (req: Request) => {
			const { n, id, kind, as } = await req.json();
			const rows = (as === undefined ? pb : pb.as(as)).collection("rows");
			for (let k = 0; k < n; k++) {
				if (kind === "one") await rows.getOne(id);
				else if (kind === "sql") await pb.db.query("SELECT * FROM rows WHERE id = {:id}", { id });
				else if ((await rows.getFullList({ batch: 1000 })).length !== ` + fmt.Sprint(benchRows) + `) throw new Error("rows are missing");
			}
			return new Response("ok");
		};`}, agentrt.Config{CacheDir: cacheDir}, prepare)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := a.Stop(); err != nil {
			b.Error(err)
		}
	})
	return a, id
}

// cpuTime reports the process's CPU time for an operation, which other load on the
// machine disturbs less than the time that passed.
func cpuTime(b *testing.B) (end func()) {
	used := func() int64 {
		var u syscall.Rusage
		if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
			b.Fatal(err)
		}
		return u.Utime.Nano() + u.Stime.Nano()
	}
	start := used()
	return func() { b.ReportMetric(float64(used()-start)/float64(b.N)/1000, "cpu-us/op") }
}

// BenchmarkData compares an operation called from JavaScript with the same one in
// Go, its JSON included.
func BenchmarkData(b *testing.B) {
	a, id := newBenchApp(b)
	rows, err := a.FindCachedCollectionByNameOrId("rows")
	if err != nil {
		b.Fatal(err)
	}
	event := &core.RequestEvent{App: a.App}
	event.Request = httptest.NewRequest(http.MethodGet, "/", nil)
	one := func() (any, error) {
		r, err := a.FindRecordById(rows, id)
		if err != nil {
			return nil, err
		}
		return r, apis.EnrichRecord(event, r)
	}
	full := func() (any, error) {
		list, err := a.FindRecordsByFilter(rows, "", "", benchRows, 0)
		if err != nil {
			return nil, err
		}
		return list, apis.EnrichRecords(event, list)
	}
	for name, f := range map[string]func() (any, error){"one": one, "full": full} {
		b.Run(name+"/go", func(b *testing.B) {
			defer cpuTime(b)()
			for b.Loop() {
				value, err := f()
				if err != nil {
					b.Fatal(err)
				}
				if _, err := json.Marshal(value); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	for _, c := range []struct{ name, kind, as string }{{"one/js", "one", ""}, {"full/js", "full", ""}, {"sql/js", "sql", ""}} {
		b.Run(c.name, func(b *testing.B) {
			defer cpuTime(b)()
			body := fmt.Sprintf(`{"n":%d,"id":%q,"kind":%q%s}`, b.N, id, c.kind, c.as)
			res, err := http.Post(a.Functions+"/bench", "application/json", strings.NewReader(body))
			if err != nil {
				b.Fatal(err)
			}
			defer res.Body.Close()
			if res.StatusCode != http.StatusOK {
				b.Fatalf("status %d", res.StatusCode)
			}
		})
	}
}
