package compat_test

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/agentrt/agentrt/compat"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	code := m.Run()
	http.DefaultClient.CloseIdleConnections()
	if code == 0 {
		if err := goleak.Find(ignored...); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	os.Exit(code)
}

// ignored are goroutines of PocketBase that end only with the process.
var ignored = []goleak.Option{
	goleak.IgnoreAnyFunction("github.com/pocketbase/pocketbase/core.(*BaseApp).initLogger.func1"),
	goleak.IgnoreAnyFunction("database/sql.(*DB).connectionOpener"),
}

// TestSDKs runs all programs in both runtimes.
func TestSDKs(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: installs npm packages")
	}
	if _, err := exec.LookPath("npm"); err != nil {
		t.Skip("SKIPPED, AND NO SDK WAS TESTED: there is no npm on this machine")
	}
	expected, err := compat.Expected()
	if err != nil {
		t.Fatal(err)
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		cache = t.TempDir()
	}
	report, err := compat.Run(t.Context(), compat.Options{Progress: testLog{t}, Dir: filepath.Join(cache, "agentrt", "compat")})
	if err != nil {
		t.Fatal(err)
	}
	if len(report.Suites) != len(compat.Suites()) {
		t.Errorf("%d suites ran, want %d", len(report.Suites), len(compat.Suites()))
	}
	for _, line := range expected.Regressions(report) {
		t.Error(line)
	}
}

// testLog is a writer of lines into a test's log.
type testLog struct{ t *testing.T }

func (l testLog) Write(b []byte) (int, error) {
	l.t.Log(strings.TrimSuffix(string(b), "\n"))
	return len(b), nil
}

func TestRunRefuses(t *testing.T) {
	for name, o := range map[string]compat.Options{
		`there is no suite "nope"`: {Suites: []string{"nope"}},
		`--test "["`:               {Test: "["},
	} {
		o.Dir = t.TempDir()
		if _, err := compat.Run(t.Context(), o); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("the error is %v, want %q", err, name)
		}
	}
	t.Setenv("PATH", "")
	if _, err := compat.Run(t.Context(), compat.Options{Dir: t.TempDir()}); err == nil || !strings.Contains(err.Error(), "there is no npm") {
		t.Errorf("without npm the error is %v", err)
	}
}
