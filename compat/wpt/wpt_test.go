package main

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func checkout(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("AGENTRT_WPT")
	if dir == "" {
		t.Skip("AGENTRT_WPT names no checkout of web-platform-tests: compat/wpt/fetch.sh makes one")
	}
	return dir
}

// TestRunner runs test files of its own: every way to fail is noticed.
func TestRunner(t *testing.T) {
	dir := t.TempDir()
	framework, err := os.ReadFile(filepath.Join(checkout(t), "resources", "testharness.js"))
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"resources/testharness.js": string(framework),
		"a/value.js":               `const value = 7;`,
		"a/pass.any.js":            "// META: script=value.js\n\ntest(() => assert_equals(value, 7), 'one'); promise_test(async () => {}, 'two');",
		"a/fail.any.js":            `test(() => assert_true(false), 'one'); promise_test(async () => {}, 'two');`,
		"a/rejection.any.js":       `test(() => { Promise.reject(new Error("lost")); }, 'one');`,
		"a/syntax.any.js":          `test(() => {`,
		"a/throws.any.js":          `test(() => {}, 'one'); throw new Error("at the top");`,
		"a/hangs.any.js":           `promise_test(() => new Promise(() => {}), 'one');`,
		"a/optional.any.js":        `test(() => assert_implements_optional(false), 'one');`,
	} {
		file := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	r, err := newRunner(t.Context(), dir, "../..")
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := r.close(context.Background()); err != nil {
			t.Error(err)
		}
	}()
	files, err := r.list("a")
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]Count{
		"a/pass.any.js": {Pass: 2}, "a/fail.any.js": {Pass: 1, Fail: 1}, "a/rejection.any.js": {Pass: 1, Fail: 1}, "a/syntax.any.js": {Fail: 1},
		"a/throws.any.js": {Pass: 1, Fail: 1}, "a/hangs.any.js": {Fail: 1}, "a/optional.any.js": {Skip: 1},
	}
	if len(files) != len(want) {
		t.Errorf("files are %q", files)
	}
	for _, f := range r.run(t.Context(), files, 2) {
		var c Count
		add(&c, f)
		if c != want[f.Path] {
			t.Errorf("%s: %+v, want %+v: %+v", f.Path, c, want[f.Path], f.Subtests)
		}
	}
}

var directories = []string{
	"streams", "encoding", "compression", "url", "dom/abort", "dom/events", "FileAPI", "WebCryptoAPI", "user-timing",
	"html/webappapis/structured-clone", "html/webappapis/timers", "html/webappapis/microtask-queuing",
}

// TestConformance runs the directories of results.json and compares the failures
// with expectations.json. It needs a checkout in $AGENTRT_WPT: compat/wpt/fetch.sh.
func TestConformance(t *testing.T) {
	checkout := checkout(t)
	regressions, err := run(context.Background(), checkout, "../..", directories, false, false, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range regressions {
		t.Error(line)
	}
}

func TestMatches(t *testing.T) {
	for _, c := range []struct {
		pattern, text string
		want          bool
	}{
		{"a", "a", true}, {"a", "ab", false}, {"a*", "ab", true}, {"*b", "ab", true}, {"*", "", true},
		{"a*c", "abc", true}, {"a*c", "abd", false}, {"a*b*c", "axbyc", true}, {"a*b*c", "acb", false}, {"ab*bc", "abc", false},
	} {
		if got := matches(c.pattern, c.text); got != c.want {
			t.Errorf("matches(%q, %q) = %v", c.pattern, c.text, got)
		}
	}
}

func TestExpectations(t *testing.T) {
	results := []File{{Path: "a.any.js", Subtests: []Subtest{
		{Name: "one", Status: "fail"}, {Name: "two", Status: "pass"}, {Name: "three", Status: "notrun"}, {Name: "four", Status: "precondition"},
	}}}
	for name, c := range map[string]struct {
		e    Expectations
		want int
	}{
		"none":        {Expectations{}, 2},
		"exact":       {Expectations{"a.any.js": {"r": {"one", "three"}}}, 0},
		"pattern":     {Expectations{"a.any.js": {"r": {"o*", "th*"}}}, 0},
		"passes":      {Expectations{"a.any.js": {"r": {"one", "t*"}}}, 1},
		"gone":        {Expectations{"a.any.js": {"r": {"one", "three", "five"}}}, 1},
		"unexplained": {Expectations{}.update(results), 2},
	} {
		if got := c.e.regressions(results); len(got) != c.want {
			t.Errorf("%s: %d lines, want %d: %q", name, len(got), c.want, got)
		}
	}
}
