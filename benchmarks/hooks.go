package benchmarks

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/evanw/esbuild/pkg/api"
	"github.com/pocketbase/pocketbase"
	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/plugins/jsvm"
)

// hooksRoutes are the workloads that PocketBase's own JavaScript can run. Its
// handlers see nothing of the file around them, hence the function within.
const hooksRoutes = `routerAdd("POST", "/api/pb_serverless/json", (e) => {
%s
return e.json(200, summary.summarize(e.requestInfo().body.orders));
});
routerAdd("POST", "/api/pb_serverless/hello", (e) => e.json(200, { hello: "world" }));
`

// serveHooks is PocketBase with the workloads of dir in its JavaScript hooks, until
// ctx ends.
func serveHooks(ctx context.Context, addr, dir string) error {
	code, err := os.ReadFile(filepath.Join(dir, "src", "summarize.ts"))
	if err != nil {
		return err
	}
	built := api.Transform(string(code), api.TransformOptions{Loader: api.LoaderTS, Format: api.FormatIIFE, GlobalName: "summary", Target: api.ES2017})
	if len(built.Errors) > 0 {
		return errors.New(built.Errors[0].Text)
	}
	hooks := filepath.Join(dir, "pb_hooks")
	if err := os.MkdirAll(hooks, 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(hooks, "main.pb.js"), fmt.Appendf(nil, hooksRoutes, built.Code), 0o644); err != nil {
		return err
	}
	app := pocketbase.NewWithConfig(pocketbase.Config{DefaultDataDir: filepath.Join(dir, "hooks_data"), HideStartBanner: true})
	if err := app.Bootstrap(); err != nil {
		return err
	}
	if err := jsvm.Register(app, jsvm.Config{HooksDir: hooks, HooksPoolSize: 15}); err != nil {
		return err
	}
	app.OnServe().BindFunc(func(e *core.ServeEvent) error {
		context.AfterFunc(ctx, func() { e.Server.Close() })
		return e.Next()
	})
	return apis.Serve(app, apis.ServeConfig{HttpAddr: addr})
}
