package pb

import (
	"context"
	"sync"

	"github.com/agentrt/agentrt/quickjs"
	"github.com/pocketbase/pocketbase/core"
)

// Scope is what the pb of one invocation acts on. Put it into the context given to
// Instance.Call with WithScope. Do not copy it.
type Scope struct {
	// App is the app, or that of the transaction which the invocation is part of.
	App core.App
	// Auth is the record that calls, nil for a guest.
	Auth *core.Record
	// AsCaller puts collections under the API rules of Auth (config.run = "caller").
	AsCaller bool
	// Depth counts the hooks and other invocations that led to this one.
	Depth int
	// Jobs is about the jobs that the invocation enqueues.
	Jobs JobScope

	mu     sync.Mutex
	tx     *transaction // nil outside of pb.tx
	failed error        // a pb.tx that joined the transaction of App threw
	ended  bool
	serial sync.Mutex // orders operations on App if it is that of a transaction
}

type scopeKey struct{}

// WithScope returns a context in which the operations of pb find scope.
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
		Message: "pb is usable only while a request or event is handled; move the call from the top level of the module into a handler"}
}

// Run calls f with the app that operations of the invocation have to use: that of
// the transaction while pb.tx runs, else App. Operations on a transaction run one
// after another. f must not keep app, nor call Run of the same scope.
func (s *Scope) Run(ctx context.Context, f func(app core.App) error) error {
	if t := s.transaction(); t != nil {
		if ran, err := t.run(ctx, f); ran {
			return err
		}
	}
	if !s.App.IsTransactional() {
		return f(s.App)
	}
	s.serial.Lock()
	defer s.serial.Unlock()
	return f(s.App)
}
