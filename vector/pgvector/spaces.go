package pgvector

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/agentrt/agentrt/vector"
	"github.com/pgvector/pgvector-go"
	"github.com/pocketbase/dbx"
)

// What pgvector's HNSW index takes, in dimensions.
const maxFull, maxHalf = 2000, 4000

// maxInline is the number of dimensions up to which a row, with the longest id, fits into
// a page of 8 KiB. Vectors there are kept in the row, where a scan finds them without
// another look-up.
const maxInline = 1900

// meta is a row of _vector_spaces, and what the server knows of the space's table.
type meta struct {
	vector.Space
	number int64
	half   bool
	// index is the name of the index that is complete, "" if there is none.
	index string
	// rows is the server's estimate of the number of vectors, -1 if it has none.
	rows float64
}

func (m *meta) table() string   { return fmt.Sprintf("_vector_v%d", m.number) }
func (m *meta) indexable() bool { return m.Dim <= maxHalf }

// operator is the metric's distance.
func (m *meta) operator() string {
	switch m.Metric {
	case vector.L2:
		return "<->"
	case vector.Dot:
		return "<#>"
	default:
		return "<=>"
	}
}

// indexed is what the index has of an expression of a vector. Of a direction only, so
// that its numbers are within the range of 16 bits.
func (m *meta) indexed(v string) string {
	switch {
	case !m.half:
		return v
	case m.Metric == vector.Cosine:
		return fmt.Sprintf("l2_normalize(%s)::halfvec(%d)", v, m.Dim)
	default:
		return fmt.Sprintf("%s::halfvec(%d)", v, m.Dim)
	}
}

// operators is the class of operators of the index.
func (m *meta) operators() string {
	class := map[vector.Metric]string{vector.Cosine: "cosine_ops", vector.L2: "l2_ops", vector.Dot: "ip_ops"}[m.Metric]
	if m.half {
		return "halfvec_" + class
	}
	return "vector_" + class
}

// isGraph is the condition that c, of pg_class, is an HNSW index.
const isGraph = "c.relam IN (SELECT oid FROM pg_am WHERE amname = 'hnsw')"

// lockKey is of the advisory locks of this package.
const lockKey = 0x76656374

// migrate makes the table of spaces.
func (s *Store) migrate(ctx context.Context) error {
	return s.write(ctx, nil, func(ctx context.Context, tx *dbx.Tx) error {
		// IF NOT EXISTS fails if two do it at once.
		if err := exec(ctx, tx, fmt.Sprintf("SELECT pg_advisory_xact_lock(%d, 0)", lockKey), nil); err != nil {
			return err
		}
		if err := extension(ctx, tx); err != nil {
			return err
		}
		return exec(ctx, tx, "CREATE TABLE IF NOT EXISTS _vector_spaces (number bigint GENERATED ALWAYS AS IDENTITY, "+
			"name text PRIMARY KEY, dim integer NOT NULL, metric text NOT NULL, half boolean NOT NULL)", nil)
	})
}

// Create is vector.Store's.
func (s *Store) Create(ctx context.Context, tx dbx.Builder, space vector.Space) error {
	if err := space.Check(); err != nil {
		return err
	}
	return s.write(ctx, tx, func(ctx context.Context, tx *dbx.Tx) error {
		m := &meta{Space: space, half: s.options.Half || space.Dim > maxFull}
		// Another that creates the name at once is waited for.
		err := tx.NewQuery("INSERT INTO _vector_spaces (name, dim, metric, half) VALUES ({:name}, {:dim}, {:metric}, {:half}) ON CONFLICT DO NOTHING RETURNING number").
			WithContext(ctx).Bind(dbx.Params{"name": space.Name, "dim": space.Dim, "metric": string(space.Metric), "half": m.half}).Row(&m.number)
		if errors.Is(err, sql.ErrNoRows) {
			there, err := s.meta(ctx, tx, space.Name)
			if err == nil && there.Space != space {
				err = &vector.InputError{Kind: vector.ErrSpace, Space: space.Name, Field: "space",
					Want: fmt.Sprintf("%d dimensions and %s, as it has, or another name", there.Dim, there.Metric), Got: fmt.Sprintf("%d dimensions and %s", space.Dim, space.Metric)}
			}
			return err
		}
		if err != nil {
			return fmt.Errorf("vector: creating %q: %w", space.Name, err)
		}
		storage := "EXTERNAL"
		if m.Dim <= maxInline {
			storage = "PLAIN"
		}
		return exec(ctx, tx, fmt.Sprintf("CREATE TABLE %[1]s (id text PRIMARY KEY, h bigint NOT NULL, v vector(%[2]d) NOT NULL); ALTER TABLE %[1]s ALTER COLUMN v SET STORAGE %[3]s; "+
			`CREATE INDEX %[1]s_h ON %[1]s (h, id COLLATE "C")`, m.table(), m.Dim, storage), nil)
	})
}

// Drop is vector.Store's. The building of the space's index, if under way, is ended.
func (s *Store) Drop(ctx context.Context, tx dbx.Builder, name string) error {
	s.mu.Lock()
	if end := s.building[name]; end != nil {
		end()
	}
	s.mu.Unlock()
	return s.write(ctx, tx, func(ctx context.Context, tx *dbx.Tx) error {
		m, err := s.meta(ctx, tx, name)
		if errors.Is(err, vector.ErrNoSpace) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := exec(ctx, tx, "DROP TABLE "+m.table(), nil); err != nil {
			return err
		}
		return exec(ctx, tx, "DELETE FROM _vector_spaces WHERE name = {:name}", dbx.Params{"name": name})
	})
}

// Get is vector.Store's.
func (s *Store) Get(ctx context.Context, tx dbx.Builder, name, id string) ([]float32, error) {
	r := s.reader(tx)
	m, err := s.meta(ctx, r, name)
	if err != nil || !isText(id) {
		return nil, err
	}
	var v pgvector.Vector
	err = r.NewQuery("SELECT v FROM " + m.table() + " WHERE id = {:id}").WithContext(ctx).Bind(dbx.Params{"id": id}).Row(&v)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("vector: reading %q of %q: %w", id, name, err)
	}
	return v.Slice(), nil
}

// Count is vector.Store's.
func (s *Store) Count(ctx context.Context, tx dbx.Builder, name string) (n int, err error) {
	r := s.reader(tx)
	m, err := s.meta(ctx, r, name)
	if err != nil {
		return 0, err
	}
	err = r.NewQuery("SELECT count(*) FROM " + m.table()).WithContext(ctx).Row(&n)
	return n, err
}

func (s *Store) meta(ctx context.Context, r dbx.Builder, name string) (*meta, error) {
	m := meta{Space: vector.Space{Name: name}}
	err := r.NewQuery("SELECT s.number, s.dim, s.metric, s.half, coalesce(t.reltuples, -1), coalesce((SELECT c.relname FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid "+
		"WHERE i.indrelid = t.oid AND i.indisvalid AND "+isGraph+" ORDER BY c.oid DESC LIMIT 1), '') "+
		"FROM _vector_spaces s LEFT JOIN pg_class t ON t.oid = to_regclass('_vector_v' || s.number) WHERE s.name = {:name}").WithContext(ctx).
		Bind(dbx.Params{"name": name}).Row(&m.number, &m.Dim, &m.Metric, &m.half, &m.rows, &m.index)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, &vector.InputError{Kind: vector.ErrNoSpace, Space: name, Field: "name", Want: "a space that Create made", Got: "none of that name"}
	}
	if err != nil {
		return nil, fmt.Errorf("vector: reading space %q: %w", name, err)
	}
	return &m, nil
}
