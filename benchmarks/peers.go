package benchmarks

import (
	"bytes"
	"context"
	"embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/agentrt/agentrt/compat/modelserver"
	"github.com/evanw/esbuild/pkg/api"
)

// peerFiles are the workloads, their npm packages and the server that runs them
// outside of agentrt.
//
//go:embed peers/package.json peers/package-lock.json peers/src/*.ts
var peerFiles embed.FS

// peer is a server process that runs the workloads.
type peer struct {
	name string
	url  string // without the workload's name
	cmd  *exec.Cmd
	log  *strings.Builder // what it wrote to standard error; read it after stop
}

// peerProject is a temporary folder from which peers are started.
type peerProject struct {
	dir string
	npm bool // the npm packages are installed
	env []string
}

// newPeerProject writes the workloads to dir and installs their packages if there
// is npm.
func newPeerProject(ctx context.Context, dir string, env []string, progress io.Writer) (*peerProject, error) {
	files, err := fs.Sub(peerFiles, "peers")
	if err != nil {
		return nil, err
	}
	if err := os.CopyFS(dir, files); err != nil {
		return nil, err
	}
	p := &peerProject{dir: dir, env: env}
	if _, err := exec.LookPath("npm"); err != nil {
		fmt.Fprintln(progress, "there is no npm: only relay and transform are measured, beside a Go proxy")
		return p, nil
	}
	fmt.Fprintln(progress, "npm ci")
	if err := npmInstall(ctx, dir); err != nil {
		return nil, err
	}
	p.npm = true
	return p, p.bundle()
}

const requireInModules = `import { createRequire } from "node:module"; const require = createRequire(import.meta.url);`

// bundle makes serve.mjs, which runs under Node, Deno and Bun.
func (p *peerProject) bundle() error {
	define := map[string]string{"process.env.NODE_ENV": `"production"`}
	return buildPeer(p.dir, "src/serve.ts", "serve.mjs", api.PlatformNode, define, requireInModules)
}

func buildPeer(dir, entry, out string, platform api.Platform, define map[string]string, banner string) error {
	result := api.Build(api.BuildOptions{
		AbsWorkingDir: dir,
		EntryPoints:   []string{entry},
		Outfile:       out,
		Bundle:        true,
		Write:         true,
		Format:        api.FormatESModule,
		Platform:      platform,
		Target:        api.ES2023,
		Define:        define,
		Banner:        map[string]string{"js": banner},
		LogLevel:      api.LogLevelSilent,
	})
	var errs []error
	for _, m := range result.Errors {
		errs = append(errs, errors.New(m.Text))
	}
	return errors.Join(errs...)
}

// startModel runs the model server in a process of its own.
func (p *peerProject) startModel(ctx context.Context, addr string) (*peer, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	return p.run(ctx, "model", addr, []string{self, "bench", "model", addr})
}

// start runs the server called name. A peer that is not on the machine is an
// error that errors.Is finds as exec.ErrNotFound.
func (p *peerProject) start(ctx context.Context, name string, progress io.Writer) (*peer, error) {
	addr, err := freeAddress()
	if err != nil {
		return nil, err
	}
	argv, err := p.command(ctx, name, addr, progress)
	if err != nil {
		return nil, err
	}
	return p.run(ctx, name, addr, argv)
}

func (p *peerProject) run(ctx context.Context, name, addr string, argv []string) (*peer, error) {
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Dir = p.dir
	cmd.Env = append(os.Environ(), p.env...)
	errout := &strings.Builder{}
	cmd.Stderr = errout
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	started := &peer{name: name, url: "http://" + addr + "/api/pb_serverless/", cmd: cmd, log: errout}
	if err := awaitListener(ctx, addr); err != nil {
		return nil, started.failed(fmt.Errorf("%s: %w", name, err))
	}
	return started, nil
}

func (p *peerProject) command(ctx context.Context, name, addr string, progress io.Writer) ([]string, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	switch name {
	case "agentrt":
		if err := p.functions(); err != nil {
			return nil, err
		}
		model := strings.TrimPrefix(p.value("MODEL"), "http://")
		return []string{self, "serve", "--dir", "pb_data", "--functions", "pb_serverless", "--http", addr, "--allow-net", model, "--max-instances", "12000"}, nil
	case "go":
		return []string{self, "bench", "proxy", addr, p.value("MODEL")}, nil
	case "node":
		node := filepath.Join(p.dir, "node_modules", "node-"+runtime.GOOS+"-"+strings.Replace(runtime.GOARCH, "amd64", "x64", 1), "bin", "node")
		if _, err := os.Stat(node); err == nil {
			return []string{node, "serve.mjs", addr}, nil
		}
		node, err := exec.LookPath("node")
		return []string{node, "serve.mjs", addr}, err
	case "deno":
		deno, err := p.runtime(ctx, name, progress)
		return []string{deno, "run", "--allow-all", "serve.mjs", addr}, err
	case "bun":
		bun, err := p.runtime(ctx, name, progress)
		return []string{bun, "serve.mjs", addr}, err
	case "workerd":
		workerd, err := p.runtime(ctx, name, progress)
		if err != nil {
			return nil, err
		}
		config, err := p.worker(addr)
		return []string{workerd, "serve", config}, err
	case "hooks":
		return []string{self, "bench", "hooks", addr, p.dir}, nil
	}
	return nil, fmt.Errorf("unknown peer %q (known: go, node, deno, bun, workerd)", name)
}

// functions writes the folder that agentrt serves.
func (p *peerProject) functions() error {
	names := []string{"routes/relay", "routes/transform", "routes/hello", "routes/fanout", "routes/json", "summarize"}
	if p.npm {
		names = append(names, "routes/openai", "routes/aisdk")
	}
	src := filepath.Join(p.dir, "pb_serverless", "src")
	if err := os.MkdirAll(filepath.Join(src, "routes"), 0o755); err != nil {
		return err
	}
	for _, name := range names {
		code, err := os.ReadFile(filepath.Join(p.dir, "src", path.Base(name)+".ts"))
		if err == nil {
			code = bytes.ReplaceAll(code, []byte(`"./summarize.ts"`), []byte(`"../summarize.ts"`))
			err = os.WriteFile(filepath.Join(src, filepath.FromSlash(name)+".ts"), code, 0o644)
		}
		if err != nil {
			return err
		}
	}
	var env strings.Builder
	for _, pair := range p.env {
		name, value, _ := strings.Cut(pair, "=")
		fmt.Fprintf(&env, "%s='%s'\n", name, value)
	}
	return os.WriteFile(filepath.Join(p.dir, "pb_serverless", ".env"), []byte(env.String()), 0o600)
}

func (p *peerProject) value(name string) string {
	for _, pair := range p.env {
		if rest, ok := strings.CutPrefix(pair, name+"="); ok {
			return rest
		}
	}
	return ""
}

func awaitListener(ctx context.Context, addr string) error {
	ctx, cancel := context.WithTimeoutCause(ctx, 30*time.Second, errors.New("it does not listen after 30 s"))
	defer cancel()
	for {
		conn, err := net.Dial("tcp", addr)
		if err == nil {
			return conn.Close()
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// stop ends the process and waits for it.
func (p *peer) stop() error {
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	err := p.cmd.Wait()
	if _, exited := errors.AsType[*exec.ExitError](err); exited {
		return nil // not every server exits with 0 after SIGTERM
	}
	return err
}

// failed ends the process and adds what it wrote to err.
func (p *peer) failed(err error) error {
	err = errors.Join(err, p.stop())
	if text := strings.TrimSpace(p.log.String()); text != "" {
		err = fmt.Errorf("%w\n%s wrote:\n%s", err, p.name, text)
	}
	return err
}

// memory is the proportional set size in KiB.
func (p *peer) memory() (float64, error) {
	return proportionalSetSize(strconv.Itoa(p.cmd.Process.Pid))
}

// cpu is the time that the process has run so far, on all cores, in steps of 10 ms.
func (p *peer) cpu() (time.Duration, error) { return processTime(strconv.Itoa(p.cmd.Process.Pid)) }

// serveModel is the model server as a process, until ctx ends.
func serveModel(ctx context.Context, addr string) error {
	return listen(ctx, addr, modelserver.New(modelserver.Config{Timestamps: true}))
}

// plainProxy is the floor: it relays chat completions to model and does nothing
// else, until ctx ends.
func plainProxy(ctx context.Context, addr, model string) error {
	target, err := url.Parse(model)
	if err != nil {
		return err
	}
	proxy := &httputil.ReverseProxy{FlushInterval: -1, Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(target)
		r.Out.URL.Path = "/v1/chat/completions"
	}, Transport: &http.Transport{MaxIdleConnsPerHost: 1000}}
	// The transport must not read the body while the response is being written: the
	// server closes it then, which now and then breaks the request.
	handler := func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		proxy.ServeHTTP(w, r)
	}
	return listen(ctx, addr, http.HandlerFunc(handler))
}

func listen(ctx context.Context, addr string, handler http.Handler) error {
	server := &http.Server{Addr: addr, Handler: handler, ReadHeaderTimeout: 10 * time.Second}
	defer context.AfterFunc(ctx, func() { server.Close() })()
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
