// Package pgtest runs a PostgreSQL server of its own for tests and measurements: a new
// cluster in a temporary directory, reached through a socket there, which ends with the
// process.
package pgtest

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
)

// ErrMissing is that there are no programs of PostgreSQL, or none that can be used.
var ErrMissing = errors.New("no PostgreSQL server to run")

// Environment variables.
const (
	// BinEnv is a directory with initdb and postgres.
	BinEnv = "AGENTRT_POSTGRES_BIN"
	// RequireEnv, if it is "1", makes a missing server fail tests, not skip them.
	RequireEnv = "AGENTRT_POSTGRES_REQUIRED"
)

// startLimit and stopLimit bound how long the server may take.
const startLimit, stopLimit = time.Minute, 30 * time.Second

// Cluster is a running server. Its superuser is postgres, without a password.
type Cluster struct {
	bin, dir string
	settings []string
	server   *server
	made     atomic.Int64
}

// Start makes a cluster and starts its server. settings are of postgresql.conf, such as
// "shared_buffers=1GB". By default what it writes is not forced to disk.
func Start(ctx context.Context, settings ...string) (c *Cluster, err error) {
	bin, err := programs()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "agentrt-pg-")
	if err != nil {
		return nil, err
	}
	c = &Cluster{bin: bin, dir: dir, settings: append([]string{"listen_addresses=", "unix_socket_directories=" + dir, "fsync=off",
		"full_page_writes=off", "logging_collector=off", "log_min_messages=warning", "max_connections=50", "shared_buffers=256MB"}, settings...)}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.RemoveAll(dir))
		}
	}()
	if err := own(dir); err != nil {
		return nil, err
	}
	initdb := exec.CommandContext(ctx, filepath.Join(bin, "initdb"), "--pgdata", c.data(), "--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync")
	initdb.Dir = dir
	if err := asUser(initdb); err != nil {
		return nil, err
	}
	if out, err := initdb.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("initdb: %w: %s", err, out)
	}
	if err := c.start(ctx); err != nil {
		return nil, err
	}
	return c, nil
}

func (c *Cluster) data() string { return filepath.Join(c.dir, "data") }
func (c *Cluster) log() string  { return filepath.Join(c.dir, "log") }

// DSN is of a database of the cluster.
func (c *Cluster) DSN(database string) string {
	return fmt.Sprintf("host=%s user=postgres dbname=%s", c.dir, database)
}

func (c *Cluster) start(ctx context.Context) error {
	args := []string{"-D", c.data()}
	for _, s := range c.settings {
		args = append(args, "-c", s)
	}
	cmd := exec.Command(filepath.Join(c.bin, "postgres"), args...)
	cmd.Dir = c.dir
	if err := asUser(cmd); err != nil {
		return err
	}
	log, err := os.OpenFile(c.log(), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return err
	}
	defer log.Close()
	cmd.Stdout, cmd.Stderr = log, log
	if c.server, err = run(cmd); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	for {
		conn, err := pgx.Connect(ctx, c.DSN("postgres"))
		if err == nil {
			return conn.Close(ctx)
		}
		select {
		case <-c.server.ended:
			text, _ := os.ReadFile(c.log())
			return fmt.Errorf("postgres ended at once (%v): %s", c.server.err, text)
		case <-ctx.Done():
			return errors.Join(fmt.Errorf("postgres does not answer: %w", err), c.halt(fast))
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// halt ends the server and waits for its end.
func (c *Cluster) halt(how os.Signal) error {
	if err := c.server.process.Signal(how); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	select {
	case <-c.server.ended:
		return nil
	case <-time.After(stopLimit):
		return errors.Join(errors.New("postgres does not end; killed"), c.server.process.Kill())
	}
}

// Crash ends the server as a loss of power would, but for what the system had to write,
// and starts it again. Connections are lost.
func (c *Cluster) Crash(ctx context.Context) error {
	if err := c.halt(immediate); err != nil {
		return err
	}
	return c.start(ctx)
}

// Pause ends the server, calls f for each of its files, and starts it again.
func (c *Cluster) Pause(ctx context.Context, f func(path string) error) error {
	if err := c.halt(fast); err != nil {
		return err
	}
	err := filepath.WalkDir(c.data(), func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		return f(path)
	})
	return errors.Join(err, c.start(ctx))
}

// Stop ends the server and removes all that it had.
func (c *Cluster) Stop() error { return errors.Join(c.halt(fast), os.RemoveAll(c.dir)) }

// Create makes an empty database and returns its name.
func (c *Cluster) Create(ctx context.Context) (string, error) {
	conn, err := pgx.Connect(ctx, c.DSN("postgres"))
	if err != nil {
		return "", err
	}
	name := fmt.Sprintf("test%d", c.made.Add(1))
	_, err = conn.Exec(ctx, "CREATE DATABASE "+name)
	return name, errors.Join(err, conn.Close(ctx))
}

// Copy makes a database from a backup of another, by pg_dump and pg_restore, and returns
// its name.
func (c *Cluster) Copy(ctx context.Context, database string) (string, error) {
	name, err := c.Create(ctx)
	if err != nil {
		return "", err
	}
	file := filepath.Join(c.dir, name+".dump")
	for _, args := range [][]string{
		{"pg_dump", "--format=custom", "--file=" + file, "--dbname=" + c.DSN(database)},
		{"pg_restore", "--exit-on-error", "--dbname=" + c.DSN(name), file},
	} {
		cmd := exec.CommandContext(ctx, filepath.Join(c.bin, args[0]), args[1:]...)
		if out, err := cmd.CombinedOutput(); err != nil {
			return "", fmt.Errorf("%s: %w: %s", args[0], err, out)
		}
	}
	return name, nil
}

// Pid is the server's process.
func (c *Cluster) Pid() int { return c.server.process.Pid }

// programs is the directory of the server's programs.
func programs() (string, error) {
	var places []string
	if dir := os.Getenv(BinEnv); dir != "" {
		places = []string{dir}
	} else {
		found, err := filepath.Glob("/usr/lib/postgresql/*/bin")
		if err != nil {
			return "", err
		}
		slices.SortFunc(found, func(a, b string) int { return version(b) - version(a) })
		places = append(places, found...)
		if path, err := exec.LookPath("initdb"); err == nil {
			places = append(places, filepath.Dir(path))
		}
	}
	for _, dir := range places {
		if executable(dir, "initdb") && executable(dir, "postgres") {
			return dir, nil
		}
	}
	return "", fmt.Errorf("%w: neither %s nor /usr/lib/postgresql/*/bin nor PATH has initdb and postgres (Debian: apt-get install postgresql)", ErrMissing, BinEnv)
}

func executable(dir, name string) bool {
	if runtime.GOOS == "windows" {
		name += ".exe"
	}
	info, err := os.Stat(filepath.Join(dir, name))
	return err == nil && info.Mode()&fs.ModeType == 0
}

func version(dir string) int {
	n, _ := strconv.Atoi(filepath.Base(filepath.Dir(dir)))
	return n
}

// T is what Missing needs of a *testing.T.
type T interface {
	Helper()
	Skip(args ...any)
	Fatal(args ...any)
}

// Missing skips or fails a test since there is no server, because of err.
func Missing(t T, err error) {
	t.Helper()
	if strings.TrimSpace(os.Getenv(RequireEnv)) == "1" || !errors.Is(err, ErrMissing) {
		t.Fatal("PostgreSQL: ", err)
	}
	t.Skip("NOT TESTED ON POSTGRESQL: ", err, " (", RequireEnv, "=1 makes this fail)")
}
