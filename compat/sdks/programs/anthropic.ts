// Anthropic SDK: https://github.com/anthropics/anthropic-sdk-typescript
import Anthropic from "@anthropic-ai/sdk";
import { betaZodTool } from "@anthropic-ai/sdk/helpers/beta/zod";
import { zodOutputFormat } from "@anthropic-ai/sdk/helpers/zod";
import { z } from "zod";
import { check, collect, failure, seen, suite, until, type Test } from "../harness.ts";

const client = (t: Test, options: object = {}) => new Anthropic({ apiKey: "key", baseURL: t.model, maxRetries: 0, ...options });
const say = (content: any) => ({ model: "test-model", max_tokens: 200, messages: [{ role: "user" as const, content }] });
const weather: Anthropic.Tool = { name: "get_weather", description: "the weather of a city", input_schema: { type: "object", properties: { city: { type: "string" } }, required: ["city"] } };
const about = (e: any) => ({ class: e.constructor.name, status: e.status, message: e.message, error: e.error, request: e.requestID });

export default suite("anthropic", {
  async create(t) {
    const message = await client(t).messages.create({ ...say("When does the museum open?"), system: [{ type: "text", text: "The museum opens at nine." }], stop_sequences: ["never"] });
    check(message.content[0]!.type === "text" && message.content[0]!.text.includes("opens at nine"), "the answer cites the system prompt", message);
    return { message, request: message._request_id };
  },

  async stream(t) {
    const events = await collect(await client(t).messages.create({ ...say("say one two three"), stream: true }));
    check(events.map((e) => e.type).join().startsWith("message_start,content_block_start,"), "the events in order", events);
    return events;
  },

  async "stream-helper"(t) {
    const log: unknown[] = [];
    const stream = client(t).messages.stream(say("say one two three"))
      .on("connect", () => log.push("connect")).on("text", (delta, snapshot) => log.push([delta, snapshot])).on("contentBlock", (b) => log.push(b)).on("message", (m) => log.push(m.stop_reason)).on("end", () => log.push("end"));
    const message = await stream.finalMessage();
    check(await stream.finalText() === "one two three" && log.at(-1) === "end", "text and events", log);
    return { log, usage: message.usage };
  },

  "stream-relay": {
    requests: [{}],
    run: (t) => new Response(client(t).messages.stream(say("say one two three")).toReadableStream()),
  },

  async tools(t) {
    const question = { role: "user" as const, content: "What is the weather in Paris and Rome?" };
    const first = await client(t).messages.create({ model: "test-model", max_tokens: 200, messages: [question], tools: [weather] });
    const uses = first.content.filter((b) => b.type === "tool_use");
    check(first.stop_reason === "tool_use" && uses.length === 2, "one use a city", first);
    const second = await client(t).messages.create({
      model: "test-model", max_tokens: 200, tools: [weather],
      messages: [question, { role: "assistant", content: first.content }, { role: "user", content: uses.map((u) => ({ type: "tool_result", tool_use_id: u.id, content: `dry in ${(u.input as any).city}` })) }],
    });
    return { first: first.content, second: second.content };
  },

  async "tools-stream"(t) {
    const partial: string[] = [];
    const stream = client(t).messages.stream({ ...say('What is the weather in "Oslo"?'), tools: [weather] }).on("inputJson", (json) => { partial.push(json); });
    const message = await stream.finalMessage();
    check(JSON.stringify((message.content[0] as any).input) === '{"city":"Oslo"}' && partial.length > 1, "the input is put together", partial);
    return { partial, content: message.content };
  },

  async "tool-runner"(t) {
    const runner = client(t).beta.messages.toolRunner({
      ...say('What is the weather in "Oslo"?'),
      tools: [betaZodTool({ name: "get_weather", description: "the weather of a city", inputSchema: z.object({ city: z.string() }), run: ({ city }) => `clear over ${city}` })],
    });
    const messages = await collect(runner);
    check(messages.length === 2 && JSON.stringify(messages[1]!.content).includes("clear over Oslo"), "two turns", messages);
    return messages.map((m) => [m.stop_reason, m.content]);
  },

  async structured(t) {
    const message = await client(t).messages.parse({ ...say('The person "Ada" of age 36'), output_config: { format: zodOutputFormat(z.object({ name: z.string(), age: z.number().int() })) } });
    check(message.parsed_output?.name === "Ada", "a parsed object", message);
    return message.parsed_output;
  },

  async images(t) {
    const message = await client(t).messages.create(say([{ type: "image", source: { type: "base64", media_type: "image/png", data: "iVBORw0KGgo=" } }, { type: "text", text: "What is 1+1?" }]));
    return message.content;
  },

  async "count-tokens"(t) {
    return client(t).messages.countTokens({ model: "test-model", messages: say("say one two three").messages, tools: [weather] });
  },

  async errors(t) {
    const expected = { 400: Anthropic.BadRequestError, 401: Anthropic.AuthenticationError, 403: Anthropic.PermissionDeniedError, 404: Anthropic.NotFoundError, 422: Anthropic.UnprocessableEntityError, 429: Anthropic.RateLimitError, 529: Anthropic.InternalServerError };
    const errors: unknown[] = [];
    for (const [status, type] of Object.entries(expected)) {
      const e = await failure(() => client(t).messages.create({ ...say("x"), model: `test-model;fault=${status}` }));
      check(e instanceof type && e instanceof Anthropic.APIError, `the class of ${status}`, e);
      errors.push(about(e));
    }
    const missing = await failure(() => client(t).messages.create({ model: "test-model", messages: [] } as any));
    return [...errors, about(missing)];
  },

  async retries(t) {
    const message = await client(t, { maxRetries: 3 }).messages.create({ ...say("say fine"), model: "test-model;fault=529x1,503x1/5ms" });
    check((await seen(t)).length === 3, "the third attempt succeeds", (await seen(t)).length);
    return message.content;
  },

  async "stream-error"(t) {
    const e = await failure(() => client(t).messages.stream({ ...say("say one two three"), model: "test-model;fault=error@2" }).finalMessage());
    return about(e);
  },

  async abort(t) {
    const stream = client(t).messages.stream({ ...say("x"), max_tokens: 500, model: "test-model;tokens=500;delay=20ms" });
    let count = 0;
    stream.on("text", () => { if (++count === 4) stream.abort(); });
    const e = await failure(() => stream.done());
    check(e instanceof Anthropic.APIUserAbortError && count < 20, "it ends soon", e, count);
    await until(async () => (await seen(t))[0].outcome === "cancelled");
    return [e.message, stream.aborted];
  },
});
