package agentrt_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/agentrt/agentrt/agentrt"
	"github.com/pocketbase/pocketbase/core"
)

func TestTypesFollowTheCollections(t *testing.T) {
	dir := t.TempDir()
	a := newApp(t, answering("v"), func(c *agentrt.Config) { c.Watch, c.FunctionsDir = true, dir })
	file := filepath.Join(dir, "types", "collections.d.ts")
	has := func(text string, want bool) {
		t.Helper()
		read := func() string { content, _ := os.ReadFile(file); return string(content) }
		eventually(t, func() bool { c := read(); return c != "" && strings.Contains(c, text) == want }, func() string { return text + ":\n" + read() })
	}
	has("users: { record: UsersRecord", true)
	notes := core.NewBaseCollection("notes")
	if err := a.Save(notes); err != nil {
		t.Fatal(err)
	}
	has("interface NotesRecord {", true)
	notes.Fields.Add(&core.NumberField{Name: "stars"})
	if err := a.Save(notes); err != nil {
		t.Fatal(err)
	}
	has("  stars: number;", true)
	if err := a.Delete(notes); err != nil {
		t.Fatal(err)
	}
	has("NotesRecord", false)
}
