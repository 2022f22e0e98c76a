package jobs

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/agentrt/agentrt/agentrt/jobs/jobstore"
	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
	"github.com/riverqueue/river/rivertype"
)

// maxDepth is how deep arrays and objects of a payload may be nested.
const maxDepth = 200

// stored are the options of a job in the outbox, and in River's metadata what the
// worker needs of them.
type stored struct {
	Priority    int      `json:"priority"`
	MaxAttempts int      `json:"maxAttempts,omitempty"`
	Backoff     *Backoff `json:"backoff,omitempty"`
	UniqueKey   string   `json:"uniqueKey,omitempty"`
	UniqueMask  byte     `json:"uniqueMask,omitempty"`
}

// Enqueue adds a job and returns its id. In the transaction of app, if it has one,
// the job exists once that commits; else it exists when Enqueue returns. payload is
// anything with JSON (json.RawMessage as it is). Errors are ErrTopic, ErrPayload,
// ErrOption and ErrFull, or those of the database.
func (q *Queue) Enqueue(ctx context.Context, app core.App, topic string, payload any, o EnqueueOptions) (id string, err error) {
	db, err := q.opened(ctx)
	if err != nil {
		return "", err
	}
	row, options, err := check(topic, payload, o)
	if err != nil {
		return "", err
	}
	if err := q.full.enter(ctx, db, topic, q.config.MaxQueued); err != nil {
		return "", err
	}
	insert := func(app core.App) (err error) {
		if row.Unique != "" && o.Hold == "" {
			if id, err = q.standsIn(ctx, app, db, row.Unique, options.UniqueMask); err != nil || id != "" {
				return err
			}
		}
		n, err := jobstore.Insert(ctx, app, row)
		id = strconv.FormatInt(n, 10)
		return err
	}
	transactional := inTransaction(app)
	if row.Unique != "" && !transactional {
		err = app.RunInTransaction(insert) // nobody else enqueues between looking and inserting
	} else {
		err = insert(app)
	}
	if err != nil || o.Hold != "" {
		return id, err
	}
	if transactional {
		app.TxInfo().OnComplete(func(failed error) error {
			if failed == nil {
				q.moved(ctx)
			}
			return nil
		})
	} else {
		q.moved(ctx)
	}
	return id, nil
}

// inTransaction reports whether app writes to data.db in a transaction; one of the
// logs' database does not count.
func inTransaction(app core.App) bool {
	_, ok := app.NonconcurrentDB().(*dbx.Tx)
	return ok
}

// standsIn returns the id of a job with the same unique key, or "". Jobs reach River
// before they leave the outbox, so looking in this order misses none.
func (q *Queue) standsIn(ctx context.Context, app core.App, db *jobstore.DB, key string, mask byte) (string, error) {
	row, found, err := jobstore.ByUnique(ctx, app, key)
	if err != nil {
		return "", err
	}
	id := row.ID
	if !found {
		hash, err := hex.DecodeString(key)
		if err != nil {
			return "", fmt.Errorf("jobs: unique key: %w", err)
		}
		if id, err = db.ByUnique(ctx, hash, mask); err != nil || id == 0 {
			return "", err
		}
	}
	return strconv.FormatInt(id, 10), nil
}

// Release lets the jobs go that were enqueued with Hold, in the transaction of app.
func (q *Queue) Release(ctx context.Context, app core.App, hold string) error {
	if err := jobstore.Release(ctx, app, hold); err != nil {
		return err
	}
	if !inTransaction(app) {
		q.moved(ctx)
		return nil
	}
	app.TxInfo().OnComplete(func(failed error) error {
		if failed == nil {
			q.moved(ctx)
		}
		return nil
	})
	return nil
}

// Drop forgets the jobs that were enqueued with Hold.
func (q *Queue) Drop(ctx context.Context, app core.App, hold string) error {
	return jobstore.Drop(ctx, app, hold)
}

func check(topic string, payload any, o EnqueueOptions) (row jobstore.Row, s stored, err error) {
	if err := CheckTopic(topic); err != nil {
		return row, s, err
	}
	text, err := json.Marshal(payload)
	if err != nil {
		return row, s, fmt.Errorf("%w: %w", ErrPayload, err)
	}
	if len(text) > MaxPayload || depth(text) > maxDepth {
		return row, s, fmt.Errorf("%w: it has %d bytes", ErrPayload, len(text))
	}
	now := time.Now()
	if o.RunAt.IsZero() {
		o.RunAt = now
	}
	s = stored{Priority: o.Priority, MaxAttempts: o.MaxAttempts, Backoff: o.Backoff}
	if s.Priority == 0 {
		s.Priority = DefaultPriority
	}
	switch {
	case o.RunAt.After(now.Add(MaxDelay)):
		err = option("a job may be scheduled at most %v ahead", MaxDelay)
	case s.Priority < 1 || s.Priority > 4:
		err = option("the priority is from 1 to 4, not %d", s.Priority)
	case s.MaxAttempts < 0 || s.MaxAttempts > MaxAttempts:
		err = option("a job has from 1 to %d attempts, not %d", MaxAttempts, s.MaxAttempts)
	case len(o.Unique.Key) > MaxUniqueKey:
		err = option("a unique key has at most %d bytes, not %d", MaxUniqueKey, len(o.Unique.Key))
	case o.Unique.Key == "" && (o.Unique.Period != 0 || o.Unique.States != nil):
		err = option("a period and states of uniqueness need a unique key")
	case o.Unique.Period != 0 && (o.Unique.Period < time.Second || o.Unique.Period > MaxDelay):
		err = option("the period of uniqueness is from 1 s to %v, not %v", MaxDelay, o.Unique.Period)
	default:
		err = o.Backoff.check()
	}
	if err != nil {
		return row, s, err
	}
	row = jobstore.Row{Topic: topic, Payload: string(text), Created: now.UnixMilli(), RunAt: o.RunAt.UnixMilli(), Hold: o.Hold}
	if o.Unique.Key != "" {
		s.UniqueKey = o.Unique.Key
		row.Unique, s.UniqueMask, err = uniqueness(topic, o.Unique, now)
	}
	if err == nil {
		var options []byte
		options, err = json.Marshal(s)
		row.Options = string(options)
	}
	return row, s, err
}

func option(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{ErrOption}, args...)...)
}

// uniqueness is the hash that the outbox and River compare, and the states in which
// another job counts.
func uniqueness(topic string, u Unique, now time.Time) (hash string, mask byte, err error) {
	states := []rivertype.JobState{rivertype.JobStateAvailable, rivertype.JobStatePending, rivertype.JobStateRunning, rivertype.JobStateScheduled}
	switch {
	case len(u.States) > 0:
	case u.Period != 0:
		u.States = []State{StateRetryable, StateCompleted}
	default:
		u.States = []State{StateRetryable}
	}
	for _, s := range u.States {
		if !slices.Contains(States, s) {
			return "", 0, option("the state %q is unknown (known: %v)", s, States)
		}
		states = append(states, rivertype.JobState(s))
	}
	h := sha256.New()
	fmt.Fprintf(h, "%s\x00%s\x00", topic, u.Key)
	if u.Period != 0 {
		fmt.Fprint(h, now.UnixNano()/int64(u.Period))
	}
	return hex.EncodeToString(h.Sum(nil)), jobstore.Mask(states), nil
}

// depth is how deep arrays and objects are nested in valid JSON.
func depth(text []byte) (deepest int) {
	level, quoted := 0, false
	for k := 0; k < len(text); k++ {
		switch c := text[k]; {
		case quoted && c == '\\':
			k++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{' || c == '[':
			level++
			deepest = max(deepest, level)
		case c == '}' || c == ']':
			level--
		}
	}
	return deepest
}

// fullness bounds the jobs of a topic. It counts up with each job enqueued and looks
// into the database only when that reaches the limit.
type fullness struct {
	mu     sync.Mutex
	topics map[string]int
	at     time.Time
}

// recount is how often the database is asked at most.
const recount = time.Second

func (f *fullness) enter(ctx context.Context, db *jobstore.DB, topic string, limit int) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.topics == nil || f.topics[topic] >= limit && time.Since(f.at) > recount {
		counts, err := db.Counts(ctx)
		if err != nil {
			return err
		}
		f.topics, f.at = map[string]int{}, time.Now()
		for _, c := range counts {
			if !State(c.State).Final() {
				f.topics[topicOf(c.Queue)] += c.N
			}
		}
	}
	if n := f.topics[topic]; n >= limit {
		return fmt.Errorf("topic %q: %w: %d jobs have not ended (limit %d); check that its worker runs and keeps up", topic, ErrFull, n, limit)
	}
	f.topics[topic]++
	return nil
}
