package loader_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"testing/fstest"
	"time"

	"github.com/agentrt/agentrt/agentrt/loader"
	"github.com/agentrt/agentrt/quickjs"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		if dir := npmFolder; dir != "" {
			os.RemoveAll(dir)
		}
		os.Exit(code)
	}))
}

// project writes files below a new folder and returns its functions folder "fn".
func project(t testing.TB, files map[string]string) string {
	t.Helper()
	root := t.TempDir()
	dir := filepath.Join(root, "fn")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	for name, content := range files {
		write(t, filepath.Join(dir, name), content)
	}
	return dir
}

func write(t testing.TB, name, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// shims are two modules of Node.js.
var shims = loader.Options{
	NodeModules: map[string]string{"path": "node/path.ts", "fs/promises": "node/fs.ts"},
	NodeFS: fstest.MapFS{
		"node/path.ts": {Data: []byte(`import { sep } from "../lib/sep.ts"; export const join = (...p: string[]) => p.join(sep); export default { join };`)},
		"node/fs.ts":   {Data: []byte(`export const readFile = () => { throw new Error("fs.readFile is not available"); };`)},
		"lib/sep.ts":   {Data: []byte(`export const sep: string = "/";`)},
	},
}

func load(t testing.TB, dir string, options loader.Options) *loader.Bundle {
	t.Helper()
	b, err := loader.Load(t.Context(), dir, options)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func loadError(t testing.TB, dir string) *loader.Error {
	t.Helper()
	_, err := loader.Load(t.Context(), dir, shims)
	var failed *loader.Error
	if !errors.As(err, &failed) {
		t.Fatalf("got %v, want a *loader.Error", err)
	}
	return failed
}

// mount keeps what the bundle mounts and calls exports of it.
const mount = `
	let mounted;
	globalThis[Symbol.for("agentrt.mount")] = (m) => { mounted = m; };
	export const names = () => Object.fromEntries(Object.entries(mounted).map(([kind, files]) =>
		[kind, Object.fromEntries(Object.entries(files).map(([file, ns]) => [file, Object.keys(ns)]))]));
	export const run = ({ file, name }) => mounted[file.split("/")[0]][file][name]();
`

func newEngine(t testing.TB) *quickjs.Engine {
	t.Helper()
	e, err := quickjs.New(t.Context(), quickjs.NewConfig().WithCacheDir(filepath.Join(os.TempDir(), "agentrt-test-cache")))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := e.Close(ctx); err != nil {
			t.Error(err)
		}
	})
	return e
}

// start evaluates setup and then the bundle in an instance.
func start(t testing.TB, e *quickjs.Engine, setup string, b *loader.Bundle) *quickjs.Instance {
	t.Helper()
	s, err := e.NewSnapshot(t.Context(), func(ctx context.Context, i *quickjs.Instance) error {
		if err := i.EvalModule(ctx, "test.js", setup); err != nil {
			return err
		}
		return i.EvalModule(ctx, loader.ModuleName, string(b.Code))
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	i, err := s.NewInstance(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { i.Close() })
	return i
}

func sourceMap(t testing.TB, b *loader.Bundle) []byte {
	t.Helper()
	raw, err := b.SourceMap.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	return raw
}
