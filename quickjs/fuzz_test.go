package quickjs

import (
	"context"
	"encoding/binary"
	"errors"
	"testing"
	"time"
)

// FuzzHostFunctions calls the host functions as a hostile guest could: with any
// operation, id, pointer and length. They may end the guest with stop, nothing
// else, and write nowhere but to guest memory.
func FuzzHostFunctions(f *testing.F) {
	ops := NewOps()
	Sync(ops, "echo", func(_ context.Context, m Message[any]) (Message[any], error) { return m, nil })
	Async(ops, "later", func(_ context.Context, b []byte) ([]byte, error) { return b, nil })
	e, err := New(context.Background(), NewConfig().WithOps(ops).WithMemoryLimit(16<<20).
		WithConsole(func(context.Context, Level, string) {}).WithUncaught(func(context.Context, Uncaught) {}))
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := e.Close(ctx); err != nil {
			f.Error(err)
		}
	})
	words := func(w ...uint32) (b []byte) {
		for _, v := range w {
			b = binary.LittleEndian.AppendUint32(b, v)
		}
		return b
	}
	f.Add(words(0, 16, 0, 1024, 16, 2048, 16))
	f.Add(words(0, 17|opAsync, 1, 0xfffffff0, 0xff, 0, 0xffffffff))
	f.Add(words(0, opTake, 0, 0, 0xffffffff, 8, 8))
	f.Add(words(0, opLookup, 0, 1024, 4, 0, 0, 1, 0xffffffff, 1, 0, 0, 0, 0))
	f.Add(words(2, 0xffffffff, 0xffffffff, 0, 0, 0, 0, 3, 64, 1<<30, 0, 0, 0, 0))
	f.Fuzz(func(t *testing.T, data []byte) {
		base, err := e.baseSnapshot(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		i, err := base.NewInstance(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer i.Close()
		cc := &callContext{t.Context(), i}
		for ; len(data) >= 28; data = data[28:] {
			var stack [6]uint64
			for k := range stack {
				stack[k] = uint64(binary.LittleEndian.Uint32(data[4+4*k:]))
			}
			fn := []func(context.Context){
				func(ctx context.Context) { hostRequest(ctx, i.mod, stack[:]) },
				func(ctx context.Context) { hostLog(ctx, i.mod, stack[:]) },
				func(ctx context.Context) { hostRandom(ctx, i.mod, stack[:]) },
				func(ctx context.Context) { hostError(ctx, i.mod, stack[:]) },
				func(ctx context.Context) { hostClock(ctx, i.mod, stack[:]) },
			}[data[0]%5]
			if hostile(t, func() { fn(cc) }) {
				return
			}
		}
		_, err = i.exec(t.Context(), cmdRunJobs, 0, 0, 0)
		if err != nil && !errors.Is(err, ErrTrap) && !errors.Is(err, ErrInterrupted) {
			t.Errorf("after arbitrary writes to its memory the guest ended with %v", err)
		}
	})
}

// hostile reports whether call ended the guest; any other panic fails the test.
func hostile(t *testing.T, call func()) (ended bool) {
	defer func() {
		if r := recover(); r != nil {
			if _, ok := r.(stop); !ok {
				t.Fatalf("panic: %v", r)
			}
			ended = true
		}
	}()
	call()
	return false
}
