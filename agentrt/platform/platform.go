// Package platform bundles the JavaScript halves of the Web platform and of the
// host functions into one ES module, which is evaluated before user code.
//
// The sources are embedded by the packages that own them. Here they meet in one
// virtual tree whose top folders are the repository's, so that relative imports
// across packages read the same in an editor and in the bundle:
//
//	code, sourceMap, err := platform.Bundle(map[string]fs.FS{
//		"polyfill":         polyfill.Files,
//		"hostfn":           hostfn.Files,
//		"agentrt/triggers": triggers.Files,
//	}, "agentrt/triggers/index.ts")
package platform

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/evanw/esbuild/pkg/api"
)

// Name is the module name under which the bundle is evaluated: the file name in
// its stack frames.
const Name = "agentrt:platform"

const namespace = "platform"

// Bundle bundles entry, a path in the virtual tree, with everything it imports.
// sources maps a folder of the tree ("agentrt/triggers") to its files; of two
// nested folders the longer one wins. Only relative imports within the tree are
// resolved; the disk is never read.
//
// The result is an ES module for ES2023 and its source map, version 3. White
// space and syntax are minified and identifiers kept. esbuild's keepNames is off:
// it defines a property on every closure at run time. A class whose name collides
// with a global that another file uses is therefore renamed in the bundle; who
// defines it as a global sets its name.
//
// An error names each file, line and column.
func Bundle(sources map[string]fs.FS, entry string) (code, sourceMap []byte, err error) {
	t := newTree(sources)
	result := api.Build(api.BuildOptions{
		EntryPoints:      []string{entry},
		Outfile:          "platform.js",
		Bundle:           true,
		Format:           api.FormatESModule,
		Target:           api.ES2023,
		Platform:         api.PlatformNeutral,
		TreeShaking:      api.TreeShakingTrue,
		MinifyWhitespace: true,
		MinifySyntax:     true,
		Sourcemap:        api.SourceMapExternal,
		LegalComments:    api.LegalCommentsNone,
		LogLevel:         api.LogLevelSilent,
		TsconfigRaw:      "{}",
		Plugins:          []api.Plugin{{Name: namespace, Setup: t.setup}},
	})
	if len(result.Errors) > 0 {
		return nil, nil, describe(result.Errors)
	}
	for _, f := range result.OutputFiles {
		if strings.HasSuffix(f.Path, ".map") {
			sourceMap = bytes.ReplaceAll(f.Contents, []byte(`"`+namespace+`:`), []byte(`"`))
		} else {
			code = f.Contents
		}
	}
	return code, sourceMap, nil
}

type tree struct {
	sources map[string]fs.FS
	folders []string
}

func newTree(sources map[string]fs.FS) *tree {
	t := &tree{sources: sources}
	for folder := range sources {
		t.folders = append(t.folders, folder)
	}
	slices.SortFunc(t.folders, func(a, b string) int { return len(b) - len(a) })
	return t
}

func (t *tree) setup(b api.PluginBuild) {
	b.OnResolve(api.OnResolveOptions{Filter: "."}, func(args api.OnResolveArgs) (api.OnResolveResult, error) {
		target := path.Clean(args.Path)
		if args.Kind != api.ResolveEntryPoint {
			if !strings.HasPrefix(args.Path, ".") {
				return api.OnResolveResult{}, fmt.Errorf("%q is not a relative import: the platform has no packages", args.Path)
			}
			target = path.Join(path.Dir(args.Importer), args.Path)
		}
		if _, err := t.read(target); err != nil {
			return api.OnResolveResult{}, err
		}
		return api.OnResolveResult{Path: target, Namespace: namespace}, nil
	})
	b.OnLoad(api.OnLoadOptions{Filter: ".", Namespace: namespace}, func(args api.OnLoadArgs) (api.OnLoadResult, error) {
		content, err := t.read(args.Path)
		if err != nil {
			return api.OnLoadResult{}, err
		}
		loader := api.LoaderTS
		switch path.Ext(args.Path) {
		case ".js":
			loader = api.LoaderJS
		case ".json":
			loader = api.LoaderJSON
		}
		text := string(content)
		return api.OnLoadResult{Contents: &text, Loader: loader}, nil
	})
}

func (t *tree) read(file string) ([]byte, error) {
	for _, folder := range t.folders {
		if rest, ok := strings.CutPrefix(file, folder+"/"); ok {
			content, err := fs.ReadFile(t.sources[folder], rest)
			if err != nil {
				return nil, fmt.Errorf("cannot read %s: %w", file, err)
			}
			return content, nil
		}
	}
	return nil, fmt.Errorf("%s is outside the platform's folders (%s)", file, strings.Join(t.folders, ", "))
}

func describe(messages []api.Message) error {
	var all []error
	for _, m := range messages {
		if l := m.Location; l != nil {
			all = append(all, fmt.Errorf("%s:%d:%d: %s", strings.TrimPrefix(l.File, namespace+":"), l.Line, l.Column+1, m.Text))
		} else {
			all = append(all, errors.New(m.Text))
		}
	}
	return fmt.Errorf("bundling the platform: %w", errors.Join(all...))
}
