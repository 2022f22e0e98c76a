// Package invocation runs user code: one event, one fresh instance, one call of
// the platform module, under a context whose end ends the code.
package invocation

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"

	"github.com/agentrt/agentrt/agentrt/deployment"
	"github.com/agentrt/agentrt/agentrt/pool"
	"github.com/agentrt/agentrt/agentrt/security"
	"github.com/agentrt/agentrt/hostfn"
	"github.com/agentrt/agentrt/hostfn/pb"
	"github.com/agentrt/agentrt/quickjs"
	"github.com/agentrt/agentrt/stream"
)

// ErrNoDeployment reports that no functions have been loaded yet.
var ErrNoDeployment = errors.New("no functions are loaded")

// Runner runs invocations of the current deployment. It may be used from several
// goroutines.
type Runner struct {
	transport *security.Transport
	logger    func() *slog.Logger
	secrets   Secrets
	embedder  pb.Embedder
	extractor pb.Extractor
	jobs      pb.Jobs
	current   atomic.Pointer[deployment.Deployment]
	base      context.Context
	end       context.CancelCauseFunc
	workMu    sync.Mutex
	running   int
	idle      *sync.Cond // on workMu: running is 0
}

// Secrets are what pb.secrets gives, and what takes their values out of texts.
type Secrets interface {
	pb.Secrets
	Redact(text string) string
}

// NewRunner returns a runner whose fetches go through transport.
func NewRunner(transport *security.Transport, logger func() *slog.Logger, secrets Secrets, jobs pb.Jobs) *Runner {
	base, end := context.WithCancelCause(context.Background())
	r := &Runner{transport: transport, logger: logger, secrets: secrets, jobs: jobs, base: base, end: end}
	r.idle = sync.NewCond(&r.workMu)
	return r
}

// UseTexts sets what pb.embed and pb.utils.extractText use; call it ahead of all
// invocations.
func (r *Runner) UseTexts(e pb.Embedder, x pb.Extractor) { r.embedder, r.extractor = e, x }

// Current is the deployment that new invocations use, nil if there is none.
func (r *Runner) Current() *deployment.Deployment { return r.current.Load() }

// Swap makes d the current deployment and returns the former one, which the
// caller closes; its invocations go on.
func (r *Runner) Swap(d *deployment.Deployment) *deployment.Deployment { return r.current.Swap(d) }

// Base is the context that all invocations end with.
func (r *Runner) Base() context.Context { return r.base }

// Go runs f on a goroutine that Drain waits for.
func (r *Runner) Go(f func()) {
	r.workMu.Lock()
	r.running++
	r.workMu.Unlock()
	go func() {
		defer func() {
			r.workMu.Lock()
			defer r.workMu.Unlock()
			if r.running--; r.running == 0 {
				r.idle.Broadcast()
			}
		}()
		f()
	}()
}

// wait returns once nothing runs. Unlike a WaitGroup's it may begin while Go is
// called.
func (r *Runner) wait() {
	r.workMu.Lock()
	defer r.workMu.Unlock()
	for r.running > 0 {
		r.idle.Wait()
	}
}

// ErrShutdown is the cause that ends invocations which outlive the deadline of
// Drain.
var ErrShutdown = errors.New("the server shuts down")

// Drain waits for running invocations as long as ctx allows and ends the rest.
func (r *Runner) Drain(ctx context.Context) {
	done := make(chan struct{})
	go func() { r.wait(); close(done) }()
	select {
	case <-done:
	case <-ctx.Done():
	}
	r.end(ErrShutdown)
	<-done
}

// Call is one event for user code.
type Call struct {
	// Kind ("http", "hook", "cron", "job") and Target (a file or name) go to the log.
	Kind, Target string
	// ID is the request's id, for the log.
	ID string
	// Export is the function of the platform module, Head its JSON argument and
	// Body its bytes.
	Export string
	Head   any
	Body   []byte
	// Limits of the use; zero fields mean the engine's.
	Limits quickjs.Limits
	// Data is what pb acts on.
	Data *pb.Scope
	// Access narrows what the code may reach.
	Access deployment.Access
	// Streams are the call's stream handles; it closes them. Nil makes a table.
	Streams *stream.Table
}

// Lease waits for an instance of d, or of a newer deployment if d was replaced.
func (r *Runner) Lease(ctx context.Context, d *deployment.Deployment) (*pool.Lease, *deployment.Deployment, error) {
	for {
		lease, err := d.Pool.Acquire(ctx)
		if err == nil {
			return lease, d, nil
		}
		next := r.Current()
		if !errors.Is(err, pool.ErrClosed) || next == nil || next == d {
			return nil, nil, err
		}
		d = next
	}
}

// Run runs c in the leased instance until the code, its streams and what it
// registered with waitUntil have ended, and gives the instance back. Errors of
// user code are *Error; the end of ctx ends the code with its cause.
func (r *Runner) Run(ctx context.Context, d *deployment.Deployment, lease *pool.Lease, c Call) (res *quickjs.Result, err error) {
	defer lease.Release()
	if c.Streams == nil {
		c.Streams = stream.NewTable(stream.Config{})
	}
	defer c.Streams.Close()
	defer func() {
		if failed := c.Data.End(); err == nil {
			err = failed
		}
	}()
	log := &Log{deployment: d, redact: r.secrets.Redact, logger: r.logger(), kind: c.Kind, target: c.Target, id: c.ID}
	ctx = withLog(pool.WithNested(ctx), log)
	ctx = hostfn.WithScope(ctx, &hostfn.Scope{Context: ctx, Streams: c.Streams, Transport: r.network(c.Access)})
	ctx = pb.WithSecrets(pb.WithScope(ctx, c.Data), r.secrets, c.Access.Secrets)
	ctx = pb.WithExtractor(pb.WithEmbedder(ctx, r.embedder), r.extractor)
	ctx = pb.WithJobs(ctx, r.jobs)
	head, err := json.Marshal(c.Head)
	if err != nil {
		return nil, fmt.Errorf("invocation: the event is no JSON: %w", err)
	}
	if c.Limits != (quickjs.Limits{}) {
		if err := lease.Instance.SetLimits(c.Limits); err != nil {
			return nil, fmt.Errorf("invocation: %w", err)
		}
	}
	res, err = lease.Instance.Call(ctx, deployment.PlatformModule, c.Export, head, c.Body)
	if err != nil {
		return nil, r.explain(d, err)
	}
	return res, nil
}

// network is what the code of a call sends requests through.
func (r *Runner) network(a deployment.Access) http.RoundTripper {
	if a.Net == nil {
		return r.transport
	}
	return r.transport.Restrict(*a.Net)
}

// Error is what user code threw or was ended by, with positions in TypeScript.
type Error struct {
	// Err is the engine's error.
	Err error
	// Text explains it to the developer: message, source line, stack.
	Text string
}

// Error returns the text.
func (e *Error) Error() string { return e.Text }

// Unwrap returns the engine's error.
func (e *Error) Unwrap() error { return e.Err }

// Redact takes the values of secrets out of text.
func (r *Runner) Redact(text string) string { return r.secrets.Redact(text) }

func (r *Runner) explain(d *deployment.Deployment, err error) error {
	js, ok := errors.AsType[*quickjs.JSError](err)
	if !ok {
		return &Error{Err: err, Text: r.Redact(err.Error())}
	}
	for e := js; e != nil; e = e.Cause {
		e.Message, e.Stack = r.Redact(e.Message), r.Redact(e.Stack)
	}
	return &Error{Err: err, Text: d.Explain(js)}
}
