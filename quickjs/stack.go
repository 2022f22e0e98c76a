package quickjs

import (
	"reflect"
	"sync"
	"unsafe"

	"github.com/tetratelabs/wazero/api"
)

// callStack lends the stack of native code to a function of a wazero instance. Wazero
// gives each its own, which grows to some 130 KiB here and stays for as long as the
// instance lives: most of what an instance that waits needs. Nothing is left on it
// between calls, so that instances can share a few.
//
// There is no interface for this. The fields are found by name and type, and functions
// that do not have them keep their own stack.
type callStack struct {
	slice  *[]byte
	top    *uintptr
	bottom **byte
}

const (
	firstStack = 128 << 10
	maxStack   = 1 << 20 // larger ones are not kept
	stackAlign = 16
)

var stacks = sync.Pool{New: func() any {
	s := make([]byte, firstStack)
	return &s
}}

// stackOf returns the zero callStack if f is not what it is in the wazero that this was
// written for.
func stackOf(f api.Function) callStack {
	v := reflect.ValueOf(f)
	if v.Kind() != reflect.Pointer || v.Elem().Kind() != reflect.Struct {
		return callStack{}
	}
	slice, top, context := v.Elem().FieldByName("stack"), v.Elem().FieldByName("stackTop"), v.Elem().FieldByName("execCtx")
	if !slice.IsValid() || slice.Type() != reflect.TypeFor[[]byte]() || !top.IsValid() || top.Kind() != reflect.Uintptr || context.Kind() != reflect.Struct {
		return callStack{}
	}
	bottom := context.FieldByName("stackBottomPtr")
	if !bottom.IsValid() || bottom.Type() != reflect.TypeFor[*byte]() {
		return callStack{}
	}
	s := callStack{
		slice:  (*[]byte)(slice.Addr().UnsafePointer()),
		top:    (*uintptr)(top.Addr().UnsafePointer()),
		bottom: (**byte)(bottom.Addr().UnsafePointer()),
	}
	if own := *s.slice; len(own) == 0 || *s.bottom != &own[0] || *s.top != alignedTop(own) {
		return callStack{}
	}
	s.release()
	return s
}

func alignedTop(stack []byte) uintptr {
	return uintptr(unsafe.Pointer(&stack[len(stack)-1])) &^ (stackAlign - 1)
}

// borrow gives the function a stack for one call.
func (s callStack) borrow() {
	if s.slice == nil {
		return
	}
	stack := stacks.Get().(*[]byte)
	*s.slice, *s.top, *s.bottom = *stack, alignedTop(*stack), &(*stack)[0]
}

// giveBack keeps the stack, which may have grown, for another call.
func (s callStack) giveBack() {
	if s.slice == nil {
		return
	}
	stack := *s.slice
	s.release()
	if len(stack) <= maxStack {
		stacks.Put(&stack)
	}
}

func (s callStack) release() { *s.slice, *s.top, *s.bottom = nil, 0, nil }
