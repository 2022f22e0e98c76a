package pgtest_test

import (
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/agentrt/agentrt/internal/pgtest"
	"github.com/jackc/pgx/v5"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestCluster(t *testing.T) {
	ctx := t.Context()
	c, err := pgtest.Start(ctx, "work_mem=5MB")
	if err != nil {
		pgtest.Missing(t, err)
	}
	name, err := c.Create(ctx)
	if err != nil {
		t.Fatal(err)
	}
	ask := func(database, query string) (value string) {
		t.Helper()
		conn, err := pgx.Connect(ctx, c.DSN(database))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close(ctx)
		if err := conn.QueryRow(ctx, query).Scan(&value); err != nil {
			t.Fatal(err)
		}
		return value
	}
	conn, err := pgx.Connect(ctx, c.DSN(name))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Exec(ctx, "CREATE TABLE kept AS SELECT 7 AS n"); err != nil {
		t.Fatal(err)
	}
	if err := conn.Close(ctx); err != nil {
		t.Fatal(err)
	}
	other, err := c.Copy(ctx, name)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Crash(ctx); err != nil {
		t.Fatal(err)
	}
	for _, database := range []string{name, other} {
		if got := ask(database, "SELECT n::text FROM kept"); got != "7" {
			t.Errorf("after a crash %s has %q", database, got)
		}
	}
	if got := ask(name, "SHOW work_mem"); got != "5MB" {
		t.Errorf("work_mem is %s", got)
	}
	dir := strings.TrimPrefix(strings.Fields(c.DSN(name))[0], "host=")
	if err := c.Stop(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%s is left", dir)
	}
}

// outcome is a test that records how it ends.
type outcome struct{ skipped, failed bool }

func (o *outcome) Helper()      {}
func (o *outcome) Skip(...any)  { o.skipped = true }
func (o *outcome) Fatal(...any) { o.failed = true; panic(o) }

func TestMissing(t *testing.T) {
	t.Setenv(pgtest.BinEnv, t.TempDir())
	_, err := pgtest.Start(t.Context())
	if !errors.Is(err, pgtest.ErrMissing) {
		t.Fatalf("without programs: %v", err)
	}
	for required, err := range map[string]error{"": err, "1": err, "0": errors.New("initdb failed")} {
		t.Setenv(pgtest.RequireEnv, required)
		o := &outcome{}
		func() {
			defer func() { _ = recover() }()
			pgtest.Missing(o, err)
		}()
		if want := required != ""; o.failed != want || o.skipped == want {
			t.Errorf("%q, %v: %+v", required, err, *o)
		}
	}
}
