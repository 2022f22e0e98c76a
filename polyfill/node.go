package polyfill

import (
	"strings"
)

// nodeFiles maps Node's built-in modules to their shims. Those in CommonJS form
// (.cts) are modules whose require() gives a class or function.
var nodeFiles = map[string]string{
	"assert": "assert.cts", "assert/strict": "assert_strict.cts", "events": "events.cts", "stream": "stream.cts",
	"path/posix": "path.ts", "path/win32": "path.ts", "sys": "util.ts", "console": "console.ts",
}

func init() {
	for name := range strings.FieldsSeq(`async_hooks buffer child_process cluster crypto dgram diagnostics_channel dns dns/promises fs fs/promises
		http http2 https inspector module net os path perf_hooks process querystring readline readline/promises stream/promises stream/web
		string_decoder timers timers/promises tls tty url util util/types v8 vm worker_threads zlib`) {
		nodeFiles[name] = strings.ReplaceAll(name, "/", "_") + ".ts"
	}
}

// NodeModules maps the names of Node's built-in modules, with and without the
// "node:" prefix, to the paths of their shims in Files. Shims import each other,
// leaves of this folder and globals only, so that they can be bundled with the
// user's code.
func NodeModules() map[string]string {
	out := make(map[string]string, 2*len(nodeFiles))
	for name, file := range nodeFiles {
		out[name] = "node/" + file
		out["node:"+name] = "node/" + file
	}
	return out
}
