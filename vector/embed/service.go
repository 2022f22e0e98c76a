package embed

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"sync"
	"time"
)

// Key identifies a vector in the cache: the SHA-256 of model, server, length and text.
type Key [sha256.Size]byte

// Entry is a vector in the cache.
type Entry struct {
	Key    Key
	Vector []float32
}

// Usage is what was asked of a model on a day.
type Usage struct {
	// Day is "2006-01-02", in UTC.
	Day   string `json:"day" db:"day"`
	Model string `json:"model" db:"model"`
	// Requests to the provider, Texts sent with them, and Tokens charged for.
	Requests int64 `json:"requests" db:"requests"`
	Texts    int64 `json:"texts" db:"texts"`
	Tokens   int64 `json:"tokens" db:"tokens"`
	// Cached texts were not sent, since their vectors were known.
	Cached int64 `json:"cached" db:"cached"`
	// Failures are calls that ended with an error.
	Failures int64 `json:"failures" db:"failures"`
}

// Store keeps vectors and usage, see package embedstore.
type Store interface {
	// Vectors returns those of the keys that are known.
	Vectors(ctx context.Context, keys []Key) (map[Key][]float32, error)
	// Write adds vectors and usage, marks vectors as used, and removes those used
	// longest ago until all have at most maxBytes.
	Write(ctx context.Context, add []Entry, used []Key, usage []Usage, maxBytes int64) error
	// Usage returns the usage of days from since on, the newest first.
	Usage(ctx context.Context, since time.Time) ([]Usage, error)
}

// Limits of what waits to be written.
const (
	flushEvery   = 2 * time.Second
	maxPending   = 16 << 20 // bytes of vectors; beyond it they are not kept
	maxUsed      = 10_000
	defaultCache = 128 << 20
)

// Service embeds texts by the names of models. Vectors and usage are written behind,
// every two seconds and by Close, so that callers may hold a transaction; a process
// that is killed loses that much of them. It is safe for concurrent use.
type Service struct {
	registry *Registry
	maxBytes int64

	mu      sync.Mutex
	store   Store // nil before Start
	pending map[Key][]float32
	size    int
	used    map[Key]struct{}
	usage   map[usageKey]*Usage

	writing sync.Mutex // one write at a time
	end     context.CancelFunc
	done    chan struct{}
}

type usageKey struct{ day, model string }

// NewService returns a service without cache until Start.
func NewService(registry *Registry) *Service {
	maxBytes := registry.config.CacheBytes
	def(&maxBytes, defaultCache)
	return &Service{registry: registry, maxBytes: max(maxBytes, 0), pending: map[Key][]float32{}, used: map[Key]struct{}{}, usage: map[usageKey]*Usage{}}
}

// Start begins to use store. report gets errors of writing.
func (s *Service) Start(store Store, report func(error)) {
	ctx, end := context.WithCancel(context.Background())
	s.mu.Lock()
	s.store, s.end, s.done = store, end, make(chan struct{})
	s.mu.Unlock()
	go func() {
		defer close(s.done)
		ticker := time.NewTicker(flushEvery)
		defer ticker.Stop()
		for {
			select {
			case <-ticker.C:
				if err := s.Flush(ctx); err != nil && ctx.Err() == nil {
					report(err)
				}
			case <-ctx.Done():
				return
			}
		}
	}()
}

// Close writes what is pending and ends the work in the background. Without Start it
// does nothing.
func (s *Service) Close(ctx context.Context) error {
	s.mu.Lock()
	end, done := s.end, s.done
	s.end = nil
	s.mu.Unlock()
	if end == nil {
		return nil
	}
	end()
	<-done
	return s.Flush(ctx)
}

// Embeddings are vectors of texts.
type Embeddings struct {
	// Model is the full name.
	Model string
	// Vectors are in the order of the texts, of the length Dimensions.
	Vectors    [][]float32
	Dimensions int
	// Tokens and Requests are what this call cost, Cached the number of different
	// texts whose vectors were known.
	Tokens, Requests, Cached int
}

// Embed returns a vector for each text: at most MaxTexts of MaxText bytes each,
// MaxTotal together, none empty. model may be empty for the default; dimensions, if
// not 0, is the length wanted. Equal texts are sent once, known ones not at all.
// Errors are *Error, those of the context, or of the store.
func (s *Service) Embed(ctx context.Context, model string, texts []string, dimensions int) (Embeddings, error) {
	m, err := s.registry.Find(ctx, model)
	if err != nil {
		return Embeddings{}, err
	}
	if err := checkDimensions(m.Name, dimensions); err != nil {
		return Embeddings{}, err
	}
	if err := checkTexts(m.Name, texts); err != nil {
		return Embeddings{}, err
	}
	out := Embeddings{Model: m.Name, Vectors: make([][]float32, len(texts))}
	if len(texts) == 0 {
		return out, nil
	}
	if m.Local {
		r, err := m.Provider.Embed(ctx, texts, dimensions)
		if err != nil {
			return out, err
		}
		out.Vectors, out.Dimensions = r.Vectors, len(r.Vectors[0])
		return out, nil
	}
	err = s.remote(ctx, m, texts, dimensions, &out)
	return out, err
}

func (s *Service) remote(ctx context.Context, m Model, texts []string, dimensions int, out *Embeddings) error {
	keys := make([]Key, len(texts))
	for k, text := range texts {
		keys[k] = m.key(text, dimensions)
	}
	known, err := s.known(ctx, keys)
	if err != nil {
		return err
	}
	out.Cached = len(known)
	var missing []string
	var wanted []Key
	asked := map[Key]bool{}
	for k, key := range keys {
		if known[key] == nil && !asked[key] {
			asked[key] = true
			missing, wanted = append(missing, texts[k]), append(wanted, key)
		}
	}
	if len(missing) > 0 {
		r, err := m.Provider.Embed(ctx, missing, dimensions)
		out.Tokens, out.Requests = r.Tokens, r.Requests
		s.record(m.Name, r, len(known), err, wanted)
		if err != nil {
			return err
		}
		for k, key := range wanted {
			known[key] = r.Vectors[k]
		}
	} else {
		s.record(m.Name, Result{}, len(known), nil, nil)
	}
	out.Dimensions = len(known[keys[0]])
	for k, key := range keys {
		if out.Vectors[k] = known[key]; len(out.Vectors[k]) != out.Dimensions {
			return wrongDimension(m.Name, len(out.Vectors[k]), out.Dimensions, "the model behind the name has changed: name another dimension or clear the cache")
		}
	}
	return nil
}

func (m Model) key(text string, dimensions int) Key {
	h := sha256.New()
	h.Write(m.identity[:])
	h.Write(binary.LittleEndian.AppendUint32(nil, uint32(dimensions)))
	h.Write([]byte(text))
	return Key(h.Sum(nil))
}

// known returns the vectors that are pending or in the store, and marks them as used.
func (s *Service) known(ctx context.Context, keys []Key) (map[Key][]float32, error) {
	found := map[Key][]float32{}
	var rest []Key
	s.mu.Lock()
	store := s.store
	for _, key := range keys {
		if v := s.pending[key]; v != nil {
			found[key] = v
		} else {
			rest = append(rest, key)
		}
	}
	s.mu.Unlock()
	if store == nil || len(rest) == 0 || s.maxBytes == 0 {
		return found, nil
	}
	stored, err := store.Vectors(ctx, rest)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for key, v := range stored {
		found[key] = v
		if len(s.used) < maxUsed {
			s.used[key] = struct{}{}
		}
	}
	return found, nil
}

// record takes the vectors of what was answered, even if a later batch failed.
func (s *Service) record(model string, r Result, cached int, err error, keys []Key) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.store == nil {
		return
	}
	at := usageKey{time.Now().UTC().Format(time.DateOnly), model}
	u := s.usage[at]
	if u == nil {
		if len(s.usage) >= 1000 {
			return
		}
		u = &Usage{Day: at.day, Model: model}
		s.usage[at] = u
	}
	u.Requests += int64(r.Requests)
	u.Texts += int64(len(r.Vectors))
	u.Tokens += int64(r.Tokens)
	u.Cached += int64(cached)
	if err != nil {
		u.Failures++
	}
	if s.maxBytes == 0 {
		return
	}
	for k, v := range r.Vectors {
		if s.pending[keys[k]] != nil {
			continue
		}
		if s.size+4*len(v) > maxPending {
			return
		}
		s.pending[keys[k]] = v
		s.size += 4 * len(v)
	}
}

// Flush writes what is pending.
func (s *Service) Flush(ctx context.Context) error {
	s.writing.Lock()
	defer s.writing.Unlock()
	s.mu.Lock()
	store, pending, used, usage, size := s.store, s.pending, s.used, s.usage, s.size
	if store == nil || len(pending)+len(used)+len(usage) == 0 {
		s.mu.Unlock()
		return nil
	}
	add := make([]Entry, 0, len(pending))
	for key, v := range pending {
		add = append(add, Entry{key, v})
	}
	marks := make([]Key, 0, len(used))
	for key := range used {
		marks = append(marks, key)
	}
	counts := make([]Usage, 0, len(usage))
	for _, u := range usage {
		counts = append(counts, *u)
	}
	s.used, s.usage = map[Key]struct{}{}, map[usageKey]*Usage{}
	s.mu.Unlock()
	err := store.Write(ctx, add, marks, counts, s.maxBytes)
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil { // the vectors stay pending
		for at, u := range usage {
			if now := s.usage[at]; now != nil {
				u.add(*now)
			}
			s.usage[at] = u
		}
		return err
	}
	for _, e := range add {
		delete(s.pending, e.Key)
	}
	s.size -= size
	return nil
}

func (u *Usage) add(v Usage) {
	u.Requests += v.Requests
	u.Texts += v.Texts
	u.Tokens += v.Tokens
	u.Cached += v.Cached
	u.Failures += v.Failures
}

// Usage returns the usage of the days from since on, the newest first.
func (s *Service) Usage(ctx context.Context, since time.Time) ([]Usage, error) {
	if err := s.Flush(ctx); err != nil {
		return nil, err
	}
	s.mu.Lock()
	store := s.store
	s.mu.Unlock()
	if store == nil {
		return nil, nil
	}
	return store.Usage(ctx, since)
}
