// Command test262 runs ECMAScript's conformance suite through the engine:
//
//	go run ./quickjs/internal/test262 CHECKOUT [PREFIX...]
//
// CHECKOUT is a copy of https://github.com/tc39/test262; PREFIX limits the run,
// for example test/language/expressions. It prints a line per failure and the
// counts by folder.
package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/agentrt/agentrt/quickjs"
)

type test struct {
	path, source    string
	includes, flags []string
	negative        string
}

var (
	frontmatter = regexp.MustCompile(`(?s)/\*---(.*?)---\*/`)
	listField   = regexp.MustCompile(`(?m)^(includes|flags|features):\s*\[([^\]]*)\]`)
	blockField  = regexp.MustCompile(`(?m)^(includes|features):\s*\n((?:\s+-\s*.*\n?)+)`)
	typeField   = regexp.MustCompile(`(?m)^\s+type:\s*(\w+)`)
)

// lineEnds makes the line ends of tests about line ends readable.
var lineEnds = strings.NewReplacer("\r\n", "\n", "\r", "\n")

// unsupported names what a test asks of the host that the engine does not have.
var unsupported = regexp.MustCompile(`\$262\.(agent|createRealm|IsHTMLDDA|AbstractModuleSource)|CanBlockIsFalse|import defer|import source|ShadowRealm|Temporal|Intl\b|tail-call-optimization|decorators|Atomics\.(wait|pause)`)

func parse(path, source string) (t test, skip bool) {
	t = test{path: path, source: source}
	m := frontmatter.FindStringSubmatch(source)
	if m == nil {
		return t, true
	}
	m[1] = lineEnds.Replace(m[1])
	for _, f := range listField.FindAllStringSubmatch(m[1], -1) {
		t.add(f[1], strings.Split(f[2], ","))
	}
	for _, f := range blockField.FindAllStringSubmatch(m[1], -1) {
		t.add(f[1], strings.Split(strings.ReplaceAll(f[2], "-", ""), "\n"))
	}
	if strings.Contains(m[1], "negative:") {
		if n := typeField.FindStringSubmatch(m[1]); n != nil {
			t.negative = n[1]
		}
	}
	return t, unsupported.MatchString(source)
}

func (t *test) add(field string, values []string) {
	for _, v := range values {
		if v = strings.TrimSpace(v); v == "" {
			continue
		}
		switch field {
		case "includes":
			t.includes = append(t.includes, v)
		case "flags":
			t.flags = append(t.flags, v)
		}
	}
}

type resolver struct{ root string }

func (resolver) Resolve(_ context.Context, base, name string) (string, error) {
	return filepath.Join(filepath.Dir(base), name), nil
}

func (r resolver) Load(_ context.Context, name, kind string) (quickjs.Module, error) {
	source, err := os.ReadFile(filepath.Join(r.root, name))
	return quickjs.Module{Type: kind, Source: source}, err
}

type runner struct {
	root    string
	harness map[string]string
	base    *quickjs.Snapshot
}

// output is the context key of what a test prints, a *strings.Builder.
type output struct{}

// timeLimit bounds one test in one mode, running and waiting.
const timeLimit = 30 * time.Second

func (r *runner) run(ctx context.Context, t test) error {
	modes := []string{""}
	switch {
	case slices.Contains(t.flags, "module"):
		modes = []string{"module"}
	case slices.Contains(t.flags, "onlyStrict"):
		modes = []string{"\"use strict\";\n"}
	case !slices.Contains(t.flags, "noStrict") && !slices.Contains(t.flags, "raw"):
		modes = append(modes, "\"use strict\";\n")
	}
	for _, mode := range modes {
		if err := r.runMode(ctx, t, mode); err != nil {
			return err
		}
	}
	return nil
}

func (r *runner) runMode(ctx context.Context, t test, mode string) error {
	var printed strings.Builder
	ctx, cancel := context.WithTimeout(context.WithValue(ctx, output{}, &printed), timeLimit)
	defer cancel()
	i, err := r.base.NewInstance(ctx)
	if err != nil {
		return err
	}
	defer i.Close()
	async := slices.Contains(t.flags, "async")
	if !slices.Contains(t.flags, "raw") {
		includes := t.includes
		if async {
			includes = append(slices.Clone(includes), "doneprintHandle.js")
		}
		for _, name := range includes {
			if err := i.EvalScript(ctx, name, r.harness[name]); err != nil {
				return fmt.Errorf("harness %s: %w", name, err)
			}
		}
	}
	if mode == "module" {
		err = i.EvalModule(ctx, t.path, t.source)
	} else {
		source := mode + t.source
		if t.negative == "" {
			source += "\n;undefined;" // EvalScript awaits a promise as the script's value
		}
		err = i.EvalScript(ctx, t.path, source)
	}
	if t.negative != "" {
		js, ok := errors.AsType[*quickjs.JSError](err)
		if !ok || js.Name != t.negative {
			return fmt.Errorf("%v, want %s", err, t.negative)
		}
		return nil
	}
	if err != nil || !async {
		return err
	}
	if err := i.Run(ctx); err != nil {
		return err
	}
	if out := printed.String(); !strings.Contains(out, "Test262:AsyncTestComplete") {
		return fmt.Errorf("asynchronous test ended with %q", out)
	}
	return nil
}

const host = `
globalThis.print = (text) => __host.log(1, String(text));
globalThis.$262 = { global: globalThis, gc() {}, evalScript: (text) => (0, eval)(text),
  detachArrayBuffer: (b) => { b.transfer(); } };
for (const name of ["AsyncLocalStorage"]) delete globalThis[name];`

func (r *runner) prepare(ctx context.Context, i *quickjs.Instance) error {
	for _, script := range []string{host, r.harness["assert.js"], r.harness["sta.js"]} {
		if err := i.EvalScript(ctx, "harness.js", script); err != nil {
			return err
		}
	}
	return nil
}

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: test262 CHECKOUT [PREFIX...]")
		os.Exit(2)
	}
	if err := run(context.Background(), os.Args[1], os.Args[2:]); err != nil {
		fmt.Fprintln(os.Stderr, "test262:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, root string, prefixes []string) (err error) {
	if len(prefixes) == 0 {
		prefixes = []string{"test/language", "test/built-ins"}
	}
	r := &runner{root: root, harness: map[string]string{}}
	entries, err := filepath.Glob(filepath.Join(root, "harness", "*.js"))
	if err != nil {
		return err
	}
	for _, path := range entries {
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		r.harness[filepath.Base(path)] = string(text)
	}
	e, err := quickjs.New(ctx, quickjs.NewConfig().WithCPULimit(timeLimit).WithResolver(resolver{root}).
		WithConsole(func(ctx context.Context, _ quickjs.Level, s string) {
			if b, ok := ctx.Value(output{}).(*strings.Builder); ok {
				b.WriteString(s + "\n")
			}
		}))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, e.Close(ctx)) }()
	if r.base, err = e.NewSnapshot(ctx, r.prepare); err != nil {
		return err
	}
	defer r.base.Close()

	tests := make(chan test)
	var mu sync.Mutex
	type count struct{ pass, fail, skip int }
	counts := map[string]*count{}
	folder := func(path string) *count {
		parts := strings.Split(path, "/")
		key := strings.Join(parts[:min(3, len(parts)-1)], "/")
		if counts[key] == nil {
			counts[key] = new(count)
		}
		return counts[key]
	}
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for t := range tests {
				err := r.run(ctx, t)
				mu.Lock()
				if c := folder(t.path); err != nil {
					c.fail++
					fmt.Printf("FAIL %s: %s\n", t.path, strings.SplitN(err.Error(), "\n", 2)[0])
				} else {
					c.pass++
				}
				mu.Unlock()
			}
		})
	}
	for _, prefix := range prefixes {
		err = errors.Join(err, filepath.WalkDir(filepath.Join(root, prefix), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(path, ".js") || strings.Contains(path, "_FIXTURE") {
				return err
			}
			text, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			name, err := filepath.Rel(root, path)
			if err != nil {
				return err
			}
			t, skip := parse(filepath.ToSlash(name), string(text))
			if skip {
				mu.Lock()
				folder(t.path).skip++
				mu.Unlock()
				return nil
			}
			tests <- t
			return nil
		}))
	}
	close(tests)
	wg.Wait()
	var total count
	keys := make([]string, 0, len(counts))
	for key := range counts {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	for _, key := range keys {
		c := counts[key]
		total.pass, total.fail, total.skip = total.pass+c.pass, total.fail+c.fail, total.skip+c.skip
		fmt.Printf("%-40s pass %5d  fail %4d  skip %5d\n", key, c.pass, c.fail, c.skip)
	}
	fmt.Printf("total: pass %d, fail %d, skip %d\n", total.pass, total.fail, total.skip)
	return err
}
