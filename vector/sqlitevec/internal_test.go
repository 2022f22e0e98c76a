package sqlitevec

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

func TestSmallestAgreesWithSorting(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for round := range 300 {
		values := make([]float32, random.IntN(20000))
		for i := range values {
			switch round % 4 {
			case 0:
				values[i] = float32(random.NormFloat64())
			case 1:
				values[i] = float32(random.IntN(5)) // ties
			case 2:
				values[i] = float32(math.Exp(20 * random.NormFloat64())) // most in the first bucket
			default:
				values[i] = 1
			}
			if random.IntN(10) == 0 {
				values[i] = infinite
			}
		}
		var finite []int32
		for i, v := range values {
			if v < infinite {
				finite = append(finite, int32(i))
			}
		}
		slices.SortStableFunc(finite, func(a, b int32) int { return cmp.Compare(values[a], values[b]) })
		c := 1 + random.IntN(300)
		got, all := smallest(values, c)
		if want := finite[:min(c, len(finite))]; !slices.Equal(got, want) || all != (len(finite) <= c) {
			t.Fatalf("round %d: of %d values the %d smallest: got %d, all %v", round, len(values), c, len(got), all)
		}
	}
}

func TestIDTableAgreesWithAMap(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	ids := make([]string, 3000)
	idOf := func(slot uint32) string { return ids[slot] }
	var table idTable
	want := map[string]uint32{}
	for range 60000 {
		slot := uint32(random.IntN(len(ids)))
		if ids[slot] != "" {
			table.remove(ids[slot], slot, idOf)
			delete(want, ids[slot])
			ids[slot] = ""
		} else {
			ids[slot] = fmt.Sprint("id", slot, "-", random.IntN(10))
			table.insert(ids[slot], slot, idOf)
			want[ids[slot]] = slot
		}
	}
	if table.n != len(want) {
		t.Fatalf("%d entries, want %d", table.n, len(want))
	}
	for id, slot := range want {
		if got, ok := table.find(id, idOf); !ok || got != slot {
			t.Errorf("%q: %d, %v; want %d", id, got, ok, slot)
		}
	}
	if _, ok := table.find("unknown", idOf); ok {
		t.Error("found an unknown id")
	}
}
