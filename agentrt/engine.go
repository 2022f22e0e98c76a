package agentrt

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/agentrt/agentrt/agentrt/autoembed"
	"github.com/agentrt/agentrt/agentrt/deployment"
	"github.com/agentrt/agentrt/agentrt/invocation"
	"github.com/agentrt/agentrt/agentrt/jobs"
	"github.com/agentrt/agentrt/agentrt/loader"
	"github.com/agentrt/agentrt/agentrt/pool"
	"github.com/agentrt/agentrt/agentrt/secrets"
	"github.com/agentrt/agentrt/agentrt/security"
	"github.com/agentrt/agentrt/agentrt/triggers"
	"github.com/agentrt/agentrt/hostfn/hostmodule"
	"github.com/agentrt/agentrt/hostfn/pb/kvstore"
	"github.com/agentrt/agentrt/quickjs"
	"github.com/agentrt/agentrt/vector/embed"
	"github.com/agentrt/agentrt/vector/embed/embedstore"
	"github.com/agentrt/agentrt/vector/extract"
	"github.com/agentrt/agentrt/vector/vectorfield"
	"github.com/pocketbase/pocketbase/core"
)

var (
	// ErrNotStarted is returned by methods that need Start first.
	ErrNotStarted = errors.New("agentrt: the engine is not started")
	// ErrStarted is returned by a second Start, also after Stop.
	ErrStarted = errors.New("agentrt: the engine was started before")
)

// Engine runs the functions of one PocketBase app. It may be used from several
// goroutines.
type Engine struct {
	app       core.App
	config    Config
	runner    *invocation.Runner
	admission *pool.Admission
	transport *security.Transport
	http      *triggers.HTTP
	hooks     *triggers.Hooks
	crons     *triggers.Crons
	workers   *triggers.Workers
	store     store
	secrets   *secrets.Vault
	jobs      *jobs.Queue
	vectors   *vectorfield.Vectors // nil without Register
	auto      *autoembed.Auto      // nil without Register
	embed     *embed.Service
	extract   *extract.Extractor
	prepared  func() preparation

	load     sync.Mutex  // one load at a time
	serving  atomic.Bool // the app's own log may be used
	mu       sync.Mutex
	started  bool
	stopped  bool
	quick    *quickjs.Engine
	platform *quickjs.Snapshot
	unbind   []func()
	closing  sync.WaitGroup // former deployments
	end      context.CancelFunc
	watching sync.WaitGroup
}

// New returns an engine for app that is not started. Register is the usual way.
func New(app core.App, config Config) (*Engine, error) {
	config = config.withDefaults(app.DataDir())
	allow, err := parseRules(config.AllowNet)
	if err != nil {
		return nil, err
	}
	deny, err := parseRules(config.DenyNet)
	if err != nil {
		return nil, err
	}
	if err := hostmodule.Check(config.HostModules); err != nil {
		return nil, fmt.Errorf("agentrt: %w", err)
	}
	e := &Engine{
		app:       app,
		config:    config,
		admission: pool.NewAdmission(config.MaxInstances, config.MaxQueue, config.QueueTimeout),
		transport: security.NewEgressPolicy().Allow(allow...).Deny(deny...).Transport(security.TransportConfig{}),
		store:     store{filepath.Join(app.DataDir(), "agentrt", "deployments")},
	}
	e.prepared = sync.OnceValue(func() preparation { return e.prepareAll(context.Background()) })
	e.secrets = secrets.New(app, config.SecretsKey)
	config.Jobs.Logger, config.Jobs.Redact = e.logger, e.secrets.Redact
	e.jobs = jobs.New(app, config.Jobs)
	e.runner = invocation.NewRunner(e.transport, e.logger, e.secrets, triggers.JobsOf(e.jobs))
	if e.embed, err = e.newEmbedder(); err != nil {
		return nil, err
	}
	e.extract = extract.New(filepath.Join(config.CacheDir, "pdfium"))
	e.runner.UseTexts(e.embed, e.extract)
	e.http = triggers.NewHTTP(config.HTTP, e.runner, e.logger)
	e.hooks, e.crons = triggers.NewHooks(app, e.runner, e.jobs), triggers.NewCrons(app, e.runner)
	e.workers = triggers.NewWorkers(app, e.runner, e.jobs)
	return e, nil
}

func parseRules(texts []string) ([]security.Rule, error) {
	var rules []security.Rule
	for _, text := range texts {
		rule, err := security.ParseRule(text)
		if err != nil {
			return nil, fmt.Errorf("agentrt: egress rule %q: %w", text, err)
		}
		rules = append(rules, rule)
	}
	return rules, nil
}

// logger is the app's, once that has been made.
func (e *Engine) logger() *slog.Logger {
	if e.serving.Load() {
		return e.app.Logger()
	}
	return slog.Default()
}

// Start prepares the sandbox and loads the functions: the current deployment, or
// else the functions folder. Functions that cannot be loaded are an error that
// errors.As finds as *loader.Error or *deployment.LoadError; the engine is started
// all the same and answers 503 until others arrive.
func (e *Engine) Start() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.started || e.stopped {
		return ErrStarted
	}
	ctx, end := context.WithCancel(context.Background())
	// Modules that ask for secrets at their top level have waited for this.
	storesErr := errors.Join(e.secrets.Open(ctx), kvstore.Create(ctx, e.app), embedstore.Create(ctx, e.app), e.openAuto(ctx), e.jobs.Start(ctx))
	p := e.prepared()
	e.serving.Store(true)
	if p.err != nil {
		end()
		return errors.Join(fmt.Errorf("agentrt: %w", p.err), e.jobs.Stop(ctx))
	}
	if storesErr != nil {
		end()
		return errors.Join(fmt.Errorf("agentrt: %w", storesErr), e.jobs.Stop(ctx), e.release(p.functions))
	}
	e.started, e.end = true, end
	e.startEmbedder()
	e.unbind = append(e.unbind, e.hooks.Bind())
	e.watching.Go(func() { e.sweep(ctx) })
	e.watching.Go(func() { e.watchSecrets(ctx) })
	if p.functions != nil {
		if _, err := e.store.current(); err == nil {
			e.logger().Info("functions: the deployed bundle is used, not the functions folder")
		}
		if p.loadErr = e.conflict(p.functions); p.loadErr == nil {
			e.switchTo(p.functions)
		} else {
			p.loadErr = errors.Join(p.loadErr, p.functions.Close(ctx))
		}
	}
	if e.config.Watch {
		e.watching.Go(func() { e.watch(ctx, p.loadErr) })
		e.watching.Go(func() { e.keepTypes(ctx) })
	}
	return p.loadErr
}

// preparation is what Start waits for.
type preparation struct {
	functions *deployment.Deployment // nil if there are none, or loadErr
	loadErr   error
	err       error
}

// Prepare begins what Start waits for in the background: a server calls it ahead
// of PocketBase's own start, which then runs beside it. Only use it if Start
// follows. What modules log at their top level then goes to slog's default logger.
func (e *Engine) Prepare() {
	e.closing.Go(func() { e.prepared() })
}

func (e *Engine) prepareAll(ctx context.Context) (p preparation) {
	var bundle *loader.Bundle
	var work sync.WaitGroup
	work.Go(func() { bundle, p.loadErr = e.firstBundle(ctx) })
	p.err = e.prepare(ctx)
	work.Wait()
	if p.err == nil && p.loadErr == nil && bundle != nil {
		p.functions, p.loadErr = e.deployment(ctx, bundle)
	}
	return p
}

func (e *Engine) prepare(ctx context.Context) (err error) {
	config := e.config.sandbox().
		WithPreload(e.config.Preload).
		WithConsole(invocation.Console(e.logger, e.secrets.Redact)).
		WithUncaught(invocation.Uncaught(e.logger, e.secrets.Redact))
	if e.config.CPULimit > 0 {
		config = config.WithCPULimit(e.config.CPULimit)
	}
	e.quick, e.platform, err = NewPlatform(ctx, config, e.config.HostModules...)
	return errors.Join(err, e.config.Preload.Close(ctx))
}

// jobsEnd is how long the handlers of jobs may take to return after they were
// ended.
const jobsEnd = 5 * time.Second

// Stop refuses new invocations, lets running ones go on for the shutdown timeout,
// ends the rest and releases everything. The engine cannot be started again.
func (e *Engine) Stop() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.started {
		return nil
	}
	e.started, e.stopped = false, true
	e.end()
	e.watching.Wait()
	e.crons.Switch(nil)
	e.admission.Close()
	ctx, cancel := context.WithTimeout(context.Background(), e.config.ShutdownTimeout)
	defer cancel()
	stopped := make(chan error, 1)
	go func() {
		// What Drain ends has to return first.
		later, cancel := context.WithTimeout(context.Background(), e.config.ShutdownTimeout+jobsEnd)
		defer cancel()
		stopped <- e.jobs.StopWorkers(later)
	}()
	e.runner.Drain(ctx)
	jobsErr := errors.Join(<-stopped, e.jobs.Stop(ctx)) // what drained has enqueued
	closeErr := errors.Join(e.embed.Close(context.Background()), e.extract.Close())
	// Only now: writes of what drained had their hooks.
	for _, unbind := range e.unbind {
		unbind()
	}
	return errors.Join(jobsErr, closeErr, e.release(e.runner.Swap(nil)))
}

// release gives everything back once all invocations have ended; d may be nil.
func (e *Engine) release(d *deployment.Deployment) error {
	ctx := context.Background()
	var errs []error
	if d != nil {
		errs = append(errs, d.Close(ctx))
	}
	e.closing.Wait()
	errs = append(errs, e.platform.Close(), e.quick.Close(ctx))
	e.transport.CloseIdleConnections()
	return errors.Join(errs...)
}

// Current describes the functions that answer now; false if there are none.
func (e *Engine) Current() (version string, manifest loader.Manifest, ok bool) {
	d := e.runner.Current()
	if d == nil {
		return "", manifest, false
	}
	return d.Version, d.Manifest, true
}
