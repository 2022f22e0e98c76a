package modelserver

import (
	"encoding/json"
	"net/http"
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
	body  json.RawMessage // the response object, once it is complete
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

// complete keeps the response object of a stored response.
func (r *responseStore) complete(object *responseObject) {
	body := appendJSON(nil, object)
	r.mu.Lock()
	defer r.mu.Unlock()
	if stored := r.byID[object.ID]; stored != nil {
		stored.body = body
		stored.bytes += len(body)
		r.bytes += len(body)
	}
}

// object returns the response object, nil if it is not complete yet.
func (r *responseStore) object(id string) (body json.RawMessage, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	stored, ok := r.byID[id]
	if ok {
		body = stored.body
	}
	return body, ok
}

func (r *responseStore) delete(id string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	stored, ok := r.byID[id]
	if !ok {
		return false
	}
	for _, item := range stored.items {
		delete(r.items, item)
	}
	r.bytes -= stored.bytes
	delete(r.byID, id)
	r.order = slices.DeleteFunc(r.order, func(other string) bool { return other == id })
	return true
}

func noResponse(id string) error {
	return &apiError{status: http.StatusNotFound, param: "id", message: "Response with id '" + id + "' not found. The last 256 stored responses are kept."}
}

func getResponse(x *exchange, id string) error {
	if _, err := x.configure(""); err != nil {
		return err
	}
	body, ok := x.srv.responses.object(id)
	switch {
	case !ok:
		return noResponse(id)
	case body == nil:
		x.write(http.StatusOK, map[string]any{"id": id, "object": "response", "status": "in_progress", "output": []any{}})
	default:
		x.write(http.StatusOK, body)
	}
	return nil
}

func deleteResponse(x *exchange, id string) error {
	if !x.srv.responses.delete(id) {
		return noResponse(id)
	}
	x.write(http.StatusOK, map[string]any{"id": id, "object": "response", "deleted": true})
	return nil
}
