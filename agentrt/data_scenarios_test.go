package agentrt_test

import (
	"fmt"
	"testing"

	"github.com/agentrt/agentrt/agentrt"
)

// storeScenario is the body of an async function and the JSON of what it returns. An
// exception counts as "Name code status: message".
type storeScenario struct{ name, code, want string }

// scenarioFiles are routes that run the scenarios in their order.
func scenarioFiles(list []storeScenario) map[string]string {
	files := map[string]string{}
	for k, s := range list {
		files[fmt.Sprintf("routes/s%d.ts", k)] = `export const GET = async (request: Request, ctx: RouteContext) => {
			const fails = async (f: () => unknown) => {
				try { return ["no error", await f()]; } catch (e: any) { return [e.name, e.code, e.status, e.message].filter((x) => x !== undefined).join(" | "); }
			};
			return Response.json((await (async () => { ` + s.code + ` })()) ?? null);
		};`
	}
	return files
}

func runStoreScenarios(t *testing.T, list []storeScenario, change ...func(*agentrt.Config)) {
	t.Helper()
	newApp(t, scenarioFiles(list), change...).scenarios(list)
}

func (a *app) scenarios(list []storeScenario) {
	a.t.Helper()
	for k, s := range list {
		if got := a.get(fmt.Sprintf("/s%d", k)).body; got != s.want {
			a.t.Errorf("%s: got\n%s\nwant\n%s", s.name, got, s.want)
		}
	}
}
