package main

import (
	"errors"
	"fmt"
	"path/filepath"

	"github.com/evanw/esbuild/pkg/api"
)

// entry defines the globals under test. Definitions are non-enumerable, as the
// standards have them. The harness still needs __host.
const entry = `
import { install as polyfill } from "./polyfill/index.ts";
import { install as hostfn } from "./hostfn/index.ts";
const define = (name, value) => Object.defineProperty(globalThis, name, { value, writable: true, configurable: true });
polyfill(define);
hostfn(define);
`

// platform bundles the Web platform from the repository at root into one module.
func platform(root string) (string, error) {
	dir, err := filepath.Abs(root)
	if err != nil {
		return "", err
	}
	r := api.Build(api.BuildOptions{
		Stdin:         &api.StdinOptions{Contents: entry, ResolveDir: dir, Sourcefile: "platform.ts", Loader: api.LoaderTS},
		AbsWorkingDir: dir,
		Bundle:        true,
		Format:        api.FormatESModule,
		Target:        api.ES2023,
		LogLevel:      api.LogLevelSilent,
	})
	var errs []error
	for _, m := range r.Errors {
		where := ""
		if m.Location != nil {
			where = fmt.Sprintf("%s:%d:%d: ", m.Location.File, m.Location.Line, m.Location.Column)
		}
		errs = append(errs, fmt.Errorf("bundling the platform: %s%s", where, m.Text))
	}
	if len(errs) > 0 {
		return "", errors.Join(errs...)
	}
	return string(r.OutputFiles[0].Contents), nil
}
