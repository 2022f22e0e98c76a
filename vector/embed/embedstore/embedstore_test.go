package embedstore_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/agentrt/agentrt/compat/modelserver"
	"github.com/agentrt/agentrt/vector/embed"
	"github.com/agentrt/agentrt/vector/embed/embedstore"
	"github.com/pocketbase/pocketbase/core"
	_ "github.com/pocketbase/pocketbase/migrations" // PocketBase's own tables
)

func newApp(t *testing.T) core.App {
	t.Helper()
	app := core.NewBaseApp(core.BaseAppConfig{DataDir: t.TempDir()})
	if err := app.Bootstrap(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := app.ResetBootstrapState(); err != nil {
			t.Error(err)
		}
	})
	if err := embedstore.Create(t.Context(), app); err != nil {
		t.Fatal(err)
	}
	return app
}

func entry(n byte, dim int) embed.Entry {
	return embed.Entry{Key: embed.Key{n}, Vector: slices.Repeat([]float32{float32(n) + 0.5}, dim)}
}

func TestStore(t *testing.T) {
	ctx, store := t.Context(), embedstore.New(newApp(t))
	if err := store.Write(ctx, []embed.Entry{entry(1, 3), entry(2, 4)}, []embed.Key{{9}}, nil, 1<<20); err != nil {
		t.Fatal(err)
	}
	keys := []embed.Key{{1}, {2}, {3}}
	for k := range 1200 { // more than one statement
		keys = append(keys, embed.Key{100, byte(k), byte(k >> 8)})
	}
	got, err := store.Vectors(ctx, keys)
	if err != nil || len(got) != 2 || !slices.Equal(got[embed.Key{1}], entry(1, 3).Vector) || !slices.Equal(got[embed.Key{2}], entry(2, 4).Vector) {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestEviction(t *testing.T) {
	ctx, app := t.Context(), newApp(t)
	store := embedstore.New(app)
	const row = 400 + 64
	for k := range byte(10) {
		if err := store.Write(ctx, []embed.Entry{entry(k, 100)}, nil, nil, 10*row); err != nil {
			t.Fatal(err)
		}
		if _, err := app.NonconcurrentDB().NewQuery(fmt.Sprintf(`UPDATE "_agentrt_embeddings" SET "used" = %d WHERE "key" = x'%02x%062d'`, 1000+int(k), k, 0)).Execute(); err != nil {
			t.Fatal(err)
		}
	}
	// Key 0 is used again, so keys 1 and 2 are the oldest.
	if err := store.Write(ctx, []embed.Entry{entry(10, 100)}, []embed.Key{{0}}, nil, 10*row); err != nil {
		t.Fatal(err)
	}
	var all []embed.Key
	for k := range byte(11) {
		all = append(all, embed.Key{k})
	}
	got, err := store.Vectors(ctx, all)
	if err != nil {
		t.Fatal(err)
	}
	for k, key := range all {
		if want := k != 1 && k != 2; (got[key] != nil) != want {
			t.Errorf("key %d is kept: %v, want %v", k, got[key] != nil, want)
		}
	}
}

// TestService embeds through a model server with the cache in a database.
func TestService(t *testing.T) {
	var requests atomic.Int64
	models := modelserver.New(modelserver.Config{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		models.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	ctx, app := t.Context(), newApp(t)
	start := func(address string) *embed.Service {
		r, err := embed.NewRegistry(embed.Config{Providers: map[string]embed.ProviderConfig{"p": {BaseURL: address + "/v1", NoKey: true}}},
			func(context.Context, string) (string, bool, error) { return "", false, nil }, http.DefaultTransport)
		if err != nil {
			t.Fatal(err)
		}
		s := embed.NewService(r)
		s.Start(embedstore.New(app), func(err error) { t.Error(err) })
		return s
	}
	stop := func(s *embed.Service) {
		if err := s.Close(context.Background()); err != nil {
			t.Error(err)
		}
	}
	check := func(s *embed.Service, texts []string, cached int, wantRequests int64) {
		t.Helper()
		r, err := s.Embed(ctx, "p/m", texts, 0)
		if err != nil {
			t.Fatal(err)
		}
		if r.Cached != cached || requests.Load() != wantRequests || len(r.Vectors) != len(texts) {
			t.Errorf("%d cached, %d requests; want %d, %d", r.Cached, requests.Load(), cached, wantRequests)
		}
	}
	s := start(server.URL)
	check(s, []string{"a", "b", "a"}, 0, 1)
	check(s, []string{"a", "b"}, 2, 1) // pending
	stop(s)
	s = start(server.URL)
	check(s, []string{"b", "c"}, 1, 2) // from the database
	if _, err := s.Embed(ctx, "p/m2;fault=400", []string{"a"}, 0); err == nil {
		t.Error("a request with a fault succeeds")
	}
	usage, err := s.Usage(ctx, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	day := time.Now().UTC().Format(time.DateOnly)
	want := []embed.Usage{{Day: day, Model: "p/m", Requests: 2, Texts: 3, Tokens: 3, Cached: 3}, {Day: day, Model: "p/m2;fault=400", Requests: 1, Failures: 1}}
	if !slices.Equal(usage, want) {
		t.Errorf("usage is %+v, want %+v", usage, want)
	}
	stop(s)
	s = start(server.URL + "/other/..") // another server by its name
	if _, err := s.Embed(ctx, "p/m", []string{"a"}, 0); err == nil {
		t.Error("a vector of another server was used")
	}
	stop(s)
}

// TestInTransaction: a caller may hold the one connection that writes.
func TestInTransaction(t *testing.T) {
	server := httptest.NewServer(modelserver.New(modelserver.Config{}))
	t.Cleanup(server.Close)
	app := newApp(t)
	r, err := embed.NewRegistry(embed.Config{Providers: map[string]embed.ProviderConfig{"p": {BaseURL: server.URL + "/v1", NoKey: true}}},
		func(context.Context, string) (string, bool, error) { return "", false, nil }, http.DefaultTransport)
	if err != nil {
		t.Fatal(err)
	}
	s := embed.NewService(r)
	s.Start(embedstore.New(app), func(err error) { t.Error(err) })
	err = app.RunInTransaction(func(tx core.App) error {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		_, err := s.Embed(ctx, "p/m", []string{"a"}, 0)
		return err
	})
	if err != nil {
		t.Error(err)
	}
	if err := s.Close(context.Background()); err != nil {
		t.Error(err)
	}
}
