package quickjs_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/agentrt/agentrt/quickjs"
)

const platformSource = `
	const digest = __host.op("double");
	export const seen = { n: digest(21) };
	export const main = (head) => ({ n: seen.n, head, random: Math.random(), again: digest(4) });`

// start makes an engine on dir, takes a cached snapshot and calls it. It reports
// whether the snapshot was evaluated and what Math.random said.
func start(t *testing.T, dir, key string, change func(quickjs.Config) quickjs.Config) (evaluated bool, answer string) {
	t.Helper()
	ops := quickjs.NewOps()
	quickjs.Sync(ops, "double", func(_ context.Context, n int) (int, error) { return 2 * n, nil })
	config := quickjs.NewConfig().WithCacheDir(dir).WithOps(ops)
	if change != nil {
		config = change(config)
	}
	e, err := quickjs.New(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := e.Close(context.Background()); err != nil {
			t.Error(err)
		}
	}()
	s, err := e.CachedSnapshot(t.Context(), []byte(key), func(ctx context.Context, i *quickjs.Instance) error {
		evaluated = true
		return i.EvalModule(ctx, "main.js", platformSource)
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
	answer = call(t, i, "main", `"x"`)
	if want := `{"n":42,"head":"x","random":0.`; len(answer) < len(want) || answer[:len(want)] != want {
		t.Fatalf("the snapshot answers %s, want %s…", answer, want)
	}
	return evaluated, answer
}

func cachedFiles(t *testing.T, dir, pattern string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, pattern))
	if err != nil || len(files) == 0 {
		t.Fatalf("no %s in the cache (%v)", pattern, err)
	}
	return files
}

// cacheWithCode returns a cache directory whose machine code exists already.
func cacheWithCode(t *testing.T) string {
	t.Helper()
	newEngine(t, quickjs.NewConfig())
	dir := t.TempDir()
	for _, code := range cachedFiles(t, quickjs.ModuleDir(cacheDir), "code/*/*") {
		rel, err := filepath.Rel(cacheDir, code)
		if err != nil {
			t.Fatal(err)
		}
		data, err := os.ReadFile(code)
		if err != nil {
			t.Fatal(err)
		}
		to := filepath.Join(dir, rel)
		if err := errors.Join(os.MkdirAll(filepath.Dir(to), 0o700), os.WriteFile(to, data, 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestCachedSnapshot(t *testing.T) {
	for name, copying := range map[string]bool{"mapped": false, "copying": true} {
		t.Run(name, func(t *testing.T) {
			dir := cacheWithCode(t)
			memory := func(c quickjs.Config) quickjs.Config { return c.WithCopyingMemory(copying) }
			evaluated, first := start(t, dir, "v1", memory)
			if !evaluated {
				t.Fatal("an empty cache had a snapshot")
			}
			evaluated, second := start(t, dir, "v1", memory)
			if evaluated {
				t.Error("the second start evaluated again")
			}
			if first == second {
				t.Errorf("two starts have the same random numbers: %s", first)
			}
			for name, change := range map[string]func(quickjs.Config) quickjs.Config{
				"another key of the engine": func(c quickjs.Config) quickjs.Config { return c.WithBytecodeKey([]byte("other")) },
				"another memory limit":      func(c quickjs.Config) quickjs.Config { return c.WithMemoryLimit(64 << 20) },
				"another operation": func(c quickjs.Config) quickjs.Config {
					ops := quickjs.NewOps()
					quickjs.Sync(ops, "new", func(context.Context, int) (int, error) { return 0, nil })
					quickjs.Sync(ops, "double", func(_ context.Context, n int) (int, error) { return 2 * n, nil })
					return c.WithOps(ops)
				},
			} {
				if evaluated, _ := start(t, dir, "v1", func(c quickjs.Config) quickjs.Config { return change(memory(c)) }); !evaluated {
					t.Errorf("%s: the snapshot was taken from the cache", name)
				}
			}
			if evaluated, _ := start(t, dir, "v2", memory); !evaluated {
				t.Error("another key: the snapshot was taken from the cache")
			}
		})
	}
}

func TestDamagedCache(t *testing.T) {
	dir := cacheWithCode(t)
	start(t, dir, "v1", nil)
	images := cachedFiles(t, dir, "module-*/*.image")
	for name, damage := range map[string]func(path string, data []byte) error{
		"bit":    func(path string, data []byte) error { data[len(data)/2] ^= 1; return os.WriteFile(path, data, 0o600) },
		"head":   func(path string, data []byte) error { data[33] ^= 1; return os.WriteFile(path, data, 0o600) },
		"layout": func(path string, data []byte) error { data[50] ^= 0x80; return os.WriteFile(path, data, 0o600) },
		"short":  func(path string, data []byte) error { return os.WriteFile(path, data[:len(data)-5000], 0o600) },
		"empty":  func(path string, data []byte) error { return os.WriteFile(path, nil, 0o600) },
		"exchanged": func(path string, data []byte) error {
			return os.WriteFile(path, bytes.Repeat([]byte("x"), 9000), 0o600)
		},
	} {
		t.Run(name, func(t *testing.T) {
			for _, path := range images {
				data, err := os.ReadFile(path)
				if err == nil {
					err = damage(path, data)
				}
				if err != nil {
					t.Fatal(err)
				}
			}
			if evaluated, _ := start(t, dir, "v1", nil); !evaluated {
				t.Error("the damaged image was used")
			}
			if evaluated, _ := start(t, dir, "v1", nil); evaluated {
				t.Error("the damaged image was not replaced")
			}
		})
	}
}

func TestDamagedMachineCode(t *testing.T) {
	dir := cacheWithCode(t)
	start(t, dir, "v1", nil)
	code := cachedFiles(t, dir, "module-*/code/*/*")[0]
	good, err := os.ReadFile(code)
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{"empty": nil, "short": good[:len(good)/2], "bit": append(append(bytes.Clone(good[:1<<20]), good[1<<20]^1), good[1<<20+1:]...)} {
		if err := os.WriteFile(code, data, 0o600); err != nil {
			t.Fatal(err)
		}
		start(t, dir, "v1", nil)
		if got, err := os.ReadFile(code); err != nil || !bytes.Equal(got, good) {
			t.Errorf("%s: the machine code was not replaced (%v)", name, err)
		}
	}
}

// Machine code of empty functions is what wazero would leave if it looked for
// ours elsewhere.
func TestMachineCodeOfEmptyFunctions(t *testing.T) {
	dir := cacheWithCode(t)
	code := cachedFiles(t, dir, "module-*/code/*/*")[0]
	good, err := os.ReadFile(code)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(code); err != nil {
		t.Fatal(err)
	}
	start(t, dir, "v1", nil)
	if got, err := os.ReadFile(code); err != nil || !bytes.Equal(got, good) {
		t.Errorf("the machine code was not replaced (%v)", err)
	}
}

func TestCacheIsBounded(t *testing.T) {
	dir := cacheWithCode(t)
	for _, name := range []string{"module-1", "module-2", "module-3", "module-4", "module-5", "module-6"} {
		if err := os.MkdirAll(filepath.Join(dir, name, "code"), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	e, err := quickjs.New(t.Context(), quickjs.NewConfig().WithCacheDir(dir))
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close(context.Background())
	if n := len(cachedFiles(t, dir, "module-*")); n != 4 {
		t.Errorf("%d versions are kept, want 4", n)
	}
	nothing := func(context.Context, *quickjs.Instance) error { return nil }
	for k := range byte(20) {
		s, err := e.CachedSnapshot(t.Context(), []byte{k}, nothing)
		if err := errors.Join(err, s.Close()); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(cachedFiles(t, dir, "module-*/*.image")); n != 16 {
		t.Errorf("%d images are kept, want 16", n)
	}
	rest, err := filepath.Glob(filepath.Join(dir, "*", "tmp-*"))
	if err != nil || len(rest) > 0 {
		t.Errorf("temporary files are left: %v, %v", rest, err)
	}
}

func TestCacheKeepsBytecodeValid(t *testing.T) {
	dir := cacheWithCode(t)
	engine := func() *quickjs.Engine {
		e, err := quickjs.New(t.Context(), quickjs.NewConfig().WithCacheDir(dir))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { e.Close(context.Background()) })
		return e
	}
	code, err := engine().Compile(t.Context(), "main.js", `export const main = () => 1`)
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(filepath.Join(dir, "key")); err != nil || info.Mode().Perm()&0o077 != 0 {
		t.Errorf("the key file is not private: %v, %v", info, err)
	}
	second := engine()
	s, err := second.NewSnapshot(t.Context(), func(ctx context.Context, i *quickjs.Instance) error {
		return i.EvalBytecode(ctx, "main.js", code)
	})
	if err != nil {
		t.Fatalf("bytecode of an earlier process: %v", err)
	}
	defer s.Close()
	if err := os.WriteFile(filepath.Join(dir, "key"), []byte("short"), 0o600); err != nil {
		t.Fatal(err)
	}
	third, err := engine().NewSnapshot(t.Context(), func(ctx context.Context, i *quickjs.Instance) error {
		return i.EvalBytecode(ctx, "main.js", code)
	})
	if !errors.Is(err, quickjs.ErrBytecode) {
		t.Errorf("bytecode under a lost key: %v, %v", third, err)
	}
}

func TestCacheDirectoryCannotBeMade(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := quickjs.New(t.Context(), quickjs.NewConfig().WithCacheDir(file)); err == nil {
		t.Error("a file was accepted as cache directory")
	}
}

func TestPreload(t *testing.T) {
	dir := t.TempDir()
	config := quickjs.NewConfig().WithCacheDir(dir)
	works := func(config quickjs.Config) {
		t.Helper()
		e, err := quickjs.New(t.Context(), config)
		if err != nil {
			t.Fatal(err)
		}
		defer e.Close(t.Context())
		s, err := e.NewSnapshot(t.Context(), func(ctx context.Context, i *quickjs.Instance) error {
			return i.EvalModule(ctx, "main.js", `export const answer = () => 42;`)
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
		if got, err := i.Call(t.Context(), "main.js", "answer", nil, nil); err != nil || string(got.Head) != "42" {
			t.Errorf("%v, %v; want 42", got, err)
		}
	}
	nothing := quickjs.NewPreload(config) // the directory is empty
	works(config.WithPreload(nothing))
	p := quickjs.NewPreload(config)
	works(config.WithPreload(p))
	works(config.WithPreload(p)) // it was taken
	other := quickjs.NewPreload(config)
	works(config.WithMemoryLimit(64 << 20).WithPreload(other)) // not what was loaded
	for _, p := range []*quickjs.Preload{nothing, p, other, nil} {
		if err := p.Close(t.Context()); err != nil {
			t.Error(err)
		}
		if err := p.Close(t.Context()); err != nil {
			t.Error(err)
		}
	}
}
