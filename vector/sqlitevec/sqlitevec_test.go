package sqlitevec_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"

	"github.com/agentrt/agentrt/internal/sqlitedb"
	"github.com/agentrt/agentrt/vector"
	"github.com/agentrt/agentrt/vector/sqlitevec"
	"github.com/agentrt/agentrt/vector/vectortest"
	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
	_ "github.com/pocketbase/pocketbase/migrations" // makes the tables of a new app
	"github.com/pocketbase/pocketbase/tools/archive"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// engine is a PocketBase app on its own driver with a store in its data.db.
type engine struct {
	dir     string
	options sqlitevec.Options
	app     core.App
	store   *sqlitevec.Store
}

func start(t *testing.T, options sqlitevec.Options) *engine {
	t.Helper()
	options.OnError = func(space string, err error) { t.Errorf("building %s: %v", space, err) }
	e := &engine{dir: t.TempDir(), options: options}
	e.start(t)
	t.Cleanup(func() { e.stop(t) })
	return e
}

func (e *engine) start(t *testing.T) {
	t.Helper()
	e.app = core.NewBaseApp(core.BaseAppConfig{DataDir: e.dir, DBConnect: sqlitedb.Connect})
	if err := e.app.Bootstrap(); err != nil {
		t.Fatal(err)
	}
	var err error
	if e.store, err = sqlitevec.New(t.Context(), e.app, e.options); err != nil {
		t.Fatal(err)
	}
	if err := e.store.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func (e *engine) stop(t *testing.T) {
	t.Helper()
	if err := e.store.Close(); err != nil {
		t.Error(err)
	}
	if err := terminate(e.app); err != nil {
		t.Error(err)
	}
}

// terminate ends an app and its goroutines as SIGTERM does.
func terminate(app core.App) error {
	return app.OnTerminate().Trigger(&core.TerminateEvent{App: app}, func(e *core.TerminateEvent) error { return e.App.ResetBootstrapState() })
}

func (e *engine) App() core.App       { return e.app }
func (e *engine) Store() vector.Store { return e.store }
func (e *engine) Restart(t *testing.T) {
	t.Helper()
	e.stop(t)
	e.start(t)
}

func (e *engine) Transaction(f func(tx dbx.Builder) error) error {
	return e.app.RunInTransaction(func(tx core.App) error { return f(tx.NonconcurrentDB()) })
}

const backup = "kept.zip"

func (e *engine) Backup(t *testing.T) {
	t.Helper()
	if err := e.app.CreateBackup(t.Context(), backup); err != nil {
		t.Fatal(err)
	}
}

// Restore unpacks the backup as PocketBase does, which replaces the process then.
func (e *engine) Restore(t *testing.T) {
	t.Helper()
	e.stop(t)
	dir := t.TempDir()
	if err := archive.Extract(filepath.Join(e.dir, core.LocalBackupsDirName, backup), dir); err != nil {
		t.Fatal(err)
	}
	e.dir = dir
	e.start(t)
}

func TestConformanceWithoutIndex(t *testing.T) {
	vectortest.Run(t, vectortest.Config{Large: 5000}, func(t *testing.T) vectortest.Engine { return start(t, sqlitevec.Options{IndexFrom: 1 << 30}) })
}

func TestConformanceWithIndex(t *testing.T) {
	vectortest.Run(t, vectortest.Config{Indexed: true, Large: 5000}, func(t *testing.T) vectortest.Engine { return start(t, sqlitevec.Options{IndexFrom: 1 << 30}) })
}

func TestIndexIsBuiltInTheBackground(t *testing.T) {
	e := start(t, sqlitevec.Options{IndexFrom: 1000})
	ctx := t.Context()
	if err := e.store.Create(ctx, nil, vector.Space{Name: "x", Dim: 3, Metric: vector.L2}); err != nil {
		t.Fatal(err)
	}
	var items []vector.Item
	for i := range 1500 {
		items = append(items, vector.Item{ID: fmt.Sprint(i), Vector: []float32{float32(i), 1, 2}})
	}
	if err := e.store.Put(ctx, nil, "x", items...); err != nil {
		t.Fatal(err)
	}
	for {
		found, err := e.store.Search(ctx, nil, "x", vector.Query{Vector: []float32{700, 1, 2}, Top: 3})
		if err != nil || len(found) != 3 || found[0].ID != "700" {
			t.Fatalf("found %v, %v", found, err)
		}
		v, err := e.store.Verify(ctx, "x", nil)
		if err != nil || !v.OK() {
			t.Fatalf("%+v, %v", v, err)
		}
		if v.Indexed {
			return
		}
	}
}

// TestRebuildEndsInTheMiddle leaves what a killed process would: the half of a
// generation.
func TestRebuildEndsInTheMiddle(t *testing.T) {
	e := start(t, sqlitevec.Options{})
	if err := e.store.Create(t.Context(), nil, vector.Space{Name: "x", Dim: 2, Metric: vector.L2}); err != nil {
		t.Fatal(err)
	}
	put := func(from, to int) {
		t.Helper()
		var items []vector.Item
		for i := from; i < to; i++ {
			items = append(items, vector.Item{ID: fmt.Sprint(i), Vector: []float32{float32(i), 1}})
		}
		if err := e.store.Put(t.Context(), nil, "x", items...); err != nil {
			t.Fatal(err)
		}
	}
	put(0, 4000)
	for range 2 {
		ctx, cancel := context.WithCancel(t.Context())
		if err := e.store.Rebuild(ctx, "x", func(done, total int) { put(done, done+100); cancel() }); !errors.Is(err, context.Canceled) {
			t.Fatalf("an ended rebuild gave %v", err)
		}
		e.Restart(t)
		if err := e.store.Rebuild(t.Context(), "x", nil); err != nil {
			t.Fatal(err)
		}
		if v, err := e.store.Verify(t.Context(), "x", nil); err != nil || !v.OK() || !v.Indexed || v.Vectors != 4000 {
			t.Fatalf("%+v, %v", v, err)
		}
	}
	var generations int
	if err := e.app.DB().NewQuery("SELECT count(DISTINCT generation) FROM _vector_c_x").Row(&generations); err != nil || generations != 1 {
		t.Errorf("chunks of %d generations are left, %v", generations, err)
	}
}

func TestVerifySeesDamage(t *testing.T) {
	e := start(t, sqlitevec.Options{})
	if err := e.store.Create(t.Context(), nil, vector.Space{Name: "x", Dim: 2, Metric: vector.L2}); err != nil {
		t.Fatal(err)
	}
	for i := range 10 {
		if err := e.store.Put(t.Context(), nil, "x", vector.Item{ID: fmt.Sprint(i), Vector: []float32{float32(i), 1}}); err != nil {
			t.Fatal(err)
		}
	}
	if err := e.store.Rebuild(t.Context(), "x", nil); err != nil {
		t.Fatal(err)
	}
	for _, q := range []string{
		"DELETE FROM _vector_v_x WHERE id IN ('1', '2')",
		"UPDATE _vector_v_x SET v = (SELECT v FROM _vector_v_x WHERE id = '9') WHERE id = '3'",
		"INSERT INTO _vector_v_x (id, v) SELECT 'new', v FROM _vector_v_x WHERE id = '9'",
	} {
		if _, err := e.app.NonconcurrentDB().NewQuery(q).Execute(); err != nil {
			t.Fatal(err)
		}
	}
	want := vector.Verification{Vectors: 9, Indexed: true, Missing: 1, Wrong: 1, Stale: 2}
	if v, err := e.store.Verify(t.Context(), "x", nil); err != nil || v != want {
		t.Errorf("%+v, %v; want %+v", v, err, want)
	}
}

// TestFilters has filters that permit none, few, some and all of many vectors: each
// takes another way to its candidates, and all find what an exact search finds.
func TestFilters(t *testing.T) {
	e := start(t, sqlitevec.Options{})
	if err := e.store.Create(t.Context(), nil, vector.Space{Name: "x", Dim: 8, Metric: vector.L2}); err != nil {
		t.Fatal(err)
	}
	if _, err := e.app.NonconcurrentDB().NewQuery("CREATE TABLE docs (id TEXT PRIMARY KEY, n INTEGER)").Execute(); err != nil {
		t.Fatal(err)
	}
	random := rand.New(rand.NewPCG(5, 6))
	point := func() []float32 {
		v := make([]float32, 8)
		for k := range v {
			v[k] = float32(random.NormFloat64())
		}
		return v
	}
	const count = 4000
	items := make([]vector.Item, count)
	for i := range items {
		items[i] = vector.Item{ID: fmt.Sprintf("r%05d", i), Vector: point()}
	}
	err := e.app.RunInTransaction(func(tx core.App) error {
		for i, item := range items {
			if _, err := tx.NonconcurrentDB().Insert("docs", dbx.Params{"id": item.ID, "n": i * 7919 % count}).Execute(); err != nil {
				return err
			}
		}
		return e.store.Put(t.Context(), tx.NonconcurrentDB(), "x", items...)
	})
	if err == nil {
		err = e.store.Rebuild(t.Context(), "x", nil)
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, permitted := range []int{0, 1, 5, 40, 120, 400, 2000, count} {
		q := vector.Query{Vector: point(), Top: 10, Filter: vector.Filter{Column: "docs.id", Query: func(tx dbx.Builder) *dbx.SelectQuery {
			return tx.Select("docs.id").From("docs").Where(dbx.NewExp("docs.n < {:n}", dbx.Params{"n": permitted}))
		}}}
		got, err := e.store.Search(t.Context(), nil, "x", q)
		if err != nil {
			t.Fatal(err)
		}
		q.Exact = true
		want, err := e.store.Search(t.Context(), nil, "x", q)
		if err != nil {
			t.Fatal(err)
		}
		if len(want) != min(10, permitted) || !slices.Equal(got, want) {
			t.Errorf("%d permitted: %v, want %v", permitted, got, want)
		}
	}
}
