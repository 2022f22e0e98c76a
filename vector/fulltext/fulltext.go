// Package fulltext finds records by their words, with SQLite's FTS5 in PocketBase's
// data.db (https://www.sqlite.org/fts5.html), for hybrid searches.
//
// The index keeps no copy of the texts, only a checksum of each record's, so that
// unchanged texts are not indexed again and Check can compare.
package fulltext

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/pocketbase/dbx"
)

// Databases gives the connections, as PocketBase's core.App does.
type Databases interface {
	ConcurrentDB() dbx.Builder
	NonconcurrentDB() dbx.Builder
}

// Index keeps the words of records by space. It is safe for concurrent use. As in
// vector.Store, tx is the transaction to join; nil means one of its own for a write,
// and the last committed state for reading.
type Index struct{ db Databases }

// New returns an index in db.
func New(db Databases) *Index { return &Index{db} }

// Document is a record's texts, as many as the space has columns.
type Document struct {
	ID    string
	Texts []string
}

func (d Document) empty() bool { return strings.TrimSpace(strings.Join(d.Texts, "")) == "" }

// sum is the checksum of the texts; "" if they are empty.
func (d Document) sum() string {
	if d.empty() {
		return ""
	}
	h := sha256.New()
	for _, text := range d.Texts {
		fmt.Fprintf(h, "%d\n%s", len(text), text)
	}
	return hex.EncodeToString(h.Sum(nil)[:12])
}

// The tables of a space: documents by id, and their words.
func documents(name string) string { return "_vector_d_" + name }
func words(name string) string     { return "_vector_t_" + name }

// Create makes a space of so many columns, without documents; what it had is gone.
func (i *Index) Create(ctx context.Context, tx dbx.Builder, name string, columns int) error {
	names := make([]string, columns)
	for k := range names {
		names[k] = fmt.Sprintf("c%d", k)
	}
	return i.transaction(ctx, tx, func(tx *dbx.Tx) error {
		if err := i.Drop(ctx, tx, name); err != nil {
			return err
		}
		if err := exec(ctx, tx, "CREATE TABLE "+documents(name)+" (doc INTEGER PRIMARY KEY, id TEXT UNIQUE NOT NULL, sum TEXT NOT NULL)", nil); err != nil {
			return err
		}
		return exec(ctx, tx, "CREATE VIRTUAL TABLE "+words(name)+" USING fts5("+strings.Join(names, ", ")+
			", content='', contentless_delete=1, tokenize='unicode61 remove_diacritics 2')", nil)
	})
}

// Drop removes a space. An unknown one is no error.
func (i *Index) Drop(ctx context.Context, tx dbx.Builder, name string) error {
	return i.transaction(ctx, tx, func(tx *dbx.Tx) error {
		return errors.Join(exec(ctx, tx, "DROP TABLE IF EXISTS "+words(name), nil), exec(ctx, tx, "DROP TABLE IF EXISTS "+documents(name), nil))
	})
}

// Put indexes documents in place of those of the same ids. One without any text is
// deleted, one with unchanged texts is left alone.
func (i *Index) Put(ctx context.Context, tx dbx.Builder, name string, all ...Document) error {
	return i.transaction(ctx, tx, func(tx *dbx.Tx) error {
		for _, d := range all {
			if err := put(ctx, tx, name, d); err != nil {
				return fmt.Errorf("words of %q: %w", d.ID, err)
			}
		}
		return nil
	})
}

func put(ctx context.Context, tx *dbx.Tx, name string, d Document) error {
	doc, old, err := find(ctx, tx, name, d.ID)
	if err != nil {
		return err
	}
	sum := d.sum()
	switch {
	case sum == old:
		return nil
	case sum == "":
		return remove(ctx, tx, name, doc)
	case old == "":
		result, err := tx.Insert(documents(name), dbx.Params{"id": d.ID, "sum": sum}).WithContext(ctx).Execute()
		if err != nil {
			return err
		}
		if doc, err = result.LastInsertId(); err != nil {
			return err
		}
	default:
		if err := exec(ctx, tx, "UPDATE "+documents(name)+" SET sum = {:sum} WHERE doc = {:doc}", dbx.Params{"sum": sum, "doc": doc}); err != nil {
			return err
		}
		if err := exec(ctx, tx, "DELETE FROM "+words(name)+" WHERE rowid = {:doc}", dbx.Params{"doc": doc}); err != nil {
			return err
		}
	}
	row := dbx.Params{"rowid": doc}
	for k, text := range d.Texts {
		row[fmt.Sprintf("c%d", k)] = text
	}
	_, err = tx.Insert(words(name), row).WithContext(ctx).Execute()
	return err
}

// find returns a document's number and checksum, 0 and "" if there is none.
func find(ctx context.Context, tx dbx.Builder, name, id string) (doc int64, sum string, err error) {
	err = tx.NewQuery("SELECT doc, sum FROM "+documents(name)+" WHERE id = {:id}").WithContext(ctx).Bind(dbx.Params{"id": id}).Row(&doc, &sum)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, "", nil
	}
	return doc, sum, err
}

func remove(ctx context.Context, tx dbx.Builder, name string, doc int64) error {
	key := dbx.Params{"doc": doc}
	return errors.Join(
		exec(ctx, tx, "DELETE FROM "+words(name)+" WHERE rowid = {:doc}", key),
		exec(ctx, tx, "DELETE FROM "+documents(name)+" WHERE doc = {:doc}", key))
}

// Delete removes documents. Unknown ids and spaces are no error.
func (i *Index) Delete(ctx context.Context, tx dbx.Builder, name string, ids ...string) error {
	return i.transaction(ctx, tx, func(tx *dbx.Tx) error {
		exists, err := exists(ctx, tx, name)
		if err != nil || !exists {
			return err
		}
		for _, id := range ids {
			doc, sum, err := find(ctx, tx, name, id)
			if err == nil && sum != "" {
				err = remove(ctx, tx, name, doc)
			}
			if err != nil {
				return fmt.Errorf("words of %q: %w", id, err)
			}
		}
		return nil
	})
}

func exists(ctx context.Context, r dbx.Builder, name string) (ok bool, err error) {
	err = r.NewQuery("SELECT EXISTS (SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = {:name})").
		WithContext(ctx).Bind(dbx.Params{"name": documents(name)}).Row(&ok)
	return ok, err
}

// Count returns the number of documents; 0 for an unknown space.
func (i *Index) Count(ctx context.Context, tx dbx.Builder, name string) (n int, err error) {
	r := i.reader(tx)
	if ok, err := exists(ctx, r, name); err != nil || !ok {
		return 0, err
	}
	err = r.NewQuery("SELECT count(*) FROM " + documents(name)).WithContext(ctx).Row(&n)
	return n, err
}

// Check tells which documents the index has otherwise, or not at all, or has
// although they have no text, and how many of them it has rightly.
func (i *Index) Check(ctx context.Context, tx dbx.Builder, name string, all ...Document) (right int, wrong []string, err error) {
	ids := make([]string, len(all))
	for k, d := range all {
		ids[k] = d.ID
	}
	list, err := json.Marshal(ids)
	if err != nil {
		return 0, nil, err
	}
	var rows []struct {
		ID, Sum string
		Words   bool
	}
	err = i.reader(tx).NewQuery("SELECT id, sum, EXISTS (SELECT 1 FROM " + words(name) + "_docsize s WHERE s.id = d.doc) AS words FROM " + documents(name) +
		" d WHERE id IN (SELECT value FROM json_each({:ids}))").WithContext(ctx).Bind(dbx.Params{"ids": string(list)}).All(&rows)
	if err != nil {
		return 0, nil, fmt.Errorf("fulltext: %w", err)
	}
	sums := make(map[string]string, len(rows))
	for _, row := range rows {
		if sums[row.ID] = row.Sum; !row.Words {
			sums[row.ID] = "lost"
		}
	}
	for _, d := range all {
		switch sum := d.sum(); {
		case sum != sums[d.ID]:
			wrong = append(wrong, d.ID)
		case sum != "":
			right++
		}
	}
	return right, wrong, nil
}

func (i *Index) reader(tx dbx.Builder) dbx.Builder {
	if tx == nil {
		return i.db.ConcurrentDB()
	}
	return tx
}

func (i *Index) transaction(ctx context.Context, tx dbx.Builder, f func(*dbx.Tx) error) error {
	if tx == nil {
		tx = i.db.NonconcurrentDB()
	}
	switch tx := tx.(type) {
	case *dbx.Tx:
		return f(tx)
	case *dbx.DB:
		return tx.TransactionalContext(ctx, nil, f)
	}
	return fmt.Errorf("fulltext: a *dbx.Tx or *dbx.DB is needed, not a %T", tx)
}

func exec(ctx context.Context, tx dbx.Builder, query string, params dbx.Params) error {
	if _, err := tx.NewQuery(query).WithContext(ctx).Bind(params).Execute(); err != nil {
		return fmt.Errorf("fulltext: %w", err)
	}
	return nil
}
