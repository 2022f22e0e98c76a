package vectorfield

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/pocketbase/pocketbase/core"
)

// Limits of what vectors are computed from.
const (
	// MaxText is the largest number of fields in Field.Text, or in a template.
	MaxText = 20
	// MaxTemplate is the largest length of a template in bytes.
	MaxTemplate = 4096
	// MaxModel is the largest length of a model's name in bytes.
	MaxModel = 200
)

// Embed says what the vector of a field is computed from.
type Embed struct {
	// From is the name of a field ("body"), or a template with fields in double
	// braces ("{{title}}\n\n{{body}}").
	From string `form:"from" json:"from"`
	// Model is the name of the embedding model; empty is the embedder's default.
	Model string `form:"model" json:"model"`
}

var place = regexp.MustCompile(`\{\{\s*(\w*)\s*\}\}`)

func (e *Embed) isTemplate() bool { return strings.Contains(e.From, "{{") }

// Fields are the fields that From names, each once; none for nil.
func (e *Embed) Fields() []string {
	if e == nil {
		return nil
	}
	if !e.isTemplate() {
		return []string{e.From}
	}
	var names []string
	for _, m := range place.FindAllStringSubmatch(e.From, -1) {
		if !slices.Contains(names, m[1]) {
			names = append(names, m[1])
		}
	}
	return names
}

// Render is the text that the vector of record is computed from: the values of its
// fields, several of one field separated by commas. Empty fields give "" if
// no field has a value.
func (e *Embed) Render(record *core.Record) string {
	if !e.isTemplate() {
		return textOf(record, e.From)
	}
	found := false
	text := place.ReplaceAllStringFunc(e.From, func(s string) string {
		value := textOf(record, place.FindStringSubmatch(s)[1])
		found = found || value != ""
		return value
	})
	if !found {
		return ""
	}
	return text
}

func textOf(record *core.Record, field string) string {
	if v, ok := record.Get(field).([]string); ok {
		return strings.Join(v, ", ")
	}
	return record.GetString(field)
}

func (e *Embed) check(c *core.Collection, of *Field) error {
	bad := func(want, got string) error {
		return newProblem("validation_vector_embed", fmt.Sprintf("Expected %s, got %s.", want, got))
	}
	if e == nil {
		return nil
	}
	switch names := e.Fields(); {
	case e.From == "":
		return bad("in from the name of a field, or a template such as {{title}}", "nothing")
	case len(e.From) > MaxTemplate:
		return bad(fmt.Sprintf("in from at most %d bytes", MaxTemplate), fmt.Sprint(len(e.From)))
	case len(e.Model) > MaxModel:
		return bad(fmt.Sprintf("a model's name of at most %d bytes", MaxModel), fmt.Sprint(len(e.Model)))
	case len(names) == 0:
		return bad("in from a template with a field in double braces, such as {{title}}", fmt.Sprintf("%.100q", e.From))
	case len(names) > MaxText:
		return bad(fmt.Sprintf("in from at most %d fields", MaxText), fmt.Sprint(len(names)))
	default:
		return checkNames(c, "from", names)
	}
}

func checkText(c *core.Collection, names []string) error {
	if len(names) > MaxText {
		return newProblem("validation_vector_text", fmt.Sprintf("Expected at most %d fields, got %d.", MaxText, len(names)))
	}
	return checkNames(c, "text", names)
}

// checkNames makes sure that names are fields that have a text.
func checkNames(c *core.Collection, option string, names []string) error {
	for i, name := range names {
		f := c.Fields.GetByName(name)
		if f == nil || !hasText(f) || slices.Contains(names[:i], name) {
			var known []string
			for _, f := range c.Fields {
				if hasText(f) {
					known = append(known, f.GetName())
				}
			}
			return newProblem("validation_vector_"+option, fmt.Sprintf("Expected in %s fields with a text, each once (of %s), got %.100q.", option, quoted(known), name))
		}
	}
	return nil
}

func hasText(f core.Field) bool {
	switch f.Type() {
	case core.FieldTypeText, core.FieldTypeEditor, core.FieldTypeEmail, core.FieldTypeURL, core.FieldTypeSelect, core.FieldTypeNumber,
		core.FieldTypeDate, core.FieldTypeJSON, core.FieldTypeBool:
		return f.GetName() != core.FieldNameTokenKey
	}
	return false
}
