package triggers

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/agentrt/agentrt/agentrt/deployment"
	"github.com/agentrt/agentrt/agentrt/invocation"
	"github.com/agentrt/agentrt/agentrt/jobs"
	"github.com/agentrt/agentrt/agentrt/pool"
	"github.com/agentrt/agentrt/hostfn/pb"
	"github.com/agentrt/agentrt/quickjs"
	"github.com/pocketbase/pocketbase/core"
)

// jobGrace is how long a handler may go on after its signal has aborted, unless
// the server shuts down, which has a deadline of its own.
const jobGrace = 5 * time.Second

// jobLater is when a job is tried again for which there was no instance.
const jobLater = time.Second

// Workers run the jobs of the topics that the current deployment has workers for.
type Workers struct {
	app    core.App
	runner *invocation.Runner
	queue  *jobs.Queue
}

// NewWorkers returns workers of queue without topics.
func NewWorkers(app core.App, runner *invocation.Runner, queue *jobs.Queue) *Workers {
	return &Workers{app: app, runner: runner, queue: queue}
}

// Conflict reports a worker of d whose topic Go code works on.
func (w *Workers) Conflict(d *deployment.Deployment) error {
	for _, worker := range d.Workers() {
		if w.queue.Taken(worker.Topic) {
			return &deployment.LoadError{Problems: []string{fmt.Sprintf("Go code works on the jobs of the topic %q: choose another one", worker.Topic)}}
		}
	}
	return nil
}

// Switch takes the topics of d, in place of the former ones. Jobs whose topic is
// not among them wait.
func (w *Workers) Switch(d *deployment.Deployment) error {
	topics := map[string]jobs.HandlerOptions{}
	for _, worker := range d.Workers() {
		topics[worker.Topic] = worker.Options
	}
	return w.queue.Replace(w.run, topics)
}

// run is a jobs.Handler.
func (w *Workers) run(ctx context.Context, job jobs.Job) error {
	d := w.runner.Current()
	if d == nil {
		return jobs.Postpone(jobLater)
	}
	worker, ok := d.Worker(job.Topic)
	if !ok {
		return jobs.Postpone(jobLater) // the deployment was replaced a moment ago
	}
	// JavaScript sees the signal first and is ended later.
	hard, end := context.WithCancelCause(context.WithoutCancel(ctx))
	defer end(nil)
	defer context.AfterFunc(ctx, func() {
		cause := context.Cause(ctx)
		if errors.Is(cause, jobs.ErrStopping) {
			return
		}
		time.AfterFunc(jobGrace, func() { end(fmt.Errorf("%w, and its handler did not end within %v", cause, jobGrace)) })
	})()
	hard = pb.WithJobRun(hard, &pb.JobRun{Ending: ctx, Progress: func(n float64, data json.RawMessage) error { return jobsError(job.Progress(n, data)) }})
	res, err := runEvent(hard, jobs.MaxTimeout+jobGrace, w.runner, invocation.Call{
		Kind: "job", Target: job.Topic, ID: job.ID, Export: "job",
		Head: map[string]any{
			"id": job.ID, "topic": job.Topic, "payload": job.Payload, "attempt": job.Attempt, "maxAttempts": job.MaxAttempts,
			"createdAt": job.CreatedAt.UTC(),
		},
		Limits: quickjs.Limits{CPU: worker.CPU, Memory: worker.Memory}, Access: worker.Access, Data: &pb.Scope{App: w.app},
	})
	if _, overloaded := errors.AsType[*pool.OverloadedError](err); overloaded || errors.Is(err, pool.ErrClosed) || errors.Is(err, invocation.ErrNoDeployment) {
		return jobs.Postpone(jobLater)
	}
	if err != nil {
		if ctx.Err() == nil {
			w.app.Logger().Error(err.Error(), "type", "function", "target", job.Topic, "job", job.ID, "attempt", job.Attempt)
		}
		return err
	}
	var left struct {
		Missing bool
		Result  json.RawMessage
	}
	if err := json.Unmarshal(res.Head, &left); err != nil {
		return fmt.Errorf("the result of the job: %w", err)
	}
	if left.Missing {
		return jobs.Postpone(jobLater)
	}
	if left.Result != nil && string(left.Result) != "null" {
		if err := job.SetResult(left.Result); err != nil {
			// The work is done: failing would do it again.
			w.app.Logger().Warn(err.Error()+": it was not kept", "type", "function", "target", job.Topic, "job", job.ID)
		}
	}
	return nil
}

// JobsOf is queue as pb.jobs acts on it.
func JobsOf(queue *jobs.Queue) pb.Jobs { return jobsAPI{queue} }

type jobsAPI struct{ queue *jobs.Queue }

func (a jobsAPI) Enqueue(ctx context.Context, app core.App, topic string, payload json.RawMessage, o pb.JobOptions) (string, error) {
	if jobs.Reserved(topic) {
		return "", jobsError(fmt.Errorf("%w: topics that begin with %q are reserved", jobs.ErrTopic, jobs.ReservedPrefix))
	}
	options := jobs.EnqueueOptions{
		Priority: o.Priority, MaxAttempts: o.MaxAttempts, Hold: o.Hold,
		Unique: jobs.Unique{Key: o.UniqueKey, Period: time.Duration(o.UniqueFor), States: statesOf(o.UniqueStates)},
	}
	switch {
	case o.RunAt != nil:
		options.RunAt = *o.RunAt
	case o.Delay > 0:
		options.RunAt = time.Now().Add(time.Duration(o.Delay))
	}
	if b := o.Backoff; b != nil {
		options.Backoff = &jobs.Backoff{Delay: time.Duration(b.Delay), Max: time.Duration(b.Max), Fixed: b.Type == "fixed"}
	}
	id, err := a.queue.Enqueue(ctx, app, topic, payload, options)
	return id, jobsError(err)
}

func (a jobsAPI) Get(ctx context.Context, app core.App, id string) (any, error) {
	return found(a.queue.Get(ctx, app, id))
}

func (a jobsAPI) Cancel(ctx context.Context, app core.App, id string) (any, error) {
	info, err := a.queue.Get(ctx, app, id)
	if err == nil && !jobs.Reserved(info.Topic) {
		info, err = a.queue.Cancel(ctx, app, id)
	}
	return found(info, err)
}

// found hides the jobs of Go code and those that are not there.
func found(info jobs.Info, err error) (any, error) {
	if errors.Is(err, jobs.ErrNotFound) || err == nil && jobs.Reserved(info.Topic) {
		return nil, nil
	}
	return info, jobsError(err)
}

func (a jobsAPI) List(ctx context.Context, f pb.JobFilter) (any, error) {
	items, next, err := a.queue.List(ctx, jobs.Filter{Topic: f.Topic, States: statesOf(f.States), Limit: f.Limit, Cursor: f.Cursor, Unreserved: true})
	return JobPage(items, next), jobsError(err)
}

// JobPage is a page of jobs as JavaScript and the API give it.
func JobPage(items []jobs.Info, next string) any {
	page := struct {
		Items  []jobs.Info `json:"items"`
		Cursor *string     `json:"cursor"`
	}{Items: items}
	if items == nil {
		page.Items = []jobs.Info{}
	}
	if next != "" {
		page.Cursor = &next
	}
	return page
}

func statesOf(names []string) []jobs.State {
	var states []jobs.State
	for _, name := range names {
		states = append(states, jobs.State(name))
	}
	return states
}

func jobsError(err error) error {
	for _, known := range []struct {
		is         error
		name, code string
		status     int
	}{
		{jobs.ErrTopic, "RangeError", "ERR_JOBS_TOPIC", 400},
		{jobs.ErrPayload, "RangeError", "ERR_JOBS_PAYLOAD", 413},
		{jobs.ErrOption, "RangeError", "ERR_JOBS_OPTION", 400},
		{jobs.ErrFull, "Error", "ERR_JOBS_FULL", 503},
		{jobs.ErrState, "Error", "ERR_JOBS_STATE", 409},
		{jobs.ErrClosed, "Error", "ERR_JOBS_CLOSED", 503},
	} {
		if errors.Is(err, known.is) {
			return &quickjs.HostError{Name: known.name, Code: known.code, Status: known.status, Message: "pb.jobs: " + err.Error()}
		}
	}
	return err
}
