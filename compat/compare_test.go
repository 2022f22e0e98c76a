package compat

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/agentrt/agentrt/compat/modelserver"
)

func observed(status int, body string, requests ...modelserver.Request) *observation {
	return &observation{[]response{{status, http.Header{"Content-Type": {"text/plain"}, "Date": {"now"}}, body}}, requests}
}

func TestDifference(t *testing.T) {
	call := modelserver.Request{Method: "POST", Path: "/v1/x", Body: `{"a":1,"b":2}`, Outcome: "completed"}
	reordered, other, cancelled := call, call, call
	reordered.Body, other.Body, cancelled.Outcome = `{"b":2,"a":1}`, `{"a":1,"b":3}`, "cancelled"
	header := observed(200, "x")
	header.responses[0].header = http.Header{"Content-Type": {"text/html"}}
	more := observed(200, "x")
	more.responses[0].header = http.Header{"Content-Type": {"text/plain"}, "X-Frame-Options": {"DENY"}}
	for _, c := range []struct {
		name      string
		got, want *observation
		contains  string // "" is no difference
	}{
		{"equal", observed(200, "x"), observed(200, "x"), ""},
		{"order of keys", observed(200, `{"a":1,"b":2}`), observed(200, `{"b":2,"a":1}`), ""},
		{"more headers", more, observed(200, "x"), ""},
		{"order of requests", observed(200, "", call, other), observed(200, "", other, reordered), ""},
		{"status", observed(500, "x"), observed(200, "x"), "status 500, under Node 200"},
		{"header", header, observed(200, "x"), `header Content-Type is ["text/html"], under Node ["text/plain"]`},
		{"value", observed(200, `{"a":[1,2]}`), observed(200, `{"a":[1,3]}`), ".a[1] is 2, under Node 3"},
		{"missing", observed(200, `{}`), observed(200, `{"a":1}`), ".a is missing"},
		{"additional", observed(200, `{"a":1}`), observed(200, `{}`), ".a is 1, missing under Node"},
		{"length", observed(200, `[1]`), observed(200, `[1,2]`), "has 1 items, under Node 2"},
		{"type", observed(200, `[1]`), observed(200, `{}`), "is [1], under Node {}"},
		{"line", observed(200, "a\nb"), observed(200, "a\nc"), "line 2 of the body is b, under Node c"},
		{"short", observed(200, "a"), observed(200, "a\nc"), "goes on with c"},
		{"long", observed(200, "a\nb"), observed(200, "a"), "goes on with b"},
		{"body of a request", observed(200, "", call), observed(200, "", other), "the model server got a request that Node did not send"},
		{"outcome of a request", observed(200, "", call), observed(200, "", cancelled), "did not get the request that Node sent"},
		{"no request", observed(200, ""), observed(200, "", call), "did not get the request that Node sent"},
	} {
		got := difference(c.got, c.want)
		if c.contains == "" && got != "" || !strings.Contains(got, c.contains) {
			t.Errorf("%s: the difference is %q, want %q", c.name, got, c.contains)
		}
	}
}

func TestNormalise(t *testing.T) {
	n := normaliser{strings.NewReplacer("http://127.0.0.1:80/7", "MODEL")}
	for text, want := range map[string]string{
		"at http://127.0.0.1:80/7/v1":                            "at MODEL/v1",
		"id 3f2504e0-4f89-11d3-9a0c-0305e82c3301":                "id UUID",
		`{"id":"aitxt-Ab1dEf2hIj3lMn4p"}`:                        `{"id":"aitxt-ID"}`,
		`{"reasoningTokens":1,"experimentalThing":2}`:            `{"reasoningTokens":1,"experimentalThing":2}`,
		"a deterministicallymade word":                           "a deterministicallymade word",
		"on 2026-01-10T12:00:00Z, Tue, 24 Nov 2026 09:00:00 GMT": "on TIME, TIME",
		"1234567890 tokens":                                      "1234567890 tokens",
	} {
		if got := n.text(text); got != want {
			t.Errorf("%q becomes %q, want %q", text, got, want)
		}
	}
}

func TestRegressions(t *testing.T) {
	expected := Expectations{"ai": {"known": "why", "fixed": "why", "gone": "why"}, "openai": {"other": "why"}}
	report := &Report{[]Suite{{
		Name: "ai", passed: []string{"fine", "fixed"}, whole: true,
		Failures: []Failure{{"known", "as before"}, {"new", "broke"}},
	}}}
	got := strings.Join(expected.Regressions(report), "\n")
	for _, want := range []string{"ai/fixed passes, although", "ai/new: broke", "names ai/gone, which does not exist"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q lacks %q", got, want)
		}
	}
	if strings.Count(got, "\n") != 2 {
		t.Errorf("there are more regressions than three:\n%s", got)
	}
}

func TestExpectedAreExplained(t *testing.T) {
	expected, err := Expected()
	if err != nil {
		t.Fatal(err)
	}
	for suite, programs := range expected {
		if err := checkSuites([]string{suite}); err != nil {
			t.Error(err)
		}
		for name, why := range programs {
			if len(why) < 20 {
				t.Errorf("%s/%s: %q is no reason", suite, name, why)
			}
		}
	}
}

// TestReport checks the forms that scripts and the README use.
func TestReport(t *testing.T) {
	report := &Report{[]Suite{
		{Name: "ai", Version: "7.0.0", Pass: 2, Fail: 1, Failures: []Failure{{"a", "b"}}, passed: []string{"x", "y"}},
		{Name: "zod", Version: "4.0.0", Pass: 1, Failures: []Failure{}},
	}}
	text, err := json.Marshal(report)
	want := `{"suites":[{"name":"ai","version":"7.0.0","pass":2,"fail":1,"failures":[{"test":"a","reason":"b"}]},{"name":"zod","version":"4.0.0","pass":1,"fail":0,"failures":[]}]}`
	if err != nil || string(text) != want {
		t.Errorf("%v: %s, want %s", err, text, want)
	}
	want = "| SDK | version | programs | pass | failing |\n|---|---|---|---|---|\n| ai | 7.0.0 | 3 | 2 | a: known |\n| zod | 4.0.0 | 1 | 1 |  |\n"
	if got := report.Markdown(Expectations{"ai": {"a": "known"}}); got != want {
		t.Errorf("the table is\n%s, want\n%s", got, want)
	}
	var table strings.Builder
	if err := report.Table(&table); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"ai   7.0.0    2     1", "all           3     1", "ai/a: b"} {
		if !strings.Contains(table.String(), want) {
			t.Errorf("the table lacks %q:\n%s", want, table.String())
		}
	}
}
