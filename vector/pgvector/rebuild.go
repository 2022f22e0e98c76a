package pgvector

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/pocketbase/dbx"
)

var errBuilding = errors.New("the index is being built already")

// The graph's parameters. Twice pgvector's default of ef_construction costs about half
// as much again to build and gives a graph that finds more.
const links, breadth = 16, 128

// progressEvery is how often a build is asked how far it is.
const progressEvery = 500 * time.Millisecond

// How long a build waits for the lock of another, and how often it asks.
const lockWait, lockPoll = 10 * time.Second, 50 * time.Millisecond

// buildSoon starts building the index of a space, unless that is under way.
func (s *Store) buildSoon(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || s.building[name] != nil {
		return
	}
	s.work.Go(func() {
		err := s.Rebuild(s.ctx, name, nil)
		if err != nil && !errors.Is(err, errBuilding) && !errors.Is(err, context.Canceled) && s.options.OnError != nil {
			s.options.OnError(name, err)
		}
	})
}

// Rebuild is vector.Store's. The server builds a new index beside reads and writes, waits
// for the transactions that are older, and then drops the old one. A space of more than
// 4,000 dimensions has no index, so that nothing is done.
func (s *Store) Rebuild(ctx context.Context, name string, progress func(done, total int)) error {
	ctx, release, err := s.reserve(ctx, name)
	if err != nil {
		return err
	}
	defer release()
	m, err := s.meta(ctx, s.reader(nil), name)
	if err != nil || !m.indexable() {
		return err
	}
	db, err := database(s.db.NonconcurrentDB())
	if err != nil {
		return err
	}
	if err := s.rebuild(ctx, db, m, progress); err != nil {
		return fmt.Errorf("vector: building the index of %q: %w", name, m.gone(err))
	}
	return nil
}

// reserve lets only one build of a space run, which Drop and Close can end.
func (s *Store) reserve(ctx context.Context, name string) (context.Context, func(), error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.building[name] != nil {
		return nil, nil, fmt.Errorf("vector space %q: %w", name, errBuilding)
	}
	ctx, cancel := context.WithCancel(ctx)
	s.building[name] = cancel
	return ctx, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.building, name)
		cancel()
	}, nil
}

// lock keeps other processes from building the index of m. A build that was ended
// holds the lock until the server notices, so it is waited for a little.
func lock(ctx context.Context, c *sql.Conn, m *meta) error {
	for deadline := time.Now().Add(lockWait); ; {
		var free bool
		err := c.QueryRowContext(ctx, fmt.Sprintf("SELECT pg_try_advisory_lock(%d, %d)", lockKey, m.number)).Scan(&free)
		if err != nil || free {
			return err
		}
		if time.Now().After(deadline) {
			return errBuilding
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(lockPoll):
		}
	}
}

func (s *Store) rebuild(ctx context.Context, db *dbx.DB, m *meta, progress func(done, total int)) (err error) {
	// Neither settings nor locks of a session are bound to a transaction.
	c, err := db.DB().Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	if err := lock(ctx, c, m); err != nil {
		return err
	}
	defer func() {
		// A connection that is gone has lost both.
		if after := context.WithoutCancel(ctx); c.PingContext(after) == nil {
			_, undo := c.ExecContext(after, fmt.Sprintf("RESET maintenance_work_mem; SELECT pg_advisory_unlock(%d, %d)", lockKey, m.number))
			err = errors.Join(err, undo)
		}
	}()
	var count int64
	if err := c.QueryRowContext(ctx, "SELECT count(*) FROM "+m.table()).Scan(&count); err != nil {
		return err
	}
	if err := dropIndexes(ctx, c, m, m.index); err != nil { // what an ended build left
		return err
	}
	if _, err := c.ExecContext(ctx, fmt.Sprintf("SET maintenance_work_mem = '%dkB'", s.buildMemory(m, count)>>10)); err != nil {
		return err
	}
	stop := watch(ctx, db, m, count, progress)
	index := fmt.Sprintf("_vector_i%d_%x", m.number, rand.Uint32())
	_, err = c.ExecContext(ctx, fmt.Sprintf("CREATE INDEX CONCURRENTLY %s ON %s USING hnsw ((%s) %s) WITH (m = %d, ef_construction = %d)",
		index, m.table(), m.indexed("v"), m.operators(), links, breadth))
	stop()
	if err != nil {
		return err
	}
	if progress != nil {
		progress(int(count), int(count))
	}
	return dropIndexes(ctx, c, m, index)
}

// buildMemory is what the graph takes in the server, as far as it may.
func (s *Store) buildMemory(m *meta, count int64) int64 {
	number := int64(4)
	if m.half {
		number = 2
	}
	const least = 64 << 20
	return min(max(count*(number*int64(m.Dim)+8*3*links+200)*5/4, least), max(s.options.BuildMemory, least))
}

// dropIndexes drops all HNSW indexes of a space but one.
func dropIndexes(ctx context.Context, c *sql.Conn, m *meta, keep string) error {
	rows, err := c.QueryContext(ctx, "SELECT c.relname FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid WHERE i.indrelid = to_regclass($1) AND "+isGraph+" AND c.relname <> $2", m.table(), keep)
	if err != nil {
		return err
	}
	defer rows.Close()
	var names []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return err
		}
		names = append(names, name)
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return err
	}
	for _, name := range names {
		if _, err := c.ExecContext(ctx, "DROP INDEX CONCURRENTLY IF EXISTS "+name); err != nil {
			return err
		}
	}
	return nil
}

// watch calls progress while an index of a space is being built, until the function that
// it returns is called.
func watch(ctx context.Context, db *dbx.DB, m *meta, count int64, progress func(done, total int)) func() {
	if progress == nil {
		return func() {}
	}
	ctx, cancel := context.WithCancel(ctx)
	var work sync.WaitGroup
	work.Go(func() {
		tick := time.NewTicker(progressEvery)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			var done int64
			err := db.NewQuery("SELECT coalesce(max(tuples_done), 0) FROM pg_stat_progress_create_index WHERE relid = to_regclass({:table})").
				WithContext(ctx).Bind(dbx.Params{"table": m.table()}).Row(&done)
			if err == nil && ctx.Err() == nil {
				progress(int(min(done, count)), int(count))
			}
		}
	})
	return func() {
		cancel()
		work.Wait()
	}
}
