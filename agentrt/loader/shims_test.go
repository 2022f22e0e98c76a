package loader_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/agentrt/agentrt/agentrt/loader"
	"github.com/agentrt/agentrt/polyfill"
)

// TestNodeShims bundles each real shim as user code and as packages import it,
// and runs one whose require gives a class.
func TestNodeShims(t *testing.T) {
	options := loader.Options{NodeModules: polyfill.NodeModules(), NodeFS: polyfill.Files}
	names := slices.Sorted(maps.Keys(options.NodeModules))
	var imports, requires strings.Builder
	for i, name := range names {
		fmt.Fprintf(&imports, "import * as m%d from %q; keep.push(m%d);\n", i, name, i)
		fmt.Fprintf(&requires, "exports.m%d = () => require(%q);\n", i, name)
	}
	b := load(t, project(t, map[string]string{
		"src/routes/all.ts":            "const keep: unknown[] = [];\n" + imports.String() + "export const GET = () => keep.length;",
		"src/hooks/all.ts":             `import * as all from "all"; export default () => all;`,
		"../node_modules/all/index.js": requires.String(),
	}), options)
	for _, w := range b.Warnings {
		t.Errorf("warning: %s", w)
	}
	only := load(t, project(t, map[string]string{
		"src/routes/cjs.ts":                    `import { ok } from "emitter"; export const GET = () => ok();`,
		"../node_modules/emitter/main.js":      `class E extends require("events") {} exports.ok = () => { let got; return [new E().on("a", (x) => { got = x; }).emit("a", 1), got]; };`,
		"../node_modules/emitter/package.json": `{ "main": "main.js" }`,
	}), options)
	i := start(t, newEngine(t), platformStubs+mount, only)
	r, err := i.Call(t.Context(), "test.js", "run", json.RawMessage(`{"file":"routes/cjs.ts","name":"GET"}`), nil)
	if err != nil || string(r.Head) != `[true,1]` {
		t.Errorf("got %v, %v", r, err)
	}
}
