package agentrt_test

import (
	"bytes"
	"fmt"
	"image"
	_ "image/png"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/agentrt/agentrt/internal/browser"
	"github.com/agentrt/agentrt/vector/vectorfield"
	"github.com/pocketbase/pocketbase/core"
)

// TestDashboard makes a collection with a vector field in PocketBase's dashboard, and
// edits a record there.
func TestDashboard(t *testing.T) {
	page := browser.Start(t)
	a := newApp(t, nil)
	superusers, err := a.FindCollectionByNameOrId(core.CollectionNameSuperusers)
	if err != nil {
		t.Fatal(err)
	}
	admin := core.NewRecord(superusers)
	admin.SetEmail("admin@example.com")
	admin.SetPassword("1234567890")
	if err := a.Save(admin); err != nil {
		t.Fatal(err)
	}
	shots := 0
	shoot := func() {
		t.Helper()
		shots++
		text := page.Screenshot()
		path := filepath.Join(t.ArtifactDir(), fmt.Sprintf("dashboard-%d.png", shots))
		if err := os.WriteFile(path, text, 0o644); err != nil {
			t.Fatal(err)
		}
		shown, _, err := image.Decode(bytes.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		colours := map[[3]uint32]int{}
		for x := 0; x < shown.Bounds().Dx(); x += 3 {
			for y := 0; y < shown.Bounds().Dy(); y += 3 {
				r, g, b, _ := shown.At(x, y).RGBA()
				colours[[3]uint32{r, g, b}]++
			}
		}
		if len(colours) < 20 {
			t.Errorf("%s shows next to nothing: %d colours", path, len(colours))
		}
	}
	button := func(text string) string {
		return fmt.Sprintf(`[...document.querySelectorAll("button")].filter((b) => b.getBoundingClientRect().width > 0 && b.innerText.trim() === %q).at(-1)`, text)
	}
	input := func(name string) string { return fmt.Sprintf(`document.querySelector("[name='%s']")`, name) }

	page.Open(a.URL + "/_/#/login")
	page.Fill(`document.querySelector("input[name=identity]")`, "admin@example.com")
	page.Fill(`document.querySelector("input[type=password]")`, "1234567890")
	page.Click(button("Login"))
	page.Wait(`document.body.innerText.includes("No records found")`)
	page.Click(button("New collection"))
	page.Fill(`document.querySelector("input[name=name]")`, "papers")
	page.Click(button("New field"))
	page.Click(button("Plain text"))
	page.Wait(`document.querySelectorAll("details.accordion, details").length > 0`)
	page.Click(button("New field"))
	page.Click(button("Vector"))
	page.Fill(input("fields.2.dimensions"), "3")
	page.Click(`document.querySelector("[name='fields.2.dimensions']").closest("details").querySelector("button[title='Field options']")`)
	page.Fill(input("fields.2.embed"), "{{text}}")
	shoot()
	page.Click(button("Create"))
	page.Wait(`!` + button("Create"))
	c, err := a.FindCollectionByNameOrId("papers")
	if err != nil {
		t.Fatal(err)
	}
	f, ok := c.Fields.GetByName("vector").(*vectorfield.Field)
	if !ok || f.Dimensions != 3 || f.Metric != "cosine" || f.Embed == nil || f.Embed.From != "{{text}}" || f.Embed.Model != "" {
		t.Fatalf("the dashboard made %+v", c.Fields)
	}

	stored := func(id string) []float32 {
		t.Helper()
		r, err := a.FindRecordById("papers", id)
		if err != nil {
			t.Fatal(err)
		}
		if err := a.Engine.Vectors().Load(t.Context(), a, "vector", r); err != nil {
			t.Fatal(err)
		}
		return vectorfield.ValueOf(r, "vector").Numbers()
	}
	vector := `document.querySelector(".record-field-input.field-type-vector textarea")`
	page.Click(button("New record"))
	page.Fill(vector, "[1, 2]")
	page.Click(button("Create"))
	page.Wait(`document.body.innerText.includes("Expected 3 numbers, got 2.")`)
	shoot()
	page.Fill(vector, "[1, 2, 3]")
	page.Click(button("Create"))
	page.Wait(`document.querySelector("td.col-field-type-vector")?.innerText.includes("3 numbers")`)
	shoot()
	records, err := a.FindAllRecords("papers")
	if err != nil || len(records) != 1 {
		t.Fatalf("%d records, %v", len(records), err)
	}
	id := records[0].Id
	if got := stored(id); !slices.Equal(got, []float32{1, 2, 3}) {
		t.Errorf("created %v", got)
	}

	page.Click(`document.querySelector("td.col-field-name-id")`)
	page.Wait(vector + `?.value === "[1,2,3]"`)
	page.Wait(button("Save changes") + `?.disabled`)
	page.Fill(`document.querySelector(".record-field-input.field-type-text [name=text]")`, "some text")
	page.Click(button("Save changes"))
	page.Wait(`document.querySelector("td.col-field-name-text")?.innerText.includes("some text")`)
	if got := stored(id); !slices.Equal(got, []float32{1, 2, 3}) {
		t.Errorf("after another field was edited: %v", got)
	}
	page.Click(`document.querySelector("td.col-field-name-id")`)
	page.Wait(vector + `?.value === "[1,2,3]"`)
	page.Fill(vector, "[4, 5, 6]")
	shoot()
	page.Click(button("Save changes"))
	page.Wait(`!` + vector)
	if got := stored(id); !slices.Equal(got, []float32{4, 5, 6}) {
		t.Errorf("edited to %v", got)
	}
	if errors := page.Errors(); len(errors) > 0 {
		t.Errorf("errors of the page:\n%s", strings.Join(errors, "\n"))
	}
}
