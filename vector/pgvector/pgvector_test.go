package pgvector_test

import (
	"context"
	"fmt"
	"os"
	"sync"
	"testing"

	"github.com/agentrt/agentrt/internal/pgtest"
	"github.com/agentrt/agentrt/vector"
	"github.com/agentrt/agentrt/vector/pgvector"
	"github.com/agentrt/agentrt/vector/vectortest"
	"github.com/pocketbase/dbx"
	"go.uber.org/goleak"
)

// server is started when the first test needs it, and ended after the last.
var server = sync.OnceValues(func() (*pgtest.Cluster, error) { return pgtest.Start(context.Background()) })

func TestMain(m *testing.M) {
	status := m.Run()
	if c, err := server(); err == nil {
		if err := c.Stop(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			status = 1
		}
	}
	if err := goleak.Find(); err != nil && status == 0 {
		fmt.Fprintln(os.Stderr, err)
		status = 1
	}
	os.Exit(status)
}

func cluster(t *testing.T) *pgtest.Cluster {
	t.Helper()
	c, err := server()
	if err != nil {
		pgtest.Missing(t, err)
	}
	return c
}

// engine is a store in a database of its own.
type engine struct {
	cluster        *pgtest.Cluster
	database, kept string
	options        pgvector.Options
	store          *pgvector.Store
}

func start(t *testing.T, options pgvector.Options) *engine {
	t.Helper()
	options.OnError = func(space string, err error) { t.Errorf("building %s: %v", space, err) }
	e := &engine{cluster: cluster(t), options: options}
	var err error
	if e.database, err = e.cluster.Create(t.Context()); err != nil {
		t.Fatal(err)
	}
	e.start(t)
	t.Cleanup(func() { e.stop(t) })
	return e
}

func (e *engine) start(t *testing.T) {
	t.Helper()
	var err error
	if e.store, err = pgvector.Open(t.Context(), e.cluster.DSN(e.database), e.options); err != nil {
		t.Fatal(err)
	}
}

func (e *engine) stop(t *testing.T) {
	t.Helper()
	if err := e.store.Close(); err != nil {
		t.Error(err)
	}
}

func (e *engine) Store() vector.Store { return e.store }

func (e *engine) Transaction(f func(tx dbx.Builder) error) error {
	db, err := e.store.DB()
	if err != nil {
		return err
	}
	return db.Transactional(func(tx *dbx.Tx) error { return f(tx) })
}

// Restart lets the server lose what it has in memory.
func (e *engine) Restart(t *testing.T) {
	t.Helper()
	e.stop(t)
	if err := e.cluster.Crash(t.Context()); err != nil {
		t.Fatal(err)
	}
	e.start(t)
}

func (e *engine) Backup(t *testing.T) {
	t.Helper()
	var err error
	if e.kept, err = e.cluster.Copy(t.Context(), e.database); err != nil {
		t.Fatal(err)
	}
}

func (e *engine) Restore(t *testing.T) {
	t.Helper()
	e.stop(t)
	e.database = e.kept
	e.start(t)
}

func TestConformanceWithoutIndex(t *testing.T) {
	vectortest.Run(t, vectortest.Config{Large: 1200}, func(t *testing.T) vectortest.Engine { return start(t, pgvector.Options{IndexFrom: 1 << 30}) })
}

func TestConformanceWithIndex(t *testing.T) {
	vectortest.Run(t, vectortest.Config{Indexed: true, Large: 1200}, func(t *testing.T) vectortest.Engine { return start(t, pgvector.Options{IndexFrom: 1 << 30}) })
}

func TestConformanceWithHalfIndex(t *testing.T) {
	vectortest.Run(t, vectortest.Config{Indexed: true, Large: 1200}, func(t *testing.T) vectortest.Engine {
		return start(t, pgvector.Options{IndexFrom: 1 << 30, Half: true})
	})
}
