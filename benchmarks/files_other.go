//go:build !linux

package benchmarks

import "errors"

func openFiles() (int, error) {
	return 0, errors.New("the group streams reads memory from /proc: it needs Linux")
}
