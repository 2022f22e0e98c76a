package sqlitevec

import (
	"encoding/binary"
	"math"
	"math/bits"
	"math/rand/v2"

	"github.com/agentrt/agentrt/vector"
)

// encoder turns vectors into codes: the signs of the vector less the centre, after a
// random rotation, and the length of what was left of it. The rotation spreads each
// dimension over all bits, so that those of large variance count for more than one.
//
// A stored code is the words of 64 signs and the length as a number of 32 bits, all
// little-endian. The length of an empty slot is negative.
//
// Vectors of few dimensions are coded several times, each time rotated otherwise, to
// get some minWords words.
type encoder struct {
	metric vector.Metric
	words  int
	period int
	centre []float32
	signs  [2][]float32
}

const minWords = 8

func newEncoder(space vector.Space, centre []float32) *encoder {
	blocks := (space.Dim + 63) / 64
	e := &encoder{metric: space.Metric, words: blocks * max(1, minWords/blocks), period: 64 * blocks, centre: centre}
	random := rand.New(rand.NewPCG(1, uint64(space.Dim)))
	for k := range e.signs {
		e.signs[k] = make([]float32, 64*e.words)
		for i := range e.signs[k] {
			e.signs[k][i] = float32(random.IntN(2)*2 - 1)
		}
	}
	return e
}

// size is the length of a stored code in bytes.
func (e *encoder) size() int { return 8*e.words + 4 }

// appendCode appends the stored code of v.
func (e *encoder) appendCode(buf []byte, v []float32) []byte {
	code := make([]uint64, e.words)
	length := e.code(code, v, true)
	for _, word := range code {
		buf = binary.LittleEndian.AppendUint64(buf, word)
	}
	return binary.LittleEndian.AppendUint32(buf, math.Float32bits(length))
}

// code writes the signs of v and returns the length of what was coded.
func (e *encoder) code(code []uint64, v []float32, centred bool) float32 {
	x, length := e.rotate(v, centred)
	for w := range code {
		var word uint64
		for j, f := range x[64*w : 64*w+64] {
			word |= uint64(math.Float32bits(f)>>31) << j
		}
		code[w] = word
	}
	return length
}

// rotate returns the rotated vector, not to scale, and the length of what was rotated.
func (e *encoder) rotate(v []float32, centred bool) ([]float32, float32) {
	x, y := make([]float32, 64*e.words), make([]float32, 64*e.words)
	copy(x, v)
	if e.metric == vector.Cosine {
		normalise(x)
	}
	var squares float64
	for i := range v {
		if centred {
			x[i] -= e.centre[i]
		}
		squares += float64(x[i]) * float64(x[i])
	}
	for at := e.period; at < len(x); at += e.period {
		copy(x[at:], x[:e.period])
	}
	for k := range e.signs {
		for i, s := range e.signs[k] {
			x[i] *= s
		}
		for b := 0; b < len(x); b += 64 {
			hadamard((*[64]float32)(x[b:]))
		}
		if k == 0 {
			for i := range e.words {
				for j := range 64 {
					y[j*e.words+i] = x[i*64+j]
				}
			}
			x, y = y, x
		}
	}
	return x, float32(math.Sqrt(squares))
}

func normalise(x []float32) {
	var squares float64
	for _, f := range x {
		squares += float64(f) * float64(f)
	}
	scale := float32(1 / math.Sqrt(squares))
	for i := range x {
		x[i] *= scale
	}
}

// hadamard is the Walsh-Hadamard transform, without its scale, which no sign needs.
func hadamard(x *[64]float32) {
	for h := 1; h < 64; h *= 2 {
		for i := 0; i < 64; i += 2 * h {
			for j := i; j < i+h; j++ {
				x[j], x[j+h] = x[j]+x[j+h], x[j]-x[j+h]
			}
		}
	}
}

// question is an encoded query. Distances are estimated up to a monotonic function,
// as square*length² - length*c for a code of the given length, where c stands for the
// cosine. The coarse estimate takes it from the number of signs that differ:
// cosine[different]. The fine one takes it from the numbers of the query, whose signed
// sums are in sums for each byte of a code.
type question struct {
	code   []uint64
	own    float64 // the square of the query's own length, which estimates leave out
	square float32
	cosine []float32
	sums   [][256]float32
}

func (e *encoder) question(v []float32) *question {
	n := 64 * e.words
	q := &question{code: make([]uint64, e.words), cosine: make([]float32, n+1), sums: make([][256]float32, n/8)}
	centred := e.metric != vector.Dot
	rotated, length := e.rotate(v, centred)
	e.code(q.code, v, centred)
	scale := float64(length)
	if centred {
		q.square, q.own, scale = 1, scale*scale, 2*scale
	}
	for d := range q.cosine {
		q.cosine[d] = float32(scale * math.Cos(math.Pi*float64(d)/float64(n)))
	}
	var squares float64
	for _, f := range rotated {
		squares += float64(f) * float64(f)
	}
	// The signs of a unit vector have on average sqrt(2/π) of its cosine.
	factor := float32(scale * math.Sqrt(math.Pi/2) / math.Sqrt(max(squares, math.SmallestNonzeroFloat32)*float64(n)))
	for k := range q.sums {
		part := rotated[8*k : 8*k+8]
		var all float32
		for _, f := range part {
			all += f
		}
		sums := &q.sums[k]
		sums[0] = all * factor
		for b := 1; b < 256; b++ {
			low := b & -b
			sums[b] = sums[b-low] - 2*factor*part[bits.TrailingZeros(uint(low))]
		}
	}
	return q
}

// estimateOf is what the estimate of a vector at distance should have been.
func (q *question) estimateOf(metric vector.Metric, distance float64) float64 {
	switch metric {
	case vector.L2:
		return distance*distance - q.own
	case vector.Dot:
		return distance
	default:
		return 2*distance - q.own
	}
}

// centreOf returns the mean of stored vectors in the encoder's sense.
func centreOf(space vector.Space, stored [][]byte) []float32 {
	sum := make([]float64, space.Dim)
	v := make([]float32, 0, space.Dim)
	for _, b := range stored {
		v = vector.Decode(v[:0], b)
		if space.Metric == vector.Cosine {
			normalise(v)
		}
		for i, f := range v {
			sum[i] += float64(f)
		}
	}
	centre := make([]float32, space.Dim)
	for i := range centre {
		centre[i] = float32(sum[i] / float64(max(1, len(stored))))
	}
	return centre
}
