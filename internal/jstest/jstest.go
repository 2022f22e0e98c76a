// Package jstest runs tables of JavaScript expressions in the real engine,
// against the platform's TypeScript files bundled by esbuild.
package jstest

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/agentrt/agentrt/polyfill"
	"github.com/agentrt/agentrt/quickjs"
	"github.com/evanw/esbuild/pkg/api"
)

// Case is a JavaScript expression, which may use await, and the JSON of its
// value. An exception counts as the value "throws Name: message".
type Case [2]string

// Env is what the expressions run in.
type Env struct {
	// Setup is module source before the expressions, with imports relative to the
	// root of the repository.
	Setup string
	// Platform evaluates the platform's globals before the expressions, as the
	// product does; the operations they need are among Ops then.
	Platform bool
	// Ops are the host operations; nil means none.
	Ops *quickjs.Ops
	// Plugins are further esbuild plugins.
	Plugins []api.Plugin
	// Console and Uncaught receive what the engine's configuration names so.
	Console  func(quickjs.Level, string)
	Uncaught func(quickjs.Uncaught)
}

// Root is the root of the repository.
func Root() string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Dir(filepath.Dir(filepath.Dir(file)))
}

// Bundle bundles module source the way the platform bundle is built.
func Bundle(t testing.TB, source string, plugins ...api.Plugin) string {
	t.Helper()
	r := api.Build(api.BuildOptions{
		Stdin:    &api.StdinOptions{Contents: source, ResolveDir: Root(), Sourcefile: "test.ts", Loader: api.LoaderTS},
		Bundle:   true,
		Format:   api.FormatESModule,
		Platform: api.PlatformBrowser,
		Target:   api.ES2023,
		LogLevel: api.LogLevelSilent,
		Plugins:  plugins,
	})
	for _, m := range r.Errors {
		t.Error(api.FormatMessages([]api.Message{m}, api.FormatMessagesOptions{})[0])
	}
	if t.Failed() {
		t.FailNow()
	}
	return string(r.OutputFiles[0].Contents)
}

const platform = `
	import { install as polyfill } from "./polyfill/index.ts";
	import { install as hostfn } from "./hostfn/index.ts";
	const define = (name: string, value: unknown) => Object.defineProperty(globalThis, name, { value, writable: true, enumerable: false, configurable: true });
	polyfill(define);
	hostfn(define);
	delete (globalThis as any).__host;
`

// NodePlugin resolves Node's built-in modules to their shims.
func NodePlugin() api.Plugin {
	return api.Plugin{Name: "node", Setup: func(build api.PluginBuild) {
		modules := polyfill.NodeModules()
		build.OnResolve(api.OnResolveOptions{Filter: ".*"}, func(a api.OnResolveArgs) (api.OnResolveResult, error) {
			if file, ok := modules[a.Path]; ok {
				return api.OnResolveResult{Path: filepath.Join(Root(), "polyfill", file), SideEffects: api.SideEffectsFalse}, nil
			}
			return api.OnResolveResult{}, nil
		})
	}}
}

// Load evaluates module source as "main.js" in a snapshot and returns an
// instance of it.
func Load(t testing.TB, env Env, source string) *quickjs.Instance {
	t.Helper()
	config := quickjs.NewConfig().WithCacheDir(filepath.Join(os.TempDir(), "agentrt-test-cache"))
	if env.Ops != nil {
		config = config.WithOps(env.Ops)
	}
	if env.Console != nil {
		config = config.WithConsole(func(_ context.Context, l quickjs.Level, text string) { env.Console(l, text) })
	}
	if env.Uncaught != nil {
		config = config.WithUncaught(func(_ context.Context, u quickjs.Uncaught) { env.Uncaught(u) })
	}
	engine, err := quickjs.New(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := engine.Close(ctx); err != nil {
			t.Error(err)
		}
	})
	snapshot, err := engine.NewSnapshot(t.Context(), func(ctx context.Context, i *quickjs.Instance) error {
		if env.Platform {
			if err := i.EvalModule(ctx, "agentrt:platform", Bundle(t, platform)); err != nil {
				return err
			}
		}
		return i.EvalModule(ctx, "main.js", source)
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { snapshot.Close() })
	i, err := snapshot.NewInstance(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { i.Close() })
	return i
}

// Run evaluates every case and compares.
func Run(t *testing.T, env Env, cases []Case) {
	t.Helper()
	var b strings.Builder
	b.WriteString(env.Setup)
	b.WriteString("\nconst cases = [\n")
	for _, c := range cases {
		fmt.Fprintf(&b, "async () => (%s\n),\n", c[0])
	}
	b.WriteString(`];
export async function runCase(n) {
	try { return (await cases[n]()) ?? null; } catch (e) { return "throws " + (e instanceof Error ? e.name + ": " + e.message : String(e)); }
}`)
	i := Load(t, env, Bundle(t, b.String(), env.Plugins...))
	for n, c := range cases {
		r, err := i.Call(t.Context(), "main.js", "runCase", fmt.Appendf(nil, "%d", n), nil)
		if err != nil {
			t.Errorf("%s: %v", c[0], err)
			continue
		}
		var got, want any
		if err := json.Unmarshal([]byte(c[1]), &want); err != nil {
			t.Errorf("%s: the wanted value is no JSON: %s", c[0], c[1])
			continue
		}
		if len(r.Head) > 0 {
			if err := json.Unmarshal(r.Head, &got); err != nil {
				t.Errorf("%s: %v", c[0], err)
			}
		}
		g, _ := json.Marshal(got)
		w, _ := json.Marshal(want)
		if string(g) != string(w) {
			t.Errorf("%s\n got %s\nwant %s", c[0], g, w)
		}
	}
}
