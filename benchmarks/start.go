package benchmarks

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"github.com/agentrt/agentrt/internal/apptest"
)

// starting measures the command itself: from the start of "agentrt serve" to the
// first answer of a function, the first time and with warm caches.
func starting(ctx context.Context, o options, progress io.Writer) (map[string]float64, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "agentrt-bench-*")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	if err := apptest.Write(filepath.Join(dir, "pb_serverless"), map[string]string{"src/routes/hello.ts": httpRoutes["src/routes/hello.ts"]}); err != nil {
		return nil, err
	}
	rounds := 10
	if o.quick {
		rounds = 3
	}
	fmt.Fprintf(progress, "process starts: %d\n", rounds+1)
	first, err := startOnce(ctx, self, dir)
	if err != nil {
		return nil, err
	}
	var again []time.Duration
	for range rounds {
		d, err := startOnce(ctx, self, dir)
		if err != nil {
			return nil, err
		}
		again = append(again, d)
	}
	return map[string]float64{"process_first_start_ms": milliseconds(first), "second_start_ms": milliseconds(median(again))}, nil
}

func startOnce(ctx context.Context, self, dir string) (elapsed time.Duration, err error) {
	addr, err := freeAddress()
	if err != nil {
		return 0, err
	}
	cmd := exec.CommandContext(ctx, self, "serve", "--dir", filepath.Join(dir, "pb_data"), "--functions", filepath.Join(dir, "pb_serverless"), "--http", addr)
	cmd.Dir = dir
	start := time.Now()
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	defer func() {
		err = errors.Join(err, cmd.Process.Signal(syscall.SIGTERM))
		if waited := cmd.Wait(); waited != nil {
			err = errors.Join(err, fmt.Errorf("agentrt serve: %w", waited))
		}
	}()
	for time.Since(start) < 30*time.Second {
		res, err := http.Get("http://" + addr + "/api/pb_serverless/hello")
		if err == nil {
			elapsed = time.Since(start)
			res.Body.Close()
			if res.StatusCode == http.StatusOK {
				return elapsed, nil
			}
			return 0, fmt.Errorf("the first answer was %s", res.Status)
		}
		time.Sleep(time.Millisecond)
	}
	return 0, errors.New("agentrt serve gave no answer within 30 s")
}

func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}
