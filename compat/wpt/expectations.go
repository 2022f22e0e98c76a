package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
)

// Expectations names the subtests that fail: file, reason, names of subtests. In
// a name, * stands for any text.
type Expectations map[string]map[string][]string

// unexplained is the reason that an update writes for a new failure; a reader
// has to replace it.
const unexplained = "TODO: reason"

func readExpectations(name string) (Expectations, error) {
	e := Expectations{}
	text, err := os.ReadFile(name)
	if os.IsNotExist(err) {
		return e, nil
	}
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(text, &e); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return e, nil
}

// find returns why a subtest is expected to fail and the name that says so, or "".
func (e Expectations) find(file, subtest string) (reason, name string) {
	for reason, names := range e[file] {
		for _, name := range names {
			if matches(name, subtest) {
				return reason, name
			}
		}
	}
	return "", ""
}

func matches(pattern, text string) bool {
	parts := strings.Split(pattern, "*")
	text, ok := strings.CutPrefix(text, parts[0])
	if len(parts) == 1 || !ok {
		return ok && text == ""
	}
	for _, part := range parts[1 : len(parts)-1] {
		if _, text, ok = strings.Cut(text, part); !ok {
			return false
		}
	}
	return strings.HasSuffix(text, parts[len(parts)-1])
}

// regressions returns a line for each failure that no expectation explains, and
// for each expectation that did not come true.
func (e Expectations) regressions(results []File) []string {
	var lines []string
	for _, f := range results {
		used := map[string]bool{}
		for _, s := range f.Subtests {
			reason, name := e.find(f.Path, s.Name)
			switch {
			case s.failed() && (reason == "" || reason == unexplained):
				lines = append(lines, fmt.Sprintf("%s: %s: %s: %s", f.Path, s.Name, s.Status, firstLine(s.Message)))
			case !s.failed() && reason != "":
				lines = append(lines, fmt.Sprintf("%s: %s: does not fail although expectations.json says so: run with --update", f.Path, s.Name))
			}
			used[name] = true
		}
		for _, names := range e[f.Path] {
			for _, name := range names {
				if !used[name] {
					lines = append(lines, fmt.Sprintf("%s: expectations.json names %q, which is no subtest: run with --update", f.Path, name))
				}
			}
		}
	}
	slices.Sort(lines)
	return lines
}

// update returns expectations that match the results, with the reasons kept.
func (e Expectations) update(results []File) Expectations {
	next := maps.Clone(e)
	for _, f := range results {
		reasons := map[string][]string{}
		for _, s := range f.Subtests {
			if !s.failed() {
				continue
			}
			reason, name := e.find(f.Path, s.Name)
			if reason == "" {
				reason, name = unexplained, s.Name
			}
			if !slices.Contains(reasons[reason], name) {
				reasons[reason] = append(reasons[reason], name)
			}
		}
		delete(next, f.Path)
		if len(reasons) > 0 {
			next[f.Path] = reasons
		}
	}
	return next
}

func (s Subtest) failed() bool {
	return s.Status == "fail" || s.Status == "timeout" || s.Status == "notrun"
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return line
}

func writeJSON(name string, value any) error {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(value); err != nil {
		return err
	}
	return os.WriteFile(name, b.Bytes(), 0o644)
}
