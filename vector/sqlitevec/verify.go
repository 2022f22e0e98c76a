package sqlitevec

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"github.com/agentrt/agentrt/vector"
	"github.com/pocketbase/dbx"
)

// Verify is vector.Store's. It compares the vectors with the stored index in one state
// of the database.
func (s *Store) Verify(ctx context.Context, name string, progress func(done, total int)) (v vector.Verification, err error) {
	err = s.snapshot(ctx, func(tx *dbx.Tx) error {
		v, err = s.verify(ctx, tx, name, progress)
		return err
	})
	if err != nil {
		return v, fmt.Errorf("vector: verifying %q: %w", name, err)
	}
	return v, nil
}

// snapshot runs f in a transaction that only reads.
func (s *Store) snapshot(ctx context.Context, f func(*dbx.Tx) error) error {
	db, ok := s.db.ConcurrentDB().(*dbx.DB)
	if !ok {
		return &vector.InputError{Kind: vector.ErrTx, Field: "database", Want: "a *dbx.DB", Got: "a transaction"}
	}
	return db.TransactionalContext(ctx, nil, f)
}

func (s *Store) verify(ctx context.Context, tx *dbx.Tx, name string, progress func(done, total int)) (v vector.Verification, err error) {
	m, err := s.meta(ctx, tx, name)
	if err != nil {
		return v, err
	}
	if err := tx.NewQuery("SELECT count(*) FROM " + m.vectors()).WithContext(ctx).Row(&v.Vectors); err != nil || m.live == 0 {
		return v, err
	}
	v.Indexed = true
	e, err := s.encoder(ctx, tx, m, m.live)
	if err != nil {
		return v, err
	}
	stored := &index{generation: m.live, encoder: e}
	_, log, err := m.changes(ctx, tx, m.live, -1, stored.setChunk)
	if err != nil {
		return v, err
	}
	stored.apply(log)
	entries := 0
	for _, c := range stored.chunks {
		for _, length := range c.lengths {
			if length >= 0 {
				entries++
			}
		}
	}
	rows, err := tx.NewQuery("SELECT slot, id, v FROM " + m.vectors()).WithContext(ctx).Rows()
	if err != nil {
		return v, err
	}
	defer rows.Close()
	x, code := make([]float32, 0, m.Dim), make([]byte, 0, e.size())
	for done := 1; rows.Next(); done++ {
		var slot uint32
		var id string
		var b sql.RawBytes
		if err := rows.Scan(&slot, &id, &b); err != nil {
			return v, err
		}
		x = vector.Decode(x[:0], b)
		code = e.appendCode(code[:0], x)
		switch found, ok := stored.table.find(id, stored.idOf); {
		case !ok:
			v.Missing++
		case found != slot || !bytes.Equal(stored.appendCode(nil, slot), code):
			v.Wrong++
			entries--
		default:
			entries--
		}
		if progress != nil && done%chunkSize == 0 {
			progress(done, v.Vectors)
		}
	}
	v.Stale = entries
	return v, errors.Join(rows.Err(), rows.Close())
}

// appendCode appends the code of a slot as it is stored.
func (x *index) appendCode(buf []byte, slot uint32) []byte {
	c, at, words := x.chunks[slot/chunkSize], int(slot%chunkSize), x.encoder.words
	for _, word := range c.codes[at*words : (at+1)*words] {
		buf = binary.LittleEndian.AppendUint64(buf, word)
	}
	return binary.LittleEndian.AppendUint32(buf, math.Float32bits(c.lengths[at]))
}
