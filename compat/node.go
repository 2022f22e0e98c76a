package compat

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
)

// node is the reference: a process of the Node in sdks/package.json that serves the
// programs.
type node struct {
	url   string
	cmd   *exec.Cmd
	stdin io.Closer
	log   *tail
}

func (p *project) nodePath() (string, error) {
	name := "node-" + runtime.GOOS + "-" + strings.Replace(runtime.GOARCH, "amd64", "x64", 1)
	path, err := exec.LookPath(filepath.Join(p.packages(), name, "bin", "node"))
	if err != nil {
		return "", fmt.Errorf("the suite compares with Node from the npm package %s, which is not part of it: it runs on Linux (amd64, arm64)", name)
	}
	return path, nil
}

// startNode returns when the process listens. It ends with stop or ctx.
func (p *project) startNode(ctx context.Context) (*node, error) {
	path, err := p.nodePath()
	if err != nil {
		return nil, err
	}
	n := &node{cmd: exec.CommandContext(ctx, path, "--disable-warning=ExperimentalWarning", "node.ts"), log: &tail{}}
	n.cmd.Dir = p.dir
	n.cmd.Env = []string{"NODE_ENV=production", "TZ=UTC"}
	n.cmd.Stderr = n.log
	if n.stdin, err = n.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := n.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := n.cmd.Start(); err != nil {
		return nil, err
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		return nil, errors.Join(fmt.Errorf("node did not start: %w\n%s", err, n.log), n.stop())
	}
	n.url = "http://" + strings.TrimSpace(line)
	return n, nil
}

// stop ends the process and waits for it.
func (n *node) stop() error {
	return errors.Join(n.stdin.Close(), n.cmd.Wait())
}

// tail keeps the last bytes that were written to it.
type tail struct {
	mu   sync.Mutex
	text []byte
}

const maxTail = 16 << 10

func (t *tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, b...)
	t.text = t.text[max(0, len(t.text)-maxTail):]
	return len(b), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.text)
}
