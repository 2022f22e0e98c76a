package polyfill_test

import (
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/agentrt/agentrt/hostfn"
	"github.com/agentrt/agentrt/internal/jstest"
	"github.com/agentrt/agentrt/quickjs"
)

var update = flag.Bool("update", false, "write what node prints to testdata/node/*.txt")

func platformOps() *quickjs.Ops {
	ops := quickjs.NewOps()
	hostfn.Register(ops)
	return ops
}

// TestNodePrograms runs programs for Node and compares with what Node 20 printed.
func TestNodePrograms(t *testing.T) {
	programs, err := filepath.Glob("testdata/node/*.mjs")
	if err != nil || len(programs) == 0 {
		t.Fatalf("no programs: %v", err)
	}
	for _, file := range programs {
		t.Run(filepath.Base(file), func(t *testing.T) {
			expected := strings.TrimSuffix(file, ".mjs") + ".txt"
			if *update {
				out, err := exec.Command("node", "--no-warnings", file).Output()
				if err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(expected, out, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(expected)
			if err != nil {
				t.Fatal(err)
			}
			source, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var out strings.Builder
			env := jstest.Env{
				Platform: true,
				Ops:      platformOps(),
				Console:  func(_ quickjs.Level, text string) { out.WriteString(text + "\n") },
				Uncaught: func(u quickjs.Uncaught) { t.Errorf("uncaught %s: %v", u.Kind, u.Err) },
			}
			var imports, body []string
			for line := range strings.Lines(string(source)) {
				if strings.HasPrefix(line, "import ") {
					imports = append(imports, line)
				} else {
					body = append(body, line)
				}
			}
			program := strings.Join(imports, "") + "export async function run() {\n" + strings.Join(body, "") + "}\n"
			i := jstest.Load(t, env, jstest.Bundle(t, program, jstest.NodePlugin()))
			if _, err := i.Call(t.Context(), "main.js", "run", nil, nil); err != nil {
				t.Error(err)
			}
			compareLines(t, out.String(), string(want))
		})
	}
}

func compareLines(t *testing.T, got, want string) {
	t.Helper()
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	for n := range max(len(g), len(w)) {
		var a, b string
		if n < len(g) {
			a = g[n]
		}
		if n < len(w) {
			b = w[n]
		}
		if a != b {
			t.Errorf("line %d:\n got %s\nnode %s", n+1, a, b)
		}
	}
}
