package fulltext_test

import (
	"slices"
	"testing"

	"github.com/agentrt/agentrt/vector"
	"github.com/agentrt/agentrt/vector/fulltext"
	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
	_ "github.com/pocketbase/pocketbase/migrations" // makes the tables of a new app
)

func open(t *testing.T) (core.App, *fulltext.Index) {
	t.Helper()
	app := core.NewBaseApp(core.BaseAppConfig{DataDir: t.TempDir()})
	if err := app.Bootstrap(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := app.ResetBootstrapState(); err != nil {
			t.Error(err)
		}
	})
	i := fulltext.New(app)
	if err := i.Create(t.Context(), nil, "x", 2); err != nil {
		t.Fatal(err)
	}
	err := i.Put(t.Context(), nil, "x",
		fulltext.Document{ID: "a", Texts: []string{"Streams", "A stream of tokens flows, tokens and tokens"}},
		fulltext.Document{ID: "b", Texts: []string{"Crème brûlée", "one token of sugar, among many other words that say nothing of interest"}},
		fulltext.Document{ID: "c", Texts: []string{"Straße", ""}},
		fulltext.Document{ID: "d", Texts: []string{" ", "\n"}})
	if err != nil {
		t.Fatal(err)
	}
	return app, i
}

func TestSearch(t *testing.T) {
	_, i := open(t)
	permitted := func(ids ...string) vector.Filter {
		return vector.Filter{Column: "p.value", Query: func(tx dbx.Builder) *dbx.SelectQuery {
			list := []any{}
			for _, id := range ids {
				list = append(list, id)
			}
			return tx.Select("p.value").From("json_each('[\"a\",\"b\",\"c\"]') p").Where(dbx.In("p.value", list...))
		}}
	}
	for _, test := range []struct {
		text   string
		limit  int
		filter vector.Filter
		want   []string
	}{
		{"tokens", 10, vector.Filter{}, []string{"a"}},
		{"TOKEN or tokens", 10, vector.Filter{}, []string{"a", "b"}},
		{"creme BRULEE", 10, vector.Filter{}, []string{"b"}},
		{"straße", 10, vector.Filter{}, []string{"c"}},
		{"token tokens straße", 1, vector.Filter{}, []string{"c"}},
		{"token tokens straße", 1, permitted("a", "b"), []string{"a"}},
		{"token tokens straße", 10, permitted("b"), []string{"b"}},
		{"token tokens straße", 10, permitted(), nil},
		{`" OR NEAR(a b) * ^ c0 : AND NOT -`, 10, vector.Filter{}, []string{"a"}}, // finds the word "a"
		{"nothing of this kind", 10, vector.Filter{}, []string{"b", "a"}},
		{"!?", 10, vector.Filter{}, nil},
	} {
		got, err := i.Search(t.Context(), nil, "x", test.text, test.limit, test.filter)
		if err != nil || !slices.Equal(got, test.want) {
			t.Errorf("%q found %q, %v; want %q", test.text, got, err, test.want)
		}
	}
}

func TestChanges(t *testing.T) {
	app, i := open(t)
	ctx := t.Context()
	find := func(text string) []string {
		t.Helper()
		ids, err := i.Search(ctx, nil, "x", text, 10, vector.Filter{})
		if err != nil {
			t.Fatal(err)
		}
		return ids
	}
	changed := fulltext.Document{ID: "a", Texts: []string{"other", "words"}}
	err := app.RunInTransaction(func(tx core.App) error {
		if err := i.Put(ctx, tx.NonconcurrentDB(), "x", changed); err != nil {
			return err
		}
		if found := find("tokens"); len(found) != 1 {
			t.Errorf("outside of the transaction: %q", found)
		}
		return nil
	})
	if err != nil || len(find("tokens")) != 0 || len(find("other words")) != 2 {
		t.Errorf("after a change: %v, %q, %q", err, find("tokens"), find("other words"))
	}
	if err := i.Delete(ctx, nil, "x", "b", "unknown"); err != nil {
		t.Fatal(err)
	}
	if err := i.Put(ctx, nil, "x", fulltext.Document{ID: "c", Texts: []string{"", ""}}); err != nil {
		t.Fatal(err)
	}
	if n, err := i.Count(ctx, nil, "x"); n != 1 || err != nil || len(find("straße brulee")) != 0 {
		t.Errorf("%d documents are left, %v", n, err)
	}
	right, wrong, err := i.Check(ctx, nil, "x", changed, fulltext.Document{ID: "c", Texts: []string{"", ""}}, fulltext.Document{ID: "e", Texts: []string{"new", ""}})
	if right != 1 || !slices.Equal(wrong, []string{"e"}) || err != nil {
		t.Errorf("check: %d, %q, %v", right, wrong, err)
	}
	if err := i.Drop(ctx, nil, "x"); err != nil {
		t.Fatal(err)
	}
	if n, err := i.Count(ctx, nil, "x"); n != 0 || err != nil {
		t.Errorf("a dropped space has %d, %v", n, err)
	}
	if err := i.Delete(ctx, nil, "x", "a"); err != nil {
		t.Error(err)
	}
}
