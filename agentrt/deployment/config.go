package deployment

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// RouteConfig is what a route exports as config.
type RouteConfig struct {
	// Auth is who may call: "none" (the default), "user" (any authenticated
	// record), "superuser", or the name or id of an auth collection.
	Auth string
	// Timeout is the time until the response starts; zero means the engine's.
	Timeout time.Duration
	// CPU is the time JavaScript may run; zero means the engine's.
	CPU time.Duration
	// Memory bounds the JavaScript heap in bytes; zero means the engine's.
	Memory uint32
	// AsCaller is run: "caller": pb acts under the API rules of who calls, instead
	// of with a superuser's rights (run: "superuser", the default).
	AsCaller bool
	Access
	// RateLimit is nil for none.
	RateLimit *RateLimit
}

func parseRun(value json.RawMessage) (asCaller bool, err error) {
	switch string(value) {
	case `"superuser"`:
		return false, nil
	case `"caller"`:
		return true, nil
	}
	return false, fmt.Errorf("run must be \"superuser\" or \"caller\", not %s", value)
}

func parseConfig(raw json.RawMessage) (c RouteConfig, err error) {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(raw, &fields); err != nil {
		return c, fmt.Errorf("config must be an object such as { auth: \"user\", timeout: \"5m\" }")
	}
	c.Auth = "none"
	for _, key := range slices.Sorted(maps.Keys(fields)) {
		value := fields[key]
		switch key {
		case "auth":
			if err = json.Unmarshal(value, &c.Auth); err != nil || c.Auth == "" {
				err = fmt.Errorf("auth must be \"none\", \"user\", \"superuser\" or the name of an auth collection, not %s", value)
			}
		case "run":
			c.AsCaller, err = parseRun(value)
		case "timeout":
			c.Timeout, err = parseDuration(value)
		case "cpu":
			c.CPU, err = parseDuration(value)
		case "memory":
			c.Memory, err = parseSize(value)
		case "rateLimit":
			c.RateLimit, err = parseRateLimit(value)
		default:
			known, err := c.take(key, value)
			if !known {
				return c, fmt.Errorf("config.%s is unknown (known: auth, timeout, cpu, memory, net, rateLimit, run, secrets)", key)
			}
			if err != nil {
				return c, fmt.Errorf("config.%w", err)
			}
		}
		if err != nil {
			return c, fmt.Errorf("config.%s: %w", key, err)
		}
	}
	return c, nil
}

func parseDuration(raw json.RawMessage) (time.Duration, error) {
	var text string
	if err := json.Unmarshal(raw, &text); err != nil {
		return 0, fmt.Errorf("want a duration such as \"500ms\", \"30s\" or \"5m\", not %s", raw)
	}
	d, err := time.ParseDuration(text)
	if err != nil || d <= 0 {
		return 0, fmt.Errorf("want a positive duration such as \"500ms\", \"30s\" or \"5m\", not %q", text)
	}
	return d, nil
}

const minimumMemory = 8 << 20

func parseSize(raw json.RawMessage) (uint32, error) {
	wrong := fmt.Errorf("want a size such as \"64MB\" or a number of bytes, at least 8 MB, not %s", raw)
	text := strings.Trim(string(raw), `"`)
	unit := uint64(1)
	for suffix, bytes := range map[string]uint64{"MiB": 1 << 20, "MB": 1 << 20, "KiB": 1 << 10, "KB": 1 << 10} {
		if rest, ok := strings.CutSuffix(text, suffix); ok {
			text, unit = strings.TrimSpace(rest), bytes
			break
		}
	}
	n, err := strconv.ParseUint(text, 10, 32)
	if err != nil || n*unit < minimumMemory || n*unit > 1<<32-1 {
		return 0, wrong
	}
	return uint32(n * unit), nil
}
