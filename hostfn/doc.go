// Package hostfn holds what JavaScript gets from the host, one file a subject,
// each with its JavaScript half beside it.
package hostfn
