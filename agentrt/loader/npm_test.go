package loader_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"github.com/agentrt/agentrt/agentrt/loader"
	"github.com/agentrt/agentrt/quickjs"
)

// chat uses what an agent uses of the packages in testdata/npm.
var chat = map[string]string{
	"src/routes/chat.ts": `import { openai } from "@ai-sdk/openai";
import { streamText, convertToModelMessages, tool } from "ai";
import { z } from "zod";
export async function POST(req: any) {
	const { messages } = await req.json();
	const now = tool({ inputSchema: z.object({ zone: z.string() }), execute: async () => "noon" });
	return streamText({ model: openai("gpt-4o-mini"), tools: { now }, messages: await convertToModelMessages(messages), abortSignal: req.signal }).toUIMessageStreamResponse();
}`,
	"src/routes/raw.ts": `import OpenAI from "openai";
const client = new OpenAI({ apiKey: "k" });
export const POST = (req: any) => client.chat.completions.create({ model: "m", messages: [], stream: true });`,
	"src/routes/app/[[...path]].ts": `import { Hono } from "hono";
const app = new Hono();
app.get("/", (c) => c.text("hono"));
export default app;`,
	"src/routes/schema.ts": `import { z } from "zod";
const user = z.object({ name: z.string().min(1), age: z.number().optional() });
export const GET = () => [user.safeParse({ name: "a" }).success, user.safeParse({ name: "" }).error?.issues[0].code];`,
}

// npmFolder is where installNPM installed, to be removed at the end.
var npmFolder string

var installNPM = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "agentrt-loader-npm-*")
	if err != nil {
		return "", err
	}
	npmFolder = dir
	for _, name := range []string{"package.json", "package-lock.json"} {
		content, err := os.ReadFile(filepath.Join("testdata", "npm", name))
		if err != nil {
			return "", err
		}
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			return "", err
		}
	}
	cmd := exec.Command("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline")
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w\n%s", err, out)
	}
	return dir, nil
})

// npmProject is the functions folder of chat in a project with the packages installed.
func npmProject(t testing.TB) string {
	t.Helper()
	if testing.Short() {
		t.Skip("-short: installs npm packages")
	}
	if _, err := exec.LookPath("npm"); err != nil {
		t.Fatal("npm is needed to install the packages that this test bundles: install Node.js with npm, or run with -short")
	}
	root, err := installNPM()
	if err != nil {
		t.Fatalf("npm ci of testdata/npm: %v", err)
	}
	dir := filepath.Join(root, "fn")
	for name, content := range chat {
		write(t, filepath.Join(dir, name), content)
	}
	return dir
}

func TestNPM(t *testing.T) {
	dir := npmProject(t)
	b := load(t, dir, shims)
	for _, w := range b.Warnings {
		t.Errorf("warning: %s", w)
	}
	if err := b.SourceMap.Prepare(); err != nil {
		t.Error(err)
	}
	e := newEngine(t)
	code, err := e.Compile(t.Context(), loader.ModuleName, string(b.Code))
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("code %d KiB, map %d KiB, bytecode %d KiB, %d inputs", len(b.Code)>>10, len(sourceMap(t, b))>>10, len(code)>>10, len(b.Inputs))

	i := start(t, e, platformStubs+mount, b)
	r, err := i.Call(t.Context(), "test.js", "run", json.RawMessage(`{"file":"routes/schema.ts","name":"GET"}`), nil)
	if err != nil || string(r.Head) != `[true,"too_small"]` {
		t.Errorf("got %v, %v", r, err)
	}
}

func BenchmarkNPM(b *testing.B) {
	dir := npmProject(b)
	first := load(b, dir, shims)
	raw := sourceMap(b, first)
	minified := load(b, dir, loader.Options{Minify: true, NodeModules: shims.NodeModules, NodeFS: shims.NodeFS})
	b.Run("bundle", func(b *testing.B) {
		for b.Loop() {
			load(b, dir, shims)
		}
		b.ReportMetric(float64(len(first.Code)), "code-B")
		b.ReportMetric(float64(len(raw)), "map-B")
	})
	cached := shims
	cached.CacheDir = b.TempDir()
	load(b, dir, cached)
	b.Run("cached", func(b *testing.B) {
		for b.Loop() {
			load(b, dir, cached)
		}
	})
	b.Run("map", func(b *testing.B) {
		for b.Loop() {
			if err := loader.NewSourceMap(raw).Prepare(); err != nil {
				b.Fatal(err)
			}
		}
	})
	m := loader.NewSourceMap(raw)
	b.Run("stack", func(b *testing.B) {
		for b.Loop() {
			m.Stack("Error: x\n    at a (agentrt:app:20000:5)\n    at b (agentrt:app:12345:5)\n    at c (agentrt:app:300:5)\n    at d (agentrt:app:9000:7)")
		}
	})
	e := newEngine(b)
	for name, code := range map[string][]byte{"readable": first.Code, "minified": minified.Code} {
		bytecode, err := e.Compile(b.Context(), loader.ModuleName, string(code))
		if err != nil {
			b.Fatal(err)
		}
		b.Run(name+"/compile", func(b *testing.B) {
			for b.Loop() {
				if _, err := e.Compile(b.Context(), loader.ModuleName, string(code)); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(len(code)), "code-B")
			b.ReportMetric(float64(len(bytecode)), "bytecode-B")
		})
		for kind, eval := range map[string]func(context.Context, *quickjs.Instance) error{
			"source": func(ctx context.Context, i *quickjs.Instance) error {
				return i.EvalModule(ctx, loader.ModuleName, string(code))
			},
			"bytecode": func(ctx context.Context, i *quickjs.Instance) error {
				return i.EvalBytecode(ctx, loader.ModuleName, bytecode)
			},
		} {
			b.Run(name+"/load-"+kind, func(b *testing.B) {
				for b.Loop() {
					s, err := e.NewSnapshot(b.Context(), func(ctx context.Context, i *quickjs.Instance) error {
						if err := i.EvalModule(ctx, "test.js", platformStubs+mount); err != nil {
							return err
						}
						return eval(ctx, i)
					})
					if err != nil {
						b.Fatal(err)
					}
					s.Close()
				}
			})
		}
	}
}

// platformStubs are the globals that the packages need while they are evaluated.
const platformStubs = `
	for (const name of ["TransformStream", "ReadableStream", "WritableStream", "Headers", "Request", "Response", "URL", "URLSearchParams", "TextEncoder", "TextDecoder", "EventTarget", "Event", "AbortController", "Blob", "File", "FormData", "TextDecoderStream"])
		globalThis[name] ??= class { encode() {} };
	globalThis.process = { env: {} };
	globalThis.fetch = () => {};
	globalThis.crypto = { randomUUID() {} };
`
