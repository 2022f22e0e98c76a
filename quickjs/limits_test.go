package quickjs_test

import (
	"context"
	"errors"
	"io"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/agentrt/agentrt/quickjs"
)

const endless = `
	export const spins = {
		loop: () => { for (;;); },
		join: () => Array(1e9).join(),
		reverse: () => Array.prototype.reverse.call({ length: 4e9 }),
		stringify: () => { const a = []; for (let k = 0; k < 24; k++) a.push(k ? [a[k - 1], a[k - 1]] : [1]); return JSON.stringify(a).length; },
		regexp: () => /(a+)+b/.test("a".repeat(40)),
		bigint: () => { let x = 3n; for (;;) x = (x * x) % (2n ** 100000n); },
		sort: () => { for (;;) Array.from({ length: 1e5 }, (_, k) => (k * 7919) % 100003).sort((a, b) => a - b); },
		sortCompare: () => { const a = Array.from({ length: 1e4 }, (_, k) => k); a.sort(() => { for (;;); }); },
		replaceAll: () => { let s = "ab".repeat(1e4); for (;;) s.replaceAll("a", "cc"); },
		indexOf: () => Array.prototype.indexOf.call({ length: 9e15 }, 1),
		fill: () => Array.prototype.fill.call({ length: 9e15 }, 1),
		recursion: () => { const f = (n) => { try { return f(n + 1); } catch { return f(0); } }; return f(0); },
		microtasks: () => { const f = () => Promise.resolve().then(f); return f(); },
		generator: () => { for (const _ of (function* () { for (;;) yield 1; })()); },
		proxy: () => { const p = new Proxy({}, { get: () => 1 }); for (;;) p.x; },
		spread: () => { for (;;) [..."x".repeat(1e5)]; },
		waiting: () => new Promise((r) => setTimeout(r, 1e6)),
	};
	export const spin = (name) => spins[name]();
	export const names = () => Object.keys(spins);
	export const hi = () => "hi";
`

func spinNames(t *testing.T, s *quickjs.Snapshot) []string {
	list := call(t, newInstance(t, s), "names", "")
	return strings.Split(strings.Trim(list, `[]"`), `","`)
}

func TestKill(t *testing.T) {
	s := newSnapshot(t, newEngine(t, quickjs.NewConfig()), endless)
	for _, name := range spinNames(t, s) {
		t.Run(name, func(t *testing.T) {
			i := newInstance(t, s)
			cause := errors.New("enough")
			killed := make(chan time.Time, 1)
			time.AfterFunc(30*time.Millisecond, func() { killed <- time.Now(); i.Kill(cause) })
			_, err := i.Call(t.Context(), "main.js", "spin", []byte(`"`+name+`"`), nil)
			if !errors.Is(err, quickjs.ErrInterrupted) || !errors.Is(err, cause) {
				t.Fatalf("error %v", err)
			}
			t.Logf("ended %v after the kill", time.Since(<-killed))
			if err := i.Reset(t.Context()); !errors.Is(err, quickjs.ErrBroken) {
				t.Errorf("Reset after a kill: %v", err)
			}
			if _, err := i.Call(t.Context(), "main.js", "hi", nil, nil); !errors.Is(err, quickjs.ErrBroken) {
				t.Errorf("Call after a kill: %v", err)
			}
		})
	}
}

func TestLimits(t *testing.T) {
	for name, c := range map[string]struct {
		config quickjs.Config
		want   error
	}{
		"cpu":  {quickjs.NewConfig().WithCPULimit(20 * time.Millisecond), quickjs.ErrCPULimit},
		"fuel": {quickjs.NewConfig().WithFuelLimit(2_000_000), quickjs.ErrFuelLimit},
	} {
		t.Run(name, func(t *testing.T) {
			i := newInstance(t, newSnapshot(t, newEngine(t, c.config), endless))
			_, err := i.Call(t.Context(), "main.js", "spin", []byte(`"loop"`), nil)
			if !errors.Is(err, c.want) || !errors.Is(err, quickjs.ErrInterrupted) {
				t.Errorf("error %v", err)
			}
			if u := i.Usage(); u.CPU == 0 || u.Fuel == 0 {
				t.Errorf("usage %+v", u)
			}
		})
	}
	t.Run("context", func(t *testing.T) {
		i := newInstance(t, newSnapshot(t, newEngine(t, quickjs.NewConfig()), endless))
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
		defer cancel()
		_, err := i.Call(ctx, "main.js", "spin", []byte(`"waiting"`), nil)
		if !errors.Is(err, quickjs.ErrInterrupted) || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error %v", err)
		}
	})
}

// A guest that spins must not hold the garbage collector or other goroutines.
func TestSpinningGuestsArePreemptible(t *testing.T) {
	s := newSnapshot(t, newEngine(t, quickjs.NewConfig().WithRunSlots(4)), endless)
	done := make(chan error)
	var spinning []*quickjs.Instance
	for range 4 {
		i := newInstance(t, s)
		spinning = append(spinning, i)
		go func() {
			_, err := i.Call(context.Background(), "main.js", "spin", []byte(`"join"`), nil)
			done <- err
		}()
	}
	time.Sleep(20 * time.Millisecond)
	var worst, late time.Duration
	ticker := time.NewTicker(time.Millisecond)
	defer ticker.Stop()
	last := time.Now()
	for range 200 {
		<-ticker.C
		now := time.Now()
		late = max(late, now.Sub(last))
		last = now
	}
	t.Logf("longest gap of a 1 ms ticker beside four spinning guests: %v", late)
	for range 20 {
		start := time.Now()
		runtime.GC()
		worst = max(worst, time.Since(start))
	}
	t.Logf("longest of 20 collections beside four spinning guests: %v", worst)
	for _, i := range spinning {
		i.Kill(nil)
	}
	for range spinning {
		if err := <-done; !errors.Is(err, quickjs.ErrInterrupted) {
			t.Errorf("error %v", err)
		}
	}
}

func TestMemoryBombs(t *testing.T) {
	memories(t, func(t *testing.T, config quickjs.Config) {
		s := newSnapshot(t, newEngine(t, config.WithMemoryLimit(32<<20)), `
			export const bombs = {
				array: () => { const a = []; for (;;) a.push({ x: a.length }); },
				string: () => { let s = "x"; for (;;) s += s; },
				buffer: () => { const a = []; for (;;) a.push(new Uint8Array(1 << 20).fill(1)); },
				map: () => { const m = new Map(); for (let k = 0; ; k++) m.set(k, { k }); },
				closures: () => { let f = () => 0; for (;;) { const g = f; f = () => g; f.list = new Array(100).fill(f); } },
				json: () => JSON.parse("[" + "[1],".repeat(4e6) + "1]"),
			};
			export const explode = (name) => bombs[name]();
			export const caught = () => { try { bombs.array(); } catch (e) { return e.message; } };
			export const names = () => Object.keys(bombs);
			export const hi = () => "hi";`)
		for _, name := range spinNames(t, s) {
			i := newInstance(t, s)
			_, err := i.Call(t.Context(), "main.js", "explode", []byte(`"`+name+`"`), nil)
			js, isJS := errors.AsType[*quickjs.JSError](err)
			if !errors.Is(err, quickjs.ErrMemoryLimit) && !(isJS && (js.Name == "RangeError" || js.Message == "string too long")) {
				t.Errorf("%s: %v", name, err)
			}
			if linear, _ := i.Memory(); linear > 32<<20 {
				t.Errorf("%s: %d bytes of memory", name, linear)
			}
			if errors.Is(err, quickjs.ErrMemoryLimit) {
				if err := i.Reset(t.Context()); !errors.Is(err, quickjs.ErrBroken) {
					t.Errorf("%s: Reset: %v", name, err)
				}
			}
		}
		i := newInstance(t, s)
		if got := call(t, i, "caught", ""); got != `"out of memory"` {
			t.Errorf("caught() = %s", got)
		}
	})
}

const resetSource = `
	let n = 0; const seen = new WeakMap(); const list = [];
	export const probe = () => {
		const dirty = [n, list.length, globalThis.leak, Object.prototype.leak, Array.prototype.leak, Math.leak, typeof later].join();
		n++; list.push({}); globalThis.leak = "x".repeat(100); Object.prototype.leak = 1; Array.prototype.leak = 2; Math.leak = 3; globalThis.later = 1;
		setTimeout(() => { globalThis.fired = 1; }, 1e6); Promise.resolve().then(() => {}); seen.set({}, list);
		const r = dirty + [globalThis.fired];
		delete Object.prototype.leak; delete Array.prototype.leak; Object.prototype.leak2 = 1;
		return r + String({}.leak3);
	};
	export const random = () => [Math.random(), String(__host.random(new Uint8Array(8))), performance.timeOrigin];
`

func TestReset(t *testing.T) {
	resets := 100_000
	if testing.Short() {
		resets = 20_000
	}
	memories(t, func(t *testing.T, config quickjs.Config) {
		if strings.Contains(t.Name(), "copying") {
			resets = min(resets, 300)
		}
		s := newSnapshot(t, newEngine(t, config), resetSource)
		i := newInstance(t, s)
		first := call(t, i, "probe", "")
		if !strings.HasPrefix(first, `"0,0,,,,,undefined`) {
			t.Fatalf("probe() = %s", first)
		}
		for n := range resets {
			if err := i.Reset(t.Context()); err != nil {
				t.Fatal(err)
			}
			if got := call(t, i, "probe", ""); got != first {
				t.Fatalf("reset %d: probe() = %s, want %s", n, got, first)
			}
		}
	})
}

// TestResetInParallel resets instances while host operations of theirs are about
// to answer, others run beside them and a profiler samples all.
func TestResetInParallel(t *testing.T) {
	uses := 5_000
	if testing.Short() {
		uses = 1_000
	}
	ops := quickjs.NewOps()
	quickjs.Async(ops, "soon", func(ctx context.Context, n int) (int, error) {
		if n%3 == 0 {
			runtime.Gosched()
		}
		return n, ctx.Err()
	})
	e := newEngine(t, quickjs.NewConfig().WithOps(ops))
	s := newSnapshot(t, e, `
		const soon = __host.op("soon");
		let answers = 0;
		export const use = async (n) => {
			const before = answers;
			for (let k = 0; k < 4; k++) soon(n + k).then(() => { answers++; }, () => {});
			await soon(n);
			return before;
		};`)
	p, err := e.StartProfiler(100 * time.Microsecond)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 6 {
		wg.Go(func() {
			i, err := s.NewInstance(t.Context())
			if err != nil {
				t.Error(err)
				return
			}
			for n := range uses {
				res, err := i.Call(t.Context(), "main.js", "use", []byte(strconv.Itoa(n)), nil)
				if err != nil || string(res.Head) != "0" {
					t.Errorf("use %d: an earlier one shows: %v, %v", n, res, err)
					break
				}
				if err := i.Reset(t.Context()); err != nil {
					t.Errorf("use %d: %v", n, err)
					break
				}
			}
			wg.Go(func() { i.Kill(nil) })
			if err := i.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if err := p.Stop(io.Discard); err != nil {
		t.Error(err)
	}
}

// TestClosedInstances makes each instance of what a closed one left, but for those
// that must not be used again.
func TestClosedInstances(t *testing.T) {
	for name, config := range map[string]quickjs.Config{"mapped": quickjs.NewConfig(), "copying": quickjs.NewConfig().WithCopyingMemory(true)} {
		t.Run(name, func(t *testing.T) {
			s := newSnapshot(t, newEngine(t, config), resetSource)
			want := ""
			for n := range 30 {
				i, err := s.NewInstance(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				if linear, heap := i.Memory(); linear == 0 || heap == 0 {
					t.Fatalf("Memory() = %d, %d", linear, heap)
				}
				got := call(t, i, "probe", "")
				if want == "" {
					want = got
				}
				if got != want {
					t.Fatalf("instance %d: %s, want %s", n, got, want)
				}
				if n%3 == 0 {
					i.Kill(nil)
				}
				if err := i.Close(); err != nil {
					t.Fatal(err)
				}
				if _, err := i.Call(t.Context(), "main.js", "probe", nil, nil); !errors.Is(err, quickjs.ErrClosed) {
					t.Fatalf("a call after Close: %v", err)
				}
				if linear, heap := i.Memory(); linear != 0 || heap != 0 {
					t.Fatalf("Memory() of a closed instance = %d, %d", linear, heap)
				}
			}
			// More at once than keep their memory, and than are kept at all.
			for round := range 3 {
				var open []*quickjs.Instance
				for n := range 20 {
					i, err := s.NewInstance(t.Context())
					if err != nil {
						t.Fatal(err)
					}
					if got := call(t, i, "probe", ""); got != want {
						t.Fatalf("round %d, instance %d: %s, want %s", round, n, got, want)
					}
					open = append(open, i)
				}
				for _, i := range open {
					if err := i.Close(); err != nil {
						t.Fatal(err)
					}
				}
			}
		})
	}
}

func TestInstancesDiffer(t *testing.T) {
	s := newSnapshot(t, newEngine(t, quickjs.NewConfig()), resetSource)
	seen := map[string]bool{}
	i := newInstance(t, s)
	for range 20 {
		time.Sleep(time.Millisecond)
		for _, part := range strings.Split(strings.Trim(call(t, i, "random", ""), "[]"), `"`) {
			if part != "" && seen[part] {
				t.Errorf("%s appeared twice", part)
			}
			seen[part] = true
		}
		if err := i.Reset(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

func TestNoLeak(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("counts mappings in /proc")
	}
	count := func() (maps, fds int) {
		text, err := os.ReadFile("/proc/self/maps")
		if err != nil {
			t.Fatal(err)
		}
		entries, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Fatal(err)
		}
		return strings.Count(string(text), "agentrt-image"), len(entries)
	}
	e := newEngine(t, quickjs.NewConfig())
	s := newSnapshot(t, e, resetSource)
	maps, fds := count()
	for range 50 {
		s2, err := s.Extend(t.Context(), func(context.Context, *quickjs.Instance) error { return nil })
		if err != nil {
			t.Fatal(err)
		}
		var live []*quickjs.Instance
		for range 10 {
			i, err := s2.NewInstance(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			live = append(live, i)
		}
		if err := s2.Close(); err != nil {
			t.Fatal(err)
		}
		for _, i := range live {
			call(t, i, "probe", "")
			if err := i.Close(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if m, f := count(); m > maps || f > fds+1 {
		t.Errorf("mappings %d -> %d, file descriptors %d -> %d", maps, m, fds, f)
	}
}
