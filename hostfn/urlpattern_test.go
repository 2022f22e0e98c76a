package hostfn_test

import "testing"

// TestURLPattern follows https://urlpattern.spec.whatwg.org/ section by section.
func TestURLPattern(t *testing.T) {
	w := newPlatform(t)
	w.run(`(() => {
		globalThis.shape = (...a) => { const p = new URLPattern(...a); return [p.protocol, p.username, p.password, p.hostname, p.port, p.pathname, p.search, p.hash].join(" ") };
		globalThis.path = (pattern, ...paths) => { const p = new URLPattern({ pathname: pattern }); return paths.map((pathname) => p.exec({ pathname })?.pathname.groups ?? null) };
		globalThis.refused = (...a) => { try { new URLPattern(...a); return "accepted" } catch (e) { return e.name } };
	})()`, nil)
	for _, c := range []struct{ code, want string }{
		// 1.1 The components of constructor strings.
		{`shape("https://example.com:8080/foo/*\\?q=:v#h")`, `"https * * example.com 8080 /foo/* q=:v h"`},
		{`[shape("https://user:pass@example.com/"), shape("https://user\\:pass@example.com/")]`, `["https user:pass * example.com  / * *","https user pass example.com  / * *"]`},
		{`shape("https://example.com?foo")`, `"https * * example.com  / foo *"`},
		{`shape("https://example.com#foo")`, `"https * * example.com  /  foo"`},
		{`shape("http{s}?://*.example.com/books/:id(\\d+)")`, `"http{s}? * * *.example.com  /books/:id(\\d+) * *"`},
		{`shape("data\\:foobar")`, `"data * *   foobar * *"`},
		{`shape("https://[\\:\\:1]/")`, `"https * * [\\:\\:1]  / * *"`},
		{`shape("/a/:b", "https://h.test:81/x/y?z")`, `"https * * h.test 81 /a/:b * *"`},
		{`shape("b/:c", "https://h.test/x/y")`, `"https * * h.test  /x/b/:c * *"`},
		{`shape("?q", "https://h.test/x/y")`, `"https * * h.test  /x/y q *"`},
		{`shape("#f", "https://h.test/x/y?z")`, `"https * * h.test  /x/y z f"`},
		{`shape("https://example.com:443/")`, `"https * * example.com  / * *"`},
		{`shape({ protocol: "https", port: "443" })`, `"https * * *  * * *"`},
		{`shape()`, `"* * * * * * * *"`},
		{`shape({ search: "?a", hash: "#b", protocol: "http:" })`, `"http * * * * * a b"`},
		{`shape({ pathname: "/x", baseURL: "https://u:p@h.test/y?a#b" })`, `"https * * h.test  /x * *"`},
		{`shape({ baseURL: "https://h.test/y(1)?a#b" })`, `"https * * h.test  /y\\(1\\) a b"`},
		// Canonical forms.
		{`shape({ protocol: "HTTPS", hostname: "EXAMPLE.com", pathname: "/a/../b c", search: "ü", hash: "ü" })`, `"https * * example.com * /b%20c %C3%BC %C3%BC"`},
		{`shape({ hostname: "bücher.test", username: "ü", password: "\\:" })`, `"* %C3%BC %3A xn--bcher-kva.test * * * *"`},
		{`shape({ pathname: "/a{/:b}?", hostname: "{:sub.}?h.test" })`, `"* * * {:sub.}?h.test * /a/:b? * *"`},
		// 1.6 Generated pattern strings.
		{`["/:a", "/:a?", "/{:a}", "/:a(.*)", "/(.*)", "/*", "/a*", "/:a{b}", "/:a{-x}?", "/(a|b)+", "/([^\\/]+?)", "/{a}", "/{a}?", "/:a\\b", "/{:a}b", "/a:b", "/:a/", "/*{b}?", "{/:x-}y", "/:a.:b"].map((p) => new URLPattern({ pathname: p }).pathname)`,
			`["/:a","/:a?","/{:a}","/:a(.*)","/*","/*","/a*","{/:a}b","/:a{-x}?","/(a|b)+","/([^\\/]+?)","/a","/{a}?","{/:a}b","/{:a}b","/a:b","/:a/","/*{b}?","{/:x-}y","/:a.:b"]`},
		// 2 Matching: names, wildcards, groups, modifiers.
		{`path("/:id", "/1", "/", "/a/b", "/a/")`, `[{"id":"1"},null,null,null]`},
		{`path("/:a/:b?", "/1", "/1/2", "/1/2/3")`, `[{"a":"1"},{"a":"1","b":"2"},null]`},
		{`path("/:a+", "/1", "/1/2/3", "/")`, `[{"a":"1"},{"a":"1/2/3"},null]`},
		{`path("/x/:a*", "/x", "/x/1/2", "/x/")`, `[{},{"a":"1/2"},null]`},
		{`path("/*/x/*", "/a/b/x/c", "/x/")`, `[{"0":"a/b","1":"c"},null]`},
		{`path("/:n(\\d+){.:ext}?", "/12", "/12.png", "/a")`, `[{"n":"12"},{"n":"12","ext":"png"},null]`},
		{`path("/a{b}+c", "/abbc", "/ac")`, `[{},null]`},
		{`path("/:café", "/x")`, `[{"café":"x"}]`},
		{`path("/é", "/é", "/%C3%A9", "/e")`, `[{},{},null]`},
		{`path("\\/\\:x", "/:x")`, `[{}]`},
		{`[new URLPattern({ pathname: "/A" }).test({ pathname: "/a" }), new URLPattern({ pathname: "/A" }, { ignoreCase: true }).test({ pathname: "/a" }), new URLPattern("/A", "https://h.test", { ignoreCase: true }).test("https://h.test/a")]`, `[false,true,true]`},
		{`(() => { const r = new URLPattern("https://*.h.test/:id\\?x=*").exec("https://a.h.test/7?x=y#z"); return [r.inputs, r.hostname, r.pathname, r.search, r.hash, r.port] })()`,
			`[["https://a.h.test/7?x=y#z"],{"input":"a.h.test","groups":{"0":"a"}},{"input":"/7","groups":{"id":"7"}},{"input":"x=y","groups":{"0":"y"}},{"input":"z","groups":{"0":"z"}},{"input":"","groups":{}}]`},
		{`new URLPattern({ pathname: "/a/:x" }).exec("b", "https://h.test/a/").inputs`, `["b","https://h.test/a/"]`},
		{`[new URLPattern({ hostname: "*.h.test" }).test("https://h.test"), new URLPattern({ hostname: "{*.}?h.test" }).test("https://h.test"), new URLPattern("https://h.test/*").test(new URL("https://h.test/x"))]`, `[false,true,true]`},
		{`[new URLPattern({ protocol: "data" }).test("data:x"), new URLPattern({ pathname: "a/:b" }).test({ pathname: "a/c" }), new URLPattern({ protocol: "mailto", pathname: ":user\\@:host" }).exec("mailto:a@b").pathname.groups]`, `[true,true,{"user":"a","host":"b"}]`},
		{`[new URLPattern({ pathname: "/(a)" }).hasRegExpGroups, new URLPattern({ pathname: "/:a*" }).hasRegExpGroups, new URLPattern({ hash: "(x)" }).hasRegExpGroups]`, `[true,false,true]`},
		{`[new URLPattern().test("no url"), new URLPattern().exec({ baseURL: "no url" }), new URLPattern({ port: "80" }).test({ protocol: "http", port: "80" })]`, `[false,null,false]`},
		// 3 What is refused.
		{`[refused("/x"), refused("(", "https://h.test"), refused({ pathname: "/:a/:a" }), refused({ pathname: "/(" }), refused({ pathname: "/()" }), refused({ pathname: "/(?x)" }), refused({ pathname: "/((a))" }), refused({ pathname: "/{a" }), refused({ pathname: "/a}" }), refused({ pathname: "/:" }), refused({ pathname: "/\\" }), refused({ pathname: "/(é)" }), refused({ pathname: "/(a[)" }), refused({ port: "99999" }), refused({ hostname: "[x" }), refused({ hostname: "a b" }), refused({ pathname: "/" }, "https://h.test"), refused({ pathname: "/(?<x>a)" }), refused("data:foobar"), refused({ baseURL: "x" })]`,
			`["TypeError","TypeError","TypeError","TypeError","TypeError","TypeError","TypeError","TypeError","TypeError","TypeError","TypeError","TypeError","TypeError","TypeError","TypeError","TypeError","TypeError","TypeError","TypeError","TypeError"]`},
		{`path("/a-b/([a-c]+-x)/:c-:d", "/a-b/a-x/1-2", "/a-b/d-x/1-2")`, `[{"0":"a-x","c":"1","d":"2"},null]`},
		{`path("/([[a-z]&&[aeiou]])", "/a", "/b")`, `[{"0":"a"},null]`},
		{`(() => { try { new URLPattern().exec({}, "https://h.test") } catch (e) { return e.name } })()`, `"TypeError"`},
		{`[String(new URLPattern()), URLPattern.length, Object.keys(URLPattern.prototype)]`, `["[object URLPattern]",0,["test","exec","protocol","username","password","hostname","port","pathname","search","hash","hasRegExpGroups"]]`},
	} {
		w.expect(c.code, nil, c.want)
	}
}
