package sqlitevec

import (
	"database/sql"
	"encoding/json"
	"strings"

	"github.com/pocketbase/dbx"
)

// A filter is first asked about probe ids taken at random. If few of them pass, it is
// asked for all ids that it permits. Otherwise it is asked about the probe nearest
// candidates: if so many pass that at most maxCoarse candidates are needed to have
// enough, it is asked about those, and else for all ids too.
const (
	probe     = 256
	few       = 8 // of probe: 3 %
	maxCoarse = 1500
)

// permitted returns the slots to choose candidates from: nil if there is no filter.
func (q *search) permitted(x *index, question *question) ([]uint32, error) {
	f := q.query.Filter
	if f.IDs != nil {
		return x.slots(f.IDs), nil
	}
	if f.Query == nil {
		return nil, nil
	}
	if sample := x.sample(probe); len(sample) == probe {
		passed, err := q.passing(sample)
		if err != nil {
			return nil, err
		}
		if len(passed) < few {
			return q.listed(x)
		}
	}
	// The permitted lie as densely among the candidates as among all, so that as many
	// candidates serve as without a filter, if enough of them pass.
	wanted, enough := candidates(q.top, q.query.Recall), minEach*max(q.top, 10)
	nearest, all := x.nearest(question, nil, max(maxCoarse, wanted))
	near := make([]string, len(nearest))
	for i, c := range nearest {
		near[i] = c.id
	}
	passed, err := q.passing(near[:min(probe, len(near))])
	if err != nil {
		return nil, err
	}
	needed := max(float64(wanted), 1.2*probe*float64(enough)/(float64(len(passed))+0.01))
	if all || needed < float64(len(near)) {
		n := len(near)
		if !all {
			n = int(needed)
		}
		if n > probe {
			if passed, err = q.passing(near[:n]); err != nil {
				return nil, err
			}
		}
		if all || len(passed) >= enough {
			return x.slots(passed), nil
		}
	}
	return q.listed(x)
}

// listed returns the slots of all ids that the filter permits.
func (q *search) listed(x *index) ([]uint32, error) {
	ids, err := q.list(q.query.Filter.Query(q.r))
	if err != nil {
		return nil, err
	}
	return x.slots(ids), nil
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
