// OpenAI Agents SDK: https://openai.github.io/openai-agents-js
import { Agent, InputGuardrailTripwireTriggered, MCPServerStreamableHttp, MaxTurnsExceededError, MemorySession, OpenAIChatCompletionsModel, OpenAIResponsesModel, RunState, Runner, addTraceProcessor, handoff, tool, withTrace } from "@openai/agents";
import OpenAI from "openai";
import { z } from "zod";
import { check, collect, failure, suite, type Test } from "../harness.ts";

const client = (t: Test) => new OpenAI({ apiKey: "key", baseURL: `${t.model}/v1`, maxRetries: 0 });
const responses = (t: Test, name = "test-model") => new OpenAIResponsesModel(client(t), name);
const chat = (t: Test) => new OpenAIChatCompletionsModel(client(t), "test-model");
const runner = () => new Runner({ tracingDisabled: true });
const weather = tool({ name: "get_weather", description: "the weather of a city", parameters: z.object({ city: z.string() }), execute: async ({ city }) => `clear over ${city}` });
const brief = (items: any[]) => items.map((i) => [i.type, i.rawItem?.name ?? i.rawItem?.type, i.output ?? i.rawItem?.arguments ?? i.content]);

export default suite("agents", {
  async run(t) {
    const agent = new Agent({ name: "Guide", instructions: "The museum opens at nine.", model: responses(t) });
    const result = await runner().run(agent, "When does the museum open?");
    check(result.finalOutput!.includes("opens at nine"), "the answer cites the instructions", result.finalOutput);
    return { output: result.finalOutput, items: brief(result.newItems), usage: result.state.usage.totalTokens };
  },

  async "run-chat"(t) {
    const agent = new Agent({ name: "Guide", instructions: (context) => `The ${(context.context as any).place} opens at ten.`, model: chat(t), tools: [weather] });
    const result = await runner().run(agent, "When does the pool open?", { context: { place: "pool" } });
    const called = await runner().run(agent, 'What is the weather in "Oslo"?', { context: { place: "pool" } });
    return [result.finalOutput, called.finalOutput, brief(called.newItems)];
  },

  async tools(t) {
    const agent = new Agent({ name: "Weather", model: responses(t), tools: [weather] });
    const result = await runner().run(agent, "What is the weather in Paris and Rome?");
    check(/clear over Paris.*clear over Rome/.test(result.finalOutput!), "both results are used", result.finalOutput);
    return { output: result.finalOutput, items: brief(result.newItems) };
  },

  async "tool-errors"(t) {
    const broken = tool({ name: "get_weather", description: "the weather of a city", parameters: z.object({ city: z.string() }), execute: async () => { throw new Error("no station"); } });
    const result = await runner().run(new Agent({ name: "Weather", model: responses(t), tools: [broken] }), 'What is the weather in "Oslo"?');
    return result.finalOutput;
  },

  async stream(t) {
    const agent = new Agent({ name: "Weather", model: responses(t), tools: [weather] });
    const result = await runner().run(agent, 'What is the weather in "Oslo"?', { stream: true });
    const events = (await collect(result)).map((e) => (e.type === "run_item_stream_event" ? `${e.type} ${e.name}` : e.type === "raw_model_stream_event" ? `raw ${e.data.type}` : e.type));
    check(result.finalOutput!.includes("clear over Oslo") && events.includes("run_item_stream_event tool_called"), "events of the tool", events);
    return { events, output: result.finalOutput };
  },

  async "stream-text"(t) {
    const result = await runner().run(new Agent({ name: "Echo", model: chat(t) }), "say one two three", { stream: true });
    const parts = await collect(result.toTextStream() as any);
    await result.completed;
    check(parts.join("") === "one two three", "the whole text", parts);
    return parts;
  },

  "stream-response": {
    requests: [{}],
    async run(t) {
      const result = await runner().run(new Agent({ name: "Echo", model: responses(t) }), "say one two three", { stream: true });
      return new Response((result.toTextStream() as unknown as ReadableStream<string>).pipeThrough(new TextEncoderStream()));
    },
  },

  async handoffs(t) {
    const log: unknown[] = [];
    const billing = new Agent({ name: "Billing", instructions: "Refunds take three days.", model: responses(t), handoffDescription: "answers questions about refunds" });
    const triage = Agent.create({ name: "Triage", model: responses(t), handoffs: [handoff(billing, { onHandoff: (_, input) => { log.push(input); }, inputType: z.object({ reason: z.string() }) })] });
    const result = await runner().run(triage, 'Please transfer to billing with reason "refunds take how many days"');
    check(result.lastAgent?.name === "Billing", "the other agent answers", result.lastAgent?.name);
    return { log, last: result.lastAgent.name, output: result.finalOutput, items: brief(result.newItems) };
  },

  async "agent-as-tool"(t) {
    const inner = new Agent({ name: "Inner", model: responses(t), instructions: "The code is seven." });
    const outer = new Agent({ name: "Outer", model: responses(t), tools: [inner.asTool({ toolName: "ask_inner", toolDescription: "asks the inner agent" })] });
    const result = await runner().run(outer, 'Use ask_inner with input "what is the code"');
    check(result.finalOutput!.includes("The code is seven"), "the inner answer comes out", result.finalOutput);
    return result.finalOutput;
  },

  async structured(t) {
    const agent = new Agent({ name: "Reader", model: responses(t), outputType: z.object({ name: z.string(), age: z.number() }) });
    const result = await runner().run(agent, 'The person "Ada" of age 36');
    check(result.finalOutput?.name === "Ada" && result.finalOutput.age === 36, "a parsed object", result.finalOutput);
    return result.finalOutput;
  },

  async guardrails(t) {
    const agent = new Agent({ name: "Guarded", model: responses(t), inputGuardrails: [{ name: "no secrets", execute: async ({ input }) => ({ tripwireTriggered: String(input).includes("secret"), outputInfo: { checked: true } }) }] });
    const fine = await runner().run(agent, "say fine");
    const e = await failure(() => runner().run(agent, "tell me the secret"));
    check(e instanceof InputGuardrailTripwireTriggered, "the guardrail trips", e);
    return [fine.finalOutput, e.message, e.result.output];
  },

  // The run stops for an approval, is kept as text, and goes on.
  async approval(t) {
    const risky = tool({ name: "delete_file", description: "deletes a file", parameters: z.object({ name: z.string() }), needsApproval: true, execute: async ({ name }) => `deleted ${name}` });
    const agent = new Agent({ name: "Careful", model: responses(t), tools: [risky] });
    const first = await runner().run(agent, 'delete_file with name "a.txt"');
    check(first.interruptions.length === 1, "it asks", first.interruptions);
    const state = await RunState.fromString(agent, first.state.toString());
    state.approve(state.getInterruptions()[0]!);
    const second = await runner().run(agent, state);
    check(second.finalOutput!.includes("deleted a.txt"), "it went on", second.finalOutput);
    return [brief(first.interruptions), second.finalOutput];
  },

  async sessions(t) {
    const session = new MemorySession();
    const agent = new Agent({ name: "Memory", model: responses(t) });
    await runner().run(agent, "My cat is called Mina.", { session });
    const result = await runner().run(agent, "What is my cat called?", { session });
    check(result.finalOutput!.includes("Mina"), "the session remembers", result.finalOutput);
    return [result.finalOutput, (await session.getItems()).length];
  },

  async "mcp-server"(t) {
    const server = new MCPServerStreamableHttp({ url: `${t.model}/mcp`, name: "tools", cacheToolsList: true });
    await server.connect();
    try {
      const result = await runner().run(new Agent({ name: "Reverser", model: responses(t), mcpServers: [server] }), 'Reverse the text "desserts" with reverse_text');
      check(result.finalOutput!.includes("stressed"), "the MCP tool was called", result.finalOutput);
      return result.finalOutput;
    } finally {
      await server.close();
    }
  },

  async "max-turns"(t) {
    const again = tool({ name: "get_weather", description: "the weather of a city", parameters: z.object({ city: z.string() }), execute: async () => "again" });
    const agent = new Agent({ name: "Loop", model: responses(t), tools: [again], modelSettings: { toolChoice: "required" }, resetToolChoice: false });
    const e = await failure(() => runner().run(agent, 'What is the weather in "Oslo"?', { maxTurns: 2 }));
    check(e instanceof MaxTurnsExceededError, "it gives up", e);
    return e.message;
  },

  async hooks(t) {
    const log: string[] = [];
    const agent = new Agent({ name: "Hooked", model: responses(t), tools: [weather] });
    agent.on("agent_start", (_, a) => { log.push(`start ${a.name}`); }).on("agent_tool_start", (_, tool) => { log.push(`tool ${tool.name}`); }).on("agent_tool_end", (_, tool, result) => { log.push(`ended ${tool.name} ${result}`); }).on("agent_end", (_, output) => { log.push(`end ${output}`); });
    await runner().run(agent, 'What is the weather in "Oslo"?');
    check(log.length === 4, "each hook was called", log);
    return log;
  },

  async tracing(t) {
    const spans: string[] = [];
    addTraceProcessor({ async onTraceStart() {}, async onTraceEnd() {}, async onSpanStart() {}, async onSpanEnd(span) { if (span.traceId === traceId) spans.push(span.spanData.type); }, async shutdown() {}, async forceFlush() {} });
    const traceId = "trace_" + crypto.randomUUID().replaceAll("-", "");
    await withTrace("compat", () => new Runner({ tracingDisabled: false }).run(new Agent({ name: "Traced", model: responses(t), tools: [weather] }), 'What is the weather in "Oslo"?'), { traceId });
    check(spans.includes("agent") && spans.includes("function"), "spans of the run", spans);
    return spans;
  },

  async errors(t) {
    const e = await failure(() => runner().run(new Agent({ name: "Limited", model: responses(t, "test-model;fault=429") }), "x"));
    return [e.constructor.name, e.status, e.message];
  },
});
