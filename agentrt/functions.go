package agentrt

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"time"

	"github.com/agentrt/agentrt/agentrt/deployment"
	"github.com/agentrt/agentrt/agentrt/loader"
	"github.com/agentrt/agentrt/hostfn/pb"
	"github.com/agentrt/agentrt/polyfill"
)

// firstBundle is what Start evaluates: the current deployment, or else the
// functions folder; nil if there is neither.
func (e *Engine) firstBundle(ctx context.Context) (*loader.Bundle, error) {
	version, err := e.store.current()
	if errors.Is(err, fs.ErrNotExist) {
		return e.fromFolder(ctx)
	}
	if err != nil {
		return nil, fmt.Errorf("agentrt: deployments: %w", err)
	}
	bundle, err := e.store.read(version)
	if err != nil {
		return nil, fmt.Errorf("agentrt: deployment %s: %w", version, err)
	}
	return bundle, nil
}

// fromFolder builds the functions folder, or reads what was built in its dist
// folder if it has no sources; nil if there is neither.
func (e *Engine) fromFolder(ctx context.Context) (*loader.Bundle, error) {
	dir := e.config.FunctionsDir
	for _, candidate := range []struct {
		probe string
		load  func() (*loader.Bundle, error)
	}{
		{filepath.Join(dir, "src"), func() (*loader.Bundle, error) { return loader.Load(ctx, dir, e.loaderOptions()) }},
		{filepath.Join(dir, "dist", "manifest.json"), func() (*loader.Bundle, error) { return loader.Read(filepath.Join(dir, "dist")) }},
		{filepath.Join(dir, "manifest.json"), func() (*loader.Bundle, error) { return loader.Read(dir) }},
	} {
		if _, err := os.Stat(candidate.probe); err == nil {
			return candidate.load()
		}
	}
	return nil, nil
}

func (e *Engine) loaderOptions() loader.Options {
	o := LoaderOptions()
	o.Dev, o.CacheDir = e.config.Dev, filepath.Join(e.config.CacheDir, "bundles")
	return o
}

// LoaderOptions are the options for bundles that this runtime evaluates: Node's
// modules are replaced by its shims.
func LoaderOptions() loader.Options {
	return loader.Options{NodeModules: polyfill.NodeModules(), NodeFS: polyfill.Files}
}

// activate evaluates bundle and makes it the one that answers; on an error the
// former one goes on. keep, if not nil, runs in between: its error stops the
// switch too.
func (e *Engine) activate(ctx context.Context, bundle *loader.Bundle, keep func() error) error {
	e.load.Lock()
	defer e.load.Unlock()
	return e.evaluateAndSwitch(ctx, bundle, keep)
}

// evaluateAndSwitch is activate for callers that hold e.load.
func (e *Engine) evaluateAndSwitch(ctx context.Context, bundle *loader.Bundle, keep func() error) error {
	d, err := e.deployment(ctx, bundle)
	if err != nil {
		return err
	}
	err = e.conflict(d)
	if err == nil && keep != nil {
		err = keep()
	}
	if err != nil {
		return errors.Join(err, d.Close(ctx))
	}
	e.switchTo(d)
	return nil
}

// deployment evaluates bundle.
func (e *Engine) deployment(ctx context.Context, bundle *loader.Bundle) (*deployment.Deployment, error) {
	env, err := e.environment()
	if err != nil {
		return nil, err
	}
	d, err := deployment.Load(pb.WithSecrets(ctx, e.secrets, nil), bundle, deployment.Options{
		Platform:  e.platform,
		Redact:    e.secrets.Redact,
		Env:       env,
		Evaluate:  e.evaluate,
		MaxMemory: e.config.MemoryLimit,
		Admission: e.admission,
		Pool:      e.config.Pool,
	})
	if err != nil {
		return nil, err
	}
	e.closing.Go(func() {
		if err := bundle.SourceMap.Prepare(); err != nil {
			e.logger().Warn("stacks show positions in the bundle", "error", err)
		}
	})
	return d, nil
}

// conflict reports what d brings and Go code or PocketBase has already.
func (e *Engine) conflict(d *deployment.Deployment) error {
	return errors.Join(e.crons.Conflict(d), e.workers.Conflict(d))
}

// switchTo makes d the deployment that answers.
func (e *Engine) switchTo(d *deployment.Deployment) {
	e.logger().Info("functions loaded", "version", d.Version, "routes", len(d.Manifest.Routes))
	e.warnCollections(d)
	old := e.runner.Swap(d)
	e.crons.Switch(d)
	if err := e.workers.Switch(d); err != nil {
		e.logger().Error("the workers of jobs", "version", d.Version, "error", err) // Conflict has looked before
	}
	if old == nil {
		return
	}
	e.closing.Go(func() {
		// Its streams may go on as long as their own limits allow.
		if err := old.Close(context.Background()); err != nil {
			e.logger().Error("closing a former version of the functions", "version", old.Version, "error", err)
		}
	})
}

// warnCollections names hooks on collections that do not exist (yet).
func (e *Engine) warnCollections(d *deployment.Deployment) {
	for _, h := range d.Hooks() {
		for _, name := range h.Collections {
			if name == "*" {
				continue
			}
			if _, err := e.app.FindCachedCollectionByNameOrId(name); err != nil {
				e.logger().Warn("a record hook names a collection that does not exist", "collection", name, "event", h.Event, "version", d.Version)
			}
		}
	}
}

func (e *Engine) environment() (map[string]string, error) {
	env, err := loader.ReadEnv(e.config.FunctionsDir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("agentrt: %w", err)
	}
	if env == nil {
		env = map[string]string{}
	}
	maps.Copy(env, e.config.Env)
	return env, nil
}

// LoadBundle loads the built bundle in the folder path ("dist", which build
// writes) and makes it the one that answers.
func (e *Engine) LoadBundle(path string) error {
	if !e.isStarted() {
		return ErrNotStarted
	}
	bundle, err := loader.Read(path)
	if err != nil {
		return fmt.Errorf("agentrt: %w", err)
	}
	return e.activate(context.Background(), bundle, nil)
}

// Compile bundles one TypeScript module without imports from disk and returns its
// bytecode, which only engines with the same cache directory accept.
func (e *Engine) Compile(source string) ([]byte, error) {
	if !e.isStarted() {
		return nil, ErrNotStarted
	}
	code, err := loader.Transform(source)
	if err != nil {
		return nil, fmt.Errorf("agentrt: %w", err)
	}
	return e.quick.Compile(context.Background(), deployment.AppModule, string(code))
}

func (e *Engine) isStarted() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.started
}

// watch loads the functions again when they change, also if that happened before
// it watched.
func (e *Engine) watch(ctx context.Context, reported error) {
	w, err := loader.Watch(ctx, e.config.FunctionsDir, 100*time.Millisecond, func(w *loader.Watcher) { e.reload(ctx, w, nil) })
	if err != nil {
		e.logger().Error("watching the functions folder", "error", err)
		return
	}
	e.reload(ctx, w, reported)
	<-w.Done()
}

// reload reports an error unless it is the one that was reported before.
func (e *Engine) reload(ctx context.Context, w *loader.Watcher, reported error) {
	bundle, err := e.fromFolder(ctx)
	if follow := w.Follow(inputsOf(bundle, err)...); follow != nil {
		e.logger().Warn("changes of some files are not seen", "error", follow)
	}
	if err == nil && bundle != nil && !e.answers(bundle) {
		err = e.activate(ctx, bundle, nil)
	}
	if err != nil && (reported == nil || err.Error() != reported.Error()) {
		e.report(err)
	}
}

// inputsOf are the files that a bundle was made of, or could not be made of.
func inputsOf(bundle *loader.Bundle, err error) (paths []string) {
	if bundle != nil {
		for _, in := range bundle.Inputs {
			paths = append(paths, in.Path)
		}
	}
	if failed, ok := errors.AsType[*loader.Error](err); ok {
		for _, d := range failed.Diagnostics {
			paths = append(paths, d.File)
		}
	}
	return paths
}

// answers reports whether bundle, with the present environment, answers already.
func (e *Engine) answers(bundle *loader.Bundle) bool {
	d := e.runner.Current()
	env, err := e.environment()
	return err == nil && d != nil && d.Manifest.SHA256 == bundle.Manifest.SHA256 && maps.Equal(d.Env, env)
}

// report shows an error of loading on the terminal, as a compiler would, and
// keeps it in the log.
func (e *Engine) report(err error) {
	fmt.Fprintf(os.Stderr, "%v\n", err)
	if d := e.runner.Current(); d != nil {
		fmt.Fprintf(os.Stderr, "Version %s keeps answering.\n", d.Version)
	}
	e.logger().Error("functions not loaded", "error", err.Error())
}
