package sqlitevec

import "hash/maphash"

// idTable finds slots by id. It has only the slots, 4 bytes each at a load of at
// most two thirds; the ids are asked for by slot.
type idTable struct {
	seed    maphash.Seed
	entries []uint32 // slot+1, 0 is empty; the length is a power of two
	n       int
}

func (t *idTable) home(id string) int { return int(maphash.String(t.seed, id)) & (len(t.entries) - 1) }

// reserve makes room for n slots.
func (t *idTable) reserve(n int, idOf func(slot uint32) string) {
	if 3*n <= 2*len(t.entries) {
		return
	}
	size := 1024
	for 3*n > 2*size {
		size *= 2
	}
	old := t.entries
	if old == nil {
		t.seed = maphash.MakeSeed()
	}
	t.entries = make([]uint32, size)
	for _, entry := range old {
		if entry != 0 {
			t.place(idOf(entry-1), entry)
		}
	}
}

func (t *idTable) place(id string, entry uint32) {
	i := t.home(id)
	for t.entries[i] != 0 {
		i = (i + 1) & (len(t.entries) - 1)
	}
	t.entries[i] = entry
}

func (t *idTable) insert(id string, slot uint32, idOf func(uint32) string) {
	t.reserve(t.n+1, idOf)
	t.place(id, slot+1)
	t.n++
}

func (t *idTable) find(id string, idOf func(uint32) string) (slot uint32, ok bool) {
	if t.n == 0 {
		return 0, false
	}
	for i := t.home(id); t.entries[i] != 0; i = (i + 1) & (len(t.entries) - 1) {
		if slot := t.entries[i] - 1; idOf(slot) == id {
			return slot, true
		}
	}
	return 0, false
}

// remove takes out a slot that was inserted under id. Entries after it move up, so
// that none is cut off from its home.
func (t *idTable) remove(id string, slot uint32, idOf func(uint32) string) {
	mask := len(t.entries) - 1
	i := t.home(id)
	for t.entries[i] != slot+1 {
		if t.entries[i] == 0 {
			return
		}
		i = (i + 1) & mask
	}
	t.n--
	for j := (i + 1) & mask; t.entries[j] != 0; j = (j + 1) & mask {
		home := t.home(idOf(t.entries[j] - 1))
		if (j-home)&mask >= (j-i)&mask {
			t.entries[i], i = t.entries[j], j
		}
	}
	t.entries[i] = 0
}
