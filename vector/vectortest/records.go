package vectortest

import (
	"errors"
	"maps"

	"github.com/agentrt/agentrt/vector"
	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
)

// collection makes docs, with a number team and a text title: a collection, or a table
// where there is no PocketBase.
func (s *suite) collection() {
	s.Helper()
	if records, ok := s.Engine.(Records); ok {
		c := core.NewBaseCollection("docs")
		c.Fields.Add(&core.NumberField{Name: "team"}, &core.TextField{Name: "title", Required: true})
		c.AddIndex("idx_docs_team", false, "team", "")
		s.must(records.App().Save(c))
		return
	}
	s.execute("CREATE TABLE docs (id text PRIMARY KEY, team integer NOT NULL, title text NOT NULL)", "CREATE INDEX idx_docs_team ON docs (team)")
}

// execute runs statements in a transaction.
func (s *suite) execute(statements ...string) {
	s.Helper()
	s.must(s.Transaction(func(tx dbx.Builder) error {
		for _, text := range statements {
			if _, err := tx.NewQuery(text).Execute(); err != nil {
				return err
			}
		}
		return nil
	}))
}

// fill puts rows into docs: team is the row's number modulo teams.
func (s *suite) fill(items []vector.Item, teams int) {
	s.Helper()
	s.must(s.Transaction(func(tx dbx.Builder) error {
		for i, item := range items {
			if _, err := tx.Insert("docs", dbx.Params{"id": item.ID, "team": i % teams, "title": "x"}).Execute(); err != nil {
				return err
			}
		}
		return nil
	}))
}

// hooks puts vectors in the Execute hooks, as a field type does.
func (s *suite) hooks() {
	records, ok := s.Engine.(Records)
	if !ok {
		s.Skip("the database has no PocketBase")
	}
	app := records.App()
	s.create(vector.Cosine)
	s.put(s.vectors(0, 1100)...)
	s.index()
	s.collection()
	collection, err := app.FindCollectionByNameOrId("docs")
	s.must(err)
	inTransaction := func(work func(e *core.RecordEvent, tx dbx.Builder) error) func(*core.RecordEvent) error {
		return func(e *core.RecordEvent) error {
			app := e.App
			return app.RunInTransaction(func(tx core.App) error {
				e.App = tx
				defer func() { e.App = app }()
				if err := e.Next(); err != nil {
					return err
				}
				return work(e, tx.NonconcurrentDB())
			})
		}
	}
	v := s.vectors(0, 1)[0].Vector
	put := inTransaction(func(e *core.RecordEvent, tx dbx.Builder) error {
		if err := s.Store().Put(s.ctx, tx, space, vector.Item{ID: e.Record.Id, Vector: v}); err != nil {
			return err
		}
		if e.Record.GetString("title") == "fails" {
			return errRollback
		}
		return nil
	})
	app.OnRecordCreateExecute("docs").BindFunc(put)
	app.OnRecordUpdateExecute("docs").BindFunc(put)
	app.OnRecordDeleteExecute("docs").BindFunc(inTransaction(func(e *core.RecordEvent, tx dbx.Builder) error {
		return s.Store().Delete(s.ctx, tx, space, e.Record.Id)
	}))
	record := core.NewRecord(collection)
	record.Set("title", "fails")
	if err := app.Save(record); !errors.Is(err, errRollback) {
		s.Fatalf("a failing hook gave %v", err)
	}
	s.verify()
	record.Set("title", "works")
	s.must(app.Save(record))
	s.want[record.Id] = v
	s.verify()
	got, err := s.Store().Search(s.ctx, nil, space, vector.Query{Vector: v, Top: 1})
	s.must(err)
	if len(got) != 1 || got[0].ID != record.Id {
		s.Fatalf("the record is not found: %v", got)
	}
	s.must(app.Delete(record))
	delete(s.want, record.Id)
	s.verify()
	s.check(vector.Cosine, vector.Filter{}, nil)
}

// renameAndDelete follows a collection with two vector fields: spaces are named by what
// does not change.
func (s *suite) renameAndDelete() {
	const second = "docs_summary"
	s.create(vector.Cosine)
	s.must(s.Store().Create(s.ctx, nil, vector.Space{Name: second, Dim: 2, Metric: vector.L2}))
	s.collection()
	items := s.vectors(0, 1200)
	s.put(items...)
	s.must(s.Store().Put(s.ctx, nil, second, vector.Item{ID: items[0].ID, Vector: []float32{1, 2}}))
	s.fill(items, 10)
	s.index()
	filter := func(table, column string) vector.Filter {
		return vector.Filter{Column: table + ".id", Query: func(tx dbx.Builder) *dbx.SelectQuery {
			return tx.Select(table + ".id").From(table).Where(dbx.HashExp{table + "." + column: 3})
		}}
	}
	numbers := map[string]int{}
	for i, item := range items {
		numbers[item.ID] = i
	}
	permitted := func(id string) bool { return numbers[id]%10 == 3 }
	s.check(vector.Cosine, filter("docs", "team"), permitted)
	s.rename()
	s.verify()
	s.check(vector.Cosine, filter("papers", "squad"), permitted)
	gone := vector.Query{Vector: items[0].Vector, Filter: filter("docs", "team")}
	if _, err := s.Store().Search(s.ctx, nil, space, gone); err == nil {
		s.Error("a filter by the old names gave no error")
	}

	s.must(s.Store().Drop(s.ctx, nil, second))
	s.must(s.Store().Create(s.ctx, nil, vector.Space{Name: second, Dim: 2, Metric: vector.L2}))
	if n, err := s.Store().Count(s.ctx, nil, second); err != nil || n != 0 {
		s.Errorf("a field that was deleted and made again has %d vectors, %v", n, err)
	}
	s.verify()

	remove := func(tx dbx.Builder) {
		s.must(s.Store().Drop(s.ctx, tx, space))
		_, err := tx.DropTable("papers").Execute()
		s.must(err)
		if _, err := s.Store().Count(s.ctx, tx, space); !errors.Is(err, vector.ErrNoSpace) {
			s.Errorf("within the transaction a deleted space gave %v", err)
		}
	}
	s.rolledBack(remove)
	s.verify()
	s.check(vector.Cosine, filter("papers", "squad"), permitted)
	s.must(s.Transaction(func(tx dbx.Builder) error { remove(tx); return nil }))
	if err := s.Store().Put(s.ctx, nil, space, items[0]); !errors.Is(err, vector.ErrNoSpace) {
		s.Errorf("writing to a deleted space gave %v", err)
	}
	clear(s.want)
	s.create(vector.L2)
	s.put(s.vectors(0, 20)...)
	s.check(vector.L2, vector.Filter{}, nil)
}

// rename makes docs papers and its team squad.
func (s *suite) rename() {
	s.Helper()
	records, ok := s.Engine.(Records)
	if !ok {
		s.execute("ALTER TABLE docs RENAME TO papers", "ALTER TABLE papers RENAME COLUMN team TO squad")
		return
	}
	collection, err := records.App().FindCollectionByNameOrId("docs")
	s.must(err)
	collection.Name = "papers"
	collection.RemoveIndex("idx_docs_team")
	collection.Fields.GetByName("team").SetName("squad")
	s.must(records.App().Save(collection))
}

// backup keeps a state and goes back to it.
func (s *suite) backup() {
	s.create(vector.Cosine)
	s.put(s.vectors(0, 1500)...)
	s.index()
	s.put(s.vectors(1500, 50)...)
	s.remove("r000003")
	kept := maps.Clone(s.want)
	s.Backup(s.T)
	s.put(s.vectors(1000, 1000)...)
	s.remove("r000004", "r001501")
	s.verify()
	s.Restore(s.T)
	s.want = kept
	s.verify()
	s.check(vector.Cosine, vector.Filter{}, nil)
	s.put(s.vectors(1400, 300)...)
	s.index()
	s.verify()
	s.check(vector.Cosine, vector.Filter{}, nil)
}

// failures lets operations fail in a transaction, which goes on.
func (s *suite) failures() {
	s.create(vector.Cosine)
	items := s.vectors(0, 1100)
	s.put(items...)
	s.index()
	added := vector.Item{ID: "added", Vector: items[1].Vector}
	s.must(s.Transaction(func(tx dbx.Builder) error {
		s.must(s.Store().Put(s.ctx, tx, space, added))
		if err := s.Store().Put(s.ctx, tx, space, items[2], vector.Item{ID: "short", Vector: items[1].Vector[1:]}); !errors.Is(err, vector.ErrDimension) {
			s.Errorf("a short vector gave %v", err)
		}
		_, err := s.Store().Search(s.ctx, tx, space, vector.Query{Vector: items[0].Vector, Filter: vector.Filter{Column: "nowhere.id",
			Query: func(tx dbx.Builder) *dbx.SelectQuery { return tx.Select("nowhere.id").From("nowhere") }}})
		if err == nil {
			s.Error("a filter on an unknown table gave no error")
		}
		if err := s.Store().Create(s.ctx, tx, vector.Space{Name: space, Dim: 3, Metric: vector.L2}); !errors.Is(err, vector.ErrSpace) {
			s.Errorf("another dimension gave %v", err)
		}
		return s.Store().Delete(s.ctx, tx, space, items[0].ID)
	}))
	s.want[added.ID] = added.Vector
	delete(s.want, items[0].ID)
	s.verify()
	s.check(vector.Cosine, vector.Filter{}, nil)
}
