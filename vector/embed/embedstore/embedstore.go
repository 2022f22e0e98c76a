// Package embedstore keeps the vectors of texts and the usage of models in the tables
// _agentrt_embeddings and _agentrt_embedding_usage of PocketBase's data.db. All SQL of
// package embed is here.
package embedstore

import (
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/agentrt/agentrt/vector/embed"
	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
)

// Create makes the tables where they are missing.
func Create(ctx context.Context, app core.App) error {
	for _, statement := range []string{
		`CREATE TABLE IF NOT EXISTS "_agentrt_embeddings" (
			"key" BLOB PRIMARY KEY NOT NULL,
			"vector" BLOB NOT NULL,
			"used" INTEGER NOT NULL
		) WITHOUT ROWID`,
		`CREATE INDEX IF NOT EXISTS "_agentrt_embeddings_used" ON "_agentrt_embeddings" ("used", length("vector"))`,
		`CREATE TABLE IF NOT EXISTS "_agentrt_embedding_usage" (
			"day" TEXT NOT NULL,
			"model" TEXT NOT NULL,
			"requests" INTEGER NOT NULL,
			"texts" INTEGER NOT NULL,
			"tokens" INTEGER NOT NULL,
			"cached" INTEGER NOT NULL,
			"failures" INTEGER NOT NULL,
			PRIMARY KEY ("day", "model")
		) WITHOUT ROWID`,
	} {
		if _, err := app.NonconcurrentDB().NewQuery(statement).WithContext(ctx).Execute(); err != nil {
			return wrap(err)
		}
	}
	return nil
}

// Store implements embed.Store.
type Store struct{ app core.App }

// New returns the store of an app whose tables Create has made.
func New(app core.App) Store { return Store{app} }

// readBatch is how many keys one statement reads.
const readBatch = 500

// Vectors implements embed.Store.
func (s Store) Vectors(ctx context.Context, keys []embed.Key) (map[embed.Key][]float32, error) {
	found := map[embed.Key][]float32{}
	for len(keys) > 0 {
		n := min(len(keys), readBatch)
		if err := s.read(ctx, keys[:n], found); err != nil {
			return nil, wrap(err)
		}
		keys = keys[n:]
	}
	return found, nil
}

func (s Store) read(ctx context.Context, keys []embed.Key, found map[embed.Key][]float32) (err error) {
	params, places := dbx.Params{}, make([]string, len(keys))
	for k, key := range keys {
		name := fmt.Sprintf("k%d", k)
		params[name], places[k] = key[:], "{:"+name+"}"
	}
	rows, err := s.app.ConcurrentDB().NewQuery(`SELECT "key", "vector" FROM "_agentrt_embeddings" WHERE "key" IN (` + strings.Join(places, ",") + `)`).
		Bind(params).WithContext(ctx).Rows()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var key, vector []byte
		if err := rows.Scan(&key, &vector); err != nil {
			return err
		}
		if len(key) == len(embed.Key{}) && len(vector)%4 == 0 {
			found[embed.Key(key)] = floats(vector)
		}
	}
	return rows.Err()
}

// rowOverhead is about what a row needs besides its vector, in bytes.
const rowOverhead = 64

// Write implements embed.Store, in one transaction.
func (s Store) Write(ctx context.Context, add []embed.Entry, used []embed.Key, usage []embed.Usage, maxBytes int64) error {
	return wrap(s.app.RunInTransaction(func(tx core.App) error {
		db, now := tx.NonconcurrentDB(), time.Now().UnixMilli()
		exec := func(text string, params dbx.Params) error {
			_, err := db.NewQuery(text).Bind(params).WithContext(ctx).Execute()
			return err
		}
		for _, e := range add {
			err := exec(`INSERT INTO "_agentrt_embeddings" ("key", "vector", "used") VALUES ({:key}, {:vector}, {:now})
				ON CONFLICT ("key") DO UPDATE SET "vector" = {:vector}, "used" = {:now}`, dbx.Params{"key": e.Key[:], "vector": bytesOf(e.Vector), "now": now})
			if err != nil {
				return err
			}
		}
		for _, key := range used { // by the hour: a vector in steady use is seldom written
			err := exec(`UPDATE "_agentrt_embeddings" SET "used" = {:now} WHERE "key" = {:key} AND "used" < {:now} - 3600000`, dbx.Params{"key": key[:], "now": now})
			if err != nil {
				return err
			}
		}
		for _, u := range usage {
			err := exec(`INSERT INTO "_agentrt_embedding_usage" ("day", "model", "requests", "texts", "tokens", "cached", "failures")
				VALUES ({:day}, {:model}, {:requests}, {:texts}, {:tokens}, {:cached}, {:failures})
				ON CONFLICT ("day", "model") DO UPDATE SET "requests" = "requests" + {:requests}, "texts" = "texts" + {:texts},
					"tokens" = "tokens" + {:tokens}, "cached" = "cached" + {:cached}, "failures" = "failures" + {:failures}`,
				dbx.Params{"day": u.Day, "model": u.Model, "requests": u.Requests, "texts": u.Texts, "tokens": u.Tokens, "cached": u.Cached, "failures": u.Failures})
			if err != nil {
				return err
			}
		}
		if len(add) == 0 {
			return nil
		}
		return evict(ctx, db, maxBytes)
	}))
}

// evict removes the vectors used longest ago, down to nine tenths of maxBytes.
func evict(ctx context.Context, db dbx.Builder, maxBytes int64) error {
	var total int64
	err := db.NewQuery(fmt.Sprintf(`SELECT coalesce(sum(length("vector") + %d), 0) FROM "_agentrt_embeddings"`, rowOverhead)).WithContext(ctx).Row(&total)
	if err != nil || total <= maxBytes {
		return err
	}
	_, err = db.NewQuery(fmt.Sprintf(`DELETE FROM "_agentrt_embeddings" WHERE "key" IN (
		SELECT "key" FROM (SELECT "key", sum(length("vector") + %d) OVER (ORDER BY "used", "key") AS "below" FROM "_agentrt_embeddings") WHERE "below" <= {:excess})`, rowOverhead)).
		Bind(dbx.Params{"excess": total - maxBytes/10*9}).WithContext(ctx).Execute()
	return err
}

// Usage implements embed.Store.
func (s Store) Usage(ctx context.Context, since time.Time) ([]embed.Usage, error) {
	usage := []embed.Usage{}
	err := s.app.ConcurrentDB().NewQuery(`SELECT * FROM "_agentrt_embedding_usage" WHERE "day" >= {:since} ORDER BY "day" DESC, "model" LIMIT 10000`).
		Bind(dbx.Params{"since": since.UTC().Format(time.DateOnly)}).WithContext(ctx).All(&usage)
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	return usage, wrap(err)
}

func bytesOf(v []float32) []byte {
	b := make([]byte, 0, 4*len(v))
	for _, f := range v {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(f))
	}
	return b
}

func floats(b []byte) []float32 {
	v := make([]float32, len(b)/4)
	for k := range v {
		v[k] = math.Float32frombits(binary.LittleEndian.Uint32(b[4*k:]))
	}
	return v
}

func wrap(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("embeddings: %w", err)
}
