package triggers

import (
	"context"
	"runtime"
	"sync"
	"weak"

	"github.com/agentrt/agentrt/agentrt/invocation"
	"github.com/agentrt/agentrt/hostfn/pb"
	"github.com/pocketbase/pocketbase/core"
)

// origins remember, for records that are being written, what PocketBase's record
// events do not carry: the request that writes and the state before. Entries live
// as long as the record in memory.
type origins struct {
	requests  sync.Map // weak.Pointer[core.Record] -> origin
	originals sync.Map // weak.Pointer[core.Record] -> *core.Record
}

// origin is who writes a record.
type origin struct {
	ctx  context.Context
	auth *core.Record
}

func remember(m *sync.Map, record *core.Record, value any) {
	key := weak.Make(record)
	if _, known := m.Swap(key, value); !known {
		runtime.AddCleanup(record, func(key weak.Pointer[core.Record]) { m.Delete(key) }, key)
	}
}

// bind takes note of the authenticated record of requests that write.
func (o *origins) bind(app core.App, runner *invocation.Runner) (unbind func()) {
	note := func(e *core.RecordRequestEvent) error {
		if d := runner.Current(); d != nil && e.Record != nil {
			ctx := e.Request.Context()
			if _, err := pb.ScopeFrom(ctx); err != nil {
				// A client that leaves does not stop a write in PocketBase either.
				ctx = context.WithoutCancel(ctx)
			}
			remember(&o.requests, e.Record, origin{ctx, cloneAuth(e.Auth)})
		}
		return e.Next()
	}
	create, update, remove := app.OnRecordCreateRequest(), app.OnRecordUpdateRequest(), app.OnRecordDeleteRequest()
	ids := []string{create.BindFunc(note), update.BindFunc(note), remove.BindFunc(note)}
	return func() {
		create.Unbind(ids[0])
		update.Unbind(ids[1])
		remove.Unbind(ids[2])
	}
}

// cloneAuth makes sure that an entry does not keep its own record alive.
func cloneAuth(auth *core.Record) *core.Record {
	if auth == nil {
		return nil
	}
	return auth.Clone()
}

// of tells who writes the record of an event, and the context to work in. The
// scope of the calling function, if there is one, comes with the event's context
// or with that of the request.
func (o *origins) of(e *core.RecordEvent) (ctx context.Context, auth *core.Record, depth int) {
	ctx = e.Context
	if ctx == nil {
		ctx = context.Background()
	}
	scope, err := pb.ScopeFrom(ctx)
	if v, ok := o.requests.Load(weak.Make(e.Record)); ok && err != nil {
		from := v.(origin)
		ctx, auth = from.ctx, from.auth
		if scope, err = pb.ScopeFrom(ctx); err == nil {
			return ctx, auth, scope.Depth
		}
		return ctx, auth, 0
	}
	if err != nil {
		return ctx, nil, 0
	}
	return ctx, scope.Auth, scope.Depth
}

func (o *origins) original(r *core.Record) *core.Record {
	if v, ok := o.originals.Load(weak.Make(r)); ok {
		return v.(*core.Record)
	}
	return nil
}
