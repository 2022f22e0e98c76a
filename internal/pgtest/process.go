package pgtest

import (
	"os"
	"os/exec"
	"runtime"
)

// server is a running process.
type server struct {
	process *os.Process
	ended   chan struct{}
	// err is how it ended, to be read after ended.
	err error
}

// run starts cmd. The thread that starts it waits for its end, since the system ends the
// server with that thread, not with the process, if this one is killed.
func run(cmd *exec.Cmd) (*server, error) {
	s := &server{ended: make(chan struct{})}
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		defer close(s.ended)
		err := cmd.Start()
		s.process = cmd.Process
		started <- err
		if err == nil {
			s.err = cmd.Wait()
		}
	}()
	if err := <-started; err != nil {
		return nil, err
	}
	return s, nil
}
