package main

import (
	"fmt"
	"os"

	"github.com/mattn/go-isatty"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"
)

// installer replaces PocketBase's help for the first superuser unless someone sits at
// a terminal: it starts a browser and prints a link with a token, which would be kept
// in the logs of a service.
func installer(app core.App) {
	app.OnServe().Bind(&hook.Handler[*core.ServeEvent]{Func: func(e *core.ServeEvent) error {
		if !isTerminal(os.Stdout) {
			e.InstallerFunc = func(core.App, *core.Record, string) error {
				fmt.Println("There is no superuser yet. Create the first with: agentrt superuser upsert EMAIL PASSWORD")
				return nil
			}
		}
		return e.Next()
	}})
}

func isTerminal(f *os.File) bool { return isatty.IsTerminal(f.Fd()) || isatty.IsCygwinTerminal(f.Fd()) }
