// Package benchmarks measures the engine on the machine at hand. It is behind
// "agentrt bench".
package benchmarks

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"runtime"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// Report is what a run prints with --json.
type Report struct {
	Machine Machine            `json:"machine"`
	Figures map[string]float64 `json:"figures"`
}

// Machine names where the figures come from.
type Machine struct {
	OS    string `json:"os"`
	Arch  string `json:"arch"`
	Cores int    `json:"cores"`
	CPU   string `json:"cpu,omitempty"`
	Go    string `json:"go"`
}

func thisMachine() Machine {
	m := Machine{OS: runtime.GOOS, Arch: runtime.GOARCH, Cores: runtime.NumCPU(), Go: runtime.Version()}
	if text, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for line := range strings.Lines(string(text)) {
			if name, ok := strings.CutPrefix(line, "model name"); ok {
				m.CPU = strings.Trim(name, " \t:\n")
				break
			}
		}
	}
	return m
}

// options are what flags set for all groups.
type options struct {
	quick   bool
	against []string
	length  time.Duration // of the group soak
}

// all are the groups by name, but for vector, which has flags of its own.
var all = map[string]func(ctx context.Context, o options, progress io.Writer) (map[string]float64, error){
	"engine":   engine,
	"cold":     cold,
	"data":     data,
	"http":     serving,
	"start":    starting,
	"requests": requests,
	"soak":     soak,
	"streams":  streams,
	"tokens":   tokens,
	"web":      web,
}

// Main runs the groups named in args, all if none is, and prints the figures to
// out and progress to progress.
func Main(ctx context.Context, args []string, out, progress io.Writer) error {
	switch { // processes that groups start
	case len(args) == 3 && args[0] == "proxy":
		return plainProxy(ctx, args[1], args[2])
	case len(args) == 2 && args[0] == "model":
		return serveModel(ctx, args[1])
	case len(args) == 3 && args[0] == "hooks":
		return serveHooks(ctx, args[1], args[2])
	}
	var groups []string
	for len(args) > 0 && !strings.HasPrefix(args[0], "-") {
		groups = append(groups, args[0])
		args = args[1:]
	}
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(progress)
	asJSON := flags.Bool("json", false, "print JSON")
	quick := flags.Bool("quick", false, "fewer rounds")
	against := flags.String("against", "go,node", "peers of the groups requests, tokens, streams and web (node only): go, node, deno, bun, workerd")
	length := flags.Duration("for", 10*time.Minute, "length of the group soak")
	plot := flags.String("plot", "", "write the figures as bars to this SVG file")
	measures := maps.Clone(all)
	measures["vector"] = vectorGroup(flags)
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}
	if len(groups) == 0 {
		groups = []string{"engine", "cold", "http", "start"}
	}
	figures := map[string]float64{}
	for _, g := range groups {
		measure, ok := measures[g]
		if !ok {
			return fmt.Errorf("there is no group %q (groups: %s)", g, strings.Join(slices.Sorted(maps.Keys(measures)), ", "))
		}
		got, err := measure(ctx, options{*quick, strings.FieldsFunc(*against, func(r rune) bool { return r == ',' }), *length}, progress)
		if err != nil {
			return fmt.Errorf("group %s: %w", g, err)
		}
		maps.Copy(figures, got)
	}
	report := Report{Machine: thisMachine(), Figures: figures}
	if *plot != "" {
		if err := os.WriteFile(*plot, plotSVG(report), 0o644); err != nil {
			return err
		}
	}
	if *asJSON {
		enc := json.NewEncoder(out)
		enc.SetIndent("", "  ")
		return enc.Encode(report)
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "%s/%s, %d cores, %s, %s\n", report.Machine.OS, report.Machine.Arch, report.Machine.Cores, report.Machine.CPU, report.Machine.Go)
	names := make([]string, 0, len(figures))
	for name := range figures {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		fmt.Fprintf(w, "%s\t%.3f\n", name, figures[name])
	}
	return w.Flush()
}

// percentiles runs f n times and returns the 50th and 99th percentile.
func percentiles(n int, f func() error) (p50, p99 time.Duration, err error) {
	if n < 100 {
		return 0, 0, errors.New("too few rounds for a 99th percentile")
	}
	all := make([]time.Duration, n)
	for k := range all {
		start := time.Now()
		if err := f(); err != nil {
			return 0, 0, err
		}
		all[k] = time.Since(start)
	}
	slices.Sort(all)
	return all[n/2], all[n*99/100], nil
}

func milliseconds(d time.Duration) float64 { return float64(d) / 1e6 }
func microseconds(d time.Duration) float64 { return float64(d) / 1e3 }
