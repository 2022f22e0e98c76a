package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
)

// Expectations names the subtests that fail: file, reason, subtests. "*" stands
// for every subtest of the file.
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

// reason returns why a subtest is expected to fail, or "".
func (e Expectations) reason(file, subtest string) string {
	for reason, names := range e[file] {
		if slices.Contains(names, subtest) || slices.Contains(names, "*") {
			return reason
		}
	}
	return ""
}

// regressions returns a line for each failure that no expectation explains, and
// for each expectation that did not come true.
func (e Expectations) regressions(results []File) []string {
	var lines []string
	for _, f := range results {
		failed := map[string]bool{}
		for _, s := range f.Subtests {
			if s.failed() {
				failed[s.Name] = true
				if reason := e.reason(f.Path, s.Name); reason == "" || reason == unexplained {
					lines = append(lines, fmt.Sprintf("%s: %s: %s: %s", f.Path, s.Name, s.Status, firstLine(s.Message)))
				}
			}
		}
		for _, names := range e[f.Path] {
			for _, name := range names {
				if name == "*" && len(failed) > 0 || failed[name] {
					continue
				}
				lines = append(lines, fmt.Sprintf("%s: %s: passes although it is expected to fail: run with --update", f.Path, name))
			}
		}
	}
	slices.Sort(lines)
	return lines
}

// update returns expectations that match the results, with the reasons kept.
func (e Expectations) update(results []File) Expectations {
	next := Expectations{}
	for file, reasons := range e {
		next[file] = reasons
	}
	for _, f := range results {
		reasons := map[string][]string{}
		for _, s := range f.Subtests {
			if !s.failed() {
				continue
			}
			reason := e.reason(f.Path, s.Name)
			if reason == "" {
				reason = unexplained
			}
			if slices.Contains(e[f.Path][reason], "*") {
				reasons[reason] = []string{"*"}
			} else {
				reasons[reason] = append(reasons[reason], s.Name)
			}
		}
		delete(next, f.Path)
		if len(reasons) > 0 {
			next[f.Path] = reasons
		}
	}
	return next
}

func (s Subtest) failed() bool { return s.Status == "fail" || s.Status == "timeout" || s.Status == "notrun" }

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
