package sqlitevec

import (
	"cmp"
	"math"
	"math/bits"
	"runtime"
	"slices"
	"sync"
)

// candidate is a slot whose vector may be near. estimate orders candidates; length is
// that of the coded vector, and id the one that the slot had.
type candidate struct {
	slot     uint32
	estimate float32
	length   float32
	id       string
}

// scanBlock is the number of chunks for which a scan holds the lock.
const scanBlock = 16

// For c candidates coarse*c are estimated finely, at most maxFine or 4*c.
const coarse, maxFine = 10, 8000

// maxScanners bounds the goroutines of one search.
const maxScanners = 4

var estimatePool = sync.Pool{New: func() any { return new([]float32) }}

// nearest returns up to c slots of the smallest estimated distances, in order, and
// whether these are all there are. nil slots means all.
func (x *index) nearest(q *question, slots []uint32, c int) (found []candidate, all bool) {
	buffer := estimatePool.Get().(*[]float32)
	defer estimatePool.Put(buffer)
	n := len(slots)
	if slots == nil {
		x.mu.RLock()
		n = len(x.chunks) * chunkSize
		x.mu.RUnlock()
	}
	estimates := slices.Grow((*buffer)[:0], n)[:n]
	*buffer = estimates
	if slots == nil {
		x.estimateAll(q, estimates)
	} else {
		x.estimate(q, slots, estimates)
	}
	picked, all := smallest(estimates, min(coarse*c, max(maxFine, 4*c)))
	x.mu.RLock()
	words := len(q.code)
	for _, i := range picked {
		slot := uint32(i)
		if slots != nil {
			slot = slots[i]
		}
		part, at := x.chunks[slot/chunkSize], int(slot%chunkSize)
		if id := part.ids[at]; id != "" {
			length := part.lengths[at]
			found = append(found, candidate{slot: slot, estimate: q.fine(length, part.codes[at*words:(at+1)*words]), length: length, id: id})
		}
	}
	x.mu.RUnlock()
	slices.SortFunc(found, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(a.estimate, b.estimate), cmp.Compare(a.slot, b.slot))
	})
	if len(found) > c {
		found, all = found[:c], false
	}
	return found, all
}

// fine is the estimate that uses the numbers of the query.
func (q *question) fine(length float32, code []uint64) float32 {
	var sum float32
	for w, word := range code {
		sums := q.sums[8*w : 8*w+8]
		for k := range sums {
			sum += sums[k][byte(word>>(8*k))]
		}
	}
	return length * (q.square*length - sum)
}

// estimateAll splits the chunks among goroutines.
func (x *index) estimateAll(q *question, estimates []float32) {
	blocks := (len(estimates)/chunkSize + scanBlock - 1) / scanBlock
	workers := min(runtime.GOMAXPROCS(0), maxScanners, blocks/4+1)
	var wg sync.WaitGroup
	for w := range workers {
		scan := func() {
			for b := w * blocks / workers; b < (w+1)*blocks/workers; b++ {
				from := b * scanBlock * chunkSize
				x.estimateBlock(q, b*scanBlock, estimates[from:min(len(estimates), from+scanBlock*chunkSize)])
			}
		}
		if w == workers-1 {
			scan()
		} else {
			wg.Go(scan)
		}
	}
	wg.Wait()
}

func (x *index) estimateBlock(q *question, first int, estimates []float32) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	words := len(q.code)
	for ; len(estimates) > 0; first, estimates = first+1, estimates[chunkSize:] {
		c := x.chunks[first]
		codes := c.codes
		for at := range chunkSize {
			estimates[at] = q.estimate(c.lengths[at], codes[:words:words])
			codes = codes[words:]
		}
	}
}

func (x *index) estimate(q *question, slots []uint32, estimates []float32) {
	words := len(q.code)
	for len(slots) > 0 {
		n := min(len(slots), scanBlock*chunkSize)
		x.mu.RLock()
		for i, slot := range slots[:n] {
			c, at := x.chunks[slot/chunkSize], int(slot%chunkSize)
			estimates[i] = q.estimate(c.lengths[at], c.codes[at*words:(at+1)*words])
		}
		x.mu.RUnlock()
		slots, estimates = slots[n:], estimates[n:]
	}
}

var infinite = float32(math.Inf(1))

func (q *question) estimate(length float32, code []uint64) float32 {
	if length < 0 {
		return infinite
	}
	different := 0
	question := q.code[:len(code)]
	for len(code) >= 4 && len(question) >= 4 {
		different += bits.OnesCount64(code[0]^question[0]) + bits.OnesCount64(code[1]^question[1]) +
			bits.OnesCount64(code[2]^question[2]) + bits.OnesCount64(code[3]^question[3])
		code, question = code[4:], question[4:]
	}
	for j := range code {
		different += bits.OnesCount64(code[j] ^ question[j])
	}
	return length * (q.square*length - q.cosine[different])
}

// smallest returns the positions of the c smallest finite numbers, in order, and
// whether these are all finite ones. A histogram finds the range of values where the
// c-th lies, and is refined there while that range has far more than c.
func smallest(values []float32, c int) (picked []int32, all bool) {
	low, high := infinite, float32(math.Inf(-1))
	total := 0
	for _, v := range values {
		if v < infinite {
			low, high = min(low, v), max(high, v)
			total++
		}
	}
	if total <= c {
		low = infinite
	}
	var counts [4096]int
	limit, scale, below := 0.0, 0.0, 0
	place := func(v float32) float64 { return (float64(v) - float64(low)) * scale }
	for low < high {
		clear(counts[:])
		scale = (float64(len(counts)) - 0.001) / (float64(high) - float64(low))
		for _, v := range values {
			if v >= low && v <= high {
				counts[int(place(v))]++
			}
		}
		b, sum := 0, below
		for ; sum+counts[b] < c; b++ {
			sum += counts[b]
		}
		limit = float64(b + 1)
		if counts[b] <= 4*c+len(counts) {
			break
		}
		from, to := infinite, float32(math.Inf(-1))
		for _, v := range values {
			if v >= low && v <= high && int(place(v)) == b {
				from, to = min(from, v), max(to, v)
			}
		}
		low, high, below = from, to, sum
	}
	equal := c - below
	for i, v := range values {
		switch {
		case v == infinite || low < high && (v > high || place(v) >= limit) || low == high && v > low:
			continue
		case low == high && v == low:
			if equal == 0 {
				continue
			}
			equal--
		}
		picked = append(picked, int32(i))
	}
	slices.SortFunc(picked, func(a, b int32) int {
		return cmp.Or(cmp.Compare(values[a], values[b]), cmp.Compare(a, b))
	})
	return picked[:min(c, len(picked))], total <= c
}
