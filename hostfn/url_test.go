package hostfn_test

import (
	"testing"

	"github.com/agentrt/agentrt/hostfn"
	"github.com/agentrt/agentrt/internal/jstest"
	"github.com/agentrt/agentrt/quickjs"
)

func urlOps() *quickjs.Ops {
	ops := quickjs.NewOps()
	hostfn.RegisterEncoding(ops)
	hostfn.RegisterURL(ops)
	return ops
}

func TestURL(t *testing.T) {
	jstest.Run(t, jstest.Env{Ops: urlOps(), Setup: `
		import { URL, URLSearchParams, isURLSearchParams } from "./hostfn/url.ts";
		const parts = (u) => [u.href, u.origin, u.protocol, u.username, u.password, u.host, u.hostname, u.port, u.pathname, u.search, u.hash];
		const after = (href, fn) => { const u = new URL(href); fn(u); return u.href; };
	`}, []jstest.Case{
		{`parts(new URL("https://u%40:p@ex%41mple.com:8443/a/../b?q=1#f"))`, `["https://u%40:p@example.com:8443/b?q=1#f","https://example.com:8443","https:","u%40","p","example.com:8443","example.com","8443","/b","?q=1","#f"]`},
		{`parts(new URL("http://[::1]:80/?#"))`, `["http://[::1]/?#","http://[::1]","http:","","","[::1]","[::1]","","/","",""]`},
		{`parts(new URL("mailto:a@b?c#d"))`, `["mailto:a@b?c#d","null","mailto:","","","","","","a@b","?c","#d"]`},
		{`parts(new URL("web+x:/.//p:q@r"))`, `["web+x:/.//p:q@r","null","web+x:","","","","","","//p:q@r","",""]`},
		{`parts(new URL("http://:p@h/@:x"))`, `["http://:p@h/@:x","http://h","http:","","p","h","h","","/@:x","",""]`},
		{`parts(new URL("https://h/a?x:y@z/#?k"))`, `["https://h/a?x:y@z/#?k","https://h","https:","","","h","h","","/a","?x:y@z/","#?k"]`},
		{`new URL("blob:https://x.y/z").origin`, `"https://x.y"`},
		{`new URL("../c?x", "https://h/a/b/").href`, `"https://h/a/c?x"`},
		{`new URL("/x")`, `"throws TypeError: Invalid URL: \"/x\""`},
		{`new URL("/x", "y")`, `"throws TypeError: Invalid URL: \"/x\" with the base \"y\""`},
		{`[URL.canParse("https://h"), URL.canParse("h"), URL.parse("h"), URL.parse("b", "https://h/a").href, URL.parse("c:d") instanceof URL]`, `[true,false,null,"https://h/b",true]`},
		{`after("https://h/a", (u) => { u.protocol = "http"; u.username = "a b"; u.password = "p:"; u.host = "x.y:81"; u.pathname = "q q"; u.search = "a=ü"; u.hash = "z z" })`, `"http://a%20b:p%3A@x.y:81/q%20q?a=%C3%BC#z%20z"`},
		{`after("https://h/a?b#c", (u) => { u.search = ""; u.hash = ""; u.port = "99999"; u.hostname = "a b"; u.protocol = "mailto" })`, `"https://h/a"`},
		{`after("https://h/?a=1&b=2", (u) => { u.searchParams.append("c", "x y&"); u.searchParams.delete("a") })`, `"https://h/?b=2&c=x+y%26"`},
		{`after("https://h/?a", (u) => u.searchParams.delete("a"))`, `"https://h/"`},
		{`(() => { const u = new URL("https://h/?a=1"), p = u.searchParams; u.search = "?b=2"; const s = [...p]; u.href = "https://i/?c=3"; return [s, [...p], u.searchParams === p] })()`, `[[["b","2"]],[["c","3"]],true]`},
		{`(() => { new URL("https://h").href = "x" })()`, `"throws TypeError: Invalid URL: \"x\""`},
		{`JSON.stringify({ u: new URL("https://h") })`, `"{\"u\":\"https://h/\"}"`},
		{`Reflect.get(URL.prototype, "href", {})`, `"throws TypeError: private class field '#href' does not exist"`},
		{`new URL("https://h/\ud800").pathname`, `"/%EF%BF%BD"`},
		{`new URL("https://h/" + "x".repeat(2 ** 20))`, `"throws RangeError: a URL of 1048586 bytes is longer than 1048576"`},

		{`String(new URLSearchParams("?a=1&b=%zz&c=%ff+é&&=&d"))`, `"a=1&b=%25zz&c=%EF%BF%BD+%C3%A9&=&d="`},
		{`String(new URLSearchParams({ a: 1, b: "x y*~" }))`, `"a=1&b=x+y*%7E"`},
		{`String(new URLSearchParams([["a", "1"], new Set(["b", "2"])]))`, `"a=1&b=2"`},
		{`new URLSearchParams([["a"]])`, `"throws TypeError: Each pair of URLSearchParams() has a name and a value, but one has 1 items"`},
		{`new URLSearchParams([1])`, `"throws TypeError: Each pair of URLSearchParams() must be a sequence of a name and a value"`},
		{`(() => { const p = new URLSearchParams("a=1&b=2&a=3"); const o = [p.get("a"), p.getAll("a"), p.get("x"), p.has("b"), p.has("b", "1"), p.size]; p.set("a", "9"); p.delete("b", "7"); p.sort(); return [...o, String(p)] })()`, `["1",["1","3"],null,true,false,3,"a=9&b=2"]`},
		{`(() => { const p = new URLSearchParams("a=1&b=2&c=3"), o = []; for (const [k] of p) { o.push(k); p.delete(k) } return o })()`, `["a","c"]`},
		{`[[...new URLSearchParams("a=1").keys()], String(new URLSearchParams().entries()), String(new URLSearchParams("\ufeff=%EF%BB%BF"))]`, `[["a"],"[object URLSearchParams Iterator]","%EF%BB%BF=%EF%BB%BF"]`},
		{`(() => { const o = []; new URLSearchParams("a=1&b=2").forEach((v, k) => o.push(v, k)); return o })()`, `["1","a","2","b"]`},
		{`[isURLSearchParams(new URLSearchParams()), isURLSearchParams({}), URLSearchParams.prototype[Symbol.iterator] === URLSearchParams.prototype.entries]`, `[true,false,true]`},
		{`new URLSearchParams("a&".repeat(100001))`, `"throws RangeError: The urlencoded text has more than 100000 pairs"`},
	})
}
