package deployment

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/agentrt/agentrt/agentrt/security"
)

// Access narrows what a function may reach: that of a route, a hook, a cron job or
// a worker. The zero value narrows nothing.
type Access struct {
	// Net are the only destinations of fetch; nil means all that the server's
	// policy lets through.
	Net *security.Allowlist
	// Secrets are the names that pb.secrets gives to handlers; nil means all.
	Secrets []string
}

// ParseAccess reads { net, secrets }; absent (empty or "null") narrows nothing.
func ParseAccess(raw json.RawMessage) (a Access, err error) {
	if len(raw) == 0 || string(raw) == "null" {
		return a, nil
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(raw, &fields); err != nil {
		return a, fmt.Errorf("want an object such as { net: [\"api.openai.com\"], secrets: [\"OPENAI_API_KEY\"] }, not %s", raw)
	}
	for _, key := range slices.Sorted(maps.Keys(fields)) {
		known, err := a.take(key, fields[key])
		if !known {
			err = fmt.Errorf("%q is unknown (known: net, secrets)", key)
		}
		if err != nil {
			return a, err
		}
	}
	return a, nil
}

// take reads one member if it is one of Access.
func (a *Access) take(key string, value json.RawMessage) (known bool, err error) {
	switch key {
	case "net":
		a.Net, err = parseNet(value)
		return true, err
	case "secrets":
		if err := json.Unmarshal(value, &a.Secrets); err != nil || a.Secrets == nil || slices.Contains(a.Secrets, "") {
			return true, fmt.Errorf("secrets: want an array of names such as [\"OPENAI_API_KEY\"], [] for none, not %s", value)
		}
		return true, nil
	}
	return false, nil
}

func parseNet(value json.RawMessage) (*security.Allowlist, error) {
	var texts []string
	if err := json.Unmarshal(value, &texts); err != nil || texts == nil {
		return nil, fmt.Errorf("net: want an array of destinations such as [\"api.openai.com\", \"*.example.com:443\"], [] for none, not %s", value)
	}
	list, err := security.ParseAllowlist(texts)
	if err != nil {
		return nil, fmt.Errorf("net: %w", err)
	}
	return &list, nil
}
