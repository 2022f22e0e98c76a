// Package vectortest is the conformance suite of vector.Store, on real databases.
package vectortest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/agentrt/agentrt/vector"
	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
)

// Engine is what the suite runs on: a store in a database. Those whose database is a
// PocketBase app's implement Records too.
type Engine interface {
	Store() vector.Store
	// Transaction runs f in a transaction, which commits unless f fails.
	Transaction(f func(tx dbx.Builder) error) error
	// Restart ends store and database and starts others on the same data.
	Restart(t *testing.T)
	// Backup keeps what the database has; Restore ends it and goes on with what was kept.
	Backup(t *testing.T)
	Restore(t *testing.T)
}

// Records is an Engine in PocketBase.
type Records interface {
	App() core.App
}

const (
	dim   = 40
	space = "docs_embedding"
)

// Config is how to run the suite.
type Config struct {
	// Indexed says that the store is to have an index, which the suite builds once
	// there are vectors.
	Indexed bool
	// Large is the number of vectors of a large write.
	Large int
}

// Run runs the suite. start makes an engine with an empty database.
func Run(t *testing.T, config Config, start func(t *testing.T) Engine) {
	for _, test := range []struct {
		name string
		run  func(*suite)
	}{
		{"nearest of each metric", (*suite).metrics},
		{"insert, update and delete", (*suite).changes},
		{"bulk", (*suite).bulk},
		{"rollback", (*suite).rollback},
		{"search in a transaction", (*suite).inTransaction},
		{"failures in a transaction", (*suite).failures},
		{"hooks of records", (*suite).hooks},
		{"rename and delete", (*suite).renameAndDelete},
		{"restart", (*suite).restart},
		{"backup and restore", (*suite).backup},
		{"filters", (*suite).filters},
		{"ties and duplicates", (*suite).ties},
		{"zero vectors", (*suite).zero},
		{"bad input", (*suite).badInput},
		{"dimension change and drop", (*suite).dimensionAndDrop},
		{"concurrent writes, searches and rebuilds", (*suite).concurrent},
	} {
		t.Run(test.name, func(t *testing.T) {
			test.run(&suite{T: t, Engine: start(t), indexed: config.Indexed, large: config.Large, ctx: t.Context(), random: rand.New(rand.NewPCG(7, 7)), want: map[string][]float32{}})
		})
	}
}

type suite struct {
	*testing.T
	Engine
	indexed bool
	large   int
	ctx     context.Context
	random  *rand.Rand
	// want is what the space should have.
	want map[string][]float32
}

func (s *suite) must(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

func (s *suite) create(metric vector.Metric) {
	s.Helper()
	s.must(s.Store().Create(s.ctx, nil, vector.Space{Name: space, Dim: dim, Metric: metric}))
}

// vectors returns n items of clustered vectors, from number first.
func (s *suite) vectors(first, n int) []vector.Item {
	items := make([]vector.Item, n)
	for i := range items {
		centre := rand.New(rand.NewPCG(3, uint64(s.random.IntN(20))))
		v := make([]float32, dim)
		for j := range v {
			v[j] = float32(2+3*centre.NormFloat64()) + float32(s.random.NormFloat64())
		}
		items[i] = vector.Item{ID: fmt.Sprintf("r%06d", first+i), Vector: v}
	}
	return items
}

func (s *suite) put(items ...vector.Item) {
	s.Helper()
	s.must(s.Store().Put(s.ctx, nil, space, items...))
	for _, item := range items {
		s.want[item.ID] = item.Vector
	}
}

func (s *suite) remove(ids ...string) {
	s.Helper()
	s.must(s.Store().Delete(s.ctx, nil, space, ids...))
	for _, id := range ids {
		delete(s.want, id)
	}
}

// index builds the index, if there should be one.
func (s *suite) index() {
	s.Helper()
	if s.indexed {
		s.must(s.Store().Rebuild(s.ctx, space, nil))
	}
}

// verify checks count and index.
func (s *suite) verify() {
	s.Helper()
	v, err := s.Store().Verify(s.ctx, space, nil)
	s.must(err)
	if !v.OK() || v.Vectors != len(s.want) || v.Indexed != s.indexed {
		s.Fatalf("verification %+v, want %d vectors, indexed %v", v, len(s.want), s.indexed)
	}
	if n, err := s.Store().Count(s.ctx, nil, space); err != nil || n != len(s.want) {
		s.Fatalf("count %d, %v; want %d", n, err, len(s.want))
	}
}

// distance is the metric's definition in 64 bits.
func distance(metric vector.Metric, a, b []float32) float64 {
	var dot, aa, bb, difference float64
	for i := range a {
		x, y := float64(a[i]), float64(b[i])
		dot, aa, bb, difference = dot+x*y, aa+x*x, bb+y*y, difference+(x-y)*(x-y)
	}
	switch metric {
	case vector.L2:
		return math.Sqrt(difference)
	case vector.Dot:
		return -dot
	default:
		return 1 - dot/math.Sqrt(aa*bb)
	}
}

// nearest is what an exact search should find among the wanted vectors.
func (s *suite) nearest(metric vector.Metric, query []float32, top int, permitted func(id string) bool) []vector.Match {
	var all []vector.Match
	for id, v := range s.want {
		if permitted == nil || permitted(id) {
			all = append(all, vector.Match{ID: id, Distance: distance(metric, query, v)})
		}
	}
	slices.SortFunc(all, func(a, b vector.Match) int {
		if a.Distance != b.Distance {
			if a.Distance < b.Distance {
				return -1
			}
			return 1
		}
		return strings.Compare(a.ID, b.ID)
	})
	return all[:min(top, len(all))]
}

// compare checks matches: their number, order, distances, permission and how many
// are among the true nearest. It returns the share of these.
func (s *suite) compare(metric vector.Metric, q vector.Query, got []vector.Match, permitted func(string) bool) float64 {
	s.Helper()
	top := q.Top
	if top == 0 {
		top = vector.DefaultTop
	}
	want := s.nearest(metric, q.Vector, top, permitted)
	if len(got) != len(want) {
		s.Fatalf("%d matches, want %d", len(got), len(want))
	}
	hits := 0
	for i, m := range got {
		v, ok := s.want[m.ID]
		if !ok || permitted != nil && !permitted(m.ID) {
			s.Fatalf("match %q does not exist or is not permitted", m.ID)
		}
		d := distance(metric, q.Vector, v)
		if math.Abs(m.Distance-d) > 1e-4*(1+math.Abs(d)) {
			s.Fatalf("distance of %q is %g, want %g", m.ID, m.Distance, d)
		}
		if i > 0 && m.Distance < got[i-1].Distance {
			s.Fatalf("match %d is nearer than the one before", i)
		}
		if d <= want[len(want)-1].Distance+1e-4*(1+math.Abs(d)) {
			hits++
		}
	}
	if len(want) == 0 {
		return 1
	}
	return float64(hits) / float64(len(want))
}

// check searches with queries near stored vectors: exact ones must find the nearest,
// others at least 95 % of them.
func (s *suite) check(metric vector.Metric, filter vector.Filter, permitted func(string) bool) {
	s.Helper()
	const queries = 8
	var sum float64
	for range queries {
		q := vector.Query{Vector: s.vectors(0, 1)[0].Vector, Filter: filter}
		got, err := s.Store().Search(s.ctx, nil, space, q)
		s.must(err)
		sum += s.compare(metric, q, got, permitted)
		q.Exact, q.Top = true, 7
		got, err = s.Store().Search(s.ctx, nil, space, q)
		s.must(err)
		if recall := s.compare(metric, q, got, permitted); recall < 1 {
			s.Fatalf("an exact search has recall %.2f", recall)
		}
	}
	if recall := sum / queries; recall < 0.95 {
		s.Fatalf("recall %.3f, want at least 0.95", recall)
	}
}

func (s *suite) metrics() {
	for _, metric := range []vector.Metric{vector.Cosine, vector.L2, vector.Dot} {
		s.create(metric)
		s.put(s.vectors(0, 1500)...)
		s.index()
		s.put(s.vectors(1500, 300)...)
		s.verify()
		s.check(metric, vector.Filter{}, nil)
		s.must(s.Store().Drop(s.ctx, nil, space))
		clear(s.want)
	}
}

func (s *suite) changes() {
	s.create(vector.Cosine)
	items := s.vectors(0, 1200)
	s.put(items...)
	s.index()
	moved := s.vectors(0, 400)
	s.put(moved...)
	for i := 300; i < 900; i += 3 {
		s.remove(items[i].ID, items[i+1].ID, items[i+2].ID)
	}
	s.remove("unknown")
	s.put(s.vectors(2000, 500)...)
	s.put(s.vectors(600, 100)...)
	s.verify()
	s.check(vector.Cosine, vector.Filter{}, nil)
	if v, err := s.Store().Get(s.ctx, nil, space, "r000010"); err != nil || !slices.Equal(v, moved[10].Vector) {
		s.Fatalf("Get gave %v, %v", v, err)
	}
	if v, err := s.Store().Get(s.ctx, nil, space, "r000500"); err != nil || v != nil {
		s.Fatalf("Get of a deleted record gave %v, %v", v, err)
	}
	twice := s.vectors(5000, 1)[0]
	again := vector.Item{ID: twice.ID, Vector: moved[1].Vector}
	s.put(twice, again)
	if v, err := s.Store().Get(s.ctx, nil, space, twice.ID); err != nil || !slices.Equal(v, again.Vector) {
		s.Fatalf("of two vectors the last counts; Get gave %v, %v", v, err)
	}
	s.remove(slices.Collect(maps.Keys(s.want))...)
	s.verify()
	s.check(vector.Cosine, vector.Filter{}, nil)
}

func (s *suite) bulk() {
	s.create(vector.Cosine)
	s.put(s.vectors(0, 1100)...)
	s.index()
	for first := 2000; first < 2000+s.large; first += s.large / 4 {
		s.put(s.vectors(first, s.large/4)...)
	}
	s.put()
	s.verify()
	s.check(vector.Cosine, vector.Filter{}, nil)
	s.put(s.vectors(2500, s.large)...)
	s.verify()
	s.check(vector.Cosine, vector.Filter{}, nil)
}

var errRollback = errors.New("roll back")

// rolledBack runs f in a transaction that is rolled back.
func (s *suite) rolledBack(f func(tx dbx.Builder)) {
	s.Helper()
	err := s.Transaction(func(tx dbx.Builder) error {
		f(tx)
		return errRollback
	})
	if !errors.Is(err, errRollback) {
		s.Fatal(err)
	}
}

func (s *suite) rollback() {
	s.create(vector.Cosine)
	items := s.vectors(0, 1200)
	s.put(items...)
	s.index()
	s.check(vector.Cosine, vector.Filter{}, nil)
	for range 2 {
		s.rolledBack(func(tx dbx.Builder) {
			s.must(s.Store().Put(s.ctx, tx, space, s.vectors(600, s.large)...))
			s.must(s.Store().Delete(s.ctx, tx, space, items[3].ID, items[4].ID))
			if _, err := s.Store().Search(s.ctx, tx, space, vector.Query{Vector: items[0].Vector}); err != nil {
				s.Fatal(err)
			}
		})
		s.check(vector.Cosine, vector.Filter{}, nil)
		s.put(s.vectors(1195, 10)...)
	}
	s.rolledBack(func(tx dbx.Builder) { s.must(s.Store().Drop(s.ctx, tx, space)) })
	s.verify()
	s.check(vector.Cosine, vector.Filter{}, nil)
}

func (s *suite) inTransaction() {
	s.create(vector.L2)
	items := s.vectors(0, 1200)
	s.put(items...)
	s.index()
	far := slices.Repeat([]float32{1000}, dim)
	first := func(tx dbx.Builder, filter vector.Filter) string {
		s.Helper()
		got, err := s.Store().Search(s.ctx, tx, space, vector.Query{Vector: far, Top: 1, Filter: filter})
		s.must(err)
		if len(got) != 1 {
			s.Fatalf("%d matches", len(got))
		}
		return got[0].ID
	}
	before := first(nil, vector.Filter{})
	s.must(s.Transaction(func(tx dbx.Builder) error {
		s.must(s.Store().Put(s.ctx, tx, space, vector.Item{ID: "new", Vector: far}))
		if got := first(tx, vector.Filter{}); got != "new" {
			s.Errorf("the transaction finds %q, want its own record", got)
		}
		if got := first(tx, vector.Filter{IDs: []string{"new", items[0].ID}}); got != "new" {
			s.Errorf("with a filter the transaction finds %q, want its own record", got)
		}
		if got := first(nil, vector.Filter{}); got != before {
			s.Errorf("outside %q is found before the commit, want %q", got, before)
		}
		s.must(s.Store().Delete(s.ctx, tx, space, before))
		s.must(s.Store().Put(s.ctx, tx, space, vector.Item{ID: "new", Vector: items[0].Vector}, vector.Item{ID: "newer", Vector: far}))
		if got := first(tx, vector.Filter{}); got != "newer" {
			s.Errorf("after an update the transaction finds %q", got)
		}
		return nil
	}))
	if got := first(nil, vector.Filter{}); got != "newer" {
		s.Errorf("after the commit %q is found", got)
	}
	delete(s.want, before)
	s.want["new"], s.want["newer"] = items[0].Vector, far
	s.verify()
}

func (s *suite) restart() {
	s.create(vector.Cosine)
	s.put(s.vectors(0, 3000)...)
	s.index()
	s.put(s.vectors(3000, 100)...)
	s.remove("r000007", "r003001")
	for range 2 {
		s.Restart(s.T)
		s.verify()
		s.check(vector.Cosine, vector.Filter{}, nil)
		s.put(s.vectors(1000, s.large)...)
	}
	s.Restart(s.T)
	s.verify()
	s.check(vector.Cosine, vector.Filter{}, nil)
}

func (s *suite) filters() {
	s.create(vector.Cosine)
	s.collection()
	items := s.vectors(0, 3000)
	s.put(items...)
	s.fill(items, 1000)
	s.index()
	s.remove("r000000", "r001000", "r002000")
	team := func(id string) int {
		var n int
		_, err := fmt.Sscanf(id, "r%d", &n)
		s.must(err)
		return n % 1000
	}
	for _, below := range []int{1, 2, 10, 250, 1000} {
		permitted := func(id string) bool { return team(id) < below }
		s.check(vector.Cosine, vector.Filter{Column: "docs.id", Query: func(tx dbx.Builder) *dbx.SelectQuery {
			return tx.Select("docs.id").Distinct(true).From("docs").Where(dbx.NewExp("docs.team < {:team}", dbx.Params{"team": below}))
		}}, permitted)
		ids := []string{"unknown"}
		for id := range s.want {
			if permitted(id) {
				ids = append(ids, id)
			}
		}
		s.check(vector.Cosine, vector.Filter{IDs: ids}, permitted)
	}
	s.check(vector.Cosine, vector.Filter{IDs: []string{}}, func(string) bool { return false })
	_, err := s.Store().Search(s.ctx, nil, space, vector.Query{Vector: items[0].Vector, Filter: vector.Filter{Column: "docs.id",
		Query: func(tx dbx.Builder) *dbx.SelectQuery { return tx.Select("docs.id").From("nowhere") }}})
	if err == nil || !strings.Contains(err.Error(), "nowhere") {
		s.Errorf("a filter on an unknown table gave %v", err)
	}
}

func (s *suite) ties() {
	s.create(vector.Cosine)
	items := s.vectors(0, 1500)
	for i := 200; i < 900; i++ {
		items[i].Vector = items[200].Vector
	}
	s.put(items...)
	s.index()
	s.verify()
	for _, top := range []int{1, 10, 500, vector.MaxTop} {
		q := vector.Query{Vector: items[200].Vector, Top: top, Recall: 0.99}
		got, err := s.Store().Search(s.ctx, nil, space, q)
		s.must(err)
		s.compare(vector.Cosine, q, got, nil)
		if !slices.IsSortedFunc(got[:min(top, 700)], func(a, b vector.Match) int { return strings.Compare(a.ID, b.ID) }) {
			s.Errorf("top %d: equal distances are not in the order of ids", top)
		}
	}
}

func (s *suite) zero() {
	none := vector.Item{ID: "zero", Vector: make([]float32, dim)}
	for _, metric := range []vector.Metric{vector.L2, vector.Dot} {
		s.create(metric)
		s.put(s.vectors(0, 1100)...)
		s.put(none)
		s.index()
		s.put(vector.Item{ID: "zero2", Vector: none.Vector})
		s.verify()
		q := vector.Query{Vector: none.Vector, Top: 2}
		got, err := s.Store().Search(s.ctx, nil, space, q)
		s.must(err)
		s.compare(metric, q, got, nil)
		if metric == vector.L2 && (got[0].ID != "zero" || got[1].ID != "zero2") {
			s.Errorf("the nearest of zero are %v", got)
		}
		s.must(s.Store().Drop(s.ctx, nil, space))
		clear(s.want)
	}
	s.create(vector.Cosine)
	if err := s.Store().Put(s.ctx, nil, space, none); !errors.Is(err, vector.ErrZero) {
		s.Errorf("a zero vector under cosine gave %v", err)
	}
	if _, err := s.Store().Search(s.ctx, nil, space, vector.Query{Vector: none.Vector}); !errors.Is(err, vector.ErrZero) {
		s.Errorf("a zero query under cosine gave %v", err)
	}
}

func (s *suite) badInput() {
	s.create(vector.Cosine)
	s.index()
	good := s.vectors(0, 2)
	with := func(x float64) []float32 {
		v := slices.Clone(good[0].Vector)
		v[5] = float32(x)
		return v
	}
	refused := func(what string, err, kind error, field string) {
		s.Helper()
		var input *vector.InputError
		if !errors.Is(err, kind) || !errors.As(err, &input) || input.Field != field || input.Want == "" || input.Got == "" {
			s.Errorf("%s gave %v", what, err)
		}
	}
	put := func(id string, v []float32) error {
		return s.Store().Put(s.ctx, nil, space, good[0], vector.Item{ID: id, Vector: v})
	}
	refused("a short vector", put("a", good[0].Vector[1:]), vector.ErrDimension, "vector")
	refused("no vector", put("a", nil), vector.ErrDimension, "vector")
	refused("NaN", put("a", with(math.NaN())), vector.ErrNotFinite, "vector")
	refused("infinity", put("a", with(math.Inf(1))), vector.ErrNotFinite, "vector")
	refused("a huge number", put("a", with(math.MaxFloat32)), vector.ErrNotFinite, "vector")
	refused("an empty id", put("", good[0].Vector), vector.ErrID, "id")
	refused("a line feed in an id", put("a\nb", good[0].Vector), vector.ErrID, "id")
	refused("a long id", put(strings.Repeat("x", vector.MaxID+1), good[0].Vector), vector.ErrID, "id")
	s.verify()
	search := func(q vector.Query) error {
		_, err := s.Store().Search(s.ctx, nil, space, q)
		return err
	}
	any := func(tx dbx.Builder) *dbx.SelectQuery { return tx.Select("id").From("docs") }
	refused("a long query", search(vector.Query{Vector: append(with(1), 1)}), vector.ErrDimension, "vector")
	refused("NaN in a query", search(vector.Query{Vector: with(math.NaN())}), vector.ErrNotFinite, "vector")
	refused("negative top", search(vector.Query{Vector: with(1), Top: -1}), vector.ErrTop, "top")
	refused("large top", search(vector.Query{Vector: with(1), Top: vector.MaxTop + 1}), vector.ErrTop, "top")
	refused("recall above 1", search(vector.Query{Vector: with(1), Recall: 1.01}), vector.ErrRecall, "recall")
	refused("recall NaN", search(vector.Query{Vector: with(1), Recall: math.NaN()}), vector.ErrRecall, "recall")
	refused("two filters", search(vector.Query{Vector: with(1), Filter: vector.Filter{IDs: []string{"a"}, Query: any, Column: "id"}}), vector.ErrFilter, "filter")
	refused("a filter without column", search(vector.Query{Vector: with(1), Filter: vector.Filter{Query: any}}), vector.ErrFilter, "filter")
	_, err := s.Store().Search(s.ctx, nil, "nowhere", vector.Query{Vector: with(1)})
	refused("an unknown space", err, vector.ErrNoSpace, "name")
	refused("writing to an unknown space", s.Store().Put(s.ctx, nil, "nowhere", good[0]), vector.ErrNoSpace, "name")
	s.rolledBack(func(tx dbx.Builder) {
		refused("no transaction", s.Store().Put(s.ctx, struct{ dbx.Builder }{tx}, space, good[0]), vector.ErrTx, "tx")
	})
	for _, bad := range []struct {
		space vector.Space
		field string
	}{
		{vector.Space{Name: "a b", Dim: 3, Metric: vector.L2}, "name"},
		{vector.Space{Name: "", Dim: 3, Metric: vector.L2}, "name"},
		{vector.Space{Name: "ok", Dim: 0, Metric: vector.L2}, "dimension"},
		{vector.Space{Name: "ok", Dim: vector.MaxDim + 1, Metric: vector.L2}, "dimension"},
		{vector.Space{Name: "ok", Dim: 3, Metric: "manhattan"}, "metric"},
	} {
		refused(fmt.Sprintf("space %+v", bad.space), s.Store().Create(s.ctx, nil, bad.space), vector.ErrSpace, bad.field)
	}
}

func (s *suite) dimensionAndDrop() {
	s.create(vector.Cosine)
	s.create(vector.Cosine)
	s.put(s.vectors(0, 1100)...)
	s.index()
	s.check(vector.Cosine, vector.Filter{}, nil)
	other := vector.Space{Name: space, Dim: 3, Metric: vector.L2}
	if err := s.Store().Create(s.ctx, nil, other); !errors.Is(err, vector.ErrSpace) {
		s.Fatalf("another dimension gave %v", err)
	}
	s.must(s.Transaction(func(tx dbx.Builder) error {
		s.must(s.Store().Drop(s.ctx, tx, space))
		return s.Store().Create(s.ctx, tx, other)
	}))
	clear(s.want)
	s.must(s.Store().Put(s.ctx, nil, space, vector.Item{ID: "a", Vector: []float32{1, 2, 3}}))
	got, err := s.Store().Search(s.ctx, nil, space, vector.Query{Vector: []float32{1, 2, 4}})
	s.must(err)
	if len(got) != 1 || got[0].ID != "a" || got[0].Distance != 1 || got[0].Score != 0.5 {
		s.Errorf("the new space has %v", got)
	}
	s.must(s.Store().Drop(s.ctx, nil, space))
	s.must(s.Store().Drop(s.ctx, nil, space))
	if _, err := s.Store().Count(s.ctx, nil, space); !errors.Is(err, vector.ErrNoSpace) {
		s.Errorf("a dropped space gave %v", err)
	}
}
