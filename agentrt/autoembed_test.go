package agentrt_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/agentrt/agentrt/agentrt"
	"github.com/agentrt/agentrt/agentrt/autoembed"
	"github.com/agentrt/agentrt/agentrt/jobs"
	"github.com/agentrt/agentrt/internal/apptest"
	"github.com/agentrt/agentrt/vector/embed"
	"github.com/agentrt/agentrt/vector/embed/hashing"
	"github.com/agentrt/agentrt/vector/vectorfield"
	"github.com/pocketbase/pocketbase/core"
)

const autoDim = 16

// newAutoApp has the collection "docs" with a vector of title and body.
func newAutoApp(t *testing.T, model string, change ...func(*agentrt.Config)) *app {
	t.Helper()
	a := newApp(t, nil, change...)
	c := core.NewBaseCollection("docs")
	c.Fields.Add(&core.TextField{Name: "title"}, &core.TextField{Name: "body"}, &core.NumberField{Name: "n"},
		&vectorfield.Field{Name: "v", Dimensions: autoDim, Embed: &vectorfield.Embed{From: "{{title}}: {{body}}", Model: model}})
	if err := a.Save(c); err != nil {
		t.Fatal(err)
	}
	return a
}

func (a *app) doc(id string) *core.Record {
	a.t.Helper()
	record, err := a.FindRecordById("docs", id)
	if err == nil {
		err = vectorfield.Of(a.PocketBase).Load(a.t.Context(), a.PocketBase, "v", record)
	}
	if err != nil {
		a.t.Fatal(err)
	}
	return record
}

func (a *app) newDoc(values map[string]any) *core.Record {
	a.t.Helper()
	c, err := a.FindCollectionByNameOrId("docs")
	if err != nil {
		a.t.Fatal(err)
	}
	record := core.NewRecord(c)
	record.Load(values)
	if err := a.Save(record); err != nil {
		a.t.Fatal(err)
	}
	return record
}

func soon(t *testing.T, what string, f func() bool) {
	t.Helper()
	for end := time.Now().Add(60 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if f() {
			return
		}
	}
	t.Fatalf("%s: not within a minute", what)
}

// idle waits until no job is left to run, and returns how many there were.
func (a *app) idle() (n int) {
	a.t.Helper()
	soon(a.t, "the jobs end", func() bool {
		list, _, err := a.Engine.Jobs().List(a.t.Context(), jobs.Filter{Topic: autoembed.Topic, Limit: 500})
		if err != nil {
			a.t.Fatal(err)
		}
		n = len(list)
		return !slices.ContainsFunc(list, func(i jobs.Info) bool { return !i.State.Final() })
	})
	return n
}

func (a *app) wantVector(id, text string) {
	a.t.Helper()
	var want []float32
	if text != "" {
		want = hashing.New(autoDim).Embed(text)
	}
	soon(a.t, fmt.Sprintf("the vector of %q", text), func() bool {
		return slices.Equal(vectorfield.ValueOf(a.doc(id), "v").Numbers(), want)
	})
}

func TestAutoembed(t *testing.T) {
	a := newAutoApp(t, "hashing")
	r := a.newDoc(map[string]any{"title": "Cats", "body": "sleep"})
	a.wantVector(r.Id, "Cats: sleep")
	updated := a.doc(r.Id).GetString("updated")
	before := a.idle()

	// What changes no text enqueues nothing, and neither does the vector's own write.
	r = a.doc(r.Id)
	r.Set("n", 5)
	if err := a.Save(r); err != nil {
		t.Fatal(err)
	}
	if n := a.idle(); n != before || before != 1 {
		t.Errorf("%d jobs, then %d; want 1", before, n)
	}
	if got := a.doc(r.Id).GetString("updated"); got != updated {
		t.Errorf("the vector's write changed updated from %s to %s", updated, got)
	}

	r.Set("body", "hunt")
	if err := a.Save(r); err != nil {
		t.Fatal(err)
	}
	a.wantVector(r.Id, "Cats: hunt")

	// A transaction that is rolled back leaves no job.
	before = a.idle()
	failed := errors.New("no")
	err := a.RunInTransaction(func(tx core.App) error {
		r, err := tx.FindRecordById("docs", r.Id)
		if err != nil {
			return err
		}
		r.Set("body", "never")
		if err := tx.Save(r); err != nil {
			return err
		}
		return failed
	})
	if !errors.Is(err, failed) {
		t.Fatal(err)
	}
	if n := a.idle(); n != before {
		t.Errorf("%d jobs after a rollback, want %d", n, before)
	}

	// Without a text there is no vector.
	r = a.doc(r.Id)
	r.Set("title", "")
	r.Set("body", "")
	if err := a.Save(r); err != nil {
		t.Fatal(err)
	}
	if v := vectorfield.ValueOf(a.doc(r.Id), "v"); v.Exists() {
		t.Errorf("a record without a text has the vector %v", v)
	}

	// A vector that is given stays until the text changes.
	given := make([]float32, autoDim)
	given[3] = 1
	g := a.newDoc(map[string]any{"title": "Given", "v": given})
	a.idle()
	if got := vectorfield.ValueOf(a.doc(g.Id), "v").Numbers(); !slices.Equal(got, given) {
		t.Errorf("a vector that was given became %v", got)
	}
	g = a.doc(g.Id)
	g.Set("title", "Other")
	if err := a.Save(g); err != nil {
		t.Fatal(err)
	}
	a.wantVector(g.Id, "Other: ")

	// A vector that is taken away comes back.
	g = a.doc(g.Id)
	g.Set("v", nil)
	if err := a.Save(g); err != nil {
		t.Fatal(err)
	}
	a.wantVector(g.Id, "Other: ")

	if err := a.Delete(a.doc(g.Id)); err != nil {
		t.Fatal(err)
	}
	a.idle()
}

// TestAutoembedMany writes from several goroutines; each vector is that of the last text.
func TestAutoembedMany(t *testing.T) {
	a := newAutoApp(t, "hashing")
	var work sync.WaitGroup
	ids := make([]string, 60)
	for g := range 6 {
		work.Go(func() {
			for k := g; k < len(ids); k += 6 {
				r := a.newDoc(map[string]any{"title": fmt.Sprint("doc ", k)})
				ids[k] = r.Id
				for version := range k % 4 {
					r.Set("body", fmt.Sprint("version ", version))
					if err := a.Save(r); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	work.Wait()
	for k, id := range ids {
		text := fmt.Sprintf("doc %d: ", k)
		if k%4 > 0 {
			text += fmt.Sprint("version ", k%4-1)
		}
		a.wantVector(id, text)
	}
}

// gated is a provider of one vector for all, which waits for the test.
type gated struct {
	arrived chan []string
	answer  chan int // status
}

func (g *gated) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var body struct{ Input []string }
	_ = json.NewDecoder(r.Body).Decode(&body)
	g.arrived <- body.Input
	status := <-g.answer
	w.WriteHeader(status)
	if status != http.StatusOK {
		_, _ = fmt.Fprint(w, `{"error":{"message":"no"}}`)
		return
	}
	type item struct {
		Index     int       `json:"index"`
		Embedding []float32 `json:"embedding"`
	}
	var data []item
	for k, text := range body.Input {
		data = append(data, item{k, hashing.New(autoDim).Embed(text)})
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"data": data})
}

func useProvider(t *testing.T, h http.Handler) func(*agentrt.Config) {
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return func(c *agentrt.Config) {
		c.AllowNet = append(c.AllowNet, strings.TrimPrefix(s.URL, "http://"))
		c.Embed = embed.Config{Providers: map[string]embed.ProviderConfig{"p": {BaseURL: s.URL, NoKey: true, MaxAttempts: 1}}}
	}
}

// TestAutoembedStale changes the text while it is being embedded.
func TestAutoembedStale(t *testing.T) {
	g := &gated{make(chan []string, 10), make(chan int, 10)}
	a := newAutoApp(t, "p/m", useProvider(t, g))
	r := a.newDoc(map[string]any{"title": "old"})
	if got := <-g.arrived; !slices.Equal(got, []string{"old: "}) {
		t.Fatalf("the provider got %q", got)
	}
	r.Set("title", "new")
	if err := a.Save(r); err != nil {
		t.Fatal(err)
	}
	if got := <-g.arrived; !slices.Equal(got, []string{"new: "}) { // beside the first
		t.Fatalf("the provider got %q", got)
	}
	g.answer <- http.StatusOK
	g.answer <- http.StatusOK
	a.wantVector(r.Id, "new: ")
	a.idle()
	a.wantVector(r.Id, "new: ")
}

// TestAutoembedFails ends in the dead letter, and goes on from there.
func TestAutoembedFails(t *testing.T) {
	g := &gated{make(chan []string, 100), make(chan int, 100)}
	a := newAutoApp(t, "p/m", useProvider(t, g))
	g.answer <- http.StatusBadRequest
	r := a.newDoc(map[string]any{"title": "text"})
	queue := a.Engine.Jobs()
	var job jobs.Info
	find := func(state jobs.State) func() bool {
		return func() bool {
			list, _, err := queue.List(t.Context(), jobs.Filter{Topic: autoembed.Topic, Limit: 10})
			if err != nil {
				t.Fatal(err)
			}
			if len(list) == 1 {
				job = list[0]
			}
			return len(list) == 1 && job.State == state
		}
	}
	soon(t, "the job fails", find(jobs.StateRetryable))
	if want := "v of docs " + r.Id + ": the embedding provider rejected the request (p/m)"; len(job.Errors) != 1 || !strings.Contains(job.Errors[0].Error, want) || job.MaxAttempts != autoembed.Attempts {
		t.Errorf("the job has %+v, want an error with %q", job, want)
	}
	for job.State != jobs.StateDiscarded { // as if time passed
		g.answer <- http.StatusInternalServerError
		if _, err := queue.Retry(t.Context(), job.ID); err != nil {
			t.Fatal(err)
		}
		attempt := job.Attempt
		soon(t, "the next attempt", func() bool { find("")(); return job.Attempt > attempt && job.State != jobs.StateRunning })
	}
	if job.Attempt != autoembed.Attempts {
		t.Errorf("%d attempts, want %d", job.Attempt, autoembed.Attempts)
	}
	g.answer <- http.StatusOK
	if _, err := queue.Retry(t.Context(), job.ID); err != nil {
		t.Fatal(err)
	}
	a.wantVector(r.Id, "text: ")
}

// TestBackfill runs it on the data of a server that has ended, interrupted once.
func TestBackfill(t *testing.T) {
	dir := t.TempDir()
	config := agentrt.Config{CacheDir: cacheDir}
	ids := []string{}
	first, err := apptest.Start(dir, nil, config, nil)
	if err != nil {
		t.Fatal(err)
	}
	a := &app{first, t}
	c := core.NewBaseCollection("docs")
	c.Fields.Add(&core.TextField{Name: "title"}, &vectorfield.Field{Name: "v", Dimensions: autoDim})
	if err := a.Save(c); err != nil {
		t.Fatal(err)
	}
	for k := range 300 {
		ids = append(ids, a.newDoc(map[string]any{"title": fmt.Sprint("title ", k)}).Id)
	}
	c.Fields.GetByName("v").(*vectorfield.Field).Embed = &vectorfield.Embed{From: "title", Model: "hashing"}
	if err := a.Save(c); err != nil {
		t.Fatal(err)
	}
	if err := a.Stop(); err != nil {
		t.Fatal(err)
	}

	run := func(limit int) (embedded int, err error) {
		t.Helper()
		second := core.NewBaseApp(core.BaseAppConfig{DataDir: dir + "/pb_data"})
		engine, err := agentrt.Register(second, config)
		if err != nil {
			t.Fatal(err)
		}
		if err := second.Bootstrap(); err != nil {
			t.Fatal(err)
		}
		defer func() {
			event := &core.TerminateEvent{App: second}
			if err := second.OnTerminate().Trigger(event, func(e *core.TerminateEvent) error { return e.App.ResetBootstrapState() }); err != nil && !errors.Is(err, agentrt.ErrNotStarted) {
				t.Error(err)
			}
		}()
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		last := 0
		err = engine.Backfill(ctx, "docs", func(p autoembed.Progress) {
			if p.Place != "docs.v" || p.Done <= last || p.Total != len(ids) {
				t.Errorf("progress is %+v after %d", p, last)
			}
			if last, embedded = p.Done, p.Embedded; last >= limit {
				cancel()
			}
		})
		return embedded, err
	}
	n, err := run(100)
	if !errors.Is(err, context.Canceled) || n == 0 || n == len(ids) {
		t.Fatalf("interrupted: %d, %v", n, err)
	}
	if rest, err := run(1000); err != nil || n+rest != len(ids) {
		t.Errorf("%d, then %d records were embedded of %d: %v", n, rest, len(ids), err)
	}
	if again, err := run(1000); err != nil || again != 0 {
		t.Errorf("again %d records: %v", again, err)
	}
	third, err := apptest.Start(dir, nil, config, nil)
	if err != nil {
		t.Fatal(err)
	}
	a = &app{third, t}
	defer func() {
		if err := a.Stop(); err != nil {
			t.Error(err)
		}
	}()
	for k := range ids {
		if k%50 == 0 {
			a.wantVector(ids[k], fmt.Sprint("title ", k))
		}
	}
}
