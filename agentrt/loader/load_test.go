package loader_test

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/agentrt/agentrt/agentrt/loader"
	"github.com/agentrt/agentrt/quickjs"
)

// everything is a project with each feature of the loader.
var everything = map[string]string{
	"../package.json":                              `{ "agentrt": { "keepSideEffects": ["kept"] } }`,
	"../tsconfig.json":                             `{ "compilerOptions": { "jsxImportSource": "h", "paths": { "@lib/*": ["./fn/src/lib/*"] } } }`,
	"src/routes/hello.ts":                          `export const config = { auth: "user" } as const; export async function POST(): Promise<string> { return process.env.NODE_ENV; }`,
	"src/routes/index.tsx":                         `export default () => <a b="c">text</a>;`,
	"src/routes/users/[id].ts":                     "import { join } from 'node:path'; import path from 'path'; export const GET = () => [join('a', 'b'), path.join('c', 'd')];",
	"src/routes/files/[...path].js":                `export const GET = () => import("node:fs/promises").then((m) => m.readFile()).catch((e) => e.message);`,
	"src/routes/docs/[[...path]].mjs":              "import data from '../../data.json'; import md from './_prompt.md'; import sql from './_q.sql'; import html from './_p.html'; import txt from './_t.txt';\nexport const GET = () => [data.a, md, sql, html, txt];",
	"src/routes/docs/_prompt.md":                   "# prompt",
	"src/routes/docs/_q.sql":                       "select 1",
	"src/routes/docs/_p.html":                      "<p>",
	"src/routes/docs/_t.txt":                       "text",
	"src/data.json":                                `{ "a": 1 }`,
	"src/routes/_helper.ts":                        `throw new Error("evaluated")`,
	"src/routes/_private/x.ts":                     `throw new Error("evaluated")`,
	"src/routes/.hidden/x.ts":                      `throw new Error("evaluated")`,
	"src/routes/hello.test.ts":                     `throw new Error("evaluated")`,
	"src/routes/hello.spec.tsx":                    `throw new Error("evaluated")`,
	"src/routes/env.d.ts":                          `declare const x: number;`,
	"src/routes/readme.md":                         `# no route`,
	"src/hooks/users.ts":                           `import { double } from "@lib/double"; export const result = () => double(21);`,
	"src/lib/double.ts":                            `export const double = (n: number) => n * 2;`,
	"src/workers/pdf.ts":                           `import { value } from "exports-map"; export default () => value;`,
	"src/crons/digest.ts":                          "import 'bare/register'; import { get } from 'kept';\nexport default () => [globalThis.bare, globalThis.bareInner, globalThis.kept, get()];",
	"../node_modules/h/package.json":               `{ "exports": { "./jsx-runtime": "./rt.js" } }`,
	"../node_modules/h/rt.js":                      `export const jsx = (tag, props) => ({ tag, ...props });`,
	"../node_modules/exports-map/package.json":     `{ "exports": { ".": { "node": "./node.js", "edge-light": "./edge.js", "default": "./no.js" } } }`,
	"../node_modules/exports-map/edge.js":          `export const value = "edge";`,
	"../node_modules/bare/package.json":            `{ "sideEffects": false }`,
	"../node_modules/bare/register.js":             `import "./inner.js"; globalThis.bare = "registered";`,
	"../node_modules/bare/inner.js":                `globalThis.bareInner = "inner";`,
	"../node_modules/kept/package.json":            `{ "sideEffects": false, "main": "index.js" }`,
	"../node_modules/kept/index.js":                `import "./register.js"; export const get = () => "got";`,
	"../node_modules/kept/register.js":             `globalThis.kept = "kept";`,
	"../node_modules/unused-exports/package.json":  `{}`,
	"../node_modules/unused-exports/dead/index.js": ``,
}

func TestLoadAndMount(t *testing.T) {
	b := load(t, project(t, everything), shims)
	if len(b.Warnings) > 0 {
		t.Errorf("warnings: %v", b.Warnings)
	}
	manifest, err := json.Marshal(struct {
		Routes                []loader.Route
		Hooks, Workers, Crons []string
	}{b.Manifest.Routes, b.Manifest.Hooks, b.Manifest.Workers, b.Manifest.Crons})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := string(manifest), `{"Routes":[`+
		`{"pattern":"/docs/{path...?}","file":"routes/docs/[[...path]].mjs"},`+
		`{"pattern":"/files/{path...}","file":"routes/files/[...path].js"},`+
		`{"pattern":"/hello","file":"routes/hello.ts"},`+
		`{"pattern":"/","file":"routes/index.tsx"},`+
		`{"pattern":"/users/{id}","file":"routes/users/[id].ts"}],`+
		`"Hooks":["hooks/users.ts"],"Workers":["workers/pdf.ts"],"Crons":["crons/digest.ts"]}`; got != want {
		t.Errorf("manifest\n got %s\nwant %s", got, want)
	}

	i := start(t, newEngine(t), mount, b)
	for _, c := range []struct{ call, head, want string }{
		{"names", ``, `{"routes":{"routes/docs/[[...path]].mjs":["GET"],"routes/files/[...path].js":["GET"],"routes/hello.ts":["POST","config"],"routes/index.tsx":["default"],"routes/users/[id].ts":["GET"]},"hooks":{"hooks/users.ts":["result"]},"workers":{"workers/pdf.ts":["default"]},"crons":{"crons/digest.ts":["default"]}}`},
		{"run", `{"file":"routes/hello.ts","name":"POST"}`, `"production"`},
		{"run", `{"file":"routes/index.tsx","name":"default"}`, `{"tag":"a","b":"c","children":"text"}`},
		{"run", `{"file":"routes/users/[id].ts","name":"GET"}`, `["a/b","c/d"]`},
		{"run", `{"file":"routes/files/[...path].js","name":"GET"}`, `"fs.readFile is not available"`},
		{"run", `{"file":"routes/docs/[[...path]].mjs","name":"GET"}`, `[1,"# prompt","select 1","<p>","text"]`},
		{"run", `{"file":"hooks/users.ts","name":"result"}`, `42`},
		{"run", `{"file":"workers/pdf.ts","name":"default"}`, `"edge"`},
		{"run", `{"file":"crons/digest.ts","name":"default"}`, `["registered","inner","kept","got"]`},
	} {
		var head json.RawMessage
		if c.head != "" {
			head = json.RawMessage(c.head)
		}
		r, err := i.Call(t.Context(), "test.js", c.call, head, nil)
		if err != nil {
			t.Errorf("%s: %v", c.head, err)
		} else if string(r.Head) != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.head, r.Head, c.want)
		}
	}
}

func TestDev(t *testing.T) {
	dir := project(t, map[string]string{"src/routes/a.ts": `export const GET = () => process.env.NODE_ENV === "development" ? "dev" : "prod";`})
	for _, c := range []struct {
		options loader.Options
		want    string
	}{{loader.Options{Dev: true}, "dev"}, {loader.Options{Minify: true}, "prod"}} {
		b := load(t, dir, c.options)
		r, err := start(t, newEngine(t), mount, b).Call(t.Context(), "test.js", "run", json.RawMessage(`{"file":"routes/a.ts","name":"GET"}`), nil)
		if err != nil || string(r.Head) != `"`+c.want+`"` {
			t.Errorf("%+v: %v, %v", c.options, r, err)
		}
		if b.Manifest.Dev != c.options.Dev {
			t.Errorf("the manifest says dev: %v", b.Manifest.Dev)
		}
	}
}

func TestLoadErrors(t *testing.T) {
	for name, c := range map[string]struct {
		files map[string]string
		want  []string
	}{
		"syntax": {
			map[string]string{"src/routes/a.ts": "export const a = 1;\n\texport const b = ;\n"},
			[]string{"src/routes/a.ts:2:19: Unexpected \";\"\n  2 | \texport const b = ;\n    | \t                 ^"},
		},
		"missing file": {
			map[string]string{"src/routes/a.ts": "import './lib/nothing';"},
			[]string{`src/routes/a.ts:1:8: cannot find the file "./lib/nothing"`},
		},
		"missing export": {
			map[string]string{"src/routes/a.ts": "import { no } from '../b'; export const GET = no;", "src/b.ts": "export const yes = 1;"},
			[]string{`src/routes/a.ts:1:10: No matching export in "src/b.ts" for import "no"`},
		},
		"missing package": {
			map[string]string{"../package.json": "{}", "src/routes/a.ts": "import z from '@scope/zod/v4'; export const GET = z;"},
			[]string{`src/routes/a.ts:1:15: cannot find the package "@scope/zod"`, `hint: run "npm install @scope/zod" in `},
		},
		"missing entry of a package": {
			map[string]string{"../node_modules/p/package.json": `{ "exports": { ".": "./index.js" } }`, "../node_modules/p/index.js": "", "src/routes/a.ts": "import 'p/deep';"},
			[]string{`the package "p" has no "p/deep"`, `"./deep" is not exported by package "p"`},
		},
		"package imports a missing package": {
			map[string]string{"../node_modules/p/index.js": "import 'q'", "src/routes/a.ts": "import '../b';", "src/b.ts": "import 'p';"},
			[]string{`node_modules/p/index.js:1:8: cannot find the package "q", imported by src/routes/a.ts -> src/b.ts -> node_modules/p/index.js`},
		},
		"built-in without a shim": {
			map[string]string{"../node_modules/p/index.js": "import 'node:vm'", "src/routes/a.ts": "import 'p';"},
			[]string{`the Node.js module "node:vm" is not available in functions, imported by src/routes/a.ts -> node_modules/p/index.js`},
		},
		"bare built-in": {
			map[string]string{"src/routes/a.ts": "import fs from 'fs'; export const GET = fs;"},
			[]string{`src/routes/a.ts:1:16: the Node.js module "fs" is not available in functions`},
		},
		"wasm": {
			map[string]string{"src/routes/a.ts": "import m from './m.wasm'; export const GET = m;", "src/routes/m.wasm": "\x00asm"},
			[]string{`src/routes/a.ts:1:15: WebAssembly modules are not supported`},
		},
		"unknown extension": {
			map[string]string{"src/routes/a.ts": "import m from './m.png'; export const GET = m;", "src/routes/m.png": "x"},
			[]string{`src/routes/a.ts:1:15: No loader is configured for ".png" files`, "hint: import .ts"},
		},
		"same route": {
			map[string]string{"src/routes/a.ts": "", "src/routes/a/index.js": ""},
			[]string{"routes/a.ts", "routes/a/index.js", "are the same route /a"},
		},
		"parameter names": {
			map[string]string{"src/routes/[id].ts": "", "src/routes/[name]/x.ts": ""},
			[]string{"routes/[id].ts", "routes/[name]/x.ts", "name the parameter at one place differently, [id] and [name]"},
		},
		"catch-alls": {
			map[string]string{"src/routes/[...a].ts": "", "src/routes/[[...b]].ts": ""},
			[]string{"routes/[...a].ts", "routes/[[...b]].ts", "are the same route"},
		},
		"catch-all in the middle": {map[string]string{"src/routes/[...a]/b.ts": ""}, []string{"must be the last one"}},
		"half a parameter":        {map[string]string{"src/routes/a[b].ts": ""}, []string{`cannot read the segment "a[b]"`}},
		"parameter twice":         {map[string]string{"src/routes/[a]/[a].ts": ""}, []string{`the parameter "a" occurs twice`}},
		"optional parameter":      {map[string]string{"src/routes/[[a]].ts": ""}, []string{"an optional segment is a catch-all"}},
		"parameter name":          {map[string]string{"src/routes/[1 a].ts": ""}, []string{"a parameter's name consists of"}},
	} {
		t.Run(name, func(t *testing.T) {
			failed := loadError(t, project(t, c.files))
			for _, want := range c.want {
				if !strings.Contains(failed.Error(), want) {
					t.Errorf("got\n%s\nwhich lacks\n%s", failed, want)
				}
			}
			if len(failed.Diagnostics) != 1 {
				t.Errorf("%d diagnostics: %v", len(failed.Diagnostics), failed)
			}
		})
	}
}

func TestHandledImports(t *testing.T) {
	b := load(t, project(t, map[string]string{
		"../node_modules/p/index.js": `let vm; try { vm = require("vm"); } catch {} exports.has = vm !== undefined;`,
		"src/routes/a.ts":            `import { has } from "p"; export const GET = async () => [has, await import("node:vm").catch(() => "no vm")];`,
	}), shims)
	r, err := start(t, newEngine(t), mount, b).Call(t.Context(), "test.js", "run", json.RawMessage(`{"file":"routes/a.ts","name":"GET"}`), nil)
	if err != nil || string(r.Head) != `[false,"no vm"]` {
		t.Errorf("got %v, %v", r, err)
	}
}

func TestLoadOtherErrors(t *testing.T) {
	if _, err := loader.Load(t.Context(), project(t, nil), shims); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "create src/routes/hello.ts") {
		t.Errorf("no src folder: %v", err)
	}
	if _, err := loader.Load(t.Context(), filepath.Join(t.TempDir(), "none"), shims); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no folder: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	dir := project(t, map[string]string{"src/routes/a.ts": ""})
	if _, err := loader.Load(ctx, dir, shims); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	write(t, filepath.Join(dir, "package.json"), `{ "agentrt": { "keepSideEffects": ["./x"] } }`)
	if _, err := loader.Load(t.Context(), dir, shims); err == nil || !strings.Contains(err.Error(), `"./x", which is not the name of a package`) {
		t.Errorf("settings: %v", err)
	}
	write(t, filepath.Join(dir, "package.json"), `{`)
	if _, err := loader.Load(t.Context(), dir, shims); err == nil || !strings.Contains(err.Error(), "package.json is malformed") {
		t.Errorf("settings: %v", err)
	}
}

func TestEmptySource(t *testing.T) {
	dir := project(t, nil)
	if err := os.Mkdir(filepath.Join(dir, "src"), 0o700); err != nil {
		t.Fatal(err)
	}
	b := load(t, dir, shims)
	if r, err := start(t, newEngine(t), mount, b).Call(t.Context(), "test.js", "names", nil, nil); err != nil || string(r.Head) != `{"routes":{},"hooks":{},"workers":{},"crons":{}}` {
		t.Errorf("got %v, %v", r, err)
	}
}

func TestStack(t *testing.T) {
	dir := project(t, map[string]string{
		"src/routes/a.ts": `import { check } from "../lib/check.ts";
import { wrap } from "pkg";

interface Body { text: string }

export async function POST() {
	const body: Body = { text: "é" };
	await null;
	return wrap(() => /* 𝒳 */ check(body));
}
`,
		"src/lib/check.ts": `
type Unused = { a: 1 };
export function check(body: { text: string }): never {
	throw new TypeError("bad " + body.text);
}
`,
		"../node_modules/pkg/index.js": `export const wrap = (f) => [1].map(() => f());`,
	})
	e := newEngine(t)
	columns := regexp.MustCompile(`:\d+(\)|\n|$)`)
	for name, options := range map[string]loader.Options{"readable": {}, "minified": {Minify: true}} {
		t.Run(name, func(t *testing.T) {
			b := load(t, dir, options)
			m := b.SourceMap
			if err := m.Prepare(); err != nil {
				t.Fatal(err)
			}
			i := start(t, e, mount, b)
			_, err := i.Call(t.Context(), "test.js", "run", json.RawMessage(`{"file":"routes/a.ts","name":"POST"}`), nil)
			var thrown *quickjs.JSError
			if !errors.As(err, &thrown) {
				t.Fatalf("got %v", err)
			}
			got := m.Stack(thrown.Stack + "\n    at dispatch (agentrt:platform:1:2)")
			want := `TypeError: bad é
    at check (src/lib/check.ts:4:31)
    at src/routes/a.ts:9:35
    at node_modules/pkg/index.js:1:42
    at map (native)
    at wrap (node_modules/pkg/index.js:1:32)
    at POST (src/routes/a.ts:9:9)`
			if options.Minify {
				// Code on one line lets the engine and the map agree on lines only, and
				// not even on those of a statement that became part of another.
				got, want = columns.ReplaceAllString(got, "$1"), columns.ReplaceAllString(want, "$1")
				want = strings.Replace(want, "POST (src/routes/a.ts:9)", "POST (src/routes/a.ts:8)", 1)
			}
			if got != want {
				t.Errorf("got\n%s\nwant\n%s\nfrom\n%s", got, want, thrown.Stack)
			}
			frames := m.Frames(thrown.Stack)
			if got, want := m.Excerpt(frames[0]), "  4 | \tthrow new TypeError(\"bad \" + body.text);\n    | \t                             ^"; got != want {
				t.Errorf("excerpt\n%s\nwant\n%s", got, want)
			}
			if got, want := m.Excerpt(frames[1]), "  9 | \treturn wrap(() => /* 𝒳 */ check(body));\n    | \t                                ^"; got != want {
				t.Errorf("excerpt\n%s\nwant\n%s", got, want)
			}
		})
	}
}

func TestImportMetaURL(t *testing.T) {
	dir := project(t, map[string]string{"src/routes/url.ts": `export const GET = () => import.meta.url;`})
	b := load(t, dir, loader.Options{})
	if code := string(b.Code); strings.Contains(code, "import.meta.url") || !strings.Contains(code, `"file:///agentrt/bundle.js"`) {
		t.Errorf("code %s", code)
	}
}
