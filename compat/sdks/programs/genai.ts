// Google Gen AI SDK: https://github.com/googleapis/js-genai
import { ApiError, FunctionCallingConfigMode, GoogleGenAI, Type, createPartFromBase64, createUserContent, mcpToTool, type CallableTool } from "@google/genai";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { check, collect, failure, seen, suite, until, type Test } from "../harness.ts";

const client = (t: Test) => new GoogleGenAI({ apiKey: "key", httpOptions: { baseUrl: t.model } });
const model = "test-model";
const weather = { name: "get_weather", description: "the weather of a city", parameters: { type: Type.OBJECT, properties: { city: { type: Type.STRING } }, required: ["city"] } };
const round = (values: number[] = []) => values.map((v) => Math.round(v * 1e6) / 1e6);

export default suite("genai", {
  async generate(t) {
    const response = await client(t).models.generateContent({ model, contents: "When does the museum open?", config: { systemInstruction: "The museum opens at nine.", maxOutputTokens: 50, temperature: 0 } });
    check(response.text!.includes("opens at nine"), "the answer cites the instruction", response.text);
    return { text: response.text, usage: response.usageMetadata, candidates: response.candidates };
  },

  async stream(t) {
    const chunks = await collect(await client(t).models.generateContentStream({ model, contents: "say one two three" }));
    check(chunks.map((c) => c.text ?? "").join("") === "one two three", "the whole text", chunks.map((c) => c.text));
    return chunks.map((c) => [c.text, c.candidates?.[0]?.finishReason, c.usageMetadata]);
  },

  async "function-calls"(t) {
    const question = createUserContent("What is the weather in Paris and Rome?");
    const config = { tools: [{ functionDeclarations: [weather] }], toolConfig: { functionCallingConfig: { mode: FunctionCallingConfigMode.ANY } } };
    const first = await client(t).models.generateContent({ model, contents: question, config });
    const calls = first.functionCalls!;
    check(calls.length === 2, "one call a city", calls);
    const second = await client(t).models.generateContent({ model, contents: [question, first.candidates![0]!.content!, { role: "user", parts: calls.map((c) => ({ functionResponse: { id: c.id!, name: c.name!, response: { output: `dry in ${c.args!.city}` } } })) }] });
    return { calls, text: second.text };
  },

  // The SDK calls the tool and asks again.
  async "automatic-calls"(t) {
    const called: unknown[] = [];
    const tool: CallableTool = {
      tool: async () => ({ functionDeclarations: [weather] }),
      callTool: async (calls) => calls.map((c) => { called.push(c.args); return { functionResponse: { id: c.id!, name: c.name!, response: { output: `clear over ${c.args!.city}` } } }; }),
    };
    const response = await client(t).models.generateContent({ model, contents: 'What is the weather in "Oslo"?', config: { tools: [tool] } });
    check(response.text!.includes("clear over Oslo"), "the result is in the answer", response.text);
    const stream = await collect(await client(t).models.generateContentStream({ model, contents: 'What is the weather in "Rome"?', config: { tools: [tool] } }));
    return { called, text: response.text, history: response.automaticFunctionCallingHistory, stream: stream.map((c) => c.text).filter(Boolean) };
  },

  async "mcp-tools"(t) {
    const mcp = new Client({ name: "test", version: "1" });
    await mcp.connect(new StreamableHTTPClientTransport(new URL(`${t.model}/mcp`)));
    const response = await client(t).models.generateContent({ model, contents: 'Reverse the text "desserts" with reverse_text', config: { tools: [mcpToTool(mcp)] } });
    await mcp.close();
    check(response.text!.includes("stressed"), "the MCP tool was called", response.text);
    return response.text;
  },

  async chat(t) {
    const chat = client(t).chats.create({ model, history: [{ role: "user", parts: [{ text: "My cat is called Mina." }] }, { role: "model", parts: [{ text: "Good." }] }] });
    const first = await chat.sendMessage({ message: "What is my cat called?" });
    const parts = (await collect(await chat.sendMessageStream({ message: "say bye now" }))).map((c) => c.text);
    check(first.text!.includes("Mina") && chat.getHistory().length >= 6, "the chat remembers", first.text, chat.getHistory().length);
    return { first: first.text, parts, roles: chat.getHistory().map((c) => c.role) };
  },

  async structured(t) {
    const response = await client(t).models.generateContent({
      model, contents: 'The person "Ada" of age 36',
      config: { responseMimeType: "application/json", responseSchema: { type: Type.OBJECT, properties: { name: { type: Type.STRING }, age: { type: Type.INTEGER } }, required: ["name", "age"] } },
    });
    check(JSON.parse(response.text!).name === "Ada", "JSON by the schema", response.text);
    return JSON.parse(response.text!);
  },

  async embed(t) {
    const { embeddings } = await client(t).models.embedContent({ model: "test-embedding", contents: ["a boat", "a cake"], config: { outputDimensionality: 16 } });
    check(embeddings?.length === 2 && embeddings[0]!.values!.length === 16, "two vectors of 16", embeddings);
    return embeddings.map((e) => round(e.values));
  },

  async "count-tokens"(t) {
    return (await client(t).models.countTokens({ model, contents: "say one two three" })).totalTokens;
  },

  async images(t) {
    const response = await client(t).models.generateContent({ model, contents: createUserContent(["What is 1+1?", createPartFromBase64("iVBORw0KGgo=", "image/png")]) });
    check(response.text!.startsWith("I see 1 image."), "the image arrives", response.text);
    return response.text;
  },

  async models(t) {
    return (await collect(await client(t).models.list())).map((m) => m.name);
  },

  async errors(t) {
    const errors: unknown[] = [];
    for (const status of [400, 403, 404]) {
      const e = await failure(() => client(t).models.generateContent({ model: `test-model;fault=${status}`, contents: "x" }));
      check(e instanceof ApiError && e.status === status, `status ${status}`, e);
      errors.push([e.name, e.status, e.message]);
    }
    return errors;
  },

  async abort(t) {
    const controller = new AbortController();
    let count = 0;
    const e = await failure(async () => {
      const stream = await client(t).models.generateContentStream({ model: "test-model;tokens=500;delay=20ms", contents: "x", config: { abortSignal: controller.signal } });
      for await (const _ of stream) if (++count === 4) controller.abort();
    });
    check(count < 20, "it ends soon", count);
    await until(async () => (await seen(t))[0].outcome === "cancelled");
    return e.name;
  },
});
