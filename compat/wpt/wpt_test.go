package main

import (
	"context"
	"os"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestConformance runs the directories of results.json and compares the failures
// with expectations.json. It needs a checkout in $AGENTRT_WPT: compat/wpt/fetch.sh.
func TestConformance(t *testing.T) {
	checkout := os.Getenv("AGENTRT_WPT")
	if checkout == "" {
		t.Skip("AGENTRT_WPT names no checkout of web-platform-tests: compat/wpt/fetch.sh makes one")
	}
	regressions, err := run(context.Background(), checkout, "../..", []string{"streams", "encoding"}, false, false, t.Output())
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
