package quickjs

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"

	"github.com/agentrt/agentrt/quickjs/internal/wasmbin"
	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/experimental"
)

// machine is the module compiled by wazero, ready to be instantiated.
type machine struct {
	runtime  wazero.Runtime
	cache    wazero.CompilationCache
	compiled wazero.CompiledModule
}

// newMachine compiles module, with wazero's cache in dir unless that is empty.
func newMachine(ctx context.Context, memoryLimit uint32, dir string, module []byte) (*machine, error) {
	m := new(machine)
	rc := wazero.NewRuntimeConfig().WithMemoryLimitPages(memoryLimit >> 16).WithDebugInfoEnabled(false)
	var err error
	if dir != "" {
		if m.cache, err = wazero.NewCompilationCacheWithDir(dir); err != nil {
			return nil, fmt.Errorf("quickjs: compilation cache: %w", err)
		}
		rc = rc.WithCompilationCache(m.cache)
	}
	m.runtime = wazero.NewRuntimeWithConfig(ctx, rc)
	if err = instantiateHost(ctx, m.runtime); err != nil {
		err = fmt.Errorf("quickjs: host module: %w", err)
	} else if m.compiled, err = m.runtime.CompileModule(experimental.WithCompilationWorkers(ctx, runtime.GOMAXPROCS(0)), module); err != nil {
		err = fmt.Errorf("quickjs: compiling the module: %w", err)
	}
	if err != nil {
		return nil, errors.Join(err, m.close(context.WithoutCancel(ctx)))
	}
	return m, nil
}

// close releases the module before the runtime, as wazero wants it.
func (m *machine) close(ctx context.Context) error {
	var errs []error
	if m.compiled != nil {
		errs = append(errs, m.compiled.Close(ctx))
	}
	errs = append(errs, m.runtime.Close(ctx))
	if m.cache != nil {
		errs = append(errs, m.cache.Close(ctx))
	}
	return errors.Join(errs...)
}

// compile sets e.machine, from the cache directory if it can.
//
// wazero decodes and validates all functions of a module before it looks for
// their machine code, which takes longer than loading that. So what it is given
// from the second start on is the module with empty functions, and what it finds
// in its cache for that is the machine code of the real ones: the two modules
// are the same in all that wazero uses after compilation. Whether that worked is
// tried; if not (another wazero, a damaged file), the module is compiled.
func (e *Engine) compile(ctx context.Context) error {
	full, err := codeSections()
	if err != nil {
		return err
	}
	if e.cache == nil {
		e.machine, err = newMachine(ctx, e.config.memoryLimit, "", wasmbin.Encode(full))
		return err
	}
	empty, err := emptyModule()
	if err != nil {
		return err
	}
	if e.loadMachine(ctx, empty) {
		return nil
	}
	scratch, err := os.MkdirTemp(e.cache.dir, "tmp-*")
	if err != nil {
		return fmt.Errorf("quickjs: cache directory: %w", err)
	}
	defer os.RemoveAll(scratch)
	compiled := filepath.Join(scratch, "compiled")
	if e.machine, err = newMachine(ctx, e.config.memoryLimit, compiled, wasmbin.Encode(full)); err != nil {
		return err
	}
	return e.storeMachine(ctx, compiled, filepath.Join(scratch, "empty"), empty)
}

// codeSections are those of the module that wazero needs.
func codeSections() ([]wasmbin.Section, error) {
	all, err := wasmbin.Sections(module)
	if err != nil {
		return nil, fmt.Errorf("quickjs: embedded module: %w", err)
	}
	return wasmbin.Without(all, wasmbin.SectionData, wasmbin.SectionDataCount, wasmbin.SectionCustom), nil
}

// emptyModule is the module with empty functions.
func emptyModule() ([]byte, error) {
	sections, err := codeSections()
	if err != nil {
		return nil, err
	}
	if err := wasmbin.EmptyFunctions(sections); err != nil {
		return nil, fmt.Errorf("quickjs: embedded module: %w", err)
	}
	return wasmbin.Encode(sections), nil
}

// loadMachine sets e.machine to the cached machine code and reports whether
// there is any that works.
func (e *Engine) loadMachine(ctx context.Context, empty []byte) bool {
	dir := e.cache.codeDir()
	if _, err := os.Stat(dir); err != nil {
		return false
	}
	e.machine = e.config.preload.take(dir, e.config.memoryLimit)
	var err error
	if e.machine == nil {
		e.machine, err = newMachine(ctx, e.config.memoryLimit, dir, empty)
	}
	if err == nil {
		if e.works(ctx) {
			return true
		}
		_ = e.machine.close(ctx)
		e.machine = nil
	}
	_ = os.RemoveAll(dir)
	return false
}

// works reports whether the machine code is that of the module: without a
// JavaScript context it reports an error to the host, empty functions trap.
func (e *Engine) works(ctx context.Context) bool {
	empty := e.emptyImage()
	defer empty.Close()
	shell, err := e.newShell(ctx, empty, 0)
	if err != nil {
		return false
	}
	i := e.newInstance(shell)
	defer i.Close()
	err = i.call(ctx, []uint64{uint64(cmdGC), 0, 0, 0})
	_, ok := errors.AsType[stop](err)
	return ok
}

// storeMachine puts the machine code that wazero cached in compiled where it looks
// for that of empty.
func (e *Engine) storeMachine(ctx context.Context, compiled, scratch string, empty []byte) error {
	m, err := newMachine(ctx, e.config.memoryLimit, scratch, empty)
	if err != nil {
		return err
	}
	if err := m.close(ctx); err != nil {
		return err
	}
	from, _ := filepath.Glob(filepath.Join(compiled, "*", "*"))
	to, _ := filepath.Glob(filepath.Join(scratch, "*", "*"))
	if len(from) != 1 || len(to) != 1 {
		return nil
	}
	if err := os.Rename(from[0], to[0]); err != nil {
		return fmt.Errorf("quickjs: compilation cache: %w", err)
	}
	// It fails if another process was faster, which is as good.
	_ = os.Rename(scratch, e.cache.codeDir())
	return nil
}
