package benchmarks

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"

	"github.com/agentrt/agentrt/internal/sqlitedb"
	"github.com/agentrt/agentrt/vector"
	"github.com/agentrt/agentrt/vector/sqlitevec"
	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase"
	"github.com/pocketbase/pocketbase/core"
)

// noIndex keeps a store from building an index in the background.
const noIndex = 1 << 40

// sqliteVectors is the data.db of a PocketBase app.
type sqliteVectors struct {
	dir     string
	app     core.App
	vectors *sqlitevec.Store
}

func (s *sqliteVectors) store() vector.Store { return s.vectors }

func (s *sqliteVectors) open(ctx context.Context) error {
	app := pocketbase.NewWithConfig(pocketbase.Config{HideStartBanner: true, DefaultDataDir: s.dir, DBConnect: sqlitedb.Connect})
	if err := app.Bootstrap(); err != nil {
		return err
	}
	vectors, err := sqlitevec.New(ctx, app, sqlitevec.Options{IndexFrom: noIndex})
	if err != nil {
		return errors.Join(err, app.ResetBootstrapState())
	}
	s.app, s.vectors = app, vectors
	return nil
}

func (s *sqliteVectors) load(ctx context.Context) error { return s.vectors.Load(ctx) }

func (s *sqliteVectors) close() error {
	err := errors.Join(s.vectors.Close(), s.app.ResetBootstrapState())
	s.app, s.vectors = nil, nil
	return err
}

func (s *sqliteVectors) remove() error { return nil }

func (s *sqliteVectors) transaction(f func(tx dbx.Builder) error) error {
	return s.app.RunInTransaction(func(tx core.App) error { return f(tx.NonconcurrentDB()) })
}

func (s *sqliteVectors) docs(context.Context) error {
	collection := core.NewBaseCollection("docs")
	collection.Fields.Add(&core.NumberField{Name: "team"})
	collection.AddIndex("idx_docs_team", false, "team", "")
	return s.app.Save(collection)
}

func (s *sqliteVectors) file() string { return filepath.Join(s.dir, "data.db") }

func (s *sqliteVectors) settle(ctx context.Context) error {
	_, err := s.app.NonconcurrentDB().NewQuery("PRAGMA optimize").WithContext(ctx).Execute()
	return err
}

func (s *sqliteVectors) evict(context.Context) error { return evict(s.file()) }

func (s *sqliteVectors) oneCore(_ context.Context, f func() error) error {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	return f()
}

func (s *sqliteVectors) size(context.Context) (float64, error) {
	info, err := os.Stat(s.file())
	if err != nil {
		return 0, err
	}
	return float64(info.Size()), nil
}

func (s *sqliteVectors) extra(map[string]float64) error { return nil }
