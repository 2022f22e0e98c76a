package vectorfield

import (
	"context"
	"fmt"
	"math"

	"github.com/agentrt/agentrt/vector"
	"github.com/pocketbase/dbx"
	validation "github.com/pocketbase/ozzo-validation/v4"
	"github.com/pocketbase/pocketbase/core"
)

// MaxQueryText is the largest length of the text of a search in bytes.
const MaxQueryText = 32 << 10

// Query is a search among the records of a collection.
type Query struct {
	// Vector or Text, of which the embedder makes a vector, says what is looked for.
	Vector []float32
	Text   string
	// Field is the vector field; it may be empty if there is only one.
	Field string
	// Filter restricts the records, in PocketBase's filter language; at most 3,500 bytes.
	Filter string
	// Top is the number of records wanted, at most vector.MaxTop; 0 means
	// vector.DefaultTop. So many come back if they exist and are permitted.
	Top int
	// MinScore, if set, leaves out records of a lower score.
	MinScore *float64
	// Recall and Exact are those of vector.Query.
	Recall float64
	Exact  bool
}

// Hit is a found record.
type Hit struct {
	Record *core.Record
	// Score and Distance are those of the metric (see vector.Metric). In a hybrid
	// search the score is that of the fusion, and the distance is NaN if the
	// record was found by its words alone.
	Score    float64
	Distance float64
}

// Search returns the records nearest to a vector, ordered by distance, then id.
// info is the request whose rights hold: its list rule restricts the search before
// the nearest are chosen. nil has a superuser's rights. If app stands for a
// transaction, the search sees it. Bad options give validation.Errors by option,
// missing rights a 403 *router.ApiError.
func (v *Vectors) Search(ctx context.Context, app core.App, c *core.Collection, info *core.RequestInfo, q Query) ([]Hit, error) {
	s, err := v.newSearch(ctx, app, c, info, &q)
	if err != nil {
		return nil, err
	}
	if err := s.embed(); err != nil {
		return nil, err
	}
	return s.load(s.nearest)
}

// finder is one search.
type finder struct {
	*Vectors
	*permission
	ctx   context.Context
	app   core.App
	store vector.Store
	field *Field
	query *Query
}

// found is a record's place in a search.
type found struct {
	id              string
	score, distance float64
}

func (v *Vectors) newSearch(ctx context.Context, app core.App, c *core.Collection, info *core.RequestInfo, q *Query) (*finder, error) {
	store, _, err := v.opened()
	if err != nil {
		return nil, err
	}
	s := &finder{Vectors: v, ctx: ctx, app: app, store: store, query: q}
	if s.field, err = searched(c, q.Field, info == nil || info.HasSuperuserAuth()); err != nil {
		return nil, err
	}
	if s.permission, err = newPermission(app, c, info, q.Filter); err != nil {
		return nil, err
	}
	switch {
	case q.Top < 0 || q.Top > vector.MaxTop:
		return nil, badOption("top", "top", fmt.Sprintf("1 to %d", vector.MaxTop), q.Top)
	case !(q.Recall >= 0 && q.Recall <= 1):
		return nil, badOption("recall", "recall", "0 to 1", q.Recall)
	case len(q.Text) > MaxQueryText:
		return nil, badOption("text", "text", fmt.Sprintf("at most %d bytes", MaxQueryText), len(q.Text))
	case q.Top == 0:
		q.Top = vector.DefaultTop
	}
	return s, nil
}

// searched finds the field to search in.
func searched(c *core.Collection, name string, hidden bool) (*Field, error) {
	var names []string
	var only *Field
	for _, f := range storedFields(c) {
		if f.Hidden && !hidden {
			continue
		}
		if f.Name == name {
			return f, nil
		}
		names, only = append(names, f.Name), f
	}
	switch {
	case len(names) == 0:
		return nil, badOption("field", "field", "a collection with a vector field", fmt.Sprintf("%q, which has none", c.Name))
	case name != "" || len(names) > 1:
		return nil, badOption("field", "field", "a vector field of "+c.Name+", "+quoted(names), fmt.Sprintf("%.100q", name))
	}
	return only, nil
}

// embed makes sure that there is a suitable vector.
func (s *finder) embed() error {
	q := s.query
	switch {
	case q.Vector != nil && q.Text != "":
		return badOption("vector", "query", "a vector or a text", "both")
	case q.Vector == nil && q.Text == "":
		return badOption("vector", "query", "a vector or a text", "neither")
	case q.Vector == nil:
		if err := s.embedText(); err != nil {
			return err
		}
	}
	if err := s.field.check(q.Vector); err != nil {
		return validation.Errors{"vector": err}
	}
	return nil
}

// embedText makes a vector of the text by the field's model.
func (s *finder) embedText() error {
	model := ""
	if s.field.Embed != nil {
		model = s.field.Embed.Model
	}
	vectors, err := s.config.Embedder.Embed(s.ctx, model, s.field.Dimensions, []string{s.query.Text})
	if err != nil {
		return fmt.Errorf("vectors: embedding the text for the field %s: %w", s.field.Name, err)
	}
	if len(vectors) != 1 || len(vectors[0]) != s.field.Dimensions {
		n := 0
		if len(vectors) == 1 {
			n = len(vectors[0])
		}
		return badOption("text", "model", fmt.Sprintf("a model of %d dimensions for the field %s", s.field.Dimensions, s.field.Name), fmt.Sprintf("%d from the model %q", n, model))
	}
	s.query.Vector = vectors[0]
	return nil
}

// nearest returns the n permitted records that are nearest.
func (s *finder) nearest(n int) ([]found, error) {
	q := vector.Query{Vector: s.query.Vector, Top: n, Filter: s.filter(), Recall: s.query.Recall, Exact: s.query.Exact}
	matches, err := s.store.Search(s.ctx, txOf(s.app), s.field.Space(s.collection).Name, q)
	if err != nil {
		return nil, optionOf(err)
	}
	all := make([]found, len(matches))
	for i, m := range matches {
		all[i] = found{m.ID, m.Score, m.Distance}
	}
	return all, nil
}

// maxAttempts bounds how often records are looked for in place of those that were
// deleted, or became forbidden, between finding and reading them.
const maxAttempts = 6

// load reads the best records that find knows, under the same conditions once more.
func (s *finder) load(find func(n int) ([]found, error)) ([]Hit, error) {
	for attempt, n := 1, s.query.Top; ; attempt, n = attempt+1, min(2*n, vector.MaxTop) {
		all, err := find(n)
		if err != nil {
			return nil, err
		}
		hits, err := s.read(all)
		if err != nil {
			return nil, err
		}
		// Fewer than asked for means that there are no more.
		if len(hits) >= s.query.Top || len(all) < n || attempt == maxAttempts {
			return s.cut(hits), nil
		}
	}
}

func (s *finder) read(all []found) ([]Hit, error) {
	if len(all) == 0 {
		return nil, nil
	}
	ids := make([]any, len(all))
	for i, f := range all {
		ids[i] = f.id
	}
	query := s.app.RecordQuery(s.collection).WithContext(s.ctx).AndWhere(dbx.In(s.column(), ids...))
	if err := s.restrict(query); err != nil {
		return nil, err
	}
	var records []*core.Record
	if err := query.All(&records); err != nil {
		return nil, fmt.Errorf("vectors: reading the records: %w", err)
	}
	byID := make(map[string]*core.Record, len(records))
	for _, record := range records {
		byID[record.Id] = record
	}
	hits := make([]Hit, 0, len(all))
	for _, f := range all {
		if record := byID[f.id]; record != nil {
			hits = append(hits, Hit{record, f.score, f.distance})
		}
	}
	return hits, nil
}

func (s *finder) cut(hits []Hit) []Hit {
	hits = hits[:min(len(hits), s.query.Top)]
	if s.query.MinScore == nil || math.IsNaN(*s.query.MinScore) {
		return hits
	}
	for i, h := range hits {
		if h.Score < *s.query.MinScore {
			return hits[:i]
		}
	}
	return hits
}
