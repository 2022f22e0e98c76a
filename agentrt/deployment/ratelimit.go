package deployment

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"time"
)

// Bounds of a route's rate limit.
const (
	maxRateRequests = 1_000_000
	minRateWindow   = time.Second
	maxRateWindow   = 24 * time.Hour
)

// RateLimit is how many requests of one client a route answers.
type RateLimit struct {
	// Requests may come at once; all of them are free again after Window, the
	// first after Window/Requests.
	Requests int
	Window   time.Duration
	// ByUser counts for each authenticated record, and guests by address; else
	// all are counted by address.
	ByUser bool
}

func parseRateLimit(raw json.RawMessage) (*RateLimit, error) {
	wrong := func(format string, args ...any) (*RateLimit, error) {
		return nil, fmt.Errorf(format+"; write { requests: 20, per: \"1m\", by: \"ip\" } or by: \"user\"", args...)
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(raw, &fields); err != nil || fields == nil {
		return wrong("want an object, not %s", raw)
	}
	var l RateLimit
	for _, key := range slices.Sorted(maps.Keys(fields)) {
		value := fields[key]
		switch key {
		case "requests":
			var n float64
			if err := json.Unmarshal(value, &n); err != nil || n != math.Trunc(n) || n < 1 || n > maxRateRequests {
				return wrong("requests is an integer from 1 to %d, not %s", maxRateRequests, value)
			}
			l.Requests = int(n)
		case "per":
			d, err := parseDuration(value)
			if err != nil || d < minRateWindow || d > maxRateWindow {
				return wrong("per is a duration from \"1s\" to \"24h\", not %s", value)
			}
			l.Window = d
		case "by":
			switch string(value) {
			case `"ip"`:
			case `"user"`:
				l.ByUser = true
			default:
				return wrong("by is \"ip\" or \"user\", not %s", value)
			}
		default:
			return wrong("%q is unknown", key)
		}
	}
	if l.Requests == 0 || l.Window == 0 {
		return wrong("requests and per are needed")
	}
	return &l, nil
}
