package pb

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/agentrt/agentrt/quickjs"
	"github.com/pocketbase/pocketbase/core"
)

// Limits of pb.tx. The time counts from the moment that the transaction is open:
// SQLite has one writer, so all other writes wait that long.
const (
	txTimeout    = 5 * time.Second
	maxTxTimeout = 30 * time.Second
	// txWait is how long pb.tx waits for other writers.
	txWait = 30 * time.Second
)

var errTxEnded = &quickjs.HostError{Name: "Error", Code: "ERR_TX_ENDED", Message: "the invocation ended before its transaction was complete: it was rolled back"}

var errTxOver = &quickjs.HostError{Name: "Error", Code: "ERR_TX_OVER", Message: "the transaction was rolled back before this operation began"}

// errTxThrew rolls back; the exception itself stays in JavaScript.
var errTxThrew = errors.New("the function of pb.tx threw")

var errTxSpoiled error = &quickjs.HostError{Name: "Error", Code: "ERR_TX_BATCH",
	Message: "a batch inside of the transaction failed, so all of it was rolled back"}

// transaction is one pb.tx. A goroutine holds the database's transaction open from
// begin to the decision; operations run on their own goroutines, one at a time.
type transaction struct {
	app     core.App
	spoiled atomic.Bool   // a batch that joined failed
	turn    chan struct{} // full while an operation runs, and after the end
	opened  chan struct{}
	done    chan struct{} // closed once committed or rolled back
	err     error         // the result, valid after done
	decided context.Context
	decide  context.CancelCauseFunc // the first cause counts; errCommit commits
}

var errCommit = errors.New("commit")

type txCall struct {
	// Timeout in milliseconds; zero means txTimeout.
	Timeout int64 `json:"timeout"`
	// Commit or roll back.
	Commit bool `json:"commit"`
}

// RegisterTx adds transactions. An invocation has at most one at a time.
//
//	pb.tx.begin  async  {timeout: ms}  waits up to 30 s for other writers
//	pb.tx.wait   async  -              rejects when the transaction was rolled back by its time limit, resolves at any other end
//	pb.tx.end    async  {commit}       resolves once committed, and the After hooks have run, or rolled back
//	pb.tx.leave  sync   -              no operation of the transaction's function is left: further ones run outside
func RegisterTx(ops *quickjs.Ops) {
	quickjs.Async(ops, "pb.tx.begin", func(ctx context.Context, c txCall) (quickjs.None, error) {
		scope, err := ScopeFrom(ctx)
		if err != nil {
			return quickjs.None{}, err
		}
		limit := txTimeout
		if c.Timeout != 0 {
			limit = time.Duration(c.Timeout) * time.Millisecond
		}
		if limit <= 0 || limit > maxTxTimeout {
			return quickjs.None{}, &quickjs.HostError{Name: "RangeError", Code: "ERR_TX_TIMEOUT_RANGE",
				Message: fmt.Sprintf("the timeout of pb.tx is from 1 to %d milliseconds", maxTxTimeout.Milliseconds())}
		}
		return quickjs.None{}, scope.begin(ctx, limit)
	})
	quickjs.Async(ops, "pb.tx.wait", func(ctx context.Context, _ quickjs.None) (quickjs.None, error) {
		t, err := transactionFrom(ctx)
		if err != nil {
			return quickjs.None{}, err
		}
		select {
		case <-t.done:
		case <-ctx.Done():
			return quickjs.None{}, ctx.Err()
		}
		if e, ok := errors.AsType[*quickjs.HostError](context.Cause(t.decided)); ok {
			return quickjs.None{}, e
		}
		return quickjs.None{}, nil
	})
	quickjs.Async(ops, "pb.tx.end", func(ctx context.Context, c txCall) (quickjs.None, error) {
		scope, err := ScopeFrom(ctx)
		if err != nil {
			return quickjs.None{}, err
		}
		t, err := transactionFrom(ctx)
		if err != nil {
			return quickjs.None{}, err
		}
		return quickjs.None{}, scope.finish(t, c.Commit)
	})
	quickjs.Sync(ops, "pb.tx.leave", func(ctx context.Context, _ quickjs.None) (quickjs.None, error) {
		scope, err := ScopeFrom(ctx)
		if err == nil {
			scope.leave()
		}
		return quickjs.None{}, err
	})
}

func transactionFrom(ctx context.Context) (*transaction, error) {
	scope, err := ScopeFrom(ctx)
	if err != nil {
		return nil, err
	}
	if t := scope.transaction(); t != nil {
		return t, nil
	}
	return nil, errTxEnded
}

func (s *Scope) transaction() *transaction {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.tx
}

func (s *Scope) leave() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.tx != nil && s.tx.over() {
		s.tx = nil
	}
}

// begin opens a transaction that s.Run uses until it is over.
func (s *Scope) begin(ctx context.Context, limit time.Duration) error {
	t := &transaction{turn: make(chan struct{}, 1), opened: make(chan struct{}), done: make(chan struct{})}
	t.decided, t.decide = context.WithCancelCause(context.Background())
	s.mu.Lock()
	if s.tx != nil && !s.tx.over() || s.ended {
		s.mu.Unlock()
		return &quickjs.HostError{Name: "Error", Code: "ERR_TX_ENDED", Message: "the invocation has a transaction already, or has ended"}
	}
	s.tx = nil
	s.mu.Unlock()
	go t.hold(s.App, limit)
	patience := time.NewTimer(txWait)
	defer patience.Stop()
	select {
	case <-t.opened:
	case <-t.done:
		return t.err
	case <-ctx.Done():
		t.decide(errTxEnded)
		return ctx.Err()
	case <-patience.C:
		t.decide(errTxEnded)
		return &quickjs.HostError{Name: "Error", Code: "ERR_TX_BUSY", Message: fmt.Sprintf("pb.tx waited %v for other transactions to end", txWait)}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		t.decide(errTxEnded)
		return errTxEnded
	}
	s.tx = t
	return nil
}

// hold keeps the database's transaction open until the decision. On the app of a
// transaction it joins that one.
func (t *transaction) hold(app core.App, limit time.Duration) {
	defer close(t.done)
	t.err = app.RunInTransaction(func(tx core.App) error {
		if t.decided.Err() != nil { // nobody waits any more
			return context.Cause(t.decided)
		}
		t.app = tx
		close(t.opened)
		clock := time.NewTimer(limit)
		defer clock.Stop()
		select {
		case <-t.decided.Done():
		case <-clock.C:
			t.decide(&quickjs.HostError{Name: "Error", Code: "ERR_TX_TIMEOUT",
				Message: fmt.Sprintf("the transaction was rolled back: its function did not return within %v (all other writes wait for it; see the option timeout)", limit)})
		}
		t.turn <- struct{}{}
		if cause := context.Cause(t.decided); cause != errCommit {
			return cause
		}
		return nil
	})
}

// run runs f on the transaction when it is its turn; false if it was committed.
func (t *transaction) run(ctx context.Context, f func(core.App) error) (ran bool, err error) {
	if t.over() {
		return t.late()
	}
	select {
	case t.turn <- struct{}{}:
	case <-t.decided.Done():
		return t.late()
	case <-ctx.Done():
		return true, ctx.Err()
	}
	defer func() { <-t.turn }()
	if t.over() {
		return t.late()
	}
	return true, f(t.app)
}

// late is for operations after the decision. Before a commit JavaScript waits for
// those of the transaction's function: what arrives now is from outside of it.
func (t *transaction) late() (ran bool, err error) {
	if context.Cause(t.decided) == errCommit {
		return false, nil
	}
	return true, errTxOver
}

func (t *transaction) over() bool { return t.decided.Err() != nil }

// finish commits or rolls back and waits for it.
func (s *Scope) finish(t *transaction, commit bool) error {
	cause := errTxThrew
	if spoiled := t.spoiled.Load(); commit && !spoiled {
		cause = errCommit
	} else if commit {
		cause = errTxSpoiled
	}
	t.decide(cause)
	<-t.done
	err := t.err
	if decision := context.Cause(t.decided); decision == errTxThrew || decision == errTxSpoiled {
		if s.App.IsTransactional() {
			s.mu.Lock()
			s.failed = errors.New("a transaction inside of the handler failed, and what it joined cannot keep half of it")
			s.mu.Unlock()
		}
		if errors.Is(err, errTxThrew) {
			return nil
		}
	}
	return err
}

// spoil takes note that an operation failed after it may have written: what it
// joined must not commit.
func (s *Scope) spoil() {
	if t := s.transaction(); t != nil && !t.over() {
		t.spoiled.Store(true)
	} else if s.App.IsTransactional() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.failed = errors.New("a batch inside of the handler failed, and the transaction that it joined cannot keep half of it")
	}
}

// End ends what the invocation left open: its transaction is rolled back. It
// reports whether the invocation joined a transaction and failed a part of it, so
// that the whole has to be rolled back by whoever began it.
func (s *Scope) End() error {
	if s == nil {
		return nil
	}
	s.mu.Lock()
	s.ended = true
	t, failed := s.tx, s.failed
	s.mu.Unlock()
	if t != nil {
		t.decide(errTxEnded)
		<-t.done
	}
	return failed
}

// WithTransaction returns a context that also ends when the transaction that the
// invocation has open is rolled back, for work that runs inside one of its
// operations. The caller calls stop.
func (s *Scope) WithTransaction(ctx context.Context) (_ context.Context, stop func()) {
	t := s.transaction()
	if t == nil || t.over() {
		return ctx, func() {}
	}
	ctx, cancel := context.WithCancelCause(ctx)
	unhook := context.AfterFunc(t.decided, func() {
		if cause := context.Cause(t.decided); cause != errCommit {
			cancel(cause)
		}
	})
	return ctx, func() { unhook(); cancel(nil) }
}
