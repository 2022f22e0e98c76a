package benchmarks

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/agentrt/agentrt/agentrt"
	"github.com/agentrt/agentrt/agentrt/deployment"
	"github.com/agentrt/agentrt/agentrt/loader"
	"github.com/agentrt/agentrt/examples"
	"github.com/agentrt/agentrt/quickjs"
)

// cold measures a function without a snapshot of its own: the bundle of the
// template chat-fetch is evaluated in a new instance of the platform, from source
// and from bytecode, until its handlers are known.
func cold(ctx context.Context, o options, progress io.Writer) (figures map[string]float64, err error) {
	fmt.Fprintln(progress, "cold function: the template chat-fetch")
	dir, err := os.MkdirTemp("", "agentrt-bench-*")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	if err := examples.Copy("chat-fetch", dir); err != nil {
		return nil, err
	}
	bundle, err := loader.Load(ctx, filepath.Join(dir, "pb_serverless"), agentrt.LoaderOptions())
	if err != nil {
		return nil, err
	}
	engine, platform, err := agentrt.NewPlatform(ctx, quickjs.NewConfig())
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, platform.Close(), engine.Close(context.WithoutCancel(ctx))) }()
	bytecode, err := engine.Compile(ctx, deployment.AppModule, string(bundle.Code))
	if err != nil {
		return nil, err
	}
	rounds := 100
	if o.quick {
		rounds = 20
	}
	figures = map[string]float64{}
	for name, evaluate := range map[string]func(*quickjs.Instance) error{
		"cold_source_ms":   func(i *quickjs.Instance) error { return i.EvalModule(ctx, deployment.AppModule, string(bundle.Code)) },
		"cold_bytecode_ms": func(i *quickjs.Instance) error { return i.EvalBytecode(ctx, deployment.AppModule, bytecode) },
	} {
		var times []time.Duration
		for range rounds {
			start := time.Now()
			i, err := platform.NewInstance(ctx)
			if err != nil {
				return nil, err
			}
			err = evaluate(i)
			if err == nil {
				_, err = i.Call(ctx, deployment.PlatformModule, "describe", nil, nil)
			}
			times = append(times, time.Since(start))
			if err := errors.Join(err, i.Close()); err != nil {
				return nil, err
			}
		}
		figures[name] = milliseconds(median(times))
	}
	return figures, nil
}
