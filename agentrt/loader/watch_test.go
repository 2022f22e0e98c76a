package loader_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/agentrt/agentrt/agentrt/loader"
)

func TestWatch(t *testing.T) {
	dir := project(t, map[string]string{
		"../package.json":         "{}",
		"src/routes/a.ts":         "",
		"node_modules/p/index.js": "",
		"dist/bundle.js":          "",
		"../lib/used.ts":          "",
	})
	ctx, cancel := context.WithCancel(t.Context())
	changes := make(chan struct{}, 100)
	w, err := loader.Watch(ctx, dir, 30*time.Millisecond, func(*loader.Watcher) { changes <- struct{}{} })
	if err != nil {
		t.Fatal(err)
	}
	// quiet is long enough for a call to arrive that should not.
	const quiet = 300 * time.Millisecond
	expect := func(what string, want bool) {
		t.Helper()
		wait := quiet
		if want {
			wait = 10 * time.Second
		}
		select {
		case <-changes:
			if !want {
				t.Errorf("%s: called", what)
			}
		case <-time.After(wait):
			if want {
				t.Errorf("%s: not called", what)
			}
		}
	}
	if err := w.Follow("src/routes/a.ts", "../lib/used.ts", "../lib", "../lib/missing.ts", "node_modules/p/index.js"); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		file string
		want bool
	}{
		{"../lib/used.ts", true},
		{"../lib/other.ts", false},
		{"src/routes/a.ts", true},
		{"src/new/deep/b.ts", true},
		{"src/new/deep/b.ts", true}, // in a folder that was created meanwhile
		{".env", true},
		{"../package.json", true},
		{"../readme.md", false},
		{"node_modules/p/index.js", false},
		{"dist/bundle.js", false},
		{"types/collections.d.ts", false},
		{"src/types/a.ts", true},
		{"src/.a.ts.swp", false},
		{"src/a.ts~", false},
	} {
		write(t, filepath.Join(dir, c.file), "x")
		expect(c.file, c.want)
		for drained := false; !drained; { // a write can be several events
			select {
			case <-changes:
			case <-time.After(quiet / 2):
				drained = true
			}
		}
	}
	if err := os.Remove(filepath.Join(dir, "src/routes/a.ts")); err != nil {
		t.Fatal(err)
	}
	expect("removed file", true)

	cancel()
	<-w.Done()
	write(t, filepath.Join(dir, "src/routes/c.ts"), "")
	expect("after the end", false)

	if _, err := loader.Watch(t.Context(), filepath.Join(dir, "none"), time.Second, nil); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing folder: %v", err)
	}
}
