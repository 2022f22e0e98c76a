// Models, prompts, sequences, parsers, tools.
import { HumanMessage, SystemMessage, ToolMessage, trimMessages } from "@langchain/core/messages";
import { JsonOutputParser, StringOutputParser } from "@langchain/core/output_parsers";
import { ChatPromptTemplate, MessagesPlaceholder } from "@langchain/core/prompts";
import { RunnableBranch, RunnableLambda, RunnablePassthrough, RunnableSequence } from "@langchain/core/runnables";
import { InMemoryStore } from "@langchain/langgraph";
import { z } from "zod";
import { check, collect, failure, seen, until, type Programs } from "../../harness.ts";
import { brief, chat, embeddings, weather } from "./models.ts";

export const core: Programs = {
  async invoke(t) {
    const answer = await chat(t).invoke([new SystemMessage("The bakery opens at seven."), new HumanMessage("When does the bakery open?")]);
    check(String(answer.content).includes("opens at seven"), "the answer cites the system message", answer.content);
    return { ...brief(answer), metadata: answer.response_metadata };
  },

  async stream(t) {
    const chunks = await collect(await chat(t).stream("say one two three"));
    const whole = chunks.reduce((a, b) => a.concat(b));
    check(whole.content === "one two three" && chunks.length > 3, "the chunks add up", chunks.map((c) => c.content));
    return { chunks: chunks.map((c) => c.content), usage: whole.usage_metadata };
  },

  async batch(t) {
    const answers = await chat(t).batch(["say a", "say b", "What is 2*21?"], { maxConcurrency: 2 });
    check(answers.length === 3 && String(answers[2]!.content).includes("42"), "the answers in order", answers.map((a) => a.content));
    return answers.map(brief);
  },

  async sequence(t) {
    const prompt = ChatPromptTemplate.fromMessages([["system", "Be brief."], new MessagesPlaceholder("history"), ["human", "say {word} and {{braces}}"]]);
    const chain = RunnableSequence.from([prompt, chat(t), new StringOutputParser(), (text: string) => text.toUpperCase()]);
    const text = await chain.invoke({ word: "hello", history: [new HumanMessage("hi")] });
    check(text === "HELLO AND {BRACES}", "prompt, model, parser, function", text);
    return text;
  },

  async "sequence-stream"(t) {
    const chain = ChatPromptTemplate.fromTemplate("say {word} two three").pipe(chat(t)).pipe(new StringOutputParser());
    const parts = await collect(await chain.stream({ word: "one" }));
    check(parts.join("") === "one two three" && parts.filter(Boolean).length === 3, "it streams through", parts);
    return parts;
  },

  async "parallel"(t) {
    const chain = RunnablePassthrough.assign({
      sum: RunnableLambda.from(({ a }: any) => `What is ${a}+1?`).pipe(chat(t)).pipe(new StringOutputParser()),
      product: RunnableLambda.from(({ a }: any) => `What is ${a}*2?`).pipe(chat(t)).pipe(new StringOutputParser()),
    });
    const branch = RunnableBranch.from([[(x: any) => x.sum.includes("= 8"), () => "eight"], () => "other"]);
    const result = await chain.invoke({ a: 7 });
    check(result.sum === "7+1 = 8" && result.product === "7*2 = 14", "both branches ran", result);
    return [result, await branch.invoke(result)];
  },

  async "bind-tools"(t) {
    const model = chat(t).bindTools([weather]);
    const question = new HumanMessage("What is the weather in Paris and Rome?");
    const first = await model.invoke([question]);
    check(first.tool_calls?.length === 2, "one call a city", first.tool_calls);
    const results = await Promise.all(first.tool_calls!.map((call) => weather.invoke(call))) as ToolMessage[];
    const second = await model.invoke([question, first, ...results]);
    const streamed = (await collect(await model.stream([question]))).reduce((a, b) => a.concat(b));
    return { first: brief(first), results: results.map(brief), second: brief(second), streamed: streamed.tool_calls!.map((c) => c.args) };
  },

  async "structured-output"(t) {
    const schema = z.object({ name: z.string().describe("of the person"), age: z.number().int() });
    const results: unknown[] = [];
    for (const method of ["jsonSchema", "functionCalling"] as const) {
      const model = chat(t).withStructuredOutput(schema, { name: "person", method, includeRaw: true });
      const { parsed } = await model.invoke('The person "Ada" of age 36');
      check(parsed!.name === "Ada" && parsed!.age === 36, method, parsed);
      results.push(parsed);
    }
    const partial = await collect(await chat(t).withConfig({ response_format: { type: "json_object" } } as any).pipe(new JsonOutputParser()).stream("What is 1+1?"));
    return { results, partial };
  },

  async "stream-events"(t) {
    const chain = ChatPromptTemplate.fromTemplate("say {word} two").pipe(chat(t)).pipe(new StringOutputParser()).withConfig({ runName: "chain" });
    const events = await collect(chain.streamEvents({ word: "one" }, { version: "v2" }));
    const kinds = events.map((e) => `${e.event} ${e.name}`);
    check(kinds[0] === "on_chain_start chain" && kinds.at(-1) === "on_chain_end chain" && kinds.some((k) => k.startsWith("on_chat_model_stream")), "events of each step", kinds);
    // The stages run at the same time: only the order of one stage's events is fixed.
    return Object.groupBy(kinds, (k) => k.split(" ")[1]!);
  },

  async callbacks(t) {
    const log: unknown[] = [];
    await chat(t).invoke("say hello", { tags: ["a"], metadata: { b: 1 }, callbacks: [{
      handleChatModelStart: (_llm, messages, _run, _parent, _extra, tags) => { log.push(["start", messages[0]![0]!.content, tags]); },
      handleLLMEnd: (output) => { log.push(["end", output.generations[0]![0]!.text]); },
    }] });
    check(log.length === 2, "start and end", log);
    return log;
  },

  async fallbacks(t) {
    const chain = chat(t, "test-model;fault=400").withFallbacks([chat(t)]);
    const retried = RunnableLambda.from(async () => {
      if ((await seen(t)).length < 3) {
        await chat(t).invoke("x");
        throw new Error("again");
      }
      return "at last";
    }).withRetry({ stopAfterAttempt: 4 });
    const answer = await chain.invoke("say from the other");
    return [brief(answer), await retried.invoke("")];
  },

  async errors(t) {
    const limited = await failure(() => chat(t, "test-model;fault=429").invoke("x"));
    const key = await failure(() => chat(t, "test-model;fault=401").invoke("x"));
    return [limited, key].map((e) => [e.name, e.status, e.message.split("\n")[0], e.lc_error_code]);
  },

  async abort(t) {
    const controller = new AbortController();
    let chunks = 0;
    const e = await failure(async () => {
      for await (const _ of await chat(t, "test-model;tokens=500;delay=20ms").stream("x", { signal: controller.signal })) if (++chunks === 4) controller.abort();
    });
    check(chunks < 20, "it ends soon", chunks);
    await until(async () => (await seen(t))[0].outcome === "cancelled");
    return e.name;
  },

  async "store-search"(t) {
    const store = new InMemoryStore({ index: { dims: 64, embeddings: embeddings(t), fields: ["text"] } });
    for (const [key, text] of Object.entries({ boat: "Boats sail on the sea.", cake: "Cakes are baked in an oven.", train: "Trains run on rails." })) await store.put(["notes"], key, { text });
    const found = await store.search(["notes"], { query: "a boat at sea", limit: 2 });
    check(found[0]!.key === "boat", "the nearest first", found);
    return found.map((item) => [item.key, item.value, Math.round(item.score! * 1e4)]);
  },

  async "trim-messages"() {
    const messages = [new SystemMessage("s"), new HumanMessage("one"), new HumanMessage("two"), new HumanMessage("three")];
    return (await trimMessages(messages, { maxTokens: 2, strategy: "last", includeSystem: true, tokenCounter: (m) => m.length })).map(brief);
  },
};
