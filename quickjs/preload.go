package quickjs

import (
	"context"
	"os"
	"sync"
)

// Preload is machine code on its way from a cache directory into memory: a third of
// what a start takes, which a program can begin before it knows the rest of the
// configuration.
type Preload struct {
	dir         string
	memoryLimit uint32
	load        func() *machine

	mu    sync.Mutex
	taken bool
}

// NewPreload begins to load what New will ask for with the same cache directory and
// memory limit. Close it after New.
func NewPreload(config Config) *Preload {
	dir := (&cache{moduleDir(config.cacheDir)}).codeDir()
	p := &Preload{dir: dir, memoryLimit: config.memoryLimit}
	p.load = sync.OnceValue(func() *machine {
		empty, err := emptyModule()
		if err != nil {
			return nil
		}
		if _, err := os.Stat(dir); err != nil {
			return nil
		}
		m, err := newMachine(context.Background(), config.memoryLimit, dir, empty)
		if err != nil {
			return nil // New tries again, and says why
		}
		return m
	})
	go p.load() // Close waits for it
	return p
}

// take waits for the machine and hands it over; nil if there is none for dir.
func (p *Preload) take(dir string, memoryLimit uint32) *machine {
	if p == nil || p.dir != dir || p.memoryLimit != memoryLimit {
		return nil
	}
	m := p.load()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.taken {
		return nil
	}
	p.taken = true
	return m
}

// Close waits for the loading and releases what no engine has taken. It may be called
// again, and on nil.
func (p *Preload) Close(ctx context.Context) error {
	if p == nil {
		return nil
	}
	if m := p.take(p.dir, p.memoryLimit); m != nil {
		return m.close(ctx)
	}
	return nil
}
