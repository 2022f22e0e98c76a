// Package stream moves bytes between Go and a guest that reads and writes at its
// own pace. A Table holds the streams of one guest as integer handles: readers
// that Go provides, and pipes that the guest writes and Go reads. Every stream is
// bounded in memory and passes backpressure on. Copy sends a stream to an HTTP
// client as it comes.
//
// The package knows no engine: any program with an interpreter, a plugin or a
// remote peer that asks for chunks can use it.
package stream
