package pgvector

import (
	"context"
	"errors"
	"fmt"

	"github.com/agentrt/agentrt/vector"
	"github.com/pgvector/pgvector-go"
	"github.com/pocketbase/dbx"
)

// maxCandidates is the largest hnsw.ef_search.
const maxCandidates = 1000

// candidates is how many of the index are looked at for k matches, hnsw.ef_search.
func candidates(k int, recall float64) int {
	each := 20
	switch {
	case recall > 0.99:
		each = 80
	case recall > 0.98:
		each = 40
	case recall > 0 && recall <= 0.9:
		each = 6
	}
	return min(maxCandidates, each*max(k, 10))
}

// Of a filter so many permitted candidates are wanted for each match.
const passing = 4

// maxScanned bounds how many vectors of the index a search with a filter looks at until
// enough pass.
const maxScanned = 50_000

// search is one search, in a transaction.
type search struct {
	*meta
	ctx   context.Context
	tx    *dbx.Tx
	query vector.Query
	top   int
}

// Search is vector.Store's.
func (s *Store) Search(ctx context.Context, tx dbx.Builder, name string, query vector.Query) ([]vector.Match, error) {
	var found []vector.Match
	var input *vector.InputError
	err := s.read(ctx, tx, func(ctx context.Context, own *dbx.Tx) error {
		m, err := s.meta(ctx, own, name)
		if err != nil {
			return err
		}
		if err := m.CheckQuery(query); err != nil {
			return err
		}
		q := &search{meta: m, ctx: ctx, tx: own, query: query, top: query.Top}
		if q.top == 0 {
			q.top = vector.DefaultTop
		}
		if tx == nil && m.index == "" && m.indexable() {
			due, err := q.indexDue(s.options.IndexFrom)
			if err != nil {
				return err
			}
			if due {
				s.buildSoon(name)
			}
		}
		found, err = q.run()
		return m.gone(err)
	})
	if err != nil && !errors.As(err, &input) {
		err = fmt.Errorf("vector: searching %q: %w", name, err)
	}
	if err != nil {
		return nil, err
	}
	return found, nil
}

func (q *search) indexDue(from int) (due bool, err error) {
	err = q.tx.NewQuery(fmt.Sprintf("SELECT count(*) >= %[2]d FROM (SELECT FROM %[1]s LIMIT %[2]d) AS _vector_some", q.table(), from)).WithContext(q.ctx).Row(&due)
	return due, err
}

func (q *search) run() ([]vector.Match, error) {
	if q.index == "" || q.query.Exact || q.query.Recall == 1 {
		return q.exact()
	}
	share, exact, err := q.selectivity()
	if err != nil {
		return nil, err
	}
	if exact {
		return q.exact()
	}
	found, enough, err := q.approximate(share)
	if err != nil || enough {
		return found, err
	}
	return q.exact()
}

// A plan that was made for other parameters may be a bad one here, and compiling one
// takes longer than running it.
const plainly = "SET LOCAL plan_cache_mode = force_custom_plan; SET LOCAL jit = off"

// orderly leaves the planner nothing but the index and looking permitted ids up one by one.
const orderly = "; SET LOCAL enable_sort = off; SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off; SET LOCAL enable_material = off; " +
	"SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off; SET LOCAL max_parallel_workers_per_gather = 0; " +
	"SET LOCAL hnsw.iterative_scan = relaxed_order; SET LOCAL hnsw.scan_mem_multiplier = 16"

// unordered takes orderly back.
const unordered = "SET LOCAL enable_sort TO DEFAULT; SET LOCAL enable_hashjoin TO DEFAULT; SET LOCAL enable_mergejoin TO DEFAULT; SET LOCAL enable_material TO DEFAULT; " +
	"SET LOCAL enable_seqscan TO DEFAULT; SET LOCAL enable_bitmapscan TO DEFAULT; SET LOCAL max_parallel_workers_per_gather TO DEFAULT"

// approximate searches the index for the nearest of those that are permitted, of all
// vectors that share. It reports whether it found as many as it looked for.
//
// A graph of many equal vectors does not lead to all of them. Hence those that are equal
// to the nearest are looked up by their hash.
func (q *search) approximate(share float64) (found []vector.Match, enough bool, err error) {
	params := dbx.Params{"vector_query": pgvector.NewVector(q.query.Vector)}
	breadth := candidates(q.top, q.query.Recall)
	wanted, least, condition := max(breadth, q.top), q.top, "true"
	if share < 1 {
		condition = q.permittedOne(params)
		wanted = passing * max(q.top, 10)
		breadth, least = min(maxCandidates, max(breadth, int(float64(wanted)/share))), wanted
	}
	settings := fmt.Sprintf("%s%s; SET LOCAL hnsw.ef_search = %d; SET LOCAL hnsw.max_scan_tuples = %d", plainly, orderly, breadth, max(maxScanned, 2*wanted))
	if err := exec(q.ctx, q.tx, settings, nil); err != nil {
		return nil, false, err
	}
	question := fmt.Sprintf("{:vector_query}::vector(%d)", q.Dim)
	distance := "_vector_t.v " + q.operator() + " " + question
	text := fmt.Sprintf("WITH _vector_n AS MATERIALIZED (SELECT _vector_t.h, %[1]s AS distance FROM %[2]s AS _vector_t WHERE %[3]s ORDER BY %[4]s %[5]s %[6]s LIMIT %[7]d), "+
		"_vector_b AS MATERIALIZED (SELECT DISTINCT h FROM (SELECT h FROM _vector_n ORDER BY distance LIMIT %[8]d) AS nearest) "+
		"SELECT e.id, e.distance, (SELECT count(*) FROM _vector_n) FROM _vector_b AS b, LATERAL (SELECT _vector_t.id, %[1]s AS distance FROM %[2]s AS _vector_t "+
		`WHERE _vector_t.h = b.h AND %[3]s ORDER BY _vector_t.id COLLATE "C" LIMIT %[8]d) AS e ORDER BY e.distance, e.id COLLATE "C" LIMIT %[8]d`,
		distance, q.table(), condition, q.indexed("_vector_t.v"), q.operator(), q.indexed(question), wanted, q.top)
	found, total, err := q.matches(text, params)
	return found, total >= least, err
}

// exact compares all permitted vectors. The sum keeps the planner from using the index.
func (q *search) exact() ([]vector.Match, error) {
	if err := exec(q.ctx, q.tx, plainly+"; "+unordered, nil); err != nil {
		return nil, err
	}
	params := dbx.Params{"vector_query": pgvector.NewVector(q.query.Vector)}
	with, where := q.permittedAll(params)
	text := fmt.Sprintf(`%[1]sSELECT _vector_t.id, (_vector_t.v %[2]s {:vector_query}::vector(%[3]d)) + 0 AS distance, 0 FROM %[4]s AS _vector_t%[5]s ORDER BY distance, _vector_t.id COLLATE "C" LIMIT %[6]d`,
		with, q.operator(), q.Dim, q.table(), where, q.top)
	found, _, err := q.matches(text, params)
	return found, err
}

// matches reads rows of id, distance and a number that is the same in all.
func (q *search) matches(text string, params dbx.Params) (found []vector.Match, number int, err error) {
	rows, err := q.tx.NewQuery(text).WithContext(q.ctx).Bind(params).Rows()
	if err != nil {
		return nil, 0, err
	}
	defer rows.Close()
	compare := vector.NewComparer(q.Metric, q.query.Vector)
	for rows.Next() {
		var m vector.Match
		if err := rows.Scan(&m.ID, &m.Distance, &number); err != nil {
			return nil, 0, err
		}
		m.Score = compare.Score(m.Distance)
		found = append(found, m)
	}
	return found, number, errors.Join(rows.Err(), rows.Close())
}
