package sqlitevec

import (
	"cmp"
	"container/heap"
	"slices"

	"github.com/agentrt/agentrt/vector"
)

// best keeps the nearest of what it is offered: a heap with the farthest on top.
type best struct {
	top   int
	found []vector.Match
}

func newBest(top int) *best { return &best{top: top} }

func (b *best) offer(id []byte, distance float64) {
	if len(b.found) == b.top {
		farthest := b.found[0]
		if distance > farthest.Distance || distance == farthest.Distance && string(id) >= farthest.ID {
			return
		}
		b.found[0] = vector.Match{ID: string(id), Distance: distance}
		heap.Fix(b, 0)
		return
	}
	heap.Push(b, vector.Match{ID: string(id), Distance: distance})
}

// matches returns the found ones, the nearest first, with their scores.
func (b *best) matches(c *vector.Comparer) []vector.Match {
	slices.SortFunc(b.found, compareMatches)
	for i := range b.found {
		b.found[i].Score = c.Score(b.found[i].Distance)
	}
	return b.found
}

func compareMatches(a, b vector.Match) int {
	return cmp.Or(cmp.Compare(a.Distance, b.Distance), cmp.Compare(a.ID, b.ID))
}

// Len, Less, Swap, Push and Pop are heap.Interface's.
func (b *best) Len() int           { return len(b.found) }
func (b *best) Less(i, j int) bool { return compareMatches(b.found[i], b.found[j]) > 0 }
func (b *best) Swap(i, j int)      { b.found[i], b.found[j] = b.found[j], b.found[i] }
func (b *best) Push(x any)         { b.found = append(b.found, x.(vector.Match)) }
func (b *best) Pop() any           { panic("best never shrinks") }
