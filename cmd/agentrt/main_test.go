package main

import (
	"bufio"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
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
	t.Run("types", func(t *testing.T) {
		dir := t.TempDir()
		run := func(args ...string) (string, error) {
			cmd := exec.Command(exe, append([]string{"types"}, args...)...)
			cmd.Dir = dir
			out, err := cmd.CombinedOutput()
			return string(out), err
		}
		if out, err := run(); err == nil || !strings.Contains(out, "there is no folder pb_serverless") {
			t.Errorf("without functions: %v\n%s", err, out)
		}
		if err := os.Mkdir(filepath.Join(dir, "pb_serverless"), 0o755); err != nil {
			t.Fatal(err)
		}
		for _, s := range []struct{ args, file string }{{"", "pb_serverless/types"}, {"--out elsewhere/deep", "elsewhere/deep"}} {
			if out, err := run(strings.Fields(s.args)...); err != nil {
				t.Errorf("%v\n%s", err, out)
			}
			text, err := os.ReadFile(filepath.Join(dir, s.file, "collections.d.ts"))
			if err != nil || !strings.Contains(string(text), "  _superusers: { record: SuperusersRecord; create: SuperusersCreate; update: SuperusersUpdate };") {
				t.Errorf("types %s: %v\n%s", s.args, err, text)
			}
		}
	})
}

func TestServeWithoutTerminal(t *testing.T) {
	exe := filepath.Join(t.TempDir(), "agentrt")
	if out, err := exec.Command("go", "build", "-o", exe, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, exe, "serve", "--http", "127.0.0.1:0")
	cmd.Dir = t.TempDir()
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	for lines := bufio.NewScanner(out); lines.Scan(); {
		text.WriteString(lines.Text() + "\n")
		if strings.Contains(lines.Text(), "agentrt superuser upsert") {
			cancel()
		}
	}
	_ = cmd.Wait()
	if !strings.Contains(text.String(), "agentrt superuser upsert") || strings.Contains(text.String(), "pbinstall") {
		t.Errorf("the output is\n%s", text.String())
	}
}
