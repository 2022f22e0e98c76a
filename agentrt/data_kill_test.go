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
	"time"

	"github.com/agentrt/agentrt/agentrt"
	"github.com/agentrt/agentrt/agentrt/jobs"
	"github.com/agentrt/agentrt/hostfn/pb/kvstore"
	"github.com/agentrt/agentrt/internal/apptest"
)

const killDir = "AGENTRT_TEST_KILL_DIR"

// killFiles are the functions of the processes that are killed.
var killFiles = map[string]string{
	"src/routes/count.ts": `export const GET = async () => new Response(String(await pb.kv.incr("count")));`,
	"src/routes/job.ts": `export const GET = async (req: Request) => {
		const n = new URL(req.url).searchParams.get("n");
		return new Response(await pb.jobs.enqueue("record", "job/" + n));
	};`,
	"src/routes/tx.ts": `export const GET = async (req: Request) => {
		const q = new URL(req.url).searchParams;
		const n = q.get("n"), fail = q.has("fail");
		try {
			await pb.tx(async (tx) => {
				await tx.kv.set("first/" + n, 1);
				await tx.jobs.enqueue("record", (fail ? "failed/" : "tx/") + n);
				await tx.kv.set("second/" + n, 1);
				if (fail) throw new Error("rolled back");
			});
		} catch (e) {
			if (!fail) throw e;
		}
		return new Response("ok");
	};`,
	"src/workers/record.ts": `
		export const config = { concurrency: 8 };
		export default async (job: Job<string>) => {
			await pb.kv.incr("begun/" + job.payload);
			await new Promise((resolve) => setTimeout(resolve, 30));
			await pb.kv.incr("ended/" + job.payload);
		};`,
}

// TestKillChild is the process that the tests below kill.
func TestKillChild(t *testing.T) {
	dir := os.Getenv(killDir)
	if dir == "" {
		t.Skip("run by the tests that kill it")
	}
	a, err := apptest.Start(dir, killFiles, agentrt.Config{CacheDir: dir + "/cache"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintln(os.Stderr, "\nlistening "+a.Functions)
	select {}
}

// killWhile starts a server on dir, has four clients call request until it was
// answered enough times, and kills the server with SIGKILL meanwhile.
func killWhile(t *testing.T, dir string, enough int64, request func(get func(path string) (answer string, ok bool))) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
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
	reached := make(chan struct{})
	var answered atomic.Int64
	var clients sync.WaitGroup
	get := func(path string) (string, bool) {
		res, err := http.Get(url + path)
		if err != nil {
			return "", false
		}
		defer res.Body.Close()
		body, err := io.ReadAll(res.Body)
		if err != nil || res.StatusCode != http.StatusOK || len(body) == 0 {
			return "", false
		}
		if answered.Add(1) == enough {
			close(reached)
		}
		return string(body), true
	}
	for range 4 {
		clients.Go(func() {
			for ctx.Err() == nil {
				request(get)
			}
		})
	}
	select {
	case <-reached:
	case <-t.Context().Done():
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // "signal: killed"
	cancel()
	clients.Wait()
}

// afterKills starts the app in this process.
func afterKills(t *testing.T, dir string) *apptest.App {
	t.Helper()
	a, err := apptest.Start(dir, killFiles, agentrt.Config{CacheDir: dir + "/cache"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := a.Stop(); err != nil {
			t.Error(err)
		}
	})
	return a
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
		killWhile(t, dir, 200, func(get func(string) (string, bool)) {
			asked.Add(1)
			if _, ok := get("/count"); ok {
				answered.Add(1)
			}
		})
	}
	a := afterKills(t, dir)
	n := kvNumber(t, a, "count")
	if n < answered.Load() || n > asked.Load() {
		t.Errorf("the counter is %d; %d were answered of %d", n, answered.Load(), asked.Load())
	}
	t.Logf("counter %d, answered %d, asked %d", n, answered.Load(), asked.Load())
}

// kvNumber is the number at key, 0 if there is none.
func kvNumber(t *testing.T, a *apptest.App, key string) (n int64) {
	t.Helper()
	e, err := kvstore.Get(t.Context(), a.PocketBase, key)
	if err != nil {
		t.Fatal(err)
	}
	if e.Version == 0 {
		return 0
	}
	if _, err := fmt.Sscan(string(e.Value), &n); err != nil {
		t.Fatal(err)
	}
	return n
}

// TestDataJobsKill kills a server with SIGKILL while it enqueues jobs, alone and in
// transactions, and works on them: what was answered has happened afterwards,
// transactions are whole, and no job of one that was rolled back ever ran.
func TestDataJobsKill(t *testing.T) {
	if testing.Short() {
		t.Skip("starts processes")
	}
	dir := t.TempDir()
	var next atomic.Int64
	var answered sync.Map // by kind/n
	for range 3 {
		killWhile(t, dir, 150, func(get func(string) (string, bool)) {
			n := next.Add(1)
			kind, path := "job", "/job?n=%d"
			switch n % 3 {
			case 1:
				kind, path = "tx", "/tx?n=%d"
			case 2:
				kind, path = "failed", "/tx?n=%d&fail=1"
			}
			if _, ok := get(fmt.Sprintf(path, n)); ok {
				answered.Store(fmt.Sprintf("%s/%d", kind, n), true)
			}
		})
	}
	a := afterKills(t, dir)
	start := time.Now()
	for {
		left, _, err := a.Engine.Jobs().List(t.Context(), jobs.Filter{States: []jobs.State{jobs.StateAvailable, jobs.StateRunning, jobs.StateRetryable, jobs.StateScheduled}})
		if err != nil {
			t.Fatal(err)
		}
		if len(left) == 0 {
			break
		}
		if time.Since(start) > time.Minute {
			t.Fatalf("a minute after the start jobs wait: %+v", left[0])
		}
		time.Sleep(20 * time.Millisecond)
	}
	var lost, torn, ghosts, twice, ran int
	for n := int64(1); n <= next.Load(); n++ {
		number := func(format string) int64 { return kvNumber(t, a, fmt.Sprintf(format, n)) }
		switch n % 3 {
		case 0:
			ended := number("ended/job/%d")
			if _, ok := answered.Load(fmt.Sprintf("job/%d", n)); ok && ended == 0 {
				lost++
			}
			twice += int(max(0, number("begun/job/%d")-1))
			ran += int(min(1, ended))
		case 1:
			first, second, ended := number("first/%d"), number("second/%d"), number("ended/tx/%d")
			if _, ok := answered.Load(fmt.Sprintf("tx/%d", n)); ok && first+second != 2 {
				lost++
			}
			if first != second || (ended > 0) != (first > 0) {
				torn++
			}
			twice += int(max(0, number("begun/tx/%d")-1))
			ran += int(min(1, ended))
		case 2:
			ghosts += int(number("first/%d") + number("second/%d") + number("begun/failed/%d"))
		}
	}
	if lost > 0 || torn > 0 || ghosts > 0 {
		t.Errorf("lost %d, transactions in part %d, traces of what was rolled back %d", lost, torn, ghosts)
	}
	if ran < 100 {
		t.Errorf("only %d jobs ran", ran)
	}
	stuck, _, err := a.Engine.Jobs().List(t.Context(), jobs.Filter{States: []jobs.State{jobs.StateDiscarded, jobs.StateCancelled}})
	if err != nil || len(stuck) > 0 {
		t.Errorf("%d jobs were given up: %+v, %v", len(stuck), stuck, err)
	}
	t.Logf("asked %d, jobs that ran %d, begun again %d", next.Load(), ran, twice)
}
