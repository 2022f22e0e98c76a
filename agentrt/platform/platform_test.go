package platform_test

import (
	"context"
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/agentrt/agentrt/agentrt/platform"
	"github.com/agentrt/agentrt/quickjs"
)

func sources(files map[string]string) map[string]fs.FS {
	all := map[string]fs.FS{}
	for name, text := range files {
		folder, rest, _ := strings.Cut(name, "/")
		if nested, ok := strings.CutPrefix(rest, "triggers/"); ok {
			folder, rest = folder+"/triggers", nested
		}
		if all[folder] == nil {
			all[folder] = fstest.MapFS{}
		}
		all[folder].(fstest.MapFS)[rest] = &fstest.MapFile{Data: []byte(text)}
	}
	return all
}

func TestBundleRuns(t *testing.T) {
	code, sourceMap, err := platform.Bundle(sources(map[string]string{
		"polyfill/host.ts":          `export const host: { log: unknown } = (globalThis as any).__host;`,
		"polyfill/events.ts":        `export class Event { constructor(readonly type: string) {} }; export const unused = "dead-code";`,
		"hostfn/kv.ts":              `import { host } from "../polyfill/host.ts"; export const kv = { ready: typeof host };`,
		"agentrt/triggers/index.ts": `import { Event } from "../../polyfill/events.ts"; import { kv } from "../../hostfn/kv.ts"; export const f = () => [new Event("x").type, Event.name, kv.ready];`,
	}), "agentrt/triggers/index.ts")
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(code), "dead-code") {
		t.Error("an unused export is in the bundle")
	}
	var m struct{ Sources, SourcesContent []string }
	if err := json.Unmarshal(sourceMap, &m); err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(m.Sources, "agentrt/triggers/index.ts") || len(m.SourcesContent) != len(m.Sources) {
		t.Errorf("sources of the map: %q", m.Sources)
	}

	e, err := quickjs.New(t.Context(), quickjs.NewConfig().WithCacheDir(filepath.Join(os.TempDir(), "agentrt-test-cache")))
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close(context.Background())
	s, err := e.NewSnapshot(t.Context(), func(ctx context.Context, i *quickjs.Instance) error {
		return i.EvalModule(ctx, platform.Name, string(code))
	})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	i, err := s.NewInstance(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer i.Close()
	r, err := i.Call(t.Context(), platform.Name, "f", nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := string(r.Head), `["x","Event","object"]`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestBundleErrors(t *testing.T) {
	// The file exists on the disk, but not in the tree.
	outside := filepath.Join(t.TempDir(), "outside.ts")
	if err := os.WriteFile(outside, []byte("export {}"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		source string
		want   []string
	}{
		"syntax":  {"export const a =\n  ;", []string{"polyfill/index.ts:2:3: Unexpected \";\""}},
		"missing": {`import "./no.ts"`, []string{"polyfill/index.ts:1:8", "polyfill/no.ts"}},
		"package": {`import "zod"`, []string{`"zod" is not a relative import`}},
		"outside": {`import "../lib/x.ts"`, []string{"lib/x.ts is outside the platform's folders (polyfill)"}},
		"escape":  {`import "../../../etc/passwd"`, []string{"outside the platform's folders"}},
		"disk":    {`import "` + filepath.ToSlash(outside) + `"`, []string{"is not a relative import"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := platform.Bundle(sources(map[string]string{"polyfill/index.ts": c.source}), "polyfill/index.ts")
			if err == nil {
				t.Fatal("no error")
			}
			for _, want := range c.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q lacks %q", err, want)
				}
			}
		})
	}
	if _, _, err := platform.Bundle(sources(map[string]string{"polyfill/index.ts": ""}), "polyfill/none.ts"); err == nil {
		t.Error("a missing entry is no error")
	}
}
