package benchmarks

import (
	"errors"
	"io/fs"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// evict drops a file from the system's cache. One that is not there needs nothing.
func evict(path string) error {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close()
	if err := f.Sync(); err != nil { // what is not written yet would stay
		return err
	}
	return unix.Fadvise(int(f.Fd()), 0, 0, unix.FADV_DONTNEED)
}

// pin lets a process, and those that it starts from now on, run on one core until undo is
// called.
func pin(pid int) (undo func() error, err error) {
	var before, one unix.CPUSet
	if err := unix.SchedGetaffinity(pid, &before); err != nil {
		return nil, err
	}
	for core := range 1024 {
		if before.IsSet(core) {
			one.Set(core)
			break
		}
	}
	return func() error { return unix.SchedSetaffinity(pid, &before) }, unix.SchedSetaffinity(pid, &one)
}

// ownCPUTime is what this process has computed, which other load does not change much.
func ownCPUTime() time.Duration {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
