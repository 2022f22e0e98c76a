package agentrt_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/agentrt/agentrt/agentrt"
	"github.com/agentrt/agentrt/hostfn/pb/kvstore"
	"github.com/agentrt/agentrt/internal/apptest"
)

const killDir = "AGENTRT_TEST_KILL_DIR"

// TestKillChild is the process that TestDataKVKill kills.
func TestKillChild(t *testing.T) {
	dir := os.Getenv(killDir)
	if dir == "" {
		t.Skip("run by TestDataKVKill")
	}
	a, err := apptest.Start(dir, map[string]string{"src/routes/count.ts": `export const GET = async () => new Response(String(await pb.kv.incr("count")));`}, agentrt.Config{CacheDir: dir + "/cache"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintln(os.Stderr, "\nlistening "+a.Functions)
	select {}
}

// TestDataKVKill kills a server with SIGKILL while it counts: what was answered is
// there afterwards, and nothing that was never asked for.
func TestDataKVKill(t *testing.T) {
	if testing.Short() {
		t.Skip("starts processes")
	}
	dir := t.TempDir()
	var answered, asked atomic.Int64
	for range 2 {
		ctx, cancel := context.WithCancel(t.Context())
		cmd := exec.CommandContext(ctx, os.Args[0], "-test.run=^TestKillChild$")
		cmd.Env = append(os.Environ(), killDir+"="+dir)
		var log bytes.Buffer
		out, err := cmd.StderrPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines, url := bufio.NewScanner(io.TeeReader(out, &log)), ""
		for url == "" && lines.Scan() {
			url, _ = strings.CutPrefix(lines.Text(), "listening ")
			if !strings.HasPrefix(url, "http") {
				url = ""
			}
		}
		if url == "" {
			cancel()
			t.Fatalf("the child did not start: %v\n%s", cmd.Wait(), log.String())
		}
		enough := make(chan struct{})
		start := answered.Load()
		var clients sync.WaitGroup
		for range 4 {
			clients.Go(func() {
				for ctx.Err() == nil {
					asked.Add(1)
					res, err := http.Get(url + "/count")
					if err != nil {
						continue
					}
					body, err := io.ReadAll(res.Body)
					res.Body.Close()
					if err == nil && res.StatusCode == http.StatusOK && len(body) > 0 && answered.Add(1) == start+200 {
						close(enough)
					}
				}
			})
		}
		select {
		case <-enough:
		case <-t.Context().Done():
		}
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait() // "signal: killed"
		cancel()
		clients.Wait()
	}
	a, err := apptest.Start(dir, nil, agentrt.Config{CacheDir: dir + "/cache"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := a.Stop(); err != nil {
			t.Error(err)
		}
	}()
	e, err := kvstore.Get(t.Context(), a.PocketBase, "count")
	if err != nil {
		t.Fatal(err)
	}
	var n int64
	if _, err := fmt.Sscan(string(e.Value), &n); err != nil {
		t.Fatal(err)
	}
	if n < answered.Load() || n > asked.Load() {
		t.Errorf("the counter is %d; %d were answered of %d", n, answered.Load(), asked.Load())
	}
	t.Logf("counter %d, answered %d, asked %d", n, answered.Load(), asked.Load())
}
