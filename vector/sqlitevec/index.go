package sqlitevec

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"math/bits"
	"math/rand/v2"
	"slices"
	"sync"

	"github.com/pocketbase/dbx"
)

// replica follows the index of a space in memory.
type replica struct {
	syncing sync.Mutex
	// current is the index of the generation that was live at the last sync. A new
	// generation takes its place once it is complete: searches under way go on
	// with the former one.
	current *index
}

// index is the codes of a generation in memory: what is committed, up to the
// sequence number applied.
type index struct {
	generation int64
	encoder    *encoder

	// mu is held for short, also by scans, so that neither waits long for the other.
	mu      sync.RWMutex
	applied int64
	chunks  []*chunk
	table   idTable
}

// change is what the log or a chunk says of codes.
type change struct {
	seq, slot int64
	id        string
	code      []byte
}

// changesSQL gives the generation that is live, then the chunks, then the log, as
// one statement and so of one state of the database.
func (m *meta) changesSQL() string {
	return "SELECT 0, live, 0, NULL, NULL FROM _vector_spaces WHERE name = {:name} " +
		"UNION ALL SELECT 1, n, seq, ids, codes FROM " + m.chunks() + " WHERE generation = {:g} AND seq > {:seq} " +
		"UNION ALL SELECT 2, slot, seq, id, code FROM " + m.log() + " WHERE seq > {:seq} AND generation = {:g}"
}

// changes calls onChunk for each chunk, then returns the entries of the log in order.
func (m *meta) changes(ctx context.Context, r dbx.Builder, generation, after int64, onChunk func(n, seq int64, ids, codes []byte) error) (live int64, log []change, err error) {
	rows, err := r.NewQuery(m.changesSQL()).WithContext(ctx).Bind(dbx.Params{"name": m.Name, "g": generation, "seq": after}).Rows()
	if err != nil {
		return 0, nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var kind int
		var number, seq int64
		var ids, codes sql.RawBytes
		if err := rows.Scan(&kind, &number, &seq, &ids, &codes); err != nil {
			return 0, nil, err
		}
		switch kind {
		case 0:
			live = number
		case 1:
			if err := onChunk(number, seq, ids, codes); err != nil {
				return 0, nil, err
			}
		case 2:
			log = append(log, change{seq: seq, slot: number, id: string(ids), code: slices.Clone(codes)})
		}
	}
	slices.SortFunc(log, func(a, b change) int { return cmp.Compare(a.seq, b.seq) })
	return live, log, errors.Join(rows.Err(), rows.Close())
}

// sync reads what was committed since the last time, and returns the index of the
// generation that was live, nil if there was none.
func (p *replica) sync(ctx context.Context, s *Store, name string) (x *index, err error) {
	p.syncing.Lock()
	defer p.syncing.Unlock()
	x, p.current = p.current, nil // what has seen a failure may lack something
	r := s.reader(nil)
	m, err := s.meta(ctx, r, name)
	if err != nil {
		return nil, err
	}
	for m.live != 0 {
		if x == nil || x.generation != m.live {
			e, err := s.encoder(ctx, r, m, m.live)
			if errors.Is(err, sql.ErrNoRows) { // another one went live and this was deleted
				if m, err = s.meta(ctx, r, name); err != nil {
					return nil, err
				}
				continue
			}
			if err != nil {
				return nil, err
			}
			x = &index{generation: m.live, encoder: e, applied: -1}
		}
		live, log, err := m.changes(ctx, r, m.live, x.applied, x.setChunk)
		if err != nil {
			return nil, err
		}
		x.apply(log)
		if live == m.live {
			p.current = x
			return x, nil
		}
		m.live = live
	}
	return nil, nil
}

// setChunk replaces a chunk.
func (x *index) setChunk(n, seq int64, ids, codes []byte) error {
	size := x.encoder.size()
	if len(codes) != chunkSize*size {
		return errDamaged
	}
	c := newChunk(x.encoder.words)
	if err := splitIDs(&c.ids, ids); err != nil {
		return err
	}
	for at := range c.ids {
		c.set(at, x.encoder.words, codes[at*size:(at+1)*size])
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	x.grow(n)
	first := uint32(n) * chunkSize
	for at, id := range x.chunks[n].ids {
		if id != "" && id != c.ids[at] {
			x.table.remove(id, first+uint32(at), x.idOf)
		}
	}
	old := x.chunks[n]
	x.chunks[n] = c
	for at, id := range c.ids {
		if id != "" && id != old.ids[at] {
			x.table.insert(id, first+uint32(at), x.idOf)
		}
	}
	x.applied = max(x.applied, seq)
	return nil
}

func (x *index) apply(log []change) {
	if len(log) == 0 {
		return
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, change := range log {
		n, at, slot := change.slot/chunkSize, int(change.slot%chunkSize), uint32(change.slot)
		x.grow(n)
		c := x.chunks[n]
		if c.ids[at] != change.id {
			if c.ids[at] != "" {
				x.table.remove(c.ids[at], slot, x.idOf)
			}
			c.ids[at] = change.id
			if change.id != "" {
				x.table.insert(change.id, slot, x.idOf)
			}
		}
		c.set(at, x.encoder.words, change.code)
		x.applied = max(x.applied, change.seq)
	}
}

// grow makes sure that there is a chunk n.
func (x *index) grow(n int64) {
	for int64(len(x.chunks)) <= n {
		x.chunks = append(x.chunks, newChunk(x.encoder.words))
	}
}

func (x *index) idOf(slot uint32) string { return x.chunks[slot/chunkSize].ids[slot%chunkSize] }

// slots returns the slots of ids that have vectors, ascending.
func (x *index) slots(ids []string) []uint32 {
	x.mu.RLock()
	defer x.mu.RUnlock()
	bitmap := make([]uint64, len(x.chunks)*chunkSize/64)
	n := 0
	for _, id := range ids {
		if slot, ok := x.table.find(id, x.idOf); ok {
			bitmap[slot/64] |= 1 << (slot % 64)
			n++
		}
	}
	slots := make([]uint32, 0, n)
	for i, word := range bitmap {
		for ; word != 0; word &= word - 1 {
			slots = append(slots, uint32(i*64+bits.TrailingZeros64(word)))
		}
	}
	return slots
}

// sample returns up to n ids, taken at random but the same ones each time.
func (x *index) sample(n int) []string {
	x.mu.RLock()
	defer x.mu.RUnlock()
	total := len(x.chunks) * chunkSize
	if total == 0 {
		return nil
	}
	random := rand.New(rand.NewPCG(1, 2))
	ids := make([]string, 0, n)
	for tries := 4 * n; tries > 0 && len(ids) < n; tries-- {
		slot := random.IntN(total)
		if id := x.chunks[slot/chunkSize].ids[slot%chunkSize]; id != "" {
			ids = append(ids, id)
		}
	}
	return ids
}
