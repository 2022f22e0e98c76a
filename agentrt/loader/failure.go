package loader

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/evanw/esbuild/pkg/api"
)

// failure turns esbuild's messages into an Error.
func (b *builder) failure(ctx context.Context, messages []api.Message) error {
	unresolved := map[string]bool{}
	for _, m := range messages {
		if specifier, ok := unresolvedSpecifier(m); ok {
			unresolved[specifier] = true
		}
	}
	var importers map[string]string
	if len(unresolved) > 0 {
		importers = b.importers(ctx, unresolved)
	}
	failed := new(Error)
	for _, m := range messages {
		d := b.diagnostic(m)
		if specifier, ok := unresolvedSpecifier(m); ok {
			b.explain(&d, m, specifier, importers)
		}
		failed.Diagnostics = append(failed.Diagnostics, d)
	}
	return failed
}

// diagnostic converts a message of esbuild.
func (b *builder) diagnostic(m api.Message) Diagnostic {
	d := Diagnostic{Message: m.Text}
	if l := m.Location; l != nil {
		d.File = displayPath(strings.TrimPrefix(l.File, nodeNamespace+":"))
		d.Line, d.Column, d.LineText = l.Line, l.Column+1, l.LineText
	}
	if strings.HasPrefix(m.Text, "No loader is configured") {
		d.Hint = "import .ts, .tsx, .js, .jsx, .mjs, .json, .css, or as text .txt, .md, .sql and .html; keep other files out of the bundle"
		return d
	}
	for _, n := range m.Notes {
		// Advice about esbuild's own options does not apply here.
		if !strings.Contains(n.Text, "external") && !strings.Contains(n.Text, "esbuild") && !strings.Contains(n.Text, "platform") {
			d.Hint = n.Text
			break
		}
	}
	return d
}

func unresolvedSpecifier(m api.Message) (string, bool) {
	rest, ok := strings.CutPrefix(m.Text, `Could not resolve "`)
	if !ok {
		return "", false
	}
	specifier, _, ok := strings.Cut(rest, `"`)
	return specifier, ok
}

// explain says what an import that was not found is, and who imports it.
func (b *builder) explain(d *Diagnostic, m api.Message, specifier string, importers map[string]string) {
	builtin, name := builtinName(specifier), packageName(specifier)
	switch {
	case builtin != "":
		d.Message = fmt.Sprintf("the Node.js module %q is not available in functions", specifier)
		d.Hint = "use a package or an entry of it that runs in browsers or edge workers"
	case name == "":
		d.Message = fmt.Sprintf("cannot find the file %q", specifier)
	case b.installed(name):
		d.Message = fmt.Sprintf("the package %q has no %q for functions", name, specifier)
	default:
		d.Message = fmt.Sprintf("cannot find the package %q", name)
		d.Hint = fmt.Sprintf("run \"npm install %s\" in %s", name, b.projectFolder())
	}
	if m.Location != nil {
		if chain := chain(importers, m.Location.File); len(chain) > 1 {
			d.Message += ", imported by " + strings.Join(chain, " -> ")
		}
	}
}

// importers bundles again without the unresolved imports and returns for each
// input one that imports it, on a shortest way from the entry. It is empty if
// other errors are in the way.
func (b *builder) importers(ctx context.Context, unresolved map[string]bool) map[string]string {
	again := *b
	again.external = unresolved
	result, err := again.esbuild(ctx)
	if err != nil || len(result.Errors) > 0 {
		return nil
	}
	var meta metafile
	if json.Unmarshal([]byte(result.Metafile), &meta) != nil {
		return nil
	}
	importers := map[string]string{entryName: ""}
	for queue := []string{entryName}; len(queue) > 0; queue = queue[1:] {
		for _, imported := range meta.Inputs[queue[0]].Imports {
			if _, seen := importers[imported.Path]; !seen {
				importers[imported.Path] = queue[0]
				queue = append(queue, imported.Path)
			}
		}
	}
	return importers
}

// chain returns the files from an entry point to file.
func chain(importers map[string]string, file string) []string {
	var files []string
	for file != "" && file != entryName {
		files = append(files, displayPath(file))
		file = importers[file]
	}
	slices.Reverse(files)
	return files
}

// displayPath shortens the way up to a folder node_modules.
func displayPath(file string) string {
	rest := file
	for strings.HasPrefix(rest, "../") {
		rest = rest[3:]
	}
	if strings.HasPrefix(rest, "node_modules/") {
		return rest
	}
	return file
}

// ancestors returns dir and the folders above it.
func ancestors(dir string) []string {
	all := []string{dir}
	for parent := filepath.Dir(dir); parent != dir; dir, parent = parent, filepath.Dir(parent) {
		all = append(all, parent)
	}
	return all
}

func (b *builder) installed(name string) bool {
	for _, folder := range ancestors(b.dir) {
		if _, err := os.Stat(filepath.Join(folder, "node_modules", filepath.FromSlash(name))); err == nil {
			return true
		}
	}
	return false
}

// projectFolder is the nearest folder with a package.json, or the functions folder.
func (b *builder) projectFolder() string {
	for _, folder := range ancestors(b.dir) {
		if _, err := os.Stat(filepath.Join(folder, "package.json")); err == nil {
			return folder
		}
	}
	return b.dir
}
