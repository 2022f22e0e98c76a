package jobs_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/agentrt/agentrt/agentrt/jobs"
	"github.com/pocketbase/pocketbase/core"
	_ "github.com/pocketbase/pocketbase/migrations" // PocketBase's own tables
	"github.com/pocketbase/pocketbase/tools/archive"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	code := m.Run()
	if code == 0 {
		err := goleak.Find(
			// PocketBase's, which end only with the process.
			goleak.IgnoreAnyFunction("github.com/pocketbase/pocketbase/core.(*BaseApp).initLogger.func1"),
			goleak.IgnoreAnyFunction("database/sql.(*DB).connectionOpener"),
		)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	os.Exit(code)
}

func newApp(tb testing.TB, dir string) core.App {
	tb.Helper()
	app := core.NewBaseApp(core.BaseAppConfig{DataDir: dir})
	if err := app.Bootstrap(); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		event := &core.TerminateEvent{App: app}
		if err := app.OnTerminate().Trigger(event, func(e *core.TerminateEvent) error { return e.App.ResetBootstrapState() }); err != nil {
			tb.Error(err)
		}
	})
	return app
}

func start(tb testing.TB, app core.App, config jobs.Config) *jobs.Queue {
	tb.Helper()
	q := jobs.New(app, config)
	if err := q.Start(tb.Context()); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { stop(tb, q) })
	return q
}

func stop(tb testing.TB, q *jobs.Queue) {
	tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if err := q.Stop(ctx); err != nil {
		tb.Error(err)
	}
}

func handle(tb testing.TB, q *jobs.Queue, topic string, f jobs.Handler, o jobs.HandlerOptions) {
	tb.Helper()
	if err := q.Handle(topic, f, o); err != nil {
		tb.Fatal(err)
	}
}

func enqueue(tb testing.TB, q *jobs.Queue, app core.App, topic string, payload any, o jobs.EnqueueOptions) string {
	tb.Helper()
	id, err := q.Enqueue(tb.Context(), app, topic, payload, o)
	if err != nil {
		tb.Fatal(err)
	}
	return id
}

// wait polls until the job is in the state.
func wait(tb testing.TB, q *jobs.Queue, app core.App, id string, state jobs.State) jobs.Info {
	tb.Helper()
	for {
		info, err := q.Get(tb.Context(), app, id)
		if err != nil {
			tb.Fatal(err)
		}
		if info.State == state {
			return info
		}
		if info.State.Final() || tb.Context().Err() != nil {
			tb.Fatalf("job %s is %s, want %s: %+v", id, info.State, state, info)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func TestRun(t *testing.T) {
	app := newApp(t, t.TempDir())
	q := start(t, app, jobs.Config{})
	got := make(chan jobs.Job, 10)
	early := enqueue(t, q, app, "mail/sendWelcome-2", map[string]any{"to": "a"}, jobs.EnqueueOptions{})
	if info, err := q.Get(t.Context(), app, early); err != nil || info.State != jobs.StateAvailable || info.Worker || string(info.Payload) != `{"to":"a"}` || info.Topic != "mail/sendWelcome-2" {
		t.Fatalf("without a worker: %+v, %v", info, err)
	}
	handle(t, q, "mail/sendWelcome-2", func(_ context.Context, j jobs.Job) error {
		if err := j.Progress(0.5, []byte(`{"step":"half"}`)); err != nil {
			return err
		}
		if err := j.SetResult([]byte(`{"sent":true}`)); err != nil {
			return err
		}
		got <- j
		return nil
	}, jobs.HandlerOptions{})
	j := <-got
	if j.ID != early || j.Attempt != 1 || j.MaxAttempts != jobs.DefaultAttempts || string(j.Payload) != `{"to":"a"}` {
		t.Errorf("the handler got %+v", j)
	}
	info := wait(t, q, app, early, jobs.StateCompleted)
	if info.Progress == nil || info.Progress.N != 0.5 || string(info.Progress.Data) != `{"step":"half"}` || string(info.Result) != `{"sent":true}` || !info.Worker || info.FinishedAt == nil {
		t.Errorf("afterwards: %+v", info)
	}
	late := enqueue(t, q, app, "mail/sendWelcome-2", "text \x00 \u2028", jobs.EnqueueOptions{RunAt: time.Now().Add(1500 * time.Millisecond)})
	if info, err := q.Get(t.Context(), app, late); err != nil || info.State != jobs.StateScheduled {
		t.Errorf("a delayed job: %+v, %v", info, err)
	}
	j = <-got
	if time.Since(j.CreatedAt) < 1500*time.Millisecond {
		t.Errorf("a delayed job ran after %v", time.Since(j.CreatedAt))
	}
	if info := wait(t, q, app, late, jobs.StateCompleted); string(info.Payload) != `"text \u0000 \u2028"` {
		t.Errorf("payload %s", info.Payload)
	}
}

func TestTransaction(t *testing.T) {
	app := newApp(t, t.TempDir())
	q := start(t, app, jobs.Config{})
	var ran sync.Map
	handle(t, q, "t", func(_ context.Context, j jobs.Job) error { ran.Store(j.ID, true); return nil }, jobs.HandlerOptions{})
	refused := errors.New("rolled back")
	for _, end := range []error{refused, nil} {
		var id string
		err := app.RunInTransaction(func(tx core.App) (err error) {
			if id, err = q.Enqueue(t.Context(), tx, "t", 1, jobs.EnqueueOptions{}); err != nil {
				return err
			}
			if info, err := q.Get(t.Context(), tx, id); err != nil || info.State != jobs.StateAvailable {
				return fmt.Errorf("inside: %+v, %w", info, err)
			}
			if _, err := q.Get(t.Context(), app, id); !errors.Is(err, jobs.ErrNotFound) {
				return fmt.Errorf("from outside: %w", err)
			}
			return end
		})
		if err != end {
			t.Fatal(err)
		}
		if end == nil {
			wait(t, q, app, id, jobs.StateCompleted)
			continue
		}
		if _, err := q.Get(t.Context(), app, id); !errors.Is(err, jobs.ErrNotFound) {
			t.Errorf("rolled back: %v", err)
		}
	}
	n := 0
	ran.Range(func(any, any) bool { n++; return true })
	if n != 1 {
		t.Errorf("%d jobs ran", n)
	}
}

func TestFailures(t *testing.T) {
	app := newApp(t, t.TempDir())
	q := start(t, app, jobs.Config{Redact: func(text string) string { return strings.ReplaceAll(text, "hunter2", "[secret]") }})
	var attempts atomic.Int32
	handle(t, q, "fails", func(_ context.Context, j jobs.Job) error {
		attempts.Add(1)
		return fmt.Errorf("attempt %d with hunter2", j.Attempt)
	}, jobs.HandlerOptions{MaxAttempts: 3, Backoff: &jobs.Backoff{Delay: 10 * time.Millisecond, Fixed: true}})
	handle(t, q, "panics", func(context.Context, jobs.Job) error { panic("oh") }, jobs.HandlerOptions{MaxAttempts: 1})
	handle(t, q, "slow", func(ctx context.Context, _ jobs.Job) error { <-ctx.Done(); return ctx.Err() }, jobs.HandlerOptions{MaxAttempts: 1, Timeout: 10 * time.Millisecond})
	info := wait(t, q, app, enqueue(t, q, app, "fails", nil, jobs.EnqueueOptions{}), jobs.StateDiscarded)
	if attempts.Load() != 3 || len(info.Errors) != 3 || info.Errors[2].Error != "attempt 3 with [secret]" || info.Errors[2].Attempt != 3 {
		t.Errorf("%d attempts, %+v", attempts.Load(), info)
	}
	if again, err := q.Retry(t.Context(), info.ID); err != nil || again.State != jobs.StateAvailable {
		t.Errorf("retry: %+v, %v", again, err)
	}
	if info := wait(t, q, app, info.ID, jobs.StateDiscarded); len(info.Errors) != 4 {
		t.Errorf("after a replay: %+v", info)
	}
	if info := wait(t, q, app, enqueue(t, q, app, "panics", nil, jobs.EnqueueOptions{}), jobs.StateDiscarded); info.Errors[0].Error != "panic: oh" {
		t.Errorf("panic: %+v", info)
	}
	if info := wait(t, q, app, enqueue(t, q, app, "slow", nil, jobs.EnqueueOptions{}), jobs.StateDiscarded); !strings.Contains(info.Errors[0].Error, "longer than its timeout (10ms)") {
		t.Errorf("time-out: %+v", info)
	}
	stats, err := q.Stats(t.Context())
	if err != nil || len(stats) != 3 || stats[0].Topic != "fails" || stats[0].States[jobs.StateDiscarded] != 1 || !stats[0].Worker {
		t.Errorf("stats %+v, %v", stats, err)
	}
	list, next, err := q.List(t.Context(), jobs.Filter{States: []jobs.State{jobs.StateDiscarded}, Limit: 2})
	if err != nil || len(list) != 2 || next == "" || list[0].Topic != "slow" {
		t.Fatalf("list %+v, %q, %v", list, next, err)
	}
	if list, next, err = q.List(t.Context(), jobs.Filter{States: []jobs.State{jobs.StateDiscarded}, Limit: 2, Cursor: next}); err != nil || len(list) != 1 || next != "" || list[0].Topic != "fails" {
		t.Errorf("second page %+v, %q, %v", list, next, err)
	}
	if _, err := q.Discard(t.Context(), info.ID); err != nil {
		t.Error(err)
	}
	if _, err := q.Get(t.Context(), app, info.ID); !errors.Is(err, jobs.ErrNotFound) {
		t.Errorf("a removed job: %v", err)
	}
}

func TestCancelAndStop(t *testing.T) {
	dir := t.TempDir()
	app := newApp(t, dir)
	q := start(t, app, jobs.Config{})
	causes, begun := make(chan error, 3), make(chan string, 3)
	slow := func(ctx context.Context, j jobs.Job) error {
		begun <- j.ID
		<-ctx.Done()
		causes <- context.Cause(ctx)
		return errors.New("ended early")
	}
	handle(t, q, "slow", slow, jobs.HandlerOptions{})
	waiting := enqueue(t, q, app, "nobody", nil, jobs.EnqueueOptions{})
	if info, err := q.Cancel(t.Context(), app, waiting); err != nil || info.State != jobs.StateCancelled {
		t.Errorf("cancel of a waiting job: %+v, %v", info, err)
	}
	id := enqueue(t, q, app, "slow", nil, jobs.EnqueueOptions{})
	<-begun
	if _, err := q.Retry(t.Context(), id); !errors.Is(err, jobs.ErrState) {
		t.Errorf("retry of a running job: %v", err)
	}
	if _, err := q.Discard(t.Context(), id); !errors.Is(err, jobs.ErrState) {
		t.Errorf("removing a running job: %v", err)
	}
	if _, err := q.Cancel(t.Context(), app, id); err != nil {
		t.Fatal(err)
	}
	if cause := <-causes; !errors.Is(cause, jobs.ErrCancelled) {
		t.Errorf("cause %v", cause)
	}
	wait(t, q, app, id, jobs.StateCancelled)
	id = enqueue(t, q, app, "slow", nil, jobs.EnqueueOptions{MaxAttempts: 1})
	<-begun
	stop(t, q)
	if cause := <-causes; !errors.Is(cause, jobs.ErrStopping) {
		t.Errorf("cause %v", cause)
	}
	// The attempt does not count, hence it runs again.
	q = start(t, app, jobs.Config{})
	handle(t, q, "slow", func(_ context.Context, j jobs.Job) error { begun <- j.ID; return nil }, jobs.HandlerOptions{})
	if got := <-begun; got != id {
		t.Errorf("job %s ran, want %s", got, id)
	}
	if info := wait(t, q, app, id, jobs.StateCompleted); info.Attempt != 1 || len(info.Errors) != 0 {
		t.Errorf("%+v", info)
	}
}

func TestUnique(t *testing.T) {
	app := newApp(t, t.TempDir())
	q := start(t, app, jobs.Config{})
	unique := func(key string) jobs.EnqueueOptions { return jobs.EnqueueOptions{Unique: jobs.Unique{Key: key}} }
	first := enqueue(t, q, app, "u", 1, unique("a"))
	if id := enqueue(t, q, app, "u", 2, unique("a")); id != first {
		t.Errorf("a second job %s beside %s", id, first)
	}
	if id := enqueue(t, q, app, "u", 2, unique("b")); id == first {
		t.Error("another key is the same job")
	}
	if id := enqueue(t, q, app, "v", 2, unique("a")); id == first {
		t.Error("another topic is the same job")
	}
	err := app.RunInTransaction(func(tx core.App) error {
		if id, err := q.Enqueue(t.Context(), tx, "u", 3, unique("a")); err != nil || id != first {
			return fmt.Errorf("in a transaction: %s, %w", id, err)
		}
		second, err := q.Enqueue(t.Context(), tx, "u", 3, unique("c"))
		if err != nil {
			return err
		}
		if id, err := q.Enqueue(t.Context(), tx, "u", 3, unique("c")); err != nil || id != second {
			return fmt.Errorf("twice in a transaction: %s and %s, %w", id, second, err)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	var ids sync.Map
	var clients sync.WaitGroup
	for range 8 {
		clients.Go(func() {
			for k := range 20 {
				id, err := q.Enqueue(t.Context(), app, "race", k, unique(fmt.Sprint(k)))
				if err != nil {
					t.Error(err)
				}
				if other, loaded := ids.LoadOrStore(k, id); loaded && other != id {
					t.Errorf("key %d has the jobs %v and %s", k, other, id)
				}
			}
		})
	}
	clients.Wait()
	if _, err := q.Cancel(t.Context(), app, first); err != nil {
		t.Fatal(err)
	}
	if id := enqueue(t, q, app, "u", 2, unique("a")); id == first {
		t.Error("a cancelled job stands in")
	}
	handle(t, q, "p", func(context.Context, jobs.Job) error { return nil }, jobs.HandlerOptions{})
	periodic := jobs.EnqueueOptions{Unique: jobs.Unique{Key: "a", Period: 300 * 24 * time.Hour}}
	done := enqueue(t, q, app, "p", 1, periodic)
	wait(t, q, app, done, jobs.StateCompleted)
	if id := enqueue(t, q, app, "p", 1, periodic); id != done {
		t.Error("a second job in the period")
	}
}

func TestHold(t *testing.T) {
	dir := t.TempDir()
	app := newApp(t, dir)
	q := start(t, app, jobs.Config{})
	var ids []string
	for _, hold := range []string{"released", "dropped", "left"} {
		ids = append(ids, enqueue(t, q, app, "h", hold, jobs.EnqueueOptions{Hold: hold}))
	}
	if err := app.RunInTransaction(func(tx core.App) error { return q.Release(t.Context(), tx, "released") }); err != nil {
		t.Fatal(err)
	}
	if err := q.Drop(t.Context(), app, "dropped"); err != nil {
		t.Fatal(err)
	}
	stop(t, q)
	q = start(t, app, jobs.Config{})
	for k, want := range []error{nil, jobs.ErrNotFound, jobs.ErrNotFound} {
		if _, err := q.Get(t.Context(), app, ids[k]); !errors.Is(err, want) {
			t.Errorf("job %d: %v, want %v", k, err, want)
		}
	}
}

func TestRefused(t *testing.T) {
	app := newApp(t, t.TempDir())
	q := start(t, app, jobs.Config{MaxQueued: 3})
	for _, s := range []struct {
		name, topic string
		payload     any
		options     jobs.EnqueueOptions
		want        error
	}{
		{name: "empty topic", want: jobs.ErrTopic},
		{name: "sign first", topic: "/a", want: jobs.ErrTopic},
		{name: "blank", topic: "a b", want: jobs.ErrTopic},
		{name: "long topic", topic: strings.Repeat("a", 61), want: jobs.ErrTopic},
		{name: "capitals count twice", topic: strings.Repeat("A", 31), want: jobs.ErrTopic},
		{name: "large payload", topic: "a", payload: strings.Repeat("x", jobs.MaxPayload), want: jobs.ErrPayload},
		{name: "deep payload", topic: "a", payload: rawMessage(strings.Repeat("[", 300) + strings.Repeat("]", 300)), want: jobs.ErrPayload},
		{name: "no JSON", topic: "a", payload: func() {}, want: jobs.ErrPayload},
		{name: "priority", topic: "a", options: jobs.EnqueueOptions{Priority: 5}, want: jobs.ErrOption},
		{name: "attempts", topic: "a", options: jobs.EnqueueOptions{MaxAttempts: 101}, want: jobs.ErrOption},
		{name: "next century", topic: "a", options: jobs.EnqueueOptions{RunAt: time.Now().AddDate(100, 0, 0)}, want: jobs.ErrOption},
		{name: "unknown state", topic: "a", options: jobs.EnqueueOptions{Unique: jobs.Unique{Key: "a", States: []jobs.State{"asleep"}}}, want: jobs.ErrOption},
		{name: "period without a key", topic: "a", options: jobs.EnqueueOptions{Unique: jobs.Unique{Period: time.Hour}}, want: jobs.ErrOption},
	} {
		t.Run(s.name, func(t *testing.T) {
			if id, err := q.Enqueue(t.Context(), app, s.topic, s.payload, s.options); !errors.Is(err, s.want) || id != "" {
				t.Errorf("%q, %v", id, err)
			}
		})
	}
	for range 3 {
		enqueue(t, q, app, "full", 1, jobs.EnqueueOptions{})
	}
	if _, err := q.Enqueue(t.Context(), app, "full", 1, jobs.EnqueueOptions{}); !errors.Is(err, jobs.ErrFull) {
		t.Errorf("a fourth job: %v", err)
	}
	enqueue(t, q, app, "other", rawMessage(strings.Repeat("[", 190)+strings.Repeat("]", 190)), jobs.EnqueueOptions{})
	if err := q.Handle("other", nil, jobs.HandlerOptions{Concurrency: 1001}); !errors.Is(err, jobs.ErrOption) {
		t.Error(err)
	}
	handle(t, q, "other", func(context.Context, jobs.Job) error { return nil }, jobs.HandlerOptions{})
	if err := q.Handle("other", nil, jobs.HandlerOptions{}); !errors.Is(err, jobs.ErrTopicTaken) {
		t.Error(err)
	}
}

type rawMessage string

func (r rawMessage) MarshalJSON() ([]byte, error) { return []byte(r), nil }

// TestReplace changes the workers while jobs run.
func TestReplace(t *testing.T) {
	app := newApp(t, t.TempDir())
	q := start(t, app, jobs.Config{})
	var running, most atomic.Int32
	release := make(chan struct{})
	work := func(ctx context.Context, _ jobs.Job) error {
		n := running.Add(1)
		defer running.Add(-1)
		for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
		}
		select {
		case <-release:
		case <-ctx.Done():
		}
		return nil
	}
	replace := func(topics map[string]jobs.HandlerOptions) {
		t.Helper()
		if err := q.Replace(work, topics); err != nil {
			t.Fatal(err)
		}
	}
	handle(t, q, "agentrt.index", work, jobs.HandlerOptions{})
	replace(map[string]jobs.HandlerOptions{"a": {Concurrency: 2}, "b": {}})
	var ids []string
	for range 6 {
		ids = append(ids, enqueue(t, q, app, "a", nil, jobs.EnqueueOptions{}))
	}
	for running.Load() < 2 {
		time.Sleep(time.Millisecond)
	}
	replace(map[string]jobs.HandlerOptions{"b": {}}) // a keeps its jobs
	close(release)
	for running.Load() > 0 {
		time.Sleep(time.Millisecond)
	}
	stats, err := q.Stats(t.Context())
	if k := slices.IndexFunc(stats, func(s jobs.TopicStats) bool { return s.Topic == "a" }); err != nil || k < 0 || stats[k].Worker {
		t.Fatalf("%+v, %v", stats, err)
	}
	if info, err := q.Get(t.Context(), app, ids[5]); err != nil || info.State != jobs.StateAvailable || info.Worker {
		t.Errorf("a job without a worker: %+v, %v", info, err)
	}
	if most.Load() != 2 {
		t.Errorf("%d at a time", most.Load())
	}
	replace(map[string]jobs.HandlerOptions{"a": {Concurrency: 3}})
	for _, id := range ids {
		wait(t, q, app, id, jobs.StateCompleted)
	}
	if err := q.Replace(work, map[string]jobs.HandlerOptions{"agentrt.index": {}}); !errors.Is(err, jobs.ErrTopicTaken) {
		t.Error(err)
	}
}

// BenchmarkJobs enqueues and works on jobs in Go.
func BenchmarkJobs(b *testing.B) {
	app := newApp(b, b.TempDir())
	q := start(b, app, jobs.Config{MaxQueued: 1 << 30})
	done := make(chan struct{}, 1000)
	handle(b, q, "t", func(context.Context, jobs.Job) error { done <- struct{}{}; return nil }, jobs.HandlerOptions{})
	b.ResetTimer()
	var clients sync.WaitGroup
	for range 4 {
		clients.Go(func() {
			for range b.N / 4 {
				enqueue(b, q, app, "t", 1, jobs.EnqueueOptions{})
			}
		})
	}
	for range b.N / 4 * 4 {
		<-done
	}
	clients.Wait()
}

// TestBackup restores a backup that was made while jobs were enqueued: each job of
// the database's records is there, and only those.
func TestBackup(t *testing.T) {
	dir := t.TempDir()
	app := newApp(t, dir)
	q := start(t, app, jobs.Config{})
	if _, err := app.NonconcurrentDB().NewQuery(`CREATE TABLE "made" ("id" TEXT)`).Execute(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var clients sync.WaitGroup
	for range 2 {
		clients.Go(func() {
			for ctx.Err() == nil {
				err := app.RunInTransaction(func(tx core.App) error {
					id, err := q.Enqueue(t.Context(), tx, "nobody", 1, jobs.EnqueueOptions{})
					if err != nil {
						return err
					}
					_, err = tx.NonconcurrentDB().NewQuery(`INSERT INTO "made" VALUES ({:id})`).Bind(map[string]any{"id": id}).Execute()
					return err
				})
				if err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	for n := 0; n < 20; time.Sleep(time.Millisecond) {
		if err := app.ConcurrentDB().NewQuery(`SELECT count(*) FROM "made"`).Row(&n); err != nil {
			t.Fatal(err)
		}
	}
	err := app.CreateBackup(t.Context(), "b.zip")
	cancel()
	clients.Wait()
	if err != nil {
		t.Fatal(err)
	}
	restored := t.TempDir()
	if err := archive.Extract(filepath.Join(dir, core.LocalBackupsDirName, "b.zip"), restored); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(filepath.Join(restored, jobs.File)); err != nil || info.Size() == 0 {
		t.Fatal(info, err)
	}
	copied := newApp(t, restored)
	again := start(t, copied, jobs.Config{})
	enqueue(t, again, copied, "last", 1, jobs.EnqueueOptions{}) // the outbox has been moved
	var ids []string
	if err := copied.ConcurrentDB().NewQuery(`SELECT "id" FROM "made" ORDER BY CAST("id" AS INTEGER) DESC`).Column(&ids); err != nil || len(ids) < 20 {
		t.Fatal(ids, err)
	}
	var found []string
	for f := (jobs.Filter{Topic: "nobody", Limit: jobs.MaxPage}); ; {
		list, next, err := again.List(t.Context(), f)
		if err != nil {
			t.Fatal(err)
		}
		for _, j := range list {
			found = append(found, j.ID)
		}
		if f.Cursor = next; next == "" {
			break
		}
	}
	if !slices.Equal(ids, found) {
		t.Errorf("the records say %v, the queue has %v", ids, found)
	}
}
