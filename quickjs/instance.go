package quickjs

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/agentrt/agentrt/quickjs/internal/cow"
)

// Instance is one sandbox. Its methods are for one goroutine at a time, except
// Kill and Usage.
type Instance struct {
	shell
	engine    *Engine
	origin    *Snapshot // nil for the first instance of an engine
	shared    uint32
	preparing bool
	stash     reply

	busy   atomic.Bool
	broken atomic.Bool
	closed bool
	killed atomic.Pointer[error]
	wake   chan struct{}

	// One use, from NewInstance or Reset on.
	useCtx     context.Context
	useEnd     context.CancelFunc
	generation uint64
	mu         sync.Mutex
	calls      map[uint32]context.CancelFunc
	done       []completion

	limits    Limits
	atOnce    int
	entered   time.Time
	slotSince time.Time
	waits     int
	sampled   time.Time
	yielded   time.Time
	cpu       atomic.Int64
	ticks     atomic.Uint64
}

type completion struct {
	id    uint32
	reply reply
}

// Result is what an export returned: JSON, bytes, or both.
type Result struct {
	// Head is the JSON of the value; nil for undefined and for bytes.
	Head json.RawMessage
	// Body is the content of an ArrayBuffer or view.
	Body []byte
}

// Limits bound one use of an instance.
type Limits struct {
	// CPU is the time the guest may run, waiting excluded; 0 means no limit.
	CPU time.Duration
	// Memory is the most the JavaScript heap may hold, in bytes, the snapshot
	// included; at most the engine's limit.
	Memory uint32
}

// Usage is what an instance spent in its present use.
type Usage struct {
	// CPU is the time the guest ran, waiting excluded.
	CPU time.Duration
	// Fuel counts loop iterations of the module in steps of 4,096.
	Fuel uint64
}

func (e *Engine) newInstance(s shell) *Instance {
	i := &Instance{shell: s, engine: e, wake: make(chan struct{}, 1)}
	i.fuel.Set(fuelInterval)
	i.newUse()
	return i
}

func (i *Instance) attach(shared uint32) error {
	i.shared = shared
	if _, ok := i.mod.Memory().Read(shared, sharedSize); !ok {
		return fmt.Errorf("%w: the shared block lies outside of memory", ErrTrap)
	}
	if v := i.word(offVersion); v != abiVersion {
		return fmt.Errorf("%w: the module has ABI version %d, want %d", ErrTrap, v, abiVersion)
	}
	return nil
}

func (i *Instance) newUse() {
	i.useCtx, i.useEnd = context.WithCancel(context.Background())
	i.mu.Lock()
	i.generation++
	i.calls = nil
	i.done = nil
	i.mu.Unlock()
	i.limits = Limits{CPU: i.engine.config.cpuLimit, Memory: i.engine.config.memoryLimit}
	i.cpu.Store(0)
	i.ticks.Store(0)
}

func (i *Instance) begin(ctx context.Context) error {
	i.setWord(offMaxPending, i.engine.config.maxPending)
	i.setWord(offMaxTimers, i.engine.config.maxTimers)
	i.setWord(offMemoryLimit, i.engine.config.heapLimit())
	seed := rand.Uint64()
	leave, err := i.enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	var preparing uint32
	if i.preparing {
		preparing = 1
	}
	_, err = i.exec(ctx, cmdBegin, preparing, uint32(seed), uint32(seed>>32))
	return err
}

// SetLimits replaces the engine's limits for the present use, from the next call
// on. A zero field keeps the engine's.
func (i *Instance) SetLimits(l Limits) error {
	config := &i.engine.config
	if l.CPU <= 0 {
		l.CPU = config.cpuLimit
	}
	if l.Memory == 0 || l.Memory > config.memoryLimit {
		l.Memory = config.memoryLimit
	}
	if !i.busy.CompareAndSwap(false, true) {
		return ErrBusy
	}
	defer i.busy.Store(false)
	switch {
	case i.closed:
		return ErrClosed
	case i.broken.Load():
		return ErrBroken
	}
	i.limits = l
	i.setWord(offMemoryLimit, min(l.Memory, config.heapLimit()))
	return nil
}

func (i *Instance) word(off uint32) uint32 {
	v, _ := i.mod.Memory().ReadUint32Le(i.shared + off)
	return v
}

func (i *Instance) setWord(off, v uint32) { i.mod.Memory().WriteUint32Le(i.shared+off, v) }

// enter claims the instance and a run slot.
func (i *Instance) enter(ctx context.Context) (leave func(), err error) {
	if !i.busy.CompareAndSwap(false, true) {
		return nil, ErrBusy
	}
	switch {
	case i.closed:
		err = ErrClosed
	case i.broken.Load():
		err = ErrBroken
	default:
		err = i.engine.slots.acquire(ctx)
	}
	if err != nil {
		i.busy.Store(false)
		return nil, err
	}
	i.slotSince = time.Now()
	return func() {
		i.engine.slots.release()
		i.busy.Store(false)
	}, nil
}

// exec runs one command. The caller holds the instance and a slot.
func (i *Instance) exec(ctx context.Context, cmd command, a, b, c uint32) (uint32, error) {
	if err := i.interruption(ctx); err != nil {
		i.broken.Store(true)
		return 0, err
	}
	stack := [4]uint64{uint64(cmd), uint64(a), uint64(b), uint64(c)}
	i.entered = time.Now()
	i.sampled, i.yielded = i.entered, i.entered
	err := i.call(ctx, stack[:])
	i.cpu.Add(int64(time.Since(i.entered)))
	if err != nil {
		i.broken.Store(true)
		if s, ok := errors.AsType[stop](err); ok {
			return 0, s.err
		}
		return 0, fmt.Errorf("%w: %w", ErrTrap, err)
	}
	return uint32(stack[0]), nil
}

// call calls the module's run with the arguments in words, which gets the result.
func (i *Instance) call(ctx context.Context, words []uint64) error {
	i.stack.borrow()
	defer i.stack.giveBack()
	return i.run.CallWithStack(&callContext{ctx, i}, words)
}

func (i *Instance) interruption(ctx context.Context) error {
	if cause := i.killed.Load(); cause != nil {
		return fmt.Errorf("%w: %w", ErrInterrupted, *cause)
	}
	if ctx.Err() != nil {
		return fmt.Errorf("%w: %w", ErrInterrupted, context.Cause(ctx))
	}
	return nil
}

// timeSlice is how long an instance runs while others wait for a slot.
const timeSlice = 10 * time.Millisecond

// yieldAfter is how long a guest runs before other goroutines get the thread.
// Go's own preemption waits 10 ms, which adds up over a collection's phases.
const yieldAfter = 500 * time.Microsecond

// tick runs every fuelInterval loop iterations of the guest.
func (i *Instance) tick(ctx context.Context) error {
	if err := i.interruption(ctx); err != nil {
		return err
	}
	config := &i.engine.config
	now := time.Now()
	fuel := i.ticks.Add(1) * fuelInterval
	if limit := i.limits.CPU; limit > 0 && !i.preparing && time.Duration(i.cpu.Load())+now.Sub(i.entered) > limit {
		return fmt.Errorf("%w: %w (%v)", ErrInterrupted, ErrCPULimit, limit)
	}
	if config.fuelLimit > 0 && !i.preparing && fuel > config.fuelLimit {
		return fmt.Errorf("%w: %w (%d)", ErrInterrupted, ErrFuelLimit, config.fuelLimit)
	}
	if p := i.engine.profiler.Load(); p != nil && now.Sub(i.sampled) >= p.period {
		p.sample(i, now.Sub(i.sampled))
		i.sampled = now
	}
	if now.Sub(i.yielded) < yieldAfter {
		return nil
	}
	if now.Sub(i.slotSince) > timeSlice && i.engine.slots.contended() {
		i.engine.slots.release()
		// Without the context: the caller's release needs the slot back.
		_ = i.engine.slots.acquire(context.Background())
		i.slotSince = time.Now()
	} else {
		runtime.Gosched()
	}
	i.yielded = time.Now()
	away := i.yielded.Sub(now)
	i.entered = i.entered.Add(away)
	i.sampled = i.sampled.Add(away)
	return nil
}

// answer writes a reply to a synchronous request.
func (i *Instance) answer(r reply) (uint32, error) {
	if len(r.head)+1+len(r.body) > mailboxSize {
		i.stash = r
		i.setWord(offHeadLen, uint32(len(r.head)))
		i.setWord(offBodyLen, uint32(len(r.body)))
		return r.shape | shapeStashed, nil
	}
	mailbox := i.word(offMailbox)
	i.place(offHead, mailbox, r.head)
	i.place(offBody, mailbox+uint32(len(r.head))+1, r.body)
	return r.shape, nil
}

// place writes data and, since the module's JSON parser wants one, a NUL.
func (i *Instance) place(off, at uint32, data []byte) {
	i.mod.Memory().Write(at, data)
	i.mod.Memory().WriteByte(at+uint32(len(data)), 0)
	i.setWord(off, at)
	i.setWord(off+4, uint32(len(data)))
}

// post writes a message ahead of a command.
func (i *Instance) post(ctx context.Context, r reply) error {
	shape, used := r.shape, uint32(0)
	mailbox := i.word(offMailbox)
	var at [2]uint32
	for k, data := range [2][]byte{r.head, r.body} {
		if len(data) <= ownedFrom {
			at[k] = mailbox + used
			used += uint32(len(data)) + 1
			continue
		}
		ptr, err := i.alloc(ctx, len(data)+1)
		if err != nil {
			return err
		}
		at[k] = ptr
		shape |= shapeOwnedHead << k
	}
	i.place(offHead, at[0], r.head)
	i.place(offBody, at[1], r.body)
	i.setWord(offShape, shape)
	return nil
}

func (i *Instance) alloc(ctx context.Context, size int) (uint32, error) {
	if uint64(size) > uint64(i.engine.config.memoryLimit) {
		return 0, fmt.Errorf("%w: %d bytes do not fit", ErrMemoryLimit, size)
	}
	ptr, err := i.exec(ctx, cmdAlloc, uint32(size), 0, 0)
	if err == nil && ptr == 0 {
		i.broken.Store(true)
		err = fmt.Errorf("%w: %d bytes do not fit", ErrMemoryLimit, size)
	}
	if err == nil && size >= populateFrom {
		i.region.Populate(cow.Range{From: uint64(ptr), To: uint64(ptr) + uint64(size)})
	}
	return ptr, err
}

// populateFrom is the size from which on a block is made resident in one system
// call before it is written.
const populateFrom = 4 * cow.PageSize

// Evaluating a module takes about this many times its size in memory, which the
// allocator takes from behind the block that holds the code.
const (
	growthOfSource   = 10
	growthOfBytecode = 5
	maxGrowth        = 32 << 20
)

// expectGrowth makes the memory resident that evaluating the code at ptr for a
// snapshot will use.
func (i *Instance) expectGrowth(mode, ptr uint32, size int) {
	if !i.preparing {
		return
	}
	factor := growthOfSource
	if mode == evalBytecode {
		factor = growthOfBytecode
	}
	from := uint64(ptr) + uint64(size)
	i.region.Populate(cow.Range{From: from, To: from + uint64(min(factor*size, maxGrowth))})
}

// EvalModule evaluates an ES module under name and waits for its top-level await.
func (i *Instance) EvalModule(ctx context.Context, name, source string) error {
	_, err := i.eval(ctx, evalModule, name, []byte(source))
	return err
}

// EvalScript evaluates a classic script; a promise as its value is awaited.
func (i *Instance) EvalScript(ctx context.Context, name, source string) error {
	_, err := i.eval(ctx, evalScript, name, []byte(source))
	return err
}

// EvalBytecode evaluates a module that Engine.Compile made.
func (i *Instance) EvalBytecode(ctx context.Context, name string, code []byte) error {
	raw, err := i.engine.open(code)
	if err != nil {
		return err
	}
	_, err = i.eval(ctx, evalBytecode, name, raw)
	return err
}

func (i *Instance) eval(ctx context.Context, mode uint32, name string, source []byte) (*Result, error) {
	leave, err := i.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	text := make([]byte, len(source)+1+len(name))
	copy(text, source)
	copy(text[len(source)+1:], name)
	ptr, err := i.alloc(ctx, len(text)+1)
	if err != nil {
		return nil, err
	}
	i.expectGrowth(mode, ptr, len(source))
	i.place(offBody, ptr, text)
	i.setWord(offBodyLen, uint32(len(source)))
	i.setWord(offName, ptr+uint32(len(source))+1)
	i.setWord(offNameLen, uint32(len(name)))
	i.setWord(offShape, shapeOwnedBody)
	if _, err := i.exec(ctx, cmdEval, mode, 0, 0); err != nil {
		return nil, err
	}
	return i.settle(ctx, mode == evalCompile)
}

// Call calls an exported function of an evaluated module, or of the global
// object if module is empty, as fn(head, body), and runs the event loop until
// the promise it may return settles. head is JSON or nil, body becomes an
// ArrayBuffer unless nil.
func (i *Instance) Call(ctx context.Context, module, export string, head json.RawMessage, body []byte) (*Result, error) {
	leave, err := i.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	r := reply{head: head, body: body}
	if head != nil {
		r.shape |= shapeHead
	}
	if body != nil {
		r.shape |= shapeBody
	}
	names, err := i.alloc(ctx, len(module)+1+len(export)+1)
	if err != nil {
		return nil, err
	}
	i.place(offName, names, []byte(module))
	i.place(offExportName, names+uint32(len(module))+1, []byte(export))
	if err := i.post(ctx, r); err != nil {
		return nil, err
	}
	if _, err := i.exec(ctx, cmdCall, 0, 0, 0); err != nil {
		return nil, err
	}
	if _, err := i.exec(ctx, cmdFree, names, 0, 0); err != nil {
		return nil, err
	}
	res, err := i.settle(ctx, true)
	i.region.Observe()
	return res, err
}

// Run drives the event loop until no job, timer or host call is pending.
func (i *Instance) Run(ctx context.Context) error {
	leave, err := i.enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	err = i.loop(ctx, func() bool { return false })
	if errors.Is(err, errIdle) {
		return nil
	}
	return err
}

// GC collects cycles. References that are not part of one are freed at once
// without it.
func (i *Instance) GC(ctx context.Context) error {
	leave, err := i.enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	_, err = i.exec(ctx, cmdGC, 0, 0, 0)
	return err
}

func (i *Instance) settle(ctx context.Context, want bool) (*Result, error) {
	err := i.loop(ctx, func() bool { return i.word(offWatched) != watchedPending })
	if errors.Is(err, errIdle) {
		err = ErrStalled
	}
	if err != nil {
		return nil, err
	}
	if !want && i.word(offWatched) != watchedRejected {
		return nil, nil
	}
	if _, err := i.exec(ctx, cmdResult, 0, 0, 0); err != nil {
		return nil, err
	}
	shape, res := i.word(offShape), new(Result)
	if shape&shapeHead != 0 {
		if res.Head, err = i.copyOut(offHead); err != nil {
			return nil, err
		}
	}
	if shape&shapeBody != 0 {
		if res.Body, err = i.copyOut(offBody); err != nil {
			return nil, err
		}
	}
	if shape&shapeError != 0 {
		err := parseJSError(res.Head)
		if i.word(offOOM) > 0 && !errors.Is(err, ErrMemoryLimit) {
			err = fmt.Errorf("%w: %w", ErrMemoryLimit, err)
		}
		return nil, err
	}
	return res, nil
}

func (i *Instance) copyOut(off uint32) ([]byte, error) {
	data, ok := i.mod.Memory().Read(i.word(off), i.word(off+4))
	if !ok {
		i.broken.Store(true)
		return nil, fmt.Errorf("%w: the result lies outside of memory", ErrTrap)
	}
	return append([]byte{}, data...), nil
}

// Kill stops the instance from any goroutine: running code ends within
// milliseconds, a waiting call at once, with ErrInterrupted wrapping cause. The
// instance cannot be used again.
func (i *Instance) Kill(cause error) {
	if cause == nil {
		cause = context.Canceled
	}
	i.killed.CompareAndSwap(nil, &cause)
	i.notify()
}

func (i *Instance) notify() {
	select {
	case i.wake <- struct{}{}:
	default:
	}
}

// Usage reports what the present use has spent so far.
func (i *Instance) Usage() Usage {
	return Usage{CPU: time.Duration(i.cpu.Load()), Fuel: i.ticks.Load() * fuelInterval}
}

// Memory reports the size of the linear memory and the bytes that the
// JavaScript heap held after the last command.
// Both are 0 once the instance is closed.
func (i *Instance) Memory() (linear, heap uint64) {
	if i.closed {
		return 0, 0
	}
	return uint64(i.mod.Memory().Size()), uint64(i.word(offMallocSize))
}

// Reset ends the use and brings the instance back to its snapshot: contexts of
// host calls are cancelled, globals, timers and pending calls vanish. It returns
// ErrBroken for an instance that trapped, was interrupted, ran out of memory or
// grew; close it then.
func (i *Instance) Reset(ctx context.Context) error {
	if !i.busy.CompareAndSwap(false, true) {
		return ErrBusy
	}
	err := i.reset()
	i.busy.Store(false)
	if err != nil {
		i.broken.Store(true)
		return err
	}
	return i.begin(ctx)
}

func (i *Instance) reset() error {
	i.useEnd()
	if i.closed {
		return ErrClosed
	}
	if err := i.reusable(); err != nil {
		return err
	}
	if _, err := i.region.Reset(); err != nil {
		return fmt.Errorf("%w: %w", ErrBroken, err)
	}
	i.fuel.Set(fuelInterval)
	i.stash = reply{}
	i.newUse()
	return nil
}

// reusable returns ErrBroken for an instance that trapped, was interrupted or ran
// out of memory.
func (i *Instance) reusable() error {
	if i.broken.Load() || i.killed.Load() != nil || i.word(offOOM) > 0 {
		return ErrBroken
	}
	return nil
}

// Close releases the instance. Contexts of its host calls are cancelled.
func (i *Instance) Close() error {
	if !i.busy.CompareAndSwap(false, true) {
		return ErrBusy
	}
	defer i.busy.Store(false)
	if i.closed {
		return nil
	}
	i.closed = true
	i.useEnd()
	i.mu.Lock()
	i.generation++
	i.mu.Unlock()
	if !i.preparing && i.reusable() == nil && i.origin.keep(i.shell) {
		return nil
	}
	return i.mod.Close(context.Background())
}

func (i *Instance) nextTimer() time.Duration {
	raw, ok := i.mod.Memory().Read(i.shared+offNextTimer, 8)
	if !ok {
		return 0
	}
	at := math.Float64frombits(binary.LittleEndian.Uint64(raw))
	return time.Duration((at - monotonicMS()) * float64(time.Millisecond))
}
