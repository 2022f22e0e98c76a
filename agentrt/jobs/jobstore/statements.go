package jobstore

import (
	"container/list"
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"strings"
)

// maxStatements is how many compiled statements a connection keeps.
const maxStatements = 64

// openDB is sql.Open for SQLite with connections that keep compiled statements.
// River's are long, it sends them for each job, and compiling took more than half
// of a job's processor time.
func openDB(name string) (*sql.DB, error) {
	plain, err := sql.Open("sqlite", name)
	if err != nil {
		return nil, fmt.Errorf("jobs: %w", err)
	}
	defer plain.Close() // never connected
	return sql.OpenDB(&connector{plain.Driver(), name}), nil
}

type connector struct {
	driver driver.Driver
	name   string
}

// Driver is SQLite's.
func (c *connector) Driver() driver.Driver { return c.driver }

// Connect opens a connection.
func (c *connector) Connect(context.Context) (driver.Conn, error) {
	conn, err := c.driver.Open(c.name)
	if err != nil {
		return nil, err
	}
	full, ok := conn.(plainConn)
	if !ok {
		return nil, errors.Join(fmt.Errorf("jobs: the connection %T lacks methods", conn), conn.Close())
	}
	return &cachingConn{plainConn: full, statements: map[string]*list.Element{}}, nil
}

// plainConn is what SQLite's connections can do for database/sql.
type plainConn interface {
	driver.Conn
	driver.ConnBeginTx
	driver.ConnPrepareContext
	driver.ExecerContext
	driver.QueryerContext
	driver.Pinger
	driver.SessionResetter
	driver.Validator
}

type plainStmt interface {
	driver.Stmt
	driver.StmtExecContext
	driver.StmtQueryContext
}

// cachingConn keeps the statements used last. database/sql uses a connection from
// one goroutine at a time.
type cachingConn struct {
	plainConn
	statements map[string]*list.Element // of *statement
	order      list.List                // the one used last in front
}

type statement struct {
	plainStmt
	text string
	busy bool // its rows are being read
}

// QueryContext runs a query.
func (c *cachingConn) QueryContext(ctx context.Context, text string, args []driver.NamedValue) (driver.Rows, error) {
	s, err := c.statement(ctx, text)
	if err != nil {
		return nil, err
	}
	if s == nil {
		return c.plainConn.QueryContext(ctx, text, args)
	}
	rows, err := s.plainStmt.QueryContext(ctx, args)
	if err != nil {
		return nil, err
	}
	s.busy = true
	return &cachedRows{rows, s}, nil
}

// ExecContext runs a statement.
func (c *cachingConn) ExecContext(ctx context.Context, text string, args []driver.NamedValue) (driver.Result, error) {
	if strings.Contains(strings.TrimRight(text, "; \n\t"), ";") { // maybe several, as in migrations
		return c.plainConn.ExecContext(ctx, text, args)
	}
	s, err := c.statement(ctx, text)
	if err != nil {
		return nil, err
	}
	if s == nil {
		return c.plainConn.ExecContext(ctx, text, args)
	}
	return s.plainStmt.ExecContext(ctx, args)
}

// statement returns that of text, compiled if it is new; nil if it is busy.
func (c *cachingConn) statement(ctx context.Context, text string) (*statement, error) {
	if e, ok := c.statements[text]; ok {
		s := e.Value.(*statement)
		if s.busy {
			return nil, nil
		}
		c.order.MoveToFront(e)
		return s, nil
	}
	stmt, err := c.PrepareContext(ctx, text)
	if err != nil {
		return nil, err
	}
	full, ok := stmt.(plainStmt)
	if !ok {
		return nil, errors.Join(fmt.Errorf("jobs: the statement %T lacks methods", stmt), stmt.Close())
	}
	s := &statement{plainStmt: full, text: text}
	c.statements[text] = c.order.PushFront(s)
	for e := c.order.Back(); e != nil && len(c.statements) > maxStatements; e = c.order.Back() {
		old := e.Value.(*statement)
		if old.busy {
			break
		}
		if err := c.forget(e); err != nil {
			return nil, err
		}
	}
	return s, nil
}

func (c *cachingConn) forget(e *list.Element) error {
	s := e.Value.(*statement)
	c.order.Remove(e)
	delete(c.statements, s.text)
	return s.plainStmt.Close()
}

// Close closes the statements and the connection.
func (c *cachingConn) Close() error {
	var errs []error
	for e := c.order.Front(); e != nil; e = c.order.Front() {
		errs = append(errs, c.forget(e))
	}
	return errors.Join(append(errs, c.plainConn.Close())...)
}

// cachedRows gives the statement back when it is closed.
type cachedRows struct {
	driver.Rows
	statement *statement
}

// Close ends the reading.
func (r *cachedRows) Close() error {
	r.statement.busy = false
	return r.Rows.Close()
}
