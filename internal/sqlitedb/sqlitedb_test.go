package sqlitedb_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/agentrt/agentrt/internal/sqlitedb"
	"github.com/pocketbase/pocketbase/core"
	_ "github.com/pocketbase/pocketbase/migrations" // makes the tables of a new app
)

func TestConnect(t *testing.T) {
	db, err := sqlitedb.Connect(filepath.Join(t.TempDir(), "x.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for query, want := range map[string]string{
		"PRAGMA journal_mode":                                            "wal",
		"PRAGMA busy_timeout":                                            "10000",
		"PRAGMA foreign_keys":                                            "1",
		"PRAGMA synchronous":                                             "1",
		"PRAGMA temp_store":                                              "2",
		"PRAGMA cache_size":                                              "-32000",
		"SELECT vec_version()":                                           "v0.1.",
		"SELECT vec_distance_l2('[1, 2]', '[4, 6]')":                     "5",
		"SELECT json_extract('{\"a\": [1, 2]}', '$.a[1]')":               "2",
		"SELECT sqlite_compileoption_used('ENABLE_FTS5')":                "1",
		"SELECT count(*) FROM pragma_module_list WHERE name = 'vec0'":    "1",
		"SELECT substr(strftime('%Y-%m-%d', '2026-11-24 10:00'), 1, 10)": "2026-11-24",
	} {
		var got string
		if err := db.NewQuery(query).Row(&got); err != nil || !strings.HasPrefix(got, want) {
			t.Errorf("%s: %q, %v; want %q", query, got, err, want)
		}
	}
}

// TestPocketBase makes, reads, refuses and deletes a record by the driver.
func TestPocketBase(t *testing.T) {
	app := core.NewBaseApp(core.BaseAppConfig{DataDir: t.TempDir(), DBConnect: sqlitedb.Connect})
	if err := app.Bootstrap(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := app.ResetBootstrapState(); err != nil {
			t.Error(err)
		}
	}()
	c := core.NewBaseCollection("docs")
	c.Fields.Add(&core.TextField{Name: "title", Required: true})
	c.AddIndex("idx_docs_title", true, "title", "")
	if err := app.Save(c); err != nil {
		t.Fatal(err)
	}
	save := func() (*core.Record, error) {
		r := core.NewRecord(c)
		r.Set("title", "once")
		return r, app.Save(r)
	}
	r, err := save()
	if err != nil {
		t.Fatal(err)
	}
	// PocketBase tells a value that is taken by the driver's error.
	if _, err := save(); err == nil || !strings.Contains(err.Error(), "title") {
		t.Errorf("a title that is taken gave %v", err)
	}
	if found, err := app.FindFirstRecordByFilter("docs", "title ~ 'ONC'"); err != nil || found.Id != r.Id {
		t.Errorf("found %v, %v", found, err)
	}
	if err := app.Delete(r); err != nil {
		t.Error(err)
	}
}
