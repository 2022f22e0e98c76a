package compat

import (
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

//go:embed sdks/package.json sdks/package-lock.json sdks/*.ts sdks/programs
var embedded embed.FS

// ErrNoNPM is returned on a machine without npm.
var ErrNoNPM = errors.New("the suite installs npm packages, and there is no npm: install Node.js 20 or newer with npm")

// suites are the names of the suites in the order in which they run, with the package
// whose version stands for them.
var suites = []struct{ name, pkg string }{
	{"ai", "ai"},
	{"openai", "openai"},
	{"langchain", "langchain"},
	{"anthropic", "@anthropic-ai/sdk"},
	{"genai", "@google/genai"},
	{"ollama", "ollama"},
	{"mcp", "@modelcontextprotocol/sdk"},
	{"hono", "hono"},
	{"zod", "zod"},
	{"agents", "@openai/agents"},
	{"llamaindex", "llamaindex"},
}

// Suites returns the names of the suites.
func Suites() []string {
	names := make([]string, len(suites))
	for i, s := range suites {
		names[i] = s.name
	}
	return names
}

// project is a folder with the programs and their packages.
type project struct{ dir string }

// install makes the project in a folder below cache that the lock file's hash names;
// npm ci runs once there. The programs are written anew each time.
func install(ctx context.Context, cache string, progress io.Writer) (*project, error) {
	npm, err := exec.LookPath("npm")
	if err != nil {
		return nil, ErrNoNPM
	}
	files, err := fs.Sub(embedded, "sdks")
	if err != nil {
		return nil, err
	}
	lock, err := fs.ReadFile(files, "package-lock.json")
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(lock)
	p := &project{filepath.Join(cache, "sdks-"+hex.EncodeToString(sum[:8]))}
	for _, name := range []string{"programs", "functions"} {
		if err := os.RemoveAll(filepath.Join(p.dir, name)); err != nil {
			return nil, err
		}
	}
	if err := p.write(files); err != nil {
		return nil, err
	}
	done := filepath.Join(p.dir, "node_modules", ".agentrt-complete")
	if _, err := os.Stat(done); err == nil {
		return p, nil
	}
	fmt.Fprintln(progress, "npm ci (once, some 500 MB)")
	cmd := exec.CommandContext(ctx, npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline", "--loglevel=error")
	cmd.Dir = p.dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("npm ci in %s: %w\n%s", p.dir, err, out)
	}
	return p, os.WriteFile(done, nil, 0o644)
}

func (p *project) write(files fs.FS) error {
	return fs.WalkDir(files, ".", func(path string, d fs.DirEntry, err error) error {
		target := filepath.Join(p.dir, filepath.FromSlash(path))
		switch {
		case err != nil:
			return err
		case d.IsDir():
			return os.MkdirAll(target, 0o755)
		}
		text, err := fs.ReadFile(files, path)
		if err != nil {
			return err
		}
		return os.WriteFile(target, text, 0o644)
	})
}

// functions makes the functions folder of a suite and returns its path.
func (p *project) functions(suite string) (string, error) {
	dir := filepath.Join(p.dir, "functions", suite)
	routes := filepath.Join(dir, "src", "routes", suite)
	if err := os.MkdirAll(routes, 0o755); err != nil {
		return "", err
	}
	code := fmt.Sprintf("export { default } from \"../../../../../programs/%s.ts\";\n", suite)
	return dir, os.WriteFile(filepath.Join(routes, "[[...path]].ts"), []byte(code), 0o644)
}

// version is that of an installed package.
func (p *project) version(pkg string) (string, error) {
	text, err := os.ReadFile(filepath.Join(p.dir, "node_modules", filepath.FromSlash(pkg), "package.json"))
	if err != nil {
		return "", err
	}
	var found struct{ Version string }
	err = json.Unmarshal(text, &found)
	return found.Version, err
}

// checkSuites returns an error for a name that is no suite.
func checkSuites(names []string) error {
	for _, name := range names {
		if !slices.Contains(Suites(), name) {
			return fmt.Errorf("there is no suite %q (suites: %s)", name, strings.Join(Suites(), ", "))
		}
	}
	return nil
}
