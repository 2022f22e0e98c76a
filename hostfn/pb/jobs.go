package pb

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"sync"
	"time"

	"github.com/agentrt/agentrt/quickjs"
	"github.com/pocketbase/pocketbase/core"
)

// maxEnqueue is how many jobs one invocation may enqueue.
const maxEnqueue = 10_000

// Jobs is the queue that pb.jobs acts on. What it returns for a job is JSON, or nil
// if there is none. Errors that JavaScript is to tell apart are *quickjs.HostError.
type Jobs interface {
	Enqueue(ctx context.Context, app core.App, topic string, payload json.RawMessage, o JobOptions) (id string, err error)
	Get(ctx context.Context, app core.App, id string) (job any, err error)
	Cancel(ctx context.Context, app core.App, id string) (job any, err error)
	List(ctx context.Context, f JobFilter) (page any, err error)
}

// JobOptions are those of pb.jobs.enqueue; zero fields mean the defaults.
type JobOptions struct {
	Delay        Duration    `json:"delay"`
	RunAt        *time.Time  `json:"runAt"`
	Priority     int         `json:"priority"`
	MaxAttempts  int         `json:"maxAttempts"`
	Backoff      *JobBackoff `json:"backoff"`
	UniqueKey    string      `json:"uniqueKey"`
	UniqueFor    Duration    `json:"uniqueFor"`
	UniqueStates []string    `json:"uniqueStates"`
	// Hold keeps the job back until the record of a Before hook is saved.
	Hold string `json:"-"`
}

// JobBackoff is the time between the attempts of a job.
type JobBackoff struct {
	Type  string   `json:"type"` // "exponential", also if empty, or "fixed"
	Delay Duration `json:"delay"`
	Max   Duration `json:"max"`
}

// JobFilter are the options of pb.jobs.list.
type JobFilter struct {
	Topic  string   `json:"topic"`
	States []string `json:"states"`
	Limit  int      `json:"limit"`
	Cursor string   `json:"cursor"`
}

// Duration is a number of milliseconds or a text such as "500ms", "30s", "5m" in
// JSON.
type Duration time.Duration

// UnmarshalJSON reads either form; negative durations are errors.
func (d *Duration) UnmarshalJSON(text []byte) error {
	var value any
	if err := json.Unmarshal(text, &value); err != nil {
		return err
	}
	var parsed time.Duration
	var err error
	switch v := value.(type) {
	case nil:
		return nil
	case float64:
		if math.Abs(v) > math.MaxInt64/float64(time.Millisecond) {
			err = errors.New("out of range")
		}
		parsed = time.Duration(v * float64(time.Millisecond))
	case string:
		parsed, err = time.ParseDuration(v)
	default:
		err = errors.New("of another type")
	}
	if err != nil || parsed < 0 {
		return fmt.Errorf("want a number of milliseconds or a duration such as \"500ms\", \"30s\" or \"5m\", not %s", text)
	}
	*d = Duration(parsed)
	return nil
}

// JobScope is what an invocation knows about the jobs that it enqueues.
type JobScope struct {
	// Before makes jobs wait for TakeHeld, unless a transaction does the same.
	Before bool

	mu       sync.Mutex
	hold     string
	enqueued int
}

// enter counts a job and returns what it is to be held with.
func (s *JobScope) enter(transactional bool) (hold string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.enqueued++; s.enqueued > maxEnqueue {
		return "", &quickjs.HostError{Name: "RangeError", Code: "ERR_JOBS_LIMIT", Status: 429,
			Message: fmt.Sprintf("pb.jobs.enqueue(): one invocation may enqueue %d jobs", maxEnqueue)}
	}
	if s.Before && !transactional {
		if s.hold == "" {
			s.hold = core.GenerateDefaultRandomId()
		}
		return s.hold, nil
	}
	return "", nil
}

// Held is what the jobs that wait were enqueued with; "" if there are none.
func (s *JobScope) Held() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.hold
}

type jobsKey struct{}
type jobRunKey struct{}

// WithJobs returns a context in which pb.jobs finds j.
func WithJobs(ctx context.Context, j Jobs) context.Context {
	return context.WithValue(ctx, jobsKey{}, j)
}

// JobRun is the job that an invocation works on.
type JobRun struct {
	// Progress reports how far it is.
	Progress func(n float64, data json.RawMessage) error
	// Ending ends, with its cause, when the handler is to end.
	Ending context.Context
}

// WithJobRun returns a context in which a handler finds its job.
func WithJobRun(ctx context.Context, r *JobRun) context.Context {
	return context.WithValue(ctx, jobRunKey{}, r)
}

var errNoJob = &quickjs.HostError{Name: "Error", Code: "ERR_JOBS_NO_JOB", Message: "no job runs here"}

type jobEnqueue struct {
	Topic   string          `json:"topic"`
	Payload json.RawMessage `json:"payload"`
	Options JobOptions      `json:"options"`
}

type jobProgress struct {
	N    float64         `json:"n"`
	Data json.RawMessage `json:"data"`
}

// RegisterJobs adds the operations of pb.jobs.
//
//	pb.jobs.enqueue   async  {topic, payload, options}       -> id
//	pb.jobs.get       async  id                              -> the job or null
//	pb.jobs.cancel    async  id                              -> the job or null
//	pb.jobs.list      async  {topic, states, limit, cursor}  -> {items, cursor}
//	pb.jobs.progress  sync   {n, data}                       of the job that runs
//	pb.jobs.ending    async  -                               resolves with the reason once the job that runs is to end
func RegisterJobs(ops *quickjs.Ops) {
	quickjs.Async(ops, "pb.jobs.enqueue", jobsOp(func(ctx context.Context, j Jobs, scope *Scope, app core.App, e jobEnqueue) (string, error) {
		hold, err := scope.Jobs.enter(app.IsTransactional())
		if err != nil {
			return "", err
		}
		e.Options.Hold = hold
		return j.Enqueue(ctx, app, e.Topic, e.Payload, e.Options)
	}))
	quickjs.Async(ops, "pb.jobs.get", jobsOp(func(ctx context.Context, j Jobs, _ *Scope, app core.App, id string) (any, error) {
		return j.Get(ctx, app, id)
	}))
	quickjs.Async(ops, "pb.jobs.cancel", jobsOp(func(ctx context.Context, j Jobs, _ *Scope, app core.App, id string) (any, error) {
		return j.Cancel(ctx, app, id)
	}))
	quickjs.Async(ops, "pb.jobs.list", jobsOp(func(ctx context.Context, j Jobs, _ *Scope, _ core.App, f JobFilter) (any, error) {
		return j.List(ctx, f)
	}))
	quickjs.Sync(ops, "pb.jobs.progress", func(ctx context.Context, p jobProgress) (quickjs.None, error) {
		run, ok := ctx.Value(jobRunKey{}).(*JobRun)
		if !ok {
			return quickjs.None{}, errNoJob
		}
		return quickjs.None{}, run.Progress(p.N, p.Data)
	})
	quickjs.Async(ops, "pb.jobs.ending", func(ctx context.Context, _ quickjs.None) (string, error) {
		run, ok := ctx.Value(jobRunKey{}).(*JobRun)
		if !ok {
			return "", errNoJob
		}
		select {
		case <-run.Ending.Done():
			return context.Cause(run.Ending).Error(), nil
		case <-ctx.Done():
			return "", ctx.Err()
		}
	})
}

// jobsOp runs fn with the queue and with the app of the invocation.
func jobsOp[Req, Res any](fn func(context.Context, Jobs, *Scope, core.App, Req) (Res, error)) func(context.Context, Req) (Res, error) {
	return func(ctx context.Context, req Req) (res Res, err error) {
		scope, err := ScopeFrom(ctx)
		if err != nil {
			return res, err
		}
		j, ok := ctx.Value(jobsKey{}).(Jobs)
		if !ok {
			return res, &quickjs.HostError{Name: "Error", Code: "ERR_JOBS", Message: "pb.jobs is not available here"}
		}
		err = scope.Run(ctx, func(app core.App) (err error) {
			res, err = fn(ctx, j, scope, app, req)
			return err
		})
		return res, err
	}
}
