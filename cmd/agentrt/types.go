package main

import (
	"fmt"
	"os"

	"github.com/agentrt/agentrt/agentrt"
	"github.com/pocketbase/pocketbase/core"
	"github.com/spf13/cobra"
)

// typesCommand writes TypeScript declarations. engine gives the engine once the
// flags have been read.
func typesCommand(app core.App, engine func() *agentrt.Engine) *cobra.Command {
	var out string
	cmd := &cobra.Command{
		Use:   "types",
		Short: "Writes TypeScript declarations of the functions' globals and of the app's collections",
		Long: `Writes global.d.ts, pocketbase.d.ts and collections.d.ts, which has the records of
the collections in the data folder (--dir) as they are now, so that
pb.collection("posts") is typed by name. "serve --dev" does the same whenever a
collection changes.`,
		Args: cobra.NoArgs, SilenceUsage: true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if out == "" {
				dir, _ := cmd.Flags().GetString("functions")
				if info, err := os.Stat(dir); err != nil || !info.IsDir() {
					return fmt.Errorf("there is no folder %s: name the functions folder with --functions, or any other one with --out", dir)
				}
			}
			if !app.HasTable("_collections") {
				if err := app.RunAllMigrations(); err != nil {
					return err
				}
			}
			return engine().WriteTypes(out)
		},
	}
	cmd.Flags().StringVar(&out, "out", "", "the folder to write to (default: types in the functions folder)")
	return cmd
}
