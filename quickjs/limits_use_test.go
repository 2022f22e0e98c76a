package quickjs_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/agentrt/agentrt/quickjs"
)

func TestSetLimits(t *testing.T) {
	s := newSnapshot(t, newEngine(t, quickjs.NewConfig()), `
		export const spin = () => { for (;;); };
		export const hold = (mib) => { const all = []; for (let k = 0; k < mib; k++) all.push(new Uint8Array(1 << 20).fill(1)); return all.length; };`)
	t.Run("cpu", func(t *testing.T) {
		i := newInstance(t, s)
		if err := i.SetLimits(quickjs.Limits{CPU: 20 * time.Millisecond}); err != nil {
			t.Fatal(err)
		}
		_, err := i.Call(t.Context(), "main.js", "spin", nil, nil)
		if !errors.Is(err, quickjs.ErrCPULimit) {
			t.Fatalf("error %v, want the CPU limit", err)
		}
	})
	t.Run("memory, until the reset", func(t *testing.T) {
		i := newInstance(t, s)
		if got := call(t, i, "hold", "6"); got != "6" {
			t.Fatalf("without a limit: %s", got)
		}
		if err := i.Reset(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := i.SetLimits(quickjs.Limits{Memory: 4 << 20}); err != nil {
			t.Fatal(err)
		}
		if _, err := i.Call(t.Context(), "main.js", "hold", []byte("6"), nil); !errors.Is(err, quickjs.ErrMemoryLimit) {
			t.Fatalf("error %v, want the memory limit", err)
		}
	})
	t.Run("the engine's limits return with the next use", func(t *testing.T) {
		i := newInstance(t, s)
		if err := i.SetLimits(quickjs.Limits{Memory: 4 << 20}); err != nil {
			t.Fatal(err)
		}
		if err := i.Reset(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := call(t, i, "hold", "6"); got != "6" {
			t.Fatalf("after the reset: %s", got)
		}
	})
}

type callerKey struct{}

func TestContextValues(t *testing.T) {
	ops := quickjs.NewOps()
	read := func(ctx context.Context, _ quickjs.None) (string, error) {
		v, _ := ctx.Value(callerKey{}).(string)
		return v, nil
	}
	quickjs.Sync(ops, "caller", read)
	quickjs.Async(ops, "callerLater", read)
	var logged any
	s := newSnapshot(t, newEngine(t, quickjs.NewConfig().WithOps(ops).
		WithConsole(func(ctx context.Context, _ quickjs.Level, _ string) { logged = ctx.Value(callerKey{}) })), `
		const caller = __host.op("caller"), later = __host.op("callerLater");
		export const who = async () => { console.log("x"); return [caller(), await later()]; };`)
	i := newInstance(t, s)
	for _, name := range []string{"one", "two"} {
		res, err := i.Call(context.WithValue(t.Context(), callerKey{}, name), "main.js", "who", nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		if want := `["` + name + `","` + name + `"]`; string(res.Head) != want || logged != name {
			t.Fatalf("got %s and the console %v, want %s", res.Head, logged, want)
		}
	}
}
