package sqlitevec

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/agentrt/agentrt/vector"
	"github.com/pocketbase/dbx"
)

// The log is moved into chunks when it has more than logLimit entries, at most
// flushChunks chunks at a time, which is looked at each flushEvery entries.
const (
	logLimit    = 4096
	flushChunks = 16
	flushEvery  = 256
)

// Put is vector.Store's.
func (s *Store) Put(ctx context.Context, tx dbx.Builder, name string, items ...vector.Item) error {
	return s.write(ctx, tx, name, func(w *writer) error {
		for _, item := range items {
			if err := w.CheckItem(item); err != nil {
				return err
			}
		}
		for _, item := range items {
			if err := w.put(item); err != nil {
				return fmt.Errorf("vector: writing %q of %q: %w", item.ID, name, err)
			}
		}
		return nil
	})
}

// Delete is vector.Store's.
func (s *Store) Delete(ctx context.Context, tx dbx.Builder, name string, ids ...string) error {
	return s.write(ctx, tx, name, func(w *writer) error {
		for _, id := range ids {
			if err := w.delete(id); err != nil {
				return fmt.Errorf("vector: deleting %q of %q: %w", id, name, err)
			}
		}
		return nil
	})
}

// writer writes to a space within a transaction.
type writer struct {
	*meta
	ctx  context.Context
	tx   *dbx.Tx
	free bool

	// encoders of the generations that are live or being built.
	encoders map[int64]*encoder
	prepared map[string]*dbx.Query

	logged, seq int64
}

func (s *Store) write(ctx context.Context, tx dbx.Builder, name string, f func(*writer) error) error {
	return s.transaction(ctx, tx, func(ctx context.Context, tx *dbx.Tx) (err error) {
		w, err := s.writer(ctx, tx, name)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, w.close()) }()
		if err := f(w); err != nil {
			return err
		}
		return w.flushIfDue()
	})
}

func (s *Store) writer(ctx context.Context, tx *dbx.Tx, name string) (*writer, error) {
	m, err := s.meta(ctx, tx, name)
	if err != nil {
		return nil, err
	}
	w := &writer{meta: m, ctx: ctx, tx: tx, encoders: map[int64]*encoder{}, prepared: map[string]*dbx.Query{}}
	for _, generation := range []int64{m.live, m.building} {
		if generation == 0 {
			continue
		}
		if w.encoders[generation], err = s.encoder(ctx, tx, m, generation); err != nil {
			return nil, err
		}
	}
	err = tx.NewQuery("SELECT EXISTS (SELECT 1 FROM " + m.free() + ")").WithContext(ctx).Row(&w.free)
	return w, err
}

func (w *writer) close() error {
	var errs []error
	for _, q := range w.prepared {
		errs = append(errs, q.Close())
	}
	return errors.Join(errs...)
}

// query returns a prepared statement.
func (w *writer) query(text string, params dbx.Params) *dbx.Query {
	q := w.prepared[text]
	if q == nil {
		q = w.tx.NewQuery(text).WithContext(w.ctx).Prepare()
		w.prepared[text] = q
	}
	return q.Bind(params)
}

// slot returns the slot of a record, 0 if it has none. (RETURNING and upserts would
// make SQLite keep a journal of each statement, which took most of the time.)
func (w *writer) slot(id string) (at int64, err error) {
	err = w.query("SELECT slot FROM "+w.vectors()+" WHERE id = {:id}", dbx.Params{"id": id}).Row(&at)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	return at, err
}

func (w *writer) put(item vector.Item) error {
	at, err := w.slot(item.ID)
	if err != nil {
		return err
	}
	v := vector.Encode(make([]byte, 0, 4*w.Dim), item.Vector)
	if at != 0 {
		_, err = w.query("UPDATE "+w.vectors()+" SET v = {:v} WHERE slot = {:slot}", dbx.Params{"slot": at, "v": v}).Execute()
	} else {
		at, err = w.insert(item.ID, v)
	}
	if err != nil {
		return err
	}
	for generation, e := range w.encoders {
		if err := w.record(generation, at, item.ID, e.appendCode(make([]byte, 0, e.size()), item.Vector)); err != nil {
			return err
		}
	}
	return nil
}

// insert takes a free slot, or the next.
func (w *writer) insert(id string, v []byte) (int64, error) {
	var slot any
	if w.free {
		var at sql.NullInt64
		if err := w.query("SELECT min(slot) FROM "+w.meta.free(), nil).Row(&at); err != nil {
			return 0, err
		}
		if w.free = at.Valid; w.free {
			slot = at.Int64
			if _, err := w.query("DELETE FROM "+w.meta.free()+" WHERE slot = {:slot}", dbx.Params{"slot": slot}).Execute(); err != nil {
				return 0, err
			}
		}
	}
	result, err := w.query("INSERT INTO "+w.vectors()+" (slot, id, v) VALUES ({:slot}, {:id}, {:v})", dbx.Params{"slot": slot, "id": id, "v": v}).Execute()
	if err != nil {
		return 0, err
	}
	return result.LastInsertId()
}

func (w *writer) delete(id string) error {
	at, err := w.slot(id)
	if err != nil || at == 0 {
		return err
	}
	if _, err := w.query("DELETE FROM "+w.vectors()+" WHERE slot = {:slot}", dbx.Params{"slot": at}).Execute(); err != nil {
		return err
	}
	if _, err := w.query("INSERT INTO "+w.meta.free()+" (slot) VALUES ({:slot})", dbx.Params{"slot": at}).Execute(); err != nil {
		return err
	}
	w.free = true
	for generation := range w.encoders {
		if err := w.record(generation, at, "", nil); err != nil {
			return err
		}
	}
	return nil
}

// record adds to the log. A nil code is an empty slot.
func (w *writer) record(generation, slot int64, id string, code []byte) error {
	var value any
	if code != nil {
		value = code
	}
	result, err := w.query("INSERT INTO "+w.meta.log()+" (generation, slot, id, code) VALUES ({:g}, {:slot}, {:id}, {:code})",
		dbx.Params{"g": generation, "slot": slot, "id": id, "code": value}).Execute()
	if err != nil {
		return err
	}
	w.logged++
	w.seq, err = result.LastInsertId()
	return err
}

// flushIfDue keeps the log short. The fullest chunks go first, as each costs the
// same to write.
func (w *writer) flushIfDue() error {
	if w.logged == 0 || w.seq/flushEvery == (w.seq-w.logged)/flushEvery {
		return nil
	}
	for generation, e := range w.encoders {
		var full []struct{ N, Entries int64 }
		if err := w.tx.NewQuery("SELECT slot / 1024 AS n, count(*) AS entries FROM " + w.meta.log() + " WHERE generation = {:g} GROUP BY 1 ORDER BY 2 DESC").
			WithContext(w.ctx).Bind(dbx.Params{"g": generation}).All(&full); err != nil {
			return fmt.Errorf("vector: reading the log of %q: %w", w.Name, err)
		}
		var total int64
		for _, f := range full {
			total += f.Entries
		}
		if total <= logLimit {
			continue
		}
		for _, f := range full[:min(len(full), flushChunks+int(w.logged/chunkSize))] {
			if err := w.flush(generation, e, f.N); err != nil {
				return fmt.Errorf("vector: writing the index of %q: %w", w.Name, err)
			}
		}
	}
	return nil
}

// flush moves what the log has of a chunk into it.
func (w *writer) flush(generation int64, e *encoder, n int64) error {
	c := newStoredChunk(e)
	key := dbx.Params{"g": generation, "n": n}
	var ids, codes []byte
	err := w.tx.NewQuery("SELECT ids, codes FROM "+w.chunks()+" WHERE generation = {:g} AND n = {:n}").WithContext(w.ctx).Bind(key).Row(&ids, &codes)
	if err == nil {
		err = c.read(ids, codes)
	}
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	rows, err := w.tx.NewQuery("SELECT seq, slot % 1024, id, code FROM " + w.meta.log() + " WHERE generation = {:g} AND slot / 1024 = {:n} ORDER BY seq").WithContext(w.ctx).Bind(key).Rows()
	if err != nil {
		return err
	}
	defer rows.Close()
	var seq int64
	for rows.Next() {
		var at int
		var id string
		var code sql.RawBytes
		if err := rows.Scan(&seq, &at, &id, &code); err != nil {
			return err
		}
		c.set(at, id, code)
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return err
	}
	return w.store(generation, n, seq, c)
}

// store writes a chunk that has all of the log up to seq.
func (w *writer) store(generation, n, seq int64, c *storedChunk) error {
	params := dbx.Params{"g": generation, "n": n, "seq": seq, "ids": c.idBytes(), "codes": c.codes}
	if err := exec(w.ctx, w.tx, "INSERT INTO "+w.chunks()+" (generation, n, seq, ids, codes) VALUES ({:g}, {:n}, {:seq}, {:ids}, {:codes}) "+
		"ON CONFLICT (generation, n) DO UPDATE SET seq = excluded.seq, ids = excluded.ids, codes = excluded.codes", params); err != nil {
		return err
	}
	return exec(w.ctx, w.tx, "DELETE FROM "+w.meta.log()+" WHERE generation = {:g} AND slot / 1024 = {:n} AND seq <= {:seq}", dbx.Params{"g": generation, "n": n, "seq": seq})
}
