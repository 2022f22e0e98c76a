package sqlitevec

import (
	"database/sql"
	"encoding/json"
	"slices"
	"strings"

	"github.com/agentrt/agentrt/vector"
	"github.com/pocketbase/dbx"
)

// A filter is first asked about probe ids taken at random. If few of them pass, it is
// asked for all ids that it permits. Otherwise it is asked about the probe nearest
// candidates: if so many pass that at most maxCoarse candidates are needed to have
// enough, it is asked about those that can still be among the nearest, and else for all
// ids too.
const (
	probe     = 256
	few       = 8 // of probe: 3 %
	maxCoarse = 1500
)

// permitted returns the slots to choose candidates from: nil if there is no filter.
func (q *search) permitted(x *index) ([]uint32, error) {
	f := q.query.Filter
	if f.IDs != nil {
		return x.slots(f.IDs), nil
	}
	if f.Query == nil {
		return nil, nil
	}
	ids, err := q.list(f.Query(q.r))
	if err != nil {
		return nil, err
	}
	return x.slots(ids), nil
}

// dense searches among the candidates nearest of all, of which enough pass the filter,
// and reports whether that could be done. The permitted lie as densely among the
// candidates as among all, so that as many candidates serve as without a filter.
func (q *search) dense(x *index, question *question) (found []vector.Match, done bool, err error) {
	if q.query.Filter.Query == nil || q.query.Filter.IDs != nil {
		return nil, false, nil
	}
	if sample := x.sample(probe); len(sample) == probe {
		passed, err := q.passing(sample)
		if err != nil || len(passed) < few {
			return nil, false, err
		}
	}
	wanted, enough := candidates(q.top, q.query.Recall), minEach*max(q.top, 10)
	nearest, all := x.nearest(question, nil, max(maxCoarse, wanted))
	first, err := q.passed(nearest[:min(probe, len(nearest))])
	if err != nil {
		return nil, false, err
	}
	if !all {
		needed := max(float64(wanted), 1.2*probe*float64(enough)/(float64(len(first))+0.01))
		if needed >= float64(len(nearest)) {
			return nil, false, nil
		}
		nearest = nearest[:int(needed)]
	}
	r := q.rescoring(question, nil)
	if err := r.read(first, nil); err != nil {
		return nil, false, err
	}
	unsure := nearest[min(probe, len(nearest)):]
	rest := r.possible(unsure)
	pruned := len(rest) < len(unsure)
	if rest, err = q.passed(rest); err == nil {
		err = r.read(rest, nil)
	}
	if err != nil || !all && (len(r.best.found) < q.top || !pruned && len(first)+len(rest) < enough) {
		return nil, false, err
	}
	return r.best.matches(q.Comparer), true, nil
}

// passed returns the candidates that the filter permits.
func (q *search) passed(chosen []candidate) ([]candidate, error) {
	if len(chosen) == 0 {
		return nil, nil
	}
	ids := make([]string, len(chosen))
	for i, c := range chosen {
		ids[i] = c.id
	}
	passing, err := q.passing(ids)
	if err != nil {
		return nil, err
	}
	permitted := make(map[string]bool, len(passing))
	for _, id := range passing {
		permitted[id] = true
	}
	return slices.DeleteFunc(slices.Clone(chosen), func(c candidate) bool { return !permitted[c.id] }), nil
}

// passing returns those of the ids that the filter permits.
func (q *search) passing(ids []string) ([]string, error) {
	query := q.query.Filter.Query(q.r)
	query.AndWhere(dbx.NewExp(q.query.Filter.Column+" IN (SELECT value FROM json_each({:vector_near}))", dbx.Params{"vector_near": jsonStrings(ids)}))
	return q.list(query)
}

// list reads a query's ids as one text, which takes a fraction of the time of
// reading rows. No id has a line feed, since Put refuses it.
func (q *search) list(query *dbx.SelectQuery) ([]string, error) {
	inner := query.Build()
	var text sql.NullString
	err := q.r.NewQuery("WITH permitted(id) AS (" + inner.SQL() + ") SELECT group_concat(id, char(10)) FROM permitted").
		WithContext(q.ctx).Bind(inner.Params()).Row(&text)
	if err != nil || text.String == "" {
		return nil, err
	}
	return strings.Split(text.String, "\n"), nil
}

func jsonStrings(values []string) string {
	text, err := json.Marshal(values)
	if err != nil {
		panic(err) // strings always have a JSON form
	}
	return string(text)
}
