package secrets_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/agentrt/agentrt/agentrt/secrets"
	"github.com/pocketbase/pocketbase/core"
	_ "github.com/pocketbase/pocketbase/migrations" // PocketBase's own tables
)

func newApp(t *testing.T) core.App {
	t.Helper()
	app := core.NewBaseApp(core.BaseAppConfig{DataDir: t.TempDir()})
	if err := app.Bootstrap(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := app.ResetBootstrapState(); err != nil {
			t.Error(err)
		}
	})
	return app
}

func open(t *testing.T, app core.App, key string) *secrets.Vault {
	t.Helper()
	v := secrets.New(app, key)
	if err := v.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	return v
}

func set(t *testing.T, v *secrets.Vault, name, value string) {
	t.Helper()
	if err := v.Set(t.Context(), name, value); err != nil {
		t.Fatal(err)
	}
}

func expect(t *testing.T, v *secrets.Vault, name, want string) {
	t.Helper()
	got, ok, err := v.Lookup(t.Context(), name)
	if err != nil || got != want || ok != (want != "") {
		t.Errorf("%s: got %q, %v, %v; want %q", name, got, ok, err, want)
	}
}

func TestKeys(t *testing.T) {
	random := secrets.GenerateKey()
	if random == secrets.GenerateKey() {
		t.Error("two generated keys are equal")
	}
	raw := bytes.Repeat([]byte{0xa7}, 32)
	for _, s := range []struct{ name, set, open, wrong string }{
		{"generated", random, random + "\n", secrets.GenerateKey()},
		{"hexadecimal is the same as base64", hex.EncodeToString(raw), "p6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6c=", strings.Repeat("00", 32)},
		{"passphrase", "correct horse battery staple", "correct horse battery staple", "correct horse battery stable"},
	} {
		t.Run(s.name, func(t *testing.T) {
			app := newApp(t)
			set(t, open(t, app, s.set), "API_KEY", "value of it")
			expect(t, open(t, app, s.open), "API_KEY", "value of it")
			if err := secrets.New(app, s.wrong).Open(t.Context()); !errors.Is(err, secrets.ErrWrongKey) {
				t.Errorf("wrong key: %v", err)
			}
			if err := secrets.New(app, "").Open(t.Context()); !errors.Is(err, secrets.ErrNoKey) {
				t.Errorf("no key: %v", err)
			}
			if err := secrets.New(app, "short").Open(t.Context()); err == nil || !strings.Contains(err.Error(), "keygen") {
				t.Errorf("short key: %v", err)
			}
		})
	}
}

func TestWithoutKey(t *testing.T) {
	v := open(t, newApp(t), "")
	expect(t, v, "NAME", "")
	if err := v.Set(t.Context(), "NAME", "value"); !errors.Is(err, secrets.ErrNoKey) {
		t.Error(err)
	}
}

func TestAtRest(t *testing.T) {
	app := newApp(t)
	v := open(t, app, secrets.GenerateKey())
	set(t, v, "A", "plain-text-of-a")
	set(t, v, "B", "plain-text-of-b")
	if _, err := app.NonconcurrentDB().NewQuery("PRAGMA wal_checkpoint(TRUNCATE)").Execute(); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{"data.db", "data.db-wal"} {
		data, err := os.ReadFile(filepath.Join(app.DataDir(), file))
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Fatal(err)
		}
		if bytes.Contains(data, []byte("plain-text-of")) {
			t.Errorf("%s has a value in it", file)
		}
	}
}

func TestExchangedRows(t *testing.T) {
	app, key := newApp(t), secrets.GenerateKey()
	v := open(t, app, key)
	set(t, v, "A", "aaaaaaaa")
	set(t, v, "B", "bbbbbbbb")
	_, err := app.NonconcurrentDB().NewQuery(`UPDATE "_agentrt_secrets" SET "sealed" = (SELECT "sealed" FROM "_agentrt_secrets" WHERE "name" = 'B')`).Execute()
	if err != nil {
		t.Fatal(err)
	}
	if err := secrets.New(app, key).Open(t.Context()); err == nil || !strings.Contains(err.Error(), `"A" is damaged`) {
		t.Errorf("got %v", err)
	}
}

func TestChangesAndLimits(t *testing.T) {
	app, key, ctx := newApp(t), secrets.GenerateKey(), t.Context()
	v := open(t, app, key)
	for _, s := range []struct{ name, value string }{
		{"", "x"}, {"1A", "x"}, {"A B", "x"}, {strings.Repeat("A", 129), "x"}, {"A", ""}, {"A", "\xff"}, {"A", strings.Repeat("x", secrets.MaxValue+1)},
	} {
		if err := v.Set(ctx, s.name, s.value); !errors.Is(err, secrets.ErrInvalid) {
			t.Errorf("%q: %v", s.name, err)
		}
	}
	set(t, v, "A", strings.Repeat("x", secrets.MaxValue))
	set(t, v, "A", "second")
	set(t, v, "B", "b")
	expect(t, v, "A", "second")
	other := open(t, app, key)
	expect(t, other, "A", "second")
	set(t, v, "A", "third")
	if err := other.Delete(ctx, "B"); err != nil {
		t.Fatal(err)
	}
	expect(t, other, "A", "third")
	for _, want := range []bool{true, false} {
		if changed, err := v.Refresh(ctx); err != nil || changed != want {
			t.Errorf("Refresh: %v, %v; want %v", changed, err, want)
		}
	}
	expect(t, v, "B", "")
	if err := v.Delete(ctx, "B"); !errors.Is(err, secrets.ErrNotFound) {
		t.Error(err)
	}
	list, err := v.List(ctx)
	if err != nil || len(list) != 1 || list[0].Name != "A" || list[0].Updated.IsZero() {
		t.Errorf("%v, %v", list, err)
	}
}

func TestRotate(t *testing.T) {
	app, ctx := newApp(t), t.Context()
	first, second := secrets.GenerateKey(), "a passphrase for the second"
	v, running := open(t, app, first), open(t, app, first)
	set(t, v, "A", "value a")
	set(t, v, "B", "value b")
	if _, err := running.Refresh(ctx); err != nil {
		t.Fatal(err)
	}
	if err := v.Rotate(ctx, "short"); !errors.Is(err, secrets.ErrInvalid) {
		t.Error(err)
	}
	if err := v.Rotate(ctx, second); err != nil {
		t.Fatal(err)
	}
	set(t, v, "C", "value c")
	expect(t, v, "A", "value a")
	if err := secrets.New(app, first).Open(ctx); !errors.Is(err, secrets.ErrWrongKey) {
		t.Errorf("the former key: %v", err)
	}
	after := open(t, app, second)
	for name, value := range map[string]string{"A": "value a", "B": "value b", "C": "value c"} {
		expect(t, after, name, value)
	}
	// A process that still has the former key keeps what it knows and changes nothing.
	if _, err := running.Refresh(ctx); !errors.Is(err, secrets.ErrWrongKey) {
		t.Error(err)
	}
	expect(t, running, "B", "value b")
	if err := running.Set(ctx, "D", "value d"); !errors.Is(err, secrets.ErrWrongKey) {
		t.Error(err)
	}
}

func TestRedact(t *testing.T) {
	v := open(t, newApp(t), secrets.GenerateKey())
	if got := v.Redact("nothing"); got != "nothing" {
		t.Error(got)
	}
	set(t, v, "SHORT", "12345")
	set(t, v, "SIX", "123456")
	set(t, v, "LONG", "1234567890")
	got := v.Redact("12345 123456 1234567890 x123456y")
	if want := "12345 [secret SIX] [secret LONG] x[secret SIX]y"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestLookupWaits(t *testing.T) {
	app, key := newApp(t), secrets.GenerateKey()
	set(t, open(t, app, key), "A", "value")
	v := secrets.New(app, key)
	got := make(chan []string)
	go func() {
		value, _, err := v.Lookup(t.Context(), "A")
		text := ""
		if err != nil {
			text = err.Error()
		}
		got <- []string{value, text}
	}()
	if err := v.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	if g := <-got; !slices.Equal(g, []string{"value", ""}) {
		t.Errorf("got %q", g)
	}
}
