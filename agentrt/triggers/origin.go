package triggers

import (
	"context"
	"runtime"
	"sync"
	"weak"

	"github.com/agentrt/agentrt/agentrt/invocation"
	"github.com/agentrt/agentrt/hostfn/pb"
	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"
)

// origins remember, for records that are being written, what PocketBase's record
// events do not carry: the request that writes and the state before. Entries live
// as long as the record in memory.
type origins struct {
	requests  sync.Map // weak.Pointer[core.Record] -> origin
	originals sync.Map // weak.Pointer[core.Record] -> *core.Record

	// Who deletes the record whose deletion is running in a transaction: what a
	// cascade deletes and changes is his too.
	deletions sync.Map // dbx.Builder of the transaction -> origin
	running   sync.Map // *core.Record that is being deleted -> deletion
}

// deletion is that of one record, while it runs.
type deletion struct {
	transaction dbx.Builder
	outer       any // what deletions had before
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
	unbindCascades := o.bindCascades(app)
	return func() {
		unbindCascades()
		create.Unbind(ids[0])
		update.Unbind(ids[1])
		remove.Unbind(ids[2])
	}
}

// bindCascades follows deletions. PocketBase opens the transaction between
// OnRecordDelete and OnRecordDeleteExecute, and cascades after the latter.
func (o *origins) bindCascades(app core.App) (unbind func()) {
	outermost := app.OnRecordDelete().Bind(&hook.Handler[*core.RecordEvent]{Priority: -10_000, Func: func(e *core.RecordEvent) error {
		o.inherit(e)
		defer o.deleted(e.Record)
		return e.Next()
	}})
	execute := app.OnRecordDeleteExecute().Bind(&hook.Handler[*core.RecordEvent]{Priority: 10_000, Func: func(e *core.RecordEvent) error {
		if _, nested := o.running.Load(e.Record); !nested && e.App.IsTransactional() {
			ctx, auth, _ := o.of(e)
			d := deletion{transaction: e.App.NonconcurrentDB()}
			d.outer, _ = o.deletions.Swap(d.transaction, origin{ctx, auth})
			o.running.Store(e.Record, d)
		}
		return e.Next()
	}})
	update := app.OnRecordUpdate().Bind(&hook.Handler[*core.RecordEvent]{Priority: -10_000, Func: func(e *core.RecordEvent) error {
		o.inherit(e)
		return e.Next()
	}})
	return func() {
		app.OnRecordDelete().Unbind(outermost)
		app.OnRecordDeleteExecute().Unbind(execute)
		app.OnRecordUpdate().Unbind(update)
	}
}

// deleted forgets a deletion that has ended.
func (o *origins) deleted(r *core.Record) {
	v, ok := o.running.LoadAndDelete(r)
	if !ok {
		return
	}
	if d := v.(deletion); d.outer != nil {
		o.deletions.Store(d.transaction, d.outer)
	} else {
		o.deletions.Delete(d.transaction)
	}
}

// inherit gives an event of a cascade the origin of the deletion that caused it.
func (o *origins) inherit(e *core.RecordEvent) {
	if !e.App.IsTransactional() {
		return
	}
	if v, ok := o.deletions.Load(e.App.NonconcurrentDB()); ok {
		if _, err := pb.ScopeFrom(contextOf(e)); err != nil {
			remember(&o.requests, e.Record, v)
		}
	}
}

func contextOf(e *core.RecordEvent) context.Context {
	if e.Context == nil {
		return context.Background()
	}
	return e.Context
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
	ctx = contextOf(e)
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
