// Package quickjs runs JavaScript in sandboxed instances: QuickJS-ng compiled to
// WebAssembly, executed by wazero, without cgo.
//
// An [Engine] holds the compiled module. A [Snapshot] is the memory of an
// instance that has evaluated its modules; [Snapshot.NewInstance] maps it
// copy-on-write, so a fresh instance costs a fraction of a millisecond. An
// [Instance] serves one use at a time: it evaluates modules, calls their exports
// and drives an event loop in which host operations registered with [Sync] and
// [Async] complete. [Instance.Reset] brings it back to the snapshot.
//
// The package knows nothing of HTTP or of PocketBase.
package quickjs
