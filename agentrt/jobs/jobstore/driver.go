package jobstore

import (
	"database/sql"

	"github.com/riverqueue/river/riverdriver/riversqlite"
)

// Driver is River's for SQLite without its listener, which asks the file twenty times
// a second whether another process has written: 3 % of a core in an idle server. One
// process works the jobs, and a client tells its own workers of what it inserts.
type Driver struct{ *riversqlite.Driver }

// NewDriver returns the driver of a pool of connections.
func NewDriver(pool *sql.DB) Driver { return Driver{riversqlite.New(pool)} }

// SupportsListener is false.
func (Driver) SupportsListener() bool { return false }

// SupportsListenNotify is false.
func (Driver) SupportsListenNotify() bool { return false }
