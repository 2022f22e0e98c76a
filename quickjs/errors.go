package quickjs

import (
	"encoding/json"
	"errors"
	"fmt"
)

var (
	// ErrInterrupted reports that an instance was stopped: by Kill, by its
	// context, or by a CPU or fuel limit. The cause is wrapped beside it.
	ErrInterrupted = errors.New("quickjs: interrupted")
	// ErrCPULimit is the cause when the CPU time of a use is spent.
	ErrCPULimit = errors.New("quickjs: CPU time limit reached")
	// ErrFuelLimit is the cause when the fuel of a use is spent.
	ErrFuelLimit = errors.New("quickjs: fuel limit reached")
	// ErrMemoryLimit reports that JavaScript ran out of its memory.
	ErrMemoryLimit = errors.New("quickjs: memory limit reached")
	// ErrBroken is returned by an instance that trapped, was interrupted, ran
	// out of memory or grew: it must be closed.
	ErrBroken = errors.New("quickjs: the instance cannot be used again, close it")
	// ErrBusy is returned when an instance is used by two goroutines at once.
	ErrBusy = errors.New("quickjs: the instance is in use")
	// ErrClosed is returned after Close.
	ErrClosed = errors.New("quickjs: closed")
	// ErrStalled reports a promise that nothing can settle any more: no job,
	// timer or host call is pending.
	ErrStalled = errors.New("quickjs: the promise can never settle: no timer and no host call is pending")
	// ErrNotIdle is returned by Snapshot when jobs, timers or host calls are pending.
	ErrNotIdle = errors.New("quickjs: the instance has pending work: a snapshot cannot hold timers or host calls; start them in a handler instead of at the top level")
	// ErrBytecode reports bytecode that this engine did not make.
	ErrBytecode = errors.New("quickjs: bytecode is damaged, of another engine version or signed with another key")
	// ErrTrap reports a fault of the module itself.
	ErrTrap = errors.New("quickjs: the module trapped")
)

// JSError is an exception that JavaScript code did not catch.
type JSError struct {
	// Name and Message are those of the Error object. A thrown value that is no
	// object has an empty Name and its text as Message.
	Name    string `json:"name"`
	Message string `json:"message"`
	// Stack starts with "Name: message", one frame a line after it.
	Stack string `json:"stack"`
	// Code and Status are the properties of that name, if set.
	Code   string `json:"code"`
	Status int    `json:"status"`
	// Cause is the error's cause, nil if it has none.
	Cause *JSError `json:"cause"`
}

// Error returns "Name: message".
func (e *JSError) Error() string {
	switch {
	case e.Name == "":
		return e.Message
	case e.Message == "":
		return e.Name
	}
	return e.Name + ": " + e.Message
}

// Unwrap returns the cause.
func (e *JSError) Unwrap() error {
	if e.Cause == nil {
		return nil
	}
	return e.Cause
}

// Is reports ErrMemoryLimit for the engine's out-of-memory exception.
func (e *JSError) Is(target error) bool {
	return target == ErrMemoryLimit && e.Name == "InternalError" && e.Message == "out of memory"
}

func parseJSError(head []byte) error {
	if len(head) == 0 {
		return ErrMemoryLimit
	}
	e := new(JSError)
	if err := json.Unmarshal(head, e); err != nil {
		return fmt.Errorf("quickjs: malformed error description: %w", err)
	}
	return e
}

// HostError is an error of a host operation as JavaScript sees it: an Error with
// the given name, message and properties. Other Go errors appear as an Error
// with their text.
type HostError struct {
	// Name is the error's name; of a global constructor (TypeError), its prototype is used.
	Name    string `json:"name,omitempty"`
	Message string `json:"message"`
	Code    string `json:"code,omitempty"`
	Status  int    `json:"status,omitempty"`
	// Detail is any further JSON for the property "detail".
	Detail any `json:"detail,omitempty"`
}

// Error returns "Name: message".
func (e *HostError) Error() string {
	if e.Name == "" {
		return e.Message
	}
	return e.Name + ": " + e.Message
}

// Uncaught is an exception or rejection that no code of the guest handled, or the
// panic of a host operation.
type Uncaught struct {
	// Kind is "exception", "rejection" or "panic".
	Kind string
	// Err is usually a *JSError; that of a panic has the stack.
	Err error
}
