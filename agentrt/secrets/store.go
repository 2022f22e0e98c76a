package secrets

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
)

// keyRow describes the key that all secrets are encrypted with: the salt of a
// passphrase, and a known text under the key. Revision counts the changes.
type keyRow struct {
	salt, check []byte
	revision    int64
}

func create(ctx context.Context, app core.App) error {
	for _, statement := range []string{
		`CREATE TABLE IF NOT EXISTS "_agentrt_secrets" ("name" TEXT PRIMARY KEY NOT NULL, "sealed" BLOB NOT NULL, "updated" INTEGER NOT NULL)`,
		`CREATE TABLE IF NOT EXISTS "_agentrt_secrets_key" ("id" INTEGER PRIMARY KEY NOT NULL, "salt" BLOB NOT NULL, "check" BLOB NOT NULL, "revision" INTEGER NOT NULL)`,
	} {
		if _, err := app.NonconcurrentDB().NewQuery(statement).WithContext(ctx).Execute(); err != nil {
			return err
		}
	}
	return nil
}

// readKey returns a row without check if there never was a secret.
func readKey(ctx context.Context, app core.App) (row keyRow, err error) {
	err = app.ConcurrentDB().NewQuery(`SELECT "salt", "check", "revision" FROM "_agentrt_secrets_key" WHERE "id" = 1`).
		WithContext(ctx).Row(&row.salt, &row.check, &row.revision)
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	return row, err
}

func writeKey(ctx context.Context, app core.App, row keyRow) error {
	_, err := app.NonconcurrentDB().NewQuery(`INSERT INTO "_agentrt_secrets_key" ("id", "salt", "check", "revision") VALUES (1, {:salt}, {:check}, {:revision})
		ON CONFLICT ("id") DO UPDATE SET "salt" = {:salt}, "check" = {:check}, "revision" = {:revision}`).
		Bind(dbx.Params{"salt": row.salt, "check": row.check, "revision": row.revision}).WithContext(ctx).Execute()
	return err
}

type sealedRow struct {
	name    string
	sealed  []byte
	updated int64
}

func readAll(ctx context.Context, app core.App) (all []sealedRow, err error) {
	rows, err := app.ConcurrentDB().NewQuery(`SELECT "name", "sealed", "updated" FROM "_agentrt_secrets" ORDER BY "name"`).WithContext(ctx).Rows()
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var r sealedRow
		if err := rows.Scan(&r.name, &r.sealed, &r.updated); err != nil {
			return nil, err
		}
		all = append(all, r)
	}
	return all, rows.Err()
}

func write(ctx context.Context, app core.App, name string, sealed []byte) error {
	_, err := app.NonconcurrentDB().NewQuery(`INSERT INTO "_agentrt_secrets" ("name", "sealed", "updated") VALUES ({:name}, {:sealed}, {:updated})
		ON CONFLICT ("name") DO UPDATE SET "sealed" = {:sealed}, "updated" = {:updated}`).
		Bind(dbx.Params{"name": name, "sealed": sealed, "updated": time.Now().UnixMilli()}).WithContext(ctx).Execute()
	return err
}

func reseal(ctx context.Context, app core.App, name string, sealed []byte) error {
	_, err := app.NonconcurrentDB().NewQuery(`UPDATE "_agentrt_secrets" SET "sealed" = {:sealed} WHERE "name" = {:name}`).
		Bind(dbx.Params{"name": name, "sealed": sealed}).WithContext(ctx).Execute()
	return err
}

func remove(ctx context.Context, app core.App, name string) error {
	res, err := app.NonconcurrentDB().NewQuery(`DELETE FROM "_agentrt_secrets" WHERE "name" = {:name}`).
		Bind(dbx.Params{"name": name}).WithContext(ctx).Execute()
	if err != nil {
		return err
	}
	n, err := res.RowsAffected()
	if err == nil && n == 0 {
		err = fmt.Errorf("%w: %q", ErrNotFound, name)
	}
	return err
}
