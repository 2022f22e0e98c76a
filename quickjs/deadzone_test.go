package quickjs_test

import (
	"encoding/json"
	"testing"

	"github.com/agentrt/agentrt/quickjs"
)

// deadZoneSource tries each text as the body of a strict function. The result is
// what it returns, or the name of what it throws.
const deadZoneSource = `
export const run = (bodies) => bodies.map((body) => {
	try { return String(new Function('"use strict";' + body)()); } catch (e) { return e.name; }
});`

// TestDeadZone has accesses of lexical variables before, at and after their
// declarations: the compiler leaves out the check where it knows the order.
func TestDeadZone(t *testing.T) {
	const early = "ReferenceError"
	cases := []struct{ body, want string }{
		{`let x = 1; return x;`, "1"},
		{`x; let x = 1;`, early},
		{`x = 2; let x = 1;`, early},
		{`let x = x; `, early},
		{`let x = (x, 1);`, early},
		{`let x = 1, y = x; return y;`, "1"},
		{`let x = y, y = 1;`, early},
		{`let { a = b, b } = {};`, early},
		{`let { b, a = b } = { b: 3 }; return a;`, "3"},
		{`let [a = a] = [];`, early},
		{`let { a } = a;`, early},
		{`let { a } = { a: 2 }; a++; return a;`, "3"},
		{`const x = 1; x = 2;`, "TypeError"},
		{`for (let x of x) {}`, early},
		{`for (const x of [x]) {}`, early},
		{`for (let x in { a: x }) {}`, early},
		{`let n = 0; for (const x of [1, 2]) n += x; return n;`, "3"},
		{`for (let i = i; ;) {}`, early},
		{`for (let i = 0, n = i + 2; i < n; i++) { if (i === 1) return i; }`, "1"},
		{`const f = []; for (let i = 0; i < 3; i++) f.push(() => i); return f.map((g) => g()).join();`, "0,1,2"},
		{`switch (1) { case 0: let x = 1; break; case 1: return x; }`, early},
		{`switch (1) { case 0: let x = 1; break; case 1: x = 3; }`, early},
		{`switch (1) { case 0: let x = 1; break; case 1: { let y = 1; return x + y; } }`, early},
		{`switch (1) { case 0: let x = 1; break; default: for (const a of [1]) { if (a) return x; } }`, early},
		{`switch (0) { case 0: let x = 1; case 1: return x; }`, "1"},
		{`switch (0) { case 0: { let x = 1; return x; } }`, "1"},
		{`switch (1) { case 0: class C {} break; case 1: return C; }`, early},
		{`let n = 0; for (let i = 0; i < 3; i++) { try { x; } catch { n++; } let x = 1; n += x; } return n;`, "6"},
		{`let n = 0, f; for (let i = 0; i < 2; i++) { try { f(); } catch (e) { n++; } let x = i; f = () => x; if (f() === i) n += 10; } return n;`, "21"},
		{`let out = ""; a: for (let i = 0; i < 3; i++) { if (i === 1) continue a; let y = i; out += y; } return out;`, "02"},
		{`a: { break a; let x = 1; } let x = 2; return x;`, "2"},
		{`const f = () => x; f(); let x = 1;`, early},
		{`const f = () => x; let x = 1; return f();`, "1"},
		{`f(); let x = 1; function f() { return x; }`, early},
		{`return (function (a = b, b = 1) {})();`, early},
		{`return (function (a = 1, b = a) { let c = b; return c; })();`, "1"},
		{`class C extends C {}`, early},
		{`class C { [C.name]() {} }`, early},
		{`class C { static a = C.name; } return C.a;`, "C"},
		{`class B {} class C extends B { constructor(c) { if (c) super(); this.x = 1; } } new C(true); return new C(false);`, early},
		{`class B {} class C extends B { constructor() { const f = () => this; super(); this.f = f; } } return new C().f() instanceof C;`, "true"},
		{`return typeof x; let x;`, early},
		{`let x; return typeof x;`, "undefined"},
		{`try { throw 1; let x = 1; } catch (e) { return e; }`, "1"},
		{`let x = 1; try { { x; throw 0; } } finally { x += 4; if (x === 5) return x; }`, "5"},
		{`try { return 1; } finally { try { y; } catch (e) { return e.name; } let y = 1; }`, early},
		{`const g = (function* () { try { yield x; } catch (e) { yield e.name; } let x = 7; yield x; x++; yield x; })(); return [...g].join();`, early + ",7,8"},
		{`eval("x"); let x = 1;`, early},
		{`let x = 1; return eval("x + 1");`, "2"},
		{`let x = 1; { x; let y = x; { let x = y + 1; return x; } }`, "2"},
		{`let x = 1; { x; let x = 2; }`, early},
		{`if (true) { return x; let x = 1; }`, early},
		{`let x = 5; x **= 2; x ||= 1; x ??= 2; [x] = [x + 1]; ({ x } = { x: x + 1 }); return x;`, "27"},
		{`x ||= 1; let x;`, early},
		{`[x] = [1]; let x;`, early},
		{`do { let x = 1; if (x) break; } while (x); let x = 3; return x;`, "3"},
		{`while (true) { const x = 1; return (() => { { let y = x; return y; } })(); }`, "1"},
	}
	bodies := make([]string, len(cases))
	for k, c := range cases {
		bodies[k] = c.body
	}
	head, err := json.Marshal(bodies)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	i := newInstance(t, newSnapshot(t, newEngine(t, quickjs.NewConfig()), deadZoneSource))
	if err := json.Unmarshal([]byte(call(t, i, "run", string(head))), &got); err != nil {
		t.Fatal(err)
	}
	for k, c := range cases {
		if got[k] != c.want {
			t.Errorf("%s: %s, want %s", c.body, got[k], c.want)
		}
	}
}
