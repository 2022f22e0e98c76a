package compat

import (
	"embed"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
)

//go:embed sdks/expectations.json
var expectationsFile embed.FS

// Expectations are the programs that are known to fail, with the reason, by suite and
// name.
type Expectations map[string]map[string]string

// Expected returns the committed expectations.
func Expected() (Expectations, error) {
	text, err := expectationsFile.ReadFile("sdks/expectations.json")
	if err != nil {
		return nil, err
	}
	e := Expectations{}
	if err := json.Unmarshal(text, &e); err != nil {
		return nil, fmt.Errorf("sdks/expectations.json: %w", err)
	}
	return e, nil
}

// Regressions returns a line for each failure that is not expected, and for each
// expected failure that did not happen. Suites and programs that did not run do not
// count, unless a suite ran in whole and has no such program.
func (e Expectations) Regressions(r *Report) []string {
	var lines []string
	for _, s := range r.Suites {
		ran := map[string]bool{}
		for _, name := range s.passed {
			ran[name] = true
			if e[s.Name][name] != "" {
				lines = append(lines, fmt.Sprintf("%s/%s passes, although expectations.json says that it fails: take it out", s.Name, name))
			}
		}
		for _, f := range s.Failures {
			ran[f.Test] = true
			if e[s.Name][f.Test] == "" {
				lines = append(lines, fmt.Sprintf("%s/%s: %s", s.Name, f.Test, f.Reason))
			}
		}
		for _, name := range slices.Sorted(maps.Keys(e[s.Name])) {
			if s.whole && !ran[name] {
				lines = append(lines, fmt.Sprintf("expectations.json names %s/%s, which does not exist", s.Name, name))
			}
		}
	}
	return lines
}
