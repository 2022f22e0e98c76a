package main

import (
	"bytes"
	"context"
	"io"
	"strings"
	"testing"

	"github.com/agentrt/agentrt/agentrt"
	"github.com/agentrt/agentrt/internal/apptest"
	"github.com/agentrt/agentrt/vector/vectorfield"
	"github.com/pocketbase/pocketbase/core"
)

func TestVectorsCommand(t *testing.T) {
	app, err := apptest.Start(t.TempDir(), nil, agentrt.Config{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := app.Stop(); err != nil {
			t.Error(err)
		}
	}()
	command := func(args ...string) (string, error) {
		var out bytes.Buffer
		cmd := vectorsCommand(app)
		cmd.SetArgs(args)
		cmd.SetOut(&out)
		cmd.SetErr(io.Discard)
		err := cmd.ExecuteContext(context.Background())
		return out.String(), err
	}
	if out, err := command("verify"); out != "" || err != nil {
		t.Errorf("without a field: %q, %v", out, err)
	}
	c := core.NewBaseCollection("docs")
	field := &vectorfield.Field{Name: "v", Dimensions: 2, Text: []string{"title"}}
	c.Fields.Add(&core.TextField{Name: "title"}, field)
	if err := app.Save(c); err != nil {
		t.Fatal(err)
	}
	for i := range 10 {
		r := core.NewRecord(c)
		r.Set("title", "word")
		if i > 0 {
			r.Set("v", []float32{float32(i), 1})
		}
		if err := app.Save(r); err != nil {
			t.Fatal(err)
		}
	}
	run := func(want string, args ...string) {
		t.Helper()
		out, err := command(args...)
		if out = strings.Join(strings.Fields(out), " "); out != want || err != nil {
			t.Errorf("%q: %v\n got %s\nwant %s", args, err, out, want)
		}
	}
	head := "FIELD DIMENSIONS METRIC RECORDS VECTORS WITHOUT WORDS SEARCH "
	run(head+"docs.v 2 cosine 10 9 1 10 compares all", "status")
	run("", "reindex", "docs")
	run(head+"docs.v 2 cosine 10 9 1 10 index", "status", "docs")
	run("docs.v: records and vectors agree: 9 vectors, 0 missing, 0 wrong, 0 stale; index: 0 missing, 0 wrong, 0 stale; words: 10 records, 0 wrong, 0 stale", "verify")
	for _, q := range []string{
		"UPDATE docs SET v = '2:0123456789abcdef01234567' WHERE id = (SELECT min(id) FROM docs WHERE v <> '')",
		"UPDATE docs SET v = '' WHERE id = (SELECT max(id) FROM docs WHERE v <> '')",
		"UPDATE docs SET v = '2:0123456789abcdef01234567' WHERE id = (SELECT id FROM docs d WHERE NOT EXISTS (SELECT 1 FROM _vector_v_" + field.Space(c).Name + " s WHERE s.id = d.id))",
		"UPDATE docs SET title = 'other' WHERE id = (SELECT min(id) FROM docs)",
	} {
		if _, err := app.NonconcurrentDB().NewQuery(q).Execute(); err != nil {
			t.Fatal(err)
		}
	}
	out, err := command("verify")
	if want := "docs.v: records and vectors DISAGREE: 7 vectors, 1 missing, 1 wrong, 1 stale; index: 0 missing, 0 wrong, 0 stale; words: 9 records, 1 wrong, 0 stale\n"; out != want || err == nil {
		t.Errorf("after damage: %v\n got %s\nwant %s", err, out, want)
	}
	run("", "reindex")
	if out, _ := command("verify"); !strings.Contains(out, "words: 10 records, 0 wrong") {
		t.Errorf("after reindexing: %s", out)
	}
	if _, err := command("status", "none"); err == nil || !strings.Contains(err.Error(), `there is no collection "none"`) {
		t.Errorf("an unknown collection: %v", err)
	}
}
