package benchmarks

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/agentrt/agentrt/agentrt"
	"github.com/agentrt/agentrt/hostfn"
	"github.com/agentrt/agentrt/quickjs"
	"github.com/agentrt/agentrt/stream"
	"github.com/evanw/esbuild/pkg/api"
)

// webWork are the names in peers/src/web.ts.
var webWork = []string{
	"url_parse_plain", "url_parse", "utf8_encode_70kb", "utf8_decode_70kb", "base64_encode_100kb", "base64_decode_100kb", "sha256_1mb", "structured_clone_100kb", "multipart_100kb",
}

// webRun does a piece of work n times and gives the CPU time of the whole process,
// which does nothing else.
type webRun func(ctx context.Context, name string, n int) (time.Duration, error)

// web measures Web APIs beside Node: NAME_us and NAME_node_us are CPU time in us an
// operation, NAME_vs_node is the ratio. Both take turns, the least of the rounds
// counts. It needs npm, and Linux for CPU times.
func web(ctx context.Context, o options, progress io.Writer) (figures map[string]float64, err error) {
	if !slices.Contains(o.against, "node") {
		return nil, errors.New("the group web is measured beside node: --against node")
	}
	dir, err := os.MkdirTemp("", "agentrt-bench-web-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	p, err := newPeerProject(ctx, dir, nil, progress)
	if err != nil {
		return nil, err
	}
	ours, closeOurs, err := webHere(ctx, p)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, closeOurs()) }()
	theirs, closeTheirs, err := webNode(ctx, p, progress)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, closeTheirs()) }()
	least, rounds := 300*time.Millisecond, 5
	if o.quick {
		least, rounds = 100*time.Millisecond, 2
	}
	figures = map[string]float64{}
	for _, name := range webWork {
		fmt.Fprintln(progress, name)
		a, err := newSeries(ctx, ours, name, least)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		b, err := newSeries(ctx, theirs, name, least)
		if err != nil {
			return nil, fmt.Errorf("%s in Node: %w", name, err)
		}
		for range rounds {
			if err := errors.Join(a.round(ctx), b.round(ctx)); err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
		}
		figures["web_"+name+"_us"], figures["web_"+name+"_node_us"] = a.best, b.best
		figures["web_"+name+"_vs_node"] = a.best / b.best
	}
	return figures, nil
}

// series is one piece of work in one place.
type series struct {
	run  webRun
	name string
	n    int
	best float64 // us an operation
}

// newSeries finds how often the work has to be done to take at least that long,
// which also lets compilers warm up.
func newSeries(ctx context.Context, run webRun, name string, least time.Duration) (*series, error) {
	s := &series{run: run, name: name, n: 1}
	for {
		took, err := run(ctx, name, s.n)
		if err != nil || took >= least {
			return s, err
		}
		s.n *= 2
	}
}

func (s *series) round(ctx context.Context) error {
	took, err := s.run(ctx, s.name, s.n)
	if us := microseconds(took) / float64(s.n); s.best == 0 || us < s.best {
		s.best = us
	}
	return err
}

// webHere runs the work in an instance in this process.
func webHere(ctx context.Context, p *peerProject) (webRun, func() error, error) {
	if err := buildPeer(p.dir, "src/web.ts", "web.js", api.PlatformBrowser, nil, ""); err != nil {
		return nil, nil, err
	}
	code, err := os.ReadFile(filepath.Join(p.dir, "web.js"))
	if err != nil {
		return nil, nil, err
	}
	engine, platform, err := agentrt.NewPlatform(ctx, quickjs.NewConfig().WithCPULimit(10*time.Minute))
	if err != nil {
		return nil, nil, err
	}
	closeAll := func() error { return errors.Join(platform.Close(), engine.Close(context.WithoutCancel(ctx))) }
	snapshot, err := platform.Extend(ctx, func(ctx context.Context, i *quickjs.Instance) error {
		return i.EvalModule(ctx, "web.js", string(code))
	})
	if err != nil {
		return nil, nil, errors.Join(err, closeAll())
	}
	return func(ctx context.Context, name string, n int) (took time.Duration, err error) {
		i, err := snapshot.NewInstance(ctx)
		if err != nil {
			return 0, err
		}
		defer func() { err = errors.Join(err, i.Close()) }()
		table := stream.NewTable(stream.Config{})
		defer table.Close()
		ctx = hostfn.WithScope(ctx, &hostfn.Scope{Context: ctx, Streams: table})
		head, err := json.Marshal(map[string]any{"name": name, "n": n})
		if err != nil {
			return 0, err
		}
		return cpuTaken("self", func() error {
			_, err := i.Call(ctx, "web.js", "run", head, nil)
			return err
		})
	}, func() error { return errors.Join(snapshot.Close(), closeAll()) }, nil
}

// webNode runs the work in a Node process.
func webNode(ctx context.Context, p *peerProject, progress io.Writer) (webRun, func() error, error) {
	if err := buildPeer(p.dir, "src/web.ts", "web.mjs", api.PlatformNode, nil, requireInModules); err != nil {
		return nil, nil, err
	}
	argv, err := p.command(ctx, "node", "", progress)
	if err != nil {
		return nil, nil, err
	}
	cmd := exec.CommandContext(ctx, argv[0], "web.mjs")
	cmd.Dir = p.dir
	cmd.Stderr = progress
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, nil, err
	}
	answers := bufio.NewReader(out)
	return func(_ context.Context, name string, n int) (time.Duration, error) {
			return cpuTaken(strconv.Itoa(cmd.Process.Pid), func() error {
				if _, err := fmt.Fprintf(in, "%s %d\n", name, n); err != nil {
					return err
				}
				_, err := answers.ReadString('\n')
				return err
			})
		}, func() error {
			_ = in.Close()
			return cmd.Wait()
		}, nil
}

func cpuTaken(pid string, f func() error) (time.Duration, error) {
	before, err := processTime(pid)
	if err != nil {
		return 0, err
	}
	if err := f(); err != nil {
		return 0, err
	}
	after, err := processTime(pid)
	return after - before, err
}

// processTime is the time that a process has run so far, on all cores, in steps of 10 ms.
func processTime(pid string) (time.Duration, error) {
	text, err := os.ReadFile("/proc/" + pid + "/stat")
	if err != nil {
		return 0, fmt.Errorf("CPU time can be read on Linux only: %w", err)
	}
	_, rest, _ := strings.Cut(string(text), ") ")
	fields := strings.Fields(rest)
	if len(fields) < 13 {
		return 0, fmt.Errorf("/proc/%s/stat: %q", pid, text)
	}
	user, err := strconv.Atoi(fields[11])
	if err != nil {
		return 0, err
	}
	system, err := strconv.Atoi(fields[12])
	return time.Duration(user+system) * 10 * time.Millisecond, err
}
