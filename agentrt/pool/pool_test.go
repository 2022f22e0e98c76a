package pool_test

import (
	"context"
	"errors"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/agentrt/agentrt/agentrt/pool"
	"github.com/agentrt/agentrt/quickjs"
	"go.uber.org/goleak"
)

// cacheDir keeps the compiled engine: only the first test compiles it.
var cacheDir string

func TestMain(m *testing.M) {
	var err error
	if cacheDir, err = os.MkdirTemp("", "agentrt-pool-*"); err != nil {
		panic(err)
	}
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		os.RemoveAll(cacheDir)
		os.Exit(code)
	}))
}

func newSnapshot(t testing.TB) *quickjs.Snapshot {
	t.Helper()
	e, err := quickjs.New(t.Context(), quickjs.NewConfig().WithCPULimit(50*time.Millisecond).WithCacheDir(cacheDir))
	if err != nil {
		t.Fatal(err)
	}
	s, err := e.NewSnapshot(t.Context(), func(ctx context.Context, i *quickjs.Instance) error {
		return i.EvalModule(ctx, "main.js", `let n = 0; export const count = () => ++n; export const spin = () => { for (;;); };`)
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return s
}

func newPool(t testing.TB, a *pool.Admission, c pool.Config) *pool.Pool {
	t.Helper()
	p := pool.New(newSnapshot(t), a, c)
	t.Cleanup(func() {
		if err := p.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return p
}

func acquire(t testing.TB, p *pool.Pool) *pool.Lease {
	t.Helper()
	l, err := p.Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func call(t testing.TB, l *pool.Lease, export string) string {
	t.Helper()
	res, err := l.Instance.Call(t.Context(), "main.js", export, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	return string(res.Head)
}

func TestEachLeaseIsFresh(t *testing.T) {
	p := newPool(t, pool.NewAdmission(4, 10, time.Minute), pool.Config{Warm: 1})
	for range 50 {
		l := acquire(t, p)
		if got := call(t, l, "count"); got != "1" {
			t.Fatalf("count %s: the instance had been used", got)
		}
		l.Release()
	}
}

func TestBrokenInstancesAreDropped(t *testing.T) {
	p := newPool(t, pool.NewAdmission(4, 0, 0), pool.Config{Warm: 1})
	l := acquire(t, p)
	broken := l.Instance
	if _, err := broken.Call(t.Context(), "main.js", "spin", nil, nil); !errors.Is(err, quickjs.ErrCPULimit) {
		t.Fatal(err)
	}
	l.Release()
	for p.InUse() > 0 {
		time.Sleep(time.Millisecond)
	}
	l = acquire(t, p)
	defer l.Release()
	if l.Instance == broken {
		t.Error("an instance that was interrupted is lent again")
	}
}

func TestAdmission(t *testing.T) {
	p := newPool(t, pool.NewAdmission(1, 1, 50*time.Millisecond), pool.Config{Warm: -1})
	first := acquire(t, p)
	t.Run("patience ends", func(t *testing.T) {
		_, err := p.Acquire(t.Context())
		if o, ok := errors.AsType[*pool.OverloadedError](err); !ok || o.Limit != 1 || o.RetryAfter < time.Second {
			t.Errorf("error %v", err)
		}
	})
	t.Run("a full queue refuses at once", func(t *testing.T) {
		a := pool.NewAdmission(1, 0, time.Hour)
		leave, err := a.Enter(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer leave()
		if _, err := a.Enter(t.Context()); err == nil {
			t.Error("a second one entered")
		}
	})
	t.Run("the context ends the wait", func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(t.Context())
		cause := errors.New("enough")
		cancel(cause)
		if _, err := p.Acquire(ctx); !errors.Is(err, cause) {
			t.Errorf("error %v", err)
		}
	})
	t.Run("nested invocations do not wait", func(t *testing.T) {
		l, err := p.Acquire(pool.WithNested(t.Context()))
		if err != nil {
			t.Fatal(err)
		}
		l.Release()
	})
	t.Run("a waiting one gets the place", func(t *testing.T) {
		time.AfterFunc(10*time.Millisecond, first.Release)
		acquire(t, p).Release()
	})
}

func TestCloseWaitsForLeases(t *testing.T) {
	a := pool.NewAdmission(4, 0, 0)
	p := pool.New(newSnapshot(t), a, pool.Config{Warm: 2})
	l := acquire(t, p)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	closed := make(chan error, 1)
	go func() { closed <- p.Close(context.Background()) }()
	<-ctx.Done()
	select {
	case err := <-closed:
		t.Fatalf("closed under a lease: %v", err)
	default:
	}
	if _, err := p.Acquire(t.Context()); !errors.Is(err, pool.ErrClosed) {
		t.Errorf("Acquire of a closed pool: %v", err)
	}
	if got := call(t, l, "count"); got != "1" {
		t.Errorf("the lease does not work on: %s", got)
	}
	l.Release()
	if err := <-closed; err != nil {
		t.Error(err)
	}
}

func TestManyAtOnce(t *testing.T) {
	p := newPool(t, pool.NewAdmission(8, 1000, time.Minute), pool.Config{Warm: 2, MaxIdle: 4})
	var work sync.WaitGroup
	for range 8 {
		work.Go(func() {
			for range 50 {
				l, err := p.Acquire(t.Context())
				if err != nil {
					t.Error(err)
					return
				}
				if res, err := l.Instance.Call(t.Context(), "main.js", "count", nil, nil); err != nil || string(res.Head) != "1" {
					t.Errorf("%v %v", res, err)
				}
				l.Release()
			}
		})
	}
	work.Wait()
}

func BenchmarkLease(b *testing.B) {
	p := newPool(b, pool.NewAdmission(8, 10, time.Minute), pool.Config{Warm: 4})
	for b.Loop() {
		l := acquire(b, p)
		if _, err := l.Instance.Call(b.Context(), "main.js", "count", nil, nil); err != nil {
			b.Fatal(err)
		}
		l.Release()
	}
}
