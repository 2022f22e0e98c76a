package main

import (
	"os"

	"github.com/agentrt/agentrt/benchmarks"
	"github.com/spf13/cobra"
)

func benchCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "bench [engine|cold|http|start|data|requests|tokens|streams|soak|vector] [--json] [--quick] [--plot FILE]",
		Short: "Measures this machine: instances, host calls, memory, requests, records, jobs, streams, vectors",
		Long: `Without groups engine, cold, http and start are measured. The group data compares records,
hooks and values from JavaScript with the same calls in Go, and counts jobs. The groups requests, tokens and
streams run the same handlers on others (--against go,node,deno,bun,workerd); what is not
on the machine comes from npm, in a pinned version. The group soak puts a server under mixed
load (--for 10m) and looks for what grows. The group vector has flags of its own: --n
vectors, --dim dimensions, --data clustered, offset or isotropic, --backend sqlite (with
sqlite-vec beside it, unless --vec0=false) or postgres (the database --dsn, or a server that
is started for the run, if PostgreSQL with pgvector is installed). --plot draws the figures
as bars into an SVG file.`,
		DisableFlagParsing: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			return benchmarks.Main(cmd.Context(), args, os.Stdout, os.Stderr)
		},
	}
}
