package quickjs

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"runtime/debug"
	"time"
)

// Operation describes a host operation.
type Operation struct {
	Name  string
	Async bool
	// Request and Response are the Go types, see Sync.
	Request, Response reflect.Type
	Limits            OpLimits
}

// OpLimits bound the calls of an operation. Zero fields bound nothing.
type OpLimits struct {
	// MaxRequest and MaxResponse bound the bytes of JSON and body together. What is
	// larger is a RangeError with the code ERR_HOST_SIZE.
	MaxRequest, MaxResponse int
	// Timeout ends the context of a call. The error that fn then returns becomes a
	// TimeoutError with the code ERR_HOST_TIMEOUT.
	Timeout time.Duration
	// MaxConcurrent calls run at a time, in all instances together. Further ones
	// wait, within Timeout.
	MaxConcurrent int
}

// limited is call within the limits.
func (op *operation) limited(call func(context.Context, []byte, []byte) reply) func(context.Context, []byte, []byte) reply {
	name, l := op.Name, op.Limits
	var places chan struct{}
	if l.MaxConcurrent > 0 {
		places = make(chan struct{}, l.MaxConcurrent)
	}
	return func(caller context.Context, head, body []byte) reply {
		if size := len(head) + len(body); l.MaxRequest > 0 && size > l.MaxRequest {
			return sizeError("%s: the argument has %d bytes, at most %d are allowed", name, size, l.MaxRequest)
		}
		ctx := caller
		if l.Timeout > 0 {
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeout(caller, l.Timeout)
			defer cancel()
		}
		late := func() bool { return errors.Is(ctx.Err(), context.DeadlineExceeded) && caller.Err() == nil }
		if places != nil {
			select {
			case places <- struct{}{}:
				defer func() { <-places }()
			case <-ctx.Done():
				if late() {
					return errorReply(&HostError{Name: "Error", Code: "ERR_HOST_BUSY",
						Message: fmt.Sprintf("%s: as many calls as are allowed at a time (%d) took up all of %v", name, l.MaxConcurrent, l.Timeout)})
				}
				return errorReply(ctx.Err())
			}
		}
		r := call(ctx, head, body)
		if r.shape&shapeError != 0 && late() {
			return errorReply(&HostError{Name: "TimeoutError", Code: "ERR_HOST_TIMEOUT", Message: fmt.Sprintf("%s took longer than %v", name, l.Timeout)})
		}
		if size := len(r.head) + len(r.body); l.MaxResponse > 0 && size > l.MaxResponse {
			return sizeError("%s: the result has %d bytes, at most %d are allowed", name, size, l.MaxResponse)
		}
		return r
	}
}

func sizeError(format string, args ...any) reply {
	return errorReply(&HostError{Name: "RangeError", Code: "ERR_HOST_SIZE", Message: fmt.Sprintf(format, args...)})
}

// perform calls an operation. Its panic is an error for the caller and goes, with the
// stack, to the hook for what nobody handled, or else to slog.
func (i *Instance) perform(ctx context.Context, op *operation, head, body []byte) (r reply) {
	defer func() {
		p := recover()
		if p == nil {
			return
		}
		if s, ok := p.(stop); ok {
			panic(s)
		}
		err := fmt.Errorf("the host operation %s panicked: %v\n%s", op.Name, p, debug.Stack())
		if i.engine.config.uncaught != nil {
			i.engine.config.uncaught(ctx, Uncaught{Kind: "panic", Err: err})
		} else {
			slog.ErrorContext(ctx, err.Error())
		}
		r = errorReply(&HostError{Name: "Error", Code: "ERR_HOST_PANIC", Message: op.Name + " failed: the server's log says why"})
	}()
	return op.call(ctx, head, body)
}
