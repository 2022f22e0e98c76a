// Embeddings, images, messages of a UI, middleware, registries.
import {
  convertToModelMessages, cosineSimilarity, createProviderRegistry, createUIMessageStream, createUIMessageStreamResponse, customProvider, defaultSettingsMiddleware, embed, embedMany,
  extractReasoningMiddleware, generateImage, generateText, readUIMessageStream, simulateStreamingMiddleware, streamText, validateUIMessages, wrapLanguageModel, type UIMessage,
} from "ai";
import { check, collect, type Programs } from "../../harness.ts";
import { anthropic, google, openai } from "./models.ts";

const pixel = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
const round = (values: number[]) => values.map((v) => Math.round(v * 1e6) / 1e6);

export const more: Programs = {
  async embed(t) {
    const { embedding, usage, value } = await embed({ model: openai(t).embedding("test-embedding"), value: "a boat on the sea", providerOptions: { openai: { dimensions: 64 } } });
    check(embedding.length === 64, "the dimensions that were asked for", embedding.length);
    return { embedding: round(embedding), usage, value };
  },

  async "embed-many"(t) {
    const values = ["a boat on the sea", "ships and boats at sea", "a cake with cherries"];
    const { embeddings, usage } = await embedMany({ model: openai(t).embedding("test-embedding"), values, maxParallelCalls: 2 });
    const viaGoogle = await embedMany({ model: google(t).embedding("test-embedding"), values });
    const near = cosineSimilarity(embeddings[0]!, embeddings[1]!), far = cosineSimilarity(embeddings[0]!, embeddings[2]!);
    check(near > far, "boats are nearer to ships than to cakes", near, far);
    return { near: round([near, far]), usage, google: viaGoogle.embeddings.map((e) => e.length) };
  },

  async "image-input"(t) {
    const bytes = Uint8Array.from(atob(pixel), (c) => c.charCodeAt(0));
    const content = [
      { type: "text" as const, text: "What is 1+1?" },
      { type: "image" as const, image: bytes },
      { type: "image" as const, image: `data:image/png;base64,${pixel}` },
      { type: "file" as const, data: bytes, mediaType: "image/png" },
    ];
    const texts: string[] = [];
    for (const model of [openai(t).chat("test-model"), openai(t)("test-model"), anthropic(t)("test-model"), google(t)("test-model")]) {
      texts.push((await generateText({ model, messages: [{ role: "user", content }] })).text);
    }
    check(texts.every((text) => text.startsWith("I see 3 images.")), "all three arrive", texts);
    return texts;
  },

  async "image-generation"(t) {
    const { images, warnings } = await generateImage({ model: openai(t).image("gpt-image-1"), prompt: "a red boat", size: "1024x1024", n: 2 });
    check(images.length === 2 && images[0]!.mediaType === "image/png" && images[0]!.uint8Array[1] === 0x50, "two PNG files", images);
    return { images: images.map((i) => [i.mediaType, i.base64]), warnings };
  },

  async "ui-messages"(t) {
    const messages: UIMessage[] = [
      { id: "1", role: "user", parts: [{ type: "text", text: "My cat is called Mina." }] },
      { id: "2", role: "assistant", parts: [{ type: "text", text: "Good to know." }] },
      { id: "3", role: "user", parts: [{ type: "text", text: "What is my cat called?" }, { type: "file", mediaType: "image/png", url: `data:image/png;base64,${pixel}` }] },
    ];
    const converted = await convertToModelMessages(await validateUIMessages({ messages }));
    const result = streamText({ model: openai(t).chat("test-model"), messages: converted });
    const states: number[] = [];
    let last: UIMessage | undefined;
    for await (const message of readUIMessageStream({ stream: result.toUIMessageStream({ generateMessageId: () => "4" }) })) {
      last = message;
      states.push(message.parts.length);
    }
    check(JSON.stringify(last!.parts).includes("Mina"), "the answer recalls the first message", last);
    return { converted, states: states.length, last };
  },

  "ui-stream-writer": {
    requests: [{}],
    async run(t) {
      const stream = createUIMessageStream({
        generateId: () => "message-1",
        async execute({ writer }) {
          writer.write({ type: "data-status", id: "s", data: { step: "search" } });
          writer.write({ type: "data-note", data: "gone", transient: true });
          writer.write({ type: "source-url", sourceId: "1", url: "https://example.com/a", title: "A" });
          const result = streamText({ model: openai(t).chat("test-model"), prompt: "say merged text" });
          writer.merge(result.toUIMessageStream({ sendStart: false }));
          await result.text;
          writer.write({ type: "data-status", id: "s", data: { step: "done" } });
        },
        onError: () => "an error",
      });
      return createUIMessageStreamResponse({ stream, status: 201, headers: { "x-thread": "7" } });
    },
  },

  async "middleware"(t) {
    const log: string[] = [];
    const model = wrapLanguageModel({
      model: openai(t).chat("test-model") as any,
      middleware: [
        defaultSettingsMiddleware({ settings: { maxOutputTokens: 3 } }),
        { specificationVersion: "v4", wrapGenerate: async ({ doGenerate }: any) => { log.push("generate"); return doGenerate(); }, wrapStream: async ({ doStream }: any) => { log.push("stream"); return doStream(); } } as any,
      ],
    });
    const generated = await generateText({ model, prompt: "say one two three four five" });
    const streamed = await streamText({ model, prompt: "say one two three four five" }).text;
    check(generated.text === "one two three" && streamed === generated.text, "the default limit applies", generated.text, streamed);
    return { log, text: generated.text, reason: generated.finishReason };
  },

  async "reasoning-middleware"(t) {
    const model = wrapLanguageModel({ model: openai(t).chat("test-model") as any, middleware: extractReasoningMiddleware({ tagName: "think" }) });
    const generated = await generateText({ model, prompt: "repeat: <think>hmm, seven</think>It is seven." });
    const parts = await collect(streamText({ model, prompt: "repeat: <think>hmm, seven</think>It is seven." }).fullStream);
    check(generated.reasoningText === "hmm, seven" && generated.text === "It is seven.", "reasoning and text are parted", generated.reasoningText, generated.text);
    return parts.filter((p) => p.type === "reasoning-delta" || p.type === "text-delta").map((p) => [p.type, p.text]);
  },

  async "simulated-streaming"(t) {
    const model = wrapLanguageModel({ model: openai(t).chat("test-model") as any, middleware: simulateStreamingMiddleware() });
    return collect(streamText({ model, prompt: "say all at once" }).textStream);
  },

  async registry(t) {
    const registry = createProviderRegistry({
      openai: openai(t) as any,
      mine: customProvider({ languageModels: { fast: openai(t).chat("test-model-mini") as any }, fallbackProvider: openai(t) as any }),
    }, { separator: " > " });
    const a = await generateText({ model: registry.languageModel("openai > test-model"), prompt: "say a" });
    const b = await generateText({ model: registry.languageModel("mine > fast"), prompt: "say b" });
    check(a.text + b.text === "ab", "both models answer");
    return [a.response.modelId, b.response.modelId];
  },

  async "stream-consumed-twice"(t) {
    const result = streamText({ model: openai(t).chat("test-model"), prompt: "say one two three" });
    const [words, full, text] = await Promise.all([collect(result.textStream), collect(result.fullStream), result.text]);
    check(words.join("") === "one two three" && text === "one two three", "each consumer gets the whole", words, text);
    return { words, kinds: full.map((p) => p.type) };
  },

  async "callbacks"(t) {
    const events: unknown[] = [];
    const result = streamText({
      model: openai(t).chat("test-model"), prompt: "say one two",
      onChunk: ({ chunk }) => { events.push(["chunk", chunk.type]); },
      onStepFinish: ({ text, finishReason }) => { events.push(["step", text, finishReason]); },
      onFinish: ({ text, steps, totalUsage }) => { events.push(["finish", text, steps.length, totalUsage.outputTokens]); },
    });
    await result.consumeStream();
    check(events.length >= 4, "all callbacks were called", events);
    return events;
  },
};
