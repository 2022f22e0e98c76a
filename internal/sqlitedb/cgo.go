//go:build cgo_sqlite

package sqlitedb

import (
	"database/sql"

	vec "github.com/asg017/sqlite-vec-go-bindings/cgo"
	"github.com/mattn/go-sqlite3"
	"github.com/pocketbase/dbx"
)

// Driver names what Connect uses.
const Driver = "github.com/mattn/go-sqlite3"

// name is of the driver that sets what PocketBase sets.
const name = "agentrt_sqlite3"

// The timeout comes first, so that the change of the journal waits for its turn.
const pragmas = "PRAGMA busy_timeout = 10000; PRAGMA journal_mode = WAL; PRAGMA journal_size_limit = 200000000; PRAGMA synchronous = NORMAL; " +
	"PRAGMA foreign_keys = ON; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -32000"

func init() {
	vec.Auto()
	sql.Register(name, &sqlite3.SQLiteDriver{ConnectHook: func(c *sqlite3.SQLiteConn) error {
		_, err := c.Exec(pragmas, nil)
		return err
	}})
	dbx.BuilderFuncMap[name] = dbx.BuilderFuncMap["sqlite3"]
}

// Connect is PocketBase's DBConnect.
func Connect(path string) (*dbx.DB, error) { return dbx.Open(name, path) }
