package vectortest

import (
	"fmt"
	"sync"

	"github.com/agentrt/agentrt/vector"
)

// concurrent writes, searches and rebuilds at once; each writer owns its records.
func (s *suite) concurrent() {
	s.create(vector.Cosine)
	items := s.vectors(0, 2400)
	s.put(items...)
	s.index()
	query := items[0].Vector
	const writers, rounds = 2, 60
	var wg sync.WaitGroup
	errs := make(chan error, 100)
	report := func(err error) bool {
		if err != nil {
			select {
			case errs <- err:
			default:
			}
		}
		return err != nil
	}
	for w := range writers {
		own := items[w*1200 : (w+1)*1200]
		wg.Go(func() {
			for i := range rounds {
				added := vector.Item{ID: fmt.Sprintf("w%d_%d", w, i), Vector: own[i].Vector}
				if report(s.Store().Put(s.ctx, nil, space, added, vector.Item{ID: own[i].ID, Vector: own[i+1].Vector})) ||
					report(s.Store().Delete(s.ctx, nil, space, own[i+200].ID)) {
					return
				}
				got, err := s.Store().Search(s.ctx, nil, space, vector.Query{Vector: added.Vector, Top: 5, Filter: vector.Filter{IDs: []string{added.ID}}})
				if report(err) {
					return
				}
				if len(got) != 1 || got[0].ID != added.ID {
					report(fmt.Errorf("a committed record is not found: %v", got))
					return
				}
			}
		})
		for i := range rounds {
			s.want[fmt.Sprintf("w%d_%d", w, i)] = own[i].Vector
			s.want[own[i].ID] = own[i+1].Vector
			delete(s.want, own[i+200].ID)
		}
	}
	for range 2 {
		wg.Go(func() {
			for range rounds {
				got, err := s.Store().Search(s.ctx, nil, space, vector.Query{Vector: query, Top: 50})
				if report(err) {
					return
				}
				if len(got) != 50 {
					report(fmt.Errorf("%d matches, want 50", len(got)))
					return
				}
			}
		})
	}
	if s.indexed {
		wg.Go(func() {
			for range 3 {
				if report(s.Store().Rebuild(s.ctx, space, nil)) {
					return
				}
			}
		})
	}
	wg.Wait()
	close(errs)
	for err := range errs {
		s.Error(err)
	}
	s.verify()
	s.check(vector.Cosine, vector.Filter{}, nil)
}
