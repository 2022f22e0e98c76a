package jobs

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/agentrt/agentrt/agentrt/jobs/jobstore"
	"github.com/riverqueue/river"
)

// handlers are the workers by topic. The topics that River fetches for follow them
// in the background, since River waits for running jobs before it lets go of one.
type handlers struct {
	wake chan struct{}

	mu     sync.Mutex
	topics map[string]handler
	runs   map[int64]*run

	river    sync.Mutex
	started  bool // River's client was started
	stopping bool
	fetching map[string]int  // concurrency that River has, by topic
	leaving  map[string]bool // topics that River is asked to let go of
}

type handler struct {
	handle      Handler
	options     HandlerOptions
	replaceable bool
}

func (h *handlers) init() {
	h.wake, h.topics, h.runs = make(chan struct{}, 1), map[string]handler{}, map[int64]*run{}
	h.fetching, h.leaving = map[string]int{}, map[string]bool{}
}

// Check returns ErrOption for options out of range.
func (o HandlerOptions) Check() error {
	_, err := o.check()
	return err
}

func (o HandlerOptions) check() (HandlerOptions, error) {
	if o.Concurrency == 0 {
		o.Concurrency = DefaultConcurrency
	}
	if o.Timeout == 0 {
		o.Timeout = DefaultTimeout
	}
	switch {
	case o.Concurrency < 1 || o.Concurrency > MaxConcurrency:
		return o, option("the concurrency of a worker is from 1 to %d, not %d", MaxConcurrency, o.Concurrency)
	case o.Timeout < time.Millisecond || o.Timeout > MaxTimeout:
		return o, option("the timeout of a worker is from 1ms to %v, not %v", MaxTimeout, o.Timeout)
	case o.MaxAttempts < 0 || o.MaxAttempts > MaxAttempts:
		return o, option("a job has from 1 to %d attempts, not %d", MaxAttempts, o.MaxAttempts)
	}
	return o, o.Backoff.check()
}

// Handle runs handle for the jobs of topic, before or after Start. The error is
// ErrTopic, ErrOption or ErrTopicTaken.
func (q *Queue) Handle(topic string, handle Handler, o HandlerOptions) error {
	if err := CheckTopic(topic); err != nil {
		return err
	}
	o, err := o.check()
	if err != nil {
		return fmt.Errorf("worker of topic %q: %w", topic, err)
	}
	h := &q.handlers
	h.mu.Lock()
	defer h.mu.Unlock()
	if _, taken := h.topics[topic]; taken {
		return fmt.Errorf("topic %q: %w", topic, ErrTopicTaken)
	}
	h.topics[topic] = handler{handle, o, false}
	h.signal()
	return nil
}

// Replace swaps the handlers of the former Replace for those of topics, at once.
// Topics that no longer have one keep their jobs; running jobs go on. Errors are as
// those of Handle; nothing has changed then.
func (q *Queue) Replace(handle Handler, topics map[string]HandlerOptions) error {
	h := &q.handlers
	h.mu.Lock()
	defer h.mu.Unlock()
	checked := map[string]handler{}
	for topic, o := range topics {
		if err := CheckTopic(topic); err != nil {
			return err
		}
		o, err := o.check()
		if err != nil {
			return fmt.Errorf("worker of topic %q: %w", topic, err)
		}
		if old, taken := h.topics[topic]; taken && !old.replaceable {
			return fmt.Errorf("topic %q: %w", topic, ErrTopicTaken)
		}
		checked[topic] = handler{handle, o, true}
	}
	maps.DeleteFunc(h.topics, func(_ string, old handler) bool { return old.replaceable })
	maps.Copy(h.topics, checked)
	h.signal()
	return nil
}

// Taken reports whether topic has a handler that Replace does not replace.
func (q *Queue) Taken(topic string) bool {
	h := &q.handlers
	h.mu.Lock()
	defer h.mu.Unlock()
	old, ok := h.topics[topic]
	return ok && !old.replaceable
}

func (h *handlers) signal() {
	select {
	case h.wake <- struct{}{}:
	default:
	}
}

func (h *handlers) get(topic string) (Handler, HandlerOptions, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	t, ok := h.topics[topic]
	return t.handle, t.options, ok
}

func (h *handlers) attempts(topic string) int {
	if _, o, _ := h.get(topic); o.MaxAttempts != 0 {
		return o.MaxAttempts
	}
	return DefaultAttempts
}

func (h *handlers) backoff(topic string) *Backoff {
	_, o, _ := h.get(topic)
	return o.Backoff
}

func (h *handlers) began(r *run) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.runs[r.id] = r
}

func (h *handlers) ended(r *run) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.runs, r.id)
}

func (h *handlers) running(id int64) *run {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.runs[id]
}

// reconcile makes River fetch for the topics that have handlers until ctx ends.
func (q *Queue) reconcile(ctx context.Context) {
	reported := ""
	for {
		again, err := q.handlers.reconcile(ctx, q.client)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil && err.Error() != reported:
			reported = err.Error()
			q.config.Logger().Error("the workers of jobs", "error", reported)
		case err == nil:
			reported = ""
		}
		var later <-chan time.Time
		if again || err != nil {
			later = time.After(100 * time.Millisecond)
		}
		select {
		case <-q.handlers.wake:
		case <-later:
		case <-ctx.Done():
			return
		}
	}
}

// reconcile reports whether it has to be called again: River still waits for jobs
// of a topic that changes.
func (h *handlers) reconcile(ctx context.Context, client *river.Client[*sql.Tx]) (again bool, err error) {
	h.river.Lock()
	defer h.river.Unlock()
	if h.stopping {
		return false, nil
	}
	h.mu.Lock()
	topics := maps.Clone(h.topics)
	h.mu.Unlock()
	if !h.started {
		if len(topics) == 0 {
			return false, nil // nothing polls as long as there are no workers
		}
		if err := client.Start(context.WithoutCancel(ctx)); err != nil {
			return true, fmt.Errorf("jobs: %w", err)
		}
		h.started = true
	}
	var errs []error
	for topic, concurrency := range h.fetching {
		if t, ok := topics[topic]; !ok || t.options.Concurrency != concurrency {
			h.leaving[topic] = true
		}
	}
	for topic := range h.leaving {
		queue, _ := queueName(topic)
		// River stops fetching and lets go later if jobs run.
		brief, cancel := context.WithTimeout(ctx, 10*time.Millisecond)
		err := client.Queues().Remove(brief, queue)
		cancel()
		if errors.Is(err, context.DeadlineExceeded) {
			again = true
			continue
		}
		delete(h.leaving, topic)
		delete(h.fetching, topic)
		if err != nil {
			errs = append(errs, fmt.Errorf("jobs: topic %q: %w", topic, err))
		}
	}
	for topic, t := range topics {
		if _, has := h.fetching[topic]; has {
			continue
		}
		queue, _ := queueName(topic)
		if err := client.Queues().Add(queue, river.QueueConfig{MaxWorkers: t.options.Concurrency}); err != nil {
			errs = append(errs, fmt.Errorf("jobs: topic %q: %w", topic, err))
			continue
		}
		h.fetching[topic] = t.options.Concurrency
	}
	return again, errors.Join(errs...)
}

// stop ends the contexts of running jobs and waits for them as long as ctx allows.
func (h *handlers) stop(ctx context.Context, client *river.Client[*sql.Tx]) error {
	h.river.Lock()
	defer h.river.Unlock()
	h.stopping = true
	if !h.started {
		return nil
	}
	if err := client.StopAndCancel(ctx); err != nil {
		return fmt.Errorf("jobs: handlers still run: %w", err)
	}
	h.started = false
	return nil
}

func (h *handlers) stats(counts []jobstore.Count) []TopicStats {
	h.mu.Lock()
	defer h.mu.Unlock()
	topics := map[string]*TopicStats{}
	of := func(topic string) *TopicStats {
		if topics[topic] == nil {
			_, worker := h.topics[topic]
			topics[topic] = &TopicStats{Topic: topic, States: map[State]int{}, Worker: worker}
		}
		return topics[topic]
	}
	for topic := range h.topics {
		of(topic)
	}
	for _, c := range counts {
		of(topicOf(c.Queue)).States[State(c.State)] = c.N
	}
	var all []TopicStats
	for _, topic := range slices.Sorted(maps.Keys(topics)) {
		all = append(all, *topics[topic])
	}
	return all
}
