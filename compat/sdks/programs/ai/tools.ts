// Tools: several steps, parallel calls, errors, approval, agents, MCP.
import { createMCPClient } from "@ai-sdk/mcp";
import { ToolLoopAgent, dynamicTool, generateText, hasToolCall, jsonSchema, NoSuchToolError, stepCountIs, streamText, tool, type LanguageModel } from "ai";
import { z } from "zod";
import { check, collect, type Programs, type Test } from "../../harness.ts";
import { anthropic, google, openai } from "./models.ts";

const weather = tool({
  description: "the weather of a city",
  inputSchema: z.object({ city: z.string() }),
  execute: async ({ city }, { toolCallId, messages }) => ({ city, sky: `clear over ${city}`, called: toolCallId.length > 0, messages: messages.length }),
});

function steps(model: (t: Test) => LanguageModel) {
  return async (t: Test) => {
    const ended: unknown[] = [];
    const result = await generateText({
      model: model(t),
      tools: { weather },
      stopWhen: stepCountIs(4),
      prompt: 'What is the weather in the city "Oslo"?',
      onStepFinish: (step) => { ended.push([step.finishReason, step.toolCalls.map((c) => c.input)]); },
    });
    check(result.steps.length === 2 && result.text.includes("clear over Oslo"), "the result of the tool comes back in the second step", result.text);
    return {
      text: result.text, ended, usage: result.totalUsage, messages: result.response.messages,
      steps: result.steps.map((s) => [s.finishReason, s.toolCalls.map((c) => [c.toolName, c.input]), s.toolResults.map((r) => r.output)]),
    };
  };
}

export const tools: Programs = {
  "tools-openai-chat": steps((t) => openai(t).chat("test-model")),
  "tools-openai-responses": steps((t) => openai(t)("test-model")),
  "tools-anthropic": steps((t) => anthropic(t)("test-model")),
  "tools-google": steps((t) => google(t)("test-model")),

  async "tools-stream"(t) {
    const result = streamText({ model: openai(t).chat("test-model"), tools: { weather }, stopWhen: stepCountIs(4), prompt: 'What is the weather in the city "Rome"?' });
    const parts = await collect(result.fullStream);
    const kinds = parts.map((p) => p.type);
    for (const kind of ["tool-input-start", "tool-input-delta", "tool-input-end", "tool-call", "tool-result", "text-delta"]) check(kinds.includes(kind as never), `there is a ${kind}`, kinds);
    check((await result.text).includes("clear over Rome"), "the text uses the result");
    return { kinds, input: parts.filter((p) => p.type === "tool-input-delta").map((p) => p.delta).join(""), results: (await result.steps).flatMap((s) => s.toolResults.map((r) => r.output)) };
  },

  "tools-ui-stream": {
    requests: [{}],
    async run(t) {
      const result = streamText({ model: openai(t)("test-model"), tools: { weather }, stopWhen: stepCountIs(3), prompt: 'What is the weather in the city "Paris"?', abortSignal: t.signal });
      return result.toUIMessageStreamResponse({ sendReasoning: true, sendSources: true, onError: (e) => String(e) });
    },
  },

  async "tools-parallel"(t) {
    const running = { now: 0, most: 0 };
    const slow = tool({
      description: "the weather of a city",
      inputSchema: z.object({ city: z.string() }),
      async execute({ city }) {
        running.most = Math.max(running.most, ++running.now);
        await new Promise((resolve) => setTimeout(resolve, 20));
        running.now--;
        return `${city} is dry`;
      },
    });
    const result = await generateText({ model: openai(t).chat("test-model"), tools: { weather: slow }, stopWhen: stepCountIs(3), prompt: "What is the weather in Paris and New York and Lima?" });
    check(running.most === 3, "three calls run at a time", running);
    return { text: result.text, results: result.steps[0]!.toolResults.map((r) => r.output) };
  },

  async "tools-streaming-results"(t) {
    const counter = tool({
      description: "counts to a number",
      inputSchema: z.object({ number: z.number().int() }),
      async *execute({ number }) {
        for (let k = 1; k <= number; k++) yield `at ${k}`;
      },
    });
    const result = streamText({ model: openai(t).chat("test-model"), tools: { counter }, stopWhen: stepCountIs(2), prompt: "Use the counter for number 3" });
    const outputs = (await collect(result.fullStream)).filter((p) => p.type === "tool-result").map((p) => [p.output, p.preliminary]);
    check(outputs.length === 4 && outputs.at(-1)![0] === "at 3", "preliminary results, then the last", outputs);
    return outputs;
  },

  async "tools-error"(t) {
    const broken = tool({ description: "the weather of a city", inputSchema: z.object({ city: z.string() }), execute: async () => { throw new RangeError("the station is closed"); } });
    const result = await generateText({ model: openai(t).chat("test-model"), tools: { weather: broken }, stopWhen: stepCountIs(3), prompt: 'What is the weather in "Oslo"?' });
    const errors = result.steps[0]!.content.filter((p) => p.type === "tool-error");
    check(errors.length === 1 && errors[0]!.error instanceof RangeError, "the error is a part of the step", errors);
    return { text: result.text, messages: result.response.messages };
  },

  async "tools-invalid-input"(t) {
    let repaired: unknown;
    const picky = tool({ description: "the weather of a city", inputSchema: jsonSchema<{ city: string }>({ type: "object", properties: { city: { type: "string" } }, required: ["city"] }, {
      validate: (v: any) => (v.city === "Fixed" ? { success: true, value: v } : { success: false, error: new Error("no such city") }),
    }), execute: async ({ city }) => `${city} is dry` });
    const result = await generateText({
      model: openai(t).chat("test-model"), tools: { weather: picky }, stopWhen: stepCountIs(2), prompt: 'What is the weather in "Oslo"?',
      repairToolCall: async ({ toolCall, error }: any) => {
        repaired = [error.name, NoSuchToolError.isInstance(error)];
        return { ...toolCall, input: JSON.stringify({ city: "Fixed" }) };
      },
    } as any);
    check(result.text.includes("Fixed is dry"), "the repaired call ran", result.text, repaired);
    return { repaired, text: result.text };
  },

  async "tools-stop-when"(t) {
    const result = await generateText({
      model: openai(t).chat("test-model"), tools: { weather, note: tool({ description: "writes a note", inputSchema: z.object({ text: z.string() }) }) },
      stopWhen: [hasToolCall("note"), stepCountIs(5)], toolChoice: "required", prompt: 'Take a note "buy milk"',
    });
    check(result.toolCalls[0]?.toolName === "note" && result.steps.length === 1, "a tool without execute ends the loop", result.toolCalls);
    return result.toolCalls.map((c) => [c.toolName, c.input]);
  },

  async "tools-choice"(t) {
    const shared = { model: openai(t).chat("test-model"), tools: { weather, other: dynamicTool({ description: "something else", inputSchema: z.object({}), execute: async () => "other" }) }, prompt: "Hello there" };
    const forced = await generateText({ ...shared, toolChoice: { type: "tool", toolName: "other" } });
    const none = await generateText({ ...shared, toolChoice: "none" });
    const active = await generateText({ ...shared, activeTools: ["other"], toolChoice: "required" });
    check(forced.toolCalls[0]?.toolName === "other" && none.toolCalls.length === 0 && active.toolCalls[0]?.toolName === "other", "the choice is followed");
    return [forced.toolResults.map((r) => r.output), forced.toolCalls[0]!.dynamic, none.text, active.toolCalls.length];
  },

  async "prepare-step"(t) {
    const result = await generateText({
      model: openai(t).chat("test-model"), tools: { weather }, stopWhen: stepCountIs(3), prompt: 'What is the weather in "Oslo"?',
      prepareStep: ({ stepNumber }) => (stepNumber === 0 ? { toolChoice: "required" } : { toolChoice: "none", model: openai(t)("test-model-mini") }),
    });
    return { models: result.steps.map((s) => s.response.modelId), text: result.text };
  },

  async agent(t) {
    const agent = new ToolLoopAgent({ model: openai(t).chat("test-model"), instructions: "Be brief.", tools: { weather }, stopWhen: stepCountIs(5) });
    const result = await agent.generate({ prompt: 'What is the weather in "Oslo"?' });
    const streamed = await agent.stream({ prompt: 'What is the weather in "Rome"?' });
    const text = (await collect(streamed.textStream)).join("");
    check(result.text.includes("clear over Oslo") && text.includes("clear over Rome"), "both answers use the tool", result.text, text);
    return { generated: result.text, steps: result.steps.length, text };
  },

  async "mcp-tools"(t) {
    const client = await createMCPClient({ transport: { type: "http", url: `${t.model}/mcp` } });
    try {
      const found = await client.tools();
      const result = await generateText({ model: openai(t).chat("test-model"), tools: found, stopWhen: stepCountIs(3), prompt: 'Reverse the text "desserts" with reverse_text' });
      check(Object.keys(found).includes("reverse_text") && result.text.includes("stressed"), "the MCP tool was called", Object.keys(found), result.text);
      return { names: Object.keys(found), text: result.text, outputs: result.steps[0]!.toolResults.map((r) => r.output) };
    } finally {
      await client.close();
    }
  },
};
