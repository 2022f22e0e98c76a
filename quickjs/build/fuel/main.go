// Command fuel makes a WebAssembly module interruptible: it inserts a countdown
// at every loop header, and the host function agentrt.tick is called each time
// the countdown ends. See Rewrite for what it inserts and what the input must
// look like.
//
//	fuel -in a.wasm -out b.wasm
//
// The same input always gives the same output. It reports what it changed on
// standard error, and writes nothing when the module cannot be rewritten.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
)

func main() {
	err := run(os.Args[1:], os.Stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
	case err != nil:
		fmt.Fprintln(os.Stderr, "fuel:", err)
		os.Exit(1)
	}
}

func run(args []string, stderr io.Writer) error {
	flags := flag.NewFlagSet("fuel", flag.ContinueOnError)
	flags.SetOutput(stderr)
	in := flags.String("in", "", "module to read")
	out := flags.String("out", "", "module to write")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *in == "" || *out == "" || flags.NArg() > 0 {
		return errors.New("usage: fuel -in a.wasm -out b.wasm")
	}
	module, err := os.ReadFile(*in)
	if err != nil {
		return err
	}
	rewritten, stats, err := Rewrite(module, Options{Module: "agentrt", Tick: "tick", Fuel: "fuel"})
	if err != nil {
		return fmt.Errorf("%s: %w", *in, err)
	}
	if err := os.WriteFile(*out, rewritten, 0o644); err != nil {
		return err
	}
	_, err = fmt.Fprintf(stderr, "fuel: %d countdowns in %d of %d functions, %d -> %d bytes\n",
		stats.Counted, stats.Rewritten, stats.Functions, len(module), len(rewritten))
	return err
}
