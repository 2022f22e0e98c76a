package main

import (
	"context"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/agentrt/agentrt/agentrt"
	"github.com/agentrt/agentrt/internal/apptest"
	"github.com/pocketbase/pocketbase/core"
)

func TestBuildAndDeploy(t *testing.T) {
	app, err := apptest.Start(t.TempDir(), nil, agentrt.Config{}, func(app core.App) error {
		c, err := app.FindCollectionByNameOrId(core.CollectionNameSuperusers)
		if err != nil {
			return err
		}
		r := core.NewRecord(c)
		r.SetEmail("admin@example.com")
		r.SetPassword("1234567890")
		return app.Save(r)
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := app.Stop(); err != nil {
			t.Error(err)
		}
	}()
	dir := t.TempDir()
	if err := apptest.Write(dir, map[string]string{"src/routes/path.ts": `
		import { join } from "node:path";
		export const GET = () => new Response(join("a", "..", "b"));`}); err != nil {
		t.Fatal(err)
	}
	credentials := []string{"--url", app.URL, "--email", "admin@example.com", "--password", "1234567890", "--functions", dir}
	for _, args := range [][]string{
		{"build", "--functions", dir},
		append([]string{"deploy", "--prebuilt"}, credentials...),
		append([]string{"deploy"}, credentials...),
		append([]string{"deploy", "--list"}, credentials...),
	} {
		if err := run(context.Background(), args); err != nil {
			t.Fatalf("%v: %v", args, err)
		}
	}
	res, err := app.Get(t.Context(), "/path")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if text, _ := io.ReadAll(res.Body); res.StatusCode != http.StatusOK || string(text) != "b" {
		t.Errorf("%d %q", res.StatusCode, text)
	}
	for _, s := range []struct {
		args []string
		want string
	}{
		{[]string{"deploy", "--url", app.URL, "--email", "admin@example.com", "--password", "wrong"}, "signing in"},
		{[]string{"deploy", "--url", app.URL}, "a superuser is needed"},
		{[]string{"deploy", "--url", app.URL, "--token", "nonsense", "--functions", dir}, "401"},
		{append([]string{"deploy", "--rollback", "000000000000"}, credentials...), "no deployment"},
		{[]string{"build", "--functions", filepath.Join(dir, "nowhere")}, "nowhere"},
	} {
		t.Setenv("AGENTRT_TOKEN", "")
		if err := run(context.Background(), s.args); err == nil || !strings.Contains(err.Error(), s.want) {
			t.Errorf("%v: error %v lacks %q", s.args, err, s.want)
		}
	}
}
