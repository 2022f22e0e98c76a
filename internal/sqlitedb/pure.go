//go:build !cgo_sqlite

package sqlitedb

import (
	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
	_ "modernc.org/sqlite/vec" // registers vec0 and the functions of sqlite-vec
)

// Driver names what Connect uses.
const Driver = "modernc.org/sqlite"

// Connect is PocketBase's DBConnect.
func Connect(path string) (*dbx.DB, error) { return core.DefaultDBConnect(path) }
