// Package kvstore keeps values by key in the table _agentrt_kv of PocketBase's
// data.db: they are in its backups and take part in its transactions. All SQL of
// pb.kv is here.
package kvstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
)

// Limits of keys, values and pages.
const (
	// MaxKey is the longest key, in bytes of UTF-8.
	MaxKey = 512
	// MaxValue is the largest value, in bytes (JSON values: of their text).
	MaxValue = 1 << 20
	// MaxPage is the most entries of List and of GetMany.
	MaxPage = 1000
	// MaxPageBytes bounds the values of one page of List and of one GetMany, in
	// bytes. A page of List has at least one entry.
	MaxPageBytes = 8 << 20
	// MaxInteger is the largest number that Incr counts to, up and down: beyond it
	// JavaScript's numbers are not exact.
	MaxInteger = 1<<53 - 1
)

// Kind says what the bytes of a value are.
type Kind int

// Kinds of values.
const (
	JSON Kind = iota
	Bytes
	// Integer is a JSON number without a fraction, at most MaxInteger.
	Integer
)

var (
	// ErrKey reports a key that is empty, too long or not UTF-8.
	ErrKey = errors.New("a key must have 1 to 512 bytes of UTF-8")
	// ErrValueSize reports a value of more than MaxValue bytes.
	ErrValueSize = errors.New("a value must not have more than 1,048,576 bytes")
	// ErrPageSize reports a GetMany of too many keys or bytes.
	ErrPageSize = errors.New("at most 1,000 keys and 8,388,608 bytes of values can be read at once")
	// ErrConflict reports that the key does not have the expected version.
	ErrConflict = errors.New("the value was changed in between: its version is another one")
	// ErrNotInteger reports an Incr of something else than an integer.
	ErrNotInteger = errors.New("the value is not an integer")
	// ErrRange reports a sum beyond MaxInteger.
	ErrRange = errors.New("the sum is beyond the integers that are exact in JavaScript (±9,007,199,254,740,991)")
)

// Entry is a value with its key and version. The zero Version means that there is
// none.
type Entry struct {
	Key     string
	Value   []byte
	Kind    Kind
	Version int64
}

// SetOptions of a write.
type SetOptions struct {
	// TTL is how long the value lives; zero means forever.
	TTL time.Duration
	// IfVersion, if not nil, is the version that the key must have; 0: no value.
	IfVersion *int64
}

// Create makes the table where it is missing.
func Create(ctx context.Context, app core.App) error {
	for _, statement := range []string{
		`CREATE TABLE IF NOT EXISTS "_agentrt_kv" (
			"key" TEXT PRIMARY KEY NOT NULL,
			"value" BLOB NOT NULL,
			"kind" INTEGER NOT NULL,
			"version" INTEGER NOT NULL,
			"expires" INTEGER NOT NULL
		)`,
		`CREATE INDEX IF NOT EXISTS "_agentrt_kv_expires" ON "_agentrt_kv" ("expires") WHERE "expires" > 0`,
	} {
		if _, err := app.NonconcurrentDB().NewQuery(statement).WithContext(ctx).Execute(); err != nil {
			return fmt.Errorf("kv: %w", err)
		}
	}
	return nil
}

// CheckKey returns ErrKey for what cannot be a key.
func CheckKey(key string) error {
	if key == "" || len(key) > MaxKey || !utf8.ValidString(key) {
		return ErrKey
	}
	return nil
}

// live holds for rows that have not expired at {:now}.
const live = `("expires" = 0 OR "expires" > {:now})`

// Get reads a value; an Entry without Version if there is none.
func Get(ctx context.Context, app core.App, key string) (Entry, error) {
	if err := CheckKey(key); err != nil {
		return Entry{}, err
	}
	e := Entry{Key: key}
	stmt, err := preparedGet(ctx, app)
	if err != nil {
		return e, err
	}
	if stmt != nil {
		// One row by its key is read sooner than watching ctx would be arranged.
		err = stmt.QueryRowContext(context.WithoutCancel(ctx), now(), key).Scan(&e.Value, &e.Kind, &e.Version)
		if errors.Is(err, sql.ErrNoRows) {
			return Entry{Key: key}, nil
		}
		return e, wrap(err)
	}
	err = app.ConcurrentDB().NewQuery(`SELECT "value", "kind", "version" FROM "_agentrt_kv" WHERE "key" = {:key} AND `+live).
		Bind(dbx.Params{"key": key, "now": now()}).WithContext(ctx).Row(&e.Value, &e.Kind, &e.Version)
	if errors.Is(err, sql.ErrNoRows) {
		return Entry{Key: key}, nil
	}
	return e, wrap(err)
}

// GetMany reads the values of keys, in their order and with repetitions; an Entry
// without Version for each that is missing.
func GetMany(ctx context.Context, app core.App, keys []string) ([]Entry, error) {
	if len(keys) > MaxPage {
		return nil, ErrPageSize
	}
	params := dbx.Params{"now": now()}
	places := make([]string, len(keys))
	for k, key := range keys {
		if err := CheckKey(key); err != nil {
			return nil, fmt.Errorf("keys[%d]: %w", k, err)
		}
		name := fmt.Sprintf("k%d", k)
		params[name], places[k] = key, "{:"+name+"}"
	}
	if len(keys) == 0 {
		return nil, nil
	}
	found := map[string]Entry{}
	size := 0
	err := each(ctx, app, `"key" IN (`+strings.Join(places, ",")+`)`, MaxPage, params, func(e Entry) bool {
		found[e.Key] = e
		size += len(e.Value)
		return size <= MaxPageBytes
	})
	if err != nil {
		return nil, err
	}
	entries := make([]Entry, len(keys))
	total := 0
	for k, key := range keys {
		entries[k] = found[key]
		entries[k].Key = key
		if total += len(found[key].Value); max(total, size) > MaxPageBytes {
			return nil, ErrPageSize
		}
	}
	return entries, nil
}

// List returns the entries whose keys start with prefix and come after the key
// after, in the order of their bytes: at most limit, fewer once they have
// MaxPageBytes. more says that there are further ones.
func List(ctx context.Context, app core.App, prefix, after string, limit int) (entries []Entry, more bool, err error) {
	limit = min(max(limit, 1), MaxPage)
	params := dbx.Params{"now": now(), "from": prefix, "after": after}
	where := `"key" >= {:from} AND "key" > {:after}`
	if end, ok := prefixEnd(prefix); ok {
		params["end"] = end
		where += ` AND "key" < {:end}`
	}
	size := 0
	err = each(ctx, app, where, limit+1, params, func(e Entry) bool {
		size += len(e.Value)
		if more = len(entries) == limit || size > MaxPageBytes && len(entries) > 0; more {
			return false
		}
		entries = append(entries, e)
		return true
	})
	return entries, more, err
}

// each calls f with the live rows in the order of their keys until it says false.
func each(ctx context.Context, app core.App, where string, limit int, params dbx.Params, f func(Entry) bool) (err error) {
	text := fmt.Sprintf(`SELECT "key", "value", "kind", "version" FROM "_agentrt_kv" WHERE %s AND %s ORDER BY "key" LIMIT %d`, where, live, limit)
	rows, err := app.ConcurrentDB().NewQuery(text).Bind(params).WithContext(ctx).Rows()
	if err != nil {
		return wrap(err)
	}
	defer func() { err = errors.Join(err, wrap(rows.Close())) }()
	for rows.Next() {
		var e Entry
		if err := rows.Scan(&e.Key, &e.Value, &e.Kind, &e.Version); err != nil {
			return wrap(err)
		}
		if !f(e) {
			return nil
		}
	}
	return wrap(rows.Err())
}

// prefixEnd is the first text after all that start with prefix; false if there is
// none. UTF-8 sorts as its code points do.
func prefixEnd(prefix string) (string, bool) {
	for prefix != "" {
		r, size := utf8.DecodeLastRuneInString(prefix)
		prefix = prefix[:len(prefix)-size]
		switch {
		case r == 0xd7ff:
			return prefix + "\ue000", true
		case r < utf8.MaxRune:
			return prefix + string(r+1), true
		}
	}
	return "", false
}

// newVersion is larger than any that a deleted value of the same key had, as long
// as the clock does not go back by more than a value lived: microseconds since
// 1970, or one more than the present version.
const newVersion = `max("version" + 1, {:version})`

// Set writes a value and returns its version, ErrConflict if the key does not have
// the expected one.
func Set(ctx context.Context, app core.App, key string, value []byte, kind Kind, o SetOptions) (version int64, err error) {
	if err := CheckKey(key); err != nil {
		return 0, err
	}
	if len(value) > MaxValue {
		return 0, ErrValueSize
	}
	params := dbx.Params{"key": key, "value": value, "kind": kind, "now": now(), "version": time.Now().UnixMicro(), "expires": expiry(o.TTL)}
	update := `"value" = {:value}, "kind" = {:kind}, "version" = ` + newVersion + `, "expires" = {:expires}`
	insert := `INSERT INTO "_agentrt_kv" ("key", "value", "kind", "version", "expires") VALUES ({:key}, {:value}, {:kind}, {:version}, {:expires})
		ON CONFLICT ("key") DO UPDATE SET ` + update
	var text string
	switch {
	case o.IfVersion == nil:
		text = insert
	case *o.IfVersion == 0:
		text = insert + ` WHERE NOT ` + live
	default:
		params["if"] = *o.IfVersion
		text = `UPDATE "_agentrt_kv" SET ` + update + ` WHERE "key" = {:key} AND "version" = {:if} AND ` + live
	}
	err = app.NonconcurrentDB().NewQuery(text + ` RETURNING "version"`).Bind(params).WithContext(ctx).Row(&version)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, ErrConflict
	}
	return version, wrap(err)
}

// Delete removes a value and reports whether there was one. ifVersion is as in
// SetOptions, but not 0.
func Delete(ctx context.Context, app core.App, key string, ifVersion *int64) (bool, error) {
	if err := CheckKey(key); err != nil {
		return false, err
	}
	params := dbx.Params{"key": key, "now": now()}
	text := `DELETE FROM "_agentrt_kv" WHERE "key" = {:key} AND ` + live
	if ifVersion != nil {
		params["if"] = *ifVersion
		text += ` AND "version" = {:if}`
	}
	res, err := app.NonconcurrentDB().NewQuery(text).Bind(params).WithContext(ctx).Execute()
	if err != nil {
		return false, wrap(err)
	}
	n, err := res.RowsAffected()
	if err == nil && n == 0 && ifVersion != nil {
		return false, ErrConflict
	}
	return n > 0, wrap(err)
}

// Incr adds by to the integer at key, 0 if there is none, and returns the sum. ttl
// counts from the call that creates the value. The error is ErrNotInteger or
// ErrRange if nothing was changed because of the present value.
func Incr(ctx context.Context, app core.App, key string, by int64, ttl time.Duration) (int64, error) {
	if err := CheckKey(key); err != nil {
		return 0, err
	}
	if by > MaxInteger || by < -MaxInteger {
		return 0, ErrRange
	}
	var sum string
	// The value is what "present" says as long as the row lives.
	const present = `CAST(CAST("_agentrt_kv"."value" AS TEXT) AS INTEGER)`
	err := app.NonconcurrentDB().NewQuery(`INSERT INTO "_agentrt_kv" ("key", "value", "kind", "version", "expires")
		VALUES ({:key}, CAST(CAST({:by} AS TEXT) AS BLOB), {:integer}, {:version}, {:expires})
		ON CONFLICT ("key") DO UPDATE SET
			"value" = CASE WHEN ` + live + ` THEN CAST(CAST(` + present + ` + {:by} AS TEXT) AS BLOB) ELSE CAST(CAST({:by} AS TEXT) AS BLOB) END,
			"kind" = {:integer},
			"version" = ` + newVersion + `,
			"expires" = CASE WHEN ` + live + ` THEN "expires" ELSE {:expires} END
		WHERE NOT ` + live + ` OR ("kind" = {:integer} AND abs(` + present + ` + {:by}) <= {:max})
		RETURNING CAST("value" AS TEXT)`).
		Bind(dbx.Params{"key": key, "by": by, "integer": Integer, "max": MaxInteger, "now": now(), "version": time.Now().UnixMicro(), "expires": expiry(ttl)}).
		WithContext(ctx).Row(&sum)
	if errors.Is(err, sql.ErrNoRows) {
		e, err := Get(ctx, app, key)
		switch {
		case err != nil:
			return 0, err
		case e.Kind != Integer:
			return 0, ErrNotInteger
		}
		return 0, ErrRange
	}
	if err != nil {
		return 0, wrap(err)
	}
	var n int64
	_, err = fmt.Sscan(sum, &n)
	return n, wrap(err)
}

// sweepBatch is how many rows one statement of Sweep removes.
const sweepBatch = 1000

// Sweep removes values that have expired, in small writes, and returns how many.
func Sweep(ctx context.Context, app core.App) (removed int64, err error) {
	for {
		res, err := app.NonconcurrentDB().NewQuery(fmt.Sprintf(`DELETE FROM "_agentrt_kv" WHERE "key" IN
			(SELECT "key" FROM "_agentrt_kv" WHERE "expires" > 0 AND "expires" <= {:now} LIMIT %d)`, sweepBatch)).
			Bind(dbx.Params{"now": now()}).WithContext(ctx).Execute()
		if err != nil {
			return removed, wrap(err)
		}
		n, err := res.RowsAffected()
		removed += n
		if err != nil || n < sweepBatch {
			return removed, wrap(err)
		}
	}
}

func now() int64 { return time.Now().UnixMilli() }

func expiry(ttl time.Duration) int64 {
	if ttl <= 0 {
		return 0
	}
	return time.Now().Add(ttl).UnixMilli()
}

func wrap(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("kv: %w", err)
}
