package hostfn

import (
	"context"
	"errors"
	"io"

	"github.com/agentrt/agentrt/quickjs"
	"github.com/agentrt/agentrt/stream"
)

// guestFailure is the error that JavaScript gave to a stream that it wrote.
type guestFailure string

func (e guestFailure) Error() string { return string(e) }

type failure struct {
	RID     int
	Message string
}

// maxFailure bounds the message of body.fail, in bytes.
const maxFailure = 4 << 10

// RegisterBody adds the operations that move bodies, on the streams of the
// invocation's Scope.
//
//	body.read   async  rid             the next bytes, at most 64 KiB; none at the end
//	body.pipe   sync                   rid of a pipe that JavaScript writes
//	body.write  sync   rid, bytes      credit left; at 0 or below body.drain comes first
//	body.drain  async  rid             waits for credit
//	body.gone   async  rid             true once the reading side is gone, false once the stream ended
//	body.close  sync   rid             ends a pipe
//	body.fail   sync   {rid, message}  ends a pipe with an error
//	body.cancel sync   rid             gives up reading
func RegisterBody(ops *quickjs.Ops) {
	quickjs.Deferred(ops, "body.read", func(ctx context.Context, rid int, done func([]byte, error)) {
		s, err := ScopeFrom(ctx)
		if err != nil {
			done(nil, err)
			return
		}
		s.Streams.ReadFunc(rid, func(chunk []byte, err error) {
			switch {
			case errors.Is(err, io.EOF):
				done([]byte{}, nil)
			case err != nil:
				done(nil, bodyError(err))
			default:
				done(chunk, nil)
			}
		})
	})
	quickjs.Sync(ops, "body.pipe", inScope(func(_ context.Context, s *Scope, _ quickjs.None) (int, error) {
		return s.Streams.NewPipe()
	}))
	quickjs.Sync(ops, "body.write", inScope(func(_ context.Context, s *Scope, m quickjs.Message[int]) (int, error) {
		return s.Streams.Write(m.Head, m.Body)
	}))
	quickjs.Async(ops, "body.drain", inScope(func(ctx context.Context, s *Scope, rid int) (quickjs.None, error) {
		return quickjs.None{}, s.Streams.Drain(ctx, rid)
	}))
	quickjs.Async(ops, "body.gone", inScope(func(ctx context.Context, s *Scope, rid int) (bool, error) {
		err := s.Streams.Gone(ctx, rid)
		if err != nil && ctx.Err() != nil {
			return false, err
		}
		return err != nil, nil
	}))
	quickjs.Sync(ops, "body.close", inScope(func(_ context.Context, s *Scope, rid int) (quickjs.None, error) {
		return quickjs.None{}, s.Streams.CloseWrite(rid)
	}))
	quickjs.Sync(ops, "body.fail", inScope(func(_ context.Context, s *Scope, f failure) (quickjs.None, error) {
		return quickjs.None{}, s.Streams.Fail(f.RID, guestFailure(f.Message[:min(len(f.Message), maxFailure)]))
	}))
	quickjs.Sync(ops, "body.cancel", inScope(func(_ context.Context, s *Scope, rid int) (quickjs.None, error) {
		s.Streams.Cancel(rid, stream.ErrCancelled)
		return quickjs.None{}, nil
	}))
}

// inScope gives fn the invocation's scope, and JavaScript fn's errors as a
// TypeError.
func inScope[Req, Res any](fn func(context.Context, *Scope, Req) (Res, error)) func(context.Context, Req) (Res, error) {
	return func(ctx context.Context, req Req) (Res, error) {
		scope, err := ScopeFrom(ctx)
		if err != nil {
			var none Res
			return none, err
		}
		res, err := fn(ctx, scope, req)
		if err != nil && ctx.Err() == nil {
			err = bodyError(err)
		}
		return res, err
	}
}

// bodyError is how reading or writing a body fails in JavaScript.
func bodyError(err error) error {
	if failed, ok := errors.AsType[guestFailure](err); ok {
		return &quickjs.HostError{Name: "TypeError", Message: string(failed)}
	}
	for _, own := range []error{stream.ErrHandle, stream.ErrTooMany, stream.ErrBusy, stream.ErrTouched, stream.ErrNotPipe,
		stream.ErrNoCredit, stream.ErrChunkSize, stream.ErrClosed, stream.ErrCancelled} {
		if errors.Is(err, own) {
			return &quickjs.HostError{Name: "TypeError", Message: err.Error()}
		}
	}
	return &quickjs.HostError{Name: "TypeError", Message: "terminated", Detail: failed{causeOf(err, "")}}
}
