package pgvector

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/agentrt/agentrt/vector"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/pocketbase/dbx"
)

// A statement writes at most maxItems vectors of together maxNumbers numbers.
const maxItems, maxNumbers = 1000, 1 << 20

// Put is vector.Store's.
func (s *Store) Put(ctx context.Context, tx dbx.Builder, name string, items ...vector.Item) error {
	return s.write(ctx, tx, func(ctx context.Context, tx *dbx.Tx) error {
		m, err := s.meta(ctx, tx, name)
		if err != nil {
			return err
		}
		for _, item := range items {
			if err := m.check(item); err != nil {
				return err
			}
		}
		for part := range slices.Chunk(lastOfEach(items), max(1, min(maxItems, maxNumbers/m.Dim))) {
			if err := m.put(ctx, tx, part); err != nil {
				return err
			}
		}
		return nil
	})
}

// isText reports whether PostgreSQL has such a text in UTF-8.
func isText(id string) bool {
	return utf8.ValidString(id) && strings.IndexByte(id, 0) < 0
}

func texts(ids []string) []string {
	return slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return !isText(id) })
}

// largestHalf is the largest number of 16 bits.
const largestHalf = 65504

func (m *meta) check(item vector.Item) error {
	if err := m.CheckItem(item); err != nil {
		return err
	}
	if !isText(item.ID) {
		return &vector.InputError{Kind: vector.ErrID, Space: m.Name, Field: "id", Want: "UTF-8", Got: fmt.Sprintf("%.300q", item.ID)}
	}
	if !m.half || m.Metric == vector.Cosine {
		return nil
	}
	for i, x := range item.Vector {
		if x > largestHalf || x < -largestHalf {
			return &vector.InputError{Kind: vector.ErrNotFinite, Space: m.Name, Field: "vector", ID: item.ID,
				Want: fmt.Sprintf("numbers up to %d, as its index has 16 bits", largestHalf), Got: fmt.Sprintf("%g at position %d", x, i)}
		}
	}
	return nil
}

// lastOfEach leaves the last item of each id, in the order of ids, so that two who write
// the same ones do not wait for each other.
func lastOfEach(items []vector.Item) []vector.Item {
	sorted := slices.Clone(items)
	slices.SortStableFunc(sorted, func(a, b vector.Item) int { return cmp.Compare(a.ID, b.ID) })
	kept := sorted[:0]
	for i, item := range sorted {
		if i+1 == len(sorted) || sorted[i+1].ID != item.ID {
			kept = append(kept, item)
		}
	}
	return kept
}

// A vector that stays the same is not written, since each version of a row is an entry of
// the index.
func (m *meta) put(ctx context.Context, tx *dbx.Tx, items []vector.Item) error {
	ids, hashes := make([]string, len(items)), make([]int64, len(items))
	numbers := make([]float32, 0, len(items)*m.Dim)
	for i, item := range items {
		ids[i], hashes[i] = item.ID, hash(item.Vector)
		numbers = append(numbers, item.Vector...)
	}
	_, err := tx.NewQuery(fmt.Sprintf("INSERT INTO %[1]s AS t (id, h, v) SELECT i.id, i.h, ({:numbers}::real[])[(i.n - 1) * %[2]d + 1 : i.n * %[2]d]::vector(%[2]d) "+
		"FROM unnest({:ids}::text[], {:hashes}::bigint[]) WITH ORDINALITY AS i (id, h, n) "+
		"ON CONFLICT (id) DO UPDATE SET h = excluded.h, v = excluded.v WHERE t.h <> excluded.h OR t.v <> excluded.v", m.table(), m.Dim)).
		WithContext(ctx).Bind(dbx.Params{"ids": ids, "hashes": hashes, "numbers": numbers}).Execute()
	if err != nil {
		return fmt.Errorf("vector: writing %d vectors of %q: %w", len(items), m.Name, m.gone(err))
	}
	return nil
}

// hash is kept beside each vector to find its duplicates.
func hash(v []float32) int64 {
	h := fnv.New64a()
	h.Write(vector.Encode(make([]byte, 0, 4*len(v)), v))
	return int64(h.Sum64())
}

// gone explains that the table of a space is not there any more.
func (m *meta) gone(err error) error {
	const undefinedTable = "42P01"
	var e *pgconn.PgError
	if errors.As(err, &e) && e.Code == undefinedTable && e.Message == fmt.Sprintf("relation %q does not exist", m.table()) {
		return &vector.InputError{Kind: vector.ErrNoSpace, Space: m.Name, Field: "name", Want: "a space that Create made", Got: "one that was dropped in the meantime"}
	}
	return err
}

// Delete is vector.Store's.
func (s *Store) Delete(ctx context.Context, tx dbx.Builder, name string, ids ...string) error {
	return s.write(ctx, tx, func(ctx context.Context, tx *dbx.Tx) error {
		m, err := s.meta(ctx, tx, name)
		if err != nil {
			return err
		}
		for part := range slices.Chunk(slices.Sorted(slices.Values(texts(ids))), maxItems) {
			if _, err := tx.NewQuery("DELETE FROM " + m.table() + " WHERE id = ANY({:ids}::text[])").WithContext(ctx).Bind(dbx.Params{"ids": part}).Execute(); err != nil {
				return fmt.Errorf("vector: deleting %d vectors of %q: %w", len(part), name, m.gone(err))
			}
		}
		return nil
	})
}
