package agentrt_test

import (
	"encoding/json"
	"errors"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/agentrt/agentrt/agentrt"
	"github.com/agentrt/agentrt/agentrt/secrets"
	"github.com/agentrt/agentrt/internal/apptest"
)

const testKey = "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0MTI="

func withSecrets(c *agentrt.Config) { c.SecretsKey = testKey }

func TestDataSecrets(t *testing.T) {
	a := newApp(t, map[string]string{
		"routes/all.ts": `
			const top = pb.secrets.get("API_KEY");
			export const GET = () => Response.json([top, pb.secrets.get("API_KEY"), pb.secrets.get("OTHER"), process.env.API_KEY ?? null]);`,
		"routes/some.ts": `
			export const config: RouteConfig = { secrets: ["OTHER", "NONE"] };
			export const GET = () => {
				let error; try { pb.secrets.get("API_KEY"); } catch (e: any) { error = [e.code, e.status, e.message]; }
				return Response.json([pb.secrets.get("OTHER"), pb.secrets.get("NONE"), error]);
			};`,
		"routes/none.ts": `
			export const config: RouteConfig = { secrets: [] };
			export const GET = () => { let error; try { pb.secrets.get("OTHER"); } catch (e: any) { error = e.code; } return new Response(error); };`,
		"routes/wrong.ts":  `export const GET = () => { try { pb.secrets.get(undefined as any); } catch (e) { return new Response(String(e)); } };`,
		"routes/frozen.ts": `export const GET = () => { try { (pb.secrets as any).get = () => "x"; } catch (e: any) { return new Response(e.name); } };`,
	}, withSecrets)
	admin := []string{"Authorization", a.superuser(), "Content-Type", "application/json"}
	if got := a.get("/all").body; got != `[null,null,null,null]` {
		t.Errorf("before: %s", got)
	}
	for _, s := range []struct {
		method, path, body string
		headers            []string
		status             int
		want               string
	}{
		{"PUT", "/../agentrt/secrets/API_KEY", `{"value":"sk-first-value"}`, nil, 401, ""},
		{"GET", "/../agentrt/secrets", ``, nil, 401, ""},
		{"DELETE", "/../agentrt/secrets/API_KEY", ``, nil, 401, ""},
		{"POST", "/../agentrt/secrets/rotate", `{"key":"x"}`, nil, 401, ""},
		{"PUT", "/../agentrt/secrets/API_KEY", `{"value":"sk-first-value"}`, admin, 200, `{"name":"API_KEY","reloaded":true}`},
		{"PUT", "/../agentrt/secrets/API_KEY", `{"value":"sk-second-value"}`, admin, 200, `{"name":"API_KEY","reloaded":true}`},
		{"PUT", "/../agentrt/secrets/OTHER", `{"value":"grüße"}`, admin, 200, `{"name":"OTHER","reloaded":true}`},
		{"PUT", "/../agentrt/secrets/not%20a%20name", `{"value":"v"}`, admin, 400, "Invalid secret"},
		{"PUT", "/../agentrt/secrets/EMPTY", `{}`, admin, 400, "Invalid secret"},
		{"PUT", "/../agentrt/secrets/EMPTY", `{`, admin, 400, "The body must be JSON"},
		{"DELETE", "/../agentrt/secrets/EMPTY", ``, admin, 404, `There is no secret \"EMPTY\"`},
		{"POST", "/../agentrt/secrets/rotate", `{"key":"short"}`, admin, 400, "keygen"},
		{"GET", "/all", "", nil, 200, `["sk-second-value","sk-second-value","grüße",null]`},
		{"GET", "/some", "", nil, 200, `["grüße",null,["ERR_SECRET_NOT_ALLOWED",403,"pb.secrets.get(\"API_KEY\"): config.secrets of this route does not list it"]]`},
		{"GET", "/none", "", nil, 200, `ERR_SECRET_NOT_ALLOWED`},
		{"GET", "/wrong", "", nil, 200, `TypeError: pb.secrets.get() takes the name of a secret`},
		{"GET", "/frozen", "", nil, 200, `TypeError`},
		{"POST", "/../agentrt/secrets/rotate", `{"key":"` + secrets.GenerateKey() + `"}`, admin, 200, "AGENTRT_SECRETS_KEY"},
		{"GET", "/all", "", nil, 200, `["sk-second-value","sk-second-value","grüße",null]`},
		{"DELETE", "/../agentrt/secrets/API_KEY", ``, admin, 200, `{"name":"API_KEY","reloaded":true}`},
		{"GET", "/all", "", nil, 200, `[null,null,"grüße",null]`},
	} {
		if got := a.do(s.method, s.path, s.body, s.headers...); got.status != s.status || !strings.Contains(got.body, s.want) {
			t.Errorf("%s %s %s: %d %s; want %d %s", s.method, s.path, s.body, got.status, got.body, s.status, s.want)
		}
	}
	var list struct{ Secrets []map[string]any }
	if err := json.Unmarshal([]byte(a.get("/../agentrt/secrets", admin...).body), &list); err != nil {
		t.Fatal(err)
	}
	if len(list.Secrets) != 1 || len(list.Secrets[0]) != 2 || list.Secrets[0]["name"] != "OTHER" || list.Secrets[0]["updated"] == "" {
		t.Errorf("the list is %v", list)
	}
}

func TestDataSecretsRedacted(t *testing.T) {
	const value = "sk-very-secret-value"
	a := newApp(t, map[string]string{
		"routes/log.ts":    `export const GET = () => { console.log("key is", pb.secrets.get("KEY")); console.log({ a: [pb.secrets.get("KEY")] }); return new Response("ok"); };`,
		"routes/throw.ts":  `export const GET = () => { throw new Error("bad key " + pb.secrets.get("KEY"), { cause: new TypeError("because of " + pb.secrets.get("KEY")) }); };`,
		"routes/late.ts":   `export const GET = () => { setTimeout(() => { throw new Error("late " + pb.secrets.get("KEY")); }, 1); return new Promise((r) => setTimeout(() => r(new Response("ok")), 20)); };`,
		"routes/stream.ts": `export const GET = () => new Response(new ReadableStream({ start(c) { c.enqueue(new TextEncoder().encode("data: 1\n\n")); }, pull() { throw new Error("stream " + pb.secrets.get("KEY")); } }), { headers: { "content-type": "text/event-stream" } });`,
		"routes/top.ts":    `if (pb.secrets.get("BREAK")) throw new Error("top " + pb.secrets.get("KEY")); console.log("loaded with", pb.secrets.get("KEY")); export const GET = () => new Response("ok");`,
		"hooks/users.ts":   `export const check = () => { throw new Error("hook " + pb.secrets.get("KEY")); };`,
	}, withSecrets, func(c *agentrt.Config) { c.Dev = true })
	logs, admin := a.logs(), []string{"Authorization", a.superuser(), "Content-Type", "application/json"}
	put := func(name, value, want string) {
		t.Helper()
		if got := a.do("PUT", "/../agentrt/secrets/"+name, `{"value":"`+value+`"}`, admin...); got.status != 200 || !strings.Contains(got.body, want) {
			t.Fatalf("%d %s, want %s", got.status, got.body, want)
		}
	}
	put("KEY", value, `"reloaded":true`)
	if err := a.Engine.RegisterHook("users", "beforeCreate", "hooks/users.ts#check"); err != nil {
		t.Fatal(err)
	}
	hook := a.do("POST", "/../collections/users/records", `{"email":"a@example.com","password":"1234567890","passwordConfirm":"1234567890"}`, "Content-Type", "application/json")
	replies := map[string]string{"hook": hook.body}
	for _, path := range []string{"log", "throw", "late", "stream"} {
		replies[path] = a.get("/" + path).body
	}
	put("BREAK", "yes", "[secret KEY]")
	if got := a.get("/log"); got.body != "ok" {
		t.Errorf("after functions that cannot be loaded: %d %s", got.status, got.body)
	}
	for name, body := range replies {
		if strings.Contains(body, value) {
			t.Errorf("%s shows the value: %s", name, body)
		}
	}
	for name, want := range map[string]string{"hook": "Hook [secret KEY]", "throw": "because of [secret KEY]", "stream": "[secret KEY]"} {
		if !strings.Contains(replies[name], want) {
			t.Errorf("%s lacks %q: %s", name, want, replies[name])
		}
	}
	for _, want := range []string{"key is [secret KEY]", "a: [ '[secret KEY]' ]", "bad key [secret KEY]", "because of [secret KEY]", "late [secret KEY]", "loaded with [secret KEY]", "top [secret KEY]", "stream [secret KEY]"} {
		eventually(t, func() bool { return strings.Contains(logs.String(), want) }, func() string { return "the log lacks " + want + ":\n" + logs.String() })
	}
	if text := logs.String(); strings.Contains(text, value) {
		t.Errorf("the log shows the value:\n%s", text)
	}
}

func TestDataSecretsRefuseToStart(t *testing.T) {
	dir := t.TempDir()
	start := func(key string) error {
		a, err := apptest.Start(dir, map[string]string{"src/routes/k.ts": `const k = pb.secrets.get("K"); export const GET = () => new Response(k);`},
			agentrt.Config{CacheDir: cacheDir, SecretsKey: key}, nil)
		if err != nil {
			return err
		}
		if key == testKey {
			v := secrets.New(a.PocketBase, key)
			err = errors.Join(v.Open(t.Context()), v.Set(t.Context(), "K", "value"))
		}
		return errors.Join(err, a.Stop())
	}
	t.Setenv("AGENTRT_SECRETS_KEY", "")
	for _, s := range []struct {
		key  string
		want error
	}{{"", nil}, {testKey, nil}, {"", secrets.ErrNoKey}, {secrets.GenerateKey(), secrets.ErrWrongKey}, {testKey, nil}} {
		if err := start(s.key); !errors.Is(err, s.want) || (s.want == nil) != (err == nil) {
			t.Errorf("key %q: %v, want %v", s.key, err, s.want)
		}
	}
	t.Setenv("AGENTRT_SECRETS_KEY", testKey)
	if err := start(""); err != nil {
		t.Errorf("the key of the environment: %v", err)
	}
}

// TestDataStoresTypes compares pocketbase.d.ts with the objects.
func TestDataStoresTypes(t *testing.T) {
	text, err := os.ReadFile("types/pocketbase.d.ts")
	if err != nil {
		t.Fatal(err)
	}
	a := newApp(t, map[string]string{"routes/names.ts": `export const GET = () => Response.json({
		KeyValueStore: Object.keys(pb.kv).sort(), Secrets: Object.keys(pb.secrets).sort(), RecordFiles: Object.keys(pb.files).sort() });`})
	var got map[string][]string
	if err := json.Unmarshal([]byte(a.get("/names").body), &got); err != nil {
		t.Fatal(err)
	}
	for name, members := range got {
		_, rest, _ := strings.Cut(string(text), "interface "+name+" {")
		body, _, _ := strings.Cut(rest, "\n}")
		var want []string
		for _, m := range regexp.MustCompile(`(?m)^  (\w+)[<(]`).FindAllStringSubmatch(body, -1) {
			want = append(want, m[1])
		}
		slices.Sort(want)
		if !slices.Equal(members, want) {
			t.Errorf("%s has %q, pocketbase.d.ts says %q", name, members, want)
		}
	}
}
