// Command agentrt is PocketBase with sandboxed TypeScript functions: its own
// commands (serve, superuser, migrate) and demo, build, deploy, secrets, jobs, vectors,
// types and bench.
package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"syscall"

	"github.com/agentrt/agentrt/agentrt"
	"github.com/agentrt/agentrt/internal/sqlitedb"
	"github.com/agentrt/agentrt/quickjs"
	"github.com/pocketbase/pocketbase"
	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/plugins/migratecmd"
	"github.com/pocketbase/pocketbase/tools/hook"
	"github.com/spf13/cobra"
)

// dataDir is PocketBase's data directory by default.
const dataDir = "pb_data"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "Error:", err)
		os.Exit(1)
	}
}

// standalone are the commands that need no PocketBase data directory.
func standalone() []*cobra.Command {
	return []*cobra.Command{demoCommand(), buildCommand(), deployCommand(), compatCommand(), benchCommand()}
}

func run(ctx context.Context, args []string) error {
	if len(args) > 0 && slices.ContainsFunc(standalone(), func(c *cobra.Command) bool { return c.Name() == args[0] }) {
		root := &cobra.Command{Use: "agentrt", SilenceUsage: true, SilenceErrors: true}
		root.AddCommand(standalone()...)
		root.SetArgs(args)
		return root.ExecuteContext(ctx)
	}
	if len(args) > 1 && args[0] == "secrets" && args[1] == "keygen" {
		root := secretsCommand(nil) // makes no data folder
		root.SetArgs(args[1:])
		return root.ExecuteContext(ctx)
	}
	return server()
}

// server runs PocketBase's own commands.
func server() error {
	preload := preloaded(os.Args[1:])
	defer func() { _ = preload.Close(context.Background()) }() // nothing is left of it once the app has started
	app := pocketbase.NewWithConfig(pocketbase.Config{DefaultDataDir: dataDir, DBConnect: sqlitedb.Connect})
	config := serveFlags(app.RootCmd)
	app.RootCmd.AddCommand(standalone()...)
	var engine *agentrt.Engine
	var failed error
	current := func() *agentrt.Engine { return engine }
	vectors := vectorsCommand(app)
	vectors.AddCommand(backfillCommand(current))
	for _, cmd := range []*cobra.Command{secretsCommand(app), jobsCommand(app), vectors, typesCommand(app, current)} {
		keepError(cmd, &failed)
		app.RootCmd.AddCommand(cmd)
	}
	help := slices.Contains(os.Args, "--help") || slices.Contains(os.Args, "-h") // an error until a command answers it
	if err := app.RootCmd.ParseFlags(os.Args[1:]); err != nil && !help {
		return err
	}
	config.Watch, config.Preload = app.IsDev(), preload
	var err error
	if engine, err = agentrt.Register(app, *config); err != nil {
		return err
	}
	if !help && slices.Contains(os.Args[1:], "serve") {
		engine.Prepare()
	}
	migratecmd.MustRegister(app, app.RootCmd, migratecmd.Config{TemplateLang: migratecmd.TemplateLangGo})
	serveStatic(app)
	installer(app)
	return cmp.Or(app.Start(), failed)
}

// preloaded begins to load the sandbox if args are of a server: PocketBase knows its
// flags only later.
func preloaded(args []string) *quickjs.Preload {
	if !slices.Contains(args, "serve") {
		return nil
	}
	early := &cobra.Command{}
	config := serveFlags(early)
	flags := early.PersistentFlags()
	dir := flags.String("dir", dataDir, "")
	flags.ParseErrorsAllowlist.UnknownFlags = true
	flags.SetOutput(io.Discard)
	if err := flags.Parse(args); err != nil {
		return nil
	}
	return agentrt.Preload(*dir, *config)
}

// keepError keeps the error of cmd, or of a command below it, which PocketBase
// would drop.
func keepError(cmd *cobra.Command, failed *error) {
	if run := cmd.RunE; run != nil {
		cmd.SilenceErrors = true
		cmd.RunE = func(cmd *cobra.Command, args []string) error {
			*failed = run(cmd, args)
			return *failed
		}
	}
	for _, below := range cmd.Commands() {
		keepError(below, failed)
	}
}

func serveFlags(cmd *cobra.Command) *agentrt.Config {
	c, flags := new(agentrt.Config), cmd.PersistentFlags()
	flags.StringVar(&c.FunctionsDir, "functions", "pb_serverless", "the folder of the functions")
	flags.StringSliceVar(&c.AllowNet, "allow-net", nil, "private addresses that functions may reach (host, host:port or CIDR; repeatable)")
	flags.StringSliceVar(&c.DenyNet, "deny-net", nil, "hosts that functions must not reach")
	flags.Uint32Var(&c.MemoryLimit, "function-memory", 128<<20, "bytes of memory of one invocation")
	flags.IntVar(&c.MaxInstances, "max-instances", 0, "invocations at a time (default from the available memory)")
	return c
}

// serveStatic serves ./pb_public, as PocketBase's own executable does.
func serveStatic(app core.App) {
	app.OnServe().Bind(&hook.Handler[*core.ServeEvent]{
		Func: func(e *core.ServeEvent) error {
			if info, err := os.Stat("pb_public"); err == nil && info.IsDir() && !e.Router.HasRoute("GET", "/{path...}") {
				e.Router.GET("/{path...}", apis.Static(os.DirFS("pb_public"), true))
			}
			return e.Next()
		},
		Priority: 999,
	})
}
