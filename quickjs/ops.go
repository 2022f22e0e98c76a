package quickjs

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"maps"
	"reflect"
	"slices"
	"strconv"
)

// None is the request or response type of an operation that has none.
type None struct{}

// Message is a request or response of a JSON head and a body of bytes. The
// JavaScript side passes (head, body) and receives { head, body }.
type Message[T any] struct {
	Head T
	Body []byte
}

func (m *Message[T]) parts() (any, *[]byte) { return &m.Head, &m.Body }

type splitter interface{ parts() (any, *[]byte) }

type reply struct {
	shape      uint32
	head, body []byte
}

// operation has one of call and start.
type operation struct {
	Operation
	call  func(ctx context.Context, head, body []byte) reply
	start func(ctx context.Context, head, body []byte, done func(reply))
}

// Ops is a set of host operations by name. It is not safe for concurrent use.
type Ops struct {
	names map[string]uint32
	list  []operation
}

// NewOps returns an empty set.
func NewOps() *Ops { return &Ops{names: map[string]uint32{}} }

func (o *Ops) clone() *Ops {
	return &Ops{names: maps.Clone(o.names), list: slices.Clone(o.list)}
}

// sorted yields names and numbers in the order of the numbers.
func (o *Ops) sorted() iter.Seq2[string, uint32] {
	names := slices.SortedFunc(maps.Keys(o.names), func(a, b string) int { return cmp.Compare(o.names[a], o.names[b]) })
	return func(yield func(string, uint32) bool) {
		for _, name := range names {
			if !yield(name, o.names[name]) {
				return
			}
		}
	}
}

// All yields the operations in the order of registration.
func (o *Ops) All() iter.Seq[Operation] {
	return func(yield func(Operation) bool) {
		for _, op := range o.list {
			if !yield(op.Operation) {
				return
			}
		}
	}
}

func (o *Ops) add(name string, op operation) {
	if _, dup := o.names[name]; dup || name == "" {
		panic(fmt.Sprintf("quickjs: operation %q is empty or registered twice", name))
	}
	o.names[name] = uint32(len(o.list)) + opUser
	o.list = append(o.list, op)
}

// Sync registers an operation that runs while the guest waits. __host.op(name)
// gives JavaScript the function (head, body) => response. Req and Res are None,
// []byte (a body), Message (both) or any type of encoding/json (a head). A []byte
// request is valid until fn returns. Limits are optional, one at most.
func Sync[Req, Res any](o *Ops, name string, fn func(context.Context, Req) (Res, error), limits ...OpLimits) {
	o.add(name, declare(name, false, fn, limits))
}

// Async registers an operation whose JavaScript function returns a promise. fn
// runs on its own goroutine with a context that ends with the use of the
// instance or when JavaScript cancels the call, and that has the values of the
// context given to Instance.Call; it must not use the instance.
func Async[Req, Res any](o *Ops, name string, fn func(context.Context, Req) (Res, error), limits ...OpLimits) {
	o.add(name, declare(name, true, fn, limits))
}

func declare[Req, Res any](name string, async bool, fn func(context.Context, Req) (Res, error), limits []OpLimits) operation {
	op := operation{Operation: Operation{Name: name, Async: async, Request: reflect.TypeFor[Req](), Response: reflect.TypeFor[Res]()}}
	if len(limits) == 0 {
		op.call = adapt(fn)
		return op
	}
	op.Limits = limits[0]
	op.call = op.limited(adapt(fn))
	return op
}

// Deferred registers an operation like Async, for work that somebody else does: fn
// must not block and sees to it that done is called once, before it returns or
// later and from any goroutine. What is answered before fn returns, errors excepted,
// costs no turn of the event loop. JavaScript cannot cancel the call; after the end of the use done
// has no effect. The context of fn is the one given to Instance.Call.
func Deferred[Req, Res any](o *Ops, name string, fn func(ctx context.Context, req Req, done func(Res, error))) {
	op := operation{Operation: Operation{Name: name, Async: true, Request: reflect.TypeFor[Req](), Response: reflect.TypeFor[Res]()}}
	op.start = func(ctx context.Context, head, body []byte, done func(reply)) {
		var req Req
		if err := decode(&req, head, body); err != nil {
			done(errorReply(&HostError{Name: "TypeError", Message: err.Error()}))
			return
		}
		fn(ctx, req, func(res Res, err error) {
			if err != nil {
				done(errorReply(err))
				return
			}
			done(encode(&res))
		})
	}
	o.add(name, op)
}

func adapt[Req, Res any](fn func(context.Context, Req) (Res, error)) func(context.Context, []byte, []byte) reply {
	return func(ctx context.Context, head, body []byte) reply {
		var req Req
		if err := decode(&req, head, body); err != nil {
			return errorReply(&HostError{Name: "TypeError", Message: err.Error()})
		}
		res, err := fn(ctx, req)
		if err != nil {
			return errorReply(err)
		}
		return encode(&res)
	}
}

func decode(req any, head, body []byte) error {
	switch r := req.(type) {
	case *None:
		return nil
	case *[]byte:
		*r = body
		return nil
	case splitter:
		h, b := r.parts()
		*b = body
		return decodeHead(h, head)
	}
	return decodeHead(req, head)
}

func decodeHead(dst any, head []byte) error {
	if len(head) == 0 {
		return nil
	}
	if n, ok := dst.(*int); ok {
		if v, err := strconv.Atoi(string(head)); err == nil {
			*n = v
			return nil
		}
	}
	if err := json.Unmarshal(head, dst); err != nil {
		return fmt.Errorf("the operation's argument does not fit: %w", err)
	}
	return nil
}

func encode(res any) reply {
	var r reply
	var head any
	switch v := res.(type) {
	case *None:
		return r
	case *[]byte:
		return reply{shape: shapeBody, body: *v}
	case splitter:
		h, b := v.parts()
		r.shape, r.body, head = shapeBody, *b, h
	case *int:
		return reply{shape: shapeHead, head: strconv.AppendInt(nil, int64(*v), 10)}
	default:
		head = res
	}
	text, err := json.Marshal(head)
	if err != nil {
		return errorReply(fmt.Errorf("the operation's result is no JSON: %w", err))
	}
	r.shape |= shapeHead
	r.head = text
	return r
}

func errorReply(err error) reply {
	he, ok := errors.AsType[*HostError](err)
	if !ok {
		he = &HostError{Name: "Error", Message: err.Error()}
		if errors.Is(err, context.Canceled) {
			he.Name = "AbortError"
		}
	}
	text, jsonErr := json.Marshal(he)
	if jsonErr != nil {
		text, _ = json.Marshal(&HostError{Name: he.Name, Message: he.Message})
	}
	return reply{shape: shapeHead | shapeError, head: text}
}
