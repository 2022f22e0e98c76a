package vectorfield

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/agentrt/agentrt/vector"
	validation "github.com/pocketbase/ozzo-validation/v4"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/types"
)

// maxNumber bounds the bytes of a number in JSON.
const maxNumber = 32

// Value is what a record has in a vector field. It is immutable.
type Value struct {
	numbers []float32
	// sum is the checksum, also if the numbers were not read; "" without a vector.
	sum string
	// changed says that the value was set, not read from the database.
	changed bool
	problem validation.Error
}

// Exists reports whether there is a vector.
func (v Value) Exists() bool { return v.sum != "" }

// Changed reports whether the value was set, not read from the database.
func (v Value) Changed() bool { return v.changed }

// Loaded reports whether Numbers are known: they are those that were set, or were
// read by [Vectors.Load].
func (v Value) Loaded() bool { return v.sum == "" || v.numbers != nil }

// Numbers returns a copy of the vector; nil if there is none or it is not loaded.
func (v Value) Numbers() []float32 { return slices.Clone(v.numbers) }

// MarshalJSON gives an array of numbers, or null without a vector and for one that
// is not loaded.
func (v Value) MarshalJSON() ([]byte, error) { return json.Marshal(v.numbers) }

// String is the value as JSON.
func (v Value) String() string {
	text, err := v.MarshalJSON()
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// ValueOf returns what a record has in a vector field.
func ValueOf(record *core.Record, field string) Value { return valueOf(record, field) }

func valueOf(record *core.Record, field string) Value {
	v, _ := record.GetRaw(field).(Value)
	return v
}

var checksum = regexp.MustCompile(`^[1-9]\d{0,4}:[0-9a-f]{24}$`)

// checksumOf is the number of dimensions and a part of the SHA-256 of the numbers.
func checksumOf(numbers []float32) string {
	sum := sha256.Sum256(vector.Encode(make([]byte, 0, 4*len(numbers)), numbers))
	return fmt.Sprintf("%d:%s", len(numbers), hex.EncodeToString(sum[:12]))
}

// parse makes a value of what a record was given, or its column has.
func (f *Field) parse(record *core.Record, raw any) Value {
	switch x := raw.(type) {
	case Value:
		return x
	case nil:
		return Value{changed: !record.IsNew()}
	case types.JSONRaw:
		return f.parseText(record, string(x))
	case []byte:
		return f.parseText(record, string(x))
	case string:
		return f.parseText(record, x)
	case []float32:
		return f.set(slices.Clone(x))
	case []float64:
		numbers := make([]float32, len(x))
		for i, n := range x {
			numbers[i] = float32(n)
		}
		return f.set(numbers)
	case []any:
		return f.parseArray(x)
	}
	return f.unsuitable(raw)
}

func (f *Field) set(numbers []float32) Value {
	if len(numbers) == 0 {
		return Value{changed: true}
	}
	return Value{numbers: numbers, sum: checksumOf(numbers), changed: true}
}

func (f *Field) parseText(record *core.Record, text string) Value {
	if checksum.MatchString(text) {
		// From the database, unless it is sent for a record: then ValidateValue refuses it.
		if record.IsNew() || valueOf(record.Original(), f.Name).sum == text {
			return Value{sum: text}
		}
		return f.unsuitable(text)
	}
	text = strings.TrimSpace(text)
	switch {
	case text == "" || text == "null":
		return Value{changed: !record.IsNew()}
	case text[0] != '[':
		return f.unsuitable(text)
	case len(text) > vector.MaxDim*maxNumber:
		return Value{problem: newProblem(codeType, fmt.Sprintf("Expected %s of at most %d bytes, got %d bytes.", f.want(), vector.MaxDim*maxNumber, len(text)))}
	}
	var array []any
	if err := json.Unmarshal([]byte(text), &array); err != nil {
		return Value{problem: newProblem(codeType, fmt.Sprintf("Expected %s, got a text that is no JSON array: %v.", f.want(), err))}
	}
	return f.parseArray(array)
}

func (f *Field) parseArray(array []any) Value {
	if len(array) > vector.MaxDim {
		return Value{problem: newProblem(codeDimension, fmt.Sprintf("Expected %d numbers, got %d.", f.Dimensions, len(array)))}
	}
	numbers := make([]float32, len(array))
	for i, x := range array {
		n, ok := x.(float64)
		if !ok {
			return Value{problem: newProblem(codeType, fmt.Sprintf("Expected numbers, got %s at position %d.", describe(x), i))}
		}
		numbers[i] = float32(n)
	}
	return f.set(numbers)
}

func (f *Field) want() string { return fmt.Sprintf("an array of %d numbers", f.Dimensions) }

func (f *Field) unsuitable(raw any) Value {
	return Value{problem: newProblem(codeType, fmt.Sprintf("Expected %s, got %s.", f.want(), describe(raw)))}
}

func describe(x any) string {
	switch x := x.(type) {
	case nil:
		return "null"
	case string:
		return fmt.Sprintf("the text %.40q", x)
	case bool, float64, int:
		return fmt.Sprint(x)
	case []any:
		return "an array"
	case map[string]any:
		return "an object"
	}
	return fmt.Sprintf("a %T", x)
}

// Codes of what is wrong with a vector.
const (
	codeType      = "validation_vector_type"
	codeDimension = "validation_vector_dimension"
	codeNumber    = "validation_vector_number"
	codeZero      = "validation_vector_zero"
)

func newProblem(code, message string) validation.Error { return validation.NewError(code, message) }

// problemOf is what a store finds wrong with a vector, as the error of a field.
func problemOf(err error) error {
	input, ok := errors.AsType[*vector.InputError](err)
	if !ok {
		return err
	}
	code := codeNumber
	switch input.Kind {
	case vector.ErrDimension:
		code = codeDimension
	case vector.ErrZero:
		code = codeZero
	}
	return newProblem(code, fmt.Sprintf("Expected %s, got %s.", input.Want, input.Got))
}

// ParseQuery makes the vector of a search in c of JSON: nil stays nil, anything but
// an array of numbers gives validation.Errors of the option "vector". The number of
// them is checked by the search.
func ParseQuery(c *core.Collection, raw any) ([]float32, error) {
	array, ok := raw.([]any)
	if raw == nil {
		return nil, nil
	}
	f := new(Field)
	if fields := storedFields(c); len(fields) > 0 {
		f = fields[0]
	}
	v := f.unsuitable(raw)
	if ok {
		v = f.parseArray(array)
	}
	if v.problem != nil {
		return nil, validation.Errors{"vector": v.problem}
	}
	if v.numbers == nil {
		return []float32{}, nil
	}
	return v.numbers, nil
}
