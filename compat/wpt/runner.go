package main

import (
	"cmp"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/agentrt/agentrt/hostfn"
	"github.com/agentrt/agentrt/quickjs"
	"github.com/agentrt/agentrt/stream"
)

//go:embed harness.js
var harness string

// fileTimeout bounds one test file.
const fileTimeout = 90 * time.Second

// partial has the files of which only a variant runs, since the whole takes minutes.
var partial = map[string]string{
	"WebCryptoAPI/derive_bits_keys/pbkdf2.https.any.js":        "?1-500",
	"WebCryptoAPI/generateKey/successes_RSA-OAEP.https.any.js": "?1-30",
}

// Subtest is the result of one test of a file.
type Subtest struct {
	Name string `json:"name"`
	// Status is "pass", "fail", "timeout", "notrun" or "precondition" (an
	// optional feature that is missing).
	Status  string `json:"status"`
	Message string `json:"message,omitempty"`
}

// File is the result of one test file; Path is relative to the checkout.
type File struct {
	Path     string    `json:"path"`
	Subtests []Subtest `json:"subtests"`
}

// runner runs test files, each in an instance of its own.
type runner struct {
	root     string
	engine   *quickjs.Engine
	snapshot *quickjs.Snapshot
}

func newRunner(ctx context.Context, checkout, repository string) (*runner, error) {
	r := &runner{root: checkout}
	bundle, err := platform(repository)
	if err != nil {
		return nil, err
	}
	framework, err := r.read("/resources/testharness.js")
	if err != nil {
		return nil, fmt.Errorf("%s is no checkout of web-platform-tests: %w", checkout, err)
	}
	ops := quickjs.NewOps()
	quickjs.Sync(ops, "wpt.read", func(_ context.Context, name string) ([]byte, error) {
		text, err := r.read(name)
		return []byte(text), err
	})
	hostfn.Register(ops)
	r.engine, err = quickjs.New(ctx, quickjs.NewConfig().WithOps(ops).WithCPULimit(fileTimeout))
	if err != nil {
		return nil, err
	}
	r.snapshot, err = r.engine.NewSnapshot(ctx, func(ctx context.Context, i *quickjs.Instance) error {
		if err := i.EvalModule(ctx, "agentrt:platform", bundle); err != nil {
			return err
		}
		if err := i.EvalModule(ctx, "wpt", harness); err != nil {
			return err
		}
		return i.EvalScript(ctx, "/resources/testharness.js", framework)
	})
	if err != nil {
		return nil, errors.Join(err, r.engine.Close(ctx))
	}
	return r, nil
}

func (r *runner) close(ctx context.Context) error {
	return errors.Join(r.snapshot.Close(), r.engine.Close(ctx))
}

// sharedBuffers replaces /common/sab.js, which asks WebAssembly.Memory for the
// constructor because browsers may hide it.
const sharedBuffers = `const createBuffer = (type, length, options) => new globalThis[type](length, options);`

// read returns a file of the checkout by the path under which wptserve has it.
func (r *runner) read(name string) (string, error) {
	switch name = path.Clean("/" + name); name {
	case "/resources/WebIDLParser.js":
		name = "/resources/webidl2/lib/webidl2.js"
	case "/common/sab.js":
		return sharedBuffers, nil
	}
	text, err := os.ReadFile(filepath.Join(r.root, filepath.FromSlash(name)))
	return string(text), err
}

// list returns the *.any.js files below a directory of the checkout, sorted.
func (r *runner) list(directory string) ([]string, error) {
	var files []string
	err := filepath.WalkDir(filepath.Join(r.root, filepath.FromSlash(directory)), func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(name, ".any.js") {
			return err
		}
		rel, err := filepath.Rel(r.root, name)
		files = append(files, filepath.ToSlash(rel))
		return err
	})
	return files, err
}

// run runs files on as many instances as the engine has run slots, at most workers.
func (r *runner) run(ctx context.Context, files []string, workers int) []File {
	results := make([]File, len(files))
	next := make(chan int)
	var wg sync.WaitGroup
	for range max(workers, 1) {
		wg.Go(func() {
			for n := range next {
				results[n] = r.runFile(ctx, files[n])
			}
		})
	}
	for n := range files {
		next <- n
	}
	close(next)
	wg.Wait()
	return results
}

func (r *runner) runFile(ctx context.Context, name string) File {
	f := File{Path: name}
	subtests, err := r.execute(ctx, name)
	if err != nil {
		subtests = append(subtests, Subtest{Name: "(file)", Status: "fail", Message: err.Error()})
	}
	f.Subtests = subtests
	return f
}

type outcome struct {
	Harness string    `json:"harness"`
	Tests   []Subtest `json:"tests"`
}

func (r *runner) execute(ctx context.Context, name string) (subtests []Subtest, err error) {
	ctx, cancel := context.WithTimeout(ctx, fileTimeout)
	defer cancel()
	ctx = hostfn.WithScope(ctx, &hostfn.Scope{Context: ctx, Streams: stream.NewTable(stream.Config{})})
	source, err := r.read("/" + name)
	if err != nil {
		return nil, err
	}
	i, err := r.snapshot.NewInstance(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, i.Close()) }()
	file, err := json.Marshal(map[string]string{"file": "/" + name, "variant": partial[name]})
	if err != nil {
		return nil, err
	}
	if _, err := i.Call(ctx, "wpt", "begin", file, nil); err != nil {
		return nil, err
	}
	for _, script := range scripts(name, source) {
		text, err := r.read(script)
		if err != nil {
			return nil, err
		}
		if err := i.EvalScript(ctx, script, text); err != nil {
			return nil, fmt.Errorf("%s: %w", script, err)
		}
	}
	evaluated := i.EvalScript(ctx, "/"+name, source)
	if _, err := i.Call(ctx, "wpt", "end", nil, nil); err != nil {
		return nil, errors.Join(evaluated, err)
	}
	if err := i.Run(ctx); err != nil {
		return nil, errors.Join(evaluated, err)
	}
	res, err := i.Call(ctx, "wpt", "results", nil, nil)
	if err != nil {
		return nil, errors.Join(evaluated, err)
	}
	var o *outcome
	if err := json.Unmarshal(res.Head, &o); err != nil {
		return nil, errors.Join(evaluated, err)
	}
	if o == nil {
		return nil, cmp.Or(evaluated, errors.New("nothing is pending, but tests have not finished"))
	}
	if o.Harness != "" {
		evaluated = errors.Join(evaluated, errors.New(o.Harness))
	}
	return o.Tests, evaluated
}

// scripts returns the scripts that a test file asks for in META comments.
func scripts(name, source string) []string {
	var list []string
	for line := range strings.Lines(source) {
		meta, ok := strings.CutPrefix(strings.TrimSpace(line), "// META:")
		if !ok {
			if strings.HasPrefix(line, "//") || strings.TrimSpace(line) == "" {
				continue
			}
			break
		}
		script, ok := strings.CutPrefix(strings.TrimSpace(meta), "script=")
		if !ok {
			continue
		}
		if !strings.HasPrefix(script, "/") {
			script = path.Join("/", path.Dir(name), script)
		}
		list = append(list, script)
	}
	return slices.Compact(list)
}
