package modelserver

import (
	"slices"
	"sync"
)

// Limits of the responses that previous_response_id finds. The oldest go first.
const (
	MaxResponses     = 256
	MaxResponseBytes = 64 << 20 // of the texts of their conversations
)

// responseStore keeps the conversations of the last responses.
type responseStore struct {
	mu    sync.Mutex
	order []string
	byID  map[string]*storedResponse
	items map[string]turn
	bytes int
}

type storedResponse struct {
	turns []turn // of the conversation up to and with the answer, without instructions
	items []string
	bytes int
}

func (r *responseStore) add(e *responseEncoder, p *prompt) {
	answers, ids := e.turnsOf()
	stored := &storedResponse{items: ids}
	for _, t := range append(slices.Clone(p.turns), answers...) {
		if t.role == roleSystem {
			continue
		}
		stored.turns = append(stored.turns, t)
		stored.bytes += len(t.text)
		for _, c := range t.calls {
			stored.bytes += len(c.args)
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.byID == nil {
		r.byID, r.items = map[string]*storedResponse{}, map[string]turn{}
	}
	r.order = append(r.order, e.response.ID)
	r.byID[e.response.ID] = stored
	r.bytes += stored.bytes
	for i, id := range ids {
		r.items[id] = answers[i]
	}
	for len(r.order) > MaxResponses || r.bytes > MaxResponseBytes && len(r.order) > 1 {
		oldest := r.byID[r.order[0]]
		for _, id := range oldest.items {
			delete(r.items, id)
		}
		r.bytes -= oldest.bytes
		delete(r.byID, r.order[0])
		r.order = r.order[1:]
	}
}

func (r *responseStore) turns(id string) ([]turn, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	stored, ok := r.byID[id]
	if !ok {
		return nil, false
	}
	return slices.Clone(stored.turns), true
}

func (r *responseStore) item(id string) (turn, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	t, ok := r.items[id]
	return t, ok
}

func (r *responseStore) clear() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.order, r.byID, r.items, r.bytes = nil, nil, nil, 0
}
