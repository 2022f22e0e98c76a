package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/agentrt/agentrt/agentrt"
	"github.com/agentrt/agentrt/agentrt/secrets"
	"github.com/agentrt/agentrt/internal/apptest"
)

func TestSecretsCommand(t *testing.T) {
	key, next := secrets.GenerateKey(), secrets.GenerateKey()
	app, err := apptest.Start(t.TempDir(), map[string]string{"src/routes/s.ts": `
		const top = pb.secrets.get("API_KEY");
		export const GET = () => new Response(top + " " + pb.secrets.get("API_KEY"));`}, agentrt.Config{SecretsKey: key}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := app.Stop(); err != nil {
			t.Error(err)
		}
	}()
	command := func(key, in string, args ...string) (string, error) {
		t.Setenv(secretsKey, key)
		var out bytes.Buffer
		cmd := secretsCommand(app)
		cmd.SetArgs(args)
		cmd.SetIn(strings.NewReader(in))
		cmd.SetOut(&out)
		cmd.SetErr(io.Discard)
		err := cmd.ExecuteContext(context.Background())
		return out.String(), err
	}
	t.Setenv(newSecretsKey, "")
	if _, err := command("", "value\n", "set", "API_KEY"); !errors.Is(err, secrets.ErrNoKey) {
		t.Errorf("without a key: %v", err)
	}
	if _, err := command(key, "sk-value\r\n", "set", "API_KEY"); err != nil {
		t.Fatal(err)
	}
	// The running server takes it over, top level included.
	got := ""
	for deadline := time.Now().Add(30 * time.Second); got != "sk-value sk-value" && time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
		res, err := app.Get(t.Context(), "/s")
		if err != nil {
			t.Fatal(err)
		}
		text, _ := io.ReadAll(res.Body)
		res.Body.Close()
		got = string(text)
	}
	http.DefaultClient.CloseIdleConnections()
	if got != "sk-value sk-value" {
		t.Errorf("the server answers %q", got)
	}
	for _, s := range []struct{ name, key, next, in, args, want, err string }{
		{"list", key, "", "", "list", "API_KEY\t20", ""},
		{"a name", key, "", "v", "set 1", "", "must be a letter"},
		{"an empty value", key, "", "\n", "set EMPTY", "", "not 0 bytes"},
		{"too much", key, "", strings.Repeat("x", secrets.MaxValue+1), "set BIG", "", "bytes of UTF-8"},
		{"another key", next, "", "", "list", "", "is not the key"},
		{"rotate to nothing", key, "", "", "rotate", "", newSecretsKey},
		{"rotate", key, next, "", "rotate", "", ""},
		{"the former key", key, "", "", "list", "", "is not the key"},
		{"the new key", next, "", "", "list", "API_KEY", ""},
		{"delete", next, "", "", "delete API_KEY", "", ""},
		{"delete again", next, "", "", "delete API_KEY", "", "no such secret"},
	} {
		t.Setenv(newSecretsKey, s.next)
		out, err := command(s.key, s.in, strings.Fields(s.args)...)
		if (err == nil) != (s.err == "") || err != nil && !strings.Contains(err.Error(), s.err) || !strings.Contains(out, s.want) {
			t.Errorf("%s: %q, %v; want %q, %q", s.name, out, err, s.want, s.err)
		}
	}
	one, err := command("", "", "keygen")
	if two, _ := command("", "", "keygen"); err != nil || one == two || len(strings.TrimSpace(one)) != 44 {
		t.Errorf("keygen: %q, %q, %v", one, two, err)
	}
}
