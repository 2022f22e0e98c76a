package loader_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/agentrt/agentrt/agentrt/loader"
)

func TestWriteRead(t *testing.T) {
	b := load(t, project(t, everything), shims)
	dir := filepath.Join(t.TempDir(), "dist")
	for range 2 {
		if err := b.Write(dir); err != nil {
			t.Fatal(err)
		}
	}
	got, err := loader.Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	want, _ := json.Marshal(b.Manifest)
	if have, _ := json.Marshal(got.Manifest); !bytes.Equal(have, want) {
		t.Errorf("manifest\n got %s\nwant %s", have, want)
	}
	if !bytes.Equal(got.Code, b.Code) || !bytes.Equal(sourceMap(t, got), sourceMap(t, b)) {
		t.Error("the code or the map changed")
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 3 {
		t.Errorf("%v, %v", entries, err)
	}
}

func TestSameInputSameCode(t *testing.T) {
	one, two := load(t, project(t, everything), shims), load(t, project(t, everything), shims)
	if one.Manifest.SHA256 != two.Manifest.SHA256 {
		t.Error("the code depends on where the project lies")
	}
}

func TestReadErrors(t *testing.T) {
	b := load(t, project(t, map[string]string{"src/routes/a.ts": "export const a = 1", "src/hooks/h.ts": ""}), shims)
	replace := func(name, old, new string) func(string) error {
		return func(dir string) error {
			content, err := os.ReadFile(filepath.Join(dir, name))
			if err != nil {
				return err
			}
			return os.WriteFile(filepath.Join(dir, name), bytes.ReplaceAll(content, []byte(old), []byte(new)), 0o600)
		}
	}
	remove := func(name string) func(string) error {
		return func(dir string) error { return os.Remove(filepath.Join(dir, name)) }
	}
	grow := func(name string, size int64) func(string) error {
		return func(dir string) error { return os.Truncate(filepath.Join(dir, name), size) }
	}
	for name, c := range map[string]struct {
		damage func(dir string) error
		want   string
	}{
		"no manifest":    {remove("manifest.json"), `make one with "agentrt build"`},
		"no code":        {remove("bundle.js"), "bundle.js"},
		"no map":         {remove("bundle.js.map"), "bundle.js.map"},
		"changed code":   {replace("bundle.js", "1", "2"), "bundle.js was changed after it was built"},
		"changed map":    {replace("bundle.js.map", "mappings", "nappings"), "bundle.js.map was changed after it was built"},
		"other format":   {replace("manifest.json", `"format": 1`, `"format": 99`), "the bundle has format 99"},
		"malformed":      {replace("manifest.json", `"format"`, `format`), "manifest.json is malformed"},
		"foreign hook":   {replace("manifest.json", `hooks/h.ts`, `../h.ts`), `"../h.ts" is not in hooks/`},
		"bad route":      {replace("manifest.json", `"/a"`, `"a"`), "does not start with /"},
		"large code":     {grow("bundle.js", loader.MaxCode+1), "at most 33554432 are allowed"},
		"large map":      {grow("bundle.js.map", loader.MaxSourceMap+1), "at most 67108864 are allowed"},
		"large manifest": {grow("manifest.json", 9<<20), "at most 8388608 are allowed"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if err := b.Write(dir); err != nil {
				t.Fatal(err)
			}
			if err := c.damage(dir); err != nil {
				t.Fatal(err)
			}
			got, err := loader.Read(dir)
			if err == nil {
				err = got.SourceMap.Prepare()
			}
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %s", err, c.want)
			}
		})
	}
}

func TestLargeBundle(t *testing.T) {
	dir := project(t, map[string]string{
		"src/routes/a.ts":    `import text from "./big.txt"; export const GET = () => text;`,
		"src/routes/big.txt": strings.Repeat("x", loader.MaxCode),
	})
	if _, err := loader.Load(t.Context(), dir, shims); err == nil || !strings.Contains(err.Error(), "at most 33554432 are allowed") {
		t.Errorf("got %v", err)
	}
}

func TestEsbuildVersion(t *testing.T) {
	content, err := os.ReadFile("../../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	if want := "github.com/evanw/esbuild v" + loader.EsbuildVersion + "\n"; !strings.Contains(string(content), want) {
		t.Errorf("go.mod lacks %s", want)
	}
}
