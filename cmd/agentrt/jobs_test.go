package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/agentrt/agentrt/agentrt"
	"github.com/agentrt/agentrt/agentrt/jobs"
	"github.com/agentrt/agentrt/internal/apptest"
)

// TestJobsCommand changes jobs beside a running server.
func TestJobsCommand(t *testing.T) {
	app, err := apptest.Start(t.TempDir(), map[string]string{
		"src/workers/broken.ts": `export const config = { maxAttempts: 1 }; export default async (job: Job) => {
			if ((await pb.kv.incr("attempts/" + job.id)) < 2) throw new Error("not yet");
		};`,
		"src/workers/slow.ts": `export default async (job: Job, { signal }: JobContext) => {
			job.progress(1);
			await new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
		};`,
	}, agentrt.Config{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := app.Stop(); err != nil {
			t.Error(err)
		}
	}()
	command := func(args ...string) (string, error) {
		var out bytes.Buffer
		cmd := jobsCommand(app)
		cmd.SetArgs(args)
		cmd.SetOut(&out)
		cmd.SetErr(io.Discard)
		err := cmd.ExecuteContext(context.Background())
		return out.String(), err
	}
	must := func(args ...string) string {
		t.Helper()
		out, err := command(args...)
		if err != nil {
			t.Fatalf("jobs %v: %v", args, err)
		}
		return out
	}
	enqueue := func(topic string, o jobs.EnqueueOptions) string {
		t.Helper()
		id, err := app.Engine.Jobs().Enqueue(t.Context(), app.PocketBase, topic, map[string]int{"n": 1}, o)
		if err != nil {
			t.Fatal(err)
		}
		return id
	}
	until := func(id string, state jobs.State) {
		t.Helper()
		for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(10 * time.Millisecond) {
			info, err := app.Engine.Jobs().Get(t.Context(), app.PocketBase, id)
			if err != nil {
				t.Fatal(err)
			}
			if info.State == state {
				return
			}
			if time.Now().After(deadline) {
				t.Fatalf("%+v is not %s", info, state)
			}
		}
	}
	first, second, slow := enqueue("broken", jobs.EnqueueOptions{}), enqueue("broken", jobs.EnqueueOptions{}), enqueue("slow", jobs.EnqueueOptions{})
	later := enqueue("broken", jobs.EnqueueOptions{RunAt: time.Now().Add(time.Hour)})
	until(first, jobs.StateDiscarded)
	until(second, jobs.StateDiscarded)
	until(slow, jobs.StateRunning)
	if out := must("list", "--topic", "broken", "--state", "discarded"); strings.Count(out, "discarded") != 2 || !strings.Contains(out, "Error: not yet") {
		t.Errorf("list:\n%s", out)
	}
	if out := must("stats"); !strings.Contains(out, "broken") || !strings.Contains(out, "DISCARDED") {
		t.Errorf("stats:\n%s", out)
	}
	var shown jobs.Info
	if err := json.Unmarshal([]byte(must("show", first)), &shown); err != nil || shown.ID != first || len(shown.Errors) != 1 || !strings.Contains(string(shown.Payload), `"n": 1`) {
		t.Errorf("show: %+v, %v", shown, err)
	}
	must("retry", first)
	until(first, jobs.StateCompleted)
	if out := must("retry", "--discarded", "--topic", "broken"); out != "1 jobs run again\n" {
		t.Errorf("retry --discarded: %s", out)
	}
	until(second, jobs.StateCompleted)
	must("cancel", slow, later)
	until(slow, jobs.StateCancelled)
	until(later, jobs.StateCancelled)
	must("discard", later)
	for _, args := range [][]string{{"show", later}, {"retry"}, {"retry", first, "--discarded"}, {"list", "--limit", "501"}, {"cancel", "x"}} {
		if _, err := command(args...); err == nil {
			t.Errorf("jobs %v: no error", args)
		}
	}
}
