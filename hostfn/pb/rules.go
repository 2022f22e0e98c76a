package pb

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"sync"
	"sync/atomic"

	"github.com/agentrt/agentrt/quickjs"
	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"
	"github.com/pocketbase/pocketbase/tools/router"
)

// identity says whether a call is under API rules and whose: nil is a guest.
func (s *Scope) identity(app core.App, as json.RawMessage) (auth *core.Record, ruled bool, err error) {
	if as == nil {
		if !s.AsCaller {
			return nil, false, nil
		}
		auth, err = freshAuth(app, s.Auth)
		return auth, true, err
	}
	var want *struct{ Collection, ID string }
	if err := json.Unmarshal(as, &want); err != nil {
		return nil, false, fmt.Errorf("pb.as: %w", err)
	}
	if s.AsCaller && !s.isCaller(want) {
		return nil, false, &quickjs.HostError{Name: "Error", Code: "ERR_RUN_AS_CALLER",
			Message: `pb.as() takes only the caller's own record here, because the route's config has run: "caller"`}
	}
	if want == nil {
		return nil, true, nil
	}
	collection, err := app.FindCachedCollectionByNameOrId(want.Collection)
	if err != nil || !collection.IsAuth() {
		return nil, false, &quickjs.HostError{Name: "TypeError", Message: fmt.Sprintf("pb.as() takes a record of an auth collection; %q is none", want.Collection)}
	}
	record, err := app.FindRecordById(collection, want.ID)
	if err != nil {
		return nil, false, router.NewUnauthorizedError("The record given to pb.as() does not exist.", err)
	}
	return record, true, nil
}

func (s *Scope) isCaller(want *struct{ Collection, ID string }) bool {
	if want == nil || s.Auth == nil {
		return want == nil && s.Auth == nil
	}
	c := s.Auth.Collection()
	return want.ID == s.Auth.Id && (want.Collection == c.Id || want.Collection == c.Name)
}

// freshAuth reads the caller again, as each request to the Web API does.
func freshAuth(app core.App, auth *core.Record) (*core.Record, error) {
	if auth == nil {
		return nil, nil
	}
	record, err := app.FindRecordById(auth.Collection().Id, auth.Id)
	if err != nil {
		return nil, router.NewUnauthorizedError("The caller's record does not exist any more.", err)
	}
	return record, nil
}

type ruledCallKey struct{}

type ruledCall struct {
	app  core.App
	auth *core.Record
}

// recordAPI is PocketBase's Web API without a server: no activity log, rate limits
// or checks of addresses, since those are about network clients.
var recordAPI = sync.OnceValues(func() (http.Handler, error) {
	r, err := apis.NewRouter(detachedApp{})
	if err != nil {
		return nil, err
	}
	r.Unbind(apis.DefaultActivityLoggerMiddlewareId, apis.DefaultRateLimitMiddlewareId, apis.DefaultLoadAuthTokenMiddlewareId,
		apis.DefaultSuperuserIPsWhitelistMiddlewareId, apis.DefaultSecurityHeadersMiddlewareId)
	RouteVectors(r.RouterGroup)
	r.Bind(&hook.Handler[*core.RequestEvent]{Id: "agentrtCall", Priority: math.MinInt, Func: func(e *core.RequestEvent) error {
		c, ok := e.Request.Context().Value(ruledCallKey{}).(*ruledCall)
		if !ok {
			return e.InternalServerError("The request has no call.", nil)
		}
		e.App, e.Auth = c.app, c.auth
		return e.Next()
	}})
	return r.BuildMux()
})

// detachedApp stands for an app while routes are made: the hooks that PocketBase
// binds along with them are bound to nothing, since the app has them already.
// Handlers never see it.
type detachedApp struct{ core.App }

func nowhere[T hook.Tagger](tags []string) *hook.TaggedHook[T] {
	return hook.NewTaggedHook(&hook.Hook[T]{}, tags...)
}

func (detachedApp) OnServe() *hook.Hook[*core.ServeEvent] { return &hook.Hook[*core.ServeEvent]{} }
func (detachedApp) OnCollectionUpdate(tags ...string) *hook.TaggedHook[*core.CollectionEvent] {
	return nowhere[*core.CollectionEvent](tags)
}
func (detachedApp) OnCollectionAfterDeleteSuccess(tags ...string) *hook.TaggedHook[*core.CollectionEvent] {
	return nowhere[*core.CollectionEvent](tags)
}
func (detachedApp) OnModelAfterCreateSuccess(tags ...string) *hook.TaggedHook[*core.ModelEvent] {
	return nowhere[*core.ModelEvent](tags)
}
func (detachedApp) OnModelAfterUpdateSuccess(tags ...string) *hook.TaggedHook[*core.ModelEvent] {
	return nowhere[*core.ModelEvent](tags)
}
func (detachedApp) OnModelDelete(tags ...string) *hook.TaggedHook[*core.ModelEvent] {
	return nowhere[*core.ModelEvent](tags)
}
func (detachedApp) OnModelAfterDeleteSuccess(tags ...string) *hook.TaggedHook[*core.ModelEvent] {
	return nowhere[*core.ModelEvent](tags)
}
func (detachedApp) OnModelAfterDeleteError(tags ...string) *hook.TaggedHook[*core.ModelErrorEvent] {
	return nowhere[*core.ModelErrorEvent](tags)
}

// callApp is the app as handlers see it: writes carry the invocation's context, so
// that hooks find its scope, and the answer comes before an outer transaction
// commits.
type callApp struct {
	core.App
	ctx      context.Context
	settings *core.Settings
}

// newCallApp lifts the settings that restrict network clients: rate limits, and
// batches being off.
func newCallApp(ctx context.Context, app core.App, batch bool) (*callApp, error) {
	settings := app.Settings()
	if batch || settings.RateLimits.Enabled {
		var err error
		if settings, err = settings.Clone(); err != nil {
			return nil, fmt.Errorf("settings: %w", err)
		}
		settings.RateLimits.Enabled = false
		if batch {
			settings.Batch.Enabled = true
			settings.Batch.MaxRequests = maxBatch
			settings.Batch.Timeout = int64(batchTimeout.Seconds())
		}
	}
	return &callApp{App: app, ctx: ctx, settings: settings}, nil
}

func (a *callApp) Settings() *core.Settings { return a.settings }
func (a *callApp) TxInfo() *core.TxAppInfo  { return nil }

func (a *callApp) RecordQuery(collection any) *dbx.SelectQuery {
	return a.App.RecordQuery(collection).WithContext(a.ctx)
}
func (a *callApp) Save(m core.Model) error { return a.App.SaveWithContext(a.ctx, m) }
func (a *callApp) SaveWithContext(_ context.Context, m core.Model) error {
	return a.App.SaveWithContext(a.ctx, m)
}
func (a *callApp) Delete(m core.Model) error { return a.App.DeleteWithContext(a.ctx, m) }
func (a *callApp) DeleteWithContext(_ context.Context, m core.Model) error {
	return a.App.DeleteWithContext(a.ctx, m)
}
func (a *callApp) RunInTransaction(f func(core.App) error) error {
	return a.App.RunInTransaction(func(tx core.App) error {
		return f(&callApp{App: tx, ctx: a.ctx, settings: a.settings})
	})
}

// answer keeps what a handler writes.
type answer struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (a *answer) Header() http.Header         { return a.header }
func (a *answer) WriteHeader(status int)      { a.status = status }
func (a *answer) Write(p []byte) (int, error) { return a.body.Write(p) }

// calls gives each call an address of its own for a while: PocketBase slows down
// addresses whose searches find nothing.
var calls atomic.Uint32

// callAs answers c under the API rules, for auth.
func callAs(ctx context.Context, app core.App, auth *core.Record, c *recordsCall, body []byte) (any, error) {
	handler, err := recordAPI()
	if err != nil {
		return nil, fmt.Errorf("the record API: %w", err)
	}
	inner, err := newCallApp(ctx, app, c.Method == methodBatch)
	if err != nil {
		return nil, err
	}
	r, err := c.request(context.WithValue(ctx, ruledCallKey{}, &ruledCall{inner, auth}), body)
	if err != nil {
		return nil, err
	}
	r.RemoteAddr = fmt.Sprintf("[fd00::%x]:0", calls.Add(1)&0xffff)
	w := &answer{header: http.Header{}}
	handler.ServeHTTP(w, r)
	if r.MultipartForm != nil {
		defer func() { _ = r.MultipartForm.RemoveAll() }()
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	text := bytes.TrimSpace(w.body.Bytes())
	if w.status < 200 || w.status > 299 {
		if !json.Valid(text) {
			text = []byte("{}")
		}
		return nil, &apiFailure{w.status, text}
	}
	if len(text) == 0 {
		return true, nil
	}
	return json.RawMessage(text), nil
}
