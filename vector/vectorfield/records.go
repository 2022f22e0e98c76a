package vectorfield

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/agentrt/agentrt/vector"
	"github.com/agentrt/agentrt/vector/fulltext"
	"github.com/pocketbase/dbx"
	validation "github.com/pocketbase/ozzo-validation/v4"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"
)

func (v *Vectors) bindRecords(app core.App) {
	write := &hook.Handler[*core.RecordEvent]{Id: hookID, Priority: beforeSystem, Func: v.write}
	app.OnRecordCreateExecute().Bind(write)
	app.OnRecordUpdateExecute().Bind(write)
	app.OnRecordDeleteExecute().Bind(&hook.Handler[*core.RecordEvent]{Id: hookID, Priority: afterSystem, Func: v.remove})
	app.OnRecordEnrich().Bind(&hook.Handler[*core.RecordEnrichEvent]{Id: hookID, Priority: -98, Func: v.enrich})
}

// write puts a record and its vectors into one transaction.
func (v *Vectors) write(e *core.RecordEvent) error {
	fields := storedFields(e.Record.Collection())
	if len(fields) == 0 {
		return e.Next()
	}
	app := e.App
	err := app.RunInTransaction(func(tx core.App) error {
		e.App = tx
		isNew := e.Record.IsNew()
		for _, f := range fields {
			if err := f.storable(valueOf(e.Record, f.Name), isNew); err != nil {
				return validation.Errors{f.Name: err}
			}
		}
		if err := e.Next(); err != nil {
			return err
		}
		return v.put(e.Context, tx, e.Record, isNew, fields)
	})
	e.App = app
	return err
}

func (v *Vectors) put(ctx context.Context, app core.App, record *core.Record, isNew bool, fields []*Field) error {
	store, texts, err := v.opened()
	if err != nil {
		return err
	}
	tx := app.NonconcurrentDB()
	for _, f := range fields {
		name, value := f.Space(record.Collection()).Name, valueOf(record, f.Name)
		switch {
		case value.changed && value.sum != "":
			err = store.Put(ctx, tx, name, vector.Item{ID: record.Id, Vector: value.numbers})
		case value.changed && !isNew:
			err = store.Delete(ctx, tx, name, record.Id)
		}
		if err == nil && len(f.TextFields()) > 0 {
			err = texts.Put(ctx, tx, name, f.document(record))
		}
		if err != nil {
			return fmt.Errorf("field %s: %w", f.Name, err)
		}
	}
	return nil
}

// document is what hybrid searches know of a record.
func (f *Field) document(record *core.Record) fulltext.Document {
	d := fulltext.Document{ID: record.Id}
	for _, name := range f.TextFields() {
		d.Texts = append(d.Texts, textOf(record, name))
	}
	return d
}

func (v *Vectors) remove(e *core.RecordEvent) error {
	fields := storedFields(e.Record.Collection())
	if len(fields) == 0 {
		return e.Next()
	}
	if err := e.Next(); err != nil {
		return err
	}
	store, texts, err := v.opened()
	if err != nil {
		return err
	}
	tx := e.App.NonconcurrentDB()
	for _, f := range fields {
		name := f.Space(e.Record.Collection()).Name
		if err := errors.Join(store.Delete(e.Context, tx, name, e.Record.Id), texts.Delete(e.Context, tx, name, e.Record.Id)); err != nil {
			return fmt.Errorf("field %s: %w", f.Name, err)
		}
	}
	return nil
}

// Set writes vectors of a field without its records' hooks, validation of other
// fields and "updated" dates, in one transaction, which it joins if app stands for
// one. A nil vector takes away; ids of no record are left out. Bad vectors give
// a *vector.InputError.
func (v *Vectors) Set(ctx context.Context, app core.App, c *core.Collection, field string, items ...vector.Item) error {
	f, err := fieldOf(c, field)
	if err != nil {
		return err
	}
	store, _, err := v.opened()
	if err != nil {
		return err
	}
	name := f.Space(c).Name
	return app.RunInTransaction(func(tx core.App) error {
		db := tx.NonconcurrentDB()
		for _, item := range items {
			sum := ""
			if item.Vector != nil {
				sum = checksumOf(item.Vector)
			}
			result, err := db.Update(c.Name, dbx.Params{f.Name: sum}, dbx.HashExp{"id": item.ID}).WithContext(ctx).Execute()
			if err != nil {
				return fmt.Errorf("field %s of record %q: %w", f.Name, item.ID, err)
			}
			if n, err := result.RowsAffected(); err != nil || n == 0 {
				if err != nil {
					return err
				}
				continue
			}
			if item.Vector == nil {
				err = store.Delete(ctx, db, name, item.ID)
			} else {
				err = store.Put(ctx, db, name, item)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// Load reads the vectors of records in a field, so that the records' values have
// their numbers. Values that were set stay. The collection must not be a view.
func (v *Vectors) Load(ctx context.Context, app core.App, field string, records ...*core.Record) error {
	store, _, err := v.opened()
	if err != nil {
		return err
	}
	for _, record := range records {
		f, err := fieldOf(record.Collection(), field)
		if err != nil {
			return err
		}
		if value := valueOf(record, f.Name); value.Loaded() || value.changed {
			continue
		}
		numbers, err := store.Get(ctx, txOf(app), f.Space(record.Collection()).Name, record.Id)
		if err != nil {
			return err
		}
		value := Value{numbers: numbers}
		if numbers != nil {
			value.sum = checksumOf(numbers)
		}
		record.SetRaw(f.Name, value)
	}
	return nil
}

// fieldOf finds a vector field by name.
func fieldOf(c *core.Collection, name string) (*Field, error) {
	if f, ok := c.Fields.GetByName(name).(*Field); ok && !c.IsView() {
		return f, nil
	}
	return nil, fmt.Errorf("vectors: %q has no vector field %q", c.Name, name)
}

// enrich leaves vectors out of responses, unless the query's fields name them.
func (v *Vectors) enrich(e *core.RecordEnrichEvent) error {
	fields := Fields(e.Record.Collection())
	record := e.Record
	if err := e.Next(); err != nil || len(fields) == 0 {
		return err
	}
	wanted := namedFields(e.RequestInfo)
	for _, f := range fields {
		if !slices.Contains(wanted, f.Name) || record.Collection().IsView() {
			record.Hide(f.Name)
			continue
		}
		// Enriching has no context of its own.
		if err := v.Load(context.Background(), e.App, f.Name, record); err != nil {
			return err
		}
	}
	return nil
}

// namedFields are the last parts of the paths in the query's fields.
func namedFields(info *core.RequestInfo) []string {
	if info == nil || info.Query["fields"] == "" {
		return nil
	}
	var names []string
	for path := range strings.SplitSeq(info.Query["fields"], ",") {
		path, _, _ = strings.Cut(strings.TrimSpace(path), ":")
		names = append(names, path[strings.LastIndexByte(path, '.')+1:])
	}
	return names
}
