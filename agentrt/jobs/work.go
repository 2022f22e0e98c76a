package jobs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"sync"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"
)

const (
	// fetchCooldown is the shortest time between two looks for jobs of a topic after
	// a signal or a finished job, fetchPoll the time between looks without.
	fetchCooldown = 5 * time.Millisecond
	fetchPoll     = time.Second
	// progressEvery is how often a running job's progress is written.
	progressEvery = time.Second
)

// Postpone returns an error with which a handler has its job run again after d
// without counting the attempt.
func Postpone(d time.Duration) error { return river.JobSnooze(d) }

// workConfig is River's. The queue "agentrt" has no jobs: River wants one.
func (q *Queue) workConfig(logger *slog.Logger) *river.Config {
	workers := river.NewWorkers()
	river.AddWorker(workers, &worker{queue: q})
	return &river.Config{
		Logger:                      logger,
		Workers:                     workers,
		Queues:                      map[string]river.QueueConfig{"agentrt": {MaxWorkers: 1, FetchPollInterval: time.Hour}},
		Hooks:                       []rivertype.Hook{river.HookInsertBeginFunc(identify)},
		MaxAttempts:                 DefaultAttempts,
		JobTimeout:                  -1, // a handler's context knows why it ended
		RescueStuckJobsAfter:        MaxTimeout + time.Hour,
		FetchCooldown:               fetchCooldown,
		FetchPollInterval:           fetchPoll,
		CompletedJobRetentionPeriod: q.config.KeepFinished,
		CancelledJobRetentionPeriod: q.config.KeepFinished,
		DiscardedJobRetentionPeriod: q.config.KeepDiscarded,
	}
}

type worker struct {
	river.WorkerDefaults[arguments]
	queue *Queue
}

// Timeout is none: Work sets its own.
func (w *worker) Timeout(*river.Job[arguments]) time.Duration { return -1 }

// NextRetry follows the job's backoff, or else its worker's.
func (w *worker) NextRetry(job *river.Job[arguments]) time.Time {
	var s stored
	if err := json.Unmarshal(job.Metadata, &s); err != nil || s.Backoff == nil {
		s.Backoff = w.queue.handlers.backoff(topicOf(job.Queue))
	}
	return time.Now().Add(s.Backoff.after(max(job.Attempt, 1)))
}

// Work runs the topic's handler.
func (w *worker) Work(ctx context.Context, job *river.Job[arguments]) error {
	q, topic := w.queue, topicOf(job.Queue)
	handle, o, ok := q.handlers.get(topic)
	if !ok {
		return river.JobSnooze(fetchPoll) // its worker was removed a moment ago
	}
	// River's context ends at once with its cause; the handler's has ours.
	mine, end := context.WithCancelCause(context.WithoutCancel(ctx))
	defer end(nil)
	defer context.AfterFunc(ctx, func() {
		if errors.Is(context.Cause(ctx), rivertype.ErrJobCancelledRemotely) {
			end(ErrCancelled)
		} else {
			end(ErrStopping)
		}
	})()
	defer time.AfterFunc(o.Timeout, func() { end(ErrTimeout) }).Stop()
	r := &run{queue: q, id: job.ID}
	q.handlers.began(r)
	err := call(mine, handle, Job{
		ID: strconv.FormatInt(job.ID, 10), Topic: topic, Payload: job.Args.Payload,
		Attempt: job.Attempt, MaxAttempts: job.MaxAttempts, CreatedAt: job.CreatedAt, run: r,
	})
	q.handlers.ended(r)
	progress, result := r.finish()
	if progress != nil {
		err = errors.Join(err, river.MetadataSet(ctx, "progress", progress))
	}
	switch cause := context.Cause(mine); {
	case err == nil && result != nil:
		return river.MetadataSet(ctx, "result", result)
	case err == nil:
		return nil
	case errors.Is(cause, ErrStopping):
		return context.Canceled // River puts it back and does not count the attempt
	case errors.Is(cause, ErrTimeout):
		err = fmt.Errorf("%w (%v): %w", ErrTimeout, o.Timeout, err)
	}
	if _, postponed := errors.AsType[*rivertype.JobSnoozeError](err); postponed {
		return err
	}
	return errors.New(shorten(q.config.Redact(err.Error()), maxErrorText))
}

// call turns a panic into an error.
func call(ctx context.Context, handle Handler, job Job) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("panic: %v", v)
		}
	}()
	return handle(ctx, job)
}

// run is a job that runs.
type run struct {
	queue *Queue
	id    int64

	mu       sync.Mutex
	progress *Progress
	result   json.RawMessage
	written  time.Time
	timer    *time.Timer
	writing  sync.WaitGroup
	over     bool
}

func (r *run) report(p Progress) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.progress = &p
	if r.timer == nil && !r.over {
		r.writing.Add(1)
		r.timer = time.AfterFunc(max(0, progressEvery-time.Since(r.written)), r.write)
	}
}

func (r *run) write() {
	defer r.writing.Done()
	r.mu.Lock()
	text, err := json.Marshal(map[string]any{"progress": r.progress})
	r.mu.Unlock()
	if err == nil {
		err = r.queue.db.Load().Merge(context.Background(), r.id, text)
	}
	if err != nil {
		r.queue.config.Logger().Error("writing a job's progress", "job", r.id, "error", err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.timer, r.written = nil, time.Now()
}

func (r *run) setResult(result json.RawMessage) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.result = result
}

// finish returns what is to be kept once no write is on its way.
func (r *run) finish() (*Progress, json.RawMessage) {
	r.mu.Lock()
	r.over = true
	if r.timer != nil && r.timer.Stop() {
		r.writing.Done()
	}
	r.mu.Unlock()
	r.writing.Wait()
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.progress, r.result
}

func (r *run) current() *Progress {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.progress
}
