package hostmodule

import (
	"encoding"
	"encoding/json"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"
)

const bytesInput = "ArrayBuffer | ArrayBufferView"

// Declarations returns the TypeScript declarations of modules: what pb.host has,
// and an interface for each named struct. Fields are named by their json tags;
// pointers and fields with omitempty or omitzero are optional. A nil slice or map
// arrives in JavaScript as null in spite of its type: return empty ones.
func Declarations(modules []*Module) (string, error) {
	if err := Check(modules); err != nil {
		return "", err
	}
	var out strings.Builder
	out.WriteString("interface HostModules {\n")
	var spaces strings.Builder
	for _, m := range modules {
		d := declarer{module: m.Name, names: map[reflect.Type]string{}}
		comment(&out, "  ", m.Doc)
		fmt.Fprintf(&out, "  readonly %s: {\n", m.Name)
		for _, f := range m.Functions {
			comment(&out, "    ", f.Doc)
			result := d.response(f.Response)
			if f.Async {
				result = "Promise<" + result + ">"
			}
			fmt.Fprintf(&out, "    %s(%s): %s;\n", f.Name, d.request(f.Request), result)
		}
		out.WriteString("  };\n")
		if text := d.interfaces(); text != "" {
			fmt.Fprintf(&spaces, "\ndeclare namespace HostTypes.%s {\n%s}\n", m.Name, text)
		}
	}
	out.WriteString("}\n")
	return out.String() + spaces.String(), nil
}

// comment writes a doc comment on its own lines.
func comment(out *strings.Builder, indent, text string) {
	if text != "" {
		fmt.Fprintf(out, "%s/** %s */\n", indent, strings.ReplaceAll(strings.Join(strings.Fields(text), " "), "*/", "* /"))
	}
}

// declarer translates the types of one module.
type declarer struct {
	module string
	names  map[reflect.Type]string // of the structs met so far
	queue  []reflect.Type          // structs to declare
}

func (d *declarer) request(t reflect.Type) string {
	switch {
	case t == reflect.TypeFor[None]():
		return ""
	case t == reflect.TypeFor[[]byte]():
		return "bytes: " + bytesInput
	case isMessage(t):
		head, _ := t.FieldByName("Head")
		return d.input(head.Type) + ", bytes?: " + bytesInput
	}
	return d.input(t)
}

func (d *declarer) input(t reflect.Type) string {
	if t.Kind() == reflect.Pointer {
		return "input?: " + d.typeOf(t)
	}
	return "input: " + d.typeOf(t)
}

func (d *declarer) response(t reflect.Type) string {
	switch {
	case t == reflect.TypeFor[None]():
		return "void"
	case t == reflect.TypeFor[[]byte]():
		return "ArrayBuffer"
	case isMessage(t):
		head, _ := t.FieldByName("Head")
		return "{ head: " + d.typeOf(head.Type) + "; body: ArrayBuffer }"
	}
	return d.typeOf(t)
}

// typeOf is the TypeScript of what encoding/json makes of t.
func (d *declarer) typeOf(t reflect.Type) string {
	switch {
	case t.Kind() == reflect.Pointer:
		return d.typeOf(t.Elem()) + " | null"
	case t == reflect.TypeFor[time.Time]():
		return "string"
	case implements[json.Marshaler](t):
		return "any"
	case implements[encoding.TextMarshaler](t):
		return "string"
	}
	switch t.Kind() {
	case reflect.Bool:
		return "boolean"
	case reflect.String:
		return "string"
	case reflect.Interface:
		return "any"
	case reflect.Map:
		return "Record<string, " + d.typeOf(t.Elem()) + ">"
	case reflect.Slice, reflect.Array:
		if t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Uint8 {
			return "string"
		}
		if element := d.typeOf(t.Elem()); strings.Contains(element, " ") {
			return "(" + element + ")[]"
		} else {
			return element + "[]"
		}
	case reflect.Struct:
		if t.Name() == "" {
			return d.members(t, " ", " ") // anonymous: in place
		}
		return "HostTypes." + d.module + "." + d.name(t)
	}
	return "number"
}

func implements[I any](t reflect.Type) bool {
	i := reflect.TypeFor[I]()
	return t.Implements(i) || reflect.PointerTo(t).Implements(i)
}

var notLetter = regexp.MustCompile(`[^A-Za-z0-9_]+`)

// name is the interface of a struct: its Go name, with a number if that is taken.
func (d *declarer) name(t reflect.Type) string {
	if name, ok := d.names[t]; ok {
		return name
	}
	base := t.Name()
	if generic, arguments, ok := strings.Cut(base, "["); ok {
		base = generic
		for argument := range strings.SplitSeq(strings.TrimSuffix(arguments, "]"), ",") {
			base += "_" + notLetter.ReplaceAllString(argument[strings.LastIndexAny(argument, "./")+1:], "")
		}
	}
	name := base
	for k := 2; d.taken(name); k++ {
		name = fmt.Sprintf("%s%d", base, k)
	}
	d.names[t] = name
	d.queue = append(d.queue, t)
	return name
}

func (d *declarer) taken(name string) bool {
	for _, other := range d.names {
		if other == name {
			return true
		}
	}
	return false
}

// interfaces declares the structs that were met, and those that they lead to.
func (d *declarer) interfaces() string {
	var blocks []string
	for len(d.queue) > 0 {
		t := d.queue[0]
		d.queue = d.queue[1:]
		blocks = append(blocks, "  interface "+d.names[t]+" "+d.members(t, "\n    ", "\n  ")+"\n")
	}
	slices.Sort(blocks)
	return strings.Join(blocks, "")
}

// members lists the fields, each after sep, and end before the brace.
func (d *declarer) members(t reflect.Type, sep, end string) string {
	var b strings.Builder
	b.WriteString("{")
	for _, f := range fieldsOf(t) {
		optional := ""
		if f.optional {
			optional = "?"
		}
		kind := d.typeOf(f.Type)
		if f.quoted {
			kind = "string"
		}
		fmt.Fprintf(&b, "%s%s%s: %s;", sep, propertyName(f.name), optional, kind)
	}
	return b.String() + end + "}"
}

var identifier = regexp.MustCompile(`^[A-Za-z_$][A-Za-z0-9_$]*$`)

func propertyName(name string) string {
	if identifier.MatchString(name) {
		return name
	}
	return fmt.Sprintf("%q", name)
}

type member struct {
	reflect.StructField
	name             string
	optional, quoted bool
}

// fieldsOf are the fields that encoding/json reads and writes.
func fieldsOf(t reflect.Type) (list []member) {
	for _, f := range reflect.VisibleFields(t) {
		tag, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		embedded := f.Anonymous && tag == "" && deref(f.Type).Kind() == reflect.Struct
		if embedded || !f.IsExported() || tag == "-" && options == "" || hiddenBy(t, f.Index) {
			continue
		}
		m := member{StructField: f, name: tag, optional: f.Type.Kind() == reflect.Pointer}
		if tag == "" {
			m.name = f.Name
		}
		for option := range strings.SplitSeq(options, ",") {
			m.optional = m.optional || option == "omitempty" || option == "omitzero"
			m.quoted = m.quoted || option == "string"
		}
		list = append(list, m)
	}
	return list
}

// hiddenBy reports whether the field lies in an embedded one that has a name of
// its own, or none at all, in JSON.
func hiddenBy(t reflect.Type, index []int) bool {
	for k := 1; k < len(index); k++ {
		if tag, _, _ := strings.Cut(t.FieldByIndex(index[:k]).Tag.Get("json"), ","); tag != "" {
			return true
		}
	}
	return false
}

func deref(t reflect.Type) reflect.Type {
	if t.Kind() == reflect.Pointer {
		return t.Elem()
	}
	return t
}

// carries reports a type that encoding/json refuses.
func carries(t reflect.Type) error {
	seen := map[reflect.Type]bool{}
	var visit func(t reflect.Type) error
	visit = func(t reflect.Type) error {
		if seen[t] || implements[json.Marshaler](t) || implements[encoding.TextMarshaler](t) {
			return nil
		}
		seen[t] = true
		switch t.Kind() {
		case reflect.Chan, reflect.Func, reflect.Complex64, reflect.Complex128, reflect.UnsafePointer:
			return fmt.Errorf("JSON cannot carry the type %v", t)
		case reflect.Pointer, reflect.Slice, reflect.Array:
			return visit(t.Elem())
		case reflect.Map:
			switch t.Key().Kind() {
			case reflect.String, reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64, reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
			default:
				if !implements[encoding.TextMarshaler](t.Key()) {
					return fmt.Errorf("JSON cannot carry keys of the type %v", t.Key())
				}
			}
			return visit(t.Elem())
		case reflect.Struct:
			for _, f := range fieldsOf(t) {
				if err := visit(f.Type); err != nil {
					return fmt.Errorf("%s: %w", f.Name, err)
				}
			}
		}
		return nil
	}
	return visit(t)
}
