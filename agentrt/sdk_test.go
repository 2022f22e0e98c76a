package agentrt_test

import (
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/agentrt/agentrt/agentrt"
	"github.com/agentrt/agentrt/compat/modelserver"
	"github.com/agentrt/agentrt/internal/apptest"
	"github.com/agentrt/agentrt/internal/npmtest"
)

// sdkRoutes are the chat endpoint through the real SDKs, with clients at the top
// level, and a Hono app.
var sdkRoutes = map[string]string{
	"src/routes/ai.ts": `
		import { createOpenAI } from "@ai-sdk/openai";
		import { streamText } from "ai";
		const model = createOpenAI({ baseURL: process.env.OPENAI_BASE_URL, apiKey: process.env.OPENAI_API_KEY }).chat("test-model");
		export async function POST(req: Request) {
			const { messages } = await req.json();
			return streamText({ model, messages, abortSignal: req.signal }).toTextStreamResponse();
		}`,
	"src/routes/ui.ts": `
		import { createOpenAI } from "@ai-sdk/openai";
		import { streamText, tool, stepCountIs } from "ai";
		import { z } from "zod";
		const model = createOpenAI({ baseURL: process.env.OPENAI_BASE_URL, apiKey: process.env.OPENAI_API_KEY }).chat("test-model");
		const weather = tool({ description: "the weather of a city", inputSchema: z.object({ city: z.string() }), execute: async ({ city }) => ({ city, sky: "clear over " + city }) });
		export async function POST(req: Request) {
			const { messages } = await req.json();
			return streamText({ model, messages, tools: { weather }, stopWhen: stepCountIs(3), abortSignal: req.signal }).toUIMessageStreamResponse();
		}`,
	"src/routes/openai.ts": `
		import OpenAI from "openai";
		const client = new OpenAI();
		export async function POST(req: Request) {
			const { messages } = await req.json();
			const stream = await client.chat.completions.create({ model: "test-model", messages, stream: true }, { signal: req.signal });
			const encoder = new TextEncoder();
			return new Response(new ReadableStream({
				async start(c) {
					for await (const part of stream) { const t = part.choices[0]?.delta?.content; if (t) c.enqueue(encoder.encode(t)); }
					c.close();
				},
			}), { headers: { "content-type": "text/plain; charset=utf-8" } });
		}`,
	"src/routes/openai-error.ts": `
		import OpenAI from "openai";
		const client = new OpenAI({ maxRetries: 0 });
		export async function POST(req: Request) {
			try {
				await client.chat.completions.create({ model: "test-model;fault=429", messages: [{ role: "user", content: "x" }] });
			} catch (e) {
				return Response.json([e instanceof OpenAI.RateLimitError, (e as any).status]);
			}
			return new Response("no error");
		}`,
	"src/routes/api/[[...path]].ts": `
		import { Hono } from "hono";
		import { streamSSE } from "hono/streaming";
		import { z } from "zod";
		const app = new Hono().basePath("/api/pb_serverless/api");
		app.get("/items/:id", (c) => c.json({ id: c.req.param("id"), ok: z.string().safeParse(c.req.param("id")).success }));
		app.get("/events", (c) => streamSSE(c, async (s) => { for (let k = 0; k < 3; k++) await s.writeSSE({ data: String(k), id: String(k) }); }));
		app.onError((e, c) => c.text("hono: " + e.message, 500));
		app.get("/fails", () => { throw new Error("inside"); });
		export default app;`,
}

func TestSDKs(t *testing.T) {
	project := npmtest.Install(t, filepath.Join("loader", "testdata", "npm"))
	_, use := newModel(t, modelserver.Config{Delay: 5 * time.Millisecond})
	config := agentrt.Config{CacheDir: cacheDir, FunctionsDir: filepath.Join(project, "pb_serverless")}
	use(&config)
	started, err := apptest.Start(t.TempDir(), sdkRoutes, config, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := started.Stop(); err != nil {
			t.Error(err)
		}
	}()
	a := &app{started, t}
	if _, _, ok := a.Engine.Current(); !ok {
		t.Fatal("the functions were not loaded")
	}
	for _, s := range []struct {
		name, method, path, body string
		contains                 []string
	}{
		{name: "AI SDK text", path: "/ai", body: question, contains: []string{"42"}},
		{name: "openai stream", path: "/openai", body: question, contains: []string{"42"}},
		{name: "openai error class", path: "/openai-error", contains: []string{"[true,429]"}},
		{name: "AI SDK UI messages with a tool", path: "/ui", body: `{"messages":[{"role":"user","content":"What is the weather in the city \"Oslo\"?"}]}`,
			contains: []string{`"type":"tool-input-available"`, `clear over Oslo`, `"type":"text-delta"`, "data: [DONE]"}},
		{name: "Hono", method: "GET", path: "/api/items/7", contains: []string{`{"id":"7","ok":true}`}},
		{name: "Hono events", method: "GET", path: "/api/events", contains: []string{"data: 0\nid: 0\n\ndata: 1\nid: 1\n\ndata: 2"}},
		{name: "Hono error", method: "GET", path: "/api/fails", contains: []string{"hono: inside"}},
		{name: "Hono 404", method: "GET", path: "/api/none", contains: []string{"404 Not Found"}},
	} {
		t.Run(s.name, func(t *testing.T) {
			if s.method == "" {
				s.method = http.MethodPost
			}
			r := a.do(s.method, s.path, s.body, "Content-Type", "application/json")
			for _, want := range s.contains {
				if !strings.Contains(r.body, want) {
					t.Errorf("%d %q lacks %q", r.status, r.body, want)
				}
			}
		})
	}
}
