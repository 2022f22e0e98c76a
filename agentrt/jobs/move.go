package jobs

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/agentrt/agentrt/agentrt/jobs/jobstore"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"
)

const (
	// moveBatch is how many jobs go to River in one transaction.
	moveBatch = 200
	// moveRetry is the time after a failure, and how often the outbox is looked at
	// without a signal: for what another process enqueued.
	moveRetry = time.Second
	// moveWait is how long Enqueue waits for the job to be in River. It is safe in
	// the outbox from the start.
	moveWait = time.Second
)

// schedulerInterval is River's.
const schedulerInterval = 5 * time.Second

// mover takes jobs from the outbox to River.
type mover struct {
	wake chan struct{}

	mu      sync.Mutex
	running bool
	next    chan struct{}  // closed when a pass that has not begun yet is over
	bad     map[int64]bool // rows that River refuses
}

func (m *mover) init() {
	m.wake, m.next, m.bad = make(chan struct{}, 1), make(chan struct{}), map[int64]bool{}
}

// moved has the outbox moved and waits for it, but not for long.
func (q *Queue) moved(ctx context.Context) {
	m := &q.mover
	m.mu.Lock()
	done, running := m.next, m.running
	m.mu.Unlock()
	if !running {
		return // at the next start
	}
	select {
	case m.wake <- struct{}{}:
	default:
	}
	timer := time.NewTimer(moveWait)
	defer timer.Stop()
	select {
	case <-done:
	case <-timer.C:
	case <-ctx.Done():
	}
}

func (m *mover) run(running bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.running = running
	if !running {
		close(m.next)
		m.next = make(chan struct{})
	}
}

func (q *Queue) move(ctx context.Context) {
	m := &q.mover
	defer m.run(false)
	ticker := time.NewTicker(moveRetry)
	defer ticker.Stop()
	reported := ""
	certain := false // that no row of the outbox is in River too
	for {
		m.mu.Lock()
		done := m.next
		m.next = make(chan struct{})
		m.mu.Unlock()
		ids, err := q.moveBatch(ctx, certain)
		close(done)
		if err == nil && len(ids) > 0 {
			_, err = jobstore.Delete(ctx, q.app, ids...)
		}
		switch certain = err == nil; {
		case ctx.Err() != nil:
			return
		case err != nil && err.Error() != reported:
			reported = err.Error()
			q.config.Logger().Error("committed jobs wait in the outbox: " + reported)
		case err == nil:
			reported = ""
		}
		if err == nil && len(ids) == moveBatch {
			continue
		}
		if err != nil { // not at once
			select {
			case <-ticker.C:
			case <-ctx.Done():
				return
			}
			continue
		}
		select {
		case <-m.wake:
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
	}
}

// moveBatch gives the oldest rows of the outbox to River and returns their ids.
func (q *Queue) moveBatch(ctx context.Context, certain bool) ([]int64, error) {
	rows, err := jobstore.Committed(ctx, q.app, moveBatch)
	if err != nil {
		return nil, err
	}
	var fresh []jobstore.Row
	for _, r := range rows {
		if !q.mover.bad[r.ID] {
			fresh = append(fresh, r)
		}
	}
	if len(fresh) == 0 {
		return nil, nil
	}
	if err := q.insert(ctx, fresh, certain); err == nil || ctx.Err() != nil {
		return idsOf(fresh), err
	}
	// One of them may be to blame.
	var ids []int64
	var failed error
	for _, r := range fresh {
		if err := q.insert(ctx, []jobstore.Row{r}, false); err != nil {
			failed = err
			continue
		}
		ids = append(ids, r.ID)
	}
	if len(ids) == 0 {
		return nil, failed
	}
	for _, r := range fresh {
		if !slices.Contains(ids, r.ID) {
			q.mover.bad[r.ID] = true
			q.config.Logger().Error("a job stays in the outbox until the next start", "job", r.ID, "topic", r.Topic, "error", failed)
		}
	}
	return ids, nil
}

func idsOf(rows []jobstore.Row) []int64 {
	ids := make([]int64, len(rows))
	for k, r := range rows {
		ids[k] = r.ID
	}
	return ids
}

// insert makes River's jobs of rows, except for those that exist already. Nothing
// else inserts any.
func (q *Queue) insert(ctx context.Context, rows []jobstore.Row, certain bool) (err error) {
	var existing map[int64]bool
	if !certain {
		if existing, err = q.db.Load().Existing(ctx, idsOf(rows)); err != nil {
			return err
		}
	}
	var params []river.InsertManyParams
	for _, r := range rows {
		if !existing[r.ID] {
			p, err := q.params(r)
			if err != nil {
				return err
			}
			params = append(params, p)
		}
	}
	if len(params) == 0 {
		return nil
	}
	if _, err := q.client.InsertMany(ctx, params); err != nil {
		return fmt.Errorf("jobs: %w", err)
	}
	return nil
}

// arguments are River's of a job; all jobs are of one kind.
type arguments struct {
	Payload json.RawMessage `json:"p"`
	row     jobstore.Row
	options stored
}

// Kind is the same for all jobs.
func (arguments) Kind() string { return "agentrt_job" }

func (q *Queue) params(r jobstore.Row) (p river.InsertManyParams, err error) {
	a := arguments{Payload: json.RawMessage(r.Payload), row: r}
	if err := json.Unmarshal([]byte(r.Options), &a.options); err != nil {
		return p, fmt.Errorf("jobs: the options of job %d: %w", r.ID, err)
	}
	queue, ok := queueName(r.Topic)
	if !ok {
		return p, fmt.Errorf("jobs: job %d: %w", r.ID, ErrTopic)
	}
	attempts := a.options.MaxAttempts
	if attempts == 0 {
		attempts = q.handlers.attempts(r.Topic)
	}
	metadata, err := json.Marshal(stored{Backoff: a.options.Backoff, UniqueKey: a.options.UniqueKey})
	if err != nil {
		return p, fmt.Errorf("jobs: %w", err)
	}
	opts := &river.InsertOpts{MaxAttempts: attempts, Metadata: metadata, Priority: a.options.Priority, Queue: queue}
	if r.RunAt > r.Created {
		opts.ScheduledAt = time.UnixMilli(r.RunAt)
	}
	return river.InsertManyParams{Args: a, InsertOpts: opts}, nil
}

// identify gives River's job the id, the time and the unique key of the outbox.
func identify(_ context.Context, p *rivertype.JobInsertParams) error {
	a, ok := p.Args.(arguments)
	if !ok {
		return nil
	}
	created := time.UnixMilli(a.row.Created)
	p.ID, p.CreatedAt = &a.row.ID, &created
	if p.State == rivertype.JobStateScheduled && time.UnixMilli(a.row.RunAt).Before(time.Now().Add(schedulerInterval)) {
		// River's scheduler would be late; what fetches jobs looks at the time too.
		p.State = rivertype.JobStateAvailable
	}
	if a.row.Unique != "" {
		key, err := hex.DecodeString(a.row.Unique)
		if err != nil {
			return fmt.Errorf("jobs: unique key: %w", err)
		}
		p.UniqueKey, p.UniqueStates = key, a.options.UniqueMask
	}
	return nil
}
