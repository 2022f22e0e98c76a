package jobs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Limits of jobs. A Queue's Config may set those that depend on the machine.
const (
	// MaxTopic is the longest topic in characters; capital letters and signs count
	// twice, since River's names have neither.
	MaxTopic = 60
	// MaxPayload is the largest payload in bytes of its JSON.
	MaxPayload = 256 << 10
	// MaxProgress is the largest JSON of a progress report's data and of a result,
	// in bytes.
	MaxProgress = 16 << 10
	// MaxUniqueKey is the longest unique key in bytes.
	MaxUniqueKey = 512
	// MaxAttempts is the most attempts that a job may have.
	MaxAttempts = 100
	// MaxDelay is how far in the future a job may be scheduled, and the longest
	// backoff.
	MaxDelay = 366 * 24 * time.Hour
	// MaxTimeout is the longest time that an attempt may take.
	MaxTimeout = 24 * time.Hour
	// MaxConcurrency is the most jobs of a topic at a time.
	MaxConcurrency = 1000
	// MaxPage is the most jobs of one List.
	MaxPage = 500
	// maxErrorText is how much of an error is kept, in bytes.
	maxErrorText = 8 << 10
)

// Defaults of options.
const (
	DefaultAttempts    = 10
	DefaultPriority    = 2
	DefaultConcurrency = 10
	DefaultTimeout     = 10 * time.Minute
)

// ReservedPrefix is that of topics for workers written in Go.
const ReservedPrefix = "agentrt."

var (
	// ErrTopic reports a topic that is malformed.
	ErrTopic = errors.New("a topic has 1 to 60 letters, digits and \"_-./\", capitals and signs counting twice, and starts with a letter or digit")
	// ErrPayload reports a payload that is no JSON or too large.
	ErrPayload = errors.New("the payload must be JSON of at most 262,144 bytes and 200 levels")
	// ErrOption reports an option out of its range; the text says which.
	ErrOption = errors.New("wrong option")
	// ErrFull reports that the topic has as many unfinished jobs as it may have.
	ErrFull = errors.New("the queue is full")
	// ErrNotFound reports that there is no such job, or no longer.
	ErrNotFound = errors.New("there is no such job")
	// ErrState reports that the job's state does not allow the operation.
	ErrState = errors.New("not possible in the job's state")
	// ErrTopicTaken reports a second handler for a topic.
	ErrTopicTaken = errors.New("the topic has a handler already")
	// ErrClosed reports a queue that was stopped or not yet opened.
	ErrClosed = errors.New("the job queue is not open")
)

// CheckTopic returns ErrTopic for what cannot be a topic.
func CheckTopic(topic string) error {
	if _, ok := queueName(topic); !ok {
		return fmt.Errorf("topic %q: %w", shorten(topic, 2*MaxTopic), ErrTopic)
	}
	return nil
}

// Reserved reports whether topic is one for workers written in Go.
func Reserved(topic string) bool { return strings.HasPrefix(topic, ReservedPrefix) }

// State of a job.
type State string

// States. A job begins as StateAvailable or StateScheduled.
const (
	// StateScheduled waits for its time.
	StateScheduled State = "scheduled"
	// StateAvailable waits for a worker.
	StateAvailable State = "available"
	// StateRunning is being worked on.
	StateRunning State = "running"
	// StateRetryable failed and waits for its next attempt.
	StateRetryable State = "retryable"
	// StateCompleted ended without an error.
	StateCompleted State = "completed"
	// StateCancelled was cancelled.
	StateCancelled State = "cancelled"
	// StateDiscarded failed in its last attempt: the dead letter.
	StateDiscarded State = "discarded"
)

// States are all states.
var States = []State{StateScheduled, StateAvailable, StateRunning, StateRetryable, StateCompleted, StateCancelled, StateDiscarded}

// Final reports whether a job in the state will not run any more by itself.
func (s State) Final() bool {
	return s == StateCompleted || s == StateCancelled || s == StateDiscarded
}

// Job is what a handler gets.
type Job struct {
	ID, Topic            string
	Payload              json.RawMessage
	Attempt, MaxAttempts int // Attempt counts from 1
	CreatedAt            time.Time

	run *run
}

// Progress reports how far the job is, which Get shows: n is a number of the
// handler's own scale, data further JSON of at most MaxProgress bytes or nil. The
// last report is kept with the job; it reaches the database once a second and at
// the end of the attempt.
func (j Job) Progress(n float64, data json.RawMessage) error {
	if len(data) > MaxProgress || len(data) > 0 && !json.Valid(data) {
		return fmt.Errorf("%w: the data of a progress report must have JSON of at most %d bytes", ErrOption, MaxProgress)
	}
	j.run.report(Progress{N: n, Data: data, At: time.Now().UTC()})
	return nil
}

// SetResult keeps JSON of at most MaxProgress bytes with the job if this attempt
// succeeds.
func (j Job) SetResult(result json.RawMessage) error {
	if len(result) > MaxProgress || !json.Valid(result) {
		return fmt.Errorf("%w: the result must have JSON of at most %d bytes", ErrOption, MaxProgress)
	}
	j.run.setResult(result)
	return nil
}

// Progress of a job.
type Progress struct {
	N    float64         `json:"n"`
	Data json.RawMessage `json:"data,omitempty"`
	At   time.Time       `json:"at"`
}

// Failure is an attempt that failed.
type Failure struct {
	Attempt int       `json:"attempt"`
	At      time.Time `json:"at"`
	Error   string    `json:"error"`
}

// Info describes a job.
type Info struct {
	ID          string          `json:"id"`
	Topic       string          `json:"topic"`
	State       State           `json:"state"`
	Payload     json.RawMessage `json:"payload"`
	Priority    int             `json:"priority"`
	Attempt     int             `json:"attempt"`
	MaxAttempts int             `json:"maxAttempts"`
	CreatedAt   time.Time       `json:"createdAt"`
	// RunAt is when it may run (again), or was to run.
	RunAt       time.Time       `json:"runAt"`
	AttemptedAt *time.Time      `json:"attemptedAt"`
	FinishedAt  *time.Time      `json:"finishedAt"`
	UniqueKey   string          `json:"uniqueKey,omitempty"`
	Progress    *Progress       `json:"progress"`
	Result      json.RawMessage `json:"result,omitempty"`
	Errors      []Failure       `json:"errors"`
	// Worker reports whether this process has a worker for the topic. Jobs without
	// one wait.
	Worker bool `json:"worker"`
}

// EnqueueOptions of a job; zero fields have the defaults named.
type EnqueueOptions struct {
	// RunAt is the earliest time; now by default.
	RunAt time.Time
	// Priority is 1 (first) to 4 (last) among the jobs of the topic that could run;
	// DefaultPriority by default.
	Priority int
	// MaxAttempts is 1 to MaxAttempts; that of the topic's worker by default, or
	// DefaultAttempts.
	MaxAttempts int
	// Backoff between attempts; that of the worker by default.
	Backoff *Backoff
	// Unique, if its key is not empty, makes Enqueue return the id of a job of the
	// topic that has the same key, if there is one, instead of making another.
	Unique Unique
	// Hold keeps the job back until Release is called with the same text; Drop, and
	// the end of the process, forget it. Not for transactions, which do the same.
	Hold string
}

// Unique says which other job stands in for one.
type Unique struct {
	// Key has at most MaxUniqueKey bytes.
	Key string
	// Period, if not zero, looks only at jobs of the same interval of this length,
	// counted from 1970 in UTC. At least a second.
	Period time.Duration
	// States of the other job; all but cancelled and discarded ones if Period is
	// set, else those in which a job has not ended. The states scheduled,
	// available and running always count.
	States []State
}

// Backoff is the time between attempts: Delay, doubled with each failure up to
// Max, and a tenth more or less at random.
type Backoff struct {
	// Delay after the first failure, 5 s by default.
	Delay time.Duration
	// Max of the delay, an hour by default.
	Max time.Duration
	// Fixed keeps Delay after each failure.
	Fixed bool
}

// HandlerOptions of a topic's worker; zero fields have the defaults named.
type HandlerOptions struct {
	// Concurrency is how many jobs of the topic run at a time, DefaultConcurrency
	// by default, at most MaxConcurrency.
	Concurrency int
	// Timeout of an attempt: its context ends then. DefaultTimeout by default, at
	// most MaxTimeout.
	Timeout time.Duration
	// MaxAttempts and Backoff of jobs that were enqueued without.
	MaxAttempts int
	Backoff     *Backoff
}

// Handler works on a job. Its ctx ends when the job is cancelled, takes longer
// than its timeout, or the queue stops; context.Cause(ctx) is then ErrCancelled,
// ErrTimeout or ErrStopping, and it should return soon. A job may run more than
// once: the process may die after the work and before that is recorded.
type Handler func(ctx context.Context, job Job) error

// Causes that end a handler's context.
var (
	ErrCancelled = errors.New("the job was cancelled")
	ErrTimeout   = errors.New("the job took longer than its timeout")
	ErrStopping  = errors.New("the server shuts down")
)

func shorten(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	return strings.ToValidUTF8(text[:limit], "") + "…"
}
