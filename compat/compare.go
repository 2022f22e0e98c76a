package compat

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"

	"github.com/agentrt/agentrt/compat/modelserver"
)

// transport are headers that say how a response travelled.
var transport = []string{"Connection", "Content-Length", "Date", "Keep-Alive", "Transfer-Encoding"}

// difference tells how what agentrt did differs from what Node did, "" if it does not.
func difference(got, want *observation) string {
	for i := range want.responses {
		if d := want.responses[i].difference(&got.responses[i]); d != "" {
			if len(want.responses) > 1 {
				d = fmt.Sprintf("response %d: %s", i+1, d)
			}
			return d
		}
	}
	mine, node := summaries(got.requests), summaries(want.requests)
	for i := range max(len(mine), len(node)) {
		switch {
		case i >= len(mine) || i < len(node) && mine[i] > node[i]:
			return "the model server did not get the request that Node sent: " + node[i]
		case i >= len(node) || mine[i] < node[i]:
			return "the model server got a request that Node did not send: " + mine[i]
		}
	}
	return ""
}

func (want *response) difference(got *response) string {
	if got.status != want.status {
		return fmt.Sprintf("status %d, under Node %d: %s", got.status, want.status, excerpt(got.body))
	}
	for _, name := range slices.Sorted(maps.Keys(want.header)) {
		if slices.Contains(transport, name) {
			continue
		}
		if mine, node := got.header.Values(name), want.header.Values(name); !slices.Equal(mine, node) {
			return fmt.Sprintf("header %s is %q, under Node %q", name, mine, node)
		}
	}
	return bodyDifference(got.body, want.body)
}

func bodyDifference(got, want string) string {
	if got == want {
		return ""
	}
	var g, w any
	if json.Unmarshal([]byte(got), &g) == nil && json.Unmarshal([]byte(want), &w) == nil {
		return valueDifference(g, w, "")
	}
	mine, node := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range max(len(mine), len(node)) {
		switch {
		case i >= len(mine):
			return fmt.Sprintf("the body ends where Node goes on with %s", excerpt(node[i]))
		case i >= len(node):
			return fmt.Sprintf("the body goes on with %s where Node's ends", excerpt(mine[i]))
		case mine[i] != node[i]:
			return fmt.Sprintf("line %d of the body is %s, under Node %s", i+1, excerpt(mine[i]), excerpt(node[i]))
		}
	}
	return ""
}

// valueDifference compares JSON values; the order of an object's keys does not count.
func valueDifference(got, want any, path string) string {
	if reflect.DeepEqual(got, want) {
		return ""
	}
	switch w := want.(type) {
	case map[string]any:
		g, ok := got.(map[string]any)
		if !ok {
			break
		}
		for _, key := range slices.Sorted(maps.Keys(w)) {
			value, ok := g[key]
			if !ok {
				return fmt.Sprintf("%s.%s is missing, under Node %s", path, key, compact(w[key]))
			}
			if d := valueDifference(value, w[key], path+"."+key); d != "" {
				return d
			}
		}
		for _, key := range slices.Sorted(maps.Keys(g)) {
			if _, ok := w[key]; !ok {
				return fmt.Sprintf("%s.%s is %s, missing under Node", path, key, compact(g[key]))
			}
		}
	case []any:
		g, ok := got.([]any)
		if !ok {
			break
		}
		for i := range min(len(g), len(w)) {
			if d := valueDifference(g[i], w[i], fmt.Sprintf("%s[%d]", path, i)); d != "" {
				return d
			}
		}
		return fmt.Sprintf("%s has %d items, under Node %d", path, len(g), len(w))
	}
	return fmt.Sprintf("%s is %s, under Node %s", path, compact(got), compact(want))
}

func compact(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return excerpt(string(text))
}

func excerpt(text string) string {
	const limit = 300
	if len(text) > limit {
		text = strings.ToValidUTF8(text[:limit], "") + "…"
	}
	return text
}

// compared are the request headers that programs choose.
var compared = []string{"Accept", "Anthropic-Version", "Authorization", "Idempotency-Key", "X-Api-Key", "X-Goog-Api-Key"}

// summaries are the requests as sorted texts, each with all that must be equal.
func summaries(requests []modelserver.Request) []string {
	out := make([]string, 0, len(requests))
	for _, r := range requests {
		out = append(out, fmt.Sprintf("%s %s?%s %s %s %s", r.Method, r.Path, r.Query, r.Outcome, choose(r.Header), canonical(r.Body)))
	}
	slices.Sort(out)
	return out
}

func choose(h http.Header) string {
	var parts []string
	if kind, _, _ := strings.Cut(h.Get("Content-Type"), ";"); kind != "" {
		parts = append(parts, kind)
	}
	for _, name := range compared {
		if v := h.Get(name); v != "" {
			parts = append(parts, name+": "+v)
		}
	}
	return strings.Join(parts, ", ")
}

// canonical is JSON with its keys in order; other text stays as it is.
func canonical(body string) string {
	var v any
	if json.Unmarshal([]byte(body), &v) != nil {
		return body
	}
	text, err := json.Marshal(v)
	if err != nil {
		return body
	}
	return string(text)
}
