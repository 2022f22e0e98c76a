package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/agentrt/agentrt/agentrt"
	"github.com/agentrt/agentrt/compat/modelserver"
	"github.com/agentrt/agentrt/examples"
	"github.com/agentrt/agentrt/internal/sqlitedb"
	"github.com/pocketbase/pocketbase"
	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"
	"github.com/spf13/cobra"
)

func demoCommand() *cobra.Command {
	var addr string
	var npm bool
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Serves a streaming chat endpoint with temporary data; needs no API key",
		Long: `Serves the templates hello, chat-fetch and rag with temporary data and a small built-in
model server. With npm on the machine it also installs the Vercel AI SDK in the
background and then switches /chat to it (template chat).

With OPENAI_API_KEY (and OPENAI_BASE_URL, OPENAI_MODEL) in the environment the
answers come from that provider.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return demo(cmd.Context(), addr, npm, cmd.OutOrStdout())
		},
	}
	cmd.Flags().StringVar(&addr, "http", "127.0.0.1:8090", "the address to listen at")
	cmd.Flags().BoolVar(&npm, "npm", true, "install the AI SDK if npm is there")
	return cmd
}

func demo(ctx context.Context, addr string, npm bool, out io.Writer) (err error) {
	dir, err := os.MkdirTemp("", "agentrt-demo-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	for _, template := range []string{"hello", "chat-fetch", "rag"} {
		if err := examples.Copy(template, dir); err != nil {
			return err
		}
	}
	config := agentrt.Config{FunctionsDir: filepath.Join(dir, "pb_serverless"), Env: providerEnv(), Dev: true, Watch: true}
	if cache, err := os.UserCacheDir(); err == nil {
		config.CacheDir = filepath.Join(cache, "agentrt")
	}
	if config.Env == nil {
		model, err := startModel(ctx)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, model.stop()) }()
		config.Env = map[string]string{"OPENAI_BASE_URL": model.url, "OPENAI_API_KEY": "no-key-needed"}
		config.AllowNet = []string{model.addr}
	}
	app := pocketbase.NewWithConfig(pocketbase.Config{HideStartBanner: true, DefaultDataDir: filepath.Join(dir, "pb_data"), DBConnect: sqlitedb.Connect})
	engine, err := agentrt.Register(app, config)
	if err != nil {
		return err
	}
	engine.Prepare()
	if err := app.Bootstrap(); err != nil {
		return err
	}
	if err := importRAG(app, dir); err != nil {
		return err
	}
	app.OnServe().Bind(&hook.Handler[*core.ServeEvent]{Priority: 1000, Func: func(e *core.ServeEvent) error {
		e.InstallerFunc = nil
		listener, err := net.Listen("tcp", addr)
		if err != nil {
			return err
		}
		e.Listener = listener
		if err := e.Next(); err != nil {
			return errors.Join(err, listener.Close())
		}
		if err := fillRAG(app); err != nil {
			return errors.Join(err, listener.Close())
		}
		introduce(out, "http://"+listener.Addr().String(), config.Env["OPENAI_BASE_URL"])
		return nil
	}})
	ctx, cancel := context.WithCancel(ctx)
	installed := make(chan struct{})
	go func() {
		defer close(installed)
		if npm {
			installSDK(ctx, engine, dir, out)
		}
	}()
	stopped := make(chan error, 1)
	go func() {
		<-ctx.Done()
		event := &core.TerminateEvent{App: app}
		stopped <- app.OnTerminate().Trigger(event, func(e *core.TerminateEvent) error { return e.App.ResetBootstrapState() })
	}()
	err = apis.Serve(app, apis.ServeConfig{HttpAddr: addr})
	cancel()
	<-installed
	if errors.Is(err, http.ErrServerClosed) {
		err = nil
	}
	return errors.Join(err, <-stopped)
}

// providerEnv is the environment of a real provider, nil without a key.
func providerEnv() map[string]string {
	if os.Getenv("OPENAI_API_KEY") == "" {
		return nil
	}
	env := map[string]string{"OPENAI_BASE_URL": "https://api.openai.com/v1"}
	for _, name := range []string{"OPENAI_API_KEY", "OPENAI_BASE_URL", "OPENAI_MODEL"} {
		if v := os.Getenv(name); v != "" {
			env[name] = v
		}
	}
	return env
}

type model struct {
	addr, url string
	server    *http.Server
	done      chan error
}

// startModel serves the built-in model on a free loopback port.
func startModel(ctx context.Context) (*model, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	addr := listener.Addr().String()
	m := &model{addr: addr, url: "http://" + addr + "/v1", done: make(chan error, 1)}
	m.server = &http.Server{
		Handler:           modelserver.New(modelserver.Config{Delay: 30 * time.Millisecond}),
		ReadHeaderTimeout: 10 * time.Second,
		BaseContext:       func(net.Listener) context.Context { return ctx },
	}
	go func() { m.done <- m.server.Serve(listener) }()
	return m, nil
}

func (m *model) stop() error {
	err := m.server.Close()
	if served := <-m.done; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	return err
}

func introduce(out io.Writer, url, provider string) {
	fmt.Fprintf(out, `agentrt demo at %[1]s (answers come from %[2]s; Ctrl+C stops it)

  curl '%[1]s/api/pb_serverless/hello?name=you'

  curl -N '%[1]s/api/pb_serverless/chat' -H 'content-type: application/json' \
    -d '{"messages":[{"role":"user","content":"What is 6 times 7?"}]}'

Questions to documents (template rag): ann@example.com sees those of the team Alpha,
bob@example.com those of Beta, both with the password %[3]s.

  TOKEN=$(curl -s '%[1]s/api/collections/users/auth-with-password' \
    -d identity=ann@example.com -d password=%[3]s | sed 's/.*"token":"\([^"]*\)".*/\1/')
  curl -N '%[1]s/api/pb_serverless/rag/chat' -H "authorization: $TOKEN" -H 'content-type: application/json' \
    -d '{"messages":[{"role":"user","content":"How many days of vacation are there?"}]}'

`, url, provider, demoPassword)
}

// installSDK adds the template chat, which uses npm packages, and lets it take
// the place of chat-fetch. A machine without npm or network keeps chat-fetch.
func installSDK(ctx context.Context, engine *agentrt.Engine, dir string, out io.Writer) {
	if _, err := exec.LookPath("npm"); err != nil {
		return
	}
	staging := filepath.Join(dir, "chat")
	err := examples.Copy("chat", staging)
	if err == nil {
		install := exec.CommandContext(ctx, "npm", "install", "--no-audit", "--no-fund", "--loglevel=error")
		install.Dir = staging
		err = install.Run()
	}
	if err == nil {
		err = os.Rename(filepath.Join(staging, "node_modules"), filepath.Join(dir, "node_modules"))
	}
	var code []byte
	if err == nil {
		code, err = fs.ReadFile(os.DirFS(staging), "pb_serverless/src/routes/chat.ts")
	}
	if err == nil {
		before, _, _ := engine.Current()
		err = os.WriteFile(filepath.Join(dir, "pb_serverless", "src", "routes", "chat.ts"), code, 0o644)
		if err == nil {
			err = nextVersion(ctx, engine, before)
		}
	}
	switch {
	case ctx.Err() != nil:
	case err != nil:
		fmt.Fprintf(out, "The AI SDK was not installed (%v): /chat stays on fetch.\n", err)
	default:
		fmt.Fprintln(out, "The AI SDK is installed: /chat uses it now (template chat).")
	}
}

// nextVersion waits until the engine has loaded another version than before.
func nextVersion(ctx context.Context, engine *agentrt.Engine, before string) error {
	ctx, cancel := context.WithTimeoutCause(ctx, time.Minute, errors.New("the functions were not loaded"))
	defer cancel()
	for {
		if version, _, ok := engine.Current(); ok && version != before {
			return nil
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(50 * time.Millisecond):
		}
	}
}
