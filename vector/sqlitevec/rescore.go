package sqlitevec

import (
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/agentrt/agentrt/vector"
)

const (
	// firstEach is how many candidates for each match are read first. What their
	// estimates were off by tells which of the others can still be among the nearest.
	firstEach = 10
	// doubt is the error of an estimate that is taken into account, in standard
	// deviations of the errors seen. It holds up to a recall of prunedRecall.
	doubt, prunedRecall = 3, 0.99
)

// rescoring is the reading of candidates' vectors.
type rescoring struct {
	*search
	question *question
	chosen   map[uint32]candidate // those being read
	written  map[uint32]bool
	best     *best
	squares  float64 // of the errors of estimates, in lengths
	compared int
}

func (q *search) rescoring(question *question, written map[uint32]bool) *rescoring {
	return &rescoring{search: q, question: question, written: written, best: newBest(q.top)}
}

// rescore reads the vectors of candidates and of the slots in written, and returns
// the nearest. A candidate's slot may have got another record in the meantime.
func (q *search) rescore(question *question, chosen []candidate, written map[uint32]bool) ([]vector.Match, error) {
	r := q.rescoring(question, written)
	first := min(len(chosen), firstEach*max(q.top, 10))
	if err := r.read(chosen[:first], slices.Collect(maps.Keys(written))); err != nil {
		return nil, err
	}
	if err := r.read(r.possible(chosen[first:]), nil); err != nil {
		return nil, err
	}
	return r.best.matches(q.Comparer), nil
}

// possible returns those candidates that may be nearer than the farthest match.
func (r *rescoring) possible(rest []candidate) []candidate {
	if len(r.best.found) < r.top || r.compared == 0 || r.query.Recall > prunedRecall {
		return rest
	}
	farthest := r.question.estimateOf(r.metric(), r.best.found[0].Distance)
	margin := doubt * math.Sqrt(r.squares/float64(r.compared))
	return slices.DeleteFunc(slices.Clone(rest), func(c candidate) bool {
		return float64(c.estimate)-margin*float64(c.length) > farthest
	})
}

func (r *rescoring) metric() vector.Metric { return r.search.meta.Metric }

// read compares candidates and more slots.
func (r *rescoring) read(chosen []candidate, more []uint32) error {
	r.chosen = make(map[uint32]candidate, len(chosen))
	slots := more
	for _, c := range chosen {
		if !r.written[c.slot] {
			r.chosen[c.slot] = c
			slots = append(slots, c.slot)
		}
	}
	slices.Sort(slots)
	for part := range slices.Chunk(slots, 2000) {
		var text strings.Builder
		text.WriteString("SELECT slot, id, v FROM " + r.vectors() + " WHERE slot IN (")
		for i, slot := range part {
			if i > 0 {
				text.WriteByte(',')
			}
			text.WriteString(strconv.FormatUint(uint64(slot), 10))
		}
		text.WriteByte(')')
		rows, err := r.r.NewQuery(text.String()).WithContext(r.ctx).Rows()
		if err != nil {
			return err
		}
		if err := r.compare(rows, r.offer); err != nil {
			return err
		}
	}
	return nil
}

// offer takes a vector's distance.
func (r *rescoring) offer(slot uint32, id []byte, distance float64) {
	c, ok := r.chosen[slot]
	switch {
	case r.written[slot]:
	case !ok || c.id != string(id):
		return
	case c.length > 0:
		off := (r.question.estimateOf(r.metric(), distance) - float64(c.estimate)) / float64(c.length)
		r.squares += off * off
		r.compared++
	}
	r.best.offer(id, distance)
}
