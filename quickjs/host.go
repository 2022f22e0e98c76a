package quickjs

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
)

// callContext carries the instance to the host functions.
type callContext struct {
	context.Context
	instance *Instance
}

// stop is what a host function panics with to end the guest; wazero turns it
// into the error of the call.
type stop struct{ err error }

func (s stop) Error() string { return s.err.Error() }
func (s stop) Unwrap() error { return s.err }

func guest(ctx context.Context) *Instance {
	cc, ok := ctx.(*callContext)
	if !ok {
		panic(stop{fmt.Errorf("%w: host call outside of an instance", ErrTrap)})
	}
	return cc.instance
}

// view returns guest memory after checking its bounds; it panics with stop if
// the guest passed a range outside.
func view(mod api.Module, ptr, size uint32) []byte {
	if size == 0 {
		return nil
	}
	b, ok := mod.Memory().Read(ptr, size)
	if !ok {
		panic(stop{fmt.Errorf("%w: the guest passed the range %d+%d outside of its memory", ErrTrap, ptr, size)})
	}
	return b
}

func instantiateHost(ctx context.Context, rt wazero.Runtime) error {
	const i32, f64 = api.ValueTypeI32, api.ValueTypeF64
	b := rt.NewHostModuleBuilder("agentrt")
	export := func(name string, fn api.GoModuleFunc, params, results []api.ValueType) {
		b.NewFunctionBuilder().WithGoModuleFunction(fn, params, results).Export(name)
	}
	export("tick", hostTick, nil, []api.ValueType{i32})
	export("host_log", hostLog, []api.ValueType{i32, i32, i32}, nil)
	export("host_request", hostRequest, []api.ValueType{i32, i32, i32, i32, i32, i32}, []api.ValueType{i32})
	export("host_error", hostError, []api.ValueType{i32, i32}, nil)
	export("host_clock", hostClock, []api.ValueType{i32}, []api.ValueType{f64})
	export("host_random", hostRandom, []api.ValueType{i32, i32}, nil)
	if _, err := b.Instantiate(ctx); err != nil {
		return err
	}
	const badf = 8
	refuse := api.GoModuleFunc(func(_ context.Context, _ api.Module, stack []uint64) { stack[0] = badf })
	w := rt.NewHostModuleBuilder("wasi_snapshot_preview1")
	for name, params := range map[string][]api.ValueType{
		"fd_close": {i32},
		"fd_seek":  {i32, api.ValueTypeI64, i32, i32},
		"fd_write": {i32, i32, i32, i32},
	} {
		w.NewFunctionBuilder().WithGoModuleFunction(refuse, params, []api.ValueType{i32}).Export(name)
	}
	_, err := w.Instantiate(ctx)
	return err
}

func hostTick(ctx context.Context, mod api.Module, stack []uint64) {
	i := guest(ctx)
	if err := i.tick(ctx); err != nil {
		panic(stop{err})
	}
	stack[0] = fuelInterval
}

func hostLog(ctx context.Context, mod api.Module, stack []uint64) {
	i := guest(ctx)
	if i.engine.config.console == nil {
		return
	}
	text := view(mod, uint32(stack[0]), uint32(stack[1]))
	level := min(Level(uint32(stack[2])), LevelError)
	i.engine.config.console(ctx, level, clip(text, int(i.engine.config.maxLog)))
}

// clip returns text as valid UTF-8, cut to limit bytes with a note of the rest.
func clip(text []byte, limit int) string {
	rest := len(text) - limit
	if rest <= 0 {
		return strings.ToValidUTF8(string(text), "\ufffd")
	}
	for limit > 0 && !utf8.RuneStart(text[limit]) {
		limit--
		rest++
	}
	return strings.ToValidUTF8(string(text[:limit]), "\ufffd") + fmt.Sprintf(" ... (%d bytes more)", rest)
}

func hostError(ctx context.Context, mod api.Module, stack []uint64) {
	text := view(mod, uint32(stack[0]), uint32(stack[1]))
	kind := ErrTrap
	if cc, ok := ctx.(*callContext); ok && cc.instance.shared != 0 && cc.instance.word(offOOM) > 0 {
		kind = ErrMemoryLimit
	}
	panic(stop{fmt.Errorf("%w: %s", kind, clip(text, 1024))})
}

var processStart = time.Now()

func hostClock(ctx context.Context, mod api.Module, stack []uint64) {
	if uint32(stack[0]) != 0 {
		stack[0] = api.EncodeF64(monotonicMS())
		return
	}
	stack[0] = api.EncodeF64(float64(time.Now().UnixNano()) / 1e6)
}

func monotonicMS() float64 { return float64(time.Since(processStart)) / 1e6 }

func hostRandom(ctx context.Context, mod api.Module, stack []uint64) {
	rand.Read(view(mod, uint32(stack[0]), uint32(stack[1])))
}

func hostRequest(ctx context.Context, mod api.Module, stack []uint64) {
	i := guest(ctx)
	op, id := uint32(stack[0]), uint32(stack[1])
	headPtr, bodyPtr := uint32(stack[2]), uint32(stack[4])
	head, body := view(mod, headPtr, uint32(stack[3])), view(mod, bodyPtr, uint32(stack[5]))
	var r reply
	switch {
	case op == opTake:
		copy(head, i.stash.head)
		copy(body, i.stash.body)
		i.stash = reply{}
		stack[0] = 0
		return
	case op == opLookup:
		r = i.lookup(head)
	case op == opNormalize:
		r = i.normalize(ctx, head)
	case op == opLoad:
		r = i.load(ctx, head)
	case op == opUncaught:
		i.reportUncaught(ctx, head)
	case op == opCancel:
		i.cancelCall(id)
	default:
		r = i.request(ctx, op, id, head, body)
	}
	shape, err := i.answer(r)
	if err != nil {
		panic(stop{err})
	}
	stack[0] = uint64(shape)
}

func (i *Instance) request(ctx context.Context, op, id uint32, head, body []byte) reply {
	async := op&opAsync != 0
	op &^= opAsync
	ops := i.engine.config.ops.list
	if op < opUser || op-opUser >= uint32(len(ops)) || ops[op-opUser].Async != async {
		return errorReply(&HostError{Name: "TypeError", Message: fmt.Sprintf("there is no host operation %d", op)})
	}
	operation := &ops[op-opUser]
	if !async {
		return i.perform(ctx, operation, head, body)
	}
	if operation.start != nil && !i.preparing {
		return i.startDeferred(ctx, id, operation.start, head, body)
	}
	if i.preparing {
		return errorReply(&HostError{Name: "Error", Code: "ERR_TOP_LEVEL_IO",
			Message: "I/O is not possible at the top level of a module: it runs once, before any request; move the call into a handler"})
	}
	i.start(ctx, id, operation, append([]byte(nil), head...), append([]byte(nil), body...))
	return reply{}
}

func (i *Instance) lookup(head []byte) reply {
	var name string
	if err := json.Unmarshal(head, &name); err != nil {
		return errorReply(&HostError{Name: "TypeError", Message: "the name of an operation is a string"})
	}
	op, ok := i.engine.config.ops.names[name]
	if !ok {
		return errorReply(&HostError{Name: "ReferenceError", Message: fmt.Sprintf("there is no host operation %q", name)})
	}
	return encode(&struct {
		Op    uint32 `json:"op"`
		Async bool   `json:"async"`
	}{op, i.engine.config.ops.list[op-opUser].Async})
}

var errNoResolver = errors.New("imports are not available here: bundle the module")

func (i *Instance) normalize(ctx context.Context, head []byte) reply {
	var req struct{ Base, Name string }
	if err := json.Unmarshal(head, &req); err != nil {
		return errorReply(err)
	}
	if i.engine.config.resolver == nil {
		return errorReply(fmt.Errorf("cannot import %q from %s: %w", req.Name, req.Base, errNoResolver))
	}
	name, err := i.engine.config.resolver.Resolve(ctx, req.Base, req.Name)
	if err != nil {
		return errorReply(fmt.Errorf("cannot import %q from %s: %w", req.Name, req.Base, err))
	}
	return encode(&name)
}

func (i *Instance) load(ctx context.Context, head []byte) reply {
	var req struct{ Name, Type string }
	if err := json.Unmarshal(head, &req); err != nil {
		return errorReply(err)
	}
	if i.engine.config.resolver == nil {
		return errorReply(fmt.Errorf("cannot load %s: %w", req.Name, errNoResolver))
	}
	m, err := i.engine.config.resolver.Load(ctx, req.Name, req.Type)
	if err != nil {
		return errorReply(fmt.Errorf("cannot load %s: %w", req.Name, err))
	}
	if m.Type == "" {
		m.Type = "js"
	}
	res := Message[struct {
		Type string `json:"type"`
	}]{Body: m.Source}
	res.Head.Type = m.Type
	return encode(&res)
}

func (i *Instance) reportUncaught(ctx context.Context, head []byte) {
	if i.engine.config.uncaught == nil {
		return
	}
	var u struct {
		Kind  string
		Error json.RawMessage
	}
	if err := json.Unmarshal(head, &u); err != nil {
		u.Kind = "exception"
	}
	i.engine.config.uncaught(ctx, Uncaught{Kind: u.Kind, Err: parseJSError(u.Error)})
}
