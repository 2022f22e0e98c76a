// Package deployment turns a bundle into something that answers: it evaluates
// the bundle once on top of the platform's snapshot, checks what its modules
// export, and lends instances of the result.
//
// The snapshot may hold secrets from the environment: it lives in memory only,
// and a change of the environment makes a new deployment.
package deployment

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/agentrt/agentrt/agentrt/loader"
	"github.com/agentrt/agentrt/agentrt/platform"
	"github.com/agentrt/agentrt/agentrt/pool"
	"github.com/agentrt/agentrt/quickjs"
)

// Names of the two modules in an instance.
const (
	PlatformModule = platform.Name
	AppModule      = loader.ModuleName
)

// Options say how a bundle becomes a deployment.
type Options struct {
	// Platform is the snapshot that has evaluated the platform module.
	Platform *quickjs.Snapshot
	// Env is what user code sees as process.env.
	Env map[string]string
	// Bytecode evaluates a bundle's code, from bytecode if it has some.
	Evaluate func(ctx context.Context, i *quickjs.Instance, bundle *loader.Bundle) error
	// MaxMemory bounds what a route's config may ask for, in bytes.
	MaxMemory uint32
	// Redact takes the values of secrets out of the texts of errors.
	Redact func(string) string
	// Admission is shared by all deployments.
	Admission *pool.Admission
	// Pool configures the instances.
	Pool pool.Config
}

// Deployment is a bundle that answers. It may be used from several goroutines.
type Deployment struct {
	// Version names the bundle: the first 12 hex digits of its SHA-256.
	Version string
	// Loaded is when it was evaluated.
	Loaded time.Time
	// Manifest is the bundle's.
	Manifest loader.Manifest
	// Bundle is what was evaluated.
	Bundle *loader.Bundle
	// Env is what its code sees as process.env.
	Env map[string]string
	// Pool lends its instances.
	Pool *pool.Pool

	router  *loader.Router
	routes  map[string]*Route
	sources *loader.SourceMap
	hooks   []Hook
	crons   []Cron
	workers []Worker
}

// Route is one file below src/routes.
type Route struct {
	// File is its path, for example "routes/chat.ts".
	File string
	// Pattern is the path it answers, for example "/users/{id}".
	Pattern string
	// Config is what it exports as config.
	Config RouteConfig
	// Methods it exports a function for. Any is set if a default export takes all.
	Methods []string
	Any     bool
}

// Allows reports whether the route answers method; GET answers HEAD.
func (r *Route) Allows(method string) bool {
	return r.Any || slices.Contains(r.Methods, method) || method == http.MethodHead && slices.Contains(r.Methods, http.MethodGet)
}

// Allow is the value of the Allow header.
func (r *Route) Allow() string {
	all := slices.Clone(r.Methods)
	if slices.Contains(all, http.MethodGet) && !slices.Contains(all, http.MethodHead) {
		all = append(all, http.MethodHead)
	}
	if !slices.Contains(all, http.MethodOptions) {
		all = append(all, http.MethodOptions)
	}
	return strings.Join(all, ", ")
}

// LoadError reports a bundle that cannot be deployed. Its text is for the
// developer and shows TypeScript positions.
type LoadError struct {
	Problems []string
	Err      error
}

// Error lists the problems, one a line.
func (e *LoadError) Error() string {
	return "the functions cannot be loaded:\n  " + strings.Join(e.Problems, "\n  ")
}

// Unwrap returns the cause, if there is one.
func (e *LoadError) Unwrap() error { return e.Err }

type description struct {
	Routes map[string]struct {
		Methods []string
		Any     bool
		Config  json.RawMessage
		Problem string
	}
	Hooks []struct {
		Event, From string
		Collections []string
		Access      json.RawMessage
	}
	Crons []struct {
		Name, Schedule, Timezone, From string
		Overlap                        bool
		Access                         json.RawMessage
	}
	Workers []struct {
		Topic, From string
		Config      json.RawMessage
	}
	Problems []string
}

// Version names a bundle by the first 12 hex digits of its code's SHA-256.
func Version(bundle *loader.Bundle) string { return bundle.Manifest.SHA256[:12] }

// Load evaluates bundle and warms its pool. The caller closes the deployment.
func Load(ctx context.Context, bundle *loader.Bundle, o Options) (*Deployment, error) {
	router, err := loader.NewRouter(bundle.Manifest.Routes)
	if err != nil {
		return nil, &LoadError{Problems: []string{err.Error()}, Err: err}
	}
	d := &Deployment{
		Version:  Version(bundle),
		Loaded:   time.Now(),
		Manifest: bundle.Manifest,
		Bundle:   bundle,
		Env:      o.Env,
		router:   router,
		routes:   map[string]*Route{},
		sources:  bundle.SourceMap,
	}
	env, err := json.Marshal(map[string]any{"env": o.Env})
	if err != nil {
		return nil, fmt.Errorf("deployment: environment: %w", err)
	}
	var described description
	snapshot, err := o.Platform.Extend(ctx, func(ctx context.Context, i *quickjs.Instance) error {
		if _, err := i.Call(ctx, PlatformModule, "configure", env, nil); err != nil {
			return err
		}
		if err := o.Evaluate(ctx, i, bundle); err != nil {
			return err
		}
		res, err := i.Call(ctx, PlatformModule, "describe", nil, nil)
		if err != nil {
			return err
		}
		return json.Unmarshal(res.Head, &described)
	})
	if err != nil {
		return nil, d.topLevelError(err, o.Redact)
	}
	err = d.takeRoutes(described, o.MaxMemory)
	if err == nil {
		err = d.takeEvents(described)
	}
	if err == nil {
		err = d.takeWorkers(described, o.MaxMemory)
	}
	if err != nil {
		return nil, errors.Join(err, snapshot.Close())
	}
	d.Pool = pool.New(snapshot, o.Admission, o.Pool)
	return d, nil
}

// topLevelError explains an error of evaluating the bundle.
func (d *Deployment) topLevelError(err error, redact func(string) string) error {
	e := &LoadError{Err: err}
	switch js, ok := errors.AsType[*quickjs.JSError](err); {
	case ok && js.Code == "ERR_TOP_LEVEL_IO":
		e.Problems = append(e.Problems, "fetch, timers and other I/O cannot run at the top level of a module: it is evaluated once, when the functions are loaded, before any request. Move the call into a handler.\n"+d.Explain(js))
	case ok:
		e.Problems = append(e.Problems, "an error was thrown while the modules were evaluated:\n"+d.Explain(js))
	case errors.Is(err, quickjs.ErrNotIdle):
		e.Problems = append(e.Problems, "the top level of a module started a timer or I/O and did not end it: move it into a handler")
	default:
		e.Problems = append(e.Problems, err.Error())
	}
	for k, text := range e.Problems {
		e.Problems[k] = redact(text)
	}
	return e
}

func (d *Deployment) takeRoutes(described description, maxMemory uint32) error {
	var problems []string
	for _, r := range d.Manifest.Routes {
		got, ok := described.Routes[r.File]
		if !ok {
			problems = append(problems, fmt.Sprintf("src/%s: the bundle did not mount it: build it again", r.File))
			continue
		}
		if got.Problem != "" {
			problems = append(problems, fmt.Sprintf("src/%s %s", r.File, got.Problem))
			continue
		}
		config, err := parseConfig(got.Config)
		if err == nil && config.Memory > maxMemory {
			err = fmt.Errorf("config.memory: at most %d MiB here (the server's --function-memory)", maxMemory>>20)
		}
		if err != nil {
			problems = append(problems, fmt.Sprintf("src/%s: %v", r.File, err))
			continue
		}
		d.routes[r.File] = &Route{File: r.File, Pattern: r.Pattern, Config: config, Methods: got.Methods, Any: got.Any}
	}
	if problems != nil {
		return &LoadError{Problems: problems}
	}
	return nil
}

// Match finds the route for a path such as "/users/7".
func (d *Deployment) Match(path string) (*Route, loader.Params, bool) {
	r, params, ok := d.router.Match(path)
	if !ok {
		return nil, nil, false
	}
	return d.routes[r.File], params, true
}

// Route returns the route of a file such as "routes/chat.ts".
func (d *Deployment) Route(file string) (*Route, bool) {
	r, ok := d.routes[file]
	return r, ok
}

// Routes returns all routes by file name.
func (d *Deployment) Routes() []*Route {
	return slices.SortedFunc(maps.Values(d.routes), func(a, b *Route) int { return strings.Compare(a.File, b.File) })
}

// Explain shows an error for the developer: name, message, the source line with
// a caret, the stack in TypeScript positions, and the causes likewise.
func (d *Deployment) Explain(e *quickjs.JSError) string {
	var b strings.Builder
	for depth := 0; e != nil; e, depth = e.Cause, depth+1 {
		if depth > 0 {
			b.WriteString("\ncaused by ")
		}
		b.WriteString(e.Error())
		frames := slices.DeleteFunc(d.sources.Frames(e.Stack), func(f loader.Frame) bool { return f.Platform })
		for _, f := range frames {
			if excerpt := d.sources.Excerpt(f); excerpt != "" {
				b.WriteString("\n" + excerpt)
				break
			}
		}
		for _, f := range frames {
			b.WriteString("\n    " + f.String())
		}
	}
	return b.String()
}

// Close refuses further invocations and waits for those that run, as long as ctx
// allows.
func (d *Deployment) Close(ctx context.Context) error { return d.Pool.Close(ctx) }
