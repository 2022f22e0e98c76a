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
	"time"
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

// project is a folder with the programs, inside of one with their packages.
type project struct{ dir string }

const (
	installed = "sdks-" // folders of packages, by the hash of the lock file
	unusedFor = 14 * 24 * time.Hour
)

// newProject installs the packages in a folder below cache, once, and writes the
// programs to a new folder in it. close removes that one.
func newProject(ctx context.Context, cache string, progress io.Writer) (*project, error) {
	files, err := fs.Sub(embedded, "sdks")
	if err != nil {
		return nil, err
	}
	lock, err := fs.ReadFile(files, "package-lock.json")
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(lock)
	root := filepath.Join(cache, installed+hex.EncodeToString(sum[:8]))
	if _, err := os.Stat(filepath.Join(root, "node_modules")); err != nil {
		npm, err := exec.LookPath("npm")
		if err != nil {
			return nil, ErrNoNPM
		}
		fmt.Fprintln(progress, "npm ci (once, some 500 MB)")
		if err := install(ctx, npm, files, root); err != nil {
			return nil, err
		}
	}
	if err := removeUnused(cache, root); err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp(root, "run-*")
	if err != nil {
		return nil, err
	}
	p := &project{dir}
	if err := os.CopyFS(dir, files); err != nil {
		return nil, errors.Join(err, p.close())
	}
	return p, nil
}

func (p *project) close() error { return os.RemoveAll(p.dir) }

// install runs npm ci in a folder that then becomes root: it appears complete or not
// at all.
func install(ctx context.Context, npm string, files fs.FS, root string) (err error) {
	if err := os.MkdirAll(filepath.Dir(root), 0o755); err != nil {
		return err
	}
	staging, err := os.MkdirTemp(filepath.Dir(root), "installing-*")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(staging)) }()
	for _, name := range []string{"package.json", "package-lock.json"} {
		text, err := fs.ReadFile(files, name)
		if err == nil {
			err = os.WriteFile(filepath.Join(staging, name), text, 0o644)
		}
		if err != nil {
			return err
		}
	}
	cmd := exec.CommandContext(ctx, npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline", "--loglevel=error")
	cmd.Dir = staging
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("npm ci: %w\n%s", err, out)
	}
	if err := os.Rename(staging, root); err != nil {
		if _, other := os.Stat(filepath.Join(root, "node_modules")); other != nil {
			return err
		}
		// Another process was faster.
	}
	return nil
}

// removeUnused marks root as used and removes packages that no run has used lately.
func removeUnused(cache, root string) error {
	now := time.Now()
	if err := os.Chtimes(root, now, now); err != nil {
		return err
	}
	entries, err := os.ReadDir(cache)
	if err != nil {
		return err
	}
	for _, e := range entries {
		info, err := e.Info()
		if err == nil && strings.HasPrefix(e.Name(), installed) && now.Sub(info.ModTime()) > unusedFor {
			err = os.RemoveAll(filepath.Join(cache, e.Name()))
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// packages is the folder of the installed packages.
func (p *project) packages() string { return filepath.Join(filepath.Dir(p.dir), "node_modules") }

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
	text, err := os.ReadFile(filepath.Join(p.packages(), filepath.FromSlash(pkg), "package.json"))
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
