// Package polyfill holds the Web platform in TypeScript, one file per standard,
// and the shims for Node's built-in modules.
package polyfill

import "embed"

// Files are the TypeScript sources: *.ts, node/*.ts and node/*.cts.
//
//go:embed *.ts node/*.ts node/*.cts
var Files embed.FS
