package sqlitevec_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/agentrt/agentrt/vector"
	"github.com/agentrt/agentrt/vector/sqlitevec"
	"github.com/pocketbase/pocketbase/core"
)

func started(b *testing.B) core.App {
	app := core.NewBaseApp(core.BaseAppConfig{DataDir: b.TempDir()})
	if err := app.Bootstrap(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { terminate(app) })
	return app
}

// indexed returns an app with the space "x" of 100,000 vectors of 768 dimensions.
func indexed(b *testing.B) core.App {
	app := started(b)
	s := opened(b, app)
	if err := s.Create(b.Context(), nil, vector.Space{Name: "x", Dim: 768, Metric: vector.Cosine}); err != nil {
		b.Fatal(err)
	}
	for n := 0; n < 100_000; n += 1000 {
		items := make([]vector.Item, 1000)
		for i := range items {
			items[i] = vector.Item{ID: fmt.Sprintf("r%014d", n+i), Vector: random()}
		}
		if err := s.Put(b.Context(), nil, "x", items...); err != nil {
			b.Fatal(err)
		}
	}
	if err := s.Rebuild(b.Context(), "x", nil); err != nil {
		b.Fatal(err)
	}
	if err := s.Close(); err != nil {
		b.Fatal(err)
	}
	return app
}

func random() []float32 {
	v := make([]float32, 768)
	for k := range v {
		v[k] = rand.Float32() - 0.5
	}
	return v
}

func opened(b *testing.B, app core.App) *sqlitevec.Store {
	s, err := sqlitevec.New(b.Context(), app, sqlitevec.Options{})
	if err != nil {
		b.Fatal(err)
	}
	return s
}

func BenchmarkPut(b *testing.B) {
	s := opened(b, started(b))
	defer s.Close()
	if err := s.Create(b.Context(), nil, vector.Space{Name: "x", Dim: 768, Metric: vector.Cosine}); err != nil {
		b.Fatal(err)
	}
	v := random()
	n := 0
	for b.Loop() {
		items := make([]vector.Item, 1000)
		for i := range items {
			items[i] = vector.Item{ID: fmt.Sprintf("r%014d", n), Vector: v}
			n++
		}
		if err := s.Put(b.Context(), nil, "x", items...); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "vectors/s")
}

// BenchmarkLoad reads the codes into memory, as a start does.
func BenchmarkLoad(b *testing.B) {
	app := indexed(b)
	for b.Loop() {
		s := opened(b, app)
		if err := s.Load(b.Context()); err != nil {
			b.Fatal(err)
		}
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSearch(b *testing.B) {
	s := opened(b, indexed(b))
	defer s.Close()
	if err := s.Load(b.Context()); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := s.Search(b.Context(), nil, "x", vector.Query{Vector: random(), Top: 10}); err != nil {
			b.Fatal(err)
		}
	}
}
