package pool

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/agentrt/agentrt/quickjs"
)

// Config configures a Pool.
type Config struct {
	// Warm is how many idle instances are made ahead; 10 if zero, none if negative.
	Warm int
	// MaxIdle is how many used and reset instances are kept at most; 1,000 if
	// zero. As many are kept as were in use at once during the last minute or
	// two: an instance whose pages are resident is several times cheaper to use
	// than a new one. It holds what it wrote to, some 0.2 to 1 MiB.
	MaxIdle int
}

// Pool lends instances of one snapshot. It may be used from several goroutines.
type Pool struct {
	snapshot  *quickjs.Snapshot
	admission *Admission
	warm      int
	maxIdle   int

	mu     sync.Mutex
	idle   []*quickjs.Instance
	inUse  int
	peak   [2]int // most in use at once: in this period and the one before
	closed bool
	done   chan struct{}
	errs   []error
	work   sync.WaitGroup
}

// New returns a pool of instances of snapshot, which it owns from now on. The warm
// ones are made in the background.
func New(snapshot *quickjs.Snapshot, admission *Admission, config Config) *Pool {
	if config.Warm == 0 {
		config.Warm = 10
	}
	if config.MaxIdle == 0 {
		config.MaxIdle = 1000
	}
	p := &Pool{snapshot: snapshot, admission: admission, warm: max(config.Warm, 0), maxIdle: max(config.MaxIdle, config.Warm), done: make(chan struct{})}
	p.work.Go(p.warming)
	p.work.Go(p.trimming)
	return p
}

// warming makes the first instances. What fails here fails again for who acquires.
func (p *Pool) warming() {
	for range p.warm {
		i, err := p.snapshot.NewInstance(context.Background())
		if err != nil {
			return
		}
		p.mu.Lock()
		if p.closed {
			p.mu.Unlock()
			p.failed(i.Close())
			return
		}
		p.idle = append(p.idle, i)
		p.mu.Unlock()
	}
}

// trimPeriod is how often idle instances are closed that were not needed.
const trimPeriod = time.Minute

func (p *Pool) trimming() {
	ticker := time.NewTicker(trimPeriod)
	defer ticker.Stop()
	for {
		select {
		case <-p.done:
			return
		case <-ticker.C:
			p.trim()
		}
	}
}

// trim starts a new period and closes the idle instances beyond what the last two
// needed.
func (p *Pool) trim() {
	p.mu.Lock()
	n := min(len(p.idle), max(0, p.wanted()-p.inUse))
	// The least recently used are the first.
	excess := slices.Clone(p.idle[:len(p.idle)-n])
	p.idle = slices.Delete(p.idle, 0, len(excess))
	p.peak = [2]int{p.inUse, p.peak[0]}
	p.mu.Unlock()
	for _, i := range excess {
		p.failed(i.Close())
	}
}

// wanted is how many instances, idle or not, are worth keeping.
func (p *Pool) wanted() int { return max(p.warm, p.peak[0], p.peak[1]) }

// failed keeps an error for Close.
func (p *Pool) failed(err error) {
	if err != nil {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.errs = append(p.errs, err)
	}
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
	p.peak[0] = max(p.peak[0], p.inUse)
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
		p.failed(l.Instance.Close())
		p.returned(nil)
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
