package benchmarks

import (
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"
)

func TestPlot(t *testing.T) {
	text := string(plotSVG(Report{Machine: Machine{CPU: "A & B"}, Figures: map[string]float64{
		"relay_us_per_token": 50, "relay_go_us_per_token": 25, "relay_vs_go": 2, "zero": 0,
	}}))
	for d := xml.NewDecoder(strings.NewReader(text)); ; {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatalf("%v in\n%s", err, text)
		}
	}
	for _, want := range []string{"A &amp; B", `width="470.0" height="14" fill="#2f6fde"/><text x="806.0" y="`, `width="235.0" height="14" fill="#9aa7b4"`, ">relay_vs_go<", ">zero<"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing in\n%s", want, text)
		}
	}
}

func TestWithoutPeer(t *testing.T) {
	for name, want := range map[string]string{
		"relay_us_per_token":         "relay_us_per_token",
		"relay_node_us_per_token":    "relay_us_per_token",
		"aisdk_workerd_one_token_ms": "aisdk_one_token_ms",
		"json_hooks_cpu_ms":          "json_cpu_ms",
		"json_vs_hooks":              "json_vs_hooks",
	} {
		if got := withoutPeer(name); got != want {
			t.Errorf("withoutPeer(%q) = %q, want %q", name, got, want)
		}
	}
}
