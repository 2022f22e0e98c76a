package triggers

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/agentrt/agentrt/agentrt/deployment"
	"github.com/agentrt/agentrt/agentrt/invocation"
	"github.com/agentrt/agentrt/agentrt/jobs"
	"github.com/agentrt/agentrt/agentrt/pool"
	"github.com/agentrt/agentrt/hostfn/pb"
	"github.com/agentrt/agentrt/quickjs"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"
	"github.com/pocketbase/pocketbase/tools/router"
)

// Events of records.
const (
	BeforeCreate = "beforeCreate"
	AfterCreate  = "afterCreate"
	BeforeUpdate = "beforeUpdate"
	AfterUpdate  = "afterUpdate"
	BeforeDelete = "beforeDelete"
	AfterDelete  = "afterDelete"
)

var hookEvents = []string{BeforeCreate, AfterCreate, BeforeUpdate, AfterUpdate, BeforeDelete, AfterDelete}

// MaxHookDepth bounds how many hooks may lead to one another: a hook that writes
// and so runs hooks, and so on.
const MaxHookDepth = 8

// Hooks run the record hooks of the current deployment. They are bound to
// PocketBase once and look up the deployment with each event: a new version takes
// over all at once.
type Hooks struct {
	app     core.App
	runner  *invocation.Runner
	queue   *jobs.Queue
	origins origins
}

// NewHooks returns hooks that do nothing before Bind.
func NewHooks(app core.App, runner *invocation.Runner, queue *jobs.Queue) *Hooks {
	return &Hooks{app: app, runner: runner, queue: queue}
}

// Bind begins to run the hooks that deployments register, until unbind is called.
func (h *Hooks) Bind() (unbind func()) {
	unbinds := []func(){h.origins.bind(h.app, h.runner)}
	for _, event := range hookEvents {
		unbinds = append(unbinds, h.bind("*", event, func(e *core.RecordEvent) []*hookHead {
			d := h.runner.Current()
			if d == nil {
				return nil
			}
			c := e.Record.Collection()
			groups := d.HooksFor(event, c.Name, c.Id)
			if event == BeforeUpdate && d.HooksFor(AfterUpdate, c.Name, c.Id) != nil {
				remember(&h.origins.originals, e.Record, e.Record.Original())
			}
			heads := make([]*hookHead, len(groups))
			for k, g := range groups {
				heads[k] = &hookHead{Handlers: g.Hooks, target: c.Name, access: g.Access}
			}
			return heads
		}))
	}
	return func() {
		for _, f := range unbinds {
			f()
		}
	}
}

// BindHandler calls handler ("hooks/users.ts#export") on event of the records of
// collection ("*": all), in whatever deployment is current. It returns what
// unbinds it.
func (h *Hooks) BindHandler(collection, event, handler string) (unbind func(), err error) {
	if !slices.Contains(hookEvents, event) {
		return nil, fmt.Errorf("unknown event %q: use %s", event, strings.Join(hookEvents, ", "))
	}
	return h.bind(collection, event, func(*core.RecordEvent) []*hookHead { return []*hookHead{{Handler: handler, target: handler}} }), nil
}

// bind runs what match returns, one after another. Before events run ahead of the write, and errors
// abort it; After events run once the write is committed, and errors are logged.
func (h *Hooks) bind(collection, event string, match func(*core.RecordEvent) []*hookHead) (unbind func()) {
	var tags []string
	if collection != "*" {
		tags = []string{collection}
	}
	run := func(e *core.RecordEvent) error {
		heads := match(e)
		if isBefore(event) {
			var held []string
			for _, head := range heads {
				hold, err := h.run(e, event, head)
				if hold != "" {
					held = append(held, hold)
				}
				if err != nil {
					return errors.Join(err, h.drop(e, held))
				}
			}
			return h.release(e, held)
		}
		if err := e.Next(); err != nil {
			return err
		}
		for _, head := range heads {
			_, err := h.run(e, event, head)
			if err == nil {
				continue
			}
			h.app.Logger().Error(h.runner.Redact(err.Error()), "type", "function", "target", head.target, "event", event, "record", e.Record.Id)
		}
		return nil
	}
	var hooks *hook.TaggedHook[*core.RecordEvent]
	switch event {
	case BeforeCreate:
		hooks = h.app.OnRecordCreate(tags...)
	case AfterCreate:
		hooks = h.app.OnRecordAfterCreateSuccess(tags...)
	case BeforeUpdate:
		hooks = h.app.OnRecordUpdate(tags...)
	case AfterUpdate:
		hooks = h.app.OnRecordAfterUpdateSuccess(tags...)
	case BeforeDelete:
		hooks = h.app.OnRecordDelete(tags...)
	default:
		hooks = h.app.OnRecordAfterDeleteSuccess(tags...)
	}
	id := hooks.BindFunc(run)
	return func() { hooks.Unbind(id) }
}

func isBefore(event string) bool { return strings.HasPrefix(event, "before") }

type hookHead struct {
	Handler  string    `json:"handler,omitempty"`
	Handlers []int     `json:"handlers,omitempty"`
	Event    hookEvent `json:"event"`
	target   string
	access   deployment.Access
}

type hookEvent struct {
	Type       string         `json:"type"`
	Collection string         `json:"collection"`
	Record     map[string]any `json:"record"`
	Original   map[string]any `json:"original"`
	Auth       map[string]any `json:"auth"`
}

// fieldError is what a handler finds wrong with a field.
type fieldError struct{ ErrorCode, Message string }

func (e fieldError) Code() string  { return e.ErrorCode }
func (e fieldError) Error() string { return e.Message }

type hookResult struct {
	Record  map[string]any `json:"record"`
	Refused *struct {
		Message string `json:"message"`
		Data    map[string]struct{ Code, Message string }
	} `json:"refused"`
}

// release goes on with the write. The jobs that a Before hook has enqueued, if
// held is not empty, come to exist with it.
func (h *Hooks) release(e *core.RecordEvent, held []string) error {
	if len(held) == 0 {
		return e.Next()
	}
	app := e.App
	defer func() { e.App = app }()
	err := app.RunInTransaction(func(tx core.App) error {
		e.App = tx
		for _, hold := range held {
			if err := h.queue.Release(e.Context, tx, hold); err != nil {
				return err
			}
		}
		return e.Next()
	})
	if err != nil {
		return errors.Join(err, h.drop(e, held))
	}
	return nil
}

func (h *Hooks) drop(e *core.RecordEvent, held []string) error {
	var errs []error
	for _, hold := range held {
		errs = append(errs, h.queue.Drop(context.WithoutCancel(e.Context), h.app, hold))
	}
	return errors.Join(errs...)
}

// run returns what the jobs that wait for the write were enqueued with.
func (h *Hooks) run(e *core.RecordEvent, event string, head *hookHead) (held string, err error) {
	ctx, auth, depth := h.origins.of(e)
	if depth >= MaxHookDepth {
		return held, router.NewBadRequestError(fmt.Sprintf("Record hooks led to each other %d times (%s of %q): the limit is %d. Check that a hook does not cause the event that it handles.",
			depth, event, e.Record.Collection().Name, MaxHookDepth), nil)
	}
	fields := visibleFields(e.Record)
	head.Event = hookEvent{Type: event, Collection: e.Record.Collection().Name, Record: fields, Original: h.originalFields(e.Record, event)}
	if auth != nil {
		head.Event.Auth = exportAuth(auth)
	}
	if !isBefore(event) {
		// The write is committed: what follows it does not depend on its caller.
		ctx = context.WithoutCancel(ctx)
	} else if caller, err := pb.ScopeFrom(ctx); err == nil {
		var stop func()
		ctx, stop = caller.WithTransaction(ctx)
		defer stop()
	}
	if e.App.IsTransactional() {
		// Other invocations may wait for this transaction with all places taken.
		ctx = pool.WithNested(ctx)
	}
	scope := &pb.Scope{App: e.App, Auth: auth, Depth: depth + 1, Jobs: pb.JobScope{Before: isBefore(event)}}
	res, err := runEvent(ctx, hookTimeout, h.runner, invocation.Call{Kind: "hook", Target: head.target, Export: "hook", Head: head,
		Access: head.access, Data: scope})
	held = scope.Jobs.Held()
	if err != nil {
		if js, ok := errors.AsType[*quickjs.JSError](err); ok && isBefore(event) {
			if js.Name != "Error" {
				// Rather a mistake than a refusal: the stack would be lost.
				h.app.Logger().Warn(h.runner.Redact(err.Error()), "type", "function", "target", head.target, "event", event)
			}
			return held, router.NewBadRequestError(js.Message, nil)
		}
		if isBefore(event) {
			// PocketBase's answer will not say why.
			h.app.Logger().Error(h.runner.Redact(err.Error()), "type", "function", "target", head.target, "event", event)
		}
		return held, err
	}
	var left hookResult
	if err := json.Unmarshal(res.Head, &left); err != nil {
		return held, fmt.Errorf("hook on %s of %s: event.record must stay an object: %w", event, head.target, err)
	}
	switch {
	case left.Refused != nil:
		fields := map[string]router.SafeErrorItem{}
		for name, f := range left.Refused.Data {
			fields[name] = fieldError{f.Code, f.Message}
		}
		return held, router.NewBadRequestError(left.Refused.Message, fields)
	case !isBefore(event) || event == BeforeDelete:
		return held, nil
	}
	return held, takeOver(e.Record, fields, left.Record)
}

// originalFields is the record before an update or deletion, else nil.
func (h *Hooks) originalFields(r *core.Record, event string) map[string]any {
	switch event {
	case BeforeUpdate, BeforeDelete, AfterDelete:
		return visibleFields(r.Original())
	case AfterUpdate:
		if o := h.origins.original(r); o != nil {
			return visibleFields(o)
		}
		return visibleFields(r.Original())
	}
	return nil
}

// visibleFields leaves out what a handler must not see: password hashes and token
// keys.
func visibleFields(r *core.Record) map[string]any {
	fields := map[string]any{"id": r.Id, "collectionId": r.Collection().Id, "collectionName": r.Collection().Name}
	for _, f := range r.Collection().Fields {
		if f.Type() != core.FieldTypePassword && f.GetName() != core.FieldNameTokenKey {
			fields[f.GetName()] = r.Get(f.GetName())
		}
	}
	return fields
}

// takeOver sets the fields that differ from what the handler was given, and a new
// password.
func takeOver(r *core.Record, given, left map[string]any) error {
	for name, value := range left {
		field := r.Collection().Fields.GetByName(name)
		if name == core.FieldNameCollectionId || name == core.FieldNameCollectionName || name == core.FieldNameExpand {
			continue
		}
		if field == nil || name == core.FieldNameTokenKey {
			return router.NewBadRequestError(fmt.Sprintf("The hook set the field %q of event.record, which %q does not have.", name, r.Collection().Name), nil)
		}
		before, known := given[name]
		if !known { // a password
			r.Set(name, value)
			continue
		}
		was, err := json.Marshal(before)
		if err != nil {
			return fmt.Errorf("field %s: %w", name, err)
		}
		var plain any
		if err := json.Unmarshal(was, &plain); err != nil {
			return fmt.Errorf("field %s: %w", name, err)
		}
		if !reflect.DeepEqual(plain, value) {
			r.Set(name, value)
		}
	}
	return nil
}

// How long a record hook and a cron job may take.
const (
	hookTimeout = 30 * time.Second
	cronTimeout = 10 * time.Minute
)

// runEvent runs c in the current deployment and waits for its end.
func runEvent(ctx context.Context, timeout time.Duration, runner *invocation.Runner, c invocation.Call) (res *quickjs.Result, err error) {
	d := runner.Current()
	if d == nil {
		return nil, invocation.ErrNoDeployment
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(runner.Base(), func() { cancel(invocation.ErrShutdown) })()
	defer time.AfterFunc(timeout, func() { cancel(fmt.Errorf("%s %s took longer than %v", c.Kind, c.Target, timeout)) }).Stop()
	lease, d, err := runner.Lease(ctx, d)
	if err != nil {
		return nil, err
	}
	ended := make(chan struct{})
	runner.Go(func() {
		defer close(ended)
		res, err = runner.Run(ctx, d, lease, c)
	})
	<-ended
	return res, err
}
