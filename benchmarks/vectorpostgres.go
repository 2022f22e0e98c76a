package benchmarks

import (
	"context"
	"errors"
	"fmt"

	"github.com/agentrt/agentrt/internal/pgtest"
	"github.com/agentrt/agentrt/vector"
	"github.com/agentrt/agentrt/vector/pgvector"
	"github.com/pocketbase/dbx"
)

// dsnEnv names the database of the backend postgres.
const dsnEnv = "AGENTRT_POSTGRES_DSN"

// postgresVectors is a database in PostgreSQL; server is nil if it is somebody else's.
type postgresVectors struct {
	dsn     string
	server  *pgtest.Cluster
	vectors *pgvector.Store
}

func newPostgresVectors(ctx context.Context, dsn string) (*postgresVectors, error) {
	if dsn != "" {
		return &postgresVectors{dsn: dsn}, nil
	}
	server, err := pgtest.Start(ctx, "shared_buffers=2GB", "max_wal_size=8GB", "fsync=on", "full_page_writes=on")
	if err != nil {
		return nil, fmt.Errorf("%w (--dsn or %s name a database)", err, dsnEnv)
	}
	return &postgresVectors{dsn: server.DSN("postgres"), server: server}, nil
}

func (p *postgresVectors) store() vector.Store { return p.vectors }

func (p *postgresVectors) open(ctx context.Context) (err error) {
	p.vectors, err = pgvector.Open(ctx, p.dsn, pgvector.Options{IndexFrom: noIndex, BuildMemory: 4 << 30})
	return err
}

// load looks at the space, as nothing of it is in memory.
func (p *postgresVectors) load(ctx context.Context) error {
	_, err := p.vectors.Get(ctx, nil, vectorSpace, vectorID(0))
	return err
}

func (p *postgresVectors) close() error { return p.vectors.Close() }

func (p *postgresVectors) remove() error {
	if p.server == nil {
		return nil
	}
	return p.server.Stop()
}

func (p *postgresVectors) transaction(f func(tx dbx.Builder) error) error {
	db, err := p.vectors.DB()
	if err != nil {
		return err
	}
	return db.Transactional(func(tx *dbx.Tx) error { return f(tx) })
}

func (p *postgresVectors) docs(ctx context.Context) error {
	return p.transaction(func(tx dbx.Builder) error {
		for _, text := range []string{"CREATE TABLE docs (id text PRIMARY KEY, team integer NOT NULL)", "CREATE INDEX idx_docs_team ON docs (team)"} {
			if _, err := tx.NewQuery(text).WithContext(ctx).Execute(); err != nil {
				return fmt.Errorf("the database must be one without a table docs: %w", err)
			}
		}
		return nil
	})
}

func (p *postgresVectors) settle(ctx context.Context) error {
	db, err := p.vectors.DB()
	if err != nil {
		return err
	}
	_, err = db.NewQuery("VACUUM ANALYZE docs").WithContext(ctx).Execute()
	return err
}

func (p *postgresVectors) evict(ctx context.Context) error {
	if p.server == nil {
		return nil
	}
	return p.server.Pause(ctx, evict)
}

func (p *postgresVectors) oneCore(ctx context.Context, f func() error) (err error) {
	if p.server == nil {
		return errors.ErrUnsupported
	}
	undo, err := pin(p.server.Pid())
	if err != nil {
		return err
	}
	again := func() error { return errors.Join(p.close(), p.open(ctx)) } // for other backends
	defer func() { err = errors.Join(err, undo(), again()) }()
	if err := again(); err != nil {
		return err
	}
	return f()
}

func (p *postgresVectors) size(ctx context.Context) (size float64, err error) {
	db, err := p.vectors.DB()
	if err != nil {
		return 0, err
	}
	return size, db.NewQuery("SELECT pg_database_size(current_database())").WithContext(ctx).Row(&size)
}

func (p *postgresVectors) extra(figures map[string]float64) error {
	db, err := p.vectors.DB()
	if err != nil {
		return err
	}
	var index float64
	if err := db.NewQuery(`SELECT coalesce(sum(pg_relation_size(indexrelid)), 0) FROM pg_stat_user_indexes WHERE indexrelname LIKE '\_vector\_i%'`).Row(&index); err != nil {
		return err
	}
	figures["index_mb"] = index / 1e6
	return nil
}
