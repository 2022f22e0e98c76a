package benchmarks

import (
	"cmp"
	"container/heap"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"sync"

	"github.com/agentrt/agentrt/vector"
)

// vectorData makes vectors by number, the same ones in each run.
//
//	clustered  1,000 centres, each coordinate from N(0, 1); around them N(0, 0.6²) in
//	           a subspace of 48 dimensions of its own, and N(0, 0.1²) in all
//	offset     coordinate j from N(2, 1/(1+j)): away from the origin, with
//	           variances that differ by a factor of the dimension
//	isotropic  N(0, 1): no structure, so that all distances are nearly equal
type vectorData struct {
	kind    string
	dim     int
	centres [][]float32
	scale   []float32
}

const (
	vectorClusters = 1000
	vectorSubspace = 48
)

func newVectorData(kind string, dim int) (*vectorData, error) {
	d := &vectorData{kind: kind, dim: dim}
	switch kind {
	case "clustered":
		for c := range vectorClusters {
			random := rand.New(rand.NewPCG(11, uint64(c)))
			centre := make([]float32, dim)
			for j := range centre {
				centre[j] = float32(random.NormFloat64())
			}
			d.centres = append(d.centres, centre)
		}
	case "offset":
		for j := range dim {
			d.scale = append(d.scale, float32(1/math.Sqrt(float64(1+j))))
		}
	case "isotropic":
	default:
		return nil, fmt.Errorf("there is no data set %q (sets: clustered, offset, isotropic)", kind)
	}
	return d, nil
}

// vector writes vector i; set tells stored vectors (0) from queries (1).
func (d *vectorData) vector(v []float32, set, i uint64) {
	random := rand.New(rand.NewPCG(13+set, i))
	switch d.kind {
	case "clustered":
		c := random.IntN(vectorClusters)
		for j, x := range d.centres[c] {
			v[j] = x + 0.1*float32(random.NormFloat64())
		}
		// The subspace has as directions the signs of other centres.
		for k := range vectorSubspace {
			z := 0.6 * float32(random.NormFloat64())
			for j, x := range d.centres[(c+1+k*17)%vectorClusters] {
				v[j] += z * x * vectorDirection
			}
		}
	case "offset":
		for j, s := range d.scale {
			v[j] = 2 + s*float32(random.NormFloat64())
		}
	default:
		for j := range v {
			v[j] = float32(random.NormFloat64())
		}
	}
}

// batch writes n stored vectors from number first on.
func (d *vectorData) batch(vectors []float32, first, n int) {
	inParallel(n, func(i int) { d.vector(vectors[i*d.dim:(i+1)*d.dim], 0, uint64(first+i)) })
}

// inParallel calls f for all numbers below n.
func inParallel(n int, f func(i int)) {
	var wg sync.WaitGroup
	workers := runtime.GOMAXPROCS(0)
	for w := range workers {
		wg.Go(func() {
			for i := w; i < n; i += workers {
				f(i)
			}
		})
	}
	wg.Wait()
}

// vectorDirection makes a sum of vectorSubspace directions as long as one.
const vectorDirection = 0.14433756729740643

// vectorTeam is the value that filters select by, of 0 to 9,999.
func vectorTeam(i int) int { return int(rand.New(rand.NewPCG(17, uint64(i))).Uint32N(10000)) }

// vectorTruth finds the true nearest of queries by cosine, by comparing every vector.
type vectorTruth struct {
	queries [][]float32
	norms   []float64
	// classes are the filters: teams below the number pass.
	classes []int
	top     int
	nearest [][]*truthHeap // by class, query
}

func newVectorTruth(queries [][]float32, classes []int, top int) *vectorTruth {
	t := &vectorTruth{queries: queries, classes: classes, top: top}
	for _, q := range queries {
		t.norms = append(t.norms, math.Sqrt(float64(product(q, q))))
	}
	for range classes {
		heaps := make([]*truthHeap, len(queries))
		for i := range heaps {
			heaps[i] = &truthHeap{}
		}
		t.nearest = append(t.nearest, heaps)
	}
	return t
}

// add compares stored vectors with all queries.
func (t *vectorTruth) add(items []vector.Item, teams []int) {
	norms := make([]float64, len(items))
	inParallel(len(items), func(i int) { norms[i] = math.Sqrt(float64(product(items[i].Vector, items[i].Vector))) })
	inParallel(len(t.queries), func(q int) {
		for i, item := range items {
			m := vector.Match{ID: item.ID, Distance: 1 - float64(product(t.queries[q], item.Vector))/(t.norms[q]*norms[i])}
			for c, below := range t.classes {
				if teams[i] < below {
					t.nearest[c][q].offer(m, t.top)
				}
			}
		}
	})
}

// product is the inner product, in several sums that do not wait for each other.
func product(a, b []float32) float32 {
	var s0, s1, s2, s3, s4, s5, s6, s7 float32
	for len(a) >= 8 && len(b) >= 8 {
		s0, s1, s2, s3 = s0+a[0]*b[0], s1+a[1]*b[1], s2+a[2]*b[2], s3+a[3]*b[3]
		s4, s5, s6, s7 = s4+a[4]*b[4], s5+a[5]*b[5], s6+a[6]*b[6], s7+a[7]*b[7]
		a, b = a[8:], b[8:]
	}
	for i := range min(len(a), len(b)) {
		s0 += a[i] * b[i]
	}
	return (s0 + s1) + (s2 + s3) + (s4 + s5) + (s6 + s7)
}

// truthRounding is how far two ways of adding 32-bit numbers may be apart.
const truthRounding = 2e-6

// recall is the share of the found that are as near as the true nearest of a class and
// query.
func (t *vectorTruth) recall(class, query int, found []vector.Match) float64 {
	want := t.nearest[class][query].found
	if len(want) == 0 {
		return 1
	}
	hits := 0
	for _, m := range found {
		if m.Distance <= want[0].Distance+truthRounding {
			hits++
		}
	}
	return min(1, float64(hits)/float64(len(want)))
}

// truthHeap has the farthest of the nearest on top.
type truthHeap struct{ found []vector.Match }

func (h *truthHeap) offer(m vector.Match, top int) {
	switch {
	case len(h.found) < top:
		heap.Push(h, m)
	case m.Distance < h.found[0].Distance:
		h.found[0] = m
		heap.Fix(h, 0)
	}
}

// Len, Less, Swap, Push and Pop are heap.Interface's.
func (h *truthHeap) Len() int           { return len(h.found) }
func (h *truthHeap) Less(i, j int) bool { return cmp.Less(h.found[j].Distance, h.found[i].Distance) }
func (h *truthHeap) Swap(i, j int)      { h.found[i], h.found[j] = h.found[j], h.found[i] }
func (h *truthHeap) Push(x any)         { h.found = append(h.found, x.(vector.Match)) }
func (h *truthHeap) Pop() any           { panic("truthHeap never shrinks") }
