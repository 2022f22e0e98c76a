package main

import (
	"errors"
	"fmt"
	"path/filepath"

	"github.com/evanw/esbuild/pkg/api"
)

// entry defines the globals under test. Definitions are non-enumerable, as the
// standards have them.
const entry = `
import * as streams from "./polyfill/streams.ts";
import * as encoding from "./polyfill/encoding.ts";
import { AbortController, AbortSignal } from "./polyfill/abort.ts";
import { Event, EventTarget } from "./polyfill/events.ts";
import { structuredClone } from "./polyfill/structuredclone.ts";
const internal = /^(is|utf8)/;
for (const [name, value] of Object.entries({ ...streams, ...encoding, AbortController, AbortSignal, Event, EventTarget, structuredClone })) {
  if (!internal.test(name)) Object.defineProperty(globalThis, name, { value, writable: true, configurable: true });
}
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
