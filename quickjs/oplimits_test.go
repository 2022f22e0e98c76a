package quickjs_test

import (
	"context"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/agentrt/agentrt/quickjs"
)

// limitedOps has operations with limits, and some that panic.
func limitedOps() *quickjs.Ops {
	ops := quickjs.NewOps()
	quickjs.Sync(ops, "sized", func(_ context.Context, n int) ([]byte, error) { return make([]byte, n), nil }, quickjs.OpLimits{MaxRequest: 3, MaxResponse: 50})
	quickjs.Async(ops, "late", func(ctx context.Context, _ quickjs.None) (quickjs.None, error) {
		<-ctx.Done()
		return quickjs.None{}, ctx.Err()
	}, quickjs.OpLimits{Timeout: 20 * time.Millisecond})
	release := make(chan struct{}, 1)
	quickjs.Async(ops, "hold", func(context.Context, quickjs.None) (string, error) { <-release; return "held", nil },
		quickjs.OpLimits{Timeout: 20 * time.Millisecond, MaxConcurrent: 1})
	quickjs.Sync(ops, "release", func(context.Context, quickjs.None) (quickjs.None, error) {
		release <- struct{}{}
		return quickjs.None{}, nil
	})
	quickjs.Sync(ops, "panicNow", func(context.Context, quickjs.None) (int, error) { panic("now") })
	quickjs.Async(ops, "panicLater", func(context.Context, quickjs.None) (int, error) {
		var none []int
		return none[len(none)], nil
	})
	return ops
}

func TestOpLimits(t *testing.T) {
	var mu sync.Mutex
	var uncaught []string
	e := newEngine(t, quickjs.NewConfig().WithOps(limitedOps()).WithUncaught(func(_ context.Context, u quickjs.Uncaught) {
		mu.Lock()
		defer mu.Unlock()
		uncaught = append(uncaught, u.Kind+" "+u.Err.Error())
	}))
	i := newInstance(t, newSnapshot(t, e, `
		const { op } = __host;
		const sized = op("sized"), late = op("late"), hold = op("hold"), release = op("release"), panicNow = op("panicNow"), panicLater = op("panicLater");
		const error = async (f) => { try { return await f(); } catch (e) { return e.name + " " + e.code + ": " + e.message; } };
		export const sizes = async () => [sized(50).byteLength, await error(() => sized(51)), await error(() => sized(1000))];
		export const time = () => error(late);
		export const places = async () => { const all = [error(hold), error(hold)]; await Promise.race(all); release(); return (await Promise.all(all)).sort(); };
		export const panics = async () => [await error(panicNow), await error(panicLater), sized(1).byteLength];`))
	for export, want := range map[string]string{
		"sizes":  `[50,"RangeError ERR_HOST_SIZE: sized: the result has 51 bytes, at most 50 are allowed","RangeError ERR_HOST_SIZE: sized: the argument has 4 bytes, at most 3 are allowed"]`,
		"time":   `"TimeoutError ERR_HOST_TIMEOUT: late took longer than 20ms"`,
		"places": `["Error ERR_HOST_BUSY: hold: as many calls as are allowed at a time (1) took up all of 20ms","held"]`,
		"panics": `["Error ERR_HOST_PANIC: panicNow failed: the server's log says why","Error ERR_HOST_PANIC: panicLater failed: the server's log says why",1]`,
	} {
		if got := call(t, i, export, ""); got != want {
			t.Errorf("%s:\n got %s\nwant %s", export, got, want)
		}
	}
	mu.Lock()
	defer mu.Unlock()
	all := strings.Join(uncaught, "\n")
	for _, want := range []string{"panic the host operation panicNow panicked: now", "panic the host operation panicLater panicked: runtime error: index out of range", "oplimits_test.go"} {
		if !strings.Contains(all, want) {
			t.Errorf("no %q in %s", want, all)
		}
	}
}

func TestOpsAll(t *testing.T) {
	var found []string
	for op := range limitedOps().All() {
		found = append(found, op.Name)
		if op.Name == "sized" && (op.Async || op.Request != reflect.TypeFor[int]() || op.Response != reflect.TypeFor[[]byte]() || op.Limits.MaxResponse != 50) {
			t.Errorf("%+v", op)
		}
	}
	if got := strings.Join(found, " "); got != "sized late hold release panicNow panicLater" {
		t.Error(got)
	}
}
