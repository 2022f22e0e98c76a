package benchmarks

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"time"

	"github.com/agentrt/agentrt/vector"
	"github.com/agentrt/agentrt/vector/sqlitevec"
	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase"
	"github.com/pocketbase/pocketbase/core"
)

const (
	vectorSpace = "bench"
	vectorTop   = 10
	vectorBatch = 1000
)

// vectorFilters are the filters by the suffix of their figures; teams below the
// number pass, of 10,000.
var vectorFilters = []struct {
	name  string
	below int
}{{"", 10000}, {"_filter_25pct", 2500}, {"_filter_1pct", 100}, {"_filter_001pct", 1}}

// vectorGroup measures vector search in the data.db of a real app: records with an
// indexed field to filter by, and their vectors.
func vectorGroup(flags *flag.FlagSet) func(context.Context, options, io.Writer) (map[string]float64, error) {
	n := flags.Int("n", 0, "group vector: number of vectors (default 100,000; 10,000 with --quick)")
	dim := flags.Int("dim", 768, "group vector: dimensions")
	backend := flags.String("backend", "sqlite", "group vector: sqlite")
	kind := flags.String("data", "clustered", "group vector: clustered, offset or isotropic")
	return func(ctx context.Context, o options, progress io.Writer) (map[string]float64, error) {
		b := &vectorBench{n: *n, queries: 100, progress: progress, figures: map[string]float64{}}
		if o.quick {
			b.queries = 40
		}
		if b.n == 0 {
			b.n = 100_000
			if o.quick {
				b.n = 10_000
			}
		}
		if *backend != "sqlite" {
			return nil, fmt.Errorf("there is no backend %q (backends: sqlite)", *backend)
		}
		if b.n < vectorBatch || *dim < 1 || *dim > vector.MaxDim {
			return nil, fmt.Errorf("%d vectors of %d dimensions: want at least %d, of 1 to %d", b.n, *dim, vectorBatch, vector.MaxDim)
		}
		var err error
		if b.data, err = newVectorData(*kind, *dim); err != nil {
			return nil, err
		}
		return b.figures, b.run(ctx)
	}
}

type vectorBench struct {
	n, queries int
	data       *vectorData
	progress   io.Writer
	figures    map[string]float64

	app       core.App
	store     *sqlitevec.Store
	questions [][]float32
	truth     *vectorTruth
}

func (b *vectorBench) run(ctx context.Context) (err error) {
	dir, err := os.MkdirTemp("", "agentrt-bench-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	b.app = pocketbase.NewWithConfig(pocketbase.Config{HideStartBanner: true, DefaultDataDir: dir})
	if err := b.app.Bootstrap(); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.app.ResetBootstrapState()) }()
	if err := b.open(ctx); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.store.Close()) }()
	for q := range b.queries {
		v := make([]float32, b.data.dim)
		b.data.vector(v, 1, uint64(q))
		b.questions = append(b.questions, v)
	}
	var classes []int
	for _, f := range vectorFilters {
		classes = append(classes, f.below)
	}
	b.truth = newVectorTruth(vector.Cosine, b.questions, classes, vectorTop)
	for _, step := range []func(context.Context) error{b.fill, b.build, b.restart, b.searchAll, b.change} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	info, err := os.Stat(filepath.Join(dir, "data.db"))
	if err != nil {
		return err
	}
	b.figures["file_mb"] = float64(info.Size()) / 1e6
	return nil
}

func (b *vectorBench) open(ctx context.Context) (err error) {
	// The index is built by Rebuild, to be timed.
	b.store, err = sqlitevec.New(ctx, b.app, sqlitevec.Options{IndexFrom: 1 << 40})
	return err
}

// fill writes records and vectors, and compares the vectors with the queries.
func (b *vectorBench) fill(ctx context.Context) error {
	collection := core.NewBaseCollection("docs")
	collection.Fields.Add(&core.NumberField{Name: "team"})
	collection.AddIndex("idx_docs_team", false, "team", "")
	if err := b.app.Save(collection); err != nil {
		return err
	}
	if err := b.store.Create(ctx, nil, vector.Space{Name: vectorSpace, Dim: b.data.dim, Metric: vector.Cosine}); err != nil {
		return err
	}
	var putting time.Duration
	vectors := make([]float32, vectorBatch*b.data.dim)
	for first := 0; first < b.n; first += vectorBatch {
		if first%(b.n/10/vectorBatch*vectorBatch+vectorBatch) == 0 {
			fmt.Fprintf(b.progress, "vectors: %d of %d\n", first, b.n)
		}
		var items []vector.Item
		var ids []string
		var teams []int
		var stored [][]byte
		for i := first; i < min(b.n, first+vectorBatch); i++ {
			v := vectors[(i-first)*b.data.dim : (i-first+1)*b.data.dim]
			b.data.vector(v, 0, uint64(i))
			id := fmt.Sprintf("r%014d", i)
			items = append(items, vector.Item{ID: id, Vector: v})
			ids, teams, stored = append(ids, id), append(teams, vectorTeam(i)), append(stored, vector.Encode(nil, v))
		}
		if err := b.records(ids, teams); err != nil {
			return err
		}
		start := time.Now()
		if err := b.store.Put(ctx, nil, vectorSpace, items...); err != nil {
			return err
		}
		putting += time.Since(start)
		b.truth.add(ids, teams, stored)
	}
	b.figures["insert_per_s"] = float64(b.n) / putting.Seconds()
	return nil
}

func (b *vectorBench) records(ids []string, teams []int) error {
	return b.app.RunInTransaction(func(tx core.App) error {
		q := tx.NonconcurrentDB().NewQuery("INSERT INTO docs (id, team) VALUES ({:id}, {:team})").Prepare()
		defer q.Close()
		for i, id := range ids {
			if _, err := q.Bind(dbx.Params{"id": id, "team": teams[i]}).Execute(); err != nil {
				return err
			}
		}
		return nil
	})
}

func (b *vectorBench) build(ctx context.Context) error {
	start := time.Now()
	err := b.store.Rebuild(ctx, vectorSpace, func(done, total int) {
		if done%(total/5/1024*1024+1024) == 0 {
			fmt.Fprintf(b.progress, "index: %d of %d\n", done, total)
		}
	})
	b.figures["build_s"] = time.Since(start).Seconds()
	return err
}

// restart opens another store on the data, as after a start of the process.
func (b *vectorBench) restart(ctx context.Context) error {
	if err := b.store.Close(); err != nil {
		return err
	}
	b.store = nil
	before := liveHeap()
	start := time.Now()
	if err := b.open(ctx); err != nil {
		return err
	}
	if err := b.store.Load(ctx); err != nil {
		return err
	}
	b.figures["start_ms"] = milliseconds(time.Since(start))
	b.figures["extra_ram_mb"] = (liveHeap() - before) / 1e6
	return nil
}

// liveHeap is the live heap in bytes.
func liveHeap() float64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc)
}

func (b *vectorBench) searchAll(ctx context.Context) error {
	for class, f := range vectorFilters {
		times, recall, err := b.search(ctx, class, vector.Query{})
		if err != nil {
			return err
		}
		if class == 0 {
			b.figures["first_search_ms"] = milliseconds(times[0])
		}
		warm, _, err := b.search(ctx, class, vector.Query{})
		if err != nil {
			return err
		}
		p50, p95 := middle(warm)
		b.figures["p50"+f.name+"_ms"], b.figures["p95"+f.name+"_ms"] = p50, p95
		_, b.figures["p95_cold"+f.name+"_ms"] = middle(times)
		name := "recall_at_10" + f.name
		b.figures[name] = recall
		fmt.Fprintf(b.progress, "search%s: p50 %.1f ms, p95 %.1f ms, recall %.3f\n", f.name, p50, p95, recall)
	}
	cores := runtime.GOMAXPROCS(1)
	times, _, err := b.search(ctx, 0, vector.Query{})
	runtime.GOMAXPROCS(cores)
	if err != nil {
		return err
	}
	_, b.figures["p95_1core_ms"] = middle(times)
	for _, wish := range []float64{0.9, 0.99, 0.999} {
		times, recall, err := b.search(ctx, 0, vector.Query{Recall: wish})
		if err != nil {
			return err
		}
		suffix := fmt.Sprintf("_wish_%g", wish)
		b.figures["recall_at_10"+suffix] = recall
		_, b.figures["p95"+suffix+"_ms"] = middle(times)
	}
	start := time.Now()
	found, err := b.store.Search(ctx, nil, vectorSpace, vector.Query{Vector: b.questions[0], Top: vectorTop, Exact: true})
	if err != nil {
		return err
	}
	b.figures["exact_ms"] = milliseconds(time.Since(start))
	if recall := b.truth.recall(0, 0, found); recall < 1 {
		return fmt.Errorf("an exact search has recall %.2f", recall)
	}
	return nil
}

// search asks all queries under a filter.
func (b *vectorBench) search(ctx context.Context, class int, query vector.Query) (times []time.Duration, recall float64, err error) {
	query.Top = vectorTop
	if class > 0 {
		query.Filter = vector.Filter{Column: "docs.id", Query: func(tx dbx.Builder) *dbx.SelectQuery {
			return tx.Select("docs.id").From("docs").Where(dbx.NewExp("docs.team < {:team}", dbx.Params{"team": vectorFilters[class].below}))
		}}
	}
	for i, v := range b.questions {
		query.Vector = v
		start := time.Now()
		found, err := b.store.Search(ctx, nil, vectorSpace, query)
		if err != nil {
			return nil, 0, err
		}
		times = append(times, time.Since(start))
		if want := len(b.truth.nearest[class][i].found); len(found) != want {
			return nil, 0, fmt.Errorf("%d matches, want %d", len(found), want)
		}
		recall += b.truth.recall(class, i, found) / float64(len(b.questions))
	}
	return times, recall, nil
}

// middle gives the 50th and 95th percentile in milliseconds.
func middle(times []time.Duration) (p50, p95 float64) {
	sorted := slices.Sorted(slices.Values(times))
	return milliseconds(sorted[len(sorted)/2]), milliseconds(sorted[len(sorted)*95/100])
}

// change measures single updates and deletes, each in a transaction, with the index.
func (b *vectorBench) change(ctx context.Context) error {
	const rounds = 500
	id := func(i int) string { return fmt.Sprintf("r%014d", i*(b.n/rounds)) }
	start := time.Now()
	for i := range rounds {
		if err := b.store.Put(ctx, nil, vectorSpace, vector.Item{ID: id(i), Vector: b.questions[i%len(b.questions)]}); err != nil {
			return err
		}
	}
	b.figures["update_per_s"] = rounds / time.Since(start).Seconds()
	start = time.Now()
	for i := range rounds {
		if err := b.store.Delete(ctx, nil, vectorSpace, id(i)); err != nil {
			return err
		}
	}
	b.figures["delete_per_s"] = rounds / time.Since(start).Seconds()
	return nil
}
