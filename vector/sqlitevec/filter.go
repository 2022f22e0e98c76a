package sqlitevec

import (
	"database/sql"
	"encoding/json"
	"strings"

	"github.com/pocketbase/dbx"
)

// A filter is first asked about the probe nearest candidates. If so many pass that
// at most maxCoarse candidates are needed to have enough, it is asked about those;
// otherwise for all ids that it permits.
const (
	probe     = 256
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
	// The permitted lie as densely among the candidates as among all, so that as many
	// candidates serve as without a filter, if enough of them pass.
	wanted, enough := candidates(q.top, q.query.Recall), minEach*max(q.top, 10)
	near, all := x.nearest(question, nil, max(maxCoarse, wanted))
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
	ids, err := q.list(f.Query(q.r))
	if err != nil {
		return nil, err
	}
	return x.slots(ids), nil
}

// passing returns the ids among near that the filter permits.
func (q *search) passing(near []candidate) ([]string, error) {
	ids := make([]string, len(near))
	for i, c := range near {
		ids[i] = c.id
	}
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
