package quickjs

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"

	"github.com/agentrt/agentrt/quickjs/internal/cow"
	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"
)

// shell is what remains of an instance without the content of its memory: the
// module's instance, whose table never changes and whose globals are set anew for
// each use, and the address range. Making one costs more than filling it.
type shell struct {
	mod          api.Module
	region       cow.Region
	run          api.Function
	stack        callStack // of run
	sampleFn     api.Function
	fuel         api.MutableGlobal
	stackPointer api.MutableGlobal
	stackTop     uint64
}

// restore makes the memory what it was at first.
func (s shell) restore() error {
	_, err := s.region.Reset()
	return err
}

// maxShells is how many shells a snapshot keeps of closed instances, and
// maxRestored how many of these keep their memory, restored to the snapshot page by
// page as Reset does; that of the others is given back.
const (
	maxShells   = 16
	maxRestored = 4
)

type regionAllocator struct {
	image  cow.Image
	size   uint64
	limit  uint64
	region cow.Region
	err    error
}

func (a *regionAllocator) Allocate(_, _ uint64) experimental.LinearMemory { return a }

func (a *regionAllocator) Reallocate(size uint64) []byte {
	if a.region == nil {
		a.region, a.err = a.image.NewRegion(max(a.size, size), max(a.limit, a.size, size))
		if a.err != nil {
			return nil
		}
		return a.region.Bytes()
	}
	return a.region.Grow(size)
}

func (a *regionAllocator) Free() {
	if a.region != nil {
		a.err = errors.Join(a.err, a.region.Free())
	}
}

// The source of random numbers is not used, but wazero's own costs 8 us.
var moduleConfig = wazero.NewModuleConfig().WithName("").WithStartFunctions().WithRandSource(rand.Reader)

func (e *Engine) newShell(ctx context.Context, image cow.Image, size uint64) (shell, error) {
	if e.closed.Load() {
		return shell{}, ErrClosed
	}
	alloc := &regionAllocator{image: image, size: size, limit: uint64(e.config.memoryLimit)}
	mod, err := e.machine.runtime.InstantiateModule(experimental.WithMemoryAllocator(ctx, alloc), e.machine.compiled, moduleConfig)
	if err = errors.Join(alloc.err, err); err != nil {
		alloc.Free()
		return shell{}, fmt.Errorf("quickjs: new instance: %w", err)
	}
	s := shell{
		mod:          mod,
		region:       alloc.region,
		run:          mod.ExportedFunction("run"),
		fuel:         mod.ExportedGlobal("fuel").(api.MutableGlobal),
		stackPointer: mod.ExportedGlobal("__stack_pointer").(api.MutableGlobal),
	}
	s.stack = stackOf(s.run)
	s.stackTop = s.stackPointer.Get()
	return s, nil
}

// shell returns a kept one or a new one, its memory as the snapshot.
func (s *Snapshot) shell(ctx context.Context) (shell, error) {
	s.mu.Lock()
	kept, restored := pop(&s.restored)
	ok := restored
	if !restored {
		kept, ok = pop(&s.emptied)
	}
	s.mu.Unlock()
	if !ok {
		return s.engine.newShell(ctx, s.image, s.size)
	}
	if !restored {
		kept.region.Start()
	}
	kept.stackPointer.Set(kept.stackTop)
	return kept, nil
}

func pop(shells *[]shell) (last shell, ok bool) {
	n := len(*shells) - 1
	if n < 0 {
		return shell{}, false
	}
	last = (*shells)[n]
	(*shells)[n] = shell{}
	*shells = (*shells)[:n]
	return last, true
}

// keep restores or empties a shell and keeps it, unless there are enough.
func (s *Snapshot) keep(used shell) bool {
	if s == nil {
		return false
	}
	s.mu.Lock()
	enough := s.closed || len(s.restored)+len(s.emptied) >= maxShells
	restore := len(s.restored) < maxRestored
	s.mu.Unlock()
	if enough {
		return false
	}
	kind, empty := &s.emptied, used.region.Empty
	if restore {
		kind, empty = &s.restored, used.restore
	}
	if empty() != nil {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || restore && len(s.restored) >= maxRestored {
		return false
	}
	*kind = append(*kind, used)
	return true
}

func (s *Snapshot) closeShells() error {
	s.mu.Lock()
	shells := append(s.restored, s.emptied...)
	s.restored, s.emptied, s.closed = nil, nil, true
	s.mu.Unlock()
	var errs []error
	for _, kept := range shells {
		errs = append(errs, kept.mod.Close(context.Background()))
	}
	return errors.Join(errs...)
}
