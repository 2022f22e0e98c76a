// The Responses API: every event type, the helper, conversations, structured output.
import { zodResponsesFunction, zodTextFormat } from "openai/helpers/zod";
import { z } from "zod";
import { check, collect, failure, type Programs } from "../../harness.ts";
import { client } from "./client.ts";

const hosted = [
  { type: "web_search" }, { type: "file_search", vector_store_ids: ["vs_1"] }, { type: "code_interpreter", container: { type: "auto" } },
  { type: "image_generation", partial_images: 1 }, { type: "mcp", server_label: "tracker", server_url: "https://example.com/mcp", require_approval: "never" },
] as any;
const weather = { type: "function" as const, name: "get_weather", description: "the weather of a city", strict: true, parameters: { type: "object", properties: { city: { type: "string" } }, required: ["city"], additionalProperties: false } };

export const responses: Programs = {
  async "responses-create"(t) {
    const response = await client(t).responses.create({ model: "test-model", instructions: "The pool opens at ten.", input: "When does the pool open?", metadata: { a: "b" } });
    check(response.output_text.includes("opens at ten"), "output_text is the text", response.output_text);
    return response;
  },

  async "responses-stream"(t) {
    const events = await collect(await client(t).responses.create({ model: "test-model", input: "say one two three", stream: true }));
    check(events.every((e, k) => e.sequence_number === k), "the events are in order");
    return events;
  },

  // One request after the other, until each type of event has come.
  async "responses-every-event"(t) {
    const types = new Map<string, number>();
    const inputs: any[] = [
      { input: "Use web search, file search, the code interpreter, image generation and tracker", tools: hosted, reasoning: { effort: "low", summary: "detailed" }, background: true },
      { input: 'What is the weather in "Oslo"?', tools: [weather] },
      { input: 'Run the shell_script "ls -l"', tools: [{ type: "custom", name: "shell_script", description: "runs a script" }] },
      { input: "refuse: I must not" },
      { input: "say one two three", max_output_tokens: 2 },
      { model: "test-model;fault=error@2", input: "say one two three" },
    ];
    const failed: string[] = [];
    for (const input of inputs) {
      try {
        for await (const event of await client(t).responses.create({ model: "test-model", stream: true, ...input }) as any) types.set(event.type, (types.get(event.type) ?? 0) + 1);
      } catch (e: any) {
        failed.push(`${e.constructor.name}: ${e.message}`);
      }
    }
    const wanted = [
      "created", "queued", "in_progress", "completed", "incomplete", "output_item.added", "output_item.done", "content_part.added", "content_part.done", "output_text.delta", "output_text.done",
      "output_text.annotation.added", "refusal.delta", "refusal.done", "function_call_arguments.delta", "function_call_arguments.done", "custom_tool_call_input.delta", "custom_tool_call_input.done",
      "reasoning_summary_part.added", "reasoning_summary_part.done", "reasoning_summary_text.delta", "reasoning_summary_text.done", "reasoning_text.delta", "reasoning_text.done",
      "web_search_call.in_progress", "web_search_call.searching", "web_search_call.completed", "file_search_call.in_progress", "file_search_call.searching", "file_search_call.completed",
      "code_interpreter_call.in_progress", "code_interpreter_call.interpreting", "code_interpreter_call.completed", "code_interpreter_call_code.delta", "code_interpreter_call_code.done",
      "image_generation_call.in_progress", "image_generation_call.generating", "image_generation_call.partial_image", "image_generation_call.completed",
      "mcp_list_tools.in_progress", "mcp_list_tools.completed", "mcp_call.in_progress", "mcp_call.completed", "mcp_call_arguments.delta", "mcp_call_arguments.done",
    ];
    const missing = wanted.filter((type) => !types.has(`response.${type}`));
    check(missing.length === 0, "each type of event came", missing);
    return { types: [...types].sort(), failed };
  },

  async "responses-stream-helper"(t) {
    const seen: string[] = [];
    const stream = client(t).responses.stream({ model: "test-model", input: "Use web search and tell me 2+2", tools: hosted, reasoning: { summary: "auto" } })
      .on("response.output_text.delta", ({ delta, snapshot }) => { seen.push(`${delta}|${snapshot}`); })
      .on("response.reasoning_summary_text.delta", ({ delta }) => { seen.push(delta); });
    const response = await stream.finalResponse();
    check(response.output.map((o) => o.type).join() === "reasoning,web_search_call,message", "the items in order", response.output);
    return { seen, output: response.output, text: response.output_text };
  },

  async "responses-tools"(t) {
    const openai = client(t);
    const input: any[] = [{ role: "user", content: 'What is the weather in "Oslo"?' }];
    const first = await openai.responses.create({ model: "test-model", input, tools: [weather] });
    for (const item of first.output) {
      input.push(item);
      if (item.type === "function_call") input.push({ type: "function_call_output", call_id: item.call_id, output: `clear over ${JSON.parse(item.arguments).city}` });
    }
    const second = await openai.responses.create({ model: "test-model", input, tools: [weather] });
    check(second.output_text.includes("clear over Oslo"), "the result is used", second.output_text);
    return { first: first.output, second: second.output_text };
  },

  async "responses-conversation"(t) {
    const openai = client(t);
    const first = await openai.responses.create({ model: "test-model", input: "My dog is called Rex." });
    const second = await openai.responses.create({ model: "test-model", input: "What is my dog called?", previous_response_id: first.id });
    const stored = await openai.responses.retrieve(second.id);
    await openai.responses.delete(first.id);
    const gone = await failure(() => openai.responses.retrieve(first.id));
    check(second.output_text.includes("Rex") && stored.output_text === second.output_text && gone.status === 404, "the conversation goes on", second.output_text);
    return [second.output_text, stored.status, gone.message];
  },

  async "responses-parse"(t) {
    const person = z.object({ name: z.string(), age: z.number().int(), likes: z.array(z.enum(["tea", "coffee"])) });
    const response = await client(t).responses.parse({ model: "test-model", input: 'The person "Ada" of age 36 likes tea', text: { format: zodTextFormat(person, "person") } });
    const called = await client(t).responses.parse({ model: "test-model", input: 'Call for the person "Ada" of age 36', tools: [zodResponsesFunction({ name: "call_person", parameters: z.object({ name: z.string(), age: z.number() }) })], tool_choice: "required" });
    check(response.output_parsed?.name === "Ada" && response.output_parsed.age === 36, "a parsed object", response.output_parsed);
    return [response.output_parsed, called.output.map((o: any) => o.parsed_arguments)];
  },

  async "responses-parse-stream"(t) {
    const person = z.object({ name: z.string(), age: z.number().int() });
    const stream = client(t).responses.stream({ model: "test-model", input: 'The person "Ada" of age 36', text: { format: zodTextFormat(person, "person") } });
    const types = (await collect(stream)).map((e) => e.type);
    return { types, parsed: (await stream.finalResponse()).output_parsed };
  },

  async "responses-image"(t) {
    const response = await client(t).responses.create({ model: "test-model", input: [{ role: "user", content: [{ type: "input_text", text: "What is 1+1?" }, { type: "input_image", image_url: "data:image/png;base64,iVBORw0KGgo=", detail: "auto" }] }] });
    return response.output_text;
  },
};
