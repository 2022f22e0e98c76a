// Package sqlitevec is a vector.Store in a SQLite database, for PocketBase in its
// data.db, so that vectors and records commit, roll back and are backed up together.
//
// Vectors lie in a table. Small spaces are searched by comparing every vector. From
// Options.IndexFrom vectors on, a space has an index: the signs of the rotated,
// centred vectors, one bit a dimension, which are compared in memory to choose
// candidates, whose vectors are then read and compared exactly.
//
// The index is a function of the database. Each write adds the new code to a log in
// its own transaction; full chunks of 1,024 codes take over what the log has. Memory
// follows by reading what is new at the start of each search, so it never has what
// was rolled back, and another process may write too.
package sqlitevec

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/agentrt/agentrt/vector"
	"github.com/pocketbase/dbx"
)

// DefaultIndexFrom is the number of vectors from which on a space gets an index.
const DefaultIndexFrom = 5000

// Databases gives the connections, as PocketBase's core.App does: many for reading,
// one for writing. They are asked for again for each operation, since they change
// when a backup is restored.
type Databases interface {
	ConcurrentDB() dbx.Builder
	NonconcurrentDB() dbx.Builder
}

// Options of a Store.
type Options struct {
	// IndexFrom is the number of vectors from which on a space gets an index; 0
	// means DefaultIndexFrom.
	IndexFrom int
	// OnError is told of errors of building an index in the background. Searches
	// stay right without an index, but slow. nil ignores them.
	OnError func(space string, err error)
}

// Store is a vector.Store.
type Store struct {
	db      Databases
	options Options

	ctx    context.Context
	cancel context.CancelFunc
	work   sync.WaitGroup

	mu       sync.Mutex
	closed   bool
	replicas map[string]*replica
	building map[string]bool
	encoders map[int64]*encoder
}

var _ vector.Store = (*Store)(nil)

// New returns a store and makes its tables if need be. Load reads the indexes.
func New(ctx context.Context, db Databases, options Options) (*Store, error) {
	if options.IndexFrom <= 0 {
		options.IndexFrom = DefaultIndexFrom
	}
	s := &Store{db: db, options: options, replicas: map[string]*replica{}, building: map[string]bool{}, encoders: map[int64]*encoder{}}
	s.ctx, s.cancel = context.WithCancel(context.WithoutCancel(ctx))
	if err := s.transaction(ctx, nil, s.migrate); err != nil {
		s.cancel()
		return nil, err
	}
	return s, nil
}

// Close ends the building of indexes and waits for its end. A second call does nothing.
func (s *Store) Close() error {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.cancel()
	s.work.Wait()
	return nil
}

// Load is for the process that serves: it ends what a killed one was building, and
// reads the indexes of all spaces into memory, which the first search of a space
// would do otherwise. Other processes may use the database without it.
func (s *Store) Load(ctx context.Context) error {
	if err := s.transaction(ctx, nil, s.abandon); err != nil {
		return err
	}
	var names []string
	if err := s.reader(nil).NewQuery("SELECT name FROM _vector_spaces WHERE live <> 0").WithContext(ctx).Column(&names); err != nil {
		return fmt.Errorf("vector: reading the spaces: %w", err)
	}
	for _, name := range names {
		if _, err := s.replica(name).sync(ctx, s, name); err != nil {
			return fmt.Errorf("vector: loading the index of %q: %w", name, err)
		}
	}
	return nil
}

func (s *Store) replica(name string) *replica {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.replicas[name] == nil {
		s.replicas[name] = &replica{}
	}
	return s.replicas[name]
}

// reader is where to read: in tx, or the last committed state.
func (s *Store) reader(tx dbx.Builder) dbx.Builder {
	if tx == nil {
		return s.db.ConcurrentDB()
	}
	return tx
}

// transaction runs f in tx, or in one of its own if tx is nil or a database.
func (s *Store) transaction(ctx context.Context, tx dbx.Builder, f func(context.Context, *dbx.Tx) error) error {
	if tx == nil {
		tx = s.db.NonconcurrentDB()
	}
	switch tx := tx.(type) {
	case *dbx.Tx:
		return f(ctx, tx)
	case *dbx.DB:
		return tx.TransactionalContext(ctx, nil, func(tx *dbx.Tx) error { return f(ctx, tx) })
	}
	return &vector.InputError{Kind: vector.ErrTx, Field: "tx", Want: "nil, a *dbx.Tx or a *dbx.DB, such as NonconcurrentDB of a PocketBase app", Got: fmt.Sprintf("%T", tx)}
}

// buildSoon starts building the index of a space, unless that is under way.
func (s *Store) buildSoon(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || s.building[name] {
		return
	}
	s.work.Go(func() {
		err := s.Rebuild(s.ctx, name, nil)
		if err != nil && !errors.Is(err, ErrBuilding) && s.ctx.Err() == nil && s.options.OnError != nil {
			s.options.OnError(name, err)
		}
	})
}
