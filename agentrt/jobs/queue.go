package jobs

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/agentrt/agentrt/agentrt/jobs/jobstore"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"
	"github.com/riverqueue/river"
)

// File is the name of River's SQLite file in PocketBase's data folder.
const File = "jobs.db"

// Config of a queue; zero fields have the defaults named.
type Config struct {
	// MaxQueued bounds the unfinished jobs of a topic, 100,000 by default; enqueuing
	// more is ErrFull.
	MaxQueued int
	// KeepFinished is how long completed and cancelled jobs stay in the list, a day
	// by default and at least a minute.
	KeepFinished time.Duration
	// KeepDiscarded is how long discarded jobs stay, 30 days by default.
	KeepDiscarded time.Duration
	// Logger gets errors of the queue itself; slog's default by default.
	Logger func() *slog.Logger
	// Redact takes secrets out of the errors of handlers before they are kept.
	Redact func(string) string
}

// Queue is the jobs of one app. It may be used from several goroutines.
type Queue struct {
	app    core.App
	config Config
	full   fullness

	openMu sync.Mutex
	db     atomic.Pointer[jobstore.DB]
	client *river.Client[*sql.Tx] // works
	reads  *river.Client[*sql.Tx] // lists
	unbind func()
	closed bool

	life     context.Context // from Start to Stop
	end      context.CancelFunc
	tasks    sync.WaitGroup
	mover    mover
	handlers handlers
}

// New returns the queue of app; nothing is read or written before it is used.
func New(app core.App, config Config) *Queue {
	if config.MaxQueued == 0 {
		config.MaxQueued = 100_000
	}
	if config.KeepFinished == 0 {
		config.KeepFinished = 24 * time.Hour
	}
	config.KeepFinished = max(config.KeepFinished, time.Minute)
	if config.KeepDiscarded == 0 {
		config.KeepDiscarded = 30 * 24 * time.Hour
	}
	config.KeepDiscarded = max(config.KeepDiscarded, time.Minute)
	if config.Logger == nil {
		config.Logger = slog.Default
	}
	if config.Redact == nil {
		config.Redact = func(text string) string { return text }
	}
	q := &Queue{app: app, config: config}
	q.mover.init()
	q.handlers.init()
	return q
}

// Open makes the tables that are missing and opens the file, so that jobs can be
// enqueued, listed and changed. Jobs run only after Start.
func (q *Queue) Open(ctx context.Context) error {
	q.openMu.Lock()
	defer q.openMu.Unlock()
	switch {
	case q.closed:
		return ErrClosed
	case q.db.Load() != nil:
		return nil
	}
	if err := jobstore.CreateOutbox(ctx, q.app); err != nil {
		return err
	}
	db, err := jobstore.Open(ctx, filepath.Join(q.app.DataDir(), File))
	if err != nil {
		return err
	}
	err = q.makeClients(db)
	if err == nil {
		var last int64
		if last, err = db.LastID(ctx); err == nil {
			err = jobstore.ReserveIDs(ctx, q.app, last)
		}
	}
	if err != nil {
		return errors.Join(err, db.Close())
	}
	// The archive of a backup has one moment of both files.
	id := q.app.OnBackupCreate().Bind(&hook.Handler[*core.BackupEvent]{Func: func(e *core.BackupEvent) error {
		return db.Locked(e.Context, e.Next)
	}})
	q.unbind = func() { q.app.OnBackupCreate().Unbind(id) }
	q.db.Store(db)
	return nil
}

func (q *Queue) makeClients(db *jobstore.DB) (err error) {
	logger := slog.New(errorsOnly{q.config.Logger})
	q.reads, err = river.NewClient(jobstore.NewDriver(db.Read), &river.Config{Logger: logger})
	if err != nil {
		return fmt.Errorf("jobs: %w", err)
	}
	q.client, err = river.NewClient(jobstore.NewDriver(db.Write), q.workConfig(logger))
	if err != nil {
		return fmt.Errorf("jobs: %w", err)
	}
	return nil
}

// opened opens the queue if that has not been done.
func (q *Queue) opened(ctx context.Context) (*jobstore.DB, error) {
	if db := q.db.Load(); db != nil {
		return db, nil
	}
	if err := q.Open(ctx); err != nil {
		return nil, err
	}
	return q.db.Load(), nil
}

// Start begins to run jobs: those that ran when the former process died first of
// all. There must be only one process that does so on the same data.
func (q *Queue) Start(ctx context.Context) error {
	db, err := q.opened(ctx)
	if err != nil {
		return err
	}
	if q.life != nil {
		return errors.New("jobs: the queue was started before")
	}
	if err := jobstore.DropHeld(ctx, q.app); err != nil {
		return err
	}
	n, err := db.Rescue(ctx, "the process ended while the job ran")
	if err != nil {
		return err
	}
	if n > 0 {
		q.config.Logger().Warn("jobs that ran when the former process ended run again", "jobs", n)
	}
	q.life, q.end = context.WithCancel(context.Background())
	q.mover.run(true)
	q.tasks.Go(func() { q.move(q.life) })
	q.tasks.Go(func() { q.reconcile(q.life) })
	return nil
}

// StopWorkers takes no further jobs, ends the contexts of those that run, and waits
// for their handlers as long as ctx allows; the jobs go back to the queue, and the
// attempt does not count. Jobs can still be enqueued. An error means that handlers
// still run; their jobs run again at the next start.
func (q *Queue) StopWorkers(ctx context.Context) error {
	if q.life == nil {
		return nil
	}
	return q.handlers.stop(ctx, q.client)
}

// Stop stops the workers and closes the queue, which cannot be used again.
func (q *Queue) Stop(ctx context.Context) error {
	errs := []error{q.StopWorkers(ctx)}
	if q.life != nil {
		q.end()
		q.tasks.Wait()
	}
	q.openMu.Lock()
	defer q.openMu.Unlock()
	if db := q.db.Load(); db != nil && !q.closed {
		q.unbind()
		errs = append(errs, db.Close())
	}
	q.closed = true
	return errors.Join(errs...)
}

// errorsOnly passes errors on: River warns of what is in order here, such as a
// cancelled job.
type errorsOnly struct{ logger func() *slog.Logger }

func (h errorsOnly) Enabled(_ context.Context, level slog.Level) bool {
	return level >= slog.LevelError
}

func (h errorsOnly) Handle(ctx context.Context, r slog.Record) error {
	return h.logger().Handler().Handle(ctx, r)
}

func (h errorsOnly) WithAttrs([]slog.Attr) slog.Handler { return h }
func (h errorsOnly) WithGroup(string) slog.Handler      { return h }
