package loader_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/agentrt/agentrt/agentrt/loader"
)

// age sets the time of all files below dir to before, as if nobody had edited them for an hour.
func age(t *testing.T, dir string) {
	t.Helper()
	past := time.Now().Add(-time.Hour)
	err := filepath.WalkDir(dir, func(name string, _ os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Chtimes(name, past, past)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// tag makes the bundles of one test distinguishable: a cached one keeps it in its manifest on the disk.
func tag(t *testing.T, cacheDir string) {
	t.Helper()
	entries, err := filepath.Glob(filepath.Join(cacheDir, "*", "manifest.json"))
	if err != nil || len(entries) == 0 {
		t.Fatalf("no entry in the cache: %v", err)
	}
	for _, name := range entries {
		content, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		write(t, name, strings.Replace(string(content), `"esbuild": "`+loader.EsbuildVersion, `"esbuild": "from the cache`, 1))
	}
}

func isCached(b *loader.Bundle) bool { return b.Manifest.Esbuild == "from the cache" }

func TestCache(t *testing.T) {
	files := map[string]string{
		"../package.json":                       `{}`,
		"../package-lock.json":                  `{}`,
		"../tsconfig.json":                      "{ // comment\n \"extends\": \"./base.json\" }",
		"../base.json":                          `{ "compilerOptions": { "jsx": "react-jsx" } }`,
		"../node_modules/p/package.json":        `{ "main": "index.js" }`,
		"../node_modules/p/index.js":            `exports.p = 1;`,
		"../node_modules/disabled/index.js":     `exports.d = require("./node.js");`,
		"../node_modules/disabled/package.json": `{ "browser": { "./node.js": false } }`,
		"../node_modules/disabled/node.js":      `exports.node = 1;`,
		"src/routes/a.ts":                       `import { p } from "p"; import { d } from "disabled"; import { b } from "../b"; export const GET = () => [p, d, b];`,
		"src/b.js":                              `export const b = 1;`,
		"src/hooks/h.ts":                        `export const x = 1;`,
	}
	set := func(name, content string) func(*testing.T, string, *loader.Options) {
		return func(t *testing.T, dir string, _ *loader.Options) { write(t, filepath.Join(dir, name), content) }
	}
	for name, c := range map[string]struct {
		change func(*testing.T, string, *loader.Options)
		cached bool
	}{
		"nothing": {func(*testing.T, string, *loader.Options) {}, true},
		"new times": {func(t *testing.T, dir string, _ *loader.Options) {
			now := time.Now()
			for _, name := range []string{"src/routes/a.ts", "../node_modules/p/index.js", "src"} {
				if err := os.Chtimes(filepath.Join(dir, name), now, now); err != nil {
					t.Fatal(err)
				}
			}
		}, true},
		"same size, new content": {set("src/b.js", `export const b = 2;`), false},
		"package":                {set("../node_modules/p/index.js", `exports.p = 22;`), false},
		"package.json of it":     {set("../node_modules/p/package.json", `{ "main": "other.js" }`), false},
		"new route":              {set("src/routes/n.ts", ``), false},
		"unrelated file":         {set("docs/n.md", ``), true},
		"removed hook": {func(t *testing.T, dir string, _ *loader.Options) {
			if err := os.Remove(filepath.Join(dir, "src/hooks/h.ts")); err != nil {
				t.Fatal(err)
			}
		}, false},
		"file that takes precedence": {set("src/b.ts", `export const b = 3;`), false},
		"package.json":               {set("../package.json", `{ }`), false},
		"new package.json":           {set("package.json", `{ }`), false},
		"lock file":                  {set("../package-lock.json", `{ }`), false},
		"new lock file":              {set("../yarn.lock", ``), false},
		"extended tsconfig":          {set("../base.json", `{}`), false},
		"other options":              {func(_ *testing.T, _ string, o *loader.Options) { o.Dev = true }, false},
		"other shims": {func(_ *testing.T, _ string, o *loader.Options) {
			o.NodeFS = fstest.MapFS{"node/path.ts": {Data: []byte("export {}")}}
		}, false},
		"damaged entry": {func(t *testing.T, _ string, o *loader.Options) {
			entries, _ := filepath.Glob(filepath.Join(o.CacheDir, "*", "bundle.js"))
			for _, name := range entries {
				write(t, name, "damaged")
			}
		}, false},
		"damaged inputs": {func(t *testing.T, _ string, o *loader.Options) {
			entries, _ := filepath.Glob(filepath.Join(o.CacheDir, "*", "inputs.json"))
			for _, name := range entries {
				write(t, name, "{}")
			}
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := project(t, files)
			age(t, filepath.Dir(dir))
			options := shims
			options.CacheDir = filepath.Join(t.TempDir(), "cache")
			first := load(t, dir, options)
			tag(t, options.CacheDir)
			if again := load(t, dir, options); !isCached(again) || string(again.Code) != string(first.Code) || len(again.Inputs) != len(first.Inputs) {
				t.Fatal("the second Load did not use the cache")
			}
			c.change(t, dir, &options)
			after := load(t, dir, options)
			if isCached(after) != c.cached {
				t.Errorf("cached: %v, want %v", isCached(after), c.cached)
			}
			if c.cached {
				if err := after.SourceMap.Prepare(); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

func TestCacheOfFreshFiles(t *testing.T) {
	dir := project(t, map[string]string{"src/routes/a.ts": `export const a = 1;`})
	options := shims
	options.CacheDir = t.TempDir()
	time.Sleep(20 * time.Millisecond) // coarse clocks of file systems
	load(t, dir, options)
	tag(t, options.CacheDir)
	info, err := os.Stat(filepath.Join(dir, "src/routes/a.ts"))
	if err != nil {
		t.Fatal(err)
	}
	// The same size and time: only the content tells.
	write(t, filepath.Join(dir, "src/routes/a.ts"), `export const a = 2;`)
	if err := os.Chtimes(filepath.Join(dir, "src/routes/a.ts"), info.ModTime(), info.ModTime()); err != nil {
		t.Fatal(err)
	}
	if isCached(load(t, dir, options)) {
		t.Error("a file that was changed right after bundling is trusted by its time")
	}
}

func TestCacheIsBounded(t *testing.T) {
	cacheDir := t.TempDir()
	for n := range 12 {
		dir := project(t, map[string]string{"src/routes/a.ts": fmt.Sprintf(`export const a = %d;`, n)})
		age(t, filepath.Dir(dir))
		load(t, dir, loader.Options{CacheDir: cacheDir})
	}
	entries, err := os.ReadDir(cacheDir)
	if err != nil || len(entries) != 8 {
		t.Errorf("%d entries, %v", len(entries), err)
	}
}
