// Command agentrt measures the engine; the server's commands come with the
// PocketBase plugin.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"

	"github.com/agentrt/agentrt/benchmarks"
)

const usage = `usage: agentrt bench [engine] [--json] [--quick]

  bench   measure this machine: instances, resets, host calls, loading, memory
`

func main() {
	if len(os.Args) < 2 || os.Args[1] != "bench" {
		fmt.Fprint(os.Stderr, usage)
		os.Exit(2)
	}
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt)
	defer cancel()
	if err := benchmarks.Main(ctx, os.Args[2:], os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "agentrt bench:", err)
		os.Exit(1)
	}
}
