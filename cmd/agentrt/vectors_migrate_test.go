package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/agentrt/agentrt/vector/vectorfield"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/plugins/migratecmd"
)

// TestVectorFieldsInMigrations lets PocketBase write migrations of collections with
// vector fields.
func TestVectorFieldsInMigrations(t *testing.T) {
	app := core.NewBaseApp(core.BaseAppConfig{DataDir: t.TempDir()})
	vectorfield.Register(app, vectorfield.Config{})
	dir := filepath.Join(t.TempDir(), "migrations")
	migratecmd.MustRegister(app, nil, migratecmd.Config{TemplateLang: migratecmd.TemplateLangGo, Automigrate: true, Dir: dir})
	if err := app.Bootstrap(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		err := app.OnTerminate().Trigger(&core.TerminateEvent{App: app}, func(e *core.TerminateEvent) error { return e.App.ResetBootstrapState() })
		if err != nil {
			t.Error(err)
		}
	}()
	save := func(c *core.Collection) {
		t.Helper()
		event := &core.CollectionRequestEvent{RequestEvent: &core.RequestEvent{App: app}}
		event.Collection = c
		hook := app.OnCollectionUpdateRequest()
		if c.IsNew() {
			hook = app.OnCollectionCreateRequest()
		}
		if err := hook.Trigger(event, func(e *core.CollectionRequestEvent) error { return app.Save(e.Collection) }); err != nil {
			t.Fatal(err)
		}
	}
	c := core.NewBaseCollection("docs")
	c.Fields.Add(&core.TextField{Name: "title"})
	save(c)
	c, err := app.FindCollectionByNameOrId("docs")
	if err != nil {
		t.Fatal(err)
	}
	c.Fields.Add(&vectorfield.Field{Name: "embedding", Dimensions: 3, Metric: "dot", Embed: &vectorfield.Embed{From: "{{title}}", Model: "m"}, Text: []string{"title"}})
	save(c)
	files, err := filepath.Glob(filepath.Join(dir, "*updated_docs.go"))
	if err != nil || len(files) != 1 {
		t.Fatalf("migrations %q, %v", files, err)
	}
	text, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"type": "vector"`, `"dimensions": 3`, `"metric": "dot"`, `"from": "{{title}}"`, `"model": "m"`} {
		if !strings.Contains(string(text), want) {
			t.Errorf("the migration has no %s:\n%s", want, text)
		}
	}
	// What the migration does: add the field from its JSON.
	_, rest, _ := strings.Cut(string(text), "[]byte(`")
	raw, _, _ := strings.Cut(rest, "`)")
	other := core.NewBaseCollection("other")
	other.Fields.Add(&core.TextField{Name: "title"})
	if err := other.Fields.AddMarshaledJSONAt(2, []byte(raw)); err != nil {
		t.Fatal(err)
	}
	if err := app.Save(other); err != nil {
		t.Fatal(err)
	}
	f, ok := other.Fields.GetByName("embedding").(*vectorfield.Field)
	if !ok || f.Dimensions != 3 || f.Metric != "dot" || f.Embed == nil || *f.Embed != (vectorfield.Embed{From: "{{title}}", Model: "m"}) || len(f.Text) != 1 {
		t.Errorf("the migration adds %+v", f)
	}
}
