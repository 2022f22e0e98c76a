package benchmarks

import (
	"errors"
	"net/http"
	"path/filepath"
	"sync"
	"testing"

	"github.com/agentrt/agentrt/agentrt"
	"github.com/agentrt/agentrt/internal/apptest"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/plugins/jsvm"
)

// BenchmarkHello compares, in one server, a function in a fresh instance per
// request with a route of PocketBase's own JavaScript hooks, whose runtimes are
// shared between requests, and with a route in Go; one client and fifty.
func BenchmarkHello(b *testing.B) {
	dir := b.TempDir()
	hooks := filepath.Join(dir, "pb_hooks")
	if err := apptest.Write(hooks, map[string]string{"main.pb.js": `routerAdd("GET", "/hooks/hello", (e) => e.json(200, { hello: "world" }));`}); err != nil {
		b.Fatal(err)
	}
	app, err := apptest.Start(dir, map[string]string{"src/routes/hello.ts": httpRoutes["src/routes/hello.ts"]}, agentrt.Config{}, func(app core.App) error {
		app.OnServe().BindFunc(func(e *core.ServeEvent) error {
			e.Router.GET("/go/hello", func(e *core.RequestEvent) error { return e.JSON(http.StatusOK, map[string]string{"hello": "world"}) })
			return e.Next()
		})
		return jsvm.Register(app, jsvm.Config{HooksDir: hooks, HooksPoolSize: 15})
	})
	if err != nil {
		b.Fatal(err)
	}
	defer app.Stop()
	bench := &httpBench{app: app, client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 2000}}}
	for _, clients := range []int{1, 50} {
		for _, route := range []struct{ name, url string }{
			{"agentrt", app.Functions + "/hello"}, {"hooks", app.URL + "/hooks/hello"}, {"go", app.URL + "/go/hello"},
		} {
			b.Run(route.name+map[int]string{1: "/1client", 50: "/50clients"}[clients], func(b *testing.B) {
				var work sync.WaitGroup
				errs := make([]error, clients)
				for k := range clients {
					work.Go(func() {
						for range b.N/clients + 1 {
							if _, err := bench.get(b.Context(), route.url); err != nil {
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
			})
		}
	}
}
