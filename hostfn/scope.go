package hostfn

import (
	"context"
	"net/http"
	"sync/atomic"

	"github.com/agentrt/agentrt/quickjs"
	"github.com/agentrt/agentrt/stream"
)

// Scope is what one invocation may use. Put it into the context given to
// Instance.Call with WithScope. Do not copy it.
type Scope struct {
	// Context ends with the invocation, bodies that Go took over included. Requests
	// to upstream servers derive from it.
	Context context.Context
	// Streams holds the bodies; whoever made the scope closes it.
	Streams *stream.Table
	// Transport sends requests, under the egress policy and what the function's
	// config.net narrows it to. It must not follow redirects or decode bodies.
	// Whatever opens connections for JavaScript goes through it, handshakes of
	// WebSockets too. Nil means that there is no network.
	Transport http.RoundTripper
	// Limits bound the invocation; zero fields have the defaults.
	Limits Limits

	fetches atomic.Int64
	codecs  codecs
	sockets sockets
}

// Limits bound what one invocation does outside of its memory.
type Limits struct {
	// MaxFetches is the most calls of fetch; 1,000 by default, negative for no limit.
	MaxFetches int
	// MaxHeaderBytes bounds the headers of one request and of one response, names
	// and values; 256 KiB by default.
	MaxHeaderBytes int
	// MaxDecompressed bounds a compressed response body, or the output of one
	// DecompressionStream, in bytes; 256 MiB by default.
	MaxDecompressed int64
}

func (l Limits) fetches() int64 { return int64(orDefault(l.MaxFetches, 1000)) }

func (l Limits) headerBytes() int { return orDefault(l.MaxHeaderBytes, 256<<10) }

func (l Limits) decompressed() int64 { return orDefault(l.MaxDecompressed, 256<<20) }

func orDefault[T int | int64](v, fallback T) T {
	if v == 0 {
		return fallback
	}
	return v
}

type scopeKey struct{}

// WithScope returns a context in which host operations find scope.
func WithScope(ctx context.Context, scope *Scope) context.Context {
	return context.WithValue(ctx, scopeKey{}, scope)
}

// ScopeFrom returns the scope of the invocation that ctx belongs to, or the error
// that JavaScript sees when there is none.
func ScopeFrom(ctx context.Context) (*Scope, error) {
	if scope, ok := ctx.Value(scopeKey{}).(*Scope); ok {
		return scope, nil
	}
	return nil, &quickjs.HostError{Name: "Error", Code: "ERR_TOP_LEVEL_IO",
		Message: "I/O is possible only while a request or event is handled; move the call from the top level of the module into a handler"}
}
