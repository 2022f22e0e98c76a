package types

import (
	"cmp"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/dbutils"
)

// TypeScripter is a field, of a type that PocketBase does not have, that knows the
// TypeScript type of its values. Others are any.
type TypeScripter interface{ TypeScript() string }

// Collections declares, for each collection, its records and what create and
// update take, and adds them to the interface CollectionTypes, by which
// pb.collection and the record hooks are typed.
func Collections(collections []*core.Collection) string {
	sorted := slices.SortedFunc(slices.Values(collections), func(a, b *core.Collection) int {
		if a.System != b.System { // the app's own get the shorter names
			return cmp.Compare(fmt.Sprint(a.System), fmt.Sprint(b.System))
		}
		return strings.Compare(a.Name, b.Name)
	})
	g := generator{names: map[string]string{}, all: sorted}
	taken := map[string]bool{}
	for _, c := range sorted {
		name := pascal(c.Name)
		for k := 2; taken[name]; k++ {
			name = fmt.Sprintf("%s%d", pascal(c.Name), k)
		}
		taken[name] = true
		g.names[c.Id] = name
	}
	g.line("interface CollectionTypes {")
	for _, c := range sorted {
		name := g.names[c.Id]
		inputs := name + "Create; update: " + name + "Update"
		if c.IsView() {
			inputs = "never; update: never"
		}
		g.line("  %s: { record: %sRecord; create: %s };", property(c.Name), name, inputs)
	}
	g.line("}")
	for _, c := range sorted {
		g.record(c)
		if !c.IsView() {
			g.create(c)
			g.update(c)
		}
	}
	return g.out.String()
}

type generator struct {
	out   strings.Builder
	names map[string]string // by collection id
	all   []*core.Collection
}

func (g *generator) line(format string, args ...any) { fmt.Fprintf(&g.out, format+"\n", args...) }

func (g *generator) record(c *core.Collection) {
	g.line("\n/** A record of %s (%s collection). */", c.Name, c.Type)
	g.line("interface %sRecord {", g.names[c.Id])
	g.line("  collectionId: string;")
	g.line("  collectionName: %s;", literal(c.Name))
	for _, f := range c.Fields {
		kind, note := valueOf(f), ""
		optional := ""
		switch {
		case f.Type() == core.FieldTypePassword || f.GetName() == core.FieldNameTokenKey && c.IsAuth():
			continue
		case f.GetHidden():
			optional, note = "?", "Hidden: absent under API rules."
		case f.GetName() == core.FieldNameEmail && c.IsAuth():
			note = "Under API rules absent from others' records, unless emailVisibility is set."
		case f.Type() == "vector":
			optional, note = "?", "Only if the option fields names it."
		case kind == "any" && f.Type() != core.FieldTypeJSON:
			note = "Of the field type " + strings.ReplaceAll(f.Type(), "*/", "") + "."
		}
		if note != "" {
			g.line("  /** %s */", note)
		}
		g.line("  %s%s: %s;", property(f.GetName()), optional, kind)
	}
	if relations := g.relations(c); len(relations) > 0 {
		g.line("  /** With the option expand. */")
		g.line("  expand?: {")
		for _, r := range relations {
			g.line("    %s", r)
		}
		g.line("  };")
	}
	g.line("}")
}

// valueOf is the type of a field's value in a record.
func valueOf(f core.Field) string {
	kind := "string"
	switch f := f.(type) {
	case *core.NumberField:
		return "number"
	case *core.BoolField:
		return "boolean"
	case *core.JSONField:
		return "any"
	case *core.GeoPointField:
		return "{ lon: number; lat: number }"
	case *core.TextField, *core.EditorField, *core.EmailField, *core.URLField, *core.DateField, *core.AutodateField, *core.PasswordField, *core.FileField, *core.RelationField:
	case *core.SelectField:
		kind = union(f.Values)
		if !f.Required && !f.IsMultiple() {
			kind += ` | ""`
		}
	case TypeScripter:
		return f.TypeScript()
	default:
		if f.Type() == "vector" {
			return "number[] | null"
		}
		return "any"
	}
	if isMultiple(f) {
		return list(kind)
	}
	return kind
}

func isMultiple(f core.Field) bool {
	m, ok := f.(core.MultiValuer)
	return ok && m.IsMultiple()
}

func list(kind string) string {
	if strings.Contains(kind, " ") {
		return "(" + kind + ")[]"
	}
	return kind + "[]"
}

func union(values []string) string {
	literals := make([]string, len(values))
	for k, v := range values {
		literals[k] = literal(v)
	}
	if len(literals) == 0 {
		return "string"
	}
	return strings.Join(literals, " | ")
}

// relations are the members of expand: own relations, and those that lead here.
func (g *generator) relations(c *core.Collection) (members []string) {
	for _, f := range c.Fields {
		if r, ok := f.(*core.RelationField); ok {
			members = append(members, fmt.Sprintf("%s?: %s;", property(r.Name), g.expanded(r.CollectionId, r.IsMultiple())))
		}
	}
	for _, from := range g.all {
		for _, f := range from.Fields {
			if r, ok := f.(*core.RelationField); ok && r.CollectionId == c.Id {
				_, unique := dbutils.FindSingleColumnUniqueIndex(from.Indexes, r.Name)
				members = append(members, fmt.Sprintf("%s?: %s;", property(from.Name+"_via_"+r.Name), g.expanded(from.Id, !unique)))
			}
		}
	}
	return members
}

func (g *generator) expanded(collection string, many bool) string {
	kind := "RecordModel"
	if name, ok := g.names[collection]; ok {
		kind = name + "Record"
	}
	if many {
		kind += "[]"
	}
	return kind
}

func (g *generator) create(c *core.Collection) {
	g.line("\ninterface %sCreate {", g.names[c.Id])
	for _, f := range c.Fields {
		name := f.GetName()
		switch {
		case f.Type() == core.FieldTypeAutodate || name == core.FieldNameTokenKey && c.IsAuth():
			continue
		case name == core.FieldNamePassword && c.IsAuth():
			g.line("  password: string;")
			g.line("  passwordConfirm: string;")
			continue
		}
		optional := "?"
		if required(f) {
			optional = ""
		}
		g.line("  %s%s: %s;", property(name), optional, inputOf(f))
	}
	g.line("}")
}

func (g *generator) update(c *core.Collection) {
	g.line("\ninterface %sUpdate {", g.names[c.Id])
	for _, f := range c.Fields {
		name := f.GetName()
		switch {
		case f.Type() == core.FieldTypeAutodate || name == core.FieldNameTokenKey && c.IsAuth() || name == core.FieldNameId:
			continue
		case name == core.FieldNamePassword && c.IsAuth():
			g.line("  password?: string;")
			g.line("  passwordConfirm?: string;")
			g.line("  oldPassword?: string;")
			continue
		}
		g.line("  %s?: %s;", property(name), inputOf(f))
		switch f := f.(type) {
		case *core.NumberField:
			g.line("  %s?: number;", literal(name+"+"))
			g.line("  %s?: number;", literal(name+"-"))
		case *core.FileField:
			g.line("  %s?: File | Blob | (File | Blob)[];", literal(name+"+"))
			g.line("  %s?: File | Blob | (File | Blob)[];", literal("+"+name))
			g.line("  %s?: string | string[];", literal(name+"-"))
		case *core.RelationField, *core.SelectField:
			if isMultiple(f) {
				for _, key := range []string{name + "+", "+" + name, name + "-"} {
					g.line("  %s?: %s;", literal(key), inputOf(f))
				}
			}
		}
	}
	g.line("}")
}

// inputOf is what create and update take for a field.
func inputOf(f core.Field) string {
	kind := valueOf(f)
	switch f := f.(type) {
	case *core.DateField:
		return "string | Date"
	case *core.FileField:
		if f.IsMultiple() {
			return "File | Blob | (File | Blob | string)[]"
		}
		return "File | Blob | string | null"
	case *core.SelectField:
		if f.IsMultiple() {
			return union(f.Values) + " | " + kind
		}
	case *core.RelationField:
		if f.IsMultiple() {
			return "string | string[]"
		}
	}
	return kind
}

// required reports whether create needs a value.
func required(f core.Field) bool {
	if text, ok := f.(*core.TextField); ok && (text.AutogeneratePattern != "" || text.PrimaryKey && text.Pattern == "") {
		return false
	}
	raw, err := json.Marshal(f)
	var field struct{ Required bool }
	return err == nil && json.Unmarshal(raw, &field) == nil && field.Required
}

// pascal makes a type name: "user_groups" is UserGroups.
func pascal(name string) string {
	var b strings.Builder
	for word := range strings.FieldsFuncSeq(name, func(c rune) bool { return !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9') }) {
		b.WriteString(strings.ToUpper(word[:1]) + word[1:])
	}
	if text := b.String(); text != "" && (text[0] < '0' || text[0] > '9') {
		return text
	}
	return "C" + b.String()
}

var identifier = regexp.MustCompile(`^[A-Za-z_$][A-Za-z0-9_$]*$`)

func property(name string) string {
	if identifier.MatchString(name) {
		return name
	}
	return literal(name)
}

// literal is text as a string literal.
func literal(text string) string {
	quoted, err := json.Marshal(text)
	if err != nil {
		panic(err) // strings have JSON
	}
	return string(quoted)
}
