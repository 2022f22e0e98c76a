package autoembed

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/agentrt/agentrt/agentrt/autoembed/sourcestore"
	"github.com/agentrt/agentrt/agentrt/jobs"
	"github.com/agentrt/agentrt/vector"
	"github.com/agentrt/agentrt/vector/embed"
	"github.com/agentrt/agentrt/vector/vectorfield"
	"github.com/pocketbase/pocketbase/core"
)

// work embeds the text of a record as it is now. Records, fields and options that
// are gone need nothing.
func (a *Auto) work(ctx context.Context, app core.App, job jobs.Job) error {
	var p payload
	if err := json.Unmarshal(job.Payload, &p); err != nil {
		return fmt.Errorf("the payload: %w", err)
	}
	record, f, err := find(app, p)
	if err != nil || f == nil {
		return err
	}
	text := f.Embed.Render(record)
	hash := hashOf(f, text)
	if done, err := a.upToDate(ctx, app, record, f, hash); err != nil || done || strings.TrimSpace(text) == "" {
		return err
	}
	numbers, err := a.batches.embed(ctx, f.Embed.Model, f.Dimensions, text)
	if err != nil {
		return postponed(record, f, err)
	}
	_, err = a.put(ctx, app, p, []result{{record.Id, hash, numbers}})
	return err
}

func find(app core.App, p payload) (*core.Record, *vectorfield.Field, error) {
	c, err := app.FindCachedCollectionByNameOrId(p.Collection)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	f, ok := c.Fields.GetById(p.Field).(*vectorfield.Field)
	if !ok || f.Embed == nil {
		return nil, nil, nil
	}
	record, err := app.FindRecordById(c, p.Record)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil, nil
	}
	return record, f, err
}

func (a *Auto) upToDate(ctx context.Context, app core.App, record *core.Record, f *vectorfield.Field, hash string) (bool, error) {
	if !vectorfield.ValueOf(record, f.Name).Exists() {
		return false, nil
	}
	known, err := sourcestore.Get(ctx, app.ConcurrentDB(), f.Space(record.Collection()).Name, record.Id)
	return known == hash, err
}

// postponed says which record an error is of. A provider that asks to wait does not
// cost an attempt.
func postponed(record *core.Record, f *vectorfield.Field, err error) error {
	if e, ok := errors.AsType[*embed.Error](err); ok && e.Kind == embed.ErrRateLimited && e.RetryAfter > 0 && e.RetryAfter <= time.Hour {
		return jobs.Postpone(e.RetryAfter)
	}
	return fmt.Errorf("%s of %s %s: %w", f.Name, record.Collection().Name, record.Id, err)
}

// result is the vector of a text with the hash.
type result struct {
	record, hash string
	numbers      []float32
}

// put writes the vectors of records whose texts are still the same, and returns how
// many. The others have a job of their own.
func (a *Auto) put(ctx context.Context, app core.App, p payload, results []result) (written int, err error) {
	err = app.RunInTransaction(func(tx core.App) error {
		written = 0
		for _, r := range results {
			record, f, err := find(tx, payload{p.Collection, p.Field, r.record})
			if err != nil {
				return err
			}
			if f == nil || hashOf(f, f.Embed.Render(record)) != r.hash {
				continue
			}
			if err := a.vectors.Set(ctx, tx, record.Collection(), f.Name, vector.Item{ID: r.record, Vector: r.numbers}); err != nil {
				return err
			}
			if err := sourcestore.Put(ctx, tx.NonconcurrentDB(), f.Space(record.Collection()).Name, r.record, r.hash); err != nil {
				return err
			}
			written++
		}
		return nil
	})
	return written, err
}
