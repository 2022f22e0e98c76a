package loader_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/agentrt/agentrt/agentrt/loader"
)

func router(t testing.TB, patterns ...string) *loader.Router {
	t.Helper()
	var routes []loader.Route
	for _, p := range patterns {
		routes = append(routes, loader.Route{Pattern: p, File: "file of " + p})
	}
	r, err := loader.NewRouter(routes)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestRouter(t *testing.T) {
	r := router(t, "/", "/hello", "/feed.xml", "/a b", "/users/{id}", "/users/me", "/users/{id}/posts", "/users/me/settings",
		"/files/{path...}", "/files/readme", "/files/{name}/meta", "/docs/{path...?}", "/docs/intro", "/opt", "/opt/{rest...?}",
		"/deep/{a}/{b}/end", "/deep/x/{b}/other", "/deep/{all...}")
	for _, c := range []struct{ path, pattern, params string }{
		{"/", "/", `{}`},
		{"", "/", `{}`},
		{"/hello", "/hello", `{}`},
		{"/hello/", "/hello", `{}`},
		{"/hello//", "", ``},
		{"//hello", "", ``},
		{"/h%65llo", "/hello", `{}`},
		{"/HELLO", "", ``},
		{"/hell", "", ``},
		{"/hello/x", "", ``},
		{"/feed.xml", "/feed.xml", `{}`},
		{"/a%20b", "/a b", `{}`},
		{"/users", "", ``},
		{"/users/", "", ``},
		{"/users/7", "/users/{id}", `{"id":"7"}`},
		{"/users/7/", "/users/{id}", `{"id":"7"}`},
		{"/users/a%2Fb", "/users/{id}", `{"id":"a/b"}`},
		{"/users/%C3%A9", "/users/{id}", `{"id":"é"}`},
		{"/users/%zz", "", ``},
		{"/users/+", "/users/{id}", `{"id":"+"}`},
		{"/users/me", "/users/me", `{}`},
		{"/users/me/settings", "/users/me/settings", `{}`},
		{"/users/me/posts", "/users/{id}/posts", `{"id":"me"}`},
		{"/users//posts", "", ``},
		{"/files", "", ``},
		{"/files/", "", ``},
		{"/files/a", "/files/{path...}", `{"path":["a"]}`},
		{"/files/a/b%2Fc/d", "/files/{path...}", `{"path":["a","b/c","d"]}`},
		{"/files/a/%zz", "", ``},
		{"/files/a//b", "/files/{path...}", `{"path":["a","","b"]}`},
		{"/files/readme", "/files/readme", `{}`},
		{"/files/readme/x", "/files/{path...}", `{"path":["readme","x"]}`},
		{"/files/x/meta", "/files/{name}/meta", `{"name":"x"}`},
		{"/files/x/meta/y", "/files/{path...}", `{"path":["x","meta","y"]}`},
		{"/docs", "/docs/{path...?}", `{"path":[]}`},
		{"/docs/", "/docs/{path...?}", `{"path":[]}`},
		{"/docs/a/b", "/docs/{path...?}", `{"path":["a","b"]}`},
		{"/docs/intro", "/docs/intro", `{}`},
		{"/opt", "/opt", `{}`},
		{"/opt/x", "/opt/{rest...?}", `{"rest":["x"]}`},
		{"/deep/x/y/other", "/deep/x/{b}/other", `{"b":"y"}`},
		{"/deep/x/y/end", "/deep/{a}/{b}/end", `{"a":"x","b":"y"}`},
		{"/deep/x/y/none", "/deep/{all...}", `{"all":["x","y","none"]}`},
	} {
		route, params, ok := r.Match(c.path)
		if !ok {
			if c.pattern != "" {
				t.Errorf("%s matches nothing, want %s", c.path, c.pattern)
			}
			continue
		}
		got, err := json.Marshal(params)
		if err != nil {
			t.Fatal(err)
		}
		if route.Pattern != c.pattern || string(got) != c.params {
			t.Errorf("%s: got %s %s, want %s %s", c.path, route.Pattern, got, c.pattern, c.params)
		}
	}
}

func TestRouterErrors(t *testing.T) {
	for _, c := range []struct {
		patterns []string
		want     string
	}{
		{[]string{"/a", "/a"}, "file 0 and file 1 are the same route /a"},
		{[]string{"/{a}", "/{b}/c"}, "file 0 and file 1 name the parameter at one place differently, [a] and [b]"},
		{[]string{"/x/{a...}", "/x/{b...?}"}, "file 0 and file 1 are the same route"},
		{[]string{"a"}, "does not start with /"},
		{[]string{"/{a...}/b"}, "malformed"},
		{[]string{"/a//b"}, "malformed"},
		{[]string{"/{}"}, "malformed parameter"},
	} {
		var routes []loader.Route
		for i, p := range c.patterns {
			routes = append(routes, loader.Route{Pattern: p, File: fmt.Sprint("file ", i)})
		}
		if _, err := loader.NewRouter(routes); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: got %v, want %s", c.patterns, err, c.want)
		}
	}
}

func BenchmarkRouter(b *testing.B) {
	patterns := []string{"/files/{path...}", "/users/{id}/posts/{post}"}
	for n := range 500 {
		patterns = append(patterns, fmt.Sprintf("/api/v1/resource%d", n))
	}
	r := router(b, patterns...)
	for _, path := range []string{"/api/v1/resource77", "/users/42/posts/7", "/files/a/b/c", "/none"} {
		b.Run(strings.ReplaceAll(path[1:], "/", "_"), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				r.Match(path)
			}
		})
	}
}
