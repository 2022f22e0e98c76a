package pb

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/agentrt/agentrt/quickjs"
	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/types"
)

// Limits of pb.db.
const (
	dbTimeout    = 5 * time.Second
	maxDBTimeout = time.Minute
	maxRows      = 10_000
	maxRowBytes  = 16 << 20
)

type dbCall struct {
	SQL string `json:"sql"`
	// Named or Positional are the parameters; see dbParam.
	Named      map[string]dbParam `json:"named"`
	Positional []dbParam          `json:"positional"`
	// Timeout in milliseconds; zero means dbTimeout.
	Timeout int64 `json:"timeout"`
}

// dbParam is a value for SQLite: a JSON string, number, boolean or null, or
// {"int": text} or {"blob": base64}.
type dbParam struct{ value any }

// UnmarshalJSON reads the forms named above.
func (p *dbParam) UnmarshalJSON(text []byte) error {
	if len(text) > 0 && text[0] == '{' {
		var special struct{ Int, Blob *string }
		if err := json.Unmarshal(text, &special); err != nil {
			return err
		}
		var err error
		switch {
		case special.Int != nil:
			p.value, err = strconv.ParseInt(*special.Int, 10, 64)
		case special.Blob != nil:
			p.value, err = base64.StdEncoding.DecodeString(*special.Blob)
		}
		return err
	}
	if n, err := strconv.ParseInt(string(text), 10, 64); err == nil {
		p.value = n
		return nil
	}
	return json.Unmarshal(text, &p.value)
}

type dbChange struct {
	RowsAffected int64 `json:"rowsAffected"`
	LastInsertID int64 `json:"lastInsertId"`
}

// RegisterDB adds SQL on the app's database, with its transaction if there is one.
//
//	pb.db.query  async  dbCall  {"rows", "blobs", "bigints"}: rows by column, and values that JSON has no form for
//	pb.db.exec   async  dbCall  {"rowsAffected", "lastInsertId"}
//
// A statement takes at most 5 s by default and a minute at most (writes inside a
// transaction: the transaction's time), and answers at most 10,000 rows and 16 MiB
// of JSON. Hooks and API rules do not apply; with run: "caller" both are refused.
func RegisterDB(ops *quickjs.Ops) {
	quickjs.Async(ops, "pb.db.query", func(ctx context.Context, c dbCall) (res json.RawMessage, err error) {
		err = c.run(ctx, false, func(q *dbx.Query) error {
			res, err = queryRows(q)
			return err
		})
		return res, err
	})
	quickjs.Async(ops, "pb.db.exec", func(ctx context.Context, c dbCall) (res dbChange, err error) {
		err = c.run(ctx, true, func(q *dbx.Query) error {
			result, err := q.Execute()
			if err != nil {
				return err
			}
			if res.RowsAffected, err = result.RowsAffected(); err != nil {
				return err
			}
			res.LastInsertID, err = result.LastInsertId()
			return err
		})
		return res, err
	})
}

func (c *dbCall) run(ctx context.Context, writes bool, f func(*dbx.Query) error) error {
	scope, err := ScopeFrom(ctx)
	if err != nil {
		return err
	}
	if scope.AsCaller {
		return &quickjs.HostError{Name: "Error", Code: "ERR_RUN_AS_CALLER", Message: `pb.db is not available where the route's config has run: "caller", since SQL knows no API rules`}
	}
	s, err := parseStatement(c.SQL)
	if err != nil {
		return err
	}
	if s.writes && !writes {
		return sqlError("pb.db.query() only reads: use pb.db.exec()")
	}
	if !s.writes && writes {
		return sqlError("pb.db.exec() is for statements that change data: use pb.db.query()")
	}
	params, err := c.bind(s)
	if err != nil {
		return err
	}
	timeout := dbTimeout
	if c.Timeout > 0 {
		timeout = min(time.Duration(min(c.Timeout, maxDBTimeout.Milliseconds()))*time.Millisecond, maxDBTimeout)
	}
	limited, cancel := context.WithTimeoutCause(ctx, timeout, errDBTimeout)
	defer cancel()
	err = scope.Run(ctx, func(app core.App) error {
		db := app.ConcurrentDB()
		if writes {
			db = app.NonconcurrentDB()
		}
		using := limited
		if writes && app.IsTransactional() {
			// SQLite rolls the whole transaction back when a write is interrupted.
			using = ctx
		}
		return f(db.NewQuery(s.text).WithContext(using).Bind(params))
	})
	switch {
	case err == nil || ctx.Err() != nil:
		return err
	case context.Cause(limited) == errDBTimeout:
		return &quickjs.HostError{Name: "Error", Code: "ERR_DB_TIMEOUT", Message: fmt.Sprintf("the statement took longer than %v", timeout)}
	}
	if own, ok := errors.AsType[*quickjs.HostError](err); ok {
		return own
	}
	return &quickjs.HostError{Name: "Error", Code: "ERR_DB", Message: err.Error()}
}

var errDBTimeout = errors.New("the statement's time is over")

func (c *dbCall) bind(s *statement) (dbx.Params, error) {
	params := dbx.Params{}
	for name, text := range s.literals {
		params[name] = text
	}
	if s.positional || (len(s.names) == 0 && len(c.Positional) > 0) {
		if len(c.Positional) != len(s.names) {
			return nil, sqlError("the statement has %d places (?) and the array of parameters %d values", len(s.names), len(c.Positional))
		}
		for k, p := range c.Positional {
			params[strconv.Itoa(k)] = p.value
		}
		return params, nil
	}
	for _, name := range s.names {
		p, ok := c.Named[name]
		if !ok {
			return nil, sqlError("the parameter {:%s} has no value", name)
		}
		params[name] = p.value
	}
	return params, nil
}

func queryRows(q *dbx.Query) (json.RawMessage, error) {
	rows, err := q.Rows()
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	w := &rowWriter{columns: make([][]byte, len(columns))}
	for k, name := range columns {
		w.columns[k] = jsonString(name)
	}
	values, targets := make([]any, len(columns)), make([]any, len(columns))
	for k := range values {
		targets[k] = &values[k]
	}
	w.out.WriteString(`{"rows":[`)
	for rows.Next() {
		if err := rows.Scan(targets...); err != nil {
			return nil, err
		}
		if err := w.row(values); err != nil {
			return nil, err
		}
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	w.out.WriteString(`],"blobs":[` + strings.Join(w.blobs, ",") + `],"bigints":[` + strings.Join(w.bigints, ",") + `]}`)
	return w.out.Bytes(), nil
}

type rowWriter struct {
	out            bytes.Buffer
	columns        [][]byte
	rows, special  int
	blobs, bigints []string
}

func (w *rowWriter) row(values []any) error {
	if w.rows == maxRows {
		return &quickjs.HostError{Name: "RangeError", Code: "ERR_DB_LIMIT", Message: fmt.Sprintf("the result has more than %d rows: add LIMIT, or aggregate in SQL", maxRows)}
	}
	if w.rows > 0 {
		w.out.WriteByte(',')
	}
	w.out.WriteByte('{')
	for k, v := range values {
		if k > 0 {
			w.out.WriteByte(',')
		}
		w.out.Write(w.columns[k])
		w.out.WriteByte(':')
		w.value(k, v)
	}
	w.out.WriteByte('}')
	w.rows++
	if w.out.Len()+w.special > maxRowBytes {
		return &quickjs.HostError{Name: "RangeError", Code: "ERR_DB_LIMIT", Message: fmt.Sprintf("the result is larger than %d MiB: select fewer rows or columns", maxRowBytes>>20)}
	}
	return nil
}

const maxSafeInteger = 1<<53 - 1

func (w *rowWriter) value(column int, v any) {
	switch v := v.(type) {
	case nil:
		w.out.WriteString("null")
	case int64:
		if v > maxSafeInteger || v < -maxSafeInteger {
			w.bigints = append(w.bigints, w.patch(column, strconv.FormatInt(v, 10)))
			w.out.WriteString("null")
			return
		}
		w.out.WriteString(strconv.FormatInt(v, 10))
	case float64:
		switch {
		case math.IsInf(v, 0):
			// JSON.parse makes infinity of it.
			w.out.WriteString(map[bool]string{true: "1e999", false: "-1e999"}[v > 0])
		case math.IsNaN(v):
			w.out.WriteString("null")
		default:
			w.out.WriteString(strconv.FormatFloat(v, 'g', -1, 64))
		}
	case bool:
		w.out.WriteString(strconv.FormatBool(v))
	case string:
		w.out.Write(jsonString(v))
	case []byte:
		w.blobs = append(w.blobs, w.patch(column, base64.StdEncoding.EncodeToString(v)))
		w.out.WriteString("null")
	case time.Time:
		w.out.Write(jsonString(v.UTC().Format(types.DefaultDateLayout)))
	default:
		w.out.Write(jsonString(fmt.Sprint(v)))
	}
}

// patch is a value that JavaScript puts into a row: [row, column, text].
func (w *rowWriter) patch(column int, text string) string {
	w.special += len(text) + 32
	return fmt.Sprintf("[%d,%s,%q]", w.rows, w.columns[column], text)
}

func jsonString(s string) []byte {
	text, err := json.Marshal(s)
	if err != nil {
		return []byte(`""`) // strings always have a JSON form
	}
	return text
}
