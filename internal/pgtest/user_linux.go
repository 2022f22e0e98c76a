package pgtest

import "syscall"

// endWithUs lets the system end the server if this process is killed.
func endWithUs(attr *syscall.SysProcAttr) { attr.Pdeathsig = syscall.SIGQUIT }
