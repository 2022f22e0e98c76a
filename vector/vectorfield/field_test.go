package vectorfield_test

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/agentrt/agentrt/vector"
	"github.com/agentrt/agentrt/vector/vectorfield"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/types"
)

func TestValues(t *testing.T) {
	e := open(t, t.TempDir(), 1<<30)
	c := e.docs()
	for _, test := range []struct {
		name  string
		value any
		want  []float32
		bad   string
	}{
		{name: "numbers of 32 bits", value: []float32{1, 2, 3}, want: []float32{1, 2, 3}},
		{name: "numbers of 64 bits", value: []float64{1, 2, 0.5}, want: []float32{1, 2, 0.5}},
		{name: "array of JSON", value: []any{1.0, -2.0, 1e-3}, want: []float32{1, -2, 1e-3}},
		{name: "text", value: "[1, 2, 3]", want: []float32{1, 2, 3}},
		{name: "raw JSON", value: types.JSONRaw("[1,2,3]"), want: []float32{1, 2, 3}},
		{name: "zeros", value: []float32{0, 0, 0}, want: []float32{0, 0, 0}},
		{name: "null", value: nil},
		{name: "empty text", value: ""},
		{name: "empty array", value: []any{}},
		{name: "too few", value: []float32{1, 2}, bad: "Expected 3 numbers, got 2."},
		{name: "too many", value: []float32{1, 2, 3, 4}, bad: "Expected 3 numbers, got 4."},
		{name: "far too many", value: make([]any, 16001), bad: "Expected 3 numbers, got 16001."},
		{name: "too long a text", value: "[" + strings.Repeat(" ", 16000*32) + "]", bad: "Expected an array of 3 numbers of at most 512000 bytes, got 512002 bytes."},
		{name: "NaN", value: []float64{1, math.NaN(), 3}, bad: "Expected finite numbers, got NaN at position 1."},
		{name: "infinite", value: []float64{1, 2, math.Inf(-1)}, bad: "Expected finite numbers, got -Inf at position 2."},
		{name: "beyond 32 bits", value: "[1, 1e39, 2]", bad: "Expected finite numbers, got +Inf at position 1."},
		{name: "no numbers", value: []any{1.0, "2", 3.0}, bad: `Expected numbers, got the text "2" at position 1.`},
		{name: "nested", value: "[[1,2,3]]", bad: "Expected numbers, got an array at position 0."},
		{name: "object", value: map[string]any{"a": 1}, bad: "Expected an array of 3 numbers, got an object."},
		{name: "number", value: 1.5, bad: "Expected an array of 3 numbers, got 1.5."},
		{name: "some text", value: "abc", bad: `Expected an array of 3 numbers, got the text "abc".`},
		{name: "broken JSON", value: "[1,", bad: "Expected an array of 3 numbers, got a text that is no JSON array: unexpected end of JSON input."},
	} {
		t.Run(test.name, func(t *testing.T) {
			for _, was := range []any{nil, []float32{7, 8, 9}} {
				e := &env{t, e.BaseApp, e.vectors}
				r := e.add(c, map[string]any{"embedding": was})
				r, err := e.FindRecordById(c, r.Id)
				e.must(err)
				r.Set("embedding", test.value)
				if err := e.Save(r); test.bad != "" {
					if got := problem(err, "embedding"); got != test.bad {
						t.Errorf("got %q, want %q", got, test.bad)
					}
					continue
				} else if err != nil {
					t.Fatal(err)
				}
				if got := e.stored(r); !slices.Equal(got, test.want) {
					t.Errorf("stored %v, want %v", got, test.want)
				}
			}
		})
	}
	e.agree()
}

func TestCosineRefusesZeros(t *testing.T) {
	e := open(t, t.TempDir(), 1<<30)
	c := e.docs(func(_ *core.Collection, f *vectorfield.Field) { f.Metric = "" })
	r := core.NewRecord(c)
	r.Set("embedding", []float32{0, 0, 0})
	if got, want := problem(e.Save(r), "embedding"), "Expected a direction, since the metric is cosine, got a length of 0."; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestUnchangedVectorsStay(t *testing.T) {
	e := open(t, t.TempDir(), 1<<30)
	c := e.docs()
	r := e.add(c, map[string]any{"title": "a", "embedding": []float32{1, 2, 3}})
	stale, err := e.FindRecordById(c, r.Id)
	e.must(err)
	r.Set("embedding", []float32{4, 5, 6})
	e.must(e.Save(r))
	stale.Set("title", "b")
	e.must(e.Save(stale)) // knows the former vector
	if got := e.stored(r); !slices.Equal(got, []float32{4, 5, 6}) {
		t.Errorf("stored %v", got)
	}
	e.must(e.vectors.Load(t.Context(), e, "embedding", stale))
	e.must(e.Save(stale))
	copied := core.NewRecord(c)
	fresh, err := e.FindRecordById(c, r.Id)
	e.must(err)
	copied.SetRaw("embedding", fresh.Get("embedding"))
	if got := problem(e.Save(copied), "embedding"); !strings.HasPrefix(got, "The vector of the record that this one was copied from was not read") {
		t.Errorf("a copy gave %q", got)
	}
	e.must(e.vectors.Load(t.Context(), e, "embedding", fresh))
	copied.Set("embedding", vectorfield.ValueOf(fresh, "embedding").Numbers())
	e.must(e.Save(copied))
	e.agree()
}

func TestRequired(t *testing.T) {
	e := open(t, t.TempDir(), 1<<30)
	c := e.docs(func(_ *core.Collection, f *vectorfield.Field) { f.Required = true })
	r := core.NewRecord(c)
	if got := problem(e.Save(r), "embedding"); got != "cannot be blank" {
		t.Error(got)
	}
	r.Set("embedding", []float32{1, 2, 3})
	e.must(e.Save(r))
	r, err := e.FindRecordById(c, r.Id)
	e.must(err)
	r.Set("title", "without touching the vector")
	e.must(e.Save(r))
	r.Set("embedding", nil)
	if got := problem(e.Save(r), "embedding"); got != "cannot be blank" {
		t.Error(got)
	}
}

func TestSettings(t *testing.T) {
	e := open(t, t.TempDir(), 1<<30)
	for _, test := range []struct {
		name   string
		field  vectorfield.Field
		option string
		want   string
	}{
		{"no dimensions", vectorfield.Field{}, "dimensions", "Expected 1 to 16000 dimensions, got 0."},
		{"too many dimensions", vectorfield.Field{Dimensions: 16001}, "dimensions", "Expected 1 to 16000 dimensions, got 16001."},
		{"metric", vectorfield.Field{Dimensions: 3, Metric: "euclid"}, "metric", `Expected cosine, l2 or dot, got "euclid".`},
		{"from nothing", vectorfield.Field{Dimensions: 3, Embed: &vectorfield.Embed{}}, "embed", "Expected in from the name of a field, or a template such as {{title}}, got nothing."},
		{"from an unknown field", vectorfield.Field{Dimensions: 3, Embed: &vectorfield.Embed{From: "body"}}, "embed", `Expected in from fields with a text, each once (of "id", "title"), got "body".`},
		{"from itself", vectorfield.Field{Dimensions: 3, Embed: &vectorfield.Embed{From: "{{title}} {{embedding}}"}}, "embed", `Expected in from fields with a text, each once (of "id", "title"), got "embedding".`},
		{"template without a field", vectorfield.Field{Dimensions: 3, Embed: &vectorfield.Embed{From: "{{title"}}, "embed", `Expected in from a template with a field in double braces, such as {{title}}, got "{{title".`},
		{"long template", vectorfield.Field{Dimensions: 3, Embed: &vectorfield.Embed{From: strings.Repeat("{{title}}", 500)}}, "embed", "Expected in from at most 4096 bytes, got 4500."},
		{"long model", vectorfield.Field{Dimensions: 3, Embed: &vectorfield.Embed{From: "title", Model: strings.Repeat("m", 201)}}, "embed", "Expected a model's name of at most 200 bytes, got 201."},
		{"text of an unknown field", vectorfield.Field{Dimensions: 3, Text: []string{"title", "nope"}}, "text", `Expected in text fields with a text, each once (of "id", "title"), got "nope".`},
		{"text twice", vectorfield.Field{Dimensions: 3, Text: []string{"title", "title"}}, "text", `Expected in text fields with a text, each once (of "id", "title"), got "title".`},
		{"required and computed", vectorfield.Field{Dimensions: 3, Required: true, Embed: &vectorfield.Embed{From: "title"}}, "required", "A vector that is computed once the record is saved cannot be required."},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := core.NewBaseCollection("docs")
			test.field.Name = "embedding"
			c.Fields.Add(&core.TextField{Name: "title"}, &test.field)
			if got := asJSON(t, map[string]string{test.option: test.want}); !strings.Contains(asJSON(t, e.Save(c)), got[1:len(got)-1]) {
				t.Errorf("got %s, want in it %s", asJSON(t, e.Save(c)), got)
			}
		})
	}
}

func TestEmbedRender(t *testing.T) {
	c := core.NewBaseCollection("docs")
	c.Fields.Add(&core.TextField{Name: "title"}, &core.SelectField{Name: "tags", MaxSelect: 3, Values: []string{"a", "b"}}, &core.NumberField{Name: "n"})
	r := core.NewRecord(c)
	r.Load(map[string]any{"title": "T", "tags": []string{"a", "b"}, "n": 2})
	for from, want := range map[string]string{"title": "T", "{{title}}: {{ tags }} ({{n}})": "T: a, b (2)", "tags": "a, b"} {
		if got := (&vectorfield.Embed{From: from}).Render(r); got != want {
			t.Errorf("%q gave %q, want %q", from, got, want)
		}
	}
	if got := (&vectorfield.Embed{From: "About {{title}} and {{tags}}"}).Render(core.NewRecord(c)); got != "" {
		t.Errorf("without values: %q", got)
	}
	if got := (&vectorfield.Embed{From: "{{title}} {{tags}} {{title}}"}).Fields(); !slices.Equal(got, []string{"title", "tags"}) {
		t.Errorf("fields %q", got)
	}
}

func TestSet(t *testing.T) {
	e := open(t, t.TempDir(), 1<<30)
	c := e.docs()
	a, b := e.add(c, map[string]any{}), e.add(c, map[string]any{"embedding": []float32{1, 1, 1}})
	set := func(items ...vector.Item) error { return e.vectors.Set(t.Context(), e, c, "embedding", items...) }
	e.must(set(vector.Item{ID: a.Id, Vector: []float32{1, 2, 3}}, vector.Item{ID: b.Id}, vector.Item{ID: "gone", Vector: []float32{1, 2, 3}}))
	if e.stored(b) != nil || !slices.Equal(e.stored(a), []float32{1, 2, 3}) {
		t.Errorf("stored %v and %v", e.stored(a), e.stored(b))
	}
	if err := set(vector.Item{ID: b.Id, Vector: []float32{1, 1, 1}}, vector.Item{ID: a.Id, Vector: []float32{1}}); !errors.Is(err, vector.ErrDimension) {
		t.Errorf("a wrong dimension gave %v", err)
	}
	if e.stored(b) != nil {
		t.Error("a failed call left something")
	}
	e.agree()
}
