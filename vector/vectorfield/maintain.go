package vectorfield

import (
	"context"
	"fmt"

	"github.com/agentrt/agentrt/vector"
	"github.com/agentrt/agentrt/vector/fulltext"
	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
)

// Progress is called with what is done of a total that may still grow.
type Progress func(done, total int)

// page is how many records are looked at in one step; a step that writes is a
// transaction.
const page = 200

// Place is a vector field of a collection.
type Place struct {
	Collection *core.Collection
	Field      *Field
}

func (p Place) String() string { return p.Collection.Name + "." + p.Field.Name }

// Places returns the vector fields of all collections, or those of one of that name
// or id.
func (v *Vectors) Places(app core.App, collection string) ([]Place, error) {
	var collections []*core.Collection
	if collection == "" {
		if err := app.CollectionQuery().OrderBy("name").All(&collections); err != nil {
			return nil, fmt.Errorf("vectors: reading the collections: %w", err)
		}
	} else {
		c, err := app.FindCollectionByNameOrId(collection)
		if err != nil {
			return nil, fmt.Errorf("vectors: there is no collection %q: %w", collection, err)
		}
		collections = append(collections, c)
	}
	var places []Place
	for _, c := range collections {
		for _, f := range storedFields(c) {
			places = append(places, Place{c, f})
		}
	}
	return places, nil
}

// Status is what there is in a field.
type Status struct {
	Place
	// Records is the number of records, Vectors of those with a vector, Documents
	// of those with words for hybrid searches.
	Records, Vectors, Documents int
	// Indexed says whether searches use an index; without one they compare every
	// vector, which small spaces do.
	Indexed bool
}

// Status counts.
func (v *Vectors) Status(ctx context.Context, app core.App, p Place) (Status, error) {
	s := Status{Place: p}
	store, texts, err := v.opened()
	if err != nil {
		return s, err
	}
	if i, ok := store.(interface {
		Indexed(ctx context.Context, name string) (bool, error)
	}); ok {
		if s.Indexed, err = i.Indexed(ctx, p.Field.Space(p.Collection).Name); err != nil {
			return s, err
		}
	}
	if s.Vectors, err = v.count(ctx, app, p.Collection, p.Field); err != nil {
		return s, err
	}
	if s.Documents, err = texts.Count(ctx, nil, p.Field.Space(p.Collection).Name); err != nil {
		return s, err
	}
	s.Records, err = countRecords(ctx, app.ConcurrentDB(), p.Collection)
	return s, err
}

func countRecords(ctx context.Context, db dbx.Builder, c *core.Collection) (n int, err error) {
	err = db.Select("count(*)").From(c.Name).WithContext(ctx).Row(&n)
	return n, err
}

// Reindex makes the indexes of a field anew, that of the vectors and that of the
// words, beside reads and writes.
func (v *Vectors) Reindex(ctx context.Context, app core.App, p Place, progress Progress) error {
	store, _, err := v.opened()
	if err != nil {
		return err
	}
	if err := store.Rebuild(ctx, p.Field.Space(p.Collection).Name, progress); err != nil {
		return err
	}
	return v.repairTexts(ctx, app, p, progress)
}

// indexTexts makes the index of the words of a field's records, in app's transaction.
func (v *Vectors) indexTexts(ctx context.Context, app core.App, c *core.Collection, f *Field, progress Progress) error {
	_, texts, err := v.opened()
	if err != nil {
		return err
	}
	tx, name := app.NonconcurrentDB(), f.Space(c).Name
	if len(f.TextFields()) == 0 {
		return texts.Drop(ctx, tx, name)
	}
	if err := texts.Create(ctx, tx, name, len(f.TextFields())); err != nil {
		return err
	}
	return pages(ctx, tx, Place{c, f}, progress, func(records []*core.Record) error {
		return texts.Put(ctx, tx, name, f.documents(records)...)
	})
}

// repairTexts indexes the words of records that are not, or wrongly, indexed.
func (v *Vectors) repairTexts(ctx context.Context, app core.App, p Place, progress Progress) error {
	_, texts, err := v.opened()
	if err != nil || len(p.Field.TextFields()) == 0 {
		return err
	}
	name := p.Field.Space(p.Collection).Name
	return pages(ctx, app.ConcurrentDB(), p, progress, func(records []*core.Record) error {
		_, wrong, err := texts.Check(ctx, nil, name, p.Field.documents(records)...)
		if err != nil || len(wrong) == 0 {
			return err
		}
		return app.RunInTransaction(func(tx core.App) error {
			// They may have changed since.
			records, err := tx.FindRecordsByIds(p.Collection, wrong)
			if err != nil {
				return err
			}
			db := tx.NonconcurrentDB()
			if err := texts.Delete(ctx, db, name, wrong...); err != nil {
				return err
			}
			return texts.Put(ctx, db, name, p.Field.documents(records)...)
		})
	})
}

func (f *Field) documents(records []*core.Record) []fulltext.Document {
	all := make([]fulltext.Document, len(records))
	for i, record := range records {
		all[i] = f.document(record)
	}
	return all
}

// pages calls f with all records in the order of their ids, a page at a time.
func pages(ctx context.Context, db dbx.Builder, p Place, progress Progress, f func([]*core.Record) error) error {
	total, err := countRecords(ctx, db, p.Collection)
	if err != nil {
		return err
	}
	last := ""
	for done := 0; ; {
		var rows []dbx.NullStringMap
		err := db.Select("*").From(p.Collection.Name).Where(dbx.NewExp("[[id]] > {:last}", dbx.Params{"last": last})).
			OrderBy("id").Limit(page).WithContext(ctx).All(&rows)
		if err != nil {
			return fmt.Errorf("vectors: reading %s: %w", p.Collection.Name, err)
		}
		if len(rows) == 0 {
			return nil
		}
		records := make([]*core.Record, len(rows))
		for i, row := range rows {
			records[i] = recordOf(p.Collection, row)
		}
		last = records[len(records)-1].Id
		if err := f(records); err != nil {
			return err
		}
		done += len(rows)
		if progress != nil {
			progress(done, max(done, total))
		}
	}
}

// recordOf makes a record of a row, as far as texts and checksums need.
func recordOf(c *core.Collection, row dbx.NullStringMap) *core.Record {
	record := core.NewRecord(c)
	for _, f := range c.Fields {
		if value := row[f.GetName()]; value.Valid {
			prepared, err := f.PrepareValue(record, value.String)
			if err == nil {
				record.SetRaw(f.GetName(), prepared)
			}
		}
	}
	return record
}

// Report is what Verify found in a field.
type Report struct {
	Place
	// Vectors is the number of records with the vector that they should have.
	Vectors int
	// Missing vectors are not in the store although the record has the checksum of
	// one, Wrong ones have another checksum, Stale ones belong to no record, or to
	// one that should have none.
	Missing, Wrong, Stale int
	// Index compares the vectors with their index.
	Index vector.Verification
	// Documents is the number of records whose words are indexed rightly,
	// WrongDocuments and StaleDocuments of the others.
	Documents, WrongDocuments, StaleDocuments int
}

// OK reports whether records, vectors and indexes agree.
func (r Report) OK() bool {
	return r.Missing == 0 && r.Wrong == 0 && r.Stale == 0 && r.Index.OK() && r.WrongDocuments == 0 && r.StaleDocuments == 0
}

// manyGetter is a store that reads several vectors at once.
type manyGetter interface {
	GetMany(ctx context.Context, tx dbx.Builder, name string, ids []string) (map[string][]float32, error)
}

// Verify compares the records of a field with the store in one state of the
// database, then the vectors with their index.
func (v *Vectors) Verify(ctx context.Context, app core.App, p Place, progress Progress) (r Report, err error) {
	r.Place = p
	store, _, err := v.opened()
	if err != nil {
		return r, err
	}
	db, ok := app.ConcurrentDB().(*dbx.DB)
	if !ok {
		return r, fmt.Errorf("vectors: verifying needs an app that stands for no transaction")
	}
	if err := db.TransactionalContext(ctx, nil, func(tx *dbx.Tx) error { return v.verify(ctx, tx, store, &r, progress) }); err != nil {
		return r, fmt.Errorf("vectors: verifying %s: %w", p, err)
	}
	r.Index, err = store.Verify(ctx, p.Field.Space(p.Collection).Name, progress)
	return r, err
}

func (v *Vectors) verify(ctx context.Context, tx *dbx.Tx, store vector.Store, r *Report, progress Progress) error {
	_, texts, err := v.opened()
	if err != nil {
		return err
	}
	name := r.Field.Space(r.Collection).Name
	err = pages(ctx, tx, r.Place, progress, func(records []*core.Record) error {
		stored, err := getMany(ctx, tx, store, name, records)
		if err != nil {
			return err
		}
		for _, record := range records {
			want, numbers := valueOf(record, r.Field.Name).sum, stored[record.Id]
			switch {
			case want == "":
			case numbers == nil:
				r.Missing++
			case checksumOf(numbers) != want:
				r.Wrong++
			default:
				r.Vectors++
			}
		}
		if len(r.Field.TextFields()) == 0 {
			return nil
		}
		right, wrong, err := texts.Check(ctx, tx, name, r.Field.documents(records)...)
		r.Documents, r.WrongDocuments = r.Documents+right, r.WrongDocuments+len(wrong)
		return err
	})
	if err != nil {
		return err
	}
	vectors, err := store.Count(ctx, tx, name)
	if err != nil {
		return err
	}
	r.Stale = vectors - r.Vectors - r.Wrong
	documents, err := texts.Count(ctx, tx, name)
	r.StaleDocuments = max(0, documents-r.Documents-r.WrongDocuments)
	return err
}

func getMany(ctx context.Context, tx *dbx.Tx, store vector.Store, name string, records []*core.Record) (map[string][]float32, error) {
	ids := make([]string, len(records))
	for i, record := range records {
		ids[i] = record.Id
	}
	if s, ok := store.(manyGetter); ok {
		return s.GetMany(ctx, tx, name, ids)
	}
	stored := make(map[string][]float32, len(ids))
	for _, id := range ids {
		numbers, err := store.Get(ctx, tx, name, id)
		if err != nil {
			return nil, err
		}
		if numbers != nil {
			stored[id] = numbers
		}
	}
	return stored, nil
}
