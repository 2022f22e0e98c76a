package quickjs

import (
	"context"
	"errors"
	"runtime"
	"time"
)

var errIdle = errors.New("quickjs: idle")

// loop runs the event loop until done, or returns errIdle when nothing can
// happen any more. The caller holds the instance and a slot; while the loop
// waits it gives the slot back.
func (i *Instance) loop(ctx context.Context, done func() bool) error {
	for {
		if i.word(offJobs) > 0 {
			if _, err := i.exec(ctx, cmdRunJobs, 0, 0, 0); err != nil {
				return err
			}
		}
		if done() {
			return nil
		}
		i.atOnce = 0
		if c, ok := i.takeCompletion(); ok {
			if err := i.complete(ctx, c); err != nil {
				return err
			}
			continue
		}
		timers, pending := i.word(offTimers), i.word(offPending)
		if timers == 0 && pending == 0 {
			return errIdle
		}
		wait := time.Duration(-1)
		if timers > 0 {
			if wait = i.nextTimer(); wait <= 0 {
				if _, err := i.exec(ctx, cmdRunTimers, 0, 0, 0); err != nil {
					return err
				}
				continue
			}
		}
		if pending > 0 && i.finishesSoon() {
			continue
		}
		if err := i.wait(ctx, wait); err != nil {
			return err
		}
	}
}

// finishesSoon lets the goroutines of host calls run on this thread before the
// instance parks: a short operation then costs no wake-up.
func (i *Instance) finishesSoon() bool {
	runtime.Gosched()
	i.mu.Lock()
	defer i.mu.Unlock()
	return len(i.done) > 0
}

// observedWaits is after how many waits a use counts as typical although it goes on:
// streams last long.
const observedWaits = 8

// wait sleeps until a completion, the timer (if not negative), Kill or ctx.
func (i *Instance) wait(ctx context.Context, timer time.Duration) error {
	if i.waits++; i.waits == observedWaits {
		i.region.Observe()
	}
	i.engine.slots.release()
	var due <-chan time.Time
	if timer >= 0 {
		t := time.NewTimer(timer)
		defer t.Stop()
		due = t.C
	}
	select {
	case <-i.wake:
	case <-due:
	case <-ctx.Done():
	}
	// The slot is taken back whatever happened: the caller releases it.
	_ = i.engine.slots.acquire(context.WithoutCancel(ctx))
	i.slotSince = time.Now()
	if err := i.interruption(ctx); err != nil {
		i.broken.Store(true)
		return err
	}
	return nil
}

func (i *Instance) takeCompletion() (completion, bool) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if len(i.done) == 0 {
		return completion{}, false
	}
	c := i.done[0]
	if i.done = i.done[1:]; len(i.done) == 0 {
		i.done = nil
	}
	return c, true
}

func (i *Instance) complete(ctx context.Context, c completion) error {
	if err := i.post(ctx, c.reply); err != nil {
		return err
	}
	_, err := i.exec(ctx, cmdComplete, c.id, 0, 0)
	return err
}

// useContext ends with the use of the instance and has the values of the call
// that it serves.
type useContext struct {
	context.Context
	values context.Context
}

func (c *useContext) Value(key any) any {
	if v := c.Context.Value(key); v != nil {
		return v
	}
	return c.values.Value(key)
}

// start runs an asynchronous operation on a goroutine that the engine owns.
func (i *Instance) start(caller context.Context, id uint32, op *operation, head, body []byte) {
	ctx, cancel := context.WithCancel(&useContext{i.useCtx, caller.(*callContext).Context})
	i.mu.Lock()
	if i.calls == nil {
		i.calls = map[uint32]context.CancelFunc{}
	}
	i.calls[id] = cancel
	generation := i.generation
	i.mu.Unlock()
	i.engine.live.Go(func() {
		defer cancel()
		r := i.perform(ctx, op, head, body)
		i.mu.Lock()
		defer i.mu.Unlock()
		if i.generation != generation {
			return
		}
		delete(i.calls, id)
		i.done = append(i.done, completion{id, r})
		i.notify()
	})
}

// maxAtOnce is how many deferred operations may answer at once between two turns of
// the event loop: a stream whose source is never empty must not keep timers and
// other completions waiting.
const maxAtOnce = 16

// startDeferred runs a deferred operation. A reply without shape means that it
// answers later. An error always does: a stream that fails drops what its readers have
// not taken yet, so they must have had a turn for what came before.
func (i *Instance) startDeferred(caller context.Context, id uint32, start func(context.Context, []byte, []byte, func(reply)), head, body []byte) reply {
	i.mu.Lock()
	generation := i.generation
	i.mu.Unlock()
	var answer *reply // guarded by i.mu
	atOnce := i.atOnce < maxAtOnce
	start(caller.(*callContext).Context, head, body, func(r reply) {
		i.mu.Lock()
		defer i.mu.Unlock()
		switch {
		case i.generation != generation:
		case atOnce && r.shape&shapeError == 0:
			answer = &r
		default:
			i.done = append(i.done, completion{id, r})
			i.notify()
		}
	})
	i.mu.Lock()
	defer i.mu.Unlock()
	atOnce = false
	if answer == nil {
		return reply{}
	}
	i.atOnce++
	return *answer
}

func (i *Instance) cancelCall(id uint32) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if cancel := i.calls[id]; cancel != nil {
		cancel()
	}
}
