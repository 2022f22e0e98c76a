package jobs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/agentrt/agentrt/agentrt/jobs/jobstore"
	"github.com/pocketbase/pocketbase/core"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"
)

// Get describes a job. Jobs of the transaction of app, if it has one, are found
// before they exist. The error is ErrNotFound if there is none, or no longer.
func (q *Queue) Get(ctx context.Context, app core.App, id string) (Info, error) {
	if _, err := q.opened(ctx); err != nil {
		return Info{}, err
	}
	n, err := parseID(id)
	if err != nil {
		return Info{}, err
	}
	for range 2 { // a job in the outbox moves to River, and not back
		row, err := q.reads.JobGet(ctx, n)
		if err == nil {
			return q.info(row), nil
		}
		if !errors.Is(err, rivertype.ErrNotFound) {
			return Info{}, fmt.Errorf("jobs: %w", err)
		}
		waiting, found, err := jobstore.ByID(ctx, app, n)
		if err != nil || found {
			return q.waiting(waiting), err
		}
	}
	return Info{}, ErrNotFound
}

func parseID(id string) (int64, error) {
	n, err := strconv.ParseInt(id, 10, 64)
	if err != nil || n <= 0 || strconv.FormatInt(n, 10) != id {
		return 0, fmt.Errorf("job %q: %w", shorten(id, 40), ErrNotFound)
	}
	return n, nil
}

// waiting is a job that is still in the outbox.
func (q *Queue) waiting(r jobstore.Row) Info {
	var s stored
	_ = json.Unmarshal([]byte(r.Options), &s) // written by us
	i := Info{
		ID: strconv.FormatInt(r.ID, 10), Topic: r.Topic, State: StateAvailable, Payload: json.RawMessage(r.Payload), Priority: s.Priority,
		MaxAttempts: s.MaxAttempts, CreatedAt: time.UnixMilli(r.Created).UTC(), RunAt: time.UnixMilli(r.RunAt).UTC(), UniqueKey: s.UniqueKey, Errors: []Failure{},
	}
	if i.MaxAttempts == 0 {
		i.MaxAttempts = q.handlers.attempts(r.Topic)
	}
	if i.RunAt.After(time.Now()) {
		i.State = StateScheduled
	}
	_, _, i.Worker = q.handlers.get(r.Topic)
	return i
}

func (q *Queue) info(row *rivertype.JobRow) Info {
	var args arguments
	var metadata struct {
		stored
		Progress *Progress       `json:"progress"`
		Result   json.RawMessage `json:"result"`
	}
	// What somebody damaged by hand is shown without it.
	_ = json.Unmarshal(row.EncodedArgs, &args)
	_ = json.Unmarshal(row.Metadata, &metadata)
	i := Info{
		ID: strconv.FormatInt(row.ID, 10), Topic: topicOf(row.Queue), State: State(row.State), Payload: args.Payload, Priority: row.Priority,
		Attempt: row.Attempt, MaxAttempts: row.MaxAttempts, CreatedAt: row.CreatedAt.UTC(), RunAt: row.ScheduledAt.UTC(),
		AttemptedAt: row.AttemptedAt, FinishedAt: row.FinalizedAt, UniqueKey: metadata.UniqueKey,
		Progress: metadata.Progress, Result: metadata.Result, Errors: make([]Failure, len(row.Errors)),
	}
	for k, e := range row.Errors {
		i.Errors[k] = Failure{Attempt: e.Attempt, At: e.At.UTC(), Error: e.Error}
	}
	switch {
	case i.State == StateAvailable && i.RunAt.After(time.Now()) && len(i.Errors) > 0:
		i.State = StateRetryable
	case i.State == StateAvailable && i.RunAt.After(time.Now()):
		i.State = StateScheduled
	case i.State == StateRunning:
		if r := q.handlers.running(row.ID); r != nil {
			if p := r.current(); p != nil {
				i.Progress = p
			}
		}
	}
	_, _, i.Worker = q.handlers.get(i.Topic)
	return i
}

// Filter of List; zero fields do not filter.
type Filter struct {
	Topic  string
	States []State
	// Limit is 1 to MaxPage, 100 by default.
	Limit int
	// Cursor is the next of a former page.
	Cursor string
	// Unreserved leaves out the jobs of reserved topics.
	Unreserved bool
}

// List returns jobs, the youngest first, and what leads to the next page, "" on the
// last. Jobs of a transaction that has not ended are not among them.
func (q *Queue) List(ctx context.Context, f Filter) (list []Info, next string, err error) {
	if _, err := q.opened(ctx); err != nil {
		return nil, "", err
	}
	if f.Limit == 0 {
		f.Limit = 100
	}
	if f.Limit < 1 || f.Limit > MaxPage {
		return nil, "", option("the limit of a list is from 1 to %d, not %d", MaxPage, f.Limit)
	}
	p := river.NewJobListParams().OrderBy(river.JobListOrderByID, river.SortOrderDesc).First(f.Limit + 1)
	if f.Topic != "" {
		if err := CheckTopic(f.Topic); err != nil {
			return nil, "", err
		}
		queue, _ := queueName(f.Topic)
		p = p.Queues(queue)
	}
	if len(f.States) > 0 {
		states := make([]rivertype.JobState, len(f.States))
		for k, s := range f.States {
			states[k] = rivertype.JobState(s)
		}
		p = p.States(states...)
	}
	if f.Cursor != "" {
		after, err := parseID(f.Cursor)
		if err != nil {
			return nil, "", option("the cursor %q is not one of a list", shorten(f.Cursor, 40))
		}
		p = p.Where("id < @after", river.NamedArgs{"after": after})
	}
	if f.Unreserved {
		queue, _ := queueName(ReservedPrefix + "x")
		p = p.Where("substr(queue, 1, @length) <> @reserved", river.NamedArgs{"length": len(queue) - 1, "reserved": queue[:len(queue)-1]})
	}
	found, err := q.reads.JobList(ctx, p)
	if err != nil {
		return nil, "", fmt.Errorf("jobs: %w", err)
	}
	for k, row := range found.Jobs {
		if k == f.Limit {
			return list, list[k-1].ID, nil
		}
		list = append(list, q.info(row))
	}
	return list, "", nil
}

// TopicStats are the numbers of jobs of a topic.
type TopicStats struct {
	Topic  string        `json:"topic"`
	States map[State]int `json:"states"`
	// Worker reports whether this process has a worker for the topic.
	Worker bool `json:"worker"`
}

// Stats counts jobs by topic, sorted by name: topics that have jobs or a worker.
func (q *Queue) Stats(ctx context.Context) ([]TopicStats, error) {
	db, err := q.opened(ctx)
	if err != nil {
		return nil, err
	}
	counts, err := db.Counts(ctx)
	if err != nil {
		return nil, err
	}
	return q.handlers.stats(counts), nil
}

// Cancel cancels a job: one that waits does not run any more, the context of one
// that runs ends, after which it is cancelled even if its handler reports another
// error. One that ended stays as it is. A job of the transaction of app, if it has
// one, is taken back and not found afterwards; other jobs are cancelled even if the
// transaction is rolled back. It returns the job as it is then.
func (q *Queue) Cancel(ctx context.Context, app core.App, id string) (Info, error) {
	var taken *Info
	if n, err := parseID(id); err == nil && inTransaction(app) {
		row, found, err := jobstore.ByID(ctx, app, n)
		if err == nil && found {
			_, err = jobstore.Delete(ctx, app, n)
			info := q.waiting(row)
			info.State, taken = StateCancelled, &info
		}
		if err != nil {
			return Info{}, err
		}
	}
	info, err := q.change(ctx, app, id, func(n int64) (*rivertype.JobRow, error) { return q.client.JobCancel(ctx, n) })
	if taken != nil && errors.Is(err, ErrNotFound) {
		return *taken, nil
	}
	return info, err
}

// Retry runs a job that ended, or waits for its time, now; it gets one more attempt
// if it has none left. The error is ErrState if
// it runs, or if its unique key is taken by then.
func (q *Queue) Retry(ctx context.Context, id string) (Info, error) {
	return q.change(ctx, q.app, id, func(n int64) (*rivertype.JobRow, error) {
		row, err := q.client.JobRetry(ctx, n)
		if err != nil && strings.Contains(err.Error(), "UNIQUE constraint") {
			return nil, fmt.Errorf("%w: another job has its unique key", ErrState)
		}
		if err == nil && row.State == rivertype.JobStateRunning {
			return nil, fmt.Errorf("%w: it runs", ErrState)
		}
		return row, err
	})
}

// Discard removes a job that does not run.
func (q *Queue) Discard(ctx context.Context, id string) (Info, error) {
	return q.change(ctx, q.app, id, func(n int64) (*rivertype.JobRow, error) {
		row, err := q.client.JobDelete(ctx, n)
		if errors.Is(err, rivertype.ErrJobRunning) {
			return nil, fmt.Errorf("%w: it runs; cancel it first", ErrState)
		}
		return row, err
	})
}

func (q *Queue) change(ctx context.Context, app core.App, id string, f func(n int64) (*rivertype.JobRow, error)) (Info, error) {
	if _, err := q.opened(ctx); err != nil {
		return Info{}, err
	}
	n, err := parseID(id)
	if err != nil {
		return Info{}, err
	}
	row, err := f(n)
	if errors.Is(err, rivertype.ErrNotFound) {
		waiting, found, outbox := jobstore.ByID(ctx, app, n)
		switch {
		case outbox != nil:
			return Info{}, outbox
		case found && inTransaction(app):
			return Info{}, fmt.Errorf("job %s: %w: its transaction has not ended", id, ErrState)
		case found && waiting.Hold != "":
			return Info{}, fmt.Errorf("job %s: %w: the record that it depends on is not saved yet", id, ErrState)
		case found:
			q.moved(ctx)
		}
		row, err = f(n)
	}
	switch {
	case errors.Is(err, rivertype.ErrNotFound):
		return Info{}, fmt.Errorf("job %s: %w", id, ErrNotFound)
	case err != nil:
		return Info{}, fmt.Errorf("job %s: %w", id, err)
	}
	return q.info(row), nil
}

// RetryDiscarded runs all discarded jobs again, those of one topic if it is not
// empty, and returns how many. One whose unique key is taken stays.
func (q *Queue) RetryDiscarded(ctx context.Context, topic string) (n int, err error) {
	f := Filter{Topic: topic, States: []State{StateDiscarded}, Limit: MaxPage}
	for {
		items, next, err := q.List(ctx, f)
		if err != nil {
			return n, err
		}
		for _, job := range items {
			_, err := q.Retry(ctx, job.ID)
			switch {
			case err == nil:
				n++
			case !errors.Is(err, ErrNotFound) && !errors.Is(err, ErrState):
				return n, err
			}
		}
		if next == "" {
			return n, nil
		}
		f.Cursor = next
	}
}
