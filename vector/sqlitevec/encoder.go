package sqlitevec

import (
	"encoding/binary"
	"math"
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
// Vectors of few dimensions get minWords words all the same: each further bit is the
// sign of one more random projection.
type encoder struct {
	metric vector.Metric
	words  int
	centre []float32
	signs  [2][]float32
}

const minWords = 8

func newEncoder(space vector.Space, centre []float32) *encoder {
	e := &encoder{metric: space.Metric, words: max(minWords, (space.Dim+63)/64), centre: centre}
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
	for w := range code {
		var word uint64
		for j, f := range x[64*w : 64*w+64] {
			word |= uint64(math.Float32bits(f)>>31) << j
		}
		code[w] = word
	}
	return float32(math.Sqrt(squares))
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

// question is an encoded query. The estimated distance, up to a monotonic function,
// of a code of the given length that differs in d signs is
// square*length² - length*cosine[d].
type question struct {
	code   []uint64
	square float32
	cosine []float32
}

func (e *encoder) question(v []float32) *question {
	q := &question{code: make([]uint64, e.words), cosine: make([]float32, 64*e.words+1)}
	length := e.code(q.code, v, e.metric != vector.Dot)
	scale := float64(length)
	if e.metric != vector.Dot {
		q.square, scale = 1, 2*scale
	}
	for d := range q.cosine {
		q.cosine[d] = float32(scale * math.Cos(math.Pi*float64(d)/float64(64*e.words)))
	}
	return q
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
