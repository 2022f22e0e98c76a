package benchmarks

import (
	"context"
	"embed"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/evanw/esbuild/pkg/api"
)

// runtimeFiles pin the runtimes that npm serves, for machines without them.
//
//go:embed peers/runtimes/*/package.json peers/runtimes/*/package-lock.json
var runtimeFiles embed.FS

// runtime returns the program called name: the one on the machine, else the pinned
// version from npm, which goes into the project's folder.
func (p *peerProject) runtime(ctx context.Context, name string, progress io.Writer) (string, error) {
	if path, err := exec.LookPath(name); err == nil {
		return path, nil
	}
	dir := filepath.Join(p.dir, "runtimes", name)
	if _, err := os.Stat(dir); err != nil {
		if !p.npm {
			return "", fmt.Errorf("%s: %w", name, exec.ErrNotFound)
		}
		files, err := fs.Sub(runtimeFiles, "peers/runtimes/"+name)
		if err == nil {
			err = os.CopyFS(dir, files)
		}
		if err != nil {
			return "", err
		}
		fmt.Fprintf(progress, "npm ci of %s, some 100 MB\n", name)
		if err := npmInstall(ctx, dir); err != nil {
			return "", err
		}
	}
	for _, pattern := range []string{"node_modules/@*/*/bin/" + name, "node_modules/@*/*/" + name} {
		if found, err := filepath.Glob(filepath.Join(dir, pattern)); err == nil && len(found) > 0 {
			return found[0], nil
		}
	}
	return "", fmt.Errorf("npm has no %s for this platform: %w", name, exec.ErrNotFound)
}

func npmInstall(ctx context.Context, dir string) error {
	install := exec.CommandContext(ctx, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline", "--loglevel=error")
	install.Dir = dir
	if out, err := install.CombinedOutput(); err != nil {
		return fmt.Errorf("npm ci: %w\n%s", err, out)
	}
	return nil
}

// workerdConfig has workerd serve worker.mjs at an address, with the whole network.
const workerdConfig = `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "main", worker = .worker),
    (name = "net", network = (allow = ["public", "private", "local"])),
  ],
  sockets = [(name = "http", address = "%s", http = (), service = "main")],
);
const worker :Workerd.Worker = (
  modules = [(name = "worker.mjs", esModule = embed "worker.mjs")],
  compatibilityDate = "2026-11-01",
  globalOutbound = "net",
);
`

// worker writes what workerd serves: the workloads with their environment, which
// workerd has none of, and the configuration.
func (p *peerProject) worker(addr string) (config string, err error) {
	define := map[string]string{"process.env.NODE_ENV": `"production"`}
	for _, pair := range p.env {
		name, value, _ := strings.Cut(pair, "=")
		define["process.env."+name] = fmt.Sprintf("%q", value)
	}
	if err := buildPeer(p.dir, "src/worker.ts", "worker.mjs", api.PlatformBrowser, define, ""); err != nil {
		return "", err
	}
	config = filepath.Join(p.dir, "workerd.capnp")
	return config, os.WriteFile(config, fmt.Appendf(nil, workerdConfig, addr), 0o600)
}
