package benchmarks

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/agentrt/agentrt/agentrt"
	"github.com/agentrt/agentrt/compat/modelserver"
	"github.com/agentrt/agentrt/internal/apptest"
)

func BenchmarkRelay(b *testing.B) {
	model := httptest.NewServer(modelserver.New(modelserver.Config{Timestamps: true}))
	defer model.Close()
	config := agentrt.Config{Env: map[string]string{"MODEL": model.URL}, AllowNet: []string{strings.TrimPrefix(model.URL, "http://")}}
	app, err := apptest.Start(b.TempDir(), httpRoutes, config, nil)
	if err != nil {
		b.Fatal(err)
	}
	defer app.Stop()
	bench := &httpBench{app: app, client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 2000}}}
	for _, tokens := range []int{1, 201} {
		b.Run(fmt.Sprint(tokens), func(b *testing.B) {
			body := fmt.Sprintf(`{"model":"bench;tokens=%d;delay=0s","stream":true,"messages":[{"role":"user","content":"count"}]}`, tokens)
			for b.Loop() {
				if _, err := bench.stream(b.Context(), body); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
