package pgtest

import (
	"fmt"
	"os"
	"os/exec"
)

var fast, immediate = os.Kill, os.Kill

func own(string) error {
	return fmt.Errorf("%w: not on Windows, where postgres has no sockets in directories", ErrMissing)
}

func asUser(*exec.Cmd) error { return nil }
