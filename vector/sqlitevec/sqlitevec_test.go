package sqlitevec_test

import (
	"testing"

	"github.com/agentrt/agentrt/vector"
	"github.com/agentrt/agentrt/vector/sqlitevec"
	"github.com/agentrt/agentrt/vector/vectortest"
	"github.com/pocketbase/pocketbase/core"
	_ "github.com/pocketbase/pocketbase/migrations" // makes the tables of a new app
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// engine is a PocketBase app on its own driver with a store in its data.db.
type engine struct {
	dir     string
	options sqlitevec.Options
	app     core.App
	store   *sqlitevec.Store
}

func start(t *testing.T, options sqlitevec.Options) *engine {
	t.Helper()
	options.OnError = func(space string, err error) { t.Errorf("building %s: %v", space, err) }
	e := &engine{dir: t.TempDir(), options: options}
	e.start(t)
	t.Cleanup(func() { e.stop(t) })
	return e
}

func (e *engine) start(t *testing.T) {
	t.Helper()
	e.app = core.NewBaseApp(core.BaseAppConfig{DataDir: e.dir})
	if err := e.app.Bootstrap(); err != nil {
		t.Fatal(err)
	}
	var err error
	if e.store, err = sqlitevec.New(t.Context(), e.app, e.options); err != nil {
		t.Fatal(err)
	}
	if err := e.store.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func (e *engine) stop(t *testing.T) {
	t.Helper()
	if err := e.store.Close(); err != nil {
		t.Error(err)
	}
	if err := e.app.ResetBootstrapState(); err != nil {
		t.Error(err)
	}
}

func (e *engine) App() core.App       { return e.app }
func (e *engine) Store() vector.Store { return e.store }
func (e *engine) Restart(t *testing.T) {
	t.Helper()
	e.stop(t)
	e.start(t)
}

func TestConformanceWithoutIndex(t *testing.T) {
	vectortest.Run(t, false, func(t *testing.T) vectortest.Engine { return start(t, sqlitevec.Options{IndexFrom: 1 << 30}) })
}

func TestConformanceWithIndex(t *testing.T) {
	vectortest.Run(t, true, func(t *testing.T) vectortest.Engine { return start(t, sqlitevec.Options{IndexFrom: 1 << 30}) })
}
