package vectorfield

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/agentrt/agentrt/vector"
	validation "github.com/pocketbase/ozzo-validation/v4"
	"github.com/pocketbase/pocketbase/core"
)

// Hybrid is a search by words and by nearness.
type Hybrid struct {
	// Query's Text has the words. Its Vector, if there is none, is made of the text.
	// MinScore is one of the fusion.
	Query
	// TextWeight and VectorWeight weigh the two, 0 to 100; nil means 1. A search
	// of weight 0 does not take place.
	TextWeight, VectorWeight *float64
}

const (
	// fusionConstant keeps the first places of a list from outweighing all else
	// (https://doi.org/10.1145/1571941.1572114).
	fusionConstant = 60
	// Each search gives fusionDepth times as many as wanted, at least minFusion.
	fusionDepth = 4
	minFusion   = 50
	maxWeight   = 100
)

// SearchHybrid returns the records that are best by words and nearness together,
// by reciprocal rank fusion: the score is the sum of weight/(60+rank) over both
// lists, ranks counting from 1. Otherwise it is as Search.
func (v *Vectors) SearchHybrid(ctx context.Context, app core.App, c *core.Collection, info *core.RequestInfo, q Hybrid) ([]Hit, error) {
	s, err := v.newSearch(ctx, app, c, info, &q.Query)
	if err != nil {
		return nil, err
	}
	h := &hybrid{finder: s, words: 1, vectors: 1}
	for name, weight := range map[string]*float64{"text": q.TextWeight, "vector": q.VectorWeight} {
		if weight != nil && !(*weight >= 0 && *weight <= maxWeight) {
			return nil, badOption("weights", "weights", fmt.Sprintf("for %s 0 to %d", name, maxWeight), *weight)
		}
	}
	if q.TextWeight != nil {
		h.words = *q.TextWeight
	}
	if q.VectorWeight != nil {
		h.vectors = *q.VectorWeight
	}
	switch {
	case h.words == 0 && h.vectors == 0:
		return nil, badOption("weights", "weights", "one above 0", "none")
	case strings.TrimSpace(q.Text) == "":
		return nil, badOption("text", "query", "words to look for", "none")
	case len(s.field.TextFields()) == 0:
		return nil, badOption("field", "field", "a vector field with the option text, or embed.from", fmt.Sprintf("%q without them", s.field.Name))
	}
	if h.vectors > 0 {
		if s.query.Vector == nil {
			if err := s.embedText(); err != nil {
				return nil, err
			}
		}
		if err := s.field.check(s.query.Vector); err != nil {
			return nil, validation.Errors{"vector": err}
		}
	}
	return s.load(h.find)
}

type hybrid struct {
	*finder
	words, vectors float64
}

// find returns the n best of the fusion, fewer only if the lists have no more.
func (h *hybrid) find(n int) ([]found, error) {
	depth := min(max(fusionDepth*n, minFusion), vector.MaxTop)
	byID := map[string]*found{}
	at := func(id string) *found {
		if byID[id] == nil {
			byID[id] = &found{id: id, distance: math.NaN()}
		}
		return byID[id]
	}
	if h.vectors > 0 {
		near, err := h.nearest(depth)
		if err != nil {
			return nil, err
		}
		for i, f := range near {
			at(f.id).distance = f.distance
			at(f.id).score += h.vectors / float64(fusionConstant+1+i)
		}
	}
	if h.words > 0 {
		_, texts, err := h.opened()
		if err != nil {
			return nil, err
		}
		ids, err := texts.Search(h.ctx, txOf(h.app), h.field.Space(h.collection).Name, h.query.Text, depth, h.filter())
		if err != nil {
			return nil, fmt.Errorf("vectors: searching words: %w", err)
		}
		for i, id := range ids {
			at(id).score += h.words / float64(fusionConstant+1+i)
		}
	}
	all := make([]found, 0, len(byID))
	for _, f := range byID {
		all = append(all, *f)
	}
	slices.SortFunc(all, func(a, b found) int {
		return cmp.Or(cmp.Compare(b.score, a.score), cmp.Compare(a.id, b.id))
	})
	return all[:min(n, len(all))], nil
}
