// ollama/browser: https://github.com/ollama/ollama-js
import { Ollama } from "ollama/browser";
import { check, collect, failure, seen, suite, until, type Test } from "../harness.ts";

const client = (t: Test) => new Ollama({ host: t.model });
const model = "test-model";
const weather = { type: "function", function: { name: "get_weather", description: "the weather of a city", parameters: { type: "object", properties: { city: { type: "string" } }, required: ["city"] } } };
const timeless = (r: any) => ({ ...r, created_at: undefined });

export default suite("ollama", {
  async chat(t) {
    const response = await client(t).chat({ model, messages: [{ role: "system", content: "The museum opens at nine." }, { role: "user", content: "When does the museum open?" }], options: { num_predict: 50 } });
    check(response.message.content.includes("opens at nine") && response.done, "the answer cites the system message", response);
    return timeless(response);
  },

  async "chat-stream"(t) {
    const parts = await collect(await client(t).chat({ model, messages: [{ role: "user", content: "say one zwölf three" }], stream: true }));
    check(parts.map((p) => p.message.content).join("") === "one zwölf three" && parts.at(-1)!.done, "the whole text", parts);
    return parts.map(timeless);
  },

  async "odd-framing"(t) {
    const parts = await collect(await client(t).chat({ model: "test-model;fault=utf8,frames", messages: [{ role: "user", content: "say one two" }], stream: true }));
    return parts.map((p) => p.message.content);
  },

  async generate(t) {
    const whole = await client(t).generate({ model, prompt: "What is 6*7?", images: [new Uint8Array([1, 2, 3])] });
    const parts = await collect(await client(t).generate({ model, prompt: "say one two", stream: true }));
    check(whole.response.includes("42") && parts.length === 3, "whole and streamed", whole, parts);
    return { whole: timeless(whole), parts: parts.map((p) => p.response) };
  },

  async tools(t) {
    const messages: any[] = [{ role: "user", content: 'What is the weather in "Oslo"?' }];
    const first = await client(t).chat({ model, messages, tools: [weather] });
    const [call] = first.message.tool_calls!;
    messages.push(first.message, { role: "tool", tool_name: call!.function.name, content: `clear over ${call!.function.arguments.city}` });
    const second = await client(t).chat({ model, messages, tools: [weather] });
    check(second.message.content.includes("clear over Oslo"), "the result is used", second.message);
    return [first.message, second.message];
  },

  async structured(t) {
    const response = await client(t).chat({ model, messages: [{ role: "user", content: 'The person "Ada" of age 36' }], format: { type: "object", properties: { name: { type: "string" }, age: { type: "integer" } }, required: ["name", "age"] } });
    check(JSON.parse(response.message.content).name === "Ada", "JSON by the schema", response.message);
    return response.message.content;
  },

  async embed(t) {
    const { embeddings } = await client(t).embed({ model: "test-embedding", input: ["a boat", "a cake"], dimensions: 16 } as any);
    return embeddings.map((e) => e.map((v) => Math.round(v * 1e6) / 1e6));
  },

  async list(t) {
    return (await client(t).list()).models.map((m) => [m.name, m.details]);
  },

  async errors(t) {
    const missing = await failure(() => client(t).chat({ model: "test-model;fault=404", messages: [{ role: "user", content: "x" }] }));
    const broken = await failure(async () => collect(await client(t).chat({ model: "test-model;fault=error@1", messages: [{ role: "user", content: "say one two" }], stream: true })));
    return [missing, broken].map((e) => [e.name, e.status_code, e.message]);
  },

  async abort(t) {
    const ollama = client(t);
    let count = 0;
    const e = await failure(async () => {
      for await (const _ of await ollama.chat({ model: "test-model;tokens=500;delay=20ms", messages: [{ role: "user", content: "x" }], stream: true })) if (++count === 4) ollama.abort();
    });
    check(e.name === "AbortError" && count < 20, "it ends soon", e, count);
    await until(async () => (await seen(t))[0].outcome === "cancelled");
    return e.name;
  },
});
