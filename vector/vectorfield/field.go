package vectorfield

import (
	"context"
	"crypto/sha256"
	"database/sql/driver"
	"encoding/hex"
	"fmt"
	"regexp"
	"strings"

	"github.com/agentrt/agentrt/vector"
	"github.com/pocketbase/dbx"
	validation "github.com/pocketbase/ozzo-validation/v4"
	"github.com/pocketbase/pocketbase/core"
)

// Type is the type's name in a collection's fields.
const Type = "vector"

// MaxFields is the largest number of vector fields of a collection.
const MaxFields = 10

func init() {
	core.Fields[Type] = func() core.Field { return &Field{} }
}

// Field is a field of records that has a vector of numbers of 32 bits.
//
// A record is given a vector as an array of numbers, in Go []float32, []float64 or
// a JSON text; null, "" and [] take it away. Get returns a [Value].
type Field struct {
	// Name, ID, System, Hidden, Presentable, Help and Required are those of all
	// fields. Only superusers can search a hidden one.
	Name        string `form:"name" json:"name"`
	ID          string `form:"id" json:"id"`
	System      bool   `form:"system" json:"system"`
	Hidden      bool   `form:"hidden" json:"hidden"`
	Presentable bool   `form:"presentable" json:"presentable"`
	Help        string `form:"help" json:"help"`
	Required    bool   `form:"required" json:"required"`

	// Dimensions is the number of numbers of each vector, 1 to vector.MaxDim.
	// Like Metric it can change only while no record has a vector.
	Dimensions int `form:"dimensions" json:"dimensions"`
	// Metric says how vectors are compared; empty means vector.Cosine.
	Metric vector.Metric `form:"metric" json:"metric"`
	// Embed says what the vector is computed from, nil: from nothing.
	Embed *Embed `form:"embed" json:"embed"`
	// Text are the fields whose words hybrid searches look for, at most MaxText; if
	// empty, those that Embed.From names.
	Text []string `form:"text" json:"text"`
}

var (
	_ core.Field                 = (*Field)(nil)
	_ core.DriverValuer          = (*Field)(nil)
	_ core.MaxBodySizeCalculator = (*Field)(nil)
)

// Type is core.Field's.
func (f *Field) Type() string { return Type }

// GetId is core.Field's.
func (f *Field) GetId() string { return f.ID }

// SetId is core.Field's.
func (f *Field) SetId(id string) { f.ID = id }

// GetName is core.Field's.
func (f *Field) GetName() string { return f.Name }

// SetName is core.Field's.
func (f *Field) SetName(name string) { f.Name = name }

// GetSystem is core.Field's.
func (f *Field) GetSystem() bool { return f.System }

// SetSystem is core.Field's.
func (f *Field) SetSystem(system bool) { f.System = system }

// GetHidden is core.Field's.
func (f *Field) GetHidden() bool { return f.Hidden }

// SetHidden is core.Field's.
func (f *Field) SetHidden(hidden bool) { f.Hidden = hidden }

// ColumnType is core.Field's: the column has the checksum of the vector.
func (f *Field) ColumnType(core.App) string { return "TEXT DEFAULT '' NOT NULL" }

// CalculateMaxBodySize is core.MaxBodySizeCalculator's.
func (f *Field) CalculateMaxBodySize() int64 { return int64(f.Dimensions) * maxNumber }

// PrepareValue is core.Field's. It gives no error: what is wrong with a value
// is found by ValidateValue.
func (f *Field) PrepareValue(record *core.Record, raw any) (any, error) {
	return f.parse(record, raw), nil
}

// DriverValue is core.DriverValuer's. The column of a vector that is not changed is
// set to itself, since another write may have changed it since the record was read.
// Values that cannot be stored are refused when the record is written.
func (f *Field) DriverValue(record *core.Record) (driver.Value, error) {
	if v := valueOf(record, f.Name); v.changed || record.IsNew() {
		return v.sum, nil
	}
	return dbx.NewExp("[[" + f.Name + "]]"), nil
}

// ValidateValue is core.Field's.
func (f *Field) ValidateValue(_ context.Context, _ core.App, record *core.Record) error {
	v := valueOf(record, f.Name)
	if v.sum == "" && v.problem == nil && f.Required {
		return validation.ErrRequired
	}
	return f.storable(v, record.IsNew())
}

// storable tells what keeps a value from being stored.
func (f *Field) storable(v Value, isNew bool) error {
	switch {
	case v.problem != nil:
		return v.problem
	case v.sum == "":
		return nil
	case v.changed:
		return f.check(v.numbers)
	case isNew:
		return errNotLoaded
	}
	return nil
}

var errNotLoaded = validation.NewError("validation_vector_not_loaded", "The vector of the record that this one was copied from was not read; set it, or set none.")

// check validates a vector, of a record or of a search.
func (f *Field) check(numbers []float32) error {
	space := vector.Space{Name: f.Name, Dim: f.Dimensions, Metric: f.metric()}
	err := space.CheckItem(vector.Item{ID: "x", Vector: numbers})
	if err == nil {
		return nil
	}
	return problemOf(err)
}

func (f *Field) metric() vector.Metric {
	if f.Metric == "" {
		return vector.Cosine
	}
	return f.Metric
}

// Space describes the field's vectors. Its name is made from ids, so renaming
// collection and field does not matter.
func (f *Field) Space(c *core.Collection) vector.Space {
	name := c.Id + "_" + f.ID
	if len(name) > maxSpaceName || !word.MatchString(name) {
		sum := sha256.Sum256([]byte(c.Id + "\x00" + f.ID))
		name = "h_" + hex.EncodeToString(sum[:16])
	}
	return vector.Space{Name: name, Dim: f.Dimensions, Metric: f.metric()}
}

const maxSpaceName = 90

var word = regexp.MustCompile(`^\w+$`)

// ValidateSettings is core.Field's.
func (f *Field) ValidateSettings(ctx context.Context, app core.App, collection *core.Collection) error {
	if n := len(Fields(collection)); n > MaxFields {
		return validation.Errors{"type": newProblem("validation_vector_fields", fmt.Sprintf("Expected at most %d vector fields in a collection, got %d.", MaxFields, n))}
	}
	if collection.IsView() {
		return nil
	}
	return validation.ValidateStruct(f,
		validation.Field(&f.ID, validation.By(core.DefaultFieldIdValidationRule)),
		validation.Field(&f.Name, validation.By(core.DefaultFieldNameValidationRule)),
		validation.Field(&f.Help, validation.By(core.DefaultFieldHelpValidationRule)),
		validation.Field(&f.Required, validation.By(f.checkRequired)),
		validation.Field(&f.Dimensions, validation.By(f.checkDimensions), validation.By(f.checkFixed(ctx, app, collection, "dimensions"))),
		validation.Field(&f.Metric, validation.By(f.checkMetric), validation.By(f.checkFixed(ctx, app, collection, "metric"))),
		validation.Field(&f.Embed, validation.By(func(any) error { return f.Embed.check(collection, f) })),
		validation.Field(&f.Text, validation.By(func(any) error { return checkText(collection, f.Text) })),
	)
}

func (f *Field) checkRequired(any) error {
	if f.Required && f.Embed != nil {
		return newProblem("validation_vector_required", "A vector that is computed once the record is saved cannot be required.")
	}
	return nil
}

func (f *Field) checkDimensions(any) error {
	if f.Dimensions < 1 || f.Dimensions > vector.MaxDim {
		return newProblem("validation_vector_dimensions", fmt.Sprintf("Expected 1 to %d dimensions, got %d.", vector.MaxDim, f.Dimensions))
	}
	return nil
}

func (f *Field) checkMetric(any) error {
	switch f.metric() {
	case vector.Cosine, vector.L2, vector.Dot:
		return nil
	}
	return newProblem("validation_vector_metric", fmt.Sprintf("Expected cosine, l2 or dot, got %q.", f.Metric))
}

// checkFixed refuses to change an option while there are vectors.
func (f *Field) checkFixed(ctx context.Context, app core.App, collection *core.Collection, option string) validation.RuleFunc {
	return func(any) error {
		old, err := app.FindCachedCollectionByNameOrId(collection.Id)
		if err != nil || collection.IsNew() {
			return nil
		}
		was, ok := old.Fields.GetById(f.ID).(*Field)
		vectors := Of(app)
		if !ok || vectors == nil || option == "dimensions" && was.Dimensions == f.Dimensions || option == "metric" && was.metric() == f.metric() {
			return nil
		}
		n, err := vectors.count(ctx, app, old, was)
		if err != nil {
			return err
		}
		if n == 0 {
			return nil
		}
		return newProblem("validation_vector_fixed", fmt.Sprintf("The %s can change only while no record has a vector, but %d have one. Remove the field, save, and add it again.", option, n))
	}
}

// Fields returns the vector fields of a collection.
func Fields(c *core.Collection) []*Field {
	var fields []*Field
	for _, f := range c.Fields {
		if f, ok := f.(*Field); ok {
			fields = append(fields, f)
		}
	}
	return fields
}

// TextFields are the fields whose words hybrid searches look for.
func (f *Field) TextFields() []string {
	if len(f.Text) > 0 || f.Embed == nil {
		return f.Text
	}
	return f.Embed.Fields()
}

func quoted(names []string) string {
	return `"` + strings.Join(names, `", "`) + `"`
}
