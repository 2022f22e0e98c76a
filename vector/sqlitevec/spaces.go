package sqlitevec

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/agentrt/agentrt/vector"
	"github.com/pocketbase/dbx"
)

// meta is a row of _vector_spaces. live and building are generations of codes, 0 if
// there is none.
type meta struct {
	vector.Space
	live, building int64
}

// The tables of a space.
func (m *meta) vectors() string { return "_vector_v_" + m.Name }
func (m *meta) free() string    { return "_vector_f_" + m.Name }
func (m *meta) log() string     { return "_vector_l_" + m.Name }
func (m *meta) chunks() string  { return "_vector_c_" + m.Name }

// migrate makes the tables.
func (s *Store) migrate(ctx context.Context, tx *dbx.Tx) error {
	for _, q := range []string{
		`CREATE TABLE IF NOT EXISTS _vector_spaces (name TEXT PRIMARY KEY NOT NULL, dim INTEGER NOT NULL, metric TEXT NOT NULL,
			live INTEGER NOT NULL DEFAULT 0, building INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID`,
		`CREATE TABLE IF NOT EXISTS _vector_generations (generation INTEGER PRIMARY KEY NOT NULL, space TEXT NOT NULL, centre BLOB NOT NULL)`,
	} {
		if err := exec(ctx, tx, q, nil); err != nil {
			return err
		}
	}
	return nil
}

// abandon ends what a killed process was building.
func (s *Store) abandon(ctx context.Context, tx *dbx.Tx) error {
	s.mu.Lock() // a rebuild reserves the space ahead of its first transaction
	own := slices.AppendSeq([]string{}, maps.Keys(s.building))
	s.mu.Unlock()
	return exec(ctx, tx, "UPDATE _vector_spaces SET building = 0 WHERE building <> 0 AND name NOT IN (SELECT value FROM json_each({:own}))", dbx.Params{"own": jsonStrings(own)})
}

// Create is vector.Store's.
func (s *Store) Create(ctx context.Context, tx dbx.Builder, space vector.Space) error {
	if err := space.Check(); err != nil {
		return err
	}
	return s.transaction(ctx, tx, func(ctx context.Context, tx *dbx.Tx) error {
		m, err := s.meta(ctx, tx, space.Name)
		if err == nil {
			if m.Space != space {
				return &vector.InputError{Kind: vector.ErrSpace, Space: space.Name, Field: "space",
					Want: fmt.Sprintf("%d dimensions and %s, as it has, or another name", m.Dim, m.Metric), Got: fmt.Sprintf("%d dimensions and %s", space.Dim, space.Metric)}
			}
			return nil
		}
		if !errors.Is(err, vector.ErrNoSpace) {
			return err
		}
		m = &meta{Space: space}
		if err := exec(ctx, tx, `INSERT INTO _vector_spaces (name, dim, metric) VALUES ({:name}, {:dim}, {:metric})`,
			dbx.Params{"name": space.Name, "dim": space.Dim, "metric": string(space.Metric)}); err != nil {
			return err
		}
		for _, q := range []string{
			"CREATE TABLE " + m.vectors() + " (slot INTEGER PRIMARY KEY, id TEXT UNIQUE NOT NULL, v BLOB NOT NULL)",
			"CREATE TABLE " + m.free() + " (slot INTEGER PRIMARY KEY)",
			"CREATE TABLE " + m.log() + " (seq INTEGER PRIMARY KEY AUTOINCREMENT, generation INTEGER NOT NULL, slot INTEGER NOT NULL, id TEXT NOT NULL, code BLOB)",
			"CREATE TABLE " + m.chunks() + " (generation INTEGER NOT NULL, n INTEGER NOT NULL, seq INTEGER NOT NULL, ids BLOB NOT NULL, codes BLOB NOT NULL)",
			"CREATE UNIQUE INDEX " + m.chunks() + "_n ON " + m.chunks() + " (generation, n)",
			"CREATE INDEX " + m.chunks() + "_seq ON " + m.chunks() + " (generation, seq)",
		} {
			if err := exec(ctx, tx, q, nil); err != nil {
				return err
			}
		}
		return nil
	})
}

// Drop is vector.Store's.
func (s *Store) Drop(ctx context.Context, tx dbx.Builder, name string) error {
	return s.transaction(ctx, tx, func(ctx context.Context, tx *dbx.Tx) error {
		m, err := s.meta(ctx, tx, name)
		if errors.Is(err, vector.ErrNoSpace) {
			return nil
		}
		if err != nil {
			return err
		}
		for _, table := range []string{m.vectors(), m.free(), m.log(), m.chunks()} {
			if err := exec(ctx, tx, "DROP TABLE "+table, nil); err != nil {
				return err
			}
		}
		for _, q := range []string{"DELETE FROM _vector_generations WHERE space = {:name}", "DELETE FROM _vector_spaces WHERE name = {:name}"} {
			if err := exec(ctx, tx, q, dbx.Params{"name": name}); err != nil {
				return err
			}
		}
		return nil
	})
}

// Get is vector.Store's.
func (s *Store) Get(ctx context.Context, tx dbx.Builder, name, id string) ([]float32, error) {
	r := s.reader(tx)
	m, err := s.meta(ctx, r, name)
	if err != nil {
		return nil, err
	}
	var v []byte
	err = r.NewQuery("SELECT v FROM " + m.vectors() + " WHERE id = {:id}").WithContext(ctx).Bind(dbx.Params{"id": id}).Row(&v)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("vector: reading %q of %q: %w", id, name, err)
	}
	return vector.Decode(make([]float32, 0, m.Dim), v), nil
}

// Count is vector.Store's.
func (s *Store) Count(ctx context.Context, tx dbx.Builder, name string) (n int, err error) {
	r := s.reader(tx)
	m, err := s.meta(ctx, r, name)
	if err != nil {
		return 0, err
	}
	err = r.NewQuery("SELECT count(*) FROM " + m.vectors()).WithContext(ctx).Row(&n)
	return n, err
}

func (s *Store) meta(ctx context.Context, r dbx.Builder, name string) (*meta, error) {
	m := meta{Space: vector.Space{Name: name}}
	err := r.NewQuery("SELECT dim, metric, live, building FROM _vector_spaces WHERE name = {:name}").WithContext(ctx).
		Bind(dbx.Params{"name": name}).Row(&m.Dim, &m.Metric, &m.live, &m.building)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, &vector.InputError{Kind: vector.ErrNoSpace, Space: name, Field: "name", Want: "a space that Create made", Got: "none of that name"}
	}
	if err != nil {
		return nil, fmt.Errorf("vector: reading space %q: %w", name, err)
	}
	return &m, nil
}

// encoder returns the encoder of a generation of m, in the order of writing.
func (s *Store) encoder(ctx context.Context, r dbx.Builder, m *meta, generation int64) (*encoder, error) {
	s.mu.Lock()
	e := s.encoders[generation]
	s.mu.Unlock()
	if e != nil {
		return e, nil
	}
	var centre []byte
	if err := r.NewQuery("SELECT centre FROM _vector_generations WHERE generation = {:g}").WithContext(ctx).Bind(dbx.Params{"g": generation}).Row(&centre); err != nil {
		return nil, fmt.Errorf("vector: reading the centre of %q: %w", m.Name, err)
	}
	e = newEncoder(m.Space, vector.Decode(nil, centre))
	s.mu.Lock()
	defer s.mu.Unlock()
	s.encoders[generation] = e
	return e, nil
}

func exec(ctx context.Context, tx dbx.Builder, query string, params dbx.Params) error {
	if _, err := tx.NewQuery(query).WithContext(ctx).Bind(params).Execute(); err != nil {
		return fmt.Errorf("vector: %w", err)
	}
	return nil
}
