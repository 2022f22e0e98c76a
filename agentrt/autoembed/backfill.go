package autoembed

import (
	"context"
	"fmt"
	"github.com/pocketbase/dbx"
	"strings"

	"github.com/agentrt/agentrt/agentrt/autoembed/sourcestore"
	"github.com/agentrt/agentrt/vector/vectorfield"
	"github.com/pocketbase/pocketbase/core"
)

// backfillPage is how many records are read, embedded and written at once.
const backfillPage = 128

// Progress is how far Backfill is in a field.
type Progress struct {
	// Place is the collection's and the field's name.
	Place string
	// Done and Total count records, Embedded those that got a vector.
	Done, Total, Embedded int
}

// places are the fields with the option embed.
func (a *Auto) places(app core.App, collection string) ([]vectorfield.Place, error) {
	all, err := a.vectors.Places(app, collection)
	if err != nil {
		return nil, err
	}
	var places []vectorfield.Place
	for _, p := range all {
		if p.Field.Embed != nil {
			places = append(places, p)
		}
	}
	return places, nil
}

// Backfill embeds the texts of all records that have no vector, or that of another
// text, model or dimension: of one collection, or of all if its name is empty. It
// may run beside a server. What was done stays: after an interruption it goes on
// where it was. report, if not nil, is called after each page.
func (a *Auto) Backfill(ctx context.Context, app core.App, collection string, report func(Progress)) error {
	if err := a.create(ctx, app); err != nil {
		return err
	}
	places, err := a.places(app, collection)
	if err != nil {
		return err
	}
	if len(places) == 0 && collection != "" {
		return fmt.Errorf("vectors: %q has no vector field with the option embed", collection)
	}
	for _, p := range places {
		if err := a.backfill(ctx, app, p, report); err != nil {
			return fmt.Errorf("%s: %w", p, err)
		}
	}
	return nil
}

func (a *Auto) backfill(ctx context.Context, app core.App, p vectorfield.Place, report func(Progress)) error {
	total, err := app.CountRecords(p.Collection)
	if err != nil {
		return err
	}
	progress := Progress{Place: p.String(), Total: int(total)}
	for last := ""; ; {
		if err := context.Cause(ctx); err != nil {
			return err
		}
		records := []*core.Record{}
		err := app.RecordQuery(p.Collection).AndWhere(after(last)).OrderBy("id").Limit(backfillPage).WithContext(ctx).All(&records)
		if err != nil {
			return err
		}
		if len(records) == 0 {
			return nil
		}
		last = records[len(records)-1].Id
		n, err := a.embedPage(ctx, app, p, records)
		if err != nil {
			return err
		}
		progress.Done += len(records)
		progress.Total, progress.Embedded = max(progress.Total, progress.Done), progress.Embedded+n
		if report != nil {
			report(progress)
		}
	}
}

func (a *Auto) embedPage(ctx context.Context, app core.App, p vectorfield.Place, records []*core.Record) (int, error) {
	ids := make([]string, len(records))
	for k, r := range records {
		ids[k] = r.Id
	}
	known, err := sourcestore.GetMany(ctx, app.ConcurrentDB(), p.Field.Space(p.Collection).Name, ids)
	if err != nil {
		return 0, err
	}
	var results []result
	var texts []string
	for _, r := range records {
		text := p.Field.Embed.Render(r)
		hash := hashOf(p.Field, text)
		if strings.TrimSpace(text) == "" || known[r.Id] == hash && vectorfield.ValueOf(r, p.Field.Name).Exists() {
			continue
		}
		results, texts = append(results, result{record: r.Id, hash: hash}), append(texts, text)
	}
	if len(texts) == 0 {
		return 0, nil
	}
	e, err := a.embedder.Embed(ctx, p.Field.Embed.Model, texts, p.Field.Dimensions)
	if err != nil {
		return 0, err
	}
	for k := range results {
		results[k].numbers = e.Vectors[k]
	}
	return a.put(ctx, app, payload{Collection: p.Collection.Id, Field: p.Field.ID}, results)
}

func after(id string) dbx.Expression {
	return dbx.NewExp("[[id]] > {:last}", dbx.Params{"last": id})
}
