package quickjs

import (
	"context"
	"errors"
	"sync"

	"github.com/agentrt/agentrt/quickjs/internal/cow"
)

// Snapshot is the memory of a prepared instance. It lives in RAM only. It may be
// used from several goroutines.
type Snapshot struct {
	engine *Engine
	image  cow.Image
	size   uint64
	shared uint32

	mu       sync.Mutex
	restored []shell // of closed instances, with memory
	emptied  []shell // of closed instances, without
	closed   bool
}

// NewInstance returns an instance that starts as the snapshot, with random seeds
// and a time origin of its own.
func (s *Snapshot) NewInstance(ctx context.Context) (*Instance, error) {
	return s.newInstance(ctx, false)
}

func (s *Snapshot) newInstance(ctx context.Context, preparing bool) (*Instance, error) {
	shell, err := s.shell(ctx)
	if err != nil {
		return nil, err
	}
	i := s.engine.newInstance(shell)
	i.origin = s
	i.preparing = preparing
	if err := i.attach(s.shared); err != nil {
		return nil, errors.Join(err, i.Close())
	}
	if err := i.begin(ctx); err != nil {
		return nil, errors.Join(err, i.Close())
	}
	return i, nil
}

// Extend evaluates prepare in an instance of s and returns the result as a new
// snapshot; s stays as it is.
func (s *Snapshot) Extend(ctx context.Context, prepare func(context.Context, *Instance) error) (*Snapshot, error) {
	i, err := s.newInstance(ctx, true)
	if err != nil {
		return nil, err
	}
	defer i.Close()
	if err := prepare(ctx, i); err != nil {
		return nil, err
	}
	return i.snapshot(ctx)
}

// Len is the size of the image in bytes, trailing zeros excluded.
func (s *Snapshot) Len() int { return s.image.Len() }

// Close releases the image. Instances made of it go on.
func (s *Snapshot) Close() error { return errors.Join(s.closeShells(), s.image.Close()) }

func (i *Instance) snapshot(ctx context.Context) (*Snapshot, error) {
	leave, err := i.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	if err := i.loop(ctx, func() bool { return i.word(offJobs) == 0 }); err != nil {
		return nil, err
	}
	if i.word(offPending) > 0 || i.word(offTimers) > 0 {
		return nil, ErrNotIdle
	}
	if _, err := i.exec(ctx, cmdFreeze, i.engine.config.gcSlack, i.engine.config.headroom, 0); err != nil {
		return nil, err
	}
	mailbox := uint64(i.word(offMailbox))
	image, err := i.region.Snapshot(cow.Range{To: i.stackPointer.Get()}, cow.Range{From: mailbox, To: mailbox + mailboxSize})
	if err != nil {
		return nil, err
	}
	return &Snapshot{engine: i.engine, image: image, size: uint64(len(i.region.Bytes())), shared: i.shared}, nil
}
