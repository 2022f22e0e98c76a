package benchmarks

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"time"

	"github.com/agentrt/agentrt/vector"
	"github.com/pocketbase/dbx"
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

// vectorBackend is a database with a store whose index is built by Rebuild only, to be
// timed.
type vectorBackend interface {
	// open opens the database, and close closes it; what it has is kept in between.
	open(ctx context.Context) error
	close() error
	// remove ends it for good.
	remove() error

	store() vector.Store
	// load reads into memory what the store keeps there.
	load(ctx context.Context) error
	transaction(f func(tx dbx.Builder) error) error
	// docs makes the table docs, of id and team, with an index on team.
	docs(ctx context.Context) error
	// settle lets the database gather the statistics that it would have after a while.
	settle(ctx context.Context) error
	// evict drops the closed database's files from the system's cache, if it can.
	evict(ctx context.Context) error
	// oneCore runs f with one core for store and database, which it may reopen, or is
	// errors.ErrUnsupported.
	oneCore(ctx context.Context, f func() error) error
	// size is that of the files in bytes.
	size(ctx context.Context) (float64, error)
	// extra adds figures of the backend's own.
	extra(figures map[string]float64) error
}

// vectorGroup measures vector search: records with an indexed field to filter by, and
// their vectors.
func vectorGroup(flags *flag.FlagSet) func(context.Context, options, io.Writer) (map[string]float64, error) {
	n := flags.Int("n", 0, "group vector: number of vectors (default 100,000; 10,000 with --quick)")
	dim := flags.Int("dim", 768, "group vector: dimensions")
	backend := flags.String("backend", "sqlite", "group vector: sqlite or postgres")
	dsn := flags.String("dsn", "", "group vector: PostgreSQL database in which tables may be made (default: $"+dsnEnv+", or a server of its own)")
	kind := flags.String("data", "clustered", "group vector: clustered, offset or isotropic")
	withVec0 := flags.Bool("vec0", true, "group vector: measure sqlite-vec beside the backend sqlite")
	return func(ctx context.Context, o options, progress io.Writer) (_ map[string]float64, err error) {
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
		if b.n < vectorBatch || *dim < 1 || *dim > vector.MaxDim {
			return nil, fmt.Errorf("%d vectors of %d dimensions: want at least %d, of 1 to %d", b.n, *dim, vectorBatch, vector.MaxDim)
		}
		if b.data, err = newVectorData(*kind, *dim); err != nil {
			return nil, err
		}
		dir, err := os.MkdirTemp("", "agentrt-bench-*")
		if err != nil {
			return nil, err
		}
		defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
		switch *backend {
		case "sqlite":
			b.backend = &sqliteVectors{dir: dir}
			if *withVec0 && *dim%8 == 0 {
				b.vec0 = &vec0Tables{dir: dir, dim: *dim}
			}
		case "postgres":
			if b.backend, err = newPostgresVectors(ctx, cmp.Or(*dsn, os.Getenv(dsnEnv))); err != nil {
				return nil, err
			}
		default:
			return nil, fmt.Errorf("there is no backend %q (backends: sqlite, postgres)", *backend)
		}
		defer func() { err = errors.Join(err, b.backend.remove()) }()
		return b.figures, b.run(ctx)
	}
}

type vectorBench struct {
	n, queries int
	data       *vectorData
	progress   io.Writer
	figures    map[string]float64
	backend    vectorBackend
	vec0       *vec0Tables // nil: not measured
	questions  [][]float32
	truth      *vectorTruth
}

func (b *vectorBench) run(ctx context.Context) (err error) {
	if err := b.backend.open(ctx); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.backend.close()) }()
	for q := range b.queries {
		v := make([]float32, b.data.dim)
		b.data.vector(v, 1, uint64(q))
		b.questions = append(b.questions, v)
	}
	var classes []int
	for _, f := range vectorFilters {
		classes = append(classes, f.below)
	}
	b.truth = newVectorTruth(b.questions, classes, vectorTop)
	for _, step := range []struct {
		name string
		run  func(context.Context) error
	}{{"fill", b.fill}, {"build", b.build}, {"restart", b.restart}, {"search", b.searchAll}, {"size", b.size}, {"sqlite-vec", b.compareVec0}, {"change", b.change}} {
		start, before := time.Now(), ownCPUTime()
		if err := step.run(ctx); err != nil {
			return fmt.Errorf("%s: %w", step.name, err)
		}
		fmt.Fprintf(b.progress, "%s: %.1f s, %.1f s of a core\n", step.name, time.Since(start).Seconds(), (ownCPUTime() - before).Seconds())
	}
	return nil
}

func (b *vectorBench) size(ctx context.Context) error {
	size, err := b.backend.size(ctx)
	if err != nil {
		return err
	}
	b.figures["file_mb"] = size / 1e6
	return b.backend.extra(b.figures)
}

// fill writes records and vectors, and compares the vectors with the queries.
func (b *vectorBench) fill(ctx context.Context) error {
	if err := b.backend.docs(ctx); err != nil {
		return err
	}
	if err := b.backend.store().Create(ctx, nil, vector.Space{Name: vectorSpace, Dim: b.data.dim, Metric: vector.Cosine}); err != nil {
		return err
	}
	if b.vec0 != nil {
		if err := b.vec0.open(ctx, b.n); err != nil {
			return err
		}
	}
	var making, rows, putting, comparing time.Duration
	vectors := make([]float32, vectorBatch*b.data.dim)
	for first := 0; first < b.n; first += vectorBatch {
		if first%(b.n/10/vectorBatch*vectorBatch+vectorBatch) == 0 {
			fmt.Fprintf(b.progress, "vectors: %d of %d\n", first, b.n)
		}
		start := time.Now()
		n := min(b.n-first, vectorBatch)
		b.data.batch(vectors, first, n)
		items, teams := make([]vector.Item, n), make([]int, n)
		for i := range items {
			items[i] = vector.Item{ID: vectorID(first + i), Vector: vectors[i*b.data.dim : (i+1)*b.data.dim]}
			teams[i] = vectorTeam(first + i)
		}
		made := time.Now()
		if err := b.records(items, teams); err != nil {
			return err
		}
		recorded := time.Now()
		if err := b.backend.store().Put(ctx, nil, vectorSpace, items...); err != nil {
			return err
		}
		put := time.Now()
		b.truth.add(items, teams)
		making, rows, putting, comparing = making+made.Sub(start), rows+recorded.Sub(made), putting+put.Sub(recorded), comparing+time.Since(put)
		if b.vec0 != nil {
			if err := b.vec0.add(ctx, first, items); err != nil {
				return err
			}
		}
	}
	b.figures["insert_per_s"] = float64(b.n) / putting.Seconds()
	fmt.Fprintf(b.progress, "fill: making vectors %.1f s, writing records %.1f s, writing vectors %.1f s, finding the true nearest %.1f s\n",
		making.Seconds(), rows.Seconds(), putting.Seconds(), comparing.Seconds())
	return nil
}

func vectorID(i int) string { return fmt.Sprintf("r%014d", i) }

func (b *vectorBench) records(items []vector.Item, teams []int) error {
	return b.backend.transaction(func(tx dbx.Builder) error {
		q := tx.NewQuery("INSERT INTO docs (id, team) VALUES ({:id}, {:team})").Prepare()
		defer q.Close()
		for i, item := range items {
			if _, err := q.Bind(dbx.Params{"id": item.ID, "team": teams[i]}).Execute(); err != nil {
				return err
			}
		}
		return nil
	})
}

func (b *vectorBench) build(ctx context.Context) error {
	start := time.Now()
	err := b.backend.store().Rebuild(ctx, vectorSpace, func(done, total int) {
		if done%(total/5/1024*1024+1024) == 0 {
			fmt.Fprintf(b.progress, "index: %d of %d\n", done, total)
		}
	})
	b.figures["build_s"] = time.Since(start).Seconds()
	return err
}

// restart opens the database again, as after a start of the process, and of the system
// if its cache can be emptied.
func (b *vectorBench) restart(ctx context.Context) error {
	if err := b.backend.settle(ctx); err != nil {
		return err
	}
	before := liveHeap()
	if err := b.backend.close(); err != nil {
		return err
	}
	if err := b.backend.evict(ctx); err != nil {
		return err
	}
	without := liveHeap()
	start := time.Now()
	if err := b.backend.open(ctx); err != nil {
		return err
	}
	opened := liveHeap()
	loading := time.Now()
	if err := b.backend.load(ctx); err != nil {
		return err
	}
	b.figures["load_ms"] = milliseconds(time.Since(loading))
	b.figures["start_ms"] = milliseconds(time.Since(start))
	b.figures["extra_ram_mb"] = (liveHeap() - opened) / 1e6
	fmt.Fprintf(b.progress, "heap: %.1f MB before, %.1f without a database, %.1f with it open\n", before/1e6, without/1e6, opened/1e6)
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
		before := ownCPUTime()
		warm, _, err := b.search(ctx, class, vector.Query{})
		if err != nil {
			return err
		}
		b.figures["cpu"+f.name+"_ms"] = milliseconds(ownCPUTime()-before) / float64(len(warm))
		p50, p95 := middle(warm)
		b.figures["p50"+f.name+"_ms"], b.figures["p95"+f.name+"_ms"] = p50, p95
		_, b.figures["p95_cold"+f.name+"_ms"] = middle(times)
		name := "recall_at_10" + f.name
		b.figures[name] = recall
		fmt.Fprintf(b.progress, "search%s: p50 %.1f ms, p95 %.1f ms, recall %.3f\n", f.name, p50, p95, recall)
	}
	err := b.backend.oneCore(ctx, func() error {
		times, _, err := b.search(ctx, 0, vector.Query{})
		if err == nil {
			b.figures["p50_1core_ms"], b.figures["p95_1core_ms"] = middle(times)
		}
		return err
	})
	if err != nil && !errors.Is(err, errors.ErrUnsupported) {
		return err
	}
	for _, wish := range []float64{0.9, 0.99, 0.999} {
		times, recall, err := b.search(ctx, 0, vector.Query{Recall: wish})
		if err != nil {
			return err
		}
		suffix := fmt.Sprintf("_wish_%g", wish)
		b.figures["recall_at_10"+suffix] = recall
		_, b.figures["p95"+suffix+"_ms"] = middle(times)
	}
	return b.exact(ctx)
}

// fewer is how many of up to n questions to ask where each takes long.
func (b *vectorBench) fewer(n int) int {
	if b.n > 200_000 {
		n = 3
	}
	return min(n, len(b.questions))
}

func (b *vectorBench) exact(ctx context.Context) error {
	var times []time.Duration
	for i, v := range b.questions[:b.fewer(10)] {
		start := time.Now()
		found, err := b.backend.store().Search(ctx, nil, vectorSpace, vector.Query{Vector: v, Top: vectorTop, Exact: true})
		if err != nil {
			return err
		}
		times = append(times, time.Since(start))
		if recall := b.truth.recall(0, i, found); recall < 1 {
			return fmt.Errorf("an exact search has recall %.2f", recall)
		}
	}
	b.figures["exact_ms"], _ = middle(times)
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
		found, err := b.backend.store().Search(ctx, nil, vectorSpace, query)
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
	id := func(i int) string { return vectorID(i * (b.n / rounds)) }
	start := time.Now()
	for i := range rounds {
		if err := b.backend.store().Put(ctx, nil, vectorSpace, vector.Item{ID: id(i), Vector: b.questions[i%len(b.questions)]}); err != nil {
			return err
		}
	}
	b.figures["update_per_s"] = rounds / time.Since(start).Seconds()
	start = time.Now()
	for i := range rounds {
		if err := b.backend.store().Delete(ctx, nil, vectorSpace, id(i)); err != nil {
			return err
		}
	}
	b.figures["delete_per_s"] = rounds / time.Since(start).Seconds()
	return nil
}
