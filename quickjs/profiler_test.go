package quickjs_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/agentrt/agentrt/quickjs"
	"github.com/google/pprof/profile"
)

func TestProfiler(t *testing.T) {
	e := newEngine(t, quickjs.NewConfig())
	i := newInstance(t, newSnapshot(t, e, `
		function hot(n) { let x = 0;
			for (let k = 0; k < n; k++) x += k % 7;
			return x; }
		function cold() { return [3, 1, 2].sort(); }
		export function work() { let x = 0; for (let k = 0; k < 200; k++) { x += hot(10000); cold(); } return x; }`))
	p, err := e.StartProfiler(500 * time.Microsecond)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := e.StartProfiler(0); err == nil {
		t.Error("a second profiler started")
	}
	call(t, i, "work", "")
	var out bytes.Buffer
	if err := p.Stop(&out); err != nil {
		t.Fatal(err)
	}
	prof, err := profile.Parse(&out)
	if err != nil {
		t.Fatal(err)
	}
	var total, hot int64
	for _, s := range prof.Sample {
		total += s.Value[1]
		top := s.Location[0].Line[0]
		if top.Function.Name == "hot" && top.Function.Filename == "main.js" && top.Line >= 2 && top.Line <= 4 {
			hot += s.Value[1]
			if len(s.Location) < 2 || s.Location[1].Line[0].Function.Name != "work" {
				t.Errorf("hot is not called by work")
			}
		}
	}
	if total == 0 || hot*10 < total*8 {
		t.Errorf("hot has %d of %d ns\n%s", hot, total, strings.TrimSpace(prof.String()))
	}
}
