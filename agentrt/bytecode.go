package agentrt

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"

	"github.com/agentrt/agentrt/agentrt/deployment"
	"github.com/agentrt/agentrt/agentrt/loader"
	"github.com/agentrt/agentrt/quickjs"
)

// maxBytecode is how many files of bytecode are kept.
const maxBytecode = 16

// largeBundle is the size in bytes above which a bundle is always run from bytecode:
// parser and program together might not fit into the memory of one instance.
const largeBundle = 4 << 20

// evaluate runs bundle from cached bytecode, or from source; bytecode for the
// next time is then made in the background.
func (e *Engine) evaluate(ctx context.Context, i *quickjs.Instance, bundle *loader.Bundle) error {
	path := filepath.Join(e.config.CacheDir, "bytecode", bundle.Manifest.SHA256)
	if code, err := os.ReadFile(path); err == nil {
		err := i.EvalBytecode(ctx, deployment.AppModule, code)
		if !errors.Is(err, quickjs.ErrBytecode) {
			return err
		}
	}
	if len(bundle.Code) > largeBundle {
		code, err := e.compile(path, bundle)
		if code == nil {
			return err
		}
		return i.EvalBytecode(ctx, deployment.AppModule, code)
	}
	e.closing.Go(func() {
		if _, err := e.compile(path, bundle); err != nil {
			e.logger().Warn("bytecode was not kept", "error", err)
		}
	})
	return i.EvalModule(ctx, deployment.AppModule, string(bundle.Code))
}

// compile returns the bytecode of bundle and keeps it at path. With an error of
// keeping it the bytecode is returned too.
func (e *Engine) compile(path string, bundle *loader.Bundle) ([]byte, error) {
	code, err := e.quick.Compile(context.Background(), deployment.AppModule, string(bundle.Code))
	if err != nil {
		return nil, err
	}
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return code, err
	}
	if err := writeFile(path, code); err != nil {
		return code, err
	}
	return code, keepNewest(dir, maxBytecode)
}

// writeFile writes a file that appears complete or not at all.
func writeFile(path string, data []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".tmp-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(data)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// keepNewest removes all but the n entries of dir that were written last.
func keepNewest(dir string, n int) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	var infos []os.FileInfo
	for _, entry := range entries {
		if info, err := entry.Info(); err == nil {
			infos = append(infos, info)
		}
	}
	slices.SortFunc(infos, func(a, b os.FileInfo) int { return b.ModTime().Compare(a.ModTime()) })
	var errs []error
	for _, info := range infos[min(n, len(infos)):] {
		errs = append(errs, os.RemoveAll(filepath.Join(dir, info.Name())))
	}
	return errors.Join(errs...)
}
