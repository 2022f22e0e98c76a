package sqlitevec_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/agentrt/agentrt/vector"
	"github.com/agentrt/agentrt/vector/sqlitevec"
	"github.com/pocketbase/pocketbase/core"
)

// BenchmarkLoad reads the codes of 100,000 vectors into memory, as a start does.
func BenchmarkLoad(b *testing.B) {
	app := core.NewBaseApp(core.BaseAppConfig{DataDir: b.TempDir()})
	if err := app.Bootstrap(); err != nil {
		b.Fatal(err)
	}
	defer terminate(app)
	s, err := sqlitevec.New(b.Context(), app, sqlitevec.Options{})
	if err != nil {
		b.Fatal(err)
	}
	if err := s.Create(b.Context(), nil, vector.Space{Name: "x", Dim: 768, Metric: vector.Cosine}); err != nil {
		b.Fatal(err)
	}
	v := make([]float32, 768)
	for n := 0; n < 100_000; n += 1000 {
		items := make([]vector.Item, 1000)
		for i := range items {
			for k := range v {
				v[k] = rand.Float32() - 0.5
			}
			items[i] = vector.Item{ID: fmt.Sprintf("r%014d", n+i), Vector: append([]float32(nil), v...)}
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
	for b.Loop() {
		s, err := sqlitevec.New(b.Context(), app, sqlitevec.Options{})
		if err != nil {
			b.Fatal(err)
		}
		if err := s.Load(b.Context()); err != nil {
			b.Fatal(err)
		}
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(b.Elapsed().Seconds()*1000/float64(b.N), "ms/load")
}
