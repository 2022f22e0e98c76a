package compat

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/agentrt/agentrt/agentrt"
	"github.com/agentrt/agentrt/agentrt/loader"
	"github.com/agentrt/agentrt/internal/apptest"
)

// Options say what to run.
type Options struct {
	// Suites are the names of the suites; all if empty.
	Suites []string
	// Test selects programs by name; it may have * and ? (see [path.Match]).
	Test string
	// Dir keeps the packages and compiled code, some 600 MB; it is a folder of the
	// user's cache directory by default.
	Dir string
	// Progress gets a line for each program.
	Progress io.Writer
	// Verbose adds what each program did in both runtimes.
	Verbose bool
}

// concurrency is the number of programs that run at a time.
const concurrency = 4

// Run runs the programs. An error means that the suite could not run; programs that
// fail are in the report.
func Run(ctx context.Context, o Options) (report *Report, err error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	p, err := newProject(ctx, o.Dir, o.Progress)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, p.close()) }()
	m, err := startModels()
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, m.stop()) }()
	n, err := p.startNode(ctx)
	if err != nil {
		return nil, err
	}
	defer func() {
		err = errors.Join(err, n.stop())
		if o.Verbose || err != nil {
			fmt.Fprintf(o.Progress, "Node wrote:\n%s\n", n.log)
		}
	}()
	transport := &http.Transport{MaxIdleConnsPerHost: concurrency}
	defer transport.CloseIdleConnections()
	report = &Report{}
	for _, s := range suites {
		if len(o.Suites) > 0 && !slices.Contains(o.Suites, s.name) {
			continue
		}
		version, err := p.version(s.pkg)
		if err != nil {
			return nil, err
		}
		reference := &host{"Node", n.url, s.name, &http.Client{Transport: transport}, m}
		result, err := o.suite(ctx, p, reference, transport)
		if err != nil {
			return nil, fmt.Errorf("suite %s: %w", s.name, err)
		}
		result.Name, result.Version = s.name, version
		report.Suites = append(report.Suites, *result)
	}
	return report, nil
}

func (o *Options) check() error {
	if o.Progress == nil {
		o.Progress = io.Discard
	}
	if o.Dir == "" {
		cache, err := os.UserCacheDir()
		if err != nil {
			return fmt.Errorf("there is no cache directory for the packages, name one: %w", err)
		}
		o.Dir = filepath.Join(cache, "agentrt", "compat")
	}
	if _, err := path.Match(o.Test, ""); err != nil {
		return fmt.Errorf("--test %q: %w", o.Test, err)
	}
	return checkSuites(o.Suites)
}

func (o *Options) selects(program string) bool {
	matched, _ := path.Match(o.Test, program)
	return o.Test == "" || matched
}

// suite runs the programs of one suite in an app of their own.
func (o *Options) suite(ctx context.Context, p *project, reference *host, transport *http.Transport) (result *Suite, err error) {
	begin := time.Now()
	programs, err := reference.programs(ctx)
	if err != nil {
		return nil, fmt.Errorf("the programs cannot be loaded under Node: %w", err)
	}
	result = &Suite{Failures: []Failure{}, whole: o.Test == ""}
	names := slices.DeleteFunc(slices.Sorted(maps.Keys(programs)), func(name string) bool { return !o.selects(name) })
	if len(names) == 0 {
		return result, nil
	}
	dir, err := os.MkdirTemp("", "agentrt-compat-*")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	functions, err := p.functions(reference.suite)
	if err != nil {
		return nil, err
	}
	app, err := apptest.Start(dir, nil, agentrt.Config{
		FunctionsDir: functions,
		CacheDir:     filepath.Join(o.Dir, "cache"),
		AllowNet:     []string{reference.models.addr},
		CPULimit:     time.Minute, // machines that run the suite may be busy
	}, nil)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, app.Stop()) }()
	if _, _, ok := app.Engine.Current(); !ok {
		return nil, fmt.Errorf("agentrt cannot load the programs: %w", loadError(ctx, app.Engine, functions))
	}
	ours := &host{"agentrt", app.URL, reference.suite, &http.Client{Transport: transport}, reference.models}
	var mu sync.Mutex
	var work sync.WaitGroup
	places := make(chan struct{}, concurrency)
	for _, name := range names {
		places <- struct{}{}
		work.Go(func() {
			defer func() { <-places }()
			start := time.Now()
			why, details := compareProgram(ctx, ours, reference, name, programs[name])
			mu.Lock()
			defer mu.Unlock()
			result.add(name, why)
			fmt.Fprintf(o.Progress, "%s %s/%s (%.1f s)\n", verdict(why), reference.suite, name, time.Since(start).Seconds())
			if o.Verbose {
				fmt.Fprintln(o.Progress, details)
			}
		})
	}
	work.Wait()
	slices.SortFunc(result.Failures, func(a, b Failure) int { return cmp.Compare(a.Test, b.Test) })
	fmt.Fprintf(o.Progress, "%s: %d pass, %d fail, %.1f s\n", reference.suite, result.Pass, result.Fail, time.Since(begin).Seconds())
	return result, ctx.Err()
}

// compareProgram returns why a program fails, "" if it passes, and what it did.
func compareProgram(ctx context.Context, ours, reference *host, name string, asks []ask) (why, details string) {
	want, err := reference.observe(ctx, name, asks)
	if err != nil {
		return "under Node: " + headlines(err), err.Error()
	}
	got, err := ours.observe(ctx, name, asks)
	if err != nil {
		return headlines(err), fmt.Sprintf("Node:\n%s\nagentrt:\n%v", want, err)
	}
	return difference(got, want), fmt.Sprintf("Node:\n%s\nagentrt:\n%s", want, got)
}

// headlines are an error without the frames of its stacks.
func headlines(err error) string {
	var lines []string
	for line := range strings.Lines(err.Error()) {
		if !strings.HasPrefix(line, "    at ") {
			lines = append(lines, strings.TrimSpace(line))
		}
	}
	return excerpt(strings.Join(lines, " "))
}

func (s *Suite) add(name, why string) {
	if why == "" {
		s.Pass++
		s.passed = append(s.passed, name)
		return
	}
	s.Fail++
	s.Failures = append(s.Failures, Failure{name, why})
}

func verdict(why string) string {
	if why == "" {
		return "pass"
	}
	return "FAIL"
}

// loadError is why the functions of a suite were not loaded.
func loadError(ctx context.Context, e *agentrt.Engine, functions string) error {
	bundle, err := loader.Load(ctx, functions, agentrt.LoaderOptions())
	if err != nil {
		return err
	}
	dist := filepath.Join(functions, "dist")
	if err := bundle.Write(dist); err != nil {
		return err
	}
	return e.LoadBundle(dist)
}
