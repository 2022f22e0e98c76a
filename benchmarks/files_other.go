//go:build !linux

package benchmarks

import "errors"

func enoughFiles(int) error {
	return errors.New("the group streams reads memory from /proc: it needs Linux")
}
