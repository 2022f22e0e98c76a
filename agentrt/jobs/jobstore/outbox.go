// Package jobstore has the SQL of package jobs that River does not bring: the
// outbox in PocketBase's data.db, and what River's SQLite file needs around River.
// On PostgreSQL, where River and PocketBase share a database, InsertTx would take
// the outbox's place.
package jobstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
)

// Row is a job in the outbox.
type Row struct {
	ID int64
	// Topic and Payload are the job's; Options is JSON for whoever moves it.
	Topic, Payload, Options string
	// Created and RunAt are in milliseconds since 1970.
	Created, RunAt int64
	// Unique is empty, or no other row may have it.
	Unique string
	// Hold is empty once the row may be moved.
	Hold string
}

// CreateOutbox makes the table where it is missing, and removes what a former
// process held back.
func CreateOutbox(ctx context.Context, app core.App) error {
	for _, statement := range []string{
		`CREATE TABLE IF NOT EXISTS "_agentrt_jobs" (
			"id" INTEGER PRIMARY KEY AUTOINCREMENT,
			"topic" TEXT NOT NULL,
			"payload" TEXT NOT NULL,
			"options" TEXT NOT NULL,
			"created" INTEGER NOT NULL,
			"run_at" INTEGER NOT NULL,
			"unique_key" TEXT NOT NULL,
			"hold" TEXT NOT NULL
		)`,
		`CREATE UNIQUE INDEX IF NOT EXISTS "_agentrt_jobs_unique" ON "_agentrt_jobs" ("unique_key") WHERE "unique_key" <> '' AND "hold" = ''`,
	} {
		if _, err := app.NonconcurrentDB().NewQuery(statement).WithContext(ctx).Execute(); err != nil {
			return fmt.Errorf("jobs: %w", err)
		}
	}
	return nil
}

// DropHeld removes all rows that are held back. Only for the start of a process:
// they are those of one that died.
func DropHeld(ctx context.Context, app core.App) error {
	_, err := app.NonconcurrentDB().NewQuery(`DELETE FROM "_agentrt_jobs" WHERE "hold" <> ''`).WithContext(ctx).Execute()
	return wrap(err)
}

// ReserveIDs makes sure that new rows have ids above last.
func ReserveIDs(ctx context.Context, app core.App, last int64) error {
	return app.RunInTransaction(func(tx core.App) error {
		var seq int64
		err := tx.NonconcurrentDB().NewQuery(`SELECT "seq" FROM sqlite_sequence WHERE "name" = '_agentrt_jobs'`).WithContext(ctx).Row(&seq)
		text := `UPDATE sqlite_sequence SET "seq" = {:last} WHERE "name" = '_agentrt_jobs'`
		switch {
		case errors.Is(err, sql.ErrNoRows):
			text = `INSERT INTO sqlite_sequence ("name", "seq") VALUES ('_agentrt_jobs', {:last})`
		case err != nil:
			return wrap(err)
		case seq >= last:
			return nil
		}
		_, err = tx.NonconcurrentDB().NewQuery(text).Bind(dbx.Params{"last": last}).WithContext(ctx).Execute()
		return wrap(err)
	})
}

// Insert adds a row, in the transaction of app if it has one, and returns its id.
func Insert(ctx context.Context, app core.App, r Row) (id int64, err error) {
	err = app.NonconcurrentDB().NewQuery(`INSERT INTO "_agentrt_jobs" ("topic", "payload", "options", "created", "run_at", "unique_key", "hold")
		VALUES ({:topic}, {:payload}, {:options}, {:created}, {:run_at}, {:unique}, {:hold}) RETURNING "id"`).
		Bind(dbx.Params{"topic": r.Topic, "payload": r.Payload, "options": r.Options, "created": r.Created, "run_at": r.RunAt, "unique": r.Unique, "hold": r.Hold}).
		WithContext(ctx).Row(&id)
	return id, wrap(err)
}

const columns = `"id", "topic", "payload", "options", "created", "run_at", "unique_key", "hold"`

// ByUnique returns the row with a unique key that is not held back; false if there
// is none.
func ByUnique(ctx context.Context, app core.App, key string) (Row, bool, error) {
	return one(ctx, app, `"unique_key" = {:key} AND "unique_key" <> '' AND "hold" = ''`, dbx.Params{"key": key})
}

// ByID returns a row; false if there is none.
func ByID(ctx context.Context, app core.App, id int64) (Row, bool, error) {
	return one(ctx, app, `"id" = {:id}`, dbx.Params{"id": id})
}

func one(ctx context.Context, app core.App, where string, params dbx.Params) (r Row, found bool, err error) {
	err = app.ConcurrentDB().NewQuery(`SELECT `+columns+` FROM "_agentrt_jobs" WHERE `+where).Bind(params).WithContext(ctx).
		Row(&r.ID, &r.Topic, &r.Payload, &r.Options, &r.Created, &r.RunAt, &r.Unique, &r.Hold)
	if errors.Is(err, sql.ErrNoRows) {
		return Row{}, false, nil
	}
	return r, err == nil, wrap(err)
}

// Committed returns the oldest rows that are not held back, at most limit.
func Committed(ctx context.Context, app core.App, limit int) (rows []Row, err error) {
	found, err := app.ConcurrentDB().NewQuery(`SELECT ` + columns + ` FROM "_agentrt_jobs" WHERE "hold" = '' ORDER BY "id" LIMIT {:limit}`).
		Bind(dbx.Params{"limit": limit}).WithContext(ctx).Rows()
	if err != nil {
		return nil, wrap(err)
	}
	defer func() { err = errors.Join(err, wrap(found.Close())) }()
	for found.Next() {
		var r Row
		if err := found.Scan(&r.ID, &r.Topic, &r.Payload, &r.Options, &r.Created, &r.RunAt, &r.Unique, &r.Hold); err != nil {
			return nil, wrap(err)
		}
		rows = append(rows, r)
	}
	return rows, wrap(found.Err())
}

// Delete removes rows and returns how many there were.
func Delete(ctx context.Context, app core.App, ids ...int64) (int64, error) {
	return execute(ctx, app, `DELETE FROM "_agentrt_jobs" WHERE "id" IN (`+joined(ids)+`)`, nil)
}

// Release lets the rows go that were inserted with hold. A row whose unique key
// another one has taken in between is dropped.
func Release(ctx context.Context, app core.App, hold string) error {
	if _, err := execute(ctx, app, `UPDATE OR IGNORE "_agentrt_jobs" SET "hold" = '' WHERE "hold" = {:hold}`, dbx.Params{"hold": hold}); err != nil {
		return err
	}
	return Drop(ctx, app, hold)
}

// Drop removes the rows that were inserted with hold.
func Drop(ctx context.Context, app core.App, hold string) error {
	_, err := execute(ctx, app, `DELETE FROM "_agentrt_jobs" WHERE "hold" = {:hold}`, dbx.Params{"hold": hold})
	return err
}

func execute(ctx context.Context, app core.App, text string, params dbx.Params) (int64, error) {
	res, err := app.NonconcurrentDB().NewQuery(text).Bind(params).WithContext(ctx).Execute()
	if err != nil {
		return 0, wrap(err)
	}
	n, err := res.RowsAffected()
	return n, wrap(err)
}

func joined(ids []int64) string {
	var b strings.Builder
	for k, id := range ids {
		if k > 0 {
			b.WriteByte(',')
		}
		fmt.Fprint(&b, id)
	}
	return b.String()
}

func wrap(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("jobs: %w", err)
}
