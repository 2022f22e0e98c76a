package jobstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"path/filepath"
	"time"

	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	"github.com/riverqueue/river/rivermigrate"
	"github.com/riverqueue/river/rivertype"
	_ "modernc.org/sqlite" // the driver "sqlite"
)

// DB is River's SQLite file: one connection that writes, and some that only read
// and so never wait for it.
type DB struct {
	Write, Read *sql.DB
}

// Open opens the file, makes it if it is missing, and brings River's tables to the
// version of the library. Another process may have it open too.
func Open(ctx context.Context, path string) (_ *DB, err error) {
	const pragmas = "?_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)&_pragma=synchronous(NORMAL)&_pragma=temp_store(MEMORY)&_pragma=journal_size_limit(67108864)&_txlock=immediate"
	name := "file:" + (&url.URL{Path: filepath.ToSlash(path)}).EscapedPath() + pragmas
	db := &DB{}
	defer func() {
		if err != nil {
			err = errors.Join(err, db.Close())
		}
	}()
	if db.Write, err = openDB(name); err != nil {
		return db, err
	}
	db.Write.SetMaxOpenConns(1)
	if err := migrate(ctx, db.Write); err != nil {
		return db, err
	}
	if db.Read, err = openDB(name + "&_pragma=query_only(true)"); err != nil {
		return db, err
	}
	db.Read.SetMaxOpenConns(4)
	return db, nil
}

// version of River's tables that this package was written for.
const version = 8

func migrate(ctx context.Context, write *sql.DB) error {
	var have int
	err := write.QueryRowContext(ctx, `SELECT max("version") FROM "river_migration"`).Scan(&have)
	if err == nil && have == version {
		return nil // saves a start some milliseconds
	}
	m, err := rivermigrate.New(riversqlite.New(write), &rivermigrate.Config{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return wrap(err)
	}
	if _, err := m.Migrate(ctx, rivermigrate.DirectionUp, nil); err != nil {
		return fmt.Errorf("jobs: River's tables: %w", err)
	}
	return nil
}

// Close closes the file.
func (db *DB) Close() (err error) {
	for _, pool := range []*sql.DB{db.Read, db.Write} {
		if pool != nil {
			err = errors.Join(err, wrap(pool.Close()))
		}
	}
	return err
}

// LastID is the highest id that a job ever had.
func (db *DB) LastID(ctx context.Context) (id int64, err error) {
	err = db.Read.QueryRowContext(ctx, `SELECT max(coalesce((SELECT max("id") FROM "river_job"), 0), coalesce((SELECT "seq" FROM sqlite_sequence WHERE "name" = 'river_job'), 0))`).Scan(&id)
	return id, wrap(err)
}

// Existing returns those of ids that are jobs.
func (db *DB) Existing(ctx context.Context, ids []int64) (found map[int64]bool, err error) {
	rows, err := db.Read.QueryContext(ctx, `SELECT "id" FROM "river_job" WHERE "id" IN (`+joined(ids)+`)`)
	if err != nil {
		return nil, wrap(err)
	}
	defer func() { err = errors.Join(err, wrap(rows.Close())) }()
	found = map[int64]bool{}
	for rows.Next() {
		var id int64
		if err := rows.Scan(&id); err != nil {
			return nil, wrap(err)
		}
		found[id] = true
	}
	return found, wrap(rows.Err())
}

// ByUnique returns the id of the youngest job with a unique key in one of the
// states of mask; 0 if there is none.
func (db *DB) ByUnique(ctx context.Context, key []byte, mask byte) (id int64, err error) {
	states := ""
	for bit, state := range maskStates {
		if mask&(1<<bit) != 0 {
			states += ",'" + string(state) + "'"
		}
	}
	err = db.Read.QueryRowContext(ctx, `SELECT "id" FROM "river_job" WHERE "unique_key" = ? AND "state" IN (''`+states+`) ORDER BY "id" DESC LIMIT 1`, key).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	return id, wrap(err)
}

// maskStates are the states by their bit in river_job.unique_states.
var maskStates = []rivertype.JobState{
	rivertype.JobStateAvailable, rivertype.JobStateCancelled, rivertype.JobStateCompleted, rivertype.JobStateDiscarded,
	rivertype.JobStatePending, rivertype.JobStateRetryable, rivertype.JobStateRunning, rivertype.JobStateScheduled,
}

// Mask of states as river_job.unique_states has them.
func Mask(states []rivertype.JobState) (mask byte) {
	for _, s := range states {
		for bit, state := range maskStates {
			if s == state {
				mask |= 1 << bit
			}
		}
	}
	return mask
}

// Count is how many jobs of a queue are in a state.
type Count struct {
	Queue string
	State rivertype.JobState
	N     int
}

// Counts of all jobs.
func (db *DB) Counts(ctx context.Context) (counts []Count, err error) {
	rows, err := db.Read.QueryContext(ctx, `SELECT "queue", "state", count(*) FROM "river_job" GROUP BY "state", "queue"`)
	if err != nil {
		return nil, wrap(err)
	}
	defer func() { err = errors.Join(err, wrap(rows.Close())) }()
	for rows.Next() {
		var c Count
		if err := rows.Scan(&c.Queue, &c.State, &c.N); err != nil {
			return nil, wrap(err)
		}
		counts = append(counts, c)
	}
	return counts, wrap(rows.Err())
}

// Rescue ends the attempts of a process that died: its jobs are available again,
// discarded if they have no attempt left, cancelled if that was asked for. Only for
// the start of the one process that works the jobs. It returns how many there were.
func (db *DB) Rescue(ctx context.Context, message string) (n int, err error) {
	// The former leader would keep its office, hence schedules, for some seconds.
	if _, err := db.Write.ExecContext(ctx, `DELETE FROM "river_leader"`); err != nil {
		return 0, wrap(err)
	}
	exec := riversqlite.New(db.Write).GetExecutor()
	for {
		now := time.Now().UTC()
		stuck, err := exec.JobGetStuck(ctx, &riverdriver.JobGetStuckParams{Max: 1000, StuckHorizon: now.Add(time.Hour)})
		if err != nil || len(stuck) == 0 {
			return n, wrap(err)
		}
		p := &riverdriver.JobRescueManyParams{StuckHorizon: now.Add(time.Hour)}
		for _, job := range stuck {
			text, err := json.Marshal(rivertype.AttemptError{At: now, Attempt: job.Attempt, Error: message})
			if err != nil {
				return n, wrap(err)
			}
			state, finished := rivertype.JobStateAvailable, (*time.Time)(nil)
			var metadata struct {
				Cancelled json.RawMessage `json:"cancel_attempted_at"`
			}
			switch _ = json.Unmarshal(job.Metadata, &metadata); { // damaged metadata asks for nothing
			case metadata.Cancelled != nil:
				state, finished = rivertype.JobStateCancelled, &now
			case job.Attempt >= job.MaxAttempts:
				state, finished = rivertype.JobStateDiscarded, &now
			}
			p.ID, p.Error, p.State = append(p.ID, job.ID), append(p.Error, text), append(p.State, string(state))
			p.FinalizedAt, p.ScheduledAt = append(p.FinalizedAt, finished), append(p.ScheduledAt, now)
		}
		if _, err := exec.JobRescueMany(ctx, p); err != nil {
			return n, wrap(err)
		}
		n += len(stuck)
	}
}

// Merge sets fields of a job's metadata, a JSON object.
func (db *DB) Merge(ctx context.Context, id int64, metadata []byte) error {
	_, err := riversqlite.New(db.Write).GetExecutor().JobUpdate(ctx, &riverdriver.JobUpdateParams{ID: id, MetadataDoMerge: true, Metadata: metadata})
	return wrap(err)
}

// Locked calls f while nothing else writes to the file, all of which is then in
// its main part.
func (db *DB) Locked(ctx context.Context, f func() error) (err error) {
	conn, err := db.Write.Conn(ctx)
	if err != nil {
		return wrap(err)
	}
	defer func() { err = errors.Join(err, wrap(conn.Close())) }()
	if _, err := conn.ExecContext(ctx, `PRAGMA wal_checkpoint(TRUNCATE)`); err != nil {
		return wrap(err)
	}
	if _, err := conn.ExecContext(ctx, `BEGIN IMMEDIATE`); err != nil {
		return wrap(err)
	}
	defer func() {
		_, rollback := conn.ExecContext(context.WithoutCancel(ctx), `ROLLBACK`)
		err = errors.Join(err, wrap(rollback))
	}()
	return f()
}
