package benchmarks

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// streamLoad is how many streams of a workload are held open at once, each in an
// instance of its own unless the body passes through, and over how many intervals of
// tokens they are opened.
type streamLoad struct{ streams, opening int }

// tokens is how many a stream has: it is open until some time after the last one was
// opened.
func (l streamLoad) tokens() int { return l.opening + l.opening/4 + 3 }

func (l streamLoad) model(delay time.Duration) string {
	return fmt.Sprintf("bench;tokens=%d;delay=%s", l.tokens(), delay)
}

var streamLoads = map[string]streamLoad{"relay": {10_000, 12}, "openai": {5_000, 24}, "aisdk": {1_000, 12}}

// otherFiles are a server's open files besides two connections for each stream.
const otherFiles = 200

// streams holds thousands of streams open at a time, a token each five seconds,
// checks that each arrives complete and in order, and measures the memory that a
// stream adds to the server and how late tokens arrive.
func streams(ctx context.Context, o options, progress io.Writer) (figures map[string]float64, err error) {
	scale, delay := 1, 5*time.Second
	if o.quick {
		scale, delay = 20, time.Second
	}
	files, err := openFiles()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "agentrt-bench-*")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	addr, err := freeAddress()
	if err != nil {
		return nil, err
	}
	models, err := json.Marshal([]string{oneToken, streamLoads["aisdk"].model(delay)})
	if err != nil {
		return nil, err
	}
	env := []string{"MODEL=http://" + addr, "MODELS=" + string(models)}
	project, err := newPeerProject(ctx, filepath.Join(dir, "project"), env, progress)
	if err != nil {
		return nil, err
	}
	model, err := project.startModel(ctx, addr)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, model.stop()) }()
	b := newTokenBench(o, progress)
	defer b.client.CloseIdleConnections()
	for _, w := range workloads {
		load := streamLoads[w.name]
		n := load.streams / scale
		if n == 0 || w.sdk && !project.npm {
			continue
		}
		if able := max(1, (files-otherFiles)/2); n > able {
			fmt.Fprintf(progress, "%s: %d instead of %d streams, because a process may open %d files (ulimit -n)\n", w.name, able, n, files)
			n = able
		}
		for _, name := range append([]string{"agentrt"}, o.against...) {
			if name == "go" && w.name != "relay" {
				continue
			}
			p, err := project.start(ctx, name, progress)
			if err != nil {
				return nil, err
			}
			err = b.hold(ctx, w, p, n, load.model(delay), time.Duration(load.opening)*delay)
			if err != nil {
				return nil, p.failed(fmt.Errorf("%s on %s: %w", w.name, name, err))
			}
			if err := p.stop(); err != nil {
				return nil, err
			}
		}
	}
	return b.figures, nil
}

// hold opens n streams over the time opening and measures while all are open.
func (b *tokenBench) hold(ctx context.Context, w workload, p *peer, n int, model string, opening time.Duration) error {
	if _, err := b.stream(ctx, w, p, oneToken); err != nil { // loads what is loaded once
		return err
	}
	before, err := p.memory()
	if err != nil {
		return err
	}
	all, errs := make([]spent, n), make([]error, n)
	var ended atomic.Int64
	var work sync.WaitGroup
	for k := range n {
		work.Go(func() {
			defer ended.Add(1)
			select {
			case <-time.After(time.Duration(k) * opening / time.Duration(n)):
				if all[k], errs[k] = b.stream(ctx, w, p, model); errs[k] != nil {
					all[k] = spent{}
				}
			case <-ctx.Done():
				errs[k] = ctx.Err()
			}
		})
	}
	time.Sleep(opening + opening/4)
	during, err := p.memory()
	fmt.Fprintf(b.progress, "%s on %s: %d streams opened, %d ended, %.0f MiB\n", w.name, p.name, n, ended.Load(), during/1024)
	work.Wait()
	if err != nil {
		return err
	}
	errs = slices.DeleteFunc(errs, func(err error) bool { return err == nil })
	if len(errs) > 0 {
		fmt.Fprintf(b.progress, "%s on %s: %d of %d streams failed: %v\n", w.name, p.name, len(errs), n, errs[0])
	}
	if len(errs) == n {
		return errs[0]
	}
	all = slices.DeleteFunc(all, func(s spent) bool { return s.tokens == 0 })
	for k := range all {
		if all[k].text != all[0].text {
			return fmt.Errorf("stream %d differs from stream 0:\n%q\n%q", k, all[k].text, all[0].text)
		}
	}
	name := w.name
	if p.name != "agentrt" {
		name += "_" + p.name
	}
	b.figures[name+"_streams"], b.figures[name+"_streams_failed"] = float64(n), float64(len(errs))
	b.figures[name+"_stream_kib"] = (during - before) / float64(n)
	b.figures[name+"_streams_total_mib"] = during / 1024
	if w.timed {
		var late []time.Duration
		for _, s := range all {
			late = append(late, s.late...)
		}
		slices.Sort(late)
		b.figures[name+"_streams_delay_p99_ms"] = milliseconds(late[len(late)*99/100])
	}
	return nil
}

// firstLine shortens what thousands of streams report alike.
func firstLine(err error) error {
	text, rest, more := strings.Cut(err.Error(), "\n")
	if more {
		text += fmt.Sprintf(" (and %d more lines)", strings.Count(rest, "\n")+1)
	}
	return errors.New(text)
}
