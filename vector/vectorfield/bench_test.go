package vectorfield_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/agentrt/agentrt/vector/vectorfield"
	"github.com/pocketbase/pocketbase/core"
)

// BenchmarkSearchesBesideWrites takes the times of searches, alone and while 200
// records a second are written, and of those writes; then with rebuilds of the index
// one after another besides.
func BenchmarkSearchesBesideWrites(b *testing.B) {
	for _, rebuilds := range []bool{false, true} {
		b.Run(fmt.Sprintf("rebuilds=%v", rebuilds), func(b *testing.B) { searchesBesideWrites(b, rebuilds) })
	}
}

func searchesBesideWrites(b *testing.B, rebuilds bool) {
	e := open(b, b.TempDir(), 5000)
	c, owners := e.owned()
	random := rand.New(rand.NewPCG(1, 2))
	record := func(app core.App) error {
		r := core.NewRecord(c)
		r.Load(map[string]any{"owner": owners[random.IntN(2)].Id, "title": "word", "embedding": randomVector(random)})
		return app.Save(r)
	}
	e.bulk(c, owners[0].Id, 10_000)
	places, err := e.vectors.Places(e, "owned")
	e.must(err)
	e.must(e.vectors.Reindex(b.Context(), e, places[0], nil))
	info := &core.RequestInfo{Context: core.RequestInfoContextDefault, Auth: owners[0]}
	queries := rand.New(rand.NewPCG(3, 4))
	search := func() []time.Duration {
		var times []time.Duration
		for range 300 {
			query := vectorfield.Query{Vector: randomVector(queries), Top: 10}
			start := time.Now()
			if _, err := e.vectors.Search(b.Context(), e, c, info, query); err != nil {
				b.Fatal(err)
			}
			times = append(times, time.Since(start))
		}
		return times
	}
	report := func(name string, times []time.Duration) {
		slices.Sort(times)
		b.ReportMetric(float64(times[len(times)/2].Microseconds())/1000, name+"_p50_ms")
		b.ReportMetric(float64(times[len(times)*95/100].Microseconds())/1000, name+"_p95_ms")
		b.ReportMetric(float64(times[len(times)-1].Microseconds())/1000, name+"_max_ms")
	}
	for b.Loop() {
		report("alone", search())
		ctx, cancel := context.WithCancel(b.Context())
		var work sync.WaitGroup
		var writes []time.Duration
		work.Go(func() {
			tick := time.NewTicker(5 * time.Millisecond)
			defer tick.Stop()
			for ctx.Err() == nil {
				<-tick.C
				start := time.Now()
				if err := record(e); err != nil {
					b.Error(err)
					return
				}
				writes = append(writes, time.Since(start))
			}
		})
		work.Go(func() {
			for rebuilds && ctx.Err() == nil {
				if err := e.vectors.Reindex(ctx, e, places[0], nil); err != nil && ctx.Err() == nil {
					b.Error(err)
				}
			}
		})
		report("beside", search())
		cancel()
		work.Wait()
		report("write", writes)
	}
}
