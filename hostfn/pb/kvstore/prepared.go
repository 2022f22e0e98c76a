package kvstore

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
)

// getQuery reads a value that has not expired at the time given first.
const getQuery = `SELECT "value", "kind", "version" FROM "_agentrt_kv" WHERE "key" = ?2 AND ("expires" = 0 OR "expires" > ?1)`

// prepared is a statement of one database; database/sql compiles it once for each
// connection.
type prepared struct {
	db   *sql.DB
	stmt *sql.Stmt
}

const getKey = "agentrt.kv.get"

// preparedGet returns getQuery's statement; nil inside a transaction, whose
// connection dbx does not show.
func preparedGet(ctx context.Context, app core.App) (*sql.Stmt, error) {
	db, ok := app.ConcurrentDB().(*dbx.DB)
	if !ok {
		return nil, nil
	}
	if p, ok := app.Store().Get(getKey).(prepared); ok && p.db == db.DB() {
		return p.stmt, nil
	}
	// It is closed with the database. Two callers at a time may both make one.
	stmt, err := db.DB().PrepareContext(ctx, getQuery)
	if err != nil {
		return nil, fmt.Errorf("kv: %w", err)
	}
	app.Store().Set(getKey, prepared{db.DB(), stmt})
	return stmt, nil
}
