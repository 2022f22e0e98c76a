package invocation

import (
	"context"
	"errors"
	"log/slog"
	"sync"

	"github.com/agentrt/agentrt/agentrt/deployment"
	"github.com/agentrt/agentrt/quickjs"
)

// Limits of what one invocation may log.
const (
	maxLines = 1000
	maxBytes = 1 << 20
)

// Log writes the console lines and unhandled errors of one invocation to the
// application's log: at most 1,000 lines and 1 MiB, then it says once that the
// rest is dropped.
type Log struct {
	deployment       *deployment.Deployment
	logger           *slog.Logger
	redact           func(string) string
	kind, target, id string

	mu    sync.Mutex
	lines int
	bytes int
	full  bool
}

type logKey struct{}

func withLog(ctx context.Context, l *Log) context.Context {
	return context.WithValue(ctx, logKey{}, l)
}

var levels = map[quickjs.Level]slog.Level{
	quickjs.LevelDebug: slog.LevelDebug,
	quickjs.LevelInfo:  slog.LevelInfo,
	quickjs.LevelWarn:  slog.LevelWarn,
	quickjs.LevelError: slog.LevelError,
}

// Console is the engine's console hook. Lines outside of an invocation, which
// come from the top level of a module, go to fallback. redact takes the values of
// secrets out.
func Console(fallback func() *slog.Logger, redact func(string) string) func(context.Context, quickjs.Level, string) {
	return func(ctx context.Context, level quickjs.Level, text string) {
		if l, ok := ctx.Value(logKey{}).(*Log); ok {
			l.line(ctx, levels[level], text)
			return
		}
		fallback().Log(ctx, levels[level], redact(text), "type", "console", "at", "top level")
	}
}

// Uncaught is the engine's hook for exceptions and rejections nobody handled.
func Uncaught(fallback func() *slog.Logger, redact func(string) string) func(context.Context, quickjs.Uncaught) {
	return func(ctx context.Context, u quickjs.Uncaught) {
		text := u.Err.Error()
		l, ok := ctx.Value(logKey{}).(*Log)
		if !ok {
			fallback().Log(ctx, slog.LevelError, "uncaught "+u.Kind+": "+redact(text), "at", "top level")
			return
		}
		if js, ok := errors.AsType[*quickjs.JSError](u.Err); ok {
			text = l.deployment.Explain(js)
		}
		l.line(ctx, slog.LevelError, "uncaught "+u.Kind+": "+text)
	}
}

func (l *Log) line(ctx context.Context, level slog.Level, text string) {
	switch l.admit(len(text)) {
	case admitted:
		l.logger.Log(ctx, level, l.redact(text), l.attributes()...)
	case firstDropped:
		l.logger.WarnContext(ctx, "further console lines of this invocation are dropped (limit 1,000 lines, 1 MiB)", l.attributes()...)
	}
}

type admission int

const (
	admitted admission = iota
	firstDropped
	dropped
)

func (l *Log) admit(size int) admission {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.full {
		return dropped
	}
	l.lines++
	l.bytes += size
	if l.full = l.lines > maxLines || l.bytes > maxBytes; l.full {
		return firstDropped
	}
	return admitted
}

func (l *Log) attributes() []any {
	return []any{"type", "console", "kind", l.kind, "target", l.target, "requestId", l.id, "version", l.deployment.Version}
}
