// Chat completions: whole, streamed, tools, structured output.
import { zodFunction, zodResponseFormat } from "openai/helpers/zod";
import { ChatCompletionStream } from "openai/lib/ChatCompletionStream";
import { z } from "zod";
import { check, collect, failure, type Programs } from "../../harness.ts";
import { client, weatherTool } from "./client.ts";

const messages = [{ role: "user" as const, content: "say one two three four" }];
const trip = z.object({ city: z.string(), days: z.number().int(), stops: z.array(z.string()), note: z.string().nullable() });
const plan = [{ role: "user" as const, content: 'Plan 5 days in the city "Lisbon"' }];

export const chat: Programs = {
  async "chat-create"(t) {
    const completion = await client(t).chat.completions.create({
      model: "test-model", messages: [{ role: "developer", content: "The library closes at six." }, { role: "user", content: "When does the library close?" }], n: 2, max_completion_tokens: 50,
    });
    check(completion.choices.length === 2 && completion.choices[1]!.message.content!.includes("closes at six"), "two answers from the context", completion);
    return { completion, request: completion._request_id };
  },

  async "chat-stream"(t) {
    const stream = await client(t).chat.completions.create({ model: "test-model", messages, stream: true, stream_options: { include_usage: true } });
    const chunks = await collect(stream);
    check(chunks.map((c) => c.choices[0]?.delta.content ?? "").join("") === "one two three four", "the whole text", chunks);
    check(chunks.at(-1)!.usage!.completion_tokens === 4, "usage comes last", chunks.at(-1));
    return chunks;
  },

  async "chat-stream-helper"(t) {
    const seen: Record<string, number> = {};
    const stream = client(t).chat.completions.stream({ model: "test-model", messages });
    for (const name of ["connect", "chunk", "content", "content.delta", "content.done", "message", "finalContent", "finalMessage", "finalChatCompletion", "end", "error"] as const) {
      stream.on(name as any, () => { seen[name] = (seen[name] ?? 0) + 1; });
    }
    const content = await stream.finalContent();
    check(content === "one two three four" && seen.end === 1 && !seen.error, "content and events", content, seen);
    return { content, seen, usage: await stream.totalUsage(), completion: await stream.finalChatCompletion() };
  },

  // A server that sends the stream on, and a client that reads it again.
  "chat-stream-relay": {
    requests: [{}],
    async run(t) {
      const stream = await client(t).chat.completions.create({ model: "test-model", messages, stream: true });
      return new Response(stream.toReadableStream(), { headers: { "content-type": "text/plain" } });
    },
  },

  async "chat-stream-from-readable"(t) {
    const stream = await client(t).chat.completions.create({ model: "test-model", messages, stream: true });
    const again = ChatCompletionStream.fromReadableStream(stream.toReadableStream());
    const content = await again.finalContent();
    check(content === "one two three four", "the stream survives the way through lines", content);
    return content;
  },

  async "chat-stream-tee"(t) {
    const [left, right] = (await client(t).chat.completions.create({ model: "test-model", messages, stream: true })).tee();
    const [a, b] = await Promise.all([collect(left), collect(right)]);
    check(a.length === b.length && a.length > 4, "both sides get all chunks");
    return a.length;
  },

  async "chat-tool-calls"(t) {
    const question = { role: "user" as const, content: "What is the weather in Paris and Rome?" };
    const first = await client(t).chat.completions.create({ model: "test-model", messages: [question], tools: [weatherTool], parallel_tool_calls: true });
    const calls = first.choices[0]!.message.tool_calls!;
    check(calls.length === 2, "one call a city", calls);
    const results = calls.map((c) => ({ role: "tool" as const, tool_call_id: c.id, content: `dry in ${JSON.parse((c as any).function.arguments).city}` }));
    const second = await client(t).chat.completions.create({ model: "test-model", messages: [question, first.choices[0]!.message, ...results], tools: [weatherTool] });
    return { calls, answer: second.choices[0]!.message };
  },

  async "chat-run-tools"(t) {
    const called: unknown[] = [];
    const runner = client(t).chat.completions.runTools({
      model: "test-model", messages: [{ role: "user", content: 'What is the weather in "Oslo"?' }],
      tools: [{ type: "function", function: { name: "get_weather", description: "the weather of a city", parameters: { type: "object", properties: { city: { type: "string" } }, required: ["city"] } as any, parse: JSON.parse, function: async (args: any) => { called.push(args); return `clear over ${args.city}`; } } }],
    });
    const events: string[] = [];
    runner.on("message", (m) => { events.push(m.role); });
    const content = await runner.finalContent();
    check(content!.includes("clear over Oslo"), "the tool's result is in the answer", content);
    return { content, called, events, usage: await runner.totalUsage(), messages: runner.messages };
  },

  async "chat-run-tools-stream"(t) {
    const runner = client(t).chat.completions.runTools({
      model: "test-model", stream: true, messages: [{ role: "user", content: 'What is the weather in "Oslo"?' }],
      tools: [zodFunction({ name: "get_weather", description: "the weather of a city", parameters: z.object({ city: z.string() }), function: ({ city }) => `clear over ${city}` })],
    });
    let chunks = 0;
    const results: string[] = [];
    runner.on("chunk", () => { chunks++; }).on("functionToolCallResult", (r) => { results.push(r); });
    const content = await runner.finalContent();
    check(content!.includes("clear over Oslo") && results.length === 1, "streamed with the tool", content, results);
    return { content, chunks, results };
  },

  async "chat-run-tools-throws"(t) {
    const runner = client(t).chat.completions.runTools({
      model: "test-model", messages: [{ role: "user", content: 'What is the weather in "Oslo"?' }],
      tools: [{ type: "function", function: { name: "get_weather", description: "the weather", parameters: { type: "object", properties: { city: { type: "string" } } } as any, parse: JSON.parse, function: () => { throw new Error("no station"); } } }],
    });
    const e = await failure(() => runner.finalContent());
    check(e.message === "no station" && runner.errored, "the error of the function ends the run", e);
    return [e.constructor.name, e.cause?.message];
  },

  async "chat-parse"(t) {
    const completion = await client(t).chat.completions.parse({ model: "test-model", messages: plan, response_format: zodResponseFormat(trip, "trip") });
    const { parsed } = completion.choices[0]!.message;
    check(parsed?.city === "Lisbon" && parsed.days === 5, "a parsed object", parsed);
    return parsed;
  },

  async "chat-parse-stream"(t) {
    const partial: unknown[] = [];
    const stream = client(t).chat.completions.stream({ model: "test-model", messages: plan, response_format: zodResponseFormat(trip, "trip") }).on("content.delta", ({ parsed }) => { partial.push(parsed); });
    const completion = await stream.finalChatCompletion();
    check(partial.length > 3 && completion.choices[0]!.message.parsed?.city === "Lisbon", "partial objects, then the whole", partial.length);
    return { partial, parsed: completion.choices[0]!.message.parsed };
  },

  async "chat-parse-limits"(t) {
    const cut = await failure(() => client(t).chat.completions.parse({ model: "test-model", messages: plan, response_format: zodResponseFormat(trip, "trip"), max_completion_tokens: 3 }));
    const refused = await client(t).chat.completions.parse({ model: "test-model", messages: [{ role: "user", content: "refuse: I cannot help with that" }], response_format: zodResponseFormat(trip, "trip") });
    check(cut.constructor.name === "LengthFinishReasonError" && refused.choices[0]!.message.refusal, "errors of their own", cut, refused.choices[0]);
    return { cut: cut.message, refused: refused.choices[0]!.message };
  },

  async "chat-image"(t) {
    const completion = await client(t).chat.completions.create({
      model: "test-model", messages: [{ role: "user", content: [{ type: "text", text: "What is 1+1?" }, { type: "image_url", image_url: { url: "data:image/png;base64,iVBORw0KGgo=", detail: "low" } }] }],
    });
    return completion.choices[0]!.message.content;
  },
};
