// Package sourcestore remembers of which text the vector of a record was made: its
// hash, in the table _agentrt_embedded of PocketBase's data.db. All SQL of package
// autoembed is here.
package sourcestore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
)

// Create makes the table where it is missing.
func Create(ctx context.Context, app core.App) error {
	_, err := app.NonconcurrentDB().NewQuery(`CREATE TABLE IF NOT EXISTS "_agentrt_embedded" (
		"space" TEXT NOT NULL,
		"record" TEXT NOT NULL,
		"hash" TEXT NOT NULL,
		PRIMARY KEY ("space", "record")
	) WITHOUT ROWID`).WithContext(ctx).Execute()
	return wrap(err)
}

// Get returns the hash of a record's text, "" if there is none.
func Get(ctx context.Context, db dbx.Builder, space, record string) (hash string, err error) {
	err = db.NewQuery(`SELECT "hash" FROM "_agentrt_embedded" WHERE "space" = {:space} AND "record" = {:record}`).
		Bind(dbx.Params{"space": space, "record": record}).WithContext(ctx).Row(&hash)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	return hash, wrap(err)
}

// MaxMany is the most records of GetMany.
const MaxMany = 500

// GetMany returns the hashes of records that have one.
func GetMany(ctx context.Context, db dbx.Builder, space string, records []string) (hashes map[string]string, err error) {
	hashes = map[string]string{}
	params, places := dbx.Params{"space": space}, make([]string, len(records))
	for k, id := range records {
		name := fmt.Sprintf("r%d", k)
		params[name], places[k] = id, "{:"+name+"}"
	}
	if len(records) == 0 {
		return hashes, nil
	}
	rows, err := db.NewQuery(`SELECT "record", "hash" FROM "_agentrt_embedded" WHERE "space" = {:space} AND "record" IN (` + strings.Join(places, ",") + `)`).
		Bind(params).WithContext(ctx).Rows()
	if err != nil {
		return nil, wrap(err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var id, hash string
		if err := rows.Scan(&id, &hash); err != nil {
			return nil, wrap(err)
		}
		hashes[id] = hash
	}
	return hashes, wrap(rows.Err())
}

// Put sets the hash of a record.
func Put(ctx context.Context, db dbx.Builder, space, record, hash string) error {
	_, err := db.NewQuery(`INSERT INTO "_agentrt_embedded" ("space", "record", "hash") VALUES ({:space}, {:record}, {:hash})
		ON CONFLICT ("space", "record") DO UPDATE SET "hash" = {:hash}`).
		Bind(dbx.Params{"space": space, "record": record, "hash": hash}).WithContext(ctx).Execute()
	return wrap(err)
}

// Delete forgets a record.
func Delete(ctx context.Context, db dbx.Builder, space, record string) error {
	_, err := db.NewQuery(`DELETE FROM "_agentrt_embedded" WHERE "space" = {:space} AND "record" = {:record}`).
		Bind(dbx.Params{"space": space, "record": record}).WithContext(ctx).Execute()
	return wrap(err)
}

// Keep forgets all spaces but those named.
func Keep(ctx context.Context, db dbx.Builder, spaces []string) error {
	values := make([]any, len(spaces))
	for k, s := range spaces {
		values[k] = s
	}
	_, err := db.Delete("_agentrt_embedded", dbx.NotIn("space", values...)).WithContext(ctx).Execute()
	return wrap(err)
}

func wrap(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("sources of embeddings: %w", err)
}
