package vectorfield_test

import (
	"archive/zip"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/agentrt/agentrt/vector"
	"github.com/agentrt/agentrt/vector/vectorfield"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"
)

// spaces are the names of the vector tables in the database.
func (e *env) spaces() (names []string) {
	e.t.Helper()
	e.must(e.DB().NewQuery("SELECT name FROM sqlite_master WHERE name LIKE '\\_vector\\_v\\_%' ESCAPE '\\' OR name LIKE '\\_vector\\_d\\_%' ESCAPE '\\' ORDER BY 1").Column(&names))
	return names
}

func (e *env) nearest(c *core.Collection, x ...float32) string {
	e.t.Helper()
	hits, err := e.vectors.Search(e.t.Context(), e, c, nil, vectorfield.Query{Vector: x, Top: 1})
	e.must(err)
	if len(hits) == 0 {
		return ""
	}
	return hits[0].Record.GetString("title")
}

func TestRollback(t *testing.T) {
	e := open(t, t.TempDir(), 1<<30)
	c := e.docs(func(_ *core.Collection, f *vectorfield.Field) { f.Text = []string{"title"} })
	r := e.add(c, map[string]any{"title": "first", "embedding": []float32{1, 2, 3}})
	refused := errors.New("refused")
	err := e.RunInTransaction(func(tx core.App) error {
		r, err := tx.FindRecordById(c, r.Id)
		e.must(err)
		r.Set("embedding", []float32{9, 9, 9})
		e.must(tx.Save(r))
		other := core.NewRecord(c)
		other.Set("title", "second")
		other.Set("embedding", []float32{8, 8, 8})
		e.must(tx.Save(other))
		hits, err := e.vectors.Search(t.Context(), tx, c, nil, vectorfield.Query{Vector: []float32{8, 8, 8}, Top: 1})
		if err != nil || len(hits) != 1 || hits[0].Record.Id != other.Id {
			t.Errorf("in the transaction: %v, %v", hits, err)
		}
		return refused
	})
	if !errors.Is(err, refused) || !slices.Equal(e.stored(r), []float32{1, 2, 3}) || e.nearest(c, 8, 8, 8) != "first" {
		t.Errorf("after a rollback: %v, %v, %q", err, e.stored(r), e.nearest(c, 8, 8, 8))
	}
	// A hook that fails once the record is written.
	e.OnRecordCreateExecute("docs").Bind(&hook.Handler[*core.RecordEvent]{Priority: 1000, Func: func(re *core.RecordEvent) error { return errors.Join(re.Next(), refused) }})
	record := core.NewRecord(c)
	record.Set("embedding", []float32{5, 5, 5})
	if err := e.Save(record); !errors.Is(err, refused) || e.nearest(c, 5, 5, 5) != "first" {
		t.Errorf("after a hook failed: %v", err)
	}
	e.agree()
}

// A hook that runs outside of ours sees the record's app as it was.
func TestHooksKeepTheirApp(t *testing.T) {
	e := open(t, t.TempDir(), 1<<30)
	c := e.docs()
	var calls []bool
	e.OnRecordAfterCreateSuccess("docs").BindFunc(func(re *core.RecordEvent) error {
		calls = append(calls, re.App.IsTransactional())
		return re.Next()
	})
	e.add(c, map[string]any{"embedding": []float32{1, 2, 3}})
	if !slices.Equal(calls, []bool{false}) {
		t.Errorf("After hooks ran with %v", calls)
	}
}

func TestDeletes(t *testing.T) {
	e := open(t, t.TempDir(), 1<<30)
	parents := core.NewBaseCollection("parents")
	e.must(e.Save(parents))
	c := e.docs(func(c *core.Collection, f *vectorfield.Field) {
		f.Text = []string{"title"}
		c.Fields.Add(&core.RelationField{Name: "parent", CollectionId: parents.Id, CascadeDelete: true, MaxSelect: 1})
	})
	parent := e.add(parents, nil)
	one := e.add(c, map[string]any{"title": "one", "embedding": []float32{1, 1, 1}})
	e.add(c, map[string]any{"title": "two", "embedding": []float32{2, 2, 2}, "parent": parent.Id})
	e.add(c, map[string]any{"title": "three", "embedding": []float32{3, 3, 3}})
	e.must(e.Delete(parent))
	if got := e.nearest(c, 2, 2, 2.1); got != "three" {
		t.Errorf("after a cascade %q is nearest", got)
	}
	e.agree()
	e.must(e.Delete(one))
	e.agree()
	e.must(e.TruncateCollection(c))
	if got := e.nearest(c, 2, 2, 2.1); got != "" {
		t.Errorf("after truncating %q is nearest", got)
	}
	e.agree()
}

func TestCollectionChanges(t *testing.T) {
	e := open(t, t.TempDir(), 1<<30)
	c := e.docs(func(_ *core.Collection, f *vectorfield.Field) { f.Text = []string{"title"} })
	e.add(c, map[string]any{"title": "a word", "embedding": []float32{1, 2, 3}})
	r := e.add(c, map[string]any{"title": "another", "embedding": []float32{4, 5, 6}})
	words := func(field, text string) int {
		t.Helper()
		hits, err := e.vectors.SearchHybrid(t.Context(), e, c, nil, vectorfield.Hybrid{Query: vectorfield.Query{Text: text, Field: field}, VectorWeight: new(float64)})
		e.must(err)
		return len(hits)
	}

	c.Name = "papers"
	c.Fields.GetByName("embedding").SetName("vec")
	c.Fields.GetByName("title").SetName("heading")
	c.Fields.GetByName("vec").(*vectorfield.Field).Text = []string{"heading"}
	e.must(e.Save(c))
	hits, err := e.vectors.Search(t.Context(), e, c, nil, vectorfield.Query{Vector: []float32{4, 5, 6}, Top: 1})
	if err != nil || len(hits) != 1 || hits[0].Record.Id != r.Id || words("vec", "word") != 1 {
		t.Errorf("after renaming: %v, %v", hits, err)
	}
	e.agree()

	f := c.Fields.GetByName("vec").(*vectorfield.Field)
	f.Dimensions = 4
	if text := asJSON(t, e.Save(c)); !strings.Contains(text, "The dimensions can change only while no record has a vector, but 2 have one.") {
		t.Errorf("other dimensions: %s", text)
	}
	f.Dimensions, f.Metric = 3, vector.Dot
	if text := asJSON(t, e.Save(c)); !strings.Contains(text, "The metric can change only while no record has a vector, but 2 have one.") {
		t.Errorf("another metric: %s", text)
	}
	for _, record := range hitsOf(e, c) {
		record.Set("vec", nil)
		e.must(e.Save(record))
	}
	f.Dimensions = 4
	e.must(e.Save(c))
	r, err = e.FindRecordById(c, r.Id)
	e.must(err)
	r.Set("vec", []float32{1, 2, 3, 4})
	e.must(e.Save(r))
	e.agree()

	c.Fields.Add(&vectorfield.Field{Name: "second", Dimensions: 2, Embed: &vectorfield.Embed{From: "heading"}})
	e.must(e.Save(c))
	if n := words("second", "word another"); n != 2 {
		t.Errorf("a new field knows the words of %d records", n)
	}
	if n := len(e.spaces()); n != 4 {
		t.Errorf("two fields have the tables %q", e.spaces())
	}
	c.Fields.RemoveByName("vec")
	e.must(e.Save(c))
	if n := len(e.spaces()); n != 2 {
		t.Errorf("after removing a field there are %q", e.spaces())
	}
	e.agree()
	e.must(e.Delete(c))
	if n := len(e.spaces()); n != 0 {
		t.Errorf("after deleting the collection there are %q", e.spaces())
	}
}

func hitsOf(e *env, c *core.Collection) []*core.Record {
	e.t.Helper()
	records, err := e.FindAllRecords(c)
	e.must(err)
	return records
}

func TestFailedCollectionChangeLeavesAll(t *testing.T) {
	e := open(t, t.TempDir(), 1<<30)
	c := e.docs()
	e.add(c, map[string]any{"title": "a", "embedding": []float32{1, 2, 3}})
	refused := errors.New("refused")
	id := e.OnCollectionUpdateExecute("docs").BindFunc(func(ce *core.CollectionEvent) error { return errors.Join(ce.Next(), refused) })
	changed, err := e.FindCollectionByNameOrId("docs")
	e.must(err)
	changed.Fields.RemoveByName("embedding")
	err = e.RunInTransaction(func(tx core.App) error { return tx.Save(changed) })
	if !errors.Is(err, refused) || e.nearest(c, 1, 2, 3) != "a" {
		t.Errorf("after a failed change: %v, nearest %q", err, e.nearest(c, 1, 2, 3))
	}
	e.OnCollectionUpdateExecute("docs").Unbind(id)
	e.agree()
}

func TestImportAndExport(t *testing.T) {
	e := open(t, t.TempDir(), 1<<30)
	c := e.docs(func(_ *core.Collection, f *vectorfield.Field) {
		f.Embed = &vectorfield.Embed{From: "{{title}}", Model: "m"}
	})
	e.add(c, map[string]any{"title": "kept", "embedding": []float32{1, 2, 3}})
	exported := asJSON(t, []*core.Collection{c})
	if want := `"dimensions":3,"embed":{"from":"{{title}}","model":"m"},"help":"","hidden":false`; !strings.Contains(exported, want) {
		t.Errorf("exported %s, want in it %s", exported, want)
	}
	other := open(t, t.TempDir(), 1<<30)
	for range 2 { // the second changes nothing
		other.must(other.ImportCollectionsByMarshaledJSON([]byte(exported), false))
		imported, err := other.FindCollectionByNameOrId("docs")
		other.must(err)
		if got := asJSON(t, imported.Fields.GetByName("embedding")); got != asJSON(t, c.Fields.GetByName("embedding")) {
			t.Errorf("imported %s", got)
		}
		other.add(imported, map[string]any{"title": "new", "embedding": []float32{1, 2, 3}})
		if got := other.nearest(imported, 1, 2, 3); got != "new" {
			t.Errorf("in the imported collection %q is nearest", got)
		}
	}
	e.must(e.ImportCollectionsByMarshaledJSON([]byte(exported), false))
	if got := e.nearest(c, 1, 2, 3); got != "kept" {
		t.Errorf("after importing over itself %q is nearest", got)
	}
	var all []map[string]any
	e.must(json.Unmarshal([]byte(exported), &all))
	all[0]["fields"] = slices.DeleteFunc(all[0]["fields"].([]any), func(f any) bool { return f.(map[string]any)["type"] == "vector" })
	e.must(e.ImportCollections(all, true))
	if left := e.spaces(); len(left) != 0 {
		t.Errorf("after importing without the field there are %q", left)
	}
}

func TestBackupAndRestore(t *testing.T) {
	e := open(t, t.TempDir(), 1<<30)
	c := e.docs(func(_ *core.Collection, f *vectorfield.Field) { f.Text = []string{"title"} })
	e.add(c, map[string]any{"title": "before", "embedding": []float32{1, 2, 3}})
	e.must(e.CreateBackup(t.Context(), "b.zip"))
	e.add(c, map[string]any{"title": "after", "embedding": []float32{4, 5, 6}})

	dir := t.TempDir()
	archive, err := zip.OpenReader(filepath.Join(e.DataDir(), core.LocalBackupsDirName, "b.zip"))
	e.must(err)
	defer archive.Close()
	for _, f := range archive.File {
		if strings.HasSuffix(f.Name, ".db") {
			in, err := f.Open()
			e.must(err)
			out, err := os.Create(filepath.Join(dir, f.Name))
			e.must(err)
			_, err = io.Copy(out, in)
			e.must(errors.Join(err, out.Close(), in.Close()))
		}
	}
	restored := open(t, dir, 1<<30)
	if got := restored.nearest(c, 4, 5, 6); got != "before" {
		t.Errorf("in the backup %q is nearest", got)
	}
	restored.agree()
}

func TestRestart(t *testing.T) {
	dir := t.TempDir()
	e := open(t, dir, 10)
	c := e.docs()
	for i := range 50 {
		e.add(c, map[string]any{"title": "x", "embedding": []float32{float32(i), 1, 1}})
	}
	e.add(c, map[string]any{"title": "last", "embedding": []float32{100, 1, 1}})
	e.close()
	e = open(t, dir, 10)
	c, err := e.FindCollectionByNameOrId("docs")
	e.must(err)
	if got := e.nearest(c, 99, 1, 1); got != "last" {
		t.Errorf("after a restart %q is nearest", got)
	}
	e.agree()
}
