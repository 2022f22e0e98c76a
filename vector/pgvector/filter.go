package pgvector

import (
	"encoding/json"
	"fmt"
	"maps"

	"github.com/pocketbase/dbx"
)

// maxExact is the number of permitted vectors up to which all are compared: a graph that
// must pass over most of what it meets is hardly faster, and its recall is lower.
const maxExact = 10_000

// selectivity is the share of vectors that the filter permits, 1 without a filter, as far
// as the server can estimate it, and whether to compare them all.
func (q *search) selectivity() (share float64, exact bool, err error) {
	var permitted float64
	switch f := q.query.Filter; {
	case f.IDs != nil:
		permitted = float64(len(f.IDs))
	case f.Query != nil:
		if permitted, err = q.estimate(f.Query(q.tx)); err != nil {
			return 0, false, err
		}
	default:
		return 1, false, nil
	}
	// The estimate of a table that was not analysed yet is -1.
	return min(0.999, permitted/max(q.rows, permitted, 1)), permitted <= maxExact, nil
}

// estimate is the number of rows that the planner expects of a query.
func (q *search) estimate(query *dbx.SelectQuery) (float64, error) {
	inner := query.Build()
	var text string
	if err := q.tx.NewQuery("EXPLAIN (FORMAT JSON) " + inner.SQL()).WithContext(q.ctx).Bind(inner.Params()).Row(&text); err != nil {
		return 0, err
	}
	var plans []struct {
		Plan struct {
			Rows float64 `json:"Plan Rows"`
		}
	}
	if err := json.Unmarshal([]byte(text), &plans); err != nil || len(plans) != 1 {
		return 0, fmt.Errorf("the plan of the filter cannot be read: %.200s (%w)", text, err)
	}
	return plans[0].Plan.Rows, nil
}

// permittedOne is a condition of the permitted that is looked up for a row of _vector_t.
func (q *search) permittedOne(params dbx.Params) string {
	f := q.query.Filter
	if f.Query == nil {
		params["vector_ids"] = texts(f.IDs)
		return "_vector_t.id = ANY({:vector_ids}::text[])"
	}
	inner := f.Query(q.tx).AndWhere(dbx.NewExp(f.Column + " = _vector_t.id")).Build()
	maps.Copy(params, inner.Params())
	return "EXISTS (" + inner.SQL() + ")"
}

// permittedAll is what stands before and after a SELECT from _vector_t so that it has all
// that are permitted.
func (q *search) permittedAll(params dbx.Params) (with, where string) {
	switch f := q.query.Filter; {
	case f.IDs != nil:
		params["vector_ids"] = texts(f.IDs)
		return "", " WHERE _vector_t.id = ANY({:vector_ids}::text[])"
	case f.Query != nil:
		inner := f.Query(q.tx).Build()
		maps.Copy(params, inner.Params())
		return "WITH _vector_c (id) AS MATERIALIZED (" + inner.SQL() + ") ", " WHERE _vector_t.id IN (SELECT id FROM _vector_c)"
	}
	return "", ""
}
