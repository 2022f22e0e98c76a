// Package loader turns a folder of TypeScript functions into one JavaScript
// bundle with a source map and a manifest, and back: it finds the route of a
// request and the TypeScript position of a stack frame.
//
// A functions folder contains
//
//	src/routes/**   HTTP handlers, one file per route
//	src/hooks/**    record hooks
//	src/workers/**  job workers, one file per topic
//	src/crons/**    scheduled functions
//	.env            variables for development, see [ReadEnv]
//	dist/           what [Bundle.Write] writes
//
// with the extensions ts, tsx, js, jsx and mjs. Files and folders whose name
// starts with "_" or ".", tests (*.test.*, *.spec.*) and declarations (*.d.ts) are
// not entry points; entry points may import them.
//
// A route's pattern is its path: hello.ts is /hello, index.ts the folder itself,
// users/[id].ts is /users/{id}, files/[...path].ts is /files/{path...} (one or more
// segments), files/[[...path]].ts is /files/{path...?} (none or more).
//
// The bundle is an ES module without imports. Once its files are evaluated it calls
//
//	globalThis[Symbol.for("agentrt.mount")]({ routes, hooks, workers, crons })
//
// where each is an object of module namespaces by file, as in
// { "routes/hello.ts": { POST, config } }.
//
// # Modules without side effects
//
// esbuild drops a module of a package marked "sideEffects": false when nothing of
// it is used, even if it is there to register something. Ignoring all annotations
// (esbuild's ignoreAnnotations) would cure that, but it keeps dead code of every
// package, @__PURE__ calls included. Instead all modules of a package are kept that
// user code imports for its effects (import "package/register"), or that
// package.json of the project names:
//
//	"agentrt": { "keepSideEffects": ["package"] }
package loader
