package loader

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// maxEntries bounds the entry points of a functions folder.
const maxEntries = 10_000

var kinds = []string{"routes", "hooks", "workers", "crons"}

// layout has the entry points of a functions folder, relative to src, sorted.
type layout struct {
	files map[string][]string // by kind
}

// scan finds the entry points of dir. The error wraps fs.ErrNotExist if dir has no src folder.
func scan(dir string) (*layout, error) {
	src := filepath.Join(dir, "src")
	if info, err := os.Stat(src); err != nil || !info.IsDir() {
		return nil, fmt.Errorf("no functions in %s: it has no folder src; create src/routes/hello.ts there: %w", dir, fs.ErrNotExist)
	}
	l := &layout{files: map[string][]string{}}
	count := 0
	for _, kind := range kinds {
		err := filepath.WalkDir(filepath.Join(src, kind), func(file string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			name := d.Name()
			hidden := strings.HasPrefix(name, "_") || strings.HasPrefix(name, ".")
			if d.IsDir() {
				if hidden || name == "node_modules" {
					return filepath.SkipDir
				}
				return nil
			}
			if hidden || !isEntry(name) {
				return nil
			}
			if count++; count > maxEntries {
				return fmt.Errorf("more than %d entry points", maxEntries)
			}
			relative, err := filepath.Rel(src, file)
			l.files[kind] = append(l.files[kind], filepath.ToSlash(relative))
			return err
		})
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("looking for functions: %w", err)
		}
		slices.Sort(l.files[kind])
	}
	return l, nil
}

func isEntry(name string) bool {
	switch path.Ext(name) {
	case ".ts", ".tsx", ".js", ".jsx", ".mjs":
	default:
		return false
	}
	switch path.Ext(strings.TrimSuffix(name, path.Ext(name))) {
	case ".test", ".spec", ".d":
		return false
	}
	return true
}

// routes returns the routes of the layout, or an Error with all conflicts found.
func (l *layout) routes() ([]Route, error) {
	var routes []Route
	failed := new(Error)
	router, named := new(Router), map[*node]string{}
	for _, file := range l.files["routes"] {
		segments, err := parseRoute(strings.TrimPrefix(file, "routes/"))
		route := Route{formatPattern(segments), file}
		if err == nil {
			err = router.add(&route, segments, named)
		}
		if err != nil {
			failed.Diagnostics = append(failed.Diagnostics, Diagnostic{File: "src/" + file, Message: err.Error()})
			continue
		}
		routes = append(routes, route)
	}
	if len(failed.Diagnostics) > 0 {
		return nil, failed
	}
	return routes, nil
}

// entry returns the source of the module that imports all entry points and mounts them.
func (l *layout) entry() string {
	var imports, mount strings.Builder
	n := 0
	for _, kind := range kinds {
		fmt.Fprintf(&mount, "  %s: {\n", kind)
		for _, file := range l.files[kind] {
			fmt.Fprintf(&imports, "import * as m%d from %s;\n", n, quote("./src/"+file))
			fmt.Fprintf(&mount, "    %s: m%d,\n", quote(file), n)
			n++
		}
		mount.WriteString("  },\n")
	}
	return imports.String() + "globalThis[Symbol.for(\"agentrt.mount\")]({\n" + mount.String() + "});\n"
}
