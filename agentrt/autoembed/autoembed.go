// Package autoembed computes the vectors of fields that have the option embed: a
// write of a record enqueues a job in its transaction, the job embeds the text, and
// writes the vector if the text is still the same.
//
// What a vector was made of is known by a hash of text, model and dimension, so a
// write that changes none of them enqueues nothing, and Backfill finds what is
// missing or stale, after a change of model or template too. The job writes without
// the record's hooks: it leads to no further job.
package autoembed

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"time"

	"github.com/agentrt/agentrt/agentrt/autoembed/sourcestore"
	"github.com/agentrt/agentrt/agentrt/jobs"
	"github.com/agentrt/agentrt/vector/embed"
	"github.com/agentrt/agentrt/vector/vectorfield"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"
)

// Topic is that of the jobs.
const Topic = jobs.ReservedPrefix + "embed"

// How the jobs run.
const (
	// Attempts of a job until it is in the dead letter, about half an hour later.
	Attempts = 8
	// Concurrency is how many jobs run at a time; texts for one model that wait
	// together are sent together.
	Concurrency = 64
	timeout     = 5 * time.Minute
	firstDelay  = 5 * time.Second
	longest     = 10 * time.Minute
)

// Embedder turns texts into vectors; *embed.Service is one.
type Embedder interface {
	Embed(ctx context.Context, model string, texts []string, dimensions int) (embed.Embeddings, error)
}

// Auto embeds the texts of one app's records.
type Auto struct {
	queue    *jobs.Queue
	vectors  *vectorfield.Vectors
	embedder Embedder
	batches  batcher
	created  atomic.Bool
	warned   atomic.Int64 // when a full queue was reported, Unix seconds
}

// Register binds to the hooks of app and takes Topic of queue. Call it after
// vectorfield.Register.
func Register(app core.App, queue *jobs.Queue, vectors *vectorfield.Vectors, embedder Embedder) (*Auto, error) {
	a := &Auto{queue: queue, vectors: vectors, embedder: embedder}
	a.batches.embedder = embedder
	err := queue.Handle(Topic, func(ctx context.Context, job jobs.Job) error { return a.work(ctx, app, job) },
		jobs.HandlerOptions{Concurrency: Concurrency, Timeout: timeout, MaxAttempts: Attempts, Backoff: &jobs.Backoff{Delay: firstDelay, Max: longest}})
	if err != nil {
		return nil, err
	}
	// Inside of vectorfield's hooks of the same priority: in their transaction.
	write := &hook.Handler[*core.RecordEvent]{Id: "agentrtAutoembed", Priority: 98, Func: a.write}
	app.OnRecordCreateExecute().Bind(write)
	app.OnRecordUpdateExecute().Bind(write)
	app.OnRecordDeleteExecute().Bind(&hook.Handler[*core.RecordEvent]{Id: "agentrtAutoembed", Priority: 98, Func: a.remove})
	return a, nil
}

// create makes the table once.
func (a *Auto) create(ctx context.Context, app core.App) error {
	if a.created.Load() {
		return nil
	}
	if err := sourcestore.Create(ctx, app); err != nil {
		return err
	}
	// One that was made in a transaction may vanish with it.
	a.created.Store(!app.IsTransactional())
	return nil
}

// Open makes the table and forgets what belonged to fields that are gone.
func (a *Auto) Open(ctx context.Context, app core.App) error {
	if err := a.create(ctx, app); err != nil {
		return err
	}
	places, err := a.places(app, "")
	if err != nil {
		return err
	}
	names := []string{}
	for _, p := range places {
		names = append(names, p.Field.Space(p.Collection).Name)
	}
	return sourcestore.Keep(ctx, app.NonconcurrentDB(), names)
}

func embedded(c *core.Collection) (fields []*vectorfield.Field) {
	if c.IsView() {
		return nil
	}
	for _, f := range vectorfield.Fields(c) {
		if f.Embed != nil {
			fields = append(fields, f)
		}
	}
	return fields
}

// hashOf identifies what a vector is made of.
func hashOf(f *vectorfield.Field, text string) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\n%d\n%s", f.Embed.Model, f.Dimensions, text))
	return hex.EncodeToString(sum[:])
}

// payload of a job; ids, so that renaming does not matter.
type payload struct {
	Collection string `json:"collection"`
	Field      string `json:"field"`
	Record     string `json:"record"`
}

func (a *Auto) write(e *core.RecordEvent) error {
	fields := embedded(e.Record.Collection())
	if len(fields) == 0 {
		return e.Next()
	}
	for _, f := range fields {
		// A record without a text has no vector.
		if v := vectorfield.ValueOf(e.Record, f.Name); v.Exists() && !v.Changed() && strings.TrimSpace(f.Embed.Render(e.Record)) == "" {
			e.Record.Set(f.Name, nil)
		}
	}
	isNew := e.Record.IsNew()
	if err := e.Next(); err != nil {
		return err
	}
	if err := a.create(e.Context, e.App); err != nil {
		return err
	}
	for _, f := range fields {
		if err := a.enqueue(e.Context, e.App, e.Record, f, isNew); err != nil {
			return fmt.Errorf("field %s: %w", f.Name, err)
		}
	}
	return nil
}

func (a *Auto) enqueue(ctx context.Context, app core.App, record *core.Record, f *vectorfield.Field, isNew bool) error {
	db, space := app.NonconcurrentDB(), f.Space(record.Collection()).Name
	text := f.Embed.Render(record)
	value := vectorfield.ValueOf(record, f.Name)
	switch hash := hashOf(f, text); {
	case strings.TrimSpace(text) == "" && isNew:
		return nil
	case strings.TrimSpace(text) == "":
		return sourcestore.Delete(ctx, db, space, record.Id)
	case value.Exists() && value.Changed(): // a vector that was given stays until the text changes
		return sourcestore.Put(ctx, db, space, record.Id, hash)
	case value.Exists():
		known, err := sourcestore.Get(ctx, db, space, record.Id)
		if err != nil || known == hash {
			return err
		}
	}
	_, err := a.queue.Enqueue(ctx, app, Topic, payload{record.Collection().Id, f.ID, record.Id}, jobs.EnqueueOptions{})
	if errors.Is(err, jobs.ErrFull) {
		// The record counts more: Backfill finds it.
		if now := time.Now().Unix(); now-a.warned.Swap(now) > 60 {
			app.Logger().Warn(`too many records wait for their vectors; run "agentrt vectors backfill" for the others`, slog.String("collection", record.Collection().Name))
		}
		return nil
	}
	return err
}

func (a *Auto) remove(e *core.RecordEvent) error {
	fields := embedded(e.Record.Collection())
	if err := e.Next(); err != nil || len(fields) == 0 {
		return err
	}
	if err := a.create(e.Context, e.App); err != nil {
		return err
	}
	for _, f := range fields {
		if err := sourcestore.Delete(e.Context, e.App.NonconcurrentDB(), f.Space(e.Record.Collection()).Name, e.Record.Id); err != nil {
			return err
		}
	}
	return nil
}
