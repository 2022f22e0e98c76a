//go:build !linux

package benchmarks

import "errors"

// evict does nothing: searches after it are not cold.
func evict(string) error { return nil }

func pin(int) (undo func() error, err error) { return nil, errors.ErrUnsupported }
