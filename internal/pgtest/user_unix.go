//go:build unix

package pgtest

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"strconv"
	"syscall"
)

// The signals that end the server.
const fast, immediate = syscall.SIGINT, syscall.SIGQUIT

// account is the user and group to run as: root must not run the server.
func account() (uid, gid int, other bool, err error) {
	if os.Geteuid() != 0 {
		return os.Geteuid(), os.Getegid(), false, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err1 := strconv.Atoi(u.Uid)
		gid, err2 := strconv.Atoi(u.Gid)
		if err := errors.Join(err1, err2); err != nil {
			return 0, 0, false, err
		}
		return uid, gid, true, nil
	}
	return 0, 0, false, fmt.Errorf("%w: root must not run it, and there is neither a user postgres nor nobody", ErrMissing)
}

// own gives dir to that user; others may only pass through.
func own(dir string) error {
	uid, gid, other, err := account()
	if err != nil || !other {
		return err
	}
	return os.Chown(dir, uid, gid)
}

// asUser lets cmd run as that user.
func asUser(cmd *exec.Cmd) error {
	uid, gid, other, err := account()
	if err != nil {
		return err
	}
	attr := &syscall.SysProcAttr{}
	if other {
		attr.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	}
	endWithUs(attr)
	cmd.SysProcAttr = attr
	return nil
}
