package pool

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/agentrt/agentrt/quickjs"
)

// Config configures a Pool.
type Config struct {
	// Warm is how many idle instances are made ahead; 10 if zero, none if negative.
	Warm int
	// MaxIdle is how many used and reset instances are kept at most; 128 if
	// zero. An idle instance holds some 200 KiB.
	MaxIdle int
}

// Pool lends instances of one snapshot. It may be used from several goroutines.
type Pool struct {
	snapshot  *quickjs.Snapshot
	admission *Admission
	maxIdle   int

	mu     sync.Mutex
	idle   []*quickjs.Instance
	inUse  int
	closed bool
	done   chan struct{}
	errs   []error
	work   sync.WaitGroup
}

// New returns a pool of instances of snapshot, which it owns from now on, and
// makes the warm ones.
func New(ctx context.Context, snapshot *quickjs.Snapshot, admission *Admission, config Config) (*Pool, error) {
	if config.Warm == 0 {
		config.Warm = 10
	}
	if config.MaxIdle == 0 {
		config.MaxIdle = 128
	}
	p := &Pool{snapshot: snapshot, admission: admission, maxIdle: max(config.MaxIdle, config.Warm), done: make(chan struct{})}
	for range config.Warm {
		i, err := snapshot.NewInstance(ctx)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("pool: warming up: %w", err), p.Close(ctx))
		}
		p.idle = append(p.idle, i)
	}
	return p, nil
}

// Lease is the right to use one instance for one invocation.
type Lease struct {
	// Instance is as the snapshot left it.
	Instance *quickjs.Instance
	pool     *Pool
	leave    func()
}

// Acquire waits for admission and lends an instance.
func (p *Pool) Acquire(ctx context.Context) (*Lease, error) {
	leave, err := p.admission.Enter(ctx)
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		leave()
		return nil, ErrClosed
	}
	p.inUse++
	var i *quickjs.Instance
	if n := len(p.idle); n > 0 {
		i, p.idle = p.idle[n-1], p.idle[:n-1]
	}
	p.mu.Unlock()
	if i == nil {
		if i, err = p.snapshot.NewInstance(ctx); err != nil {
			p.returned(nil)
			leave()
			return nil, fmt.Errorf("pool: new instance: %w", err)
		}
	}
	return &Lease{Instance: i, pool: p, leave: leave}, nil
}

// Release ends the use. The instance is reset and kept, or closed if it broke,
// if enough are idle or if the pool was closed. It returns at once: the work is
// done on a goroutine that Close waits for.
func (l *Lease) Release() {
	p := l.pool
	p.work.Go(func() {
		defer l.leave()
		p.mu.Lock()
		keep := !p.closed && len(p.idle) < p.maxIdle
		p.mu.Unlock()
		if keep && l.Instance.Reset(context.Background()) == nil {
			p.returned(l.Instance)
			return
		}
		err := l.Instance.Close()
		p.returned(nil)
		if err != nil {
			p.mu.Lock()
			p.errs = append(p.errs, err)
			p.mu.Unlock()
		}
	})
}

func (p *Pool) returned(i *quickjs.Instance) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.inUse--
	if i != nil {
		if p.closed {
			p.errs = append(p.errs, i.Close())
		} else {
			p.idle = append(p.idle, i)
		}
	}
	if p.closed && p.inUse == 0 {
		close(p.done)
	}
}

// InUse is the number of instances that are lent.
func (p *Pool) InUse() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.inUse
}

// Close refuses further leases, waits as long as ctx allows until those that run
// have ended, and releases the snapshot.
func (p *Pool) Close(ctx context.Context) error {
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return nil
	}
	p.closed = true
	idle := p.idle
	p.idle = nil
	if p.inUse == 0 {
		close(p.done)
	}
	p.mu.Unlock()
	var errs []error
	for _, i := range idle {
		errs = append(errs, i.Close())
	}
	select {
	case <-p.done:
		p.work.Wait()
	case <-ctx.Done():
		errs = append(errs, fmt.Errorf("pool: %d invocations still run: %w", p.InUse(), context.Cause(ctx)))
	}
	p.mu.Lock()
	errs = append(errs, p.errs...)
	p.mu.Unlock()
	return errors.Join(append(errs, p.snapshot.Close())...)
}
