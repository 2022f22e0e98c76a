package pb

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/agentrt/agentrt/hostfn/pb/kvstore"
	"github.com/agentrt/agentrt/quickjs"
	"github.com/pocketbase/pocketbase/core"
)

// maxTTL is the longest time to live, in seconds: ten years.
const maxTTL = 10 * 365 * 24 * 60 * 60

// kvEntry is a value on its way to JavaScript: JSON in Value, or bytes that are
// the next Size of the message's body.
type kvEntry struct {
	Key     string          `json:"key,omitempty"`
	Version int64           `json:"version"`
	Value   json.RawMessage `json:"value,omitempty"`
	Size    *int            `json:"size,omitempty"`
}

type kvPage struct {
	Items  []kvEntry `json:"items"`
	Cursor string    `json:"cursor,omitempty"`
}

type kvWrite struct {
	Key       string
	Value     json.RawMessage
	Bytes     bool // the value is the body
	TTL       *float64
	IfVersion *int64
}

type kvIncr struct {
	Key string
	By  int64
	TTL *float64
}

type kvList struct {
	Prefix string
	Limit  int
	Cursor string
}

// RegisterKV adds the operations of pb.kv, all async.
//
//	pb.kv.get      key                             -> an entry, bytes
//	pb.kv.getMany  keys                            -> {items}, bytes
//	pb.kv.list     {prefix, limit, cursor}         -> {items, cursor}, bytes
//	pb.kv.set      {key, value or bytes, ttl, ifVersion}, bytes? -> version
//	pb.kv.delete   {key, ifVersion}                -> whether there was a value
//	pb.kv.incr     {key, by, ttl}                  -> the sum
func RegisterKV(ops *quickjs.Ops) {
	quickjs.Async(ops, "pb.kv.get", kvOp(func(ctx context.Context, app core.App, key string) (m quickjs.Message[kvEntry], err error) {
		e, err := kvstore.Get(ctx, app, key)
		m.Head, m.Body = outgoing(e, nil)
		m.Head.Key = ""
		return m, err
	}))
	quickjs.Async(ops, "pb.kv.getMany", kvOp(func(ctx context.Context, app core.App, keys []string) (m quickjs.Message[kvPage], err error) {
		entries, err := kvstore.GetMany(ctx, app, keys)
		m.Head.Items, m.Body = outgoingAll(entries)
		return m, err
	}))
	quickjs.Async(ops, "pb.kv.list", kvOp(func(ctx context.Context, app core.App, l kvList) (m quickjs.Message[kvPage], err error) {
		entries, more, err := kvstore.List(ctx, app, l.Prefix, l.Cursor, l.Limit)
		m.Head.Items, m.Body = outgoingAll(entries)
		if more {
			m.Head.Cursor = entries[len(entries)-1].Key
		}
		return m, err
	}))
	quickjs.Async(ops, "pb.kv.set", kvOp(func(ctx context.Context, app core.App, m quickjs.Message[kvWrite]) (int64, error) {
		ttl, err := seconds(m.Head.TTL)
		if err != nil {
			return 0, err
		}
		value, kind := []byte(m.Head.Value), kindOf(m.Head.Value)
		switch {
		case m.Head.Bytes:
			value, kind = append([]byte{}, m.Body...), kvstore.Bytes
		case len(value) == 0:
			return 0, &quickjs.HostError{Name: "TypeError", Code: "ERR_KV_VALUE", Status: 400, Message: "pb.kv: the value has no JSON"}
		}
		return kvstore.Set(ctx, app, m.Head.Key, value, kind, kvstore.SetOptions{TTL: ttl, IfVersion: m.Head.IfVersion})
	}))
	quickjs.Async(ops, "pb.kv.delete", kvOp(func(ctx context.Context, app core.App, w kvWrite) (bool, error) {
		return kvstore.Delete(ctx, app, w.Key, w.IfVersion)
	}))
	quickjs.Async(ops, "pb.kv.incr", kvOp(func(ctx context.Context, app core.App, i kvIncr) (int64, error) {
		ttl, err := seconds(i.TTL)
		if err != nil {
			return 0, err
		}
		return kvstore.Incr(ctx, app, i.Key, i.By, ttl)
	}))
}

// kvOp runs fn with the app of the invocation.
func kvOp[Req, Res any](fn func(context.Context, core.App, Req) (Res, error)) func(context.Context, Req) (Res, error) {
	return func(ctx context.Context, req Req) (res Res, err error) {
		scope, err := ScopeFrom(ctx)
		if err != nil {
			return res, err
		}
		if scope.AsCaller {
			return res, &quickjs.HostError{Name: "Error", Code: "ERR_RUN_AS_CALLER", Message: `pb.kv is not available where the route's config has run: "caller", since its keys have no API rules`}
		}
		err = scope.Run(ctx, func(app core.App) (err error) {
			res, err = fn(ctx, app, req)
			return err
		})
		return res, kvError(err)
	}
}

func kvError(err error) error {
	for _, known := range []struct {
		is         error
		name, code string
		status     int
	}{
		{kvstore.ErrKey, "RangeError", "ERR_KV_KEY", 400},
		{kvstore.ErrValueSize, "RangeError", "ERR_KV_VALUE_SIZE", 413},
		{kvstore.ErrPageSize, "RangeError", "ERR_KV_PAGE_SIZE", 400},
		{kvstore.ErrNotInteger, "TypeError", "ERR_KV_NOT_INTEGER", 400},
		{kvstore.ErrRange, "RangeError", "ERR_KV_RANGE", 400},
		{kvstore.ErrConflict, "Error", "ERR_KV_CONFLICT", 409},
	} {
		if errors.Is(err, known.is) {
			return &quickjs.HostError{Name: known.name, Code: known.code, Status: known.status, Message: "pb.kv: " + err.Error()}
		}
	}
	return err
}

func seconds(ttl *float64) (time.Duration, error) {
	if ttl == nil {
		return 0, nil
	}
	if !(*ttl > 0 && *ttl <= maxTTL) {
		return 0, &quickjs.HostError{Name: "RangeError", Code: "ERR_KV_TTL", Status: 400,
			Message: fmt.Sprintf("pb.kv: ttl is a number of seconds above 0 and at most %d (ten years), not %v", maxTTL, *ttl)}
	}
	return time.Duration(math.Ceil(*ttl*1000)) * time.Millisecond, nil
}

// kindOf tells integers, which can be counted on, from other JSON.
func kindOf(value json.RawMessage) kvstore.Kind {
	digits := string(value)
	if len(digits) > 1 && digits[0] == '-' {
		digits = digits[1:]
	}
	if len(digits) == 0 || len(digits) > 16 {
		return kvstore.JSON
	}
	n := 0
	for _, c := range digits {
		if c < '0' || c > '9' {
			return kvstore.JSON
		}
		n = n*10 + int(c-'0')
	}
	if n > kvstore.MaxInteger {
		return kvstore.JSON
	}
	return kvstore.Integer
}

func outgoing(e kvstore.Entry, body []byte) (kvEntry, []byte) {
	out := kvEntry{Key: e.Key, Version: e.Version}
	switch {
	case e.Version == 0:
	case e.Kind == kvstore.Bytes:
		size := len(e.Value)
		out.Size = &size
		body = append(body, e.Value...)
	default:
		out.Value = e.Value
	}
	return out, body
}

func outgoingAll(entries []kvstore.Entry) (items []kvEntry, body []byte) {
	items = make([]kvEntry, len(entries))
	for k, e := range entries {
		items[k], body = outgoing(e, body)
	}
	return items, body
}
