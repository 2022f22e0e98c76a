package agentrt

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"slices"

	"github.com/agentrt/agentrt/agentrt/deployment"
	"github.com/agentrt/agentrt/agentrt/platform"
	"github.com/agentrt/agentrt/agentrt/triggers"
	"github.com/agentrt/agentrt/hostfn"
	"github.com/agentrt/agentrt/hostfn/hostmodule"
	"github.com/agentrt/agentrt/hostfn/pb"
	"github.com/agentrt/agentrt/polyfill"
	"github.com/agentrt/agentrt/quickjs"
)

// NewPlatform makes the sandbox without PocketBase: an engine with the host
// operations, and the snapshot that has evaluated the Web platform. Its operations,
// with those of modules, are set here; the rest of config is the caller's. With a cache directory the
// snapshot comes from there the next time. The caller closes both, the snapshot
// first.
func NewPlatform(ctx context.Context, config quickjs.Config, modules ...*hostmodule.Module) (*quickjs.Engine, *quickjs.Snapshot, error) {
	ops := quickjs.NewOps()
	hostfn.Register(ops)
	pb.Register(ops)
	triggers.RegisterHTTP(ops)
	if err := pb.RegisterHost(ops, modules); err != nil {
		return nil, nil, err
	}
	engine, err := quickjs.New(ctx, config.WithOps(ops))
	if err != nil {
		return nil, nil, err
	}
	sources := map[string]fs.FS{"polyfill": polyfill.Files, "hostfn": hostfn.Files, "hostfn/pb": pb.Files, "agentrt/triggers": triggers.Files}
	var snapshot *quickjs.Snapshot
	key, err := digest(sources, modules)
	if err == nil {
		snapshot, err = engine.CachedSnapshot(ctx, key, func(ctx context.Context, i *quickjs.Instance) error {
			code, _, err := platform.Bundle(sources, "agentrt/triggers/entry.ts")
			if err != nil {
				return fmt.Errorf("platform: %w", err)
			}
			return i.EvalModule(ctx, deployment.PlatformModule, string(code))
		})
	}
	if err != nil {
		return nil, nil, errors.Join(err, engine.Close(ctx))
	}
	return engine, snapshot, nil
}

// digest identifies the platform's sources, and what host.ts makes of modules.
func digest(sources map[string]fs.FS, modules []*hostmodule.Module) ([]byte, error) {
	h := sha256.New()
	for _, m := range modules {
		for _, f := range m.Functions {
			fmt.Fprintf(h, "%s.%s %t %v\n", m.Name, f.Name, f.Async, f.Request)
		}
	}
	buf := make([]byte, 16<<10)
	for _, name := range slices.Sorted(maps.Keys(sources)) {
		err := fs.WalkDir(sources[name], ".", func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			f, err := sources[name].Open(path)
			if err != nil {
				return err
			}
			defer f.Close()
			info, err := f.Stat()
			if err != nil {
				return err
			}
			fmt.Fprintf(h, "%s/%s %d\n", name, path, info.Size())
			_, err = io.CopyBuffer(h, f, buf)
			return err
		})
		if err != nil {
			return nil, fmt.Errorf("platform sources: %w", err)
		}
	}
	return h.Sum(nil), nil
}
