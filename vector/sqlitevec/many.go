package sqlitevec

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/agentrt/agentrt/vector"
	"github.com/pocketbase/dbx"
)

// GetMany returns the vectors of records that have one.
func (s *Store) GetMany(ctx context.Context, tx dbx.Builder, name string, ids []string) (map[string][]float32, error) {
	r := s.reader(tx)
	m, err := s.meta(ctx, r, name)
	if err != nil {
		return nil, err
	}
	rows, err := r.NewQuery("SELECT id, v FROM " + m.vectors() + " WHERE id IN (SELECT value FROM json_each({:vector_ids}))").
		WithContext(ctx).Bind(dbx.Params{"vector_ids": jsonStrings(ids)}).Rows()
	if err != nil {
		return nil, fmt.Errorf("vector: reading from %q: %w", name, err)
	}
	defer rows.Close()
	found := make(map[string][]float32, len(ids))
	for rows.Next() {
		var id string
		var v sql.RawBytes
		if err := rows.Scan(&id, &v); err != nil {
			return nil, fmt.Errorf("vector: reading from %q: %w", name, err)
		}
		found[id] = vector.Decode(make([]float32, 0, m.Dim), v)
	}
	return found, errors.Join(rows.Err(), rows.Close())
}

// Indexed reports whether a space has an index.
func (s *Store) Indexed(ctx context.Context, name string) (bool, error) {
	m, err := s.meta(ctx, s.reader(nil), name)
	return err == nil && m.live != 0, err
}
