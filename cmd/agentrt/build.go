package main

import (
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/agentrt/agentrt/agentrt"
	"github.com/agentrt/agentrt/agentrt/deployment"
	"github.com/agentrt/agentrt/agentrt/loader"
	"github.com/spf13/cobra"
)

func buildCommand() *cobra.Command {
	var dir, out string
	cmd := &cobra.Command{
		Use:   "build",
		Short: "Bundles the functions into dist, for deploy or for a server without sources",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if out == "" {
				out = filepath.Join(dir, "dist")
			}
			start := time.Now()
			bundle, err := loader.Load(cmd.Context(), dir, agentrt.LoaderOptions())
			if err != nil {
				return err
			}
			if err := bundle.Write(out); err != nil {
				return err
			}
			for _, r := range bundle.Manifest.Routes {
				fmt.Fprintf(os.Stdout, "  %-40s %s\n", r.Pattern, r.File)
			}
			fmt.Fprintf(os.Stdout, "%s: %d KiB, version %s, in %v\n", out, len(bundle.Code)>>10, deployment.Version(bundle), time.Since(start).Round(time.Millisecond))
			return nil
		},
	}
	cmd.Flags().StringVar(&dir, "functions", "pb_serverless", "the folder of the functions")
	cmd.Flags().StringVar(&out, "out", "", "the folder to write (default <functions>/dist)")
	return cmd
}
