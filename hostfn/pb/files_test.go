package pb

import (
	"testing"

	"github.com/agentrt/agentrt/quickjs"
	"github.com/pocketbase/pocketbase/core"
	_ "github.com/pocketbase/pocketbase/migrations" // PocketBase's own tables
)

// TestFilesAsCaller checks the rules that count where the caller's rights do.
func TestFilesAsCaller(t *testing.T) {
	app := core.NewBaseApp(core.BaseAppConfig{DataDir: t.TempDir()})
	if err := app.Bootstrap(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := app.ResetBootstrapState(); err != nil {
			t.Error(err)
		}
	}()
	all, owner := "", "@request.auth.id = owner"
	c := core.NewBaseCollection("docs")
	c.ViewRule, c.UpdateRule = &all, &owner
	c.Fields.Add(&core.TextField{Name: "owner"}, &core.FileField{Name: "file"}, &core.FileField{Name: "hidden", Hidden: true})
	if err := app.Save(c); err != nil {
		t.Fatal(err)
	}
	users, err := app.FindCollectionByNameOrId("users")
	if err != nil {
		t.Fatal(err)
	}
	user := core.NewRecord(users)
	user.SetEmail("a@example.com")
	user.SetPassword("1234567890")
	if err := app.Save(user); err != nil {
		t.Fatal(err)
	}
	r := core.NewRecord(c)
	r.Set("owner", user.Id)
	if err := app.Save(r); err != nil {
		t.Fatal(err)
	}
	for _, s := range []*struct {
		name        string
		scope       Scope
		save, field string
	}{
		{"superuser's rights", Scope{}, "", ""},
		{"guest", Scope{AsCaller: true}, "ERR_RECORD_NOT_FOUND", ""},
		{"owner", Scope{AsCaller: true, Auth: user}, "", "ERR_FIELD_NOT_FOUND"},
	} {
		t.Run(s.name, func(t *testing.T) {
			s.scope.App = app
			ctx := t.Context()
			req := fileRequest{Collection: "docs", Record: r.Id, Filename: "a.txt", Field: "file"}
			if _, err := listFiles(ctx, app, &s.scope, req); err != nil {
				t.Errorf("list: %v", err)
			}
			name, err := saveFile(ctx, app, &s.scope, req, []byte("text"))
			expectCode(t, "save", err, s.save)
			if err != nil {
				return
			}
			req.Filename = name
			if data, err := readFile(ctx, app, &s.scope, req); err != nil || string(data) != "text" {
				t.Errorf("read: %q, %v", data, err)
			}
			req.Filename, req.Field = "b.txt", "hidden"
			_, err = saveFile(ctx, app, &s.scope, req, []byte("text"))
			expectCode(t, "save to a hidden field", err, s.field)
		})
	}
}

func expectCode(t *testing.T, what string, err error, code string) {
	t.Helper()
	he, _ := err.(*quickjs.HostError)
	if code == "" && err != nil || code != "" && (he == nil || he.Code != code) {
		t.Errorf("%s: %v, want %q", what, err, code)
	}
}
