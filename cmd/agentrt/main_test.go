package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func TestHelp(t *testing.T) {
	exe := filepath.Join(t.TempDir(), "agentrt")
	if out, err := exec.Command("go", "build", "-o", exe, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for args, want := range map[string]string{
		"--help":         "Available Commands:",
		"serve --help":   "--functions",
		"secrets --help": "rotate",
		"deploy --help":  "--url",
	} {
		cmd := exec.Command(exe, strings.Fields(args)...)
		cmd.Dir = t.TempDir()
		out, err := cmd.CombinedOutput()
		if err != nil || !strings.Contains(string(out), want) {
			t.Errorf("agentrt %s: %v\n%s", args, err, out)
		}
		if entries, err := os.ReadDir(cmd.Dir); err != nil || len(entries) > 0 {
			t.Errorf("agentrt %s left %v (%v)", args, entries, err)
		}
	}
}
