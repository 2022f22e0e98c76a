package benchmarks

import (
	"errors"
	"net/http"
	"sync"
	"testing"

	"github.com/agentrt/agentrt/agentrt"
	"github.com/agentrt/agentrt/internal/apptest"
)

func BenchmarkHello50(b *testing.B) {
	app, err := apptest.Start(b.TempDir(), map[string]string{"src/routes/hello.ts": httpRoutes["src/routes/hello.ts"]}, agentrt.Config{}, nil)
	if err != nil {
		b.Fatal(err)
	}
	defer app.Stop()
	bench := &httpBench{app: app, client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 2000}}}
	b.ResetTimer()
	const clients = 50
	var work sync.WaitGroup
	errs := make([]error, clients)
	for k := range clients {
		work.Go(func() {
			for range b.N / clients {
				if _, err := bench.get(b.Context(), app.Functions+"/hello"); err != nil {
					errs[k] = err
					return
				}
			}
		})
	}
	work.Wait()
	if err := errors.Join(errs...); err != nil {
		b.Fatal(err)
	}
}
