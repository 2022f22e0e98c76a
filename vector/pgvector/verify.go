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

// Verify is vector.Store's. That the index has what the table has is PostgreSQL's affair:
// an index that is not complete is not used, and counts as none. Verify reads every vector
// and its hash, as Wrong counts those that do not agree.
func (s *Store) Verify(ctx context.Context, name string, progress func(done, total int)) (v vector.Verification, err error) {
	db, err := database(s.db.ConcurrentDB())
	if err != nil {
		return v, err
	}
	// The count and the vectors are of one state of the database.
	err = db.TransactionalContext(ctx, &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true}, func(tx *dbx.Tx) error {
		m, err := s.meta(ctx, tx, name)
		if err != nil {
			return err
		}
		v, err = m.verify(ctx, tx, progress)
		return m.gone(err)
	})
	if err != nil {
		return v, fmt.Errorf("vector: verifying %q: %w", name, err)
	}
	return v, nil
}

// verifyEvery is the number of vectors between calls of progress.
const verifyEvery = 1024

func (m *meta) verify(ctx context.Context, tx *dbx.Tx, progress func(done, total int)) (v vector.Verification, err error) {
	if err := tx.NewQuery("SELECT count(*) FROM " + m.table()).WithContext(ctx).Row(&v.Vectors); err != nil {
		return v, err
	}
	v.Indexed = m.index != ""
	rows, err := tx.NewQuery("SELECT h, vector_send(v) FROM " + m.table()).WithContext(ctx).Rows()
	if err != nil {
		return v, err
	}
	defer rows.Close()
	var stored pgvector.Vector
	for done := 1; rows.Next(); done++ {
		var h int64
		var sent []byte
		if err := rows.Scan(&h, &sent); err != nil {
			return v, err
		}
		if err := stored.DecodeBinary(sent); err != nil {
			return v, err
		}
		if hash(stored.Slice()) != h {
			v.Wrong++
		}
		if progress != nil && done%verifyEvery == 0 {
			progress(done, v.Vectors)
		}
	}
	return v, errors.Join(rows.Err(), rows.Close())
}
