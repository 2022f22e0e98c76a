package triggers

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/agentrt/agentrt/agentrt/invocation"
	"github.com/agentrt/agentrt/hostfn/pb"
	"github.com/agentrt/agentrt/quickjs"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"
	"github.com/pocketbase/pocketbase/tools/router"
)

// Events that BindHook takes.
const (
	BeforeCreate = "beforeCreate"
	AfterCreate  = "afterCreate"
	BeforeUpdate = "beforeUpdate"
	AfterUpdate  = "afterUpdate"
	BeforeDelete = "beforeDelete"
	AfterDelete  = "afterDelete"
)

// BindHook calls handler ("hooks/users.ts#export") on event of the records of
// collection ("*": all). Before events run ahead of the write: what the handler
// changes in event.record is taken over, and an exception aborts with 400 and its
// message. After events run once the write is committed; their errors are logged.
// It returns what unbinds it.
func BindHook(app core.App, runner *invocation.Runner, collection, event, handler string) (unbind func(), err error) {
	var tags []string
	if collection != "*" {
		tags = []string{collection}
	}
	before := strings.HasPrefix(event, "before")
	bind := func(h *hook.TaggedHook[*core.RecordEvent]) func() {
		id := h.BindFunc(func(e *core.RecordEvent) error {
			if before {
				if err := runHook(runner, e, event, handler); err != nil {
					return err
				}
				return e.Next()
			}
			if err := e.Next(); err != nil {
				return err
			}
			if err := runHook(runner, e, event, handler); err != nil {
				e.App.Logger().Error(err.Error(), "type", "function", "target", handler, "event", event)
			}
			return nil
		})
		return func() { h.Unbind(id) }
	}
	switch event {
	case BeforeCreate:
		return bind(app.OnRecordCreate(tags...)), nil
	case AfterCreate:
		return bind(app.OnRecordAfterCreateSuccess(tags...)), nil
	case BeforeUpdate:
		return bind(app.OnRecordUpdate(tags...)), nil
	case AfterUpdate:
		return bind(app.OnRecordAfterUpdateSuccess(tags...)), nil
	case BeforeDelete:
		return bind(app.OnRecordDelete(tags...)), nil
	case AfterDelete:
		return bind(app.OnRecordAfterDeleteSuccess(tags...)), nil
	}
	return nil, fmt.Errorf("unknown event %q: use %s", event, strings.Join([]string{BeforeCreate, AfterCreate, BeforeUpdate, AfterUpdate, BeforeDelete, AfterDelete}, ", "))
}

type hookHead struct {
	Handler string    `json:"handler"`
	Event   hookEvent `json:"event"`
}

type hookEvent struct {
	Type       string         `json:"type"`
	Collection string         `json:"collection"`
	Record     map[string]any `json:"record"`
}

func runHook(runner *invocation.Runner, e *core.RecordEvent, event, handler string) error {
	fields := visibleFields(e.Record)
	head := hookHead{Handler: handler, Event: hookEvent{Type: event, Collection: e.Record.Collection().Name, Record: fields}}
	ctx := e.Context
	if ctx == nil {
		ctx = context.Background()
	}
	res, err := runEvent(ctx, hookTimeout, runner, invocation.Call{Kind: "hook", Target: handler, Export: "hook", Head: head, Data: &pb.Scope{App: e.App}})
	if err != nil {
		if js, ok := errors.AsType[*quickjs.JSError](err); ok && strings.HasPrefix(event, "before") {
			return router.NewBadRequestError(js.Message, nil)
		}
		return err
	}
	if !strings.HasPrefix(event, "before") || event == BeforeDelete {
		return nil
	}
	var left map[string]any
	if err := json.Unmarshal(res.Head, &left); err != nil {
		return fmt.Errorf("hook %s: the record it left is no object: %w", handler, err)
	}
	return takeOver(e.Record, fields, left)
}

// visibleFields leaves out what a handler must not see or set: password hashes
// and token keys.
func visibleFields(r *core.Record) map[string]any {
	fields := map[string]any{"id": r.Id}
	for _, f := range r.Collection().Fields {
		if f.Type() != core.FieldTypePassword && f.GetName() != core.FieldNameTokenKey {
			fields[f.GetName()] = r.Get(f.GetName())
		}
	}
	return fields
}

// takeOver sets the fields that differ from what the handler was given.
func takeOver(r *core.Record, given, left map[string]any) error {
	for name, value := range left {
		before, known := given[name]
		if !known {
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

// BindCron runs handler on a schedule of five cron fields. It returns what
// removes the job.
func BindCron(app core.App, runner *invocation.Runner, name, schedule, handler string) (remove func(), err error) {
	err = app.Cron().Add(name, schedule, func() {
		head := map[string]string{"handler": handler, "name": name}
		if _, err := runEvent(runner.Base(), cronTimeout, runner, invocation.Call{Kind: "cron", Target: name, Export: "cron", Head: head, Data: &pb.Scope{App: app}}); err != nil {
			app.Logger().Error(err.Error(), "type", "function", "target", handler, "cron", name)
		}
	})
	if err != nil {
		return nil, fmt.Errorf("cron %s: %w", name, err)
	}
	return func() { app.Cron().Remove(name) }, nil
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
