package main

import (
	"os"

	"github.com/agentrt/agentrt/benchmarks"
	"github.com/spf13/cobra"
)

func benchCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "bench [engine|cold|http|start|tokens|streams|vector] [--json] [--quick]",
		Short: "Measures this machine: instances, host calls, memory, requests, streams, vectors",
		Long: `Without groups engine, cold, http and start are measured. The groups tokens and streams
run the same handlers on others (--against go,node,deno,bun). The group vector has flags
of its own: --n vectors, --dim dimensions, --backend sqlite, --data clustered, offset or
isotropic.`,
		DisableFlagParsing: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			return benchmarks.Main(cmd.Context(), args, os.Stdout, os.Stderr)
		},
	}
}
