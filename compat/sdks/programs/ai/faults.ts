// What goes wrong: aborts, errors of the provider, retries, broken streams.
import { APICallError, RetryError, generateText, streamText } from "ai";
import { check, collect, failure, seen, until, type Programs } from "../../harness.ts";
import { anthropic, google, openai } from "./models.ts";

function about(e: any) {
  return { name: e.name, message: e.message, status: e.statusCode, retryable: e.isRetryable, url: e.url, data: e.data, body: e.requestBodyValues?.model };
}

export const faults: Programs = {
  async "abort-stream"(t) {
    const controller = new AbortController();
    let aborted = 0;
    const result = streamText({
      model: openai(t).chat("test-model;tokens=500;delay=20ms"), prompt: "say word", abortSignal: controller.signal,
      onAbort: ({ steps }) => { aborted = steps.length + 1; },
    });
    const kinds: string[] = [];
    let count = 0;
    for await (const part of result.fullStream) {
      if (kinds.at(-1) !== part.type) kinds.push(part.type);
      if (part.type === "text-delta" && ++count === 5) controller.abort();
    }
    check(count < 20 && aborted === 1, "the stream ends soon after the abort", count, aborted);
    await until(async () => (await seen(t))[0].outcome === "cancelled");
    return { kinds };
  },

  async "abort-before"(t) {
    const e = await failure(() => generateText({ model: openai(t).chat("test-model"), prompt: "x", abortSignal: AbortSignal.abort() }));
    const late = await failure(() => generateText({ model: openai(t).chat("test-model;first-delay=30s"), prompt: "x", abortSignal: AbortSignal.timeout(1500) }));
    check(e.name === "AbortError" && late.name === "TimeoutError", "the errors of the signals", e, late);
    return [e.name, late.name];
  },

  async "timeout"(t) {
    const e = await failure(() => generateText({ model: openai(t).chat("test-model;first-delay=30s"), prompt: "x", timeout: 1500 }));
    return e.name;
  },

  "client-leaves": {
    requests: [{ leaveAfter: 60 }],
    run: (t) => streamText({ model: openai(t).chat("test-model;tokens=2000;delay=20ms"), prompt: "say word", abortSignal: t.signal }).toUIMessageStreamResponse(),
  },

  async "api-errors"(t) {
    const bad = await failure(() => generateText({ model: openai(t).chat("test-model;fault=400"), prompt: "x" }));
    const key = await failure(() => generateText({ model: anthropic(t)("test-model;fault=401"), prompt: "x" }));
    const gone = await failure(() => generateText({ model: google(t)("test-model;fault=404"), prompt: "x" }));
    check([bad, key, gone].every((e) => APICallError.isInstance(e) && !e.isRetryable), "they are not retried", [bad, key, gone]);
    check((await seen(t)).length === 3, "one request each");
    return [about(bad), about(key), about(gone)];
  },

  async "retry-succeeds"(t) {
    const { text } = await generateText({ model: openai(t).chat("test-model;fault=503x2/5ms"), prompt: "say fine" });
    check(text === "fine" && (await seen(t)).length === 3, "the third attempt succeeds", text);
    return text;
  },

  async "retry-gives-up"(t) {
    const e = await failure(() => generateText({ model: openai(t).chat("test-model;fault=429/5ms"), prompt: "x", maxRetries: 1 }));
    check(RetryError.isInstance(e) && e.errors.length === 2, "both errors are kept", e);
    return { reason: e.reason, message: e.message, errors: e.errors.map(about), last: about(e.lastError) };
  },

  async "stream-error-event"(t) {
    let told: any;
    const result = streamText({ model: openai(t)("test-model;fault=error@3"), prompt: "say one two three four five", onError: ({ error }) => { told = error; }, maxRetries: 0 });
    const parts = await collect(result.fullStream);
    const error = parts.find((p) => p.type === "error");
    check(error && told, "an error part, and onError", parts.map((p) => p.type));
    return { kinds: parts.map((p) => p.type), finish: (parts.at(-1) as any).finishReason };
  },

  "stream-error-response": {
    requests: [{}],
    run: (t) => streamText({ model: openai(t).chat("test-model;fault=error@2"), prompt: "say one two three", onError() {} }).toUIMessageStreamResponse({ onError: () => "it broke" }),
  },

  async "stream-cut"(t) {
    const result = streamText({ model: openai(t).chat("test-model;fault=cut@3"), prompt: "say one two three four five", onError() {} });
    const texts: string[] = [];
    const e = await failure(async () => {
      for await (const part of result.fullStream) if (part.type === "text-delta") texts.push(part.text);
    });
    check(APICallError.isInstance(e) && e.cause, "a cut connection is an error with a cause", e);
    return { texts, about: about(e) };
  },

  async "stream-bad-json"(t) {
    const result = streamText({ model: openai(t).chat("test-model;fault=bad-json@2"), prompt: "say one two three four", onError() {} });
    const parts = await collect(result.fullStream);
    const error: any = parts.find((p) => p.type === "error")?.error;
    check(error?.name === "AI_JSONParseError", "the event that is no JSON is an error", error);
    return { kinds: parts.map((p) => p.type), text: error.text };
  },

  async "odd-framing"(t) {
    const texts: string[] = [];
    for (const fault of ["utf8", "frames", "crlf", "comments", "utf8,frames,crlf,comments"]) {
      texts.push(await streamText({ model: openai(t).chat(`test-model;fault=${fault}`), prompt: "say eins zwei drei vier" }).text);
    }
    check(texts.every((text) => /^eins.* zwei.* drei.* vier/.test(text)), "each text is whole", texts);
    return texts;
  },
};
