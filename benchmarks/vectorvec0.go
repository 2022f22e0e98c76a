package benchmarks

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/agentrt/agentrt/internal/sqlitedb"
	"github.com/agentrt/agentrt/vector"
	"github.com/pocketbase/dbx"
)

// vec0Sizes are the numbers of vectors at which sqlite-vec's scans and our exact scan are
// compared, beside the number of the run.
var vec0Sizes = []int{1000, 5000, 20_000}

// vec0Candidates is how many codes sqlite-vec's scan of bits chooses for rescoring.
const vec0Candidates = 200

// vec0Tables has the first vectors of the run in tables of sqlite-vec, in a file of its
// own. The last of sizes is the number of the run.
type vec0Tables struct {
	dir   string
	dim   int
	sizes []int
	db    *dbx.DB
}

func vec0Space(size int) string { return fmt.Sprintf("%s_%d", vectorSpace, size) }

func (v *vec0Tables) open(ctx context.Context, n int) (err error) {
	if v.db, err = sqlitedb.Connect(filepath.Join(v.dir, "vec0.db")); err != nil {
		return err
	}
	for _, size := range vec0Sizes {
		if size < n {
			v.sizes = append(v.sizes, size)
		}
	}
	v.sizes = append(v.sizes, n)
	for _, size := range v.sizes {
		text := fmt.Sprintf("CREATE VIRTUAL TABLE v%d USING vec0 (v float[%d] distance_metric=cosine, code bit[%[2]d])", size, v.dim)
		if _, err := v.db.NewQuery(text).WithContext(ctx).Execute(); err != nil {
			return err
		}
	}
	return nil
}

// add writes vectors whose numbers start at first.
func (v *vec0Tables) add(ctx context.Context, first int, items []vector.Item) error {
	return v.db.TransactionalContext(ctx, nil, func(tx *dbx.Tx) error {
		for _, size := range v.sizes {
			own := items[:max(0, min(len(items), size-first))]
			if len(own) == 0 {
				continue
			}
			q := tx.NewQuery(fmt.Sprintf("INSERT INTO v%d (rowid, v, code) VALUES ({:id}, {:v}, vec_quantize_binary({:v}))", size)).WithContext(ctx).Prepare()
			defer q.Close()
			for i, item := range own {
				if _, err := q.Bind(dbx.Params{"id": first + i, "v": vector.Encode(nil, item.Vector)}).Execute(); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// fillSpaces writes the smaller numbers of vectors into spaces of the store.
func (b *vectorBench) fillSpaces(ctx context.Context) error {
	vectors := make([]float32, vectorBatch*b.data.dim)
	for _, size := range b.vec0.sizes[:len(b.vec0.sizes)-1] {
		if err := b.backend.store().Create(ctx, nil, vector.Space{Name: vec0Space(size), Dim: b.data.dim, Metric: vector.Cosine}); err != nil {
			return err
		}
		for first := 0; first < size; first += vectorBatch {
			b.data.batch(vectors, first, vectorBatch)
			items := make([]vector.Item, vectorBatch)
			for i := range items {
				items[i] = vector.Item{ID: vectorID(first + i), Vector: vectors[i*b.data.dim : (i+1)*b.data.dim]}
			}
			if err := b.backend.store().Put(ctx, nil, vec0Space(size), items...); err != nil {
				return err
			}
		}
	}
	return nil
}

// search asks one of the tables and returns the time and the matches.
func (v *vec0Tables) search(ctx context.Context, text string, question []float32) (took time.Duration, found []vector.Match, err error) {
	start := time.Now()
	rows, err := v.db.NewQuery(text).WithContext(ctx).Bind(dbx.Params{"q": vector.Encode(nil, question), "k": vectorTop, "c": vec0Candidates}).Rows()
	if err != nil {
		return 0, nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var id int
		var m vector.Match
		if err := rows.Scan(&id, &m.Distance); err != nil {
			return 0, nil, err
		}
		m.ID = vectorID(id)
		found = append(found, m)
	}
	err = errors.Join(rows.Err(), rows.Close())
	return time.Since(start), found, err
}

// compareVec0 measures sqlite-vec's scan of floats, its scan of bits with rescoring, and
// our exact scan. Questions alternate, so that all meet the same load.
func (b *vectorBench) compareVec0(ctx context.Context) (err error) {
	if b.vec0 == nil {
		return nil
	}
	defer func() { err = errors.Join(err, b.vec0.db.Close()) }()
	if err := b.fillSpaces(ctx); err != nil {
		return err
	}
	for _, size := range b.vec0.sizes {
		floats := fmt.Sprintf("SELECT rowid, distance FROM v%d WHERE v MATCH {:q} AND k = {:k}", size)
		bits := fmt.Sprintf("WITH c AS MATERIALIZED (SELECT rowid FROM v%[1]d WHERE code MATCH vec_quantize_binary({:q}) AND k = {:c}) "+
			"SELECT v%[1]d.rowid, vec_distance_cosine(v%[1]d.v, {:q}) AS d FROM c JOIN v%[1]d ON v%[1]d.rowid = c.rowid ORDER BY d LIMIT {:k}", size)
		space, prefix, rounds := vec0Space(size), fmt.Sprintf("_%d", size), min(20, len(b.questions))
		if size == b.n {
			space, prefix, rounds = vectorSpace, "", b.fewer(20)
		}
		var scans, coded, ours []time.Duration
		recall := 0.0
		var cpu [3][]time.Duration // of the three ways
		for i, question := range b.questions[:rounds] {
			used := ownCPUTime()
			spent := func(way int) {
				now := ownCPUTime()
				cpu[way], used = append(cpu[way], now-used), now
			}
			took, near, err := b.vec0.search(ctx, floats, question)
			if err != nil {
				return fmt.Errorf("scan of %d floats: %w", size, err)
			}
			spent(0)
			scans = append(scans, took)
			took, rescored, err := b.vec0.search(ctx, bits, question)
			if err != nil {
				return fmt.Errorf("scan of %d codes: %w", size, err)
			}
			spent(1)
			coded = append(coded, took)
			start := time.Now()
			found, err := b.backend.store().Search(ctx, nil, space, vector.Query{Vector: question, Top: vectorTop, Exact: true})
			if err != nil {
				return err
			}
			spent(2)
			ours = append(ours, time.Since(start))
			for j, m := range found {
				if d := near[j].Distance - m.Distance; d > truthRounding || d < -truthRounding {
					return fmt.Errorf("match %d of question %d among %d: sqlite-vec's distance is %g, ours %g", j, i, size, near[j].Distance, m.Distance)
				}
			}
			recall += hits(rescored, found) / float64(rounds)
		}
		b.figures["vec0"+prefix+"_p50_ms"], _ = middle(scans)
		b.figures["vec0_bit_rescore"+prefix+"_p50_ms"], _ = middle(coded)
		b.figures["exact"+prefix+"_p50_ms"], _ = middle(ours)
		b.figures["vec0_bit_rescore"+prefix+"_recall"] = recall
		for way, name := range []string{"vec0", "vec0_bit_rescore", "exact"} {
			b.figures[name+prefix+"_cpu_ms"], _ = middle(cpu[way])
		}
	}
	return nil
}

// hits is the share of the true nearest that are among the found.
func hits(found, truth []vector.Match) float64 {
	there := map[string]bool{}
	for _, m := range found {
		there[m.ID] = true
	}
	n := 0
	for _, m := range truth {
		if there[m.ID] {
			n++
		}
	}
	return float64(n) / float64(len(truth))
}
