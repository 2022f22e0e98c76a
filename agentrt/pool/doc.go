// Package pool lends sandbox instances: fresh ones of one snapshot a version,
// under one admission limit for all versions.
//
// Memory, not a count of ten, is the limit. Over it an invocation waits in a
// bounded queue for a bounded time and is then refused with [OverloadedError].
// Nested invocations (a function that writes a record whose hook runs another)
// bypass the limit: they must not wait for what their caller holds.
package pool
