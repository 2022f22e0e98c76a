// generateText and streamText with each provider.
import { createTextStreamResponse, generateText, smoothStream, streamText, type LanguageModel } from "ai";
import { check, collect, type Programs, type Test } from "../../harness.ts";
import { anthropic, compatible, google, openai } from "./models.ts";

const models: Record<string, (t: Test) => LanguageModel> = {
  "openai-chat": (t) => openai(t).chat("test-model"),
  "openai-responses": (t) => openai(t)("test-model"),
  anthropic: (t) => anthropic(t)("test-model"),
  google: (t) => google(t)("test-model"),
  compatible: (t) => compatible(t)("test-model"),
};

function generate(model: (t: Test) => LanguageModel) {
  return async (t: Test) => {
    const { text, usage, finishReason, warnings, response, content } = await generateText({
      model: model(t),
      instructions: "Harbour is in the east of the town. The museum opens at nine.",
      prompt: "When does the museum open?",
      maxOutputTokens: 100,
      temperature: 0,
    });
    check(text.includes("The museum opens at nine"), "the answer cites the instructions", text);
    check((usage.outputTokens ?? 0) > 3, "usage is counted", usage);
    return { text, usage, finishReason, warnings, content, messages: response.messages, modelId: response.modelId };
  };
}

function stream(model: (t: Test) => LanguageModel) {
  return async (t: Test) => {
    const result = streamText({ model: model(t), messages: [{ role: "user", content: "say one two three four" }] });
    const parts = await collect(result.textStream);
    check(parts.join("") === "one two three four", "the whole text is streamed", parts);
    check(parts.length > 2, "it comes in parts", parts);
    return { parts, text: await result.text, usage: await result.usage, finishReason: await result.finishReason, steps: (await result.steps).length };
  };
}

export const text: Programs = {};
for (const [name, model] of Object.entries(models)) {
  text[`generate-text-${name}`] = generate(model);
  text[`stream-text-${name}`] = stream(model);
}

text["stream-full"] = async (t) => {
  const result = streamText({ model: openai(t).chat("test-model"), prompt: "What is 6 times 7?" });
  const parts = await collect(result.fullStream);
  const kinds = parts.map((p) => p.type);
  check(kinds[0] === "start" && kinds.at(-1) === "finish", "it starts and finishes", kinds);
  check(parts.some((p) => p.type === "text-delta" && p.text.includes("42")), "the answer is in it", parts);
  return parts.map((p) => ({ ...p, response: undefined, performance: undefined, request: undefined }));
};

text["stream-response"] = {
  requests: [{ method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ prompt: "say a b c" }) }],
  async run(t) {
    const { prompt } = await t.req.json();
    const result = streamText({ model: openai(t).chat("test-model"), prompt, abortSignal: t.signal });
    return createTextStreamResponse({ stream: result.textStream, headers: { "x-custom": "yes" } });
  },
};

text["stream-ui-response"] = {
  requests: [{ method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ prompt: "What is 2+2?" }) }],
  async run(t) {
    const { prompt } = await t.req.json();
    const result = streamText({ model: openai(t).chat("test-model"), prompt, abortSignal: t.signal });
    return result.toUIMessageStreamResponse({
      generateMessageId: () => "message-1",
      messageMetadata: ({ part }) => (part.type === "finish" ? { tokens: part.totalUsage.totalTokens } : undefined),
    });
  },
};

text["smooth-stream"] = async (t) => {
  const words = await collect(streamText({ model: openai(t).chat("test-model"), prompt: "say The quick, brown fox jumps", experimental_transform: smoothStream({ delayInMs: 1, chunking: "word" }) }).textStream);
  const letters = await collect(streamText({ model: openai(t).chat("test-model"), prompt: "say Héllo 世界", experimental_transform: smoothStream({ delayInMs: null, chunking: /./u }) }).textStream);
  check(words.every((w) => /^\S+\s?$/.test(w)), "each part is a word", words);
  check(letters.every((l) => [...l].length === 1) && letters.join("") === "Héllo 世界", "each part is a character", letters);
  return { words, letters };
};
