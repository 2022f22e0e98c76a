package vectorfield_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/agentrt/agentrt/vector"
	"github.com/agentrt/agentrt/vector/sqlitevec"
	"github.com/agentrt/agentrt/vector/vectorfield"
	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/types"
)

const wide = 24

func randomVector(random *rand.Rand) []float32 {
	v := make([]float32, wide)
	for i := range v {
		v[i] = random.Float32()*2 - 1
	}
	return v
}

// owned makes a collection whose records only their owner may list, and two owners.
func (e *env) owned() (c *core.Collection, owners []*core.Record) {
	e.t.Helper()
	members := core.NewAuthCollection("members")
	e.must(e.Save(members))
	for _, name := range []string{"ann", "bob"} {
		r := core.NewRecord(members)
		r.SetEmail(name + "@example.com")
		r.SetPassword("12345678")
		e.must(e.Save(r))
		owners = append(owners, r)
	}
	c = core.NewBaseCollection("owned")
	c.Fields.Add(&core.RelationField{Name: "owner", CollectionId: members.Id, MaxSelect: 1}, &core.TextField{Name: "title"},
		&vectorfield.Field{Name: "embedding", Dimensions: wide, Metric: vector.L2, Text: []string{"title"}})
	c.ListRule = types.Pointer("owner = @request.auth.id")
	e.must(e.Save(c))
	return c, owners
}

// bulk adds n records of an owner with random vectors, past their hooks.
func (e *env) bulk(c *core.Collection, owner string, n int) {
	e.t.Helper()
	random := rand.New(rand.NewPCG(5, 6))
	e.must(e.RunInTransaction(func(tx core.App) error {
		items := make([]vector.Item, n)
		for i := range items {
			items[i] = vector.Item{ID: fmt.Sprintf("bulk%011d", i), Vector: randomVector(random)}
			if _, err := tx.NonconcurrentDB().Insert(c.Name, dbx.Params{"id": items[i].ID, "owner": owner}).Execute(); err != nil {
				return err
			}
		}
		return e.vectors.Set(e.t.Context(), tx, c, "embedding", items...)
	}))
}

// ledger is what is committed: by id, the version and the record's state.
type ledger struct {
	sync.Mutex
	states map[string]state
	ids    []string
}

type state struct {
	version int
	owner   string
	vector  []float32 // nil: deleted, or being written
}

func (l *ledger) set(id string, s state) {
	l.Lock()
	defer l.Unlock()
	old, known := l.states[id]
	if !known {
		l.ids = append(l.ids, id)
	}
	s.version = old.version + 1
	l.states[id] = s
}

func (l *ledger) any(random *rand.Rand) (string, state) {
	l.Lock()
	defer l.Unlock()
	id := l.ids[random.IntN(len(l.ids))]
	return id, l.states[id]
}

func (l *ledger) get(id string) state {
	l.Lock()
	defer l.Unlock()
	return l.states[id]
}

// TestSearchesBesideWrites searches while 200 records a second are created, changed,
// given to others and deleted, and the index is built again and again.
func TestSearchesBesideWrites(t *testing.T) {
	e := open(t, t.TempDir(), 300)
	c, owners := e.owned()
	l := &ledger{states: map[string]state{}}
	random := rand.New(rand.NewPCG(1, 2))
	write := func() error {
		record := core.NewRecord(c)
		kind := random.IntN(10)
		if len(l.ids) > 400 && kind > 3 || len(l.ids) > 20 && kind > 7 {
			id, s := l.any(random)
			if s.vector == nil {
				return nil
			}
			var err error
			if record, err = e.FindRecordById(c, id); err != nil {
				return err
			}
			l.set(id, state{})
			if kind == 9 {
				return e.Delete(record)
			}
		} else {
			record.Set("id", fmt.Sprintf("r%014d", len(l.ids)))
			l.set(record.Id, state{})
		}
		s := state{owner: owners[random.IntN(2)].Id, vector: randomVector(random)}
		record.Set("owner", s.owner)
		record.Set("title", fmt.Sprintf("word%d", random.IntN(5)))
		record.Set("embedding", s.vector)
		if err := e.Save(record); err != nil {
			return err
		}
		l.set(record.Id, s)
		return nil
	}
	known, toWrite := 450, int64(600)
	if testing.Short() {
		known, toWrite = 350, 200
	}
	for range known {
		e.must(write())
	}
	ctx, cancel := context.WithCancel(t.Context())
	var work sync.WaitGroup
	var writes, searches, found, rebuilds atomic.Int64
	work.Go(func() {
		defer cancel()
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		for range toWrite {
			<-tick.C
			if err := write(); err != nil {
				t.Errorf("write: %v", err)
				return
			}
			writes.Add(1)
		}
	})
	for seed := range 2 {
		work.Go(func() {
			random := rand.New(rand.NewPCG(uint64(seed), 3))
			for ctx.Err() == nil {
				who := owners[random.IntN(2)]
				id, before := l.any(random)
				query := before.vector
				if query == nil {
					query = randomVector(random)
				}
				info := &core.RequestInfo{Context: core.RequestInfoContextDefault, Auth: who}
				var hits []vectorfield.Hit
				var err error
				hybrid := random.IntN(4) == 0
				if hybrid {
					hits, err = e.vectors.SearchHybrid(t.Context(), e, c, info, vectorfield.Hybrid{Query: vectorfield.Query{Vector: query, Text: "word1 word2", Top: 5}})
				} else {
					hits, err = e.vectors.Search(t.Context(), e, c, info, vectorfield.Query{Vector: query, Top: 5})
				}
				if err != nil {
					t.Errorf("search: %v", err)
					return
				}
				searches.Add(1)
				for _, h := range hits {
					if h.Record.GetString("owner") != who.Id {
						t.Errorf("a record of another's")
					}
				}
				if len(hits) != 5 {
					t.Errorf("%d records, though there are more; hybrid %v", len(hits), hybrid)
				}
				// What was committed before and has not changed since must be there, in the first place.
				if !hybrid && before.vector != nil && before.owner == who.Id && l.get(id).version == before.version {
					if !slices.ContainsFunc(hits, func(h vectorfield.Hit) bool { return h.Record.Id == id && h.Distance == 0 }) {
						t.Errorf("%s was committed, but is not found among %d", id, len(hits))
					}
					found.Add(1)
				}
			}
		})
	}
	work.Go(func() {
		places, err := e.vectors.Places(e, "owned")
		for err == nil && ctx.Err() == nil {
			if err = e.vectors.Reindex(ctx, e, places[0], nil); errors.Is(err, sqlitevec.ErrBuilding) {
				err = nil // that of the first searches
				continue
			}
			rebuilds.Add(1)
		}
		if err != nil && !errors.Is(err, context.Canceled) {
			t.Errorf("rebuild: %v", err)
		}
	})
	work.Wait()
	if writes.Load() != toWrite || searches.Load() < 20 || found.Load() < 3 || rebuilds.Load() < 2 {
		t.Errorf("%d writes, %d searches, %d of them for known records, %d rebuilds", writes.Load(), searches.Load(), found.Load(), rebuilds.Load())
	}
	t.Logf("%d searches, %d of them for known records, %d rebuilds", searches.Load(), found.Load(), rebuilds.Load())
	e.agree()
}

// TestNothingHoldsTheWriter writes a record in the middle of a search, of a rebuild and
// of a verification, and waits for it there: none of them keeps the database locked.
func TestNothingHoldsTheWriter(t *testing.T) {
	e := open(t, t.TempDir(), 1<<30)
	c, owners := e.owned()
	random := rand.New(rand.NewPCG(1, 2))
	written := 0
	write := func() {
		e.add(c, map[string]any{"owner": owners[0].Id, "title": "word", "embedding": randomVector(random)})
		written++
	}
	e.bulk(c, owners[0].Id, 2500)
	places, err := e.vectors.Places(e, "owned")
	e.must(err)
	chunks := 0
	e.must(e.vectors.Reindex(t.Context(), e, places[0], func(done, total int) { chunks++; write() }))
	if chunks < 3 {
		t.Errorf("a rebuild had %d steps", chunks)
	}
	steps := 0
	if r, err := e.vectors.Verify(t.Context(), e, places[0], func(done, total int) { steps++; write() }); err != nil || !r.OK() || steps < 3 {
		t.Errorf("verification: %+v, %v, %d steps", r, err, steps)
	}
	store, err := e.vectors.Store()
	e.must(err)
	asked := 0
	for _, q := range []vector.Query{{}, {Exact: true}} {
		q.Vector, q.Top = randomVector(random), 10
		q.Filter = vector.Filter{Column: "owned.id", Query: func(tx dbx.Builder) *dbx.SelectQuery {
			asked++
			write()
			return tx.Select("owned.id").From("owned").Where(dbx.HashExp{"owned.owner": owners[0].Id})
		}}
		matches, err := store.Search(t.Context(), nil, places[0].Field.Space(c).Name, q)
		if err != nil || len(matches) != 10 {
			t.Errorf("%d matches, %v", len(matches), err)
		}
	}
	if asked < 2 {
		t.Errorf("the filter was asked %d times", asked)
	}
	if n, err := e.CountRecords(c); err != nil || int(n) != 2500+written {
		t.Errorf("%d records, %v", n, err)
	}
	e.agree()
}
