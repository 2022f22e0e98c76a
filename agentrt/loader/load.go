package loader

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// Options are the options of Load. The zero value bundles for production without
// shims of Node.js modules and without a cache.
type Options struct {
	// Dev defines process.env.NODE_ENV as "development" instead of "production".
	Dev bool
	// Minify removes white space and shortens syntax; names stay.
	Minify bool
	// NodeModules maps a module of Node.js ("fs/promises", without node:) to its shim in NodeFS.
	// Shims may import relative files of NodeFS, and must not have side effects.
	NodeModules map[string]string
	NodeFS      fs.FS
	// CacheDir keeps the last 8 bundles; empty means no cache. What it contains is
	// executed: it must be writable by this user only. It is created if it does not exist.
	CacheDir string
}

// Load bundles the functions folder dir, or returns the cached bundle if none of
// its inputs changed. It fails with an *Error for mistakes in the folder, and with
// an error that wraps fs.ErrNotExist if dir has no src folder. Bundling stops when ctx ends.
func Load(ctx context.Context, dir string, options Options) (*Bundle, error) {
	b, err := load(ctx, dir, options)
	if err != nil {
		return nil, fmt.Errorf("loading functions: %w", err)
	}
	return b, nil
}

func load(ctx context.Context, dir string, options Options) (*Bundle, error) {
	dir, err := realPath(dir)
	if err != nil {
		return nil, err
	}
	files, err := scan(dir)
	if err != nil {
		return nil, err
	}
	var c *cache
	if options.CacheDir != "" {
		if c, err = openCache(dir, options); err != nil {
			return nil, err
		}
		if b := c.find(ctx, files); b != nil {
			return b, nil
		}
	}
	start := time.Now()
	b, err := bundle(ctx, dir, files, options)
	if err != nil {
		return nil, err
	}
	if c != nil {
		if err := c.save(b, files, start); err != nil {
			return nil, err
		}
	}
	return b, nil
}

// realPath resolves symbolic links, so that esbuild's relative paths are short.
func realPath(dir string) (string, error) {
	absolute, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	real, err := filepath.EvalSymlinks(absolute)
	if errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("the folder %s does not exist: %w", absolute, fs.ErrNotExist)
	}
	return real, err
}

func bundle(ctx context.Context, dir string, files *layout, options Options) (*Bundle, error) {
	routes, err := files.routes()
	if err != nil {
		return nil, err
	}
	b := builder{dir: dir, options: options, entry: files.entry(), keep: map[string]bool{}}
	if err := b.readSettings(); err != nil {
		return nil, err
	}
	out, err := b.run(ctx)
	if err != nil {
		return nil, err
	}
	if err := checkSizes(int64(len(out.code)), int64(len(out.sourceMap))); err != nil {
		return nil, err
	}
	inputs, err := collectInputs(ctx, dir, out.meta)
	if err != nil {
		return nil, err
	}
	return &Bundle{
		Code:      out.code,
		SourceMap: NewSourceMap(out.sourceMap),
		Manifest: Manifest{
			Format:          FormatVersion,
			Created:         time.Now().UTC().Truncate(time.Second),
			SHA256:          hash(out.code),
			SourceMapSHA256: hash(out.sourceMap),
			Dev:             options.Dev,
			Routes:          nonNil(routes),
			Hooks:           nonNil(files.files["hooks"]),
			Workers:         nonNil(files.files["workers"]),
			Crons:           nonNil(files.files["crons"]),
			Esbuild:         EsbuildVersion,
			AgentRT:         Version(),
		},
		Inputs:   inputs,
		Warnings: out.warnings,
	}, nil
}

// nonNil makes an empty list an empty JSON array.
func nonNil[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

// readSettings reads the field agentrt of the project's package.json.
func (b *builder) readSettings() error {
	name := filepath.Join(b.projectFolder(), "package.json")
	content, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	} else if err != nil {
		return err
	}
	var settings struct {
		AgentRT struct {
			KeepSideEffects []string `json:"keepSideEffects"`
		} `json:"agentrt"`
	}
	if err := json.Unmarshal(content, &settings); err != nil {
		return fmt.Errorf("%s is malformed: %w", name, err)
	}
	for _, p := range settings.AgentRT.KeepSideEffects {
		if packageName(p) != p {
			return fmt.Errorf("%s: agentrt.keepSideEffects names %q, which is not the name of a package", name, p)
		}
		b.keep[p] = true
	}
	return nil
}
