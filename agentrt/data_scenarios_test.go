package agentrt_test

import (
	"fmt"
	"maps"
	"strings"
	"testing"
)

// scenario is the body of an async function of TypeScript and the JSON of what it
// returns.
type scenario struct{ name, code, want string }

// scenarioRoute is the file of the route that runs scenarios.
const scenarioRoute = "routes/run.ts"

// runScenarios evaluates each scenario in a request of its own, in order. They
// share what prelude declares; config is the route's; start gets the files of the
// app, those in extra included. fails and failure give an error of the awaited
// function as a list and as a text.
func runScenarios(t *testing.T, start func(files map[string]string) *app, config, prelude string, list []scenario, headers func() []string, extra ...map[string]string) *app {
	t.Helper()
	var code strings.Builder
	fmt.Fprintf(&code, "export const config: RouteConfig = %s;\n%s\n", config, prelude)
	code.WriteString(`const fails = async (f: () => unknown) => { try { return await f(); } catch (e: any) {
		return e instanceof pb.ClientResponseError ? [e.status, e.message, e.response.data] : [e.name, e.code ?? "", e.message]; } };
	const failure = async (f: () => unknown) => { try { await f(); return "no error"; } catch (e: any) {
		return [e.name, e.code, e.status, e.message].filter((x) => x !== undefined).join(" | "); } };` + "\n")
	code.WriteString("const scenarios: Record<string, (ctx: RouteContext) => unknown> = {\n")
	for _, s := range list {
		fmt.Fprintf(&code, "%q: async (ctx) => { %s },\n", s.name, s.code)
	}
	code.WriteString(`};
		export const POST = async (req: Request, ctx: RouteContext) => Response.json(await scenarios[await req.text()]!(ctx) ?? null);`)
	files := map[string]string{scenarioRoute: code.String()}
	for _, more := range extra {
		maps.Copy(files, more)
	}
	running := start(files)
	var sent []string
	if headers != nil {
		sent = headers()
	}
	for _, s := range list {
		t.Run(s.name, func(t *testing.T) {
			if got := running.do("POST", "/run", s.name, sent...); got.body != s.want {
				t.Errorf("status %d\n got %s\nwant %s", got.status, got.body, s.want)
			}
		})
	}
	return running
}
