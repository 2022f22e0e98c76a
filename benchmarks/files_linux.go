package benchmarks

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// enoughFiles checks the limit of open files, which holds for each process.
func enoughFiles(n int) error {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return err
	}
	if limit.Cur < uint64(n) {
		return fmt.Errorf("the group streams needs %d open files in a process, the limit is %d: raise it (ulimit -n %d)", n, limit.Cur, n)
	}
	return nil
}
