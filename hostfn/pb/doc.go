// Package pb holds the Go half of the global pb: PocketBase's data as JavaScript
// sees it, one file a subject, each with its JavaScript half beside it.
package pb
