package quickjs

import (
	"context"
	"runtime"
	"slices"
	"time"
)

// Level is the severity of a console line.
type Level uint32

// Levels of console methods: debug, log and info, warn, error.
const (
	LevelDebug Level = iota
	LevelInfo
	LevelWarn
	LevelError
)

// Module is the source of an ES module.
type Module struct {
	// Type is "js" (the default), "json" or "text".
	Type   string
	Source []byte
}

// Resolver finds modules. Its methods run while the guest waits.
type Resolver interface {
	// Resolve turns the specifier of an import in module base into a name.
	Resolve(ctx context.Context, base, specifier string) (name string, err error)
	// Load returns the module of that name; kind is the import attribute "type", or empty.
	Load(ctx context.Context, name, kind string) (Module, error)
}

// Config configures an Engine. It is immutable: every With method returns a
// changed copy. Start with NewConfig.
type Config struct {
	cacheDir    string
	memoryLimit uint32
	headroom    uint32
	gcSlack     uint32
	cpuLimit    time.Duration
	fuelLimit   uint64
	runSlots    int
	maxTimers   uint32
	maxPending  uint32
	maxLog      uint32
	ops         *Ops
	resolver    Resolver
	console     func(context.Context, Level, string)
	uncaught    func(context.Context, Uncaught)
	bytecodeKey []byte
	copying     bool
	preload     *Preload
}

// NewConfig returns the defaults: 128 MiB of memory, 16 MiB of which need no
// growth, 10 s of CPU time a use, as many run slots as GOMAXPROCS, 10,000
// timers, 1,024 host calls in flight, console lines of 64 KiB.
func NewConfig() Config {
	return Config{
		memoryLimit: 128 << 20,
		headroom:    16 << 20,
		gcSlack:     4 << 20,
		cpuLimit:    10 * time.Second,
		runSlots:    runtime.GOMAXPROCS(0),
		maxTimers:   10_000,
		maxPending:  1_024,
		maxLog:      64 << 10,
		ops:         NewOps(),
	}
}

// WithCacheDir keeps compiled machine code and images (see CachedSnapshot) in
// dir, so that a later start of the process neither compiles nor evaluates what
// it did before. The directory must be writable by this user only: machine code
// is loaded as it is.
func (c Config) WithCacheDir(dir string) Config { c.cacheDir = dir; return c }

// WithMemoryLimit bounds the linear memory of an instance, in bytes; it is
// rounded down to 64 KiB and at least 8 MiB.
func (c Config) WithMemoryLimit(bytes uint32) Config {
	c.memoryLimit = max(bytes&^0xffff, 8<<20)
	c.headroom = min(c.headroom, c.memoryLimit/4)
	return c
}

// WithCPULimit bounds the time the guest may run in one use, waiting excluded;
// 0 means no limit. Preparing a snapshot is bounded by its context only.
func (c Config) WithCPULimit(d time.Duration) Config { c.cpuLimit = d; return c }

// WithFuelLimit bounds the loop iterations of the module in one use: about one
// per branch or call of JavaScript, and those of built-in functions; 0 means no
// limit. It is checked every 4,096.
func (c Config) WithFuelLimit(n uint64) Config { c.fuelLimit = n; return c }

// WithRunSlots bounds how many instances run JavaScript at the same time. An
// instance that waits holds no slot; one that runs for 10 ms while others wait
// passes its slot on.
func (c Config) WithRunSlots(n int) Config { c.runSlots = max(n, 1); return c }

// WithMaxTimers bounds the active timers of an instance.
func (c Config) WithMaxTimers(n uint32) Config { c.maxTimers = n; return c }

// WithMaxPending bounds the host calls in flight of an instance, at most 65,535.
func (c Config) WithMaxPending(n uint32) Config { c.maxPending = min(n, 65_535); return c }

// WithPreload has New use what p loads; nil is none.
func (c Config) WithPreload(p *Preload) Config { c.preload = p; return c }

// WithOps sets the host operations. Later changes to ops have no effect.
func (c Config) WithOps(ops *Ops) Config { c.ops = ops.clone(); return c }

// WithResolver sets where imports come from. Without it they fail.
func (c Config) WithResolver(r Resolver) Config { c.resolver = r; return c }

// WithConsole receives console lines, with the context of the call that the
// instance serves. A longer line than 64 KiB is cut and says how many bytes are
// missing.
func (c Config) WithConsole(f func(context.Context, Level, string)) Config { c.console = f; return c }

// WithUncaught receives exceptions of timers and jobs and unhandled rejections,
// with the context of the call that the instance serves.
func (c Config) WithUncaught(f func(context.Context, Uncaught)) Config { c.uncaught = f; return c }

// WithBytecodeKey sets the key that authenticates bytecode and cached images
// (HMAC-SHA256). Without it the engine uses a random one: that of the cache
// directory, kept there in a file readable by this user only, or else its own.
func (c Config) WithBytecodeKey(key []byte) Config { c.bytecodeKey = slices.Clone(key); return c }

// WithCopyingMemory makes instances copy the snapshot, as on platforms without
// copy-on-write mappings.
func (c Config) WithCopyingMemory(on bool) Config { c.copying = on; return c }
