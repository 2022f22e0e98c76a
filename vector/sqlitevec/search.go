package sqlitevec

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/agentrt/agentrt/vector"
	"github.com/pocketbase/dbx"
)

// candidates is how many codes are chosen for k matches. The recall that follows
// depends on the data; these are for embeddings, whose neighbours stand out.
func candidates(k int, recall float64) int {
	each := 400
	switch {
	case recall > 0 && recall <= 0.9:
		each = minEach
	case recall <= 0.98:
		each = 50
	case recall <= 0.99:
		each = 100
	}
	return each * max(k, 10)
}

// minEach is the least number of candidates for each match.
const minEach = 20

// search is one search.
type search struct {
	*meta
	*vector.Comparer
	store *Store
	ctx   context.Context
	r     dbx.Builder
	query vector.Query
	top   int
}

// Search is vector.Store's.
func (s *Store) Search(ctx context.Context, tx dbx.Builder, name string, query vector.Query) ([]vector.Match, error) {
	r := s.reader(tx)
	m, err := s.meta(ctx, r, name)
	if err != nil {
		return nil, err
	}
	if err := m.CheckQuery(query); err != nil {
		return nil, err
	}
	q := &search{meta: m, Comparer: vector.NewComparer(m.Metric, query.Vector), store: s, ctx: ctx, r: r, query: query, top: query.Top}
	if q.top == 0 {
		q.top = vector.DefaultTop
	}
	found, err := q.run(tx != nil)
	if err != nil {
		return nil, fmt.Errorf("vector: searching %q: %w", name, err)
	}
	return found, nil
}

func (q *search) run(inTransaction bool) ([]vector.Match, error) {
	if q.live == 0 && !inTransaction {
		if due, err := q.indexDue(); err != nil {
			return nil, err
		} else if due {
			q.store.buildSoon(q.Name)
		}
	}
	if q.live == 0 || q.query.Exact || q.query.Recall == 1 {
		return q.exact()
	}
	x, err := q.store.replica(q.Name).sync(q.ctx, q.store, q.Name)
	if err != nil && !(inTransaction && errors.Is(err, vector.ErrNoSpace)) {
		return nil, err
	}
	if x == nil || x.generation != q.live {
		return q.exact()
	}
	var written map[uint32]bool
	if inTransaction {
		if written, err = q.written(x); err != nil {
			return nil, err
		}
	}
	if filtered := q.query.Filter.IDs != nil || q.query.Filter.Query != nil; len(written) > 0 && filtered {
		return q.exact()
	}
	question := x.encoder.question(q.query.Vector)
	if found, done, err := q.dense(x, question); err != nil || done {
		return found, err
	}
	slots, err := q.permitted(x)
	if err != nil {
		return nil, err
	}
	for c := candidates(q.top, q.query.Recall); ; c *= 4 {
		chosen, all := x.nearest(question, slots, c)
		found, err := q.rescore(question, chosen, written)
		if err != nil {
			return nil, err
		}
		if len(found) >= q.top || all {
			return found, nil
		}
	}
}

func (q *search) indexDue() (bool, error) {
	var last sql.NullInt64
	err := q.r.NewQuery("SELECT max(slot) FROM " + q.vectors()).WithContext(q.ctx).Row(&last)
	return last.Int64 >= int64(q.store.options.IndexFrom), err
}

// written returns the slots that the transaction has changed, or may have: what its
// log and chunks have beyond the index.
func (q *search) written(x *index) (map[uint32]bool, error) {
	slots := map[uint32]bool{}
	x.mu.RLock()
	applied := x.applied
	x.mu.RUnlock()
	_, log, err := q.changes(q.ctx, q.r, q.live, applied, func(n, _ int64, _, _ []byte) error {
		for at := range chunkSize {
			slots[uint32(n)*chunkSize+uint32(at)] = true
		}
		return nil
	})
	for _, change := range log {
		slots[uint32(change.slot)] = true
	}
	return slots, err
}

// exact compares all permitted vectors.
func (q *search) exact() ([]vector.Match, error) {
	text, params := "SELECT slot, id, v FROM "+q.vectors(), dbx.Params{}
	switch f := q.query.Filter; {
	case f.IDs != nil:
		text += " WHERE id IN (SELECT value FROM json_each({:vector_ids}))"
		params["vector_ids"] = jsonStrings(f.IDs)
	case f.Query != nil:
		permitted := f.Query(q.r).Build()
		text += " WHERE id IN (" + permitted.SQL() + ")"
		params = permitted.Params()
	}
	rows, err := q.r.NewQuery(text).WithContext(q.ctx).Bind(params).Rows()
	if err != nil {
		return nil, err
	}
	best := newBest(q.top)
	if err := q.compare(rows, func(_ uint32, id []byte, distance float64) { best.offer(id, distance) }); err != nil {
		return nil, err
	}
	return best.matches(q.Comparer), nil
}

// compare calls found for rows of slot, id and vector.
func (q *search) compare(rows *dbx.Rows, found func(slot uint32, id []byte, distance float64)) error {
	defer rows.Close()
	for rows.Next() {
		var slot uint32
		var id, v sql.RawBytes
		if err := rows.Scan(&slot, &id, &v); err != nil {
			return err
		}
		if len(v) != 4*q.Dim {
			return fmt.Errorf("the vector of %q is damaged: %d bytes", id, len(v))
		}
		found(slot, id, q.Distance(v))
	}
	return errors.Join(rows.Err(), rows.Close())
}
