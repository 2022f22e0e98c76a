package hostmodule

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/agentrt/agentrt/quickjs"
)

// None is the request or response type of a function that has none.
type None = quickjs.None

// Message is a request or response of JSON and bytes: in JavaScript the arguments
// (head, body), and the result { head, body }.
type Message[T any] = quickjs.Message[T]

// Error is an error that JavaScript can tell from others: by name, code, status and
// detail. Other Go errors become an Error with their text.
type Error = quickjs.HostError

// Limits bound the calls of a function; see Defaults for what zero fields mean.
type Limits = quickjs.OpLimits

// Defaults are the limits of functions that name none: 1 MiB for a request and
// 16 MiB for a response, 30 s, 100 calls at a time.
var Defaults = Limits{MaxRequest: 1 << 20, MaxResponse: 16 << 20, Timeout: 30 * time.Second, MaxConcurrent: 100}

// Option changes a function.
type Option func(*Function)

// Doc describes the function in its declaration for editors.
func Doc(text string) Option { return func(f *Function) { f.Doc = text } }

// Limited sets limits; zero fields keep the defaults.
func Limited(l Limits) Option {
	return func(f *Function) {
		set(&f.Limits.MaxRequest, l.MaxRequest)
		set(&f.Limits.MaxResponse, l.MaxResponse)
		set(&f.Limits.Timeout, l.Timeout)
		set(&f.Limits.MaxConcurrent, l.MaxConcurrent)
	}
}

func set[T int | time.Duration](field *T, value T) {
	if value > 0 {
		*field = value
	}
}

// Module is a set of functions, pb.host.<name> in JavaScript. Declare them before
// the engine starts.
type Module struct {
	Name, Doc string
	Functions []*Function
}

// Function is one function of a module.
type Function struct {
	Name, Doc string
	Async     bool
	// Request and Response are the Go types.
	Request, Response reflect.Type
	Limits            Limits

	register func(ops *quickjs.Ops, name string)
}

// New returns a module without functions. Its name has letters and digits and
// begins with a small letter, like those of its functions.
func New(name, doc string) *Module { return &Module{Name: name, Doc: doc} }

// Async adds a function that returns a promise. fn runs on a goroutine of its own;
// ctx ends with the invocation, at the function's timeout, or when the server
// stops, and fn must return then. Req and Res are None, []byte, Message, or any
// type of encoding/json; members that Req does not have are an error for the
// caller. With pb.ScopeFrom(ctx) fn finds the caller, and the transaction that the
// call is part of. A panic of fn is an error for the caller and is logged.
func Async[Req, Res any](m *Module, name string, fn func(context.Context, Req) (Res, error), options ...Option) {
	add(m, name, true, fn, options)
}

// Sync adds a function that JavaScript waits for. It may also be called at the top
// level of modules, where ctx has no invocation. It is for what takes microseconds:
// it keeps a run slot, and ctx alone ends it.
func Sync[Req, Res any](m *Module, name string, fn func(context.Context, Req) (Res, error), options ...Option) {
	add(m, name, false, fn, options)
}

func add[Req, Res any](m *Module, name string, async bool, fn func(context.Context, Req) (Res, error), options []Option) {
	f := &Function{Name: name, Async: async, Request: reflect.TypeFor[Req](), Response: reflect.TypeFor[Res](), Limits: Defaults}
	for _, o := range options {
		o(f)
	}
	f.register = func(ops *quickjs.Ops, op string) {
		call := func(ctx context.Context, raw Message[json.RawMessage]) (res Res, err error) {
			var req Req
			if err := decode(&req, raw); err != nil {
				return res, &Error{Name: "TypeError", Code: "ERR_HOST_ARGUMENT", Message: fmt.Sprintf("%s: %v", op, err)}
			}
			return fn(ctx, req)
		}
		if async {
			quickjs.Async(ops, op, call, f.Limits)
		} else {
			quickjs.Sync(ops, op, call, f.Limits)
		}
	}
	m.Functions = append(m.Functions, f)
}

// decode reads a request strictly.
func decode(req any, raw Message[json.RawMessage]) error {
	switch r := req.(type) {
	case *None:
		return nil
	case *[]byte:
		*r = raw.Body
		return nil
	}
	head := req
	if v := reflect.ValueOf(req).Elem(); isMessage(v.Type()) {
		v.FieldByName("Body").SetBytes(raw.Body)
		head = v.FieldByName("Head").Addr().Interface()
	}
	if len(raw.Head) == 0 || string(raw.Head) == "null" {
		switch reflect.TypeOf(head).Elem().Kind() {
		case reflect.Pointer, reflect.Interface, reflect.Map, reflect.Slice:
			return nil
		}
		return errors.New("the argument is missing")
	}
	d := json.NewDecoder(bytes.NewReader(raw.Head))
	d.DisallowUnknownFields()
	err := d.Decode(head)
	if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		where := "the argument"
		if wrong.Field != "" {
			where = wrong.Field
		}
		given, number, _ := strings.Cut(wrong.Value, " ")
		if number == "" {
			number = jsonKinds[given]
		}
		return fmt.Errorf("%s must be %s, not %s", where, describe(wrong.Type), number)
	}
	if err != nil && !errors.Is(err, io.EOF) {
		return errors.New(strings.TrimPrefix(err.Error(), "json: "))
	}
	return err
}

var jsonKinds = map[string]string{"string": "a string", "number": "a number", "bool": "a boolean", "array": "an array", "object": "an object"}

// describe names a Go type as JavaScript knows it.
func describe(t reflect.Type) string {
	switch t.Kind() {
	case reflect.String:
		return jsonKinds["string"]
	case reflect.Bool:
		return jsonKinds["bool"]
	case reflect.Float32, reflect.Float64:
		return jsonKinds["number"]
	case reflect.Slice, reflect.Array:
		return jsonKinds["array"]
	case reflect.Map, reflect.Struct:
		return jsonKinds["object"]
	case reflect.Pointer:
		return describe(t.Elem())
	}
	return "an integer of the type " + t.Kind().String()
}

var (
	namePattern = regexp.MustCompile(`^[a-z][A-Za-z0-9]*$`)
	messageType = reflect.TypeFor[Message[None]]()
)

func validName(name string) bool { return len(name) <= 64 && namePattern.MatchString(name) }

// isMessage tells instances of the generic Message.
func isMessage(t reflect.Type) bool {
	return t.PkgPath() == messageType.PkgPath() && strings.HasPrefix(t.Name(), "Message[")
}

// Check reports names that are malformed or taken, and types that JSON cannot
// carry.
func Check(modules []*Module) error {
	var names []string
	for _, m := range modules {
		if !validName(m.Name) || slices.Contains(names, m.Name) {
			return fmt.Errorf("the name of the host module %q is malformed or taken: letters and digits that begin with a small letter, at most 64", m.Name)
		}
		names = append(names, m.Name)
		var functions []string
		for _, f := range m.Functions {
			if !validName(f.Name) || slices.Contains(functions, f.Name) || f.Name == "then" {
				return fmt.Errorf("host module %s: the name of the function %q is malformed or taken: letters and digits that begin with a small letter, at most 64, not \"then\"", m.Name, f.Name)
			}
			functions = append(functions, f.Name)
			for _, t := range []reflect.Type{f.Request, f.Response} {
				if err := carries(t); err != nil {
					return fmt.Errorf("host module %s: %s: %w", m.Name, f.Name, err)
				}
			}
		}
	}
	return nil
}

// Register adds the functions of modules to ops, named pb.host.<module>.<function>.
func Register(ops *quickjs.Ops, modules []*Module) error {
	if err := Check(modules); err != nil {
		return err
	}
	for _, m := range modules {
		for _, f := range m.Functions {
			f.register(ops, "pb.host."+m.Name+"."+f.Name)
		}
	}
	return nil
}
