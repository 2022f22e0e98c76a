package quickjs

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	_ "embed"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/agentrt/agentrt/quickjs/internal/cow"
	"github.com/agentrt/agentrt/quickjs/internal/wasmbin"
)

//go:embed quickjs.wasm
var module []byte

//go:embed js/prelude.js
var prelude string

var moduleHash = sync.OnceValue(func() [32]byte {
	h := sha256.New()
	h.Write(module)
	h.Write([]byte(prelude))
	return [32]byte(h.Sum(nil))
})

// Engine is the compiled module with its configuration. It may be used from
// several goroutines.
type Engine struct {
	config   Config
	machine  *machine
	cache    *cache // nil without a directory
	slots    slots
	profiler atomic.Pointer[Profiler]
	live     sync.WaitGroup
	closed   atomic.Bool

	baseMu sync.Mutex
	base   *Snapshot // nil before it is needed
}

// New compiles the module, or loads it from the cache directory of the
// configuration.
func New(ctx context.Context, config Config) (*Engine, error) {
	if config.ops == nil {
		return nil, errors.New("quickjs: the configuration is empty, start with NewConfig")
	}
	e := &Engine{config: config, slots: newSlots(config.runSlots)}
	if err := e.openCache(); err != nil {
		return nil, err
	}
	if err := e.compile(ctx); err != nil {
		return nil, errors.Join(err, e.Close(context.WithoutCancel(ctx)))
	}
	return e, nil
}

func (e *Engine) openCache() (err error) {
	key := &e.config.bytecodeKey
	if dir := e.config.cacheDir; dir != "" {
		if e.cache, err = openCache(dir); err != nil {
			return err
		}
		if len(*key) == 0 {
			*key, err = cacheKey(dir)
		}
		return err
	}
	if len(*key) == 0 {
		*key = make([]byte, keySize)
		rand.Read(*key)
	}
	return nil
}

// baseSnapshot returns the snapshot that all others extend. A start that finds theirs
// in the cache does without.
func (e *Engine) baseSnapshot(ctx context.Context) (_ *Snapshot, err error) {
	e.baseMu.Lock()
	defer e.baseMu.Unlock()
	if e.base == nil {
		e.base, err = e.cached([]byte("base"), func() (*Snapshot, error) { return e.boot(ctx) })
	}
	return e.base, err
}

// boot makes the snapshot that all others extend.
func (e *Engine) boot(ctx context.Context) (*Snapshot, error) {
	empty := e.emptyImage()
	defer empty.Close()
	shell, err := e.newShell(ctx, empty, 0)
	if err != nil {
		return nil, err
	}
	i := e.newInstance(shell)
	defer i.Close()
	i.preparing = true
	data, err := wasmbin.DataSegments(module)
	if err != nil {
		return nil, fmt.Errorf("quickjs: embedded module: %w", err)
	}
	mem := i.region.Bytes()
	for _, d := range data {
		if uint64(d.Offset)+uint64(len(d.Bytes)) > uint64(len(mem)) {
			return nil, fmt.Errorf("quickjs: a data segment lies outside of %d bytes of memory", len(mem))
		}
		copy(mem[d.Offset:], d.Bytes)
	}
	if _, err := i.mod.ExportedFunction("_initialize").Call(&callContext{ctx, i}); err != nil {
		return nil, fmt.Errorf("quickjs: initialising the module: %w", err)
	}
	at, err := i.exec(ctx, cmdInit, e.config.heapLimit(), 0, 0)
	if err != nil || at == 0 {
		return nil, fmt.Errorf("quickjs: creating the JavaScript context: %w", errors.Join(err, ErrMemoryLimit))
	}
	if err := errors.Join(i.attach(at), i.begin(ctx)); err != nil {
		return nil, err
	}
	if err := i.EvalScript(ctx, "agentrt:prelude", prelude); err != nil {
		return nil, fmt.Errorf("quickjs: prelude: %w", err)
	}
	return i.snapshot(ctx)
}

func (e *Engine) emptyImage() cow.Image {
	if e.config.copying {
		return cow.EmptyCopying()
	}
	return cow.Empty()
}

// heapLimit leaves room for the stack, static data and the error itself.
func (c Config) heapLimit() uint32 { return c.memoryLimit - 3<<20 }

// NewSnapshot evaluates prepare in a new instance and returns its memory as a
// snapshot. prepare must leave no timer and no host call pending.
func (e *Engine) NewSnapshot(ctx context.Context, prepare func(context.Context, *Instance) error) (*Snapshot, error) {
	base, err := e.baseSnapshot(ctx)
	if err != nil {
		return nil, err
	}
	return base.Extend(ctx, prepare)
}

// Compile returns the bytecode of an ES module, without its source text but with
// line numbers. Imports are resolved when it is loaded.
func (e *Engine) Compile(ctx context.Context, name, source string) ([]byte, error) {
	base, err := e.baseSnapshot(ctx)
	if err != nil {
		return nil, err
	}
	i, err := base.newInstance(ctx, true)
	if err != nil {
		return nil, err
	}
	defer i.Close()
	r, err := i.eval(ctx, evalCompile, name, []byte(source))
	if err != nil {
		return nil, err
	}
	return e.seal(r.Body), nil
}

const bytecodeMagic = "agentrt-bytecode-1\n"

func (e *Engine) seal(code []byte) []byte {
	out := append([]byte(bytecodeMagic), e.sign(code)...)
	return append(out, code...)
}

func (e *Engine) sign(code []byte) []byte {
	mac := hmac.New(sha256.New, e.config.bytecodeKey)
	hash := moduleHash()
	mac.Write(hash[:])
	mac.Write(code)
	return mac.Sum(nil)
}

func (e *Engine) open(sealed []byte) ([]byte, error) {
	n := len(bytecodeMagic)
	if len(sealed) < n+sha256.Size || string(sealed[:n]) != bytecodeMagic {
		return nil, ErrBytecode
	}
	code := sealed[n+sha256.Size:]
	if !hmac.Equal(sealed[n:n+sha256.Size], e.sign(code)) {
		return nil, ErrBytecode
	}
	return code, nil
}

// Close waits for the goroutines of host operations, as long as ctx allows, and
// releases the engine. All instances must have been closed.
func (e *Engine) Close(ctx context.Context) error {
	if e.closed.Swap(true) {
		return nil
	}
	done := make(chan struct{})
	go func() { e.live.Wait(); close(done) }()
	var errs []error
	select {
	case <-done:
	case <-ctx.Done():
		errs = append(errs, fmt.Errorf("quickjs: host operations still run: %w", ctx.Err()))
	}
	e.baseMu.Lock()
	defer e.baseMu.Unlock()
	if e.base != nil {
		errs = append(errs, e.base.Close())
	}
	if e.machine != nil {
		errs = append(errs, e.machine.close(ctx))
	}
	return errors.Join(errs...)
}
