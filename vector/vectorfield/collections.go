package vectorfield

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/agentrt/agentrt/vector"
	"github.com/pocketbase/dbx"
	validation "github.com/pocketbase/ozzo-validation/v4"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"
)

// Priorities next to PocketBase's own Execute hooks, which have 99: ahead of them,
// and within the transaction that those for deleting open.
const (
	beforeSystem = 98
	afterSystem  = 100
)

func (v *Vectors) bindCollections(app core.App) {
	save := &hook.Handler[*core.CollectionEvent]{Id: hookID, Priority: beforeSystem, Func: v.saveCollection}
	app.OnCollectionCreateExecute().Bind(save)
	app.OnCollectionUpdateExecute().Bind(save)
	app.OnCollectionDeleteExecute().Bind(&hook.Handler[*core.CollectionEvent]{Id: hookID, Priority: afterSystem, Func: func(e *core.CollectionEvent) error {
		if err := e.Next(); err != nil {
			return err
		}
		return v.sync(e.Context, e.App, e.Collection, nil)
	}})
}

// saveCollection puts a collection and its spaces into one transaction.
func (v *Vectors) saveCollection(e *core.CollectionEvent) error {
	old, err := e.App.FindCachedCollectionByNameOrId(e.Collection.Id) // still as it was
	if err != nil || e.Collection.IsNew() {
		old = nil
	}
	if len(storedFields(old)) == 0 && len(storedFields(e.Collection)) == 0 {
		return e.Next()
	}
	app := e.App
	err = app.RunInTransaction(func(tx core.App) error {
		e.App = tx
		if err := e.Next(); err != nil {
			return err
		}
		return v.sync(e.Context, tx, old, e.Collection)
	})
	e.App = app
	return err
}

// sync makes the spaces of c as its fields want them; old is c as it was.
func (v *Vectors) sync(ctx context.Context, app core.App, old, c *core.Collection) error {
	before, after := storedFields(old), storedFields(c)
	if len(before) == 0 && len(after) == 0 {
		return nil
	}
	store, texts, err := v.opened()
	if err != nil {
		return err
	}
	tx := app.NonconcurrentDB()
	for _, f := range before {
		if !slices.ContainsFunc(after, func(other *Field) bool { return other.ID == f.ID }) {
			name := f.Space(old).Name
			if err := errors.Join(store.Drop(ctx, tx, name), texts.Drop(ctx, tx, name)); err != nil {
				return err
			}
		}
	}
	for i, f := range after {
		if err := f.create(ctx, store, tx, c); err != nil {
			return validation.Errors{"fields": validation.Errors{fmt.Sprint(i): validation.Errors{"dimensions": err}}}
		}
		was := slices.IndexFunc(before, func(other *Field) bool { return other.ID == f.ID })
		if was < 0 || !slices.Equal(before[was].TextFields(), f.TextFields()) {
			if err := v.indexTexts(ctx, app, c, f, nil); err != nil {
				return err
			}
		}
	}
	return nil
}

// storedFields are the vector fields of c that have a space.
func storedFields(c *core.Collection) []*Field {
	if c == nil || c.IsView() {
		return nil
	}
	return Fields(c)
}

// create makes the field's space, or one of other dimensions or metric if it is empty.
func (f *Field) create(ctx context.Context, store vector.Store, tx dbx.Builder, c *core.Collection) error {
	space := f.Space(c)
	err := store.Create(ctx, tx, space)
	if !errors.Is(err, vector.ErrSpace) {
		return err
	}
	if n, countErr := store.Count(ctx, tx, space.Name); n > 0 || countErr != nil {
		return errors.Join(err, countErr)
	}
	if err := store.Drop(ctx, tx, space.Name); err != nil {
		return err
	}
	return store.Create(ctx, tx, space)
}
