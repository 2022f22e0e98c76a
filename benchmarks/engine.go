package benchmarks

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/agentrt/agentrt/benchmarks/synthetic"
	"github.com/agentrt/agentrt/quickjs"
)

const (
	libraryKiB = 450
	chunk      = 64 << 10
)

// hostCalls are the exports that call the operations below.
const hostCalls = `
const nop = __host.op("nop"), nopLater = __host.op("nopLater"), take = __host.op("take"), give = __host.op("give");
export const nops = (n) => { for (let k = 0; k < n; k++) nop(); };
export const nopsLater = async (n) => { for (let k = 0; k < n; k++) await nopLater(); };
export const takes = (n) => { const b = new Uint8Array(65536); for (let k = 0; k < n; k++) take(undefined, b); };
export const gives = (n) => { for (let k = 0; k < n; k++) give(); };`

func operations() *quickjs.Ops {
	ops := quickjs.NewOps()
	nop := func(context.Context, quickjs.None) (quickjs.None, error) { return quickjs.None{}, nil }
	quickjs.Sync(ops, "nop", nop)
	quickjs.Async(ops, "nopLater", nop)
	quickjs.Sync(ops, "take", func(context.Context, []byte) (quickjs.None, error) { return quickjs.None{}, nil })
	body := make([]byte, chunk)
	quickjs.Sync(ops, "give", func(context.Context, quickjs.None) ([]byte, error) { return body, nil })
	return ops
}

// engine measures package quickjs. Times of single operations are medians.
func engine(ctx context.Context, o options, progress io.Writer) (figures map[string]float64, err error) {
	rounds, live := 2000, []int{1000, 5000}
	if o.quick {
		rounds, live = 200, []int{200}
	}
	figures = map[string]float64{}
	step := func(format string, args ...any) { fmt.Fprintf(progress, format+"\n", args...) }
	cache, err := os.MkdirTemp("", "agentrt-bench")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(cache)
	config := quickjs.NewConfig().WithOps(operations()).WithCacheDir(cache)

	step("compiling the engine, without and with the cache")
	var e *quickjs.Engine
	for _, name := range []string{"engine_first_start_ms", "engine_second_start_ms"} {
		if e != nil {
			if err := e.Close(ctx); err != nil {
				return nil, err
			}
		}
		start := time.Now()
		if e, err = quickjs.New(ctx, config); err != nil {
			return nil, err
		}
		figures[name] = milliseconds(time.Since(start))
	}
	defer func() { err = errors.Join(err, e.Close(context.WithoutCancel(ctx))) }()

	source := synthetic.Library(libraryKiB) + hostCalls
	step("an image of %d KiB of source, from the cache", libraryKiB)
	evaluate := func(ctx context.Context, i *quickjs.Instance) error { return i.EvalModule(ctx, "main.js", source) }
	for range 2 {
		start := time.Now()
		s, err := e.CachedSnapshot(ctx, []byte("bench"), evaluate)
		if err != nil {
			return nil, err
		}
		figures["cached_image_ms"] = milliseconds(time.Since(start))
		if err := s.Close(); err != nil {
			return nil, err
		}
	}

	step("loading %d KiB from source and from bytecode", libraryKiB)
	code, err := e.Compile(ctx, "main.js", source)
	if err != nil {
		return nil, err
	}
	for name, load := range map[string]func(context.Context, *quickjs.Instance) error{
		"library_source_ms":   evaluate,
		"library_bytecode_ms": func(ctx context.Context, i *quickjs.Instance) error { return i.EvalBytecode(ctx, "main.js", code) },
	} {
		best := time.Duration(1 << 62)
		for range 5 {
			start := time.Now()
			s, err := e.NewSnapshot(ctx, load)
			if err != nil {
				return nil, err
			}
			best = min(best, time.Since(start))
			if err := s.Close(); err != nil {
				return nil, err
			}
		}
		figures[name] = milliseconds(best)
	}
	s, err := e.NewSnapshot(ctx, func(ctx context.Context, i *quickjs.Instance) error { return i.EvalBytecode(ctx, "main.js", code) })
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	figures["image_mib"] = float64(s.Len()) / (1 << 20)

	step("fresh instances: %d rounds", rounds)
	hello := func(i *quickjs.Instance) error {
		_, err := i.Call(ctx, "main.js", "hello", []byte(`{"name":"bench"}`), nil)
		return err
	}
	// The time to the answer; what closing costs is a figure of its own.
	var created, answered, closed []time.Duration
	for range rounds {
		start := time.Now()
		i, err := s.NewInstance(ctx)
		if err != nil {
			return nil, err
		}
		created = append(created, time.Since(start))
		err = hello(i)
		answered = append(answered, time.Since(start))
		start = time.Now()
		if err := errors.Join(err, i.Close()); err != nil {
			return nil, err
		}
		closed = append(closed, time.Since(start))
	}
	figures["new_instance_us"], figures["close_instance_us"] = microseconds(median(created)), microseconds(median(closed))
	figures["fresh_hello_p50_ms"] = milliseconds(median(answered))
	figures["fresh_hello_p99_ms"] = milliseconds(answered[len(answered)*99/100])

	// More open instances than a snapshot keeps of closed ones: these begin with pages
	// that none had before.
	held, answered := make([]*quickjs.Instance, 0, rounds/4), answered[:0]
	for range rounds / 4 {
		start := time.Now()
		i, err := s.NewInstance(ctx)
		if err != nil {
			return nil, err
		}
		held = append(held, i)
		if err := hello(i); err != nil {
			return nil, err
		}
		answered = append(answered, time.Since(start))
	}
	figures["fresh_hello_held_p50_ms"] = milliseconds(median(answered))
	for _, i := range held {
		if err := i.Close(); err != nil {
			return nil, err
		}
	}

	step("reset and warm calls: %d rounds", rounds)
	i, err := s.NewInstance(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, i.Close()) }()
	var warm, reset []time.Duration
	for range rounds {
		start := time.Now()
		if err := hello(i); err != nil {
			return nil, err
		}
		middle := time.Now()
		if err := i.Reset(ctx); err != nil {
			return nil, err
		}
		warm, reset = append(warm, middle.Sub(start)), append(reset, time.Since(middle))
	}
	figures["hello_after_reset_us"], figures["reset_us"] = microseconds(median(warm)), microseconds(median(reset))

	step("host calls")
	const calls = 1000
	for export, name := range map[string]string{"nops": "sync_call_us", "nopsLater": "async_call_us", "takes": "chunk_to_host_us", "gives": "chunk_to_guest_us"} {
		p50, _, err := percentiles(100, func() error {
			_, err := i.Call(ctx, "main.js", export, []byte("1000"), nil)
			return errors.Join(err, i.Reset(ctx))
		})
		if err != nil {
			return nil, err
		}
		figures[name] = microseconds(p50) / calls
	}
	for _, n := range live {
		step("%d live instances", n)
		kib, err := liveInstances(ctx, s, n, hello)
		if err != nil {
			return nil, err
		}
		figures[fmt.Sprintf("live_%d_kib_each", n)] = kib
		if n == live[0] {
			figures["idle_instance_kib"] = kib
		}
	}
	return figures, nil
}

// median sorts all.
func median(all []time.Duration) time.Duration {
	slices.Sort(all)
	return all[len(all)/2]
}

// liveInstances returns how much proportional set size each of n used and idle
// instances adds, in KiB.
func liveInstances(ctx context.Context, s *quickjs.Snapshot, n int, use func(*quickjs.Instance) error) (kib float64, err error) {
	before, err := proportionalSetSize("self")
	if err != nil {
		return 0, err
	}
	all := make([]*quickjs.Instance, 0, n)
	defer func() {
		for _, i := range all {
			err = errors.Join(err, i.Close())
		}
	}()
	for range n {
		i, err := s.NewInstance(ctx)
		if err != nil {
			return 0, err
		}
		all = append(all, i)
		if err := use(i); err != nil {
			return 0, err
		}
	}
	after, err := proportionalSetSize("self")
	return (after - before) / float64(n), err
}

// proportionalSetSize of a process, "self" for this one, in KiB.
func proportionalSetSize(pid string) (kib float64, err error) {
	text, err := os.ReadFile("/proc/" + pid + "/smaps_rollup")
	if err != nil {
		return 0, fmt.Errorf("memory figures need Linux: %w", err)
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, "Pss:"); ok {
			_, err := fmt.Sscanf(rest, "%f kB", &kib)
			return kib, err
		}
	}
	return 0, errors.New("smaps_rollup has no Pss line")
}
