package triggers

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/agentrt/agentrt/agentrt/invocation"
	"github.com/agentrt/agentrt/agentrt/loader"
	"github.com/agentrt/agentrt/agentrt/pool"
	"github.com/agentrt/agentrt/hostfn/pb"
	"github.com/agentrt/agentrt/quickjs"
	"github.com/agentrt/agentrt/stream"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/router"
)

// HTTPConfig has the limits of the HTTP trigger.
type HTTPConfig struct {
	// Prefix is the path below which routes answer, without a slash at its end.
	Prefix string
	// Timeout is the time until a response starts, 30 s by default.
	Timeout time.Duration
	// MaxBody bounds a request body in bytes, 32 MiB by default.
	MaxBody int64
	// StreamIdle is how long a started stream may be silent, MaxStream how long
	// it may last at all; 2 minutes and 1 hour by default.
	StreamIdle, MaxStream time.Duration
	// Heartbeat is after which silence an event stream gets an empty comment, so
	// that nothing on the way takes it for dead; 15 s by default, negative for
	// never. It does not extend StreamIdle.
	Heartbeat time.Duration
	// WriteTimeout is how long one write to the client may take, 30 s by default.
	WriteTimeout time.Duration
	// Background is how long work registered with waitUntil may go on after the
	// response or after the client left, 30 s by default.
	Background time.Duration
	// Dev shows stacks in responses.
	Dev bool
}

// DefaultHTTPConfig returns the defaults for prefix.
func DefaultHTTPConfig(prefix string) HTTPConfig {
	return HTTPConfig{
		Prefix:       prefix,
		Timeout:      30 * time.Second,
		MaxBody:      32 << 20,
		StreamIdle:   2 * time.Minute,
		MaxStream:    time.Hour,
		Heartbeat:    15 * time.Second,
		WriteTimeout: 30 * time.Second,
		Background:   30 * time.Second,
	}
}

// Causes that end an invocation.
var (
	errTimeout    = errors.New("the handler did not respond in time")
	errClientGone = errors.New("the client closed the connection")
	errBackground = errors.New("the time for work after the response is over")
	errMaxStream  = errors.New("the stream lasted too long")
)

// partingGrace is how long code may react to a client that left before it is
// ended, unless it registered work with waitUntil.
const partingGrace = 500 * time.Millisecond

// smallBody is the size in bytes up to which a request body is read before the
// handler runs instead of being streamed to it.
const smallBody = 16 << 10

// HTTP answers requests with the routes of the current deployment.
type HTTP struct {
	config HTTPConfig
	runner *invocation.Runner
	logger func() *slog.Logger
	rates  rates
}

// NewHTTP returns the trigger.
func NewHTTP(config HTTPConfig, runner *invocation.Runner, logger func() *slog.Logger) *HTTP {
	return &HTTP{config: config, runner: runner, logger: logger}
}

// Handle answers e.
func (h *HTTP) Handle(e *core.RequestEvent) error {
	id := requestID(e.Request)
	e.Response.Header().Set("X-Request-Id", id)
	path := strings.TrimPrefix(e.Request.URL.EscapedPath(), h.config.Prefix)
	d := h.runner.Current()
	if d == nil {
		return router.NewApiError(http.StatusServiceUnavailable, "No functions are loaded.", nil)
	}
	route, params, ok := d.Match(path)
	if !ok {
		return e.NotFoundError(fmt.Sprintf("There is no function for %q.", path), nil)
	}
	if !route.Allows(e.Request.Method) {
		e.Response.Header().Set("Allow", route.Allow())
		if e.Request.Method == http.MethodOptions {
			return e.NoContent(http.StatusNoContent)
		}
		return router.NewApiError(http.StatusMethodNotAllowed, fmt.Sprintf("%s is not allowed here (allowed: %s).", e.Request.Method, route.Allow()), nil)
	}
	if err := h.rates.admit(e, d, route); err != nil {
		return err
	}
	if err := authorize(route.Config.Auth, e); err != nil {
		return err
	}
	x := &exchange{trigger: h, event: e, id: id, route: route, deployment: d, streams: stream.NewTable(stream.Config{}),
		responded: make(chan *response, 1), gone: make(chan struct{}), done: make(chan error, 1), sent: make(chan struct{})}
	defer close(x.sent)
	return x.serve(params)
}

func authorize(auth string, e *core.RequestEvent) error {
	switch {
	case auth == "none":
		return nil
	case e.Auth == nil:
		return e.UnauthorizedError("The request requires a valid record authorization token.", nil)
	case auth == "user":
		return nil
	case auth == "superuser" && e.Auth.IsSuperuser():
		return nil
	case auth == e.Auth.Collection().Name || auth == e.Auth.Collection().Id:
		return nil
	}
	return e.ForbiddenError("The authorized record is not allowed to call this function.", nil)
}

// fail turns the end of an invocation without response into an API error.
func (x *exchange) fail(err error) error {
	status, message := http.StatusInternalServerError, "The function failed."
	var busy *pool.OverloadedError
	switch {
	case errors.As(err, &busy):
		x.event.Response.Header().Set("Retry-After", strconv.Itoa(int(busy.RetryAfter/time.Second)))
		return router.NewApiError(http.StatusServiceUnavailable, "The server is busy, try again later.", nil)
	case errors.Is(err, pool.ErrClosed), errors.Is(err, invocation.ErrShutdown):
		x.event.Response.Header().Set("Retry-After", "1")
		return router.NewApiError(http.StatusServiceUnavailable, "The server is shutting down.", nil)
	case errors.Is(err, errClientGone):
		return nil
	case errors.Is(err, errTimeout):
		status, message = http.StatusGatewayTimeout, fmt.Sprintf("The function did not respond within %v.", x.timeout())
	case errors.Is(err, quickjs.ErrCPULimit):
		status, message = http.StatusServiceUnavailable, "The function used up its CPU time."
	case errors.Is(err, quickjs.ErrMemoryLimit):
		status, message = http.StatusServiceUnavailable, "The function ran out of memory."
	case errors.Is(err, errTooLarge) || x.tooLarge.Load():
		status, message = http.StatusRequestEntityTooLarge, fmt.Sprintf("The request body is larger than %d bytes.", x.trigger.config.MaxBody)
	case errors.Is(err, quickjs.ErrStalled):
		message = "The function waits for a promise that nothing can settle."
	}
	x.log(err, status)
	apiErr := router.NewApiError(status, message, nil)
	if x.trigger.config.Dev {
		apiErr.Message += "\n" + x.trigger.runner.Redact(err.Error())
	}
	return apiErr
}

func (x *exchange) log(err error, status int) {
	x.trigger.logger().Error(x.trigger.runner.Redact(err.Error()), "type", "function", "target", x.route.File, "method", x.event.Request.Method,
		"status", status, "requestId", x.id, "version", x.deployment.Version)
}

var errTooLarge = errors.New("the request body is too large")

// limitedBody reports errTooLarge once more than its limit was read.
type limitedBody struct {
	io.ReadCloser
	left     int64
	exceeded *atomic.Bool
}

func (b *limitedBody) Read(p []byte) (int, error) {
	if int64(len(p)) > b.left+1 {
		p = p[:b.left+1]
	}
	n, err := b.ReadCloser.Read(p)
	if b.left -= int64(n); b.left < 0 {
		b.exceeded.Store(true)
		return 0, errTooLarge
	}
	return n, err
}

// takeBody returns the connection's own body: PocketBase's keeps a copy of
// everything that is read.
func (x *exchange) takeBody() (io.ReadCloser, error) {
	r := x.event.Request
	if r.ContentLength > x.trigger.config.MaxBody {
		return nil, errTooLarge
	}
	body := r.Body
	if re, ok := body.(*router.RereadableReadCloser); ok {
		body = re.ReadCloser
	}
	return &limitedBody{body, x.trigger.config.MaxBody, &x.tooLarge}, nil
}

func (x *exchange) timeout() time.Duration {
	if t := x.route.Config.Timeout; t > 0 {
		return t
	}
	return x.trigger.config.Timeout
}

func (x *exchange) serve(params loader.Params) error {
	head, bytes, err := x.head(params)
	if err != nil {
		return x.fail(err)
	}
	ctx, cancel := context.WithCancelCause(context.WithValue(x.trigger.runner.Base(), exchangeKey{}, x))
	x.cancel = cancel
	clock := time.NewTimer(x.timeout())
	defer clock.Stop()
	lease, d, err := x.trigger.runner.Lease(x.event.Request.Context(), x.deployment)
	if err != nil {
		cancel(err)
		x.streams.Close()
		if x.event.Request.Context().Err() != nil {
			err = errClientGone
		}
		return x.fail(err)
	}
	x.deployment = d
	config := x.route.Config
	x.trigger.runner.Go(func() {
		// A body that is passed through needs the context until it was sent.
		defer cancel(nil)
		defer func() { <-x.sent }()
		_, err := x.trigger.runner.Run(ctx, d, lease, invocation.Call{
			Kind: "http", Target: x.route.File, ID: x.id, Export: "http", Head: head, Body: bytes,
			Limits: quickjs.Limits{CPU: config.CPU, Memory: config.Memory}, Data: &pb.Scope{App: x.event.App, Auth: x.event.Auth, AsCaller: config.AsCaller},
			Access: config.Access, Streams: x.streams,
		})
		x.done <- err
	})
	select {
	case resp := <-x.responded:
		return x.send(resp)
	case err := <-x.done:
		select {
		case resp := <-x.responded:
			x.done <- err
			return x.send(resp)
		default:
		}
		if err == nil {
			err = errors.New("the function ended without a response")
		}
		return x.fail(err)
	case <-clock.C:
		cancel(errTimeout)
		return x.fail(fmt.Errorf("%w: %w", errTimeout, <-x.done))
	case <-x.event.Request.Context().Done():
		x.part()
		return nil
	}
}
