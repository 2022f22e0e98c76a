package sqlitevec

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"

	"github.com/agentrt/agentrt/vector"
	"github.com/pocketbase/dbx"
)

// ErrBuilding is Rebuild of a space whose index is being built.
var ErrBuilding = errors.New("the index is being built already")

// centreSample is the number of vectors whose mean is the centre of the codes.
const centreSample = 4096

// Rebuild is vector.Store's. It writes 1,024 codes a transaction, so that other
// writes wait for some milliseconds at most. Until it ends, searches use the index
// as it was.
func (s *Store) Rebuild(ctx context.Context, name string, progress func(done, total int)) (err error) {
	if err := s.reserve(name); err != nil {
		return err
	}
	defer s.release(name)
	g, err := s.beginGeneration(ctx, name)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.endGeneration(context.WithoutCancel(ctx), name, g, false))
		}
	}()
	for n := int64(0); ; n++ {
		last, err := s.buildChunk(ctx, name, g, n)
		if err != nil {
			return err
		}
		if progress != nil {
			progress(int(min((n+1)*chunkSize, last)), int(last))
		}
		if (n+1)*chunkSize > last {
			break
		}
	}
	if err := s.endGeneration(ctx, name, g, true); err != nil {
		return err
	}
	if err := s.sweep(ctx, name); err != nil {
		return err
	}
	_, err = s.replica(name).sync(ctx, s, name)
	return err
}

func (s *Store) reserve(name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.building[name] {
		return fmt.Errorf("vector space %q: %w", name, ErrBuilding)
	}
	s.building[name] = true
	return nil
}

func (s *Store) release(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.building, name)
}

// beginGeneration chooses a centre and lets all writes from now on be logged for a
// new generation.
func (s *Store) beginGeneration(ctx context.Context, name string) (int64, error) {
	r := s.reader(nil)
	m, err := s.meta(ctx, r, name)
	if err != nil {
		return 0, err
	}
	sample, err := sampleVectors(ctx, r, m)
	if err != nil {
		return 0, fmt.Errorf("vector: choosing the centre of %q: %w", name, err)
	}
	centre := vector.Encode(nil, centreOf(m.Space, sample))
	g := rand.Int64()>>1 | 1
	err = s.transaction(ctx, nil, func(ctx context.Context, tx *dbx.Tx) error {
		if err := exec(ctx, tx, "INSERT INTO _vector_generations (generation, space, centre) VALUES ({:g}, {:name}, {:centre})", dbx.Params{"g": g, "name": name, "centre": centre}); err != nil {
			return err
		}
		return exec(ctx, tx, "UPDATE _vector_spaces SET building = {:g} WHERE name = {:name}", dbx.Params{"g": g, "name": name})
	})
	return g, err
}

func sampleVectors(ctx context.Context, r dbx.Builder, m *meta) ([][]byte, error) {
	var last sql.NullInt64
	if err := r.NewQuery("SELECT max(slot) FROM " + m.vectors()).WithContext(ctx).Row(&last); err != nil || last.Int64 == 0 {
		return nil, err
	}
	step := max(1, last.Int64/centreSample)
	var slots []string
	for slot := int64(1); slot <= last.Int64; slot += step {
		slots = append(slots, strconv.FormatInt(slot, 10))
	}
	var sample [][]byte
	err := r.NewQuery("SELECT v FROM " + m.vectors() + " WHERE slot IN (" + strings.Join(slots, ",") + ")").WithContext(ctx).Column(&sample)
	return sample, err
}

// buildChunk codes the vectors of a chunk, and returns the last slot there is.
func (s *Store) buildChunk(ctx context.Context, name string, g, n int64) (last int64, err error) {
	err = s.transaction(ctx, nil, func(ctx context.Context, tx *dbx.Tx) (err error) {
		w, err := s.writer(ctx, tx, name)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, w.close()) }()
		e := w.encoders[g]
		if w.building != g || e == nil {
			return errors.New("the rebuild was ended by another one")
		}
		c := newStoredChunk(e)
		if err := w.codeVectors(e, n, c); err != nil {
			return err
		}
		var seq, max sql.NullInt64
		if err := tx.NewQuery("SELECT (SELECT seq FROM sqlite_sequence WHERE name = {:log}), (SELECT max(slot) FROM "+w.vectors()+")").
			WithContext(ctx).Bind(dbx.Params{"log": w.meta.log()}).Row(&seq, &max); err != nil {
			return err
		}
		last = max.Int64
		return w.store(g, n, seq.Int64, c)
	})
	if err != nil {
		return 0, fmt.Errorf("vector: building the index of %q: %w", name, err)
	}
	return last, nil
}

// codeVectors codes what the slots of a chunk have.
func (w *writer) codeVectors(e *encoder, n int64, c *storedChunk) error {
	rows, err := w.tx.NewQuery("SELECT slot % 1024, id, v FROM " + w.vectors() + " WHERE slot BETWEEN {:from} AND {:to}").
		WithContext(w.ctx).Bind(dbx.Params{"from": n * chunkSize, "to": (n+1)*chunkSize - 1}).Rows()
	if err != nil {
		return err
	}
	defer rows.Close()
	v, code := make([]float32, 0, w.Dim), make([]byte, 0, e.size())
	for rows.Next() {
		var at int
		var id string
		var stored sql.RawBytes
		if err := rows.Scan(&at, &id, &stored); err != nil {
			return err
		}
		if len(stored) != 4*w.Dim {
			return fmt.Errorf("the vector of %q is damaged: %d bytes", id, len(stored))
		}
		v = vector.Decode(v[:0], stored)
		c.set(at, id, e.appendCode(code[:0], v))
	}
	return errors.Join(rows.Err(), rows.Close())
}

// endGeneration makes a complete generation the live one, or abandons it.
func (s *Store) endGeneration(ctx context.Context, name string, g int64, complete bool) error {
	set := "building = 0"
	if complete {
		set += ", live = {:g}"
	}
	return s.transaction(ctx, nil, func(ctx context.Context, tx *dbx.Tx) error {
		return exec(ctx, tx, "UPDATE _vector_spaces SET "+set+" WHERE name = {:name} AND building = {:g}", dbx.Params{"g": g, "name": name})
	})
}

// sweep deletes what generations left that are neither live nor being built, some
// rows a transaction.
func (s *Store) sweep(ctx context.Context, name string) error {
	for more := true; more; {
		err := s.transaction(ctx, nil, func(ctx context.Context, tx *dbx.Tx) error {
			m, err := s.meta(ctx, tx, name)
			if err != nil {
				return err
			}
			more = false
			keep := dbx.Params{"name": name, "live": m.live, "building": m.building}
			for table, limit := range map[string]int{m.chunks(): 32, m.log(): 5000} {
				result, err := tx.NewQuery(fmt.Sprintf("DELETE FROM %s WHERE rowid IN (SELECT rowid FROM %s WHERE generation NOT IN ({:live}, {:building}) LIMIT %d)", table, table, limit)).
					WithContext(ctx).Bind(keep).Execute()
				if err != nil {
					return err
				}
				n, err := result.RowsAffected()
				if err != nil {
					return err
				}
				more = more || n > 0
			}
			return exec(ctx, tx, "DELETE FROM _vector_generations WHERE space = {:name} AND generation NOT IN ({:live}, {:building})", keep)
		})
		if err != nil {
			return fmt.Errorf("vector: deleting the old index of %q: %w", name, err)
		}
	}
	return nil
}
