package sqlitevec

import (
	"context"
	"database/sql"
	"errors"
	"runtime"
	"slices"
	"sync"

	"github.com/pocketbase/dbx"
)

// maxLoaders bounds the connections that read an index into memory.
const maxLoaders = 4

// load reads a whole generation, its chunks on several connections. These see later
// states than the log does, each its own: all that came after the log's state is
// read once more by changes, since a chunk's number is at least that of what it
// absorbed.
func (x *index) load(ctx context.Context, r dbx.Builder, m *meta) error {
	state, chunks, log, err := m.logged(ctx, r, x.generation)
	if err != nil {
		return err
	}
	loaders := min(int64(runtime.GOMAXPROCS(0)), maxLoaders, chunks/16+1)
	errs := make([]error, loaders)
	var wg sync.WaitGroup
	for k := range loaders {
		wg.Go(func() {
			errs[k] = m.eachChunk(ctx, r, x.generation, k*chunks/loaders, (k+1)*chunks/loaders, x.setChunk)
		})
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		return err
	}
	x.apply(log)
	x.applied = state
	return nil
}

// logged returns the number of the last change, how many chunks there are and the
// entries of the log, as one state of the database.
func (m *meta) logged(ctx context.Context, r dbx.Builder, generation int64) (state, chunks int64, log []change, err error) {
	rows, err := r.NewQuery("SELECT 0, (SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = {:log}), " +
		"(SELECT coalesce(max(n) + 1, 0) FROM " + m.chunks() + " WHERE generation = {:g}), NULL, NULL " +
		"UNION ALL SELECT 1, slot, seq, id, code FROM " + m.log() + " WHERE generation = {:g}").
		WithContext(ctx).Bind(dbx.Params{"log": m.log(), "g": generation}).Rows()
	if err != nil {
		return 0, 0, nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var kind int
		var slot, seq int64
		var id, code sql.RawBytes
		if err := rows.Scan(&kind, &slot, &seq, &id, &code); err != nil {
			return 0, 0, nil, err
		}
		if kind == 0 {
			state, chunks = slot, seq
		} else {
			log = append(log, change{seq: seq, slot: slot, id: string(id), code: slices.Clone(code)})
		}
	}
	slices.SortFunc(log, bySeq)
	return state, chunks, log, errors.Join(rows.Err(), rows.Close())
}

// eachChunk calls f for the chunks from one number up to but not including another.
func (m *meta) eachChunk(ctx context.Context, r dbx.Builder, generation, from, to int64, f func(n, seq int64, ids, codes []byte) error) error {
	rows, err := r.NewQuery("SELECT n, seq, ids, codes FROM " + m.chunks() + " WHERE generation = {:g} AND n >= {:from} AND n < {:to}").
		WithContext(ctx).Bind(dbx.Params{"g": generation, "from": from, "to": to}).Rows()
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var n, seq int64
		var ids, codes sql.RawBytes
		if err := rows.Scan(&n, &seq, &ids, &codes); err != nil {
			return err
		}
		if err := f(n, seq, ids, codes); err != nil {
			return err
		}
	}
	return errors.Join(rows.Err(), rows.Close())
}
