package agentrt_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"mime/multipart"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/agentrt/agentrt/agentrt"
	"github.com/agentrt/agentrt/agentrt/loader"
	"github.com/agentrt/agentrt/compat/modelserver"
	"github.com/agentrt/agentrt/internal/apptest"
)

// build bundles functions as the command does.
func build(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	sources := map[string]string{}
	for name, text := range files {
		sources["src/"+name] = text
	}
	if err := apptest.Write(dir, sources); err != nil {
		t.Fatal(err)
	}
	bundle, err := loader.Load(t.Context(), dir, agentrt.LoaderOptions())
	if err != nil {
		t.Fatal(err)
	}
	if err := bundle.Write(filepath.Join(dir, "dist")); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(dir, "dist")
}

// upload deploys a dist folder; change may damage a file on the way.
func (a *app) upload(dist, token string, change func(name string, data []byte) []byte) reply {
	a.t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	for _, name := range agentrt.BundleFiles {
		data, err := os.ReadFile(filepath.Join(dist, name))
		if err != nil {
			a.t.Fatal(err)
		}
		if change != nil {
			data = change(name, data)
		}
		part, err := form.CreateFormFile(name, name)
		if err != nil {
			a.t.Fatal(err)
		}
		part.Write(data)
	}
	form.Close()
	return a.do(http.MethodPost, "/../agentrt/deployments", body.String(), "Authorization", token, "Content-Type", form.FormDataContentType())
}

func answering(text string) map[string]string {
	return map[string]string{"routes/v.ts": `export const GET = () => new Response("` + text + `");`}
}

func TestDeploy(t *testing.T) {
	a := newApp(t, answering("from the folder"))
	token := a.superuser()
	one, two := build(t, answering("one")), build(t, answering("two"))
	var first struct{ Version string }
	t.Run("needs a superuser", func(t *testing.T) {
		if r := a.upload(one, "", nil); r.status != 401 {
			t.Errorf("%d %s", r.status, r.body)
		}
	})
	t.Run("switches", func(t *testing.T) {
		r := a.upload(one, token, nil)
		if err := json.Unmarshal([]byte(r.body), &first); err != nil || r.status != 200 {
			t.Fatalf("%d %s", r.status, r.body)
		}
		if got := a.get("/v").body; got != "one" {
			t.Errorf("answer %q", got)
		}
		if r := a.upload(two, token, nil); r.status != 200 || a.get("/v").body != "two" {
			t.Errorf("%d %s", r.status, r.body)
		}
	})
	for _, s := range []struct {
		name, want string
		dist       string
		change     func(name string, data []byte) []byte
	}{
		{name: "damaged code", want: "bundle.js", dist: one, change: func(name string, data []byte) []byte {
			if name == "bundle.js" {
				return append(data, '\n')
			}
			return data
		}},
		{name: "no manifest", want: "manifest", dist: one, change: func(name string, data []byte) []byte {
			if name == "manifest.json" {
				return []byte("{")
			}
			return data
		}},
		{name: "an exception at the top level", want: "src/routes/bad.ts:2", dist: build(t, map[string]string{"routes/bad.ts": "const missing: any = undefined;\nexport const GET = missing.handler;"})},
		{name: "I/O at the top level", want: "Move the call into a handler", dist: build(t, map[string]string{"routes/bad.ts": `await fetch("https://example.com"); export const GET = () => new Response("");`})},
		{name: "a timer at the top level", want: "move it into a handler", dist: build(t, map[string]string{"routes/bad.ts": `setInterval(() => {}, 1000); export const GET = () => new Response("");`})},
		{name: "no handler", want: "src/routes/bad.ts exports no handler", dist: build(t, map[string]string{"routes/bad.ts": `export const get = () => new Response("");`})},
		{name: "more memory than there is", want: "at most 128 MiB here", dist: build(t, map[string]string{"routes/bad.ts": `export const config = { memory: "200MB" }; export const GET = () => new Response("");`})},
		{name: "a wrong config", want: "config.timout is unknown", dist: build(t, map[string]string{"routes/bad.ts": `export const config = { timout: "1s" }; export const GET = () => new Response("");`})},
	} {
		t.Run(s.name, func(t *testing.T) {
			r := a.upload(s.dist, token, s.change)
			if r.status != 400 || !strings.Contains(r.body, s.want) {
				t.Errorf("%d %s lacks %q", r.status, r.body, s.want)
			}
			if got := a.get("/v").body; got != "two" {
				t.Errorf("the former version does not answer: %q", got)
			}
		})
	}
	t.Run("back to a former version", func(t *testing.T) {
		r := a.do(http.MethodPost, "/../agentrt/deployments/"+first.Version+"/activate", "", "Authorization", token)
		if r.status != 200 || a.get("/v").body != "one" {
			t.Errorf("%d %s", r.status, r.body)
		}
		if r := a.do(http.MethodPost, "/../agentrt/deployments/000000000000/activate", "", "Authorization", token); r.status != 404 {
			t.Errorf("an unknown version: %d %s", r.status, r.body)
		}
		list := a.do(http.MethodGet, "/../agentrt/deployments", "", "Authorization", token).body
		if strings.Count(list, `"version"`) != 2 || !strings.Contains(list, `"version":"`+first.Version+`"`) {
			t.Errorf("list %s", list)
		}
	})
}

func TestDeploymentSurvivesRestart(t *testing.T) {
	dir := t.TempDir()
	start := func() *app {
		a, err := apptest.Start(dir, map[string]string{"src/routes/v.ts": answering("folder")["routes/v.ts"]}, agentrt.Config{CacheDir: cacheDir}, nil)
		if err != nil {
			t.Fatal(err)
		}
		return &app{a, t}
	}
	a := start()
	if r := a.upload(build(t, answering("deployed")), a.superuser(), nil); r.status != 200 {
		t.Errorf("%d %s", r.status, r.body)
	}
	if err := a.Stop(); err != nil {
		t.Fatal(err)
	}
	a = start()
	if got := a.get("/v").body; got != "deployed" {
		t.Errorf("after the restart: %q", got)
	}
	if err := a.Stop(); err != nil {
		t.Fatal(err)
	}
}

func TestLoadErrorsKeepTheServer(t *testing.T) {
	for _, s := range []struct{ name, source, want string }{
		{"syntax", "export const GET = () => {\n  return new Response(\"a\";\n};", "src/routes/bad.ts:2:"},
		{"missing import", "import { a } from \"./nowhere.ts\";\nexport const GET = () => new Response(a);", "nowhere"},
		{"missing package", "import x from \"left-pad-of-mine\";\nexport const GET = () => new Response(x);", "npm install left-pad-of-mine"},
	} {
		t.Run(s.name, func(t *testing.T) {
			a := newApp(t, map[string]string{"routes/bad.ts": s.source})
			if r := a.get("/bad"); r.status != 503 {
				t.Errorf("%d %s", r.status, r.body)
			}
			if r := a.do(http.MethodGet, "/../health", ""); r.status != 200 {
				t.Errorf("PocketBase itself: %d", r.status)
			}
			dir := t.TempDir()
			if err := apptest.Write(dir, map[string]string{"src/routes/bad.ts": s.source}); err != nil {
				t.Fatal(err)
			}
			if _, err := loader.Load(t.Context(), dir, loader.Options{}); err == nil || !strings.Contains(err.Error(), s.want) {
				t.Errorf("error %v lacks %q", err, s.want)
			}
		})
	}
}

func TestWatchReloads(t *testing.T) {
	dir := t.TempDir()
	a, err := apptest.Start(dir, map[string]string{"src/routes/v.ts": answering("before")["routes/v.ts"]}, agentrt.Config{CacheDir: cacheDir, Watch: true}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := a.Stop(); err != nil {
			t.Error(err)
		}
	}()
	b := &app{a, t}
	write := func(text string) {
		if err := apptest.Write(filepath.Join(dir, "pb_serverless"), map[string]string{"src/routes/v.ts": text}); err != nil {
			t.Fatal(err)
		}
	}
	write(answering("after")["routes/v.ts"])
	eventually(t, func() bool { return b.get("/v").body == "after" }, func() string { return "the change is not seen" })
	shared := func(text string) {
		if err := apptest.Write(dir, map[string]string{"shared/text.ts": text}); err != nil {
			t.Fatal(err)
		}
	}
	shared(`export const text = "shared";`)
	write(`import { text } from "../../../shared/text.ts"; export const GET = () => new Response(text);`)
	for _, text := range []string{"shared", "changed", "mended"} {
		eventually(t, func() bool { return b.get("/v").body == text }, func() string { return "the helper module's " + text + " is not seen" })
		if text == "changed" {
			shared("export const text = ((")
			time.Sleep(500 * time.Millisecond)
			shared(`export const text = "mended";`)
		} else if text == "shared" {
			shared(`export const text = "changed";`)
		}
	}
	write(answering("after")["routes/v.ts"])
	eventually(t, func() bool { return b.get("/v").body == "after" }, func() string { return "the change is not seen" })
	write("export const GET = ((")
	time.Sleep(time.Second)
	if got := b.get("/v").body; got != "after" {
		t.Errorf("a broken file stopped the former version: %q", got)
	}
}

func TestDeploysWhileStreaming(t *testing.T) {
	const streams, deploys, tokens = 50, 100, 150
	_, use := newModel(t, modelserver.Config{Tokens: tokens, Delay: 20 * time.Millisecond})
	files := map[string]string{"routes/chat.ts": strings.Replace(chatRoute, "new Response(upstream.body,", "new Response(upstream.body!.pipeThrough(new TransformStream()),", 1)}
	a := newApp(t, files, use)
	token := a.superuser()
	dists := []string{build(t, with(files, "routes/a.ts", answering("a")["routes/v.ts"])), build(t, with(files, "routes/b.ts", answering("b")["routes/v.ts"]))}
	var work sync.WaitGroup
	for range streams {
		work.Go(func() {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, a.Functions+"/chat", strings.NewReader(question))
			if err != nil {
				t.Error(err)
				return
			}
			res, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Error(err)
				return
			}
			defer res.Body.Close()
			text, err := io.ReadAll(res.Body)
			if n := bytes.Count(text, []byte(`"content":`)); err != nil || n < tokens || !bytes.HasSuffix(text, []byte("[DONE]\n\n")) {
				t.Errorf("a stream broke: %d tokens, %v", n, err)
			}
		})
	}
	for k := range deploys {
		if r := a.upload(dists[k%2], token, nil); r.status != 200 {
			t.Fatalf("deploy %d: %d %s", k, r.status, r.body)
		}
	}
	work.Wait()
	eventually(t, func() bool { return a.running() == 0 }, func() string { return "an instance is not freed" })
}

func with(files map[string]string, name, text string) map[string]string {
	all := map[string]string{name: text}
	for k, v := range files {
		all[k] = v
	}
	return all
}

func TestShutdownLetsStreamsEnd(t *testing.T) {
	a, err := apptest.Start(t.TempDir(), map[string]string{"src/routes/ticks.ts": routes["routes/ticks.ts"]}, agentrt.Config{CacheDir: cacheDir}, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := a.Get(context.Background(), "/ticks")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	stopped := make(chan error, 1)
	go func() { stopped <- a.Stop() }()
	text, err := io.ReadAll(res.Body)
	if want := "tick 0\ntick 1\ntick 2\n"; err != nil || string(text) != want {
		t.Errorf("%q %v", text, err)
	}
	if err := <-stopped; err != nil {
		t.Error(err)
	}
}

func TestShutdownDeadline(t *testing.T) {
	a, err := apptest.Start(t.TempDir(), map[string]string{
		"src/routes/forever.ts": `export const GET = () => new Response(new ReadableStream({ async pull(c) { await new Promise((r) => setTimeout(r, 20)); c.enqueue(new Uint8Array(1)); } }));`,
	}, agentrt.Config{CacheDir: cacheDir, ShutdownTimeout: 200 * time.Millisecond}, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := a.Get(context.Background(), "/forever")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	stopped := make(chan error, 1)
	go func() { stopped <- a.Stop() }()
	if _, err := io.ReadAll(res.Body); err == nil {
		t.Error("the stream ended as if it were complete")
	}
	if err := <-stopped; err != nil {
		t.Error(err)
	}
}
