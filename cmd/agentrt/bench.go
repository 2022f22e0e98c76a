package main

import (
	"os"

	"github.com/agentrt/agentrt/benchmarks"
	"github.com/spf13/cobra"
)

func benchCommand() *cobra.Command {
	return &cobra.Command{
		Use:                "bench [engine|cold|http|start|tokens|streams] [--json] [--quick] [--against go,node]",
		Short:              "Measures this machine: instances, host calls, memory, requests, streams",
		DisableFlagParsing: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			return benchmarks.Main(cmd.Context(), args, os.Stdout, os.Stderr)
		},
	}
}
