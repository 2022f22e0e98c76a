package agentrt_test

import (
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestTypesMatch compares global.d.ts with what handlers really get.
func TestTypesMatch(t *testing.T) {
	text, err := os.ReadFile("types/global.d.ts")
	if err != nil {
		t.Fatal(err)
	}
	block := func(start string) string {
		_, rest, ok := strings.Cut(string(text), start)
		if !ok {
			t.Fatalf("global.d.ts has no %q", start)
		}
		body, _, _ := strings.Cut(rest, "\n}")
		return body
	}
	members := func(body string) []string {
		var names []string
		for _, m := range regexp.MustCompile(`(?m)^  (?:static )?(?:readonly )?(\w+)\??[:(<]`).FindAllStringSubmatch(body, -1) {
			names = append(names, m[1])
		}
		slices.Sort(names)
		return names
	}
	a := newApp(t, map[string]string{"routes/names.ts": `
		const names = (o: object) => Object.getOwnPropertyNames(o).filter((n) => !["constructor", "length", "name", "prototype"].includes(n));
		export const GET = (_: Request, ctx: RouteContext) => Response.json({
			context: [...names(ctx), ...names(Object.getPrototypeOf(ctx))].sort(),
			env: typeof process.env,
		});`})
	var got struct {
		Context []string
		Env     string
	}
	if err := json.Unmarshal([]byte(a.get("/names").body), &got); err != nil {
		t.Fatal(err)
	}
	if want := members(block("interface RouteContext<")); !slices.Equal(got.Context, want) {
		t.Errorf("RouteContext has %q, global.d.ts says %q", got.Context, want)
	}
	if got.Env != "object" {
		t.Errorf("process.env is %q", got.Env)
	}
	t.Run("config", func(t *testing.T) {
		for _, name := range members(block("interface RouteConfig ")) {
			value := map[string]string{"auth": `"user"`, "timeout": `"1s"`, "cpu": `"1s"`, "memory": `"64MB"`, "run": `"caller"`, "secrets": `["NAME"]`, "net": `["api.openai.com"]`, "rateLimit": `{ requests: 5, per: "1m" }`}[name]
			a := newApp(t, map[string]string{"routes/c.ts": `export const config: RouteConfig = { ` + name + `: ` + value + ` }; export const GET = () => new Response("ok");`})
			if _, _, ok := a.Engine.Current(); !ok {
				t.Errorf("config.%s is not understood", name)
			}
		}
	})
}
