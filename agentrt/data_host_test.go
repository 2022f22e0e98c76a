package agentrt_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/agentrt/agentrt/agentrt"
	"github.com/agentrt/agentrt/hostfn/hostmodule"
	"github.com/agentrt/agentrt/hostfn/pb"
	"github.com/pocketbase/pocketbase"
	"github.com/pocketbase/pocketbase/core"
)

type sum struct {
	A     int            `json:"a"`
	B     *int           `json:"b"`
	Extra map[string]any `json:"extra,omitempty"`
	Inner struct {
		Names []string `json:"names"`
	} `json:"inner"`
}

// testModule has a function of every shape. ended gets the cause of each wait's end.
func testModule(ended chan error) *hostmodule.Module {
	waits := make(chan struct{}, 1)
	m := hostmodule.New("test", "")
	hostmodule.Sync(m, "add", func(_ context.Context, s sum) (int, error) {
		if s.B == nil {
			return s.A, nil
		}
		return s.A + *s.B, nil
	})
	hostmodule.Async(m, "reverse", func(_ context.Context, b []byte) ([]byte, error) {
		out := make([]byte, len(b))
		for k, c := range b {
			out[len(b)-1-k] = c
		}
		return out, nil
	})
	hostmodule.Async(m, "count", func(_ context.Context, in hostmodule.Message[string]) (hostmodule.Message[map[string]int], error) {
		return hostmodule.Message[map[string]int]{Head: map[string]int{in.Head: len(in.Body)}, Body: in.Body}, nil
	})
	hostmodule.Sync(m, "nothing", func(context.Context, hostmodule.None) (hostmodule.None, error) { return hostmodule.None{}, nil })
	hostmodule.Sync(m, "optional", func(_ context.Context, s *sum) (bool, error) { return s == nil, nil })
	hostmodule.Async(m, "fail", func(_ context.Context, how string) (hostmodule.None, error) {
		if how == "typed" {
			return hostmodule.None{}, &hostmodule.Error{Name: "TypeError", Code: "ERR_TYPED", Status: 418, Message: "a teapot", Detail: map[string]int{"cups": 2}}
		}
		return hostmodule.None{}, errors.New("plain text")
	})
	hostmodule.Sync(m, "panicSync", func(context.Context, hostmodule.None) (int, error) { var p *sum; return p.A, nil })
	hostmodule.Async(m, "panicAsync", func(context.Context, hostmodule.None) (int, error) { panic("out of tea") })
	hostmodule.Async(m, "wait", func(ctx context.Context, _ hostmodule.None) (hostmodule.None, error) {
		waits <- struct{}{}
		<-ctx.Done()
		ended <- ctx.Err()
		return hostmodule.None{}, ctx.Err()
	})
	hostmodule.Async(m, "waits", func(context.Context, hostmodule.None) (hostmodule.None, error) {
		<-waits
		return hostmodule.None{}, nil
	})
	release := make(chan struct{}, 1)
	hostmodule.Async(m, "hold", func(context.Context, hostmodule.None) (string, error) { <-release; return "held", nil },
		hostmodule.Limited(hostmodule.Limits{Timeout: 50 * time.Millisecond, MaxConcurrent: 1}))
	hostmodule.Sync(m, "release", func(context.Context, hostmodule.None) (hostmodule.None, error) {
		release <- struct{}{}
		return hostmodule.None{}, nil
	})
	hostmodule.Async(m, "late", func(ctx context.Context, _ hostmodule.None) (hostmodule.None, error) {
		<-ctx.Done()
		return hostmodule.None{}, ctx.Err()
	}, hostmodule.Limited(hostmodule.Limits{Timeout: 50 * time.Millisecond}))
	hostmodule.Async(m, "small", func(_ context.Context, n int) (string, error) { return strings.Repeat("x", n), nil },
		hostmodule.Limited(hostmodule.Limits{MaxRequest: 4, MaxResponse: 100}))
	hostmodule.Async(m, "records", func(ctx context.Context, collection string) (count int64, err error) {
		scope, err := pb.ScopeFrom(ctx)
		if err != nil {
			return 0, err
		}
		err = scope.Run(ctx, func(app core.App) error {
			count, err = app.CountRecords(collection)
			return err
		})
		return count, err
	})
	return m
}

func TestHostModules(t *testing.T) {
	ended := make(chan error, 10)
	prelude := `const { test } = pb.host as any; const bytes = (s: string) => new TextEncoder().encode(s);
		const top = test.add({ a: 40, b: 2, inner: { names: [] } });
		let topAsync = ""; try { test.reverse(bytes("x")).catch(() => {}); } catch (e: any) { topAsync = e.code; }
		const error = async (f: () => unknown) => { try { return await f(); } catch (e: any) { return [e.name, e.code ?? "", e.message]; } };`
	runScenarios(t, func(files map[string]string) *app {
		a := newApp(t, files, func(c *agentrt.Config) { c.HostModules = []*hostmodule.Module{testModule(ended)} })
		addCollections(t, a)
		return a
	}, `{}`, prelude, []scenario{
		{"sync", `return [test.add({ a: 1 }), test.add({ a: 1, b: 2, extra: { any: [1] }, inner: { names: ["x"] } }), test.nothing(), test.optional(), test.optional({})];`, `[1,3,null,true,false]`},
		{"at the top level", `return top;`, `42`},
		{"bytes", `return [new TextDecoder().decode(await test.reverse(bytes("abc"))), (await test.reverse(new ArrayBuffer(3))).byteLength];`, `["cba",3]`},
		{"both", `const r = await test.count("letters", bytes("abcd").subarray(1)); return [r.head, new TextDecoder().decode(r.body), (await test.count("none")).head];`, `[{"letters":3},"bcd",{"none":0}]`},
		{"a typed error", `return test.fail("typed").catch((e: any) => [e instanceof TypeError, e.code, e.status, e.message, e.detail]);`, `[true,"ERR_TYPED",418,"a teapot",{"cups":2}]`},
		{"another error", `return error(() => test.fail("plain"));`, `["Error","","plain text"]`},
		{"a panic", `return [await error(() => test.panicSync()), await error(() => test.panicAsync()), test.add({ a: 1 })];`,
			`[["Error","ERR_HOST_PANIC","pb.host.test.panicSync failed: the server's log says why"],["Error","ERR_HOST_PANIC","pb.host.test.panicAsync failed: the server's log says why"],1]`},
		{"wrong arguments", `return [await error(() => test.add({ a: "1" })), await error(() => test.add({ a: 1.5 })), await error(() => test.add({ a: 1, c: 2 })), await error(() => test.add()), await error(() => test.add(null)),
				await error(() => test.add([1])), await error(() => test.add({ a: 1, inner: { names: "x" } })), await error(() => test.reverse("x")), await error(() => test.reverse()), await error(() => test.count("x", "y"))];`,
			`[["TypeError","ERR_HOST_ARGUMENT","pb.host.test.add: a must be an integer of the type int, not a string"],["TypeError","ERR_HOST_ARGUMENT","pb.host.test.add: a must be an integer of the type int, not 1.5"],` +
				`["TypeError","ERR_HOST_ARGUMENT","pb.host.test.add: unknown field \"c\""],["TypeError","ERR_HOST_ARGUMENT","pb.host.test.add: the argument is missing"],["TypeError","ERR_HOST_ARGUMENT","pb.host.test.add: the argument is missing"],` +
				`["TypeError","ERR_HOST_ARGUMENT","pb.host.test.add: the argument must be an object, not an array"],["TypeError","ERR_HOST_ARGUMENT","pb.host.test.add: inner.names must be an array, not a string"],` +
				`["TypeError","ERR_HOST_ARGUMENT","pb.host.test.reverse: the first argument is an ArrayBuffer or a view of one"],["TypeError","ERR_HOST_ARGUMENT","pb.host.test.reverse: the first argument is an ArrayBuffer or a view of one"],` +
				`["TypeError","ERR_HOST_ARGUMENT","pb.host.test.count: the second argument is an ArrayBuffer or a view of one"]]`},
		{"sizes", `return [(await test.small(98)).length, await error(() => test.small(99)), await error(() => test.small(10000))];`,
			`[98,["RangeError","ERR_HOST_SIZE","pb.host.test.small: the result has 101 bytes, at most 100 are allowed"],["RangeError","ERR_HOST_SIZE","pb.host.test.small: the argument has 5 bytes, at most 4 are allowed"]]`},
		{"time", `return error(() => test.late());`, `["TimeoutError","ERR_HOST_TIMEOUT","pb.host.test.late took longer than 50ms"]`},
		{"concurrent calls", `const all = [test.hold(), test.hold()].map((p) => error(() => p)); await Promise.race(all); test.release();
			return (await Promise.all(all)).map((r: any) => Array.isArray(r) ? r[2] : r).sort();`,
			`["held","pb.host.test.hold: as many calls as are allowed at a time (1) took up all of 50ms"]`},
		{"in the caller's transaction", `return pb.tx(async (tx) => { await tx.collection("authors").create({ name: "Ada" }); return [await (tx as any).host.test.records("authors"), await test.records("authors")]; });`, `[1,1]`},
		{"frozen", `return [await error(() => { test.add = 1; }), await error(() => { (pb.host as any).x = 1; })].map((e: any) => e[0]).concat(Object.keys(pb.host));`, `["TypeError","TypeError","test"]`},
		{"absent", `return [typeof (pb.host as any).other, typeof test.other, typeof test.toString];`, `["undefined","undefined","undefined"]`},
	}, nil)
	t.Run("the end of the invocation ends a call", func(t *testing.T) {
		a := newApp(t, map[string]string{"routes/wait.ts": `export const GET = async () => { const { wait, waits } = (pb.host as any).test; wait(); await waits(); return new Response("left"); };`},
			func(c *agentrt.Config) { c.HostModules = []*hostmodule.Module{testModule(ended)} })
		if got := a.get("/wait").body; got != "left" {
			t.Errorf("answer %q", got)
		}
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("the context ended with %v", err)
		}
	})
}

func TestHostPanicsAreLogged(t *testing.T) {
	a := newApp(t, map[string]string{"routes/p.ts": `export const GET = () => (pb.host as any).test.panicAsync();`},
		func(c *agentrt.Config) { c.HostModules = []*hostmodule.Module{testModule(nil)} })
	logs := a.logs()
	if got := a.get("/p"); got.status != 500 {
		t.Errorf("status %d", got.status)
	}
	eventually(t, func() bool {
		return strings.Contains(logs.String(), "pb.host.test.panicAsync panicked: out of tea") && strings.Contains(logs.String(), "data_host_test.go")
	}, logs.String)
}

func TestHostModulesAreChecked(t *testing.T) {
	with := func(name string, functions ...string) *hostmodule.Module {
		m := hostmodule.New(name, "")
		for _, f := range functions {
			hostmodule.Sync(m, f, func(context.Context, hostmodule.None) (int, error) { return 0, nil })
		}
		return m
	}
	bad := with("bad")
	hostmodule.Sync(bad, "send", func(context.Context, struct{ Out chan int }) (int, error) { return 0, nil })
	for want, modules := range map[string][]*hostmodule.Module{
		`host module "Upper" is malformed`:                                {with("Upper")},
		`host module "" is malformed`:                                     {with("")},
		`host module "twice" is malformed or taken`:                       {with("twice"), with("twice")},
		`function "a b" is malformed`:                                     {with("m", "a b")},
		`function "then" is malformed`:                                    {with("m", "then")},
		`function "f" is malformed or taken`:                              {with("m", "f", "f")},
		`host module bad: send: Out: JSON cannot carry the type chan int`: {bad},
	} {
		if _, err := agentrt.New(pocketbase.NewWithConfig(pocketbase.Config{DefaultDataDir: t.TempDir()}), agentrt.Config{HostModules: modules}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
}
