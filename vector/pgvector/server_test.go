package pgvector_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/agentrt/agentrt/vector"
	"github.com/agentrt/agentrt/vector/pgvector"
	"github.com/jackc/pgx/v5"
	"github.com/pocketbase/dbx"
)

// fill makes the space x of n vectors that lie around a few centres.
func fill(t *testing.T, e *engine, dim, n int) []vector.Item {
	t.Helper()
	if err := e.store.Create(t.Context(), nil, vector.Space{Name: "x", Dim: dim, Metric: vector.Cosine}); err != nil {
		t.Fatal(err)
	}
	random := rand.New(rand.NewPCG(5, 5))
	items := make([]vector.Item, n)
	for i := range items {
		v := make([]float32, dim)
		for j := range v {
			v[j] = float32(i%7*(j%11)) + float32(random.NormFloat64())
		}
		items[i] = vector.Item{ID: fmt.Sprintf("r%06d", i), Vector: v}
	}
	if err := e.store.Put(t.Context(), nil, "x", items...); err != nil {
		t.Fatal(err)
	}
	return items
}

func value[T any](t *testing.T, e *engine, query string) (v T) {
	t.Helper()
	db, err := e.store.DB()
	if err != nil {
		t.Fatal(err)
	}
	if err := db.NewQuery(query).Row(&v); err != nil {
		t.Fatal(err)
	}
	return v
}

func search(t *testing.T, e *engine, q vector.Query) []vector.Match {
	t.Helper()
	found, err := e.store.Search(t.Context(), nil, "x", q)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// scans is how often the server has used the index of the space. It counts when a
// connection is idle, hence in one of its own.
func scans(t *testing.T, e *engine) int {
	t.Helper()
	if err := e.store.Close(); err != nil {
		t.Fatal(err)
	}
	e.start(t)
	return value[int](t, e, "SELECT idx_scan FROM pg_stat_user_indexes WHERE indexrelname LIKE '\\_vector\\_i%'")
}

func TestStrategies(t *testing.T) {
	e := start(t, pgvector.Options{IndexFrom: 1 << 30})
	items := fill(t, e, 8, 15_000)
	db, err := e.store.DB()
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Transactional(func(tx *dbx.Tx) error {
		for _, text := range []string{"CREATE TABLE docs (id text PRIMARY KEY, n integer NOT NULL)", "INSERT INTO docs SELECT id, substr(id, 2)::integer FROM _vector_v1", "CREATE INDEX ON docs (n)"} {
			if _, err := tx.NewQuery(text).Execute(); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if _, err := db.NewQuery("ANALYZE").Execute(); err != nil {
		t.Fatal(err)
	}
	if err := e.store.Rebuild(t.Context(), "x", nil); err != nil {
		t.Fatal(err)
	}
	below := func(n int) vector.Filter {
		return vector.Filter{Column: "docs.id", Query: func(tx dbx.Builder) *dbx.SelectQuery {
			return tx.Select("docs.id").Distinct(true).From("docs").Where(dbx.NewExp("docs.n < {:n}", dbx.Params{"n": n}))
		}}
	}
	ids := func(n int) vector.Filter {
		f := vector.Filter{IDs: []string{}}
		for _, item := range items[:n] {
			f.IDs = append(f.IDs, item.ID)
		}
		return f
	}
	last := scans(t, e)
	for _, c := range []struct {
		name  string
		query vector.Query
		index bool
	}{
		{"no filter", vector.Query{}, true},
		{"no filter, exact", vector.Query{Exact: true}, false},
		{"no filter, recall 1", vector.Query{Recall: 1}, false},
		{"a filter that permits most", vector.Query{Filter: below(14_000)}, true},
		{"a filter that permits few", vector.Query{Filter: below(100)}, false},
		{"a filter that permits none", vector.Query{Filter: below(0)}, false},
		{"most ids", vector.Query{Filter: ids(14_000)}, true},
		{"few ids", vector.Query{Filter: ids(100)}, false},
	} {
		c.query.Vector, c.query.Top = items[50].Vector, 3
		found := search(t, e, c.query)
		if empty := c.name == "a filter that permits none"; empty && len(found) != 0 || !empty && (len(found) != 3 || found[0].ID != items[50].ID) {
			t.Errorf("%s: found %v", c.name, found)
		}
		now := scans(t, e)
		if used := now > last; used != c.index {
			t.Errorf("%s: the index was used: %v", c.name, used)
		}
		last = now
	}
}

// TestEstimateIsWrong has a filter that the server takes for one that permits most.
func TestEstimateIsWrong(t *testing.T) {
	e := start(t, pgvector.Options{IndexFrom: 1 << 30})
	items := fill(t, e, 4, 12_000)
	if err := e.store.Rebuild(t.Context(), "x", nil); err != nil {
		t.Fatal(err)
	}
	none := vector.Filter{Column: "d.id", Query: func(tx dbx.Builder) *dbx.SelectQuery {
		return tx.Select("d.id").From("_vector_v1 d").Where(dbx.NewExp("length(d.id) + {:n} <> 7", dbx.Params{"n": 0}))
	}}
	if found := search(t, e, vector.Query{Vector: items[0].Vector, Filter: none}); len(found) != 0 {
		t.Errorf("found %v", found)
	}
	one := vector.Filter{Column: "d.id", Query: func(tx dbx.Builder) *dbx.SelectQuery {
		return tx.Select("d.id").From("_vector_v1 d").Where(dbx.NewExp("length(d.id) + {:n} <> 8 AND d.id || '' = {:id}", dbx.Params{"n": 0, "id": items[11_999].ID}))
	}}
	if found := search(t, e, vector.Query{Vector: items[0].Vector, Filter: one}); len(found) != 1 || found[0].ID != items[11_999].ID {
		t.Errorf("found %v", found)
	}
}

func TestDimensions(t *testing.T) {
	for _, c := range []struct {
		dim     int
		indexed bool
	}{{1900, true}, {2000, true}, {2001, true}, {4000, true}, {4001, false}, {vector.MaxDim, false}} {
		e := start(t, pgvector.Options{})
		items := fill(t, e, c.dim, 30)
		if err := e.store.Rebuild(t.Context(), "x", nil); err != nil {
			t.Fatalf("%d dimensions: %v", c.dim, err)
		}
		if v, err := e.store.Verify(t.Context(), "x", nil); err != nil || !v.OK() || v.Vectors != 30 || v.Indexed != c.indexed {
			t.Errorf("%d dimensions: %+v, %v", c.dim, v, err)
		}
		if found := search(t, e, vector.Query{Vector: items[7].Vector, Top: 1}); len(found) != 1 || found[0].ID != items[7].ID || found[0].Score < 0.9999 {
			t.Errorf("%d dimensions: %v", c.dim, found)
		}
	}
}

func TestNumbersTooLargeForHalf(t *testing.T) {
	e := start(t, pgvector.Options{Half: true})
	for _, m := range []vector.Metric{vector.Cosine, vector.L2} {
		if err := e.store.Create(t.Context(), nil, vector.Space{Name: string(m), Dim: 2, Metric: m}); err != nil {
			t.Fatal(err)
		}
		var input *vector.InputError
		err := e.store.Put(t.Context(), nil, string(m), vector.Item{ID: "a", Vector: []float32{70_000, 1}})
		if m == vector.L2 && (!errors.As(err, &input) || input.Field != "vector" || !errors.Is(err, vector.ErrNotFinite)) || m == vector.Cosine && err != nil {
			t.Errorf("%s: %v", m, err)
		}
	}
}

func TestIDsOfBadText(t *testing.T) {
	e := start(t, pgvector.Options{})
	items := fill(t, e, 2, 3)
	bad := "a\xffb"
	if err := e.store.Put(t.Context(), nil, "x", vector.Item{ID: bad, Vector: items[0].Vector}); !errors.Is(err, vector.ErrID) {
		t.Errorf("writing gave %v", err)
	}
	if err := e.store.Delete(t.Context(), nil, "x", bad, "a\x00"); err != nil {
		t.Errorf("deleting gave %v", err)
	}
	if v, err := e.store.Get(t.Context(), nil, "x", bad); v != nil || err != nil {
		t.Errorf("reading gave %v, %v", v, err)
	}
	found := search(t, e, vector.Query{Vector: items[0].Vector, Filter: vector.Filter{IDs: []string{bad, items[1].ID}}})
	if len(found) != 1 || found[0].ID != items[1].ID {
		t.Errorf("found %v", found)
	}
}

func TestIndexIsBuiltInTheBackground(t *testing.T) {
	e := start(t, pgvector.Options{IndexFrom: 200})
	items := fill(t, e, 3, 300)
	for {
		if found := search(t, e, vector.Query{Vector: items[7].Vector, Top: 1, Exact: true}); len(found) != 1 || found[0].ID != items[7].ID {
			t.Fatalf("found %v", found)
		}
		v, err := e.store.Verify(t.Context(), "x", nil)
		if err != nil || !v.OK() {
			t.Fatalf("%+v, %v", v, err)
		}
		if v.Indexed {
			return
		}
	}
}

// TestRebuildEndsInTheMiddle ends a build that waits for another transaction, which
// leaves an index that is not valid.
func TestRebuildEndsInTheMiddle(t *testing.T) {
	e := start(t, pgvector.Options{})
	items := fill(t, e, 3, 2000)
	other, err := pgx.Connect(t.Context(), e.cluster.DSN(e.database))
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close(context.WithoutCancel(t.Context()))
	if _, err := other.Exec(t.Context(), "BEGIN; DELETE FROM _vector_v1 WHERE id = 'r000000'"); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	if err := e.store.Rebuild(ctx, "x", func(done, total int) { cancel() }); !errors.Is(err, context.Canceled) {
		t.Fatalf("an ended rebuild gave %v", err)
	}
	if v, err := e.store.Verify(t.Context(), "x", nil); err != nil || v.Indexed {
		t.Errorf("%+v, %v", v, err)
	}
	if found := search(t, e, vector.Query{Vector: items[9].Vector, Top: 1}); len(found) != 1 || found[0].ID != items[9].ID {
		t.Errorf("found %v", found)
	}
	if _, err := other.Exec(t.Context(), "ROLLBACK"); err != nil {
		t.Fatal(err)
	}
	last := 0
	if err := e.store.Rebuild(t.Context(), "x", func(done, total int) { last = done }); err != nil || last != 2000 {
		t.Fatalf("a rebuild gave %v, progress up to %d", err, last)
	}
	if n := value[int](t, e, "SELECT count(*) FROM pg_indexes WHERE indexname LIKE '\\_vector\\_i%'"); n != 1 {
		t.Errorf("%d indexes", n)
	}
}

func TestVerifySeesDamage(t *testing.T) {
	e := start(t, pgvector.Options{})
	fill(t, e, 3, 20)
	db, err := e.store.DB()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.NewQuery("UPDATE _vector_v1 SET v = (SELECT v FROM _vector_v1 WHERE id = 'r000001') WHERE id = 'r000002'").Execute(); err != nil {
		t.Fatal(err)
	}
	want := vector.Verification{Vectors: 20, Wrong: 1}
	if v, err := e.store.Verify(t.Context(), "x", nil); err != nil || v != want {
		t.Errorf("%+v, %v; want %+v", v, err, want)
	}
}

// TestExtensionIsMissing asks as a user who may not create the extension.
func TestExtensionIsMissing(t *testing.T) {
	e := start(t, pgvector.Options{})
	name, err := e.cluster.Create(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	c, err := pgx.Connect(t.Context(), e.cluster.DSN(name))
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.Exec(t.Context(), "CREATE ROLE plain_"+name+" LOGIN; GRANT ALL ON SCHEMA public TO plain_"+name)
	if err := errors.Join(err, c.Close(t.Context())); err != nil {
		t.Fatal(err)
	}
	dsn := strings.Replace(e.cluster.DSN(name), "user=postgres", "user=plain_"+name, 1)
	var missing *pgvector.ExtensionError
	_, err = pgvector.Open(t.Context(), dsn, pgvector.Options{})
	if !errors.Is(err, pgvector.ErrExtension) || !errors.As(err, &missing) || missing.Database != name || !strings.Contains(err.Error(), "CREATE EXTENSION vector, as a superuser") {
		t.Fatalf("without the extension: %v", err)
	}
	s, err := pgvector.Open(t.Context(), e.cluster.DSN(name), pgvector.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if _, err = pgvector.Open(t.Context(), "host=/nowhere", pgvector.Options{}); err == nil || !strings.Contains(err.Error(), "/nowhere") {
		t.Errorf("without a server: %v", err)
	}
}
