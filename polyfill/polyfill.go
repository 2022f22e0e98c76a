// Package polyfill holds the Web platform in TypeScript, one file per standard,
// and the shims for Node's built-in modules.
package polyfill

import "embed"

// Files are the TypeScript sources, shims for Node below node.
//
//go:embed *.ts encoding streams node/*.ts node/*.cts
var Files embed.FS
