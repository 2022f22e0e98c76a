// Package pgvector is a vector.Store in PostgreSQL 15 or later with pgvector 0.8 or
// later.
//
// Vectors lie in a table of each space. Small spaces, and filters that permit few, are
// searched by comparing every permitted vector. From Options.IndexFrom vectors on a
// space has an HNSW index, which is searched for candidates; as many as the wanted recall
// needs, and with a filter until enough pass. If fewer matches come out than wanted, the
// permitted vectors are compared after all.
//
// All is done within transactions of PostgreSQL, so that vectors commit and roll back
// with whatever else the transaction has. A failed operation leaves the transaction that
// it joined usable: it runs within a savepoint.
package pgvector

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"

	"github.com/agentrt/agentrt/vector"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	pgxvector "github.com/pgvector/pgvector-go/pgx"
	"github.com/pocketbase/dbx"
)

// DefaultIndexFrom is the number of vectors from which on a space gets an index.
const DefaultIndexFrom = 5000

// DefaultBuildMemory is the memory in bytes that the server may take for building an
// index: enough for some 300,000 vectors of 768 dimensions. Larger indexes are built too,
// but slower.
const DefaultBuildMemory = 1 << 30

// Databases gives the connections, as PocketBase's core.App does: for reading and for
// writing. They may be the same, and are asked for again for each operation.
type Databases interface {
	ConcurrentDB() dbx.Builder
	NonconcurrentDB() dbx.Builder
}

// Options of a Store.
type Options struct {
	// IndexFrom is the number of vectors from which on a space gets an index; 0
	// means DefaultIndexFrom.
	IndexFrom int
	// Half makes the index of new spaces of numbers of 16 bits, which halves it. Vectors
	// are kept and compared in 32 bits all the same. Above 2,000 dimensions it is always
	// so, and above 4,000 there is no index, since pgvector has none.
	Half bool
	// BuildMemory is the memory in bytes for building an index; 0 means
	// DefaultBuildMemory.
	BuildMemory int64
	// OnError is told of errors of building an index in the background. Searches
	// stay right without an index, but slow. nil ignores them.
	OnError func(space string, err error)
}

// Store is a vector.Store.
type Store struct {
	db      Databases
	options Options
	close   func() error

	ctx    context.Context
	cancel context.CancelFunc
	work   sync.WaitGroup

	mu       sync.Mutex
	closed   bool
	building map[string]context.CancelFunc
}

var _ vector.Store = (*Store)(nil)

// New returns a store in a database whose driver is pgx, and makes its table if need be.
// Without the extension it makes that too, or gives an *ExtensionError.
func New(ctx context.Context, db Databases, options Options) (*Store, error) {
	if options.IndexFrom <= 0 {
		options.IndexFrom = DefaultIndexFrom
	}
	if options.BuildMemory <= 0 {
		options.BuildMemory = DefaultBuildMemory
	}
	s := &Store{db: db, options: options, building: map[string]context.CancelFunc{}, close: func() error { return nil }}
	s.ctx, s.cancel = context.WithCancel(context.WithoutCancel(ctx))
	if err := s.migrate(ctx); err != nil {
		s.cancel()
		return nil, err
	}
	return s, nil
}

// Open returns a store with connections of its own. dsn is a URL or a list of key=value
// as libpq has them, with pgxpool's parameters, such as pool_max_conns.
func Open(ctx context.Context, dsn string, options Options) (*Store, error) {
	config, err := pgxpool.ParseConfig(dsn)
	if err != nil {
		return nil, fmt.Errorf("vector: %w", err)
	}
	if err := prepare(ctx, config.ConnConfig); err != nil {
		return nil, err
	}
	config.AfterConnect = pgxvector.RegisterTypes
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("vector: %w", err)
	}
	db := dbx.NewFromDB(stdlib.OpenDBFromPool(pool), "pgx")
	end := func() error {
		err := db.Close()
		pool.Close()
		return err
	}
	s, err := New(ctx, own{db}, options)
	if err != nil {
		return nil, errors.Join(err, end())
	}
	s.close = end
	return s, nil
}

// prepare sees to the extension, which has the types that connections register.
func prepare(ctx context.Context, config *pgx.ConnConfig) error {
	c, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return fmt.Errorf("vector: %w", err)
	}
	db := dbx.NewFromDB(stdlib.OpenDB(*config), "pgx")
	err = errors.Join(extension(ctx, db), db.Close())
	return errors.Join(err, c.Close(ctx))
}

type own struct{ db *dbx.DB }

func (o own) ConcurrentDB() dbx.Builder    { return o.db }
func (o own) NonconcurrentDB() dbx.Builder { return o.db }

// DB is the database, for transactions that operations are to join.
func (s *Store) DB() (*dbx.DB, error) { return database(s.db.NonconcurrentDB()) }

func database(b dbx.Builder) (*dbx.DB, error) {
	if db, ok := b.(*dbx.DB); ok {
		return db, nil
	}
	return nil, notTransaction(b)
}

func notTransaction(b dbx.Builder) error {
	return &vector.InputError{Kind: vector.ErrTx, Field: "tx", Want: "nil, a *dbx.Tx or a *dbx.DB", Got: fmt.Sprintf("%T", b)}
}

// Close ends the building of indexes and waits for its end. The connections of Open are
// closed too. A second call does nothing.
func (s *Store) Close() error {
	s.mu.Lock()
	closed := s.closed
	s.closed = true
	s.mu.Unlock()
	if closed {
		return nil
	}
	s.cancel()
	s.work.Wait()
	return s.close()
}

// reader is where to read: in tx, or the last committed state.
func (s *Store) reader(tx dbx.Builder) dbx.Builder {
	if tx == nil {
		return s.db.ConcurrentDB()
	}
	return tx
}

// maxTries bounds how often a transaction of our own is tried that lost against another.
const maxTries = 5

// write runs f in tx, or in a transaction of its own if tx is nil or a database.
func (s *Store) write(ctx context.Context, tx dbx.Builder, f func(context.Context, *dbx.Tx) error) error {
	if tx == nil {
		tx = s.db.NonconcurrentDB()
	}
	if joined, ok := tx.(*dbx.Tx); ok {
		return savepoint(ctx, joined, true, f)
	}
	db, err := database(tx)
	if err != nil {
		return err
	}
	for try := 1; ; try++ {
		err := db.TransactionalContext(ctx, nil, func(tx *dbx.Tx) error { return f(ctx, tx) })
		if try == maxTries || !lost(err) {
			return err
		}
	}
}

// lost reports whether a transaction was ended for the sake of another.
func lost(err error) bool {
	const serializationFailure, deadlock = "40001", "40P01"
	var e *pgconn.PgError
	return errors.As(err, &e) && (e.Code == serializationFailure || e.Code == deadlock)
}

// read runs f in tx, or in a transaction that only reads. What f sets is undone.
func (s *Store) read(ctx context.Context, tx dbx.Builder, f func(context.Context, *dbx.Tx) error) error {
	if tx == nil {
		tx = s.db.ConcurrentDB()
	}
	if joined, ok := tx.(*dbx.Tx); ok {
		return savepoint(ctx, joined, false, f)
	}
	db, err := database(tx)
	if err != nil {
		return err
	}
	return db.TransactionalContext(ctx, &sql.TxOptions{ReadOnly: true}, func(tx *dbx.Tx) error { return f(ctx, tx) })
}

// savepoint runs f so that its failure leaves tx usable; without keep nothing of what f
// does stays.
func savepoint(ctx context.Context, tx *dbx.Tx, keep bool, f func(context.Context, *dbx.Tx) error) error {
	if err := exec(ctx, tx, "SAVEPOINT _vector", nil); err != nil {
		return err
	}
	err := f(ctx, tx)
	if err != nil || !keep {
		// The connection may be in the middle of a statement that ctx has ended.
		err = errors.Join(err, exec(context.WithoutCancel(ctx), tx, "ROLLBACK TO SAVEPOINT _vector; RELEASE SAVEPOINT _vector", nil))
		return err
	}
	return exec(ctx, tx, "RELEASE SAVEPOINT _vector", nil)
}

func exec(ctx context.Context, b dbx.Builder, query string, params dbx.Params) error {
	if _, err := b.NewQuery(query).WithContext(ctx).Bind(params).Execute(); err != nil {
		return fmt.Errorf("vector: %w", err)
	}
	return nil
}
