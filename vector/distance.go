package vector

import (
	"encoding/binary"
	"math"
)

// Comparer computes distances from one vector. It is immutable.
type Comparer struct {
	metric Metric
	query  []float32
	norm   float64
}

// NewComparer returns the distances of a metric from query, which it keeps.
func NewComparer(metric Metric, query []float32) *Comparer {
	var squares float64
	for _, x := range query {
		squares += float64(x) * float64(x)
	}
	return &Comparer{metric: metric, query: query, norm: math.Sqrt(squares)}
}

// Distance is that of a vector stored as little-endian IEEE 754 numbers of 32
// bits, of the query's dimension; shorter ones panic.
func (c *Comparer) Distance(stored []byte) float64 {
	switch c.metric {
	case L2:
		return math.Sqrt(squaredDistance(c.query, stored))
	case Dot:
		dot, _ := dotAndSquares(c.query, stored)
		return -dot
	default:
		dot, squares := dotAndSquares(c.query, stored)
		return 1 - dot/(c.norm*math.Sqrt(squares))
	}
}

// Score is the score of a distance.
func (c *Comparer) Score(distance float64) float64 {
	switch c.metric {
	case L2:
		return 1 / (1 + distance)
	case Dot:
		return -distance
	default:
		return 1 - distance
	}
}

// Encode appends v as little-endian IEEE 754 numbers of 32 bits.
func Encode(buf []byte, v []float32) []byte {
	for _, x := range v {
		buf = binary.LittleEndian.AppendUint32(buf, math.Float32bits(x))
	}
	return buf
}

// Decode appends what Encode wrote.
func Decode(v []float32, b []byte) []float32 {
	for ; len(b) >= 4; b = b[4:] {
		v = append(v, number(b))
	}
	return v
}

func number(b []byte) float32 { return math.Float32frombits(binary.LittleEndian.Uint32(b)) }

// Four sums each, since one would make every addition wait for the last.
func dotAndSquares(q []float32, b []byte) (dot, squares float64) {
	var d0, d1, d2, d3, s0, s1, s2, s3 float32
	b = b[:4*len(q)]
	for len(q) >= 4 && len(b) >= 16 {
		x0, x1, x2, x3 := number(b), number(b[4:]), number(b[8:]), number(b[12:])
		d0, d1, d2, d3 = d0+q[0]*x0, d1+q[1]*x1, d2+q[2]*x2, d3+q[3]*x3
		s0, s1, s2, s3 = s0+x0*x0, s1+x1*x1, s2+x2*x2, s3+x3*x3
		q, b = q[4:], b[16:]
	}
	for i := range q {
		x := number(b[4*i:])
		d0, s0 = d0+q[i]*x, s0+x*x
	}
	return float64(d0) + float64(d1) + float64(d2) + float64(d3), float64(s0) + float64(s1) + float64(s2) + float64(s3)
}

func squaredDistance(q []float32, b []byte) float64 {
	var s0, s1, s2, s3 float32
	b = b[:4*len(q)]
	for len(q) >= 4 && len(b) >= 16 {
		e0, e1, e2, e3 := q[0]-number(b), q[1]-number(b[4:]), q[2]-number(b[8:]), q[3]-number(b[12:])
		s0, s1, s2, s3 = s0+e0*e0, s1+e1*e1, s2+e2*e2, s3+e3*e3
		q, b = q[4:], b[16:]
	}
	for i := range q {
		e := q[i] - number(b[4*i:])
		s0 += e * e
	}
	return float64(s0) + float64(s1) + float64(s2) + float64(s3)
}
