package agentrt

import (
	"errors"
	"net/http"
	"runtime"

	"github.com/agentrt/agentrt/agentrt/autoembed"
	"github.com/agentrt/agentrt/agentrt/deployment"
	"github.com/agentrt/agentrt/agentrt/loader"
	"github.com/agentrt/agentrt/hostfn/pb"
	"github.com/agentrt/agentrt/vector/vectorfield"
	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"
)

// Register adds the engine to app: it starts with the web server, answers below
// /api/pb_serverless and /api/agentrt, and stops with the app. Functions that
// cannot be loaded do not keep the server from starting; the error goes to the
// terminal and the log.
func Register(app core.App, config Config) (*Engine, error) {
	config.Dev = config.Dev || app.IsDev()
	e, err := New(app, config)
	if err != nil {
		return nil, err
	}
	e.vectors = vectorfield.Register(app, vectorfield.Config{Embedder: textEmbedder{e.embed}})
	if e.auto, err = autoembed.Register(app, e.jobs, e.vectors, e.embed); err != nil {
		return nil, err
	}
	app.OnServe().Bind(&hook.Handler[*core.ServeEvent]{Id: "agentrt", Func: func(se *core.ServeEvent) error {
		if err := e.Start(); err != nil {
			if !loadFailed(err) {
				return err
			}
			e.report(err)
		}
		e.route(se)
		return se.Next()
	}})
	// Ahead of PocketBase's own handler, which ends all connections.
	app.OnTerminate().Bind(&hook.Handler[*core.TerminateEvent]{Id: "agentrt", Priority: -10_000, Func: func(te *core.TerminateEvent) error {
		return errors.Join(e.Stop(), te.Next())
	}})
	return e, nil
}

// loadFailed reports whether err is about the functions, not the engine.
func loadFailed(err error) bool {
	_, build := errors.AsType[*loader.Error](err)
	_, load := errors.AsType[*deployment.LoadError](err)
	return build || load
}

func (e *Engine) route(se *core.ServeEvent) {
	// The trigger has its own limit of bodies. Compression, if the app binds it to
	// all routes, would merge the chunks of streams.
	for _, path := range []string{Prefix, Prefix + "/{path...}"} {
		se.Router.Any(path, e.http.Handle).Unbind(apis.DefaultBodyLimitMiddlewareId, apis.DefaultGzipMiddlewareId)
	}
	se.Router.BindFunc(e.crons.Handle)
	pb.RouteVectors(se.Router.RouterGroup)
	admin := se.Router.Group("/api/agentrt")
	admin.Bind(apis.RequireSuperuserAuth())
	admin.GET("/deployments", e.listDeployments)
	admin.POST("/deployments", e.postDeployment).Bind(apis.BodyLimit(maxUpload))
	admin.POST("/deployments/{version}/activate", e.postActivate)
	admin.GET("/secrets", e.listSecrets)
	admin.PUT("/secrets/{name}", e.putSecret)
	admin.DELETE("/secrets/{name}", e.deleteSecret)
	admin.POST("/secrets/rotate", e.postRotate)
	admin.GET("/embeddings/usage", e.getEmbeddingUsage)
	admin.GET("/status", e.getStatus)
	e.routeJobs(admin)
}

// RegisterHook calls handler on an event of the records of collection ("*": all).
// Events are beforeCreate, afterCreate, beforeUpdate, afterUpdate, beforeDelete
// and afterDelete; handler names a file of the bundle and its export, for example
// "hooks/users.ts#welcome" (without "#…": the default export). A before handler
// may change event.record, or throw to abort with 400.
func (e *Engine) RegisterHook(collection, event, handler string) error {
	unbind, err := e.hooks.BindHandler(collection, event, handler)
	return e.bound(unbind, err)
}

// RegisterCron calls handler (see RegisterHook) on a schedule of five fields, in
// the time zone of PocketBase's cron, UTC by default. The job shows in
// PocketBase's list under name.
func (e *Engine) RegisterCron(name, schedule, handler string) error {
	remove, err := e.crons.BindHandler(name, schedule, handler)
	return e.bound(remove, err)
}

func (e *Engine) bound(unbind func(), err error) error {
	if err != nil {
		return err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.unbind = append(e.unbind, unbind)
	return nil
}

func (e *Engine) getStatus(re *core.RequestEvent) error {
	running, queued := e.admission.InUse()
	version, manifest, _ := e.Current()
	return re.JSON(http.StatusOK, map[string]any{
		"version": version, "routes": manifest.Routes,
		"running": running, "queued": queued, "limit": e.config.MaxInstances,
		"goroutines": runtime.NumGoroutine(),
	})
}
