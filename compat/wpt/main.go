// Command wpt runs web-platform-tests in the engine:
//
//	go run ./compat/wpt -dir CHECKOUT [--json] [--update] streams encoding
//
// CHECKOUT is what compat/wpt/fetch.sh makes. Arguments are directories or files
// of the checkout. It prints the counts by file and directory and a line for each
// failure that is not among the expectations, and then ends with 1. --update
// writes results.json and expectations.json, --json prints all results as JSON.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
)

// Count is the number of subtests of a directory by result.
type Count struct {
	Pass int `json:"pass"`
	Fail int `json:"fail"`
	// Skip counts subtests of optional features that are missing.
	Skip int `json:"skip"`
}

// Results is the content of results.json.
type Results struct {
	Directories map[string]*Count `json:"directories"`
}

func main() {
	dir := flag.String("dir", "", "checkout of web-platform-tests (required)")
	repository := flag.String("repository", ".", "this repository")
	asJSON := flag.Bool("json", false, "print the results of all subtests as JSON")
	update := flag.Bool("update", false, "write results.json and expectations.json")
	flag.Parse()
	if *dir == "" || flag.NArg() == 0 {
		flag.Usage()
		os.Exit(2)
	}
	regressions, err := run(context.Background(), *dir, *repository, flag.Args(), *asJSON, *update, os.Stdout)
	if err != nil {
		fmt.Fprintln(os.Stderr, "wpt:", err)
		os.Exit(1)
	}
	for _, line := range regressions {
		fmt.Fprintln(os.Stderr, "unexpected:", line)
	}
	if len(regressions) > 0 {
		os.Exit(1)
	}
}

func run(ctx context.Context, checkout, repository string, names []string, asJSON, update bool, out io.Writer) (regressions []string, err error) {
	r, err := newRunner(ctx, checkout, repository)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, r.close(ctx)) }()
	var files []string
	for _, name := range names {
		list, err := r.list(name)
		if err != nil {
			return nil, err
		}
		files = append(files, list...)
	}
	results := r.run(ctx, files, runtime.GOMAXPROCS(0))
	counts := count(results, names)
	if asJSON {
		if err := json.NewEncoder(out).Encode(map[string]any{"directories": counts, "files": results}); err != nil {
			return nil, err
		}
	} else {
		print(out, results, counts)
	}
	folder := filepath.Join(repository, "compat", "wpt")
	expectations, err := readExpectations(filepath.Join(folder, "expectations.json"))
	if err != nil {
		return nil, err
	}
	if update {
		expectations = expectations.update(results)
		if err := writeJSON(filepath.Join(folder, "expectations.json"), expectations); err != nil {
			return nil, err
		}
		if err := updateResults(filepath.Join(folder, "results.json"), names, counts); err != nil {
			return nil, err
		}
	}
	return expectations.regressions(results), nil
}

// count adds up by the directories that were asked for; other files count for
// the top folder.
func count(results []File, names []string) map[string]*Count {
	counts := map[string]*Count{}
	for _, f := range results {
		directory, _, _ := strings.Cut(f.Path, "/")
		for _, name := range names {
			if strings.HasPrefix(f.Path, strings.TrimSuffix(name, "/")+"/") {
				directory = strings.TrimSuffix(name, "/")
			}
		}
		if counts[directory] == nil {
			counts[directory] = new(Count)
		}
		add(counts[directory], f)
	}
	return counts
}

func add(c *Count, f File) {
	for _, s := range f.Subtests {
		switch {
		case s.failed():
			c.Fail++
		case s.Status == "precondition":
			c.Skip++
		default:
			c.Pass++
		}
	}
}

func print(out io.Writer, results []File, counts map[string]*Count) {
	for _, f := range results {
		var c Count
		add(&c, f)
		fmt.Fprintf(out, "%-70s pass %5d  fail %4d  skip %4d\n", f.Path, c.Pass, c.Fail, c.Skip)
	}
	names := make([]string, 0, len(counts))
	for name := range counts {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		c := counts[name]
		fmt.Fprintf(out, "%s: pass %d, fail %d, skip %d\n", name, c.Pass, c.Fail, c.Skip)
	}
}

// updateResults replaces the counts of the directories that were run whole.
func updateResults(name string, arguments []string, counts map[string]*Count) error {
	all := Results{Directories: map[string]*Count{}}
	text, err := os.ReadFile(name)
	if err == nil {
		err = json.Unmarshal(text, &all)
	}
	if err != nil && !os.IsNotExist(err) {
		return fmt.Errorf("%s: %w", name, err)
	}
	for directory, c := range counts {
		if slices.Contains(arguments, directory) {
			all.Directories[directory] = c
		}
	}
	return writeJSON(name, all)
}
