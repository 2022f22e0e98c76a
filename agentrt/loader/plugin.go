package loader

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/evanw/esbuild/pkg/api"
)

// nodeNamespace is esbuild's namespace of the shims of Node.js modules.
const nodeNamespace = "agentrt-node"

// builtins are the modules that Node.js resolves without the prefix node:
// (https://nodejs.org/api/modules.html#built-in-modules).
var builtins = []string{
	"assert", "async_hooks", "buffer", "child_process", "cluster", "console", "constants", "crypto",
	"dgram", "diagnostics_channel", "dns", "domain", "events", "fs", "http", "http2", "https",
	"inspector", "module", "net", "os", "path", "perf_hooks", "process", "punycode", "querystring",
	"readline", "repl", "stream", "string_decoder", "sys", "timers", "tls", "trace_events", "tty",
	"url", "util", "v8", "vm", "wasi", "worker_threads", "zlib",
}

// subpaths are the modules of Node.js below another one.
var subpaths = map[string][]string{
	"assert": {"strict"}, "dns": {"promises"}, "fs": {"promises"}, "inspector": {"promises"}, "path": {"posix", "win32"},
	"readline": {"promises"}, "stream": {"consumers", "promises", "web"}, "timers": {"promises"}, "util": {"types"},
}

// builtinName returns the name without node: of a module of Node.js, "" for others.
func builtinName(specifier string) string {
	if name, ok := strings.CutPrefix(specifier, "node:"); ok {
		return name
	}
	name, sub, nested := strings.Cut(specifier, "/")
	if slices.Contains(builtins, name) && (!nested || slices.Contains(subpaths[name], sub)) {
		return specifier
	}
	return ""
}

func (b *builder) setup(build api.PluginBuild) {
	if len(b.external) > 0 {
		build.OnResolve(api.OnResolveOptions{Filter: "."}, func(args api.OnResolveArgs) (api.OnResolveResult, error) {
			if !b.external[args.Path] {
				return api.OnResolveResult{}, nil
			}
			return api.OnResolveResult{Path: args.Path, External: true}, nil
		})
	}
	build.OnResolve(api.OnResolveOptions{Filter: `^(node:|(` + strings.Join(builtins, "|") + `)(/|$))`}, b.resolveBuiltin)
	build.OnResolve(api.OnResolveOptions{Filter: ".", Namespace: nodeNamespace}, b.resolveInShim)
	build.OnLoad(api.OnLoadOptions{Filter: ".", Namespace: nodeNamespace}, b.loadShim)
	build.OnResolve(api.OnResolveOptions{Filter: agentShims, Namespace: "file"}, func(args api.OnResolveArgs) (api.OnResolveResult, error) {
		return resolveAgentShims(build, args)
	})
	build.OnLoad(api.OnLoadOptions{Filter: `\.wasm$`}, func(api.OnLoadArgs) (api.OnLoadResult, error) {
		return api.OnLoadResult{}, errors.New("WebAssembly modules are not supported: functions run inside one")
	})
	if len(b.keep) > 0 {
		b.keepSideEffects(build)
	}
}

func (b *builder) resolveBuiltin(args api.OnResolveArgs) (api.OnResolveResult, error) {
	file, ok := b.options.NodeModules[builtinName(args.Path)]
	if !ok {
		return api.OnResolveResult{}, nil // esbuild looks for a package, or reports it
	}
	return api.OnResolveResult{Path: file, Namespace: nodeNamespace, SideEffects: api.SideEffectsFalse}, nil
}

func (b *builder) resolveInShim(args api.OnResolveArgs) (api.OnResolveResult, error) {
	if !strings.HasPrefix(args.Path, ".") {
		return api.OnResolveResult{}, fmt.Errorf("the shim %s may import relative files only", args.Importer)
	}
	return api.OnResolveResult{
		Path:        path.Join(path.Dir(args.Importer), args.Path),
		Namespace:   nodeNamespace,
		SideEffects: api.SideEffectsFalse,
	}, nil
}

func (b *builder) loadShim(args api.OnLoadArgs) (api.OnLoadResult, error) {
	content, err := fs.ReadFile(b.options.NodeFS, args.Path)
	if err != nil {
		return api.OnLoadResult{}, err
	}
	text := string(content)
	return api.OnLoadResult{Contents: &text, Loader: api.LoaderTS}, nil
}

// keepSideEffects overrides "sideEffects": false for the packages in b.keep.
func (b *builder) keepSideEffects(build api.PluginBuild) {
	type resolving struct{} // marks the inner call, which must not come here again
	names := make([]string, 0, len(b.keep))
	for name := range b.keep {
		names = append(names, regexp.QuoteMeta(name))
	}
	slices.Sort(names)
	inside := regexp.MustCompile(`[\\/]node_modules[\\/](` + strings.ReplaceAll(strings.Join(names, "|"), "/", `[\\/]`) + `)[\\/]`)
	build.OnResolve(api.OnResolveOptions{Filter: ".", Namespace: "file"}, func(args api.OnResolveArgs) (api.OnResolveResult, error) {
		if _, ok := args.PluginData.(resolving); ok {
			return api.OnResolveResult{}, nil
		}
		relative := strings.HasPrefix(args.Path, ".") || strings.HasPrefix(args.Path, "#")
		if !b.keep[packageName(args.Path)] && !(relative && inside.MatchString(args.Importer)) {
			return api.OnResolveResult{}, nil
		}
		r := build.Resolve(args.Path, api.ResolveOptions{
			Importer: args.Importer, Namespace: args.Namespace, ResolveDir: args.ResolveDir,
			Kind: args.Kind, With: args.With, PluginData: resolving{},
		})
		if len(r.Errors) > 0 || r.External || !filepath.IsAbs(r.Path) {
			return api.OnResolveResult{}, nil
		}
		return api.OnResolveResult{Path: r.Path, Namespace: r.Namespace, Suffix: r.Suffix, SideEffects: api.SideEffectsTrue}, nil
	})
}

// agentShims are modules of the OpenAI Agents SDK whose version for browsers mixes the
// contexts of concurrent runs and has no MCP; the one for workers is right. It has no
// condition of its own that other packages could bear.
const agentShims = `^@openai/agents-\w+/_shims(/config)?$`

func resolveAgentShims(build api.PluginBuild, args api.OnResolveArgs) (api.OnResolveResult, error) {
	type resolving struct{} // marks the inner call, which must not come here again
	if _, ok := args.PluginData.(resolving); ok {
		return api.OnResolveResult{}, nil
	}
	r := build.Resolve(args.Path, api.ResolveOptions{
		Importer: args.Importer, Namespace: args.Namespace, ResolveDir: args.ResolveDir, Kind: args.Kind, With: args.With, PluginData: resolving{},
	})
	if len(r.Errors) > 0 {
		return api.OnResolveResult{Errors: r.Errors}, nil
	}
	dir, file := filepath.Split(r.Path)
	path := dir + strings.Replace(file, "-browser.", "-workerd.", 1)
	if _, err := os.Stat(path); err != nil {
		return api.OnResolveResult{}, nil
	}
	return api.OnResolveResult{Path: path, Namespace: r.Namespace}, nil
}
