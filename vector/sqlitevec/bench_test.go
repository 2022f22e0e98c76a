package sqlitevec_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/agentrt/agentrt/vector"
	"github.com/agentrt/agentrt/vector/sqlitevec"
	"github.com/pocketbase/pocketbase/core"
)

func BenchmarkPut(b *testing.B) {
	app := core.NewBaseApp(core.BaseAppConfig{DataDir: b.TempDir()})
	if err := app.Bootstrap(); err != nil {
		b.Fatal(err)
	}
	defer terminate(app)
	s, err := sqlitevec.New(b.Context(), app, sqlitevec.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	if err := s.Create(b.Context(), nil, vector.Space{Name: "x", Dim: 768, Metric: vector.Cosine}); err != nil {
		b.Fatal(err)
	}
	v := make([]float32, 768)
	for i := range v {
		v[i] = rand.Float32()
	}
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
