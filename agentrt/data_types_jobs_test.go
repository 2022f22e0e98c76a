package agentrt_test

import (
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/agentrt/agentrt/agentrt/jobs"
)

// TestTypesMatchJobs compares pocketbase.d.ts with what pb.jobs has and gives.
func TestTypesMatchJobs(t *testing.T) {
	var text []byte
	for _, name := range []string{"types/pocketbase.d.ts", "types/global.d.ts"} {
		more, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		text = append(text, more...)
	}
	declared := func(name string) []string {
		t.Helper()
		start := regexp.MustCompile(`interface ` + name + `\b[^{]*\{\n`).FindStringIndex(string(text))
		if start == nil {
			t.Fatalf("pocketbase.d.ts has no %s", name)
		}
		body, _, _ := strings.Cut(string(text[start[1]:]), "\n}")
		var names []string
		for _, m := range regexp.MustCompile(`(?m)^  (?:readonly )?(\w+)\??[:(<]`).FindAllStringSubmatch(body, -1) {
			names = append(names, m[1])
		}
		slices.Sort(names)
		return names
	}
	a := newApp(t, map[string]string{
		"routes/names.ts": `export const GET = async () => {
			const id = await pb.jobs.enqueue("names", 1, { uniqueKey: "k", delay: 1, priority: 1, maxAttempts: 1, backoff: "1s", uniqueFor: "1h", uniqueStates: ["completed"] });
			for (;;) {
				const job = await pb.jobs.get(id);
				if (job?.state === "completed") return Response.json({ JobQueue: Object.keys(pb.jobs).sort(), JobInfo: Object.keys(job).sort(), ...job.result });
				await new Promise((resolve) => setTimeout(resolve, 10));
			}
		};`,
		"workers/names.ts": `
			export const config: WorkerConfig = { concurrency: 1, timeout: 1000, maxAttempts: 1, backoff: { type: "fixed", delay: 1, max: 1 }, cpu: "1s", memory: "64MB", net: [], secrets: [] };
			export default (job: Job, context: JobContext) => {
				job.progress(1, {});
				return { Job: Object.keys(job).sort(), JobContext: Object.keys(Object.getOwnPropertyDescriptors(Object.getPrototypeOf(context))).filter((n) => n !== "constructor"), config: Object.keys(config).sort() };
			};`,
	})
	var got map[string][]string
	if err := json.Unmarshal([]byte(a.get("/names").body), &got); err != nil {
		t.Fatal(err)
	}
	got["WorkerConfig"] = got["config"]
	for _, name := range []string{"JobQueue", "JobInfo", "Job", "JobContext", "WorkerConfig"} {
		want := declared(name)
		if name == "WorkerConfig" {
			want = append(want, declared("AccessConfig")...)
			slices.Sort(want)
		}
		if !slices.Equal(got[name], want) {
			t.Errorf("%s has %q, pocketbase.d.ts says %q", name, got[name], want)
		}
	}
	for _, state := range jobs.States {
		if !strings.Contains(string(text), `"`+string(state)+`"`) {
			t.Errorf("pocketbase.d.ts does not have the state %s", state)
		}
	}
}
