package vectorfield_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"testing"

	"github.com/agentrt/agentrt/vector"
	"github.com/agentrt/agentrt/vector/sqlitevec"
	"github.com/agentrt/agentrt/vector/vectorfield"
	validation "github.com/pocketbase/ozzo-validation/v4"
	"github.com/pocketbase/pocketbase/core"
	_ "github.com/pocketbase/pocketbase/migrations" // makes the tables of a new app
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/pocketbase/pocketbase/core.(*BaseApp).initLogger.func1"),
		goleak.IgnoreAnyFunction("database/sql.(*DB).connectionOpener"))
}

type env struct {
	t testing.TB
	*core.BaseApp
	vectors *vectorfield.Vectors
}

// open starts an app in dir whose vector spaces get an index from so many vectors on.
func open(t testing.TB, dir string, indexFrom int) *env {
	t.Helper()
	app := core.NewBaseApp(core.BaseAppConfig{DataDir: dir})
	e := &env{t, app, vectorfield.Register(app, vectorfield.Config{Open: func(ctx context.Context, app core.App) (vector.Store, error) {
		return sqlitevec.New(ctx, app, sqlitevec.Options{IndexFrom: indexFrom, OnError: func(space string, err error) { t.Errorf("building %s: %v", space, err) }})
	}})}
	if err := app.Bootstrap(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.close)
	return e
}

func (e *env) close() {
	if !e.IsBootstrapped() {
		return
	}
	err := e.OnTerminate().Trigger(&core.TerminateEvent{App: e.BaseApp}, func(t *core.TerminateEvent) error { return e.ResetBootstrapState() })
	if err != nil {
		e.t.Error(err)
	}
}

func (e *env) must(err error) {
	e.t.Helper()
	if err != nil {
		e.t.Fatal(err)
	}
}

// docs makes a collection of titles with a vector of 3 dimensions.
func (e *env) docs(change ...func(*core.Collection, *vectorfield.Field)) *core.Collection {
	e.t.Helper()
	c := core.NewBaseCollection("docs")
	f := &vectorfield.Field{Name: "embedding", Dimensions: 3, Metric: vector.L2}
	c.Fields.Add(&core.TextField{Name: "title"}, f)
	for _, change := range change {
		change(c, f)
	}
	e.must(e.Save(c))
	return c
}

func (e *env) add(c *core.Collection, fields map[string]any) *core.Record {
	e.t.Helper()
	r := core.NewRecord(c)
	r.Load(fields)
	e.must(e.Save(r))
	return r
}

// stored is the vector that the store has of a record.
func (e *env) stored(r *core.Record) []float32 {
	e.t.Helper()
	fresh, err := e.FindRecordById(r.Collection().Id, r.Id)
	e.must(err)
	e.must(e.vectors.Load(e.t.Context(), e, "embedding", fresh))
	return vectorfield.ValueOf(fresh, "embedding").Numbers()
}

// agree fails the test unless all records agree with the store.
func (e *env) agree() {
	e.t.Helper()
	places, err := e.vectors.Places(e, "")
	e.must(err)
	for _, p := range places {
		if r, err := e.vectors.Verify(e.t.Context(), e, p, nil); err != nil || !r.OK() {
			e.t.Errorf("%v: %+v, %v", p, r, err)
		}
	}
}

// problem is the message of a field's validation error.
func problem(err error, field string) string {
	if all, ok := errors.AsType[validation.Errors](err); ok && all[field] != nil {
		return all[field].Error()
	}
	return fmt.Sprintf("no problem of %s: %v", field, err)
}

func asJSON(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
