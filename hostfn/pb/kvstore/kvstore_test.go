package kvstore_test

import (
	"fmt"
	"testing"

	"github.com/agentrt/agentrt/hostfn/pb/kvstore"
	"github.com/pocketbase/pocketbase/core"
	_ "github.com/pocketbase/pocketbase/migrations" // PocketBase's own tables
)

func newApp(tb testing.TB) core.App {
	tb.Helper()
	app := core.NewBaseApp(core.BaseAppConfig{DataDir: tb.TempDir()})
	if err := app.Bootstrap(); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := app.ResetBootstrapState(); err != nil {
			tb.Error(err)
		}
	})
	if err := kvstore.Create(tb.Context(), app); err != nil {
		tb.Fatal(err)
	}
	return app
}

func TestTransactions(t *testing.T) {
	app, ctx := newApp(t), t.Context()
	failed := fmt.Errorf("rolled back")
	for _, end := range []error{failed, nil} {
		err := app.RunInTransaction(func(tx core.App) error {
			if n, err := kvstore.Incr(ctx, tx, "n", 1, 0); err != nil || n != 1 {
				return fmt.Errorf("incr inside: %d, %w", n, err)
			}
			if e, err := kvstore.Get(ctx, tx, "n"); err != nil || string(e.Value) != "1" {
				return fmt.Errorf("get inside: %q, %w", e.Value, err)
			}
			return end
		})
		if err != end {
			t.Fatal(err)
		}
		e, err := kvstore.Get(ctx, app, "n")
		if want := end == nil; err != nil || (e.Version > 0) != want {
			t.Errorf("after a transaction that ended with %v: %+v, %v", end, e, err)
		}
	}
}

func TestCreateTwice(t *testing.T) {
	if err := kvstore.Create(t.Context(), newApp(t)); err != nil {
		t.Error(err)
	}
}

func BenchmarkGet(b *testing.B) {
	app, ctx := newApp(b), b.Context()
	for k := range 1000 {
		if _, err := kvstore.Set(ctx, app, fmt.Sprint("key", k), []byte(`{"name":"value"}`), kvstore.JSON, kvstore.SetOptions{}); err != nil {
			b.Fatal(err)
		}
	}
	for k := 0; b.Loop(); k++ {
		if e, err := kvstore.Get(ctx, app, fmt.Sprint("key", k%1000)); err != nil || e.Version == 0 {
			b.Fatal(e, err)
		}
	}
}

func BenchmarkIncr(b *testing.B) {
	app, ctx := newApp(b), b.Context()
	for b.Loop() {
		if _, err := kvstore.Incr(ctx, app, "n", 1, 0); err != nil {
			b.Fatal(err)
		}
	}
}
