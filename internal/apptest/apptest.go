// Package apptest starts a real PocketBase app with agentrt on a loopback port,
// for tests and benchmarks.
package apptest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"

	"github.com/agentrt/agentrt/agentrt"
	"github.com/agentrt/agentrt/internal/sqlitedb"
	"github.com/pocketbase/pocketbase"
	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"
)

// App is a running server.
type App struct {
	*pocketbase.PocketBase
	// Engine is the plugin.
	Engine *agentrt.Engine
	// URL is the server's, without a slash at its end; Functions the prefix of
	// the HTTP routes.
	URL, Functions string

	done chan error
}

// Start runs an app with its data in dir/pb_data and its functions, files by
// path, in dir/pb_serverless. prepare, if not nil, sees the app before it serves.
func Start(dir string, files map[string]string, config agentrt.Config, prepare func(core.App) error) (*App, error) {
	if config.FunctionsDir == "" {
		config.FunctionsDir = filepath.Join(dir, "pb_serverless")
	}
	if err := Write(config.FunctionsDir, files); err != nil {
		return nil, err
	}
	a := &App{
		PocketBase: pocketbase.NewWithConfig(pocketbase.Config{HideStartBanner: true, DefaultDataDir: filepath.Join(dir, "pb_data"), DBConnect: sqlitedb.Connect}),
		done:       make(chan error, 1),
	}
	var err error
	if a.Engine, err = agentrt.Register(a.PocketBase, config); err != nil {
		return nil, err
	}
	if err := a.Bootstrap(); err != nil {
		return nil, err
	}
	if prepare != nil {
		if err := prepare(a.PocketBase); err != nil {
			return nil, err
		}
	}
	started := make(chan struct{})
	a.OnServe().Bind(&hook.Handler[*core.ServeEvent]{Priority: 1000, Func: func(e *core.ServeEvent) (err error) {
		e.InstallerFunc = nil
		if e.Listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
			return err
		}
		a.URL = "http://" + e.Listener.Addr().String()
		a.Functions = a.URL + agentrt.Prefix
		if err := e.Next(); err != nil {
			return errors.Join(err, e.Listener.Close())
		}
		close(started)
		return nil
	}})
	go func() { a.done <- apis.Serve(a.PocketBase, apis.ServeConfig{}) }()
	select {
	case <-started:
		return a, nil
	case err := <-a.done:
		return nil, errors.Join(fmt.Errorf("the app did not start: %w", err), a.terminate())
	}
}

// Write writes files by path below dir.
func Write(dir string, files map[string]string) error {
	for name, text := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// Stop ends the server as SIGTERM does, and releases the data.
func (a *App) Stop() error {
	err := a.terminate()
	if served := <-a.done; served != nil && !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	return err
}

func (a *App) terminate() error {
	event := &core.TerminateEvent{App: a.PocketBase}
	return a.OnTerminate().Trigger(event, func(e *core.TerminateEvent) error { return e.App.ResetBootstrapState() })
}

// Get sends a GET request to a function and returns the response.
func (a *App) Get(ctx context.Context, path string) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, a.Functions+path, nil)
	if err != nil {
		return nil, err
	}
	return http.DefaultClient.Do(req)
}
