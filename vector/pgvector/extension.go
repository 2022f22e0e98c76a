package pgvector

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/pocketbase/dbx"
)

// ErrExtension is that pgvector is missing or too old, for errors.Is.
var ErrExtension = errors.New("pgvector is missing")

// ExtensionError says what is wrong with pgvector in a database and what to run.
type ExtensionError struct {
	// Database is the name of the database.
	Database string
	// Problem is what is wrong, Run the commands that mend it.
	Problem, Run string
	// Err is the server's error, if there was one.
	Err error
}

func (e *ExtensionError) Error() string {
	text := fmt.Sprintf("vector: database %q: %s; run: %s", e.Database, e.Problem, e.Run)
	if e.Err != nil {
		text += fmt.Sprintf(" (%v)", e.Err)
	}
	return text
}

// Is makes it ErrExtension.
func (e *ExtensionError) Is(target error) bool { return target == ErrExtension }

// Unwrap returns Err.
func (e *ExtensionError) Unwrap() error { return e.Err }

// The oldest version that scans an index on until enough rows pass a filter.
const minMajor, minMinor = 0, 8

// extension sees to it that the database has pgvector.
func extension(ctx context.Context, b dbx.Builder) error {
	var name, server string
	var installed, available sql.NullString
	err := b.NewQuery("SELECT current_database(), current_setting('server_version_num'), "+
		"(SELECT extversion FROM pg_extension WHERE extname = 'vector'), "+
		"(SELECT default_version FROM pg_available_extensions WHERE name = 'vector')").
		WithContext(ctx).Row(&name, &server, &installed, &available)
	if err != nil {
		return fmt.Errorf("vector: looking for pgvector: %w", err)
	}
	bad := func(problem, run string, err error) error {
		return &ExtensionError{Database: name, Problem: problem, Run: run, Err: err}
	}
	major := server[:max(0, len(server)-4)]
	install := fmt.Sprintf("apt-get install postgresql-%s-pgvector, or build pgvector %d.%d or later from source", major, minMajor, minMinor)
	switch {
	case installed.Valid && !recent(installed.String):
		if !recent(available.String) {
			return bad(fmt.Sprintf("pgvector is %s, older than %d.%d", installed.String, minMajor, minMinor), install+", then ALTER EXTENSION vector UPDATE", nil)
		}
		return bad(fmt.Sprintf("pgvector is %s, older than %d.%d", installed.String, minMajor, minMinor), "ALTER EXTENSION vector UPDATE, as the owner of the extension", nil)
	case installed.Valid:
		return nil
	case !available.Valid:
		return bad("pgvector is not installed on this server", install+", then CREATE EXTENSION vector as a superuser", nil)
	case !recent(available.String):
		return bad(fmt.Sprintf("the server has pgvector %s, older than %d.%d", available.String, minMajor, minMinor), install, nil)
	}
	if _, err := b.NewQuery("CREATE EXTENSION IF NOT EXISTS vector").WithContext(ctx).Execute(); err != nil {
		return bad("the extension vector is not created", "CREATE EXTENSION vector, as a superuser in this database", err)
	}
	return nil
}

func recent(version string) bool {
	parts := strings.SplitN(version+".0", ".", 3)
	major, err := strconv.Atoi(parts[0])
	minor, err2 := strconv.Atoi(parts[1])
	return err == nil && err2 == nil && (major > minMajor || major == minMajor && minor >= minMinor)
}
