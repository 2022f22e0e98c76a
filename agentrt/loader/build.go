package loader

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/evanw/esbuild/pkg/api"
)

const (
	entryName  = "agentrt:entry"
	bundleFile = "bundle.js"
	distFolder = "dist"
)

// builder bundles one functions folder.
type builder struct {
	dir     string // absolute, symbolic links resolved
	options Options
	entry   string
	keep    map[string]bool // packages whose modules all have side effects
	// external makes these specifiers external, to find who imports them.
	external map[string]bool
}

// output is what esbuild made.
type output struct {
	code, sourceMap []byte
	meta            metafile
	warnings        []Diagnostic
}

// metafile is the part of https://esbuild.github.io/api/#metafile that is used here.
type metafile struct {
	Inputs map[string]struct {
		Imports []struct {
			Path     string `json:"path"`
			Original string `json:"original"`
		} `json:"imports"`
	} `json:"inputs"`
}

func (b *builder) buildOptions() api.BuildOptions {
	mode := "production"
	if b.options.Dev {
		mode = "development"
	}
	return api.BuildOptions{
		Stdin: &api.StdinOptions{
			Contents:   b.entry,
			ResolveDir: b.dir,
			Sourcefile: entryName,
			Loader:     api.LoaderJS,
		},
		AbsWorkingDir: b.dir,
		Outfile:       filepath.Join(b.dir, distFolder, bundleFile),
		Bundle:        true,
		Platform:      api.PlatformBrowser,
		Format:        api.FormatESModule,
		Target:        api.ES2023,
		Conditions:    []string{"edge-light", "worker", "browser", "module"},
		MainFields:    []string{"browser", "module", "main"},
		// import.meta.url is a base for URLs, as in other runtimes; the file does not exist.
		Define:           map[string]string{"process.env.NODE_ENV": quote(mode), "import.meta.url": `"file:///agentrt/bundle.js"`},
		JSX:              api.JSXAutomatic,
		MinifyWhitespace: b.options.Minify,
		MinifySyntax:     b.options.Minify,
		Sourcemap:        api.SourceMapExternal,
		Metafile:         true,
		LogLevel:         api.LogLevelSilent,
		Loader: map[string]api.Loader{
			".json": api.LoaderJSON,
			".txt":  api.LoaderText,
			".md":   api.LoaderText,
			".sql":  api.LoaderText,
			".html": api.LoaderText,
		},
		Plugins: []api.Plugin{{Name: "agentrt", Setup: b.setup}},
	}
}

// run bundles until ctx ends.
func (b *builder) run(ctx context.Context) (*output, error) {
	out, bare, err := b.once(ctx)
	if err != nil || len(bare) == 0 {
		return out, err
	}
	// User code imports these packages for their effects: again, with the effects.
	for _, name := range bare {
		b.keep[name] = true
	}
	out, _, err = b.once(ctx)
	return out, err
}

// once bundles; bare has the packages that user code imports for side effects
// which esbuild dropped.
func (b *builder) once(ctx context.Context) (out *output, bare []string, err error) {
	result, err := b.esbuild(ctx)
	if err != nil {
		return nil, nil, err
	}
	if len(result.Errors) > 0 {
		return nil, nil, b.failure(ctx, result.Errors)
	}
	out = new(output)
	for _, f := range result.OutputFiles {
		switch {
		case strings.HasSuffix(f.Path, ".map"):
			out.sourceMap = f.Contents
		case strings.HasSuffix(f.Path, ".js"):
			out.code = f.Contents
		}
	}
	if out.code, err = nameClasses(out.code, out.sourceMap); err != nil {
		return nil, nil, err
	}
	if err := json.Unmarshal([]byte(result.Metafile), &out.meta); err != nil {
		return nil, nil, fmt.Errorf("reading esbuild's metafile: %w", err)
	}
	for _, m := range result.Warnings {
		if name := ignoredPackage(m); name != "" && !b.keep[name] {
			bare = append(bare, name)
			continue
		}
		out.warnings = append(out.warnings, b.diagnostic(m))
	}
	return out, bare, nil
}

func (b *builder) esbuild(ctx context.Context) (*api.BuildResult, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	build, failed := api.Context(b.buildOptions())
	if failed != nil {
		return nil, fmt.Errorf("esbuild's options: %w", failed)
	}
	defer build.Dispose()
	done := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(done)
		build.Cancel()
	})
	result := build.Rebuild()
	if !stop() {
		<-done
		return nil, ctx.Err()
	}
	return &result, nil
}

// ignoredPackage returns the package of a warning that an import for side effects was dropped.
func ignoredPackage(m api.Message) string {
	l := m.Location
	if m.ID != "ignored-bare-import" || l == nil || l.Column+l.Length > len(l.LineText) {
		return ""
	}
	return packageName(strings.Trim(l.LineText[l.Column:l.Column+l.Length], "\"'`"))
}

// packageName returns the package of a specifier, "" if it is a path.
func packageName(specifier string) string {
	if specifier == "" || strings.HasPrefix(specifier, ".") || strings.HasPrefix(specifier, "/") || strings.Contains(specifier, ":") {
		return ""
	}
	name, rest, _ := strings.Cut(specifier, "/")
	if strings.HasPrefix(name, "@") {
		scoped, _, _ := strings.Cut(rest, "/")
		return name + "/" + scoped
	}
	return name
}
