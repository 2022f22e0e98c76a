// LangGraph: graphs, checkpoints, interrupts, agents, concurrent runs.
import { AIMessage, HumanMessage } from "@langchain/core/messages";
import { Annotation, Command, END, MemorySaver, MessagesAnnotation, START, Send, StateGraph, entrypoint, getConfig, interrupt, isInterrupted, task } from "@langchain/langgraph";
import { ToolNode, createReactAgent, toolsCondition } from "@langchain/langgraph/prebuilt";
import { createAgent, createMiddleware, humanInTheLoopMiddleware, tool } from "langchain";
import { z } from "zod";
import { check, collect, type Programs } from "../../harness.ts";
import { brief, chat, weather } from "./models.ts";

const State = Annotation.Root({
  name: Annotation<string>(),
  log: Annotation<string[]>({ reducer: (a, b) => a.concat(b), default: () => [] }),
});

export const graph: Programs = {
  async "state-graph"(t) {
    const app = new StateGraph(State)
      .addNode("ask", async ({ name }) => ({ log: [String((await chat(t).invoke(`say ${name}`)).content)] }))
      .addNode("long", () => ({ log: ["long"] }))
      .addNode("short", () => ({ log: ["short"] }))
      .addEdge(START, "ask")
      .addConditionalEdges("ask", ({ name }) => (name.length > 3 ? "long" : "short"), ["long", "short"])
      .addEdge("long", END).addEdge("short", END).compile();
    const a = await app.invoke({ name: "Alexander" }), b = await app.invoke({ name: "Bo" });
    check(a.log.join() === "Alexander,long" && b.log.join() === "Bo,short", "the edges by condition", a, b);
    return [a, b];
  },

  async "stream-modes"(t) {
    const app = new StateGraph(MessagesAnnotation).addNode("model", async ({ messages }) => ({ messages: [await chat(t).invoke(messages)] })).addEdge(START, "model").addEdge("model", END).compile();
    const input = { messages: [new HumanMessage("say one two three")] };
    const updates = await collect(await app.stream(input, { streamMode: "updates" }));
    const values = await collect(await app.stream(input, { streamMode: "values" }));
    const tokens = (await collect(await app.stream(input, { streamMode: "messages" }))).map(([m]) => m.content).filter(Boolean);
    const both = (await collect(await app.stream(input, { streamMode: ["updates", "messages"] }))).map(([mode]) => mode);
    check(tokens.length === 3 && both.includes("updates") && both.includes("messages"), "tokens from within the node", tokens, both);
    return { updates: updates.map((u) => Object.keys(u)), values: values.map((v) => v.messages.map(brief)), tokens, both };
  },

  async "react-agent"(t) {
    const agent = createReactAgent({ llm: chat(t), tools: [weather], prompt: "Be brief." });
    const { messages } = await agent.invoke({ messages: [new HumanMessage('What is the weather in "Oslo"?')] });
    check(String(messages.at(-1)!.content).includes("clear over Oslo"), "the answer uses the tool", messages.map(brief));
    return messages.map(brief);
  },

  async "create-agent"(t) {
    const log: string[] = [];
    const agent = createAgent({
      model: chat(t), tools: [weather], systemPrompt: "Be brief.",
      middleware: [createMiddleware({ name: "Log", beforeModel: (state) => { log.push(`before ${state.messages.length}`); }, wrapToolCall: async (request, handler) => { log.push(`tool ${request.toolCall.name}`); return handler(request); } })],
    });
    const { messages } = await agent.invoke({ messages: [{ role: "user", content: 'What is the weather in "Rome"?' }] });
    const steps = (await collect(await agent.stream({ messages: [{ role: "user", content: 'What is the weather in "Rome"?' }] }, { streamMode: "updates" }))).map((s) => Object.keys(s));
    check(String(messages.at(-1)!.content).includes("clear over Rome") && log[0] === "before 1", "agent and middleware", log);
    return { messages: messages.map(brief), log, steps };
  },

  async "agent-structured"(t) {
    const agent = createAgent({ model: chat(t), tools: [], responseFormat: z.object({ name: z.string(), age: z.number() }) });
    const { structuredResponse } = await agent.invoke({ messages: [{ role: "user", content: 'The person "Ada" of age 36' }] });
    check(structuredResponse.name === "Ada", "a structured response", structuredResponse);
    return structuredResponse;
  },

  async "tool-node"(t) {
    const add = tool(({ a, b }) => String(a + b), { name: "add_numbers", description: "adds", schema: z.object({ a: z.number(), b: z.number() }) });
    const model = chat(t).bindTools([add]);
    const app = new StateGraph(MessagesAnnotation)
      .addNode("agent", async ({ messages }) => ({ messages: [await model.invoke(messages)] })).addNode("tools", new ToolNode([add]))
      .addEdge(START, "agent").addConditionalEdges("agent", toolsCondition).addEdge("tools", "agent").compile();
    const { messages } = await app.invoke({ messages: [new HumanMessage("Use add_numbers with a 20 and b 22")] });
    check(String(messages.at(-1)!.content).includes("42"), "the sum is in the answer", messages.map(brief));
    return messages.map(brief);
  },

  async interrupt(t) {
    const app = new StateGraph(State)
      .addNode("draft", async ({ name }) => ({ log: [`draft: ${(await chat(t).invoke(`say ${name}`)).content}`] }))
      .addNode("review", ({ log }) => {
        const decision = interrupt({ question: "send it?", draft: log[0] });
        const sure = interrupt("sure?");
        return { log: [`decided: ${decision}, ${sure}`] };
      })
      .addEdge(START, "draft").addEdge("draft", "review").addEdge("review", END).compile({ checkpointer: new MemorySaver() });
    const config = { configurable: { thread_id: "1" } };
    const first = await app.invoke({ name: "hello" }, config);
    check(isInterrupted(first), "the first run stops", first);
    const waiting = await app.getState(config);
    const second = await app.invoke(new Command({ resume: "yes" }), config);
    const third = await app.invoke(new Command({ resume: "very" }), config);
    check(third.log.at(-1) === "decided: yes, very" && third.log.length === 2, "it goes on where it stopped", third);
    const history = await collect(app.getStateHistory(config));
    return { asked: (first as any).__interrupt__.map((i: any) => i.value), next: waiting.next, second: (second as any).__interrupt__.map((i: any) => i.value), third, history: history.map((h) => [h.next, h.values.log?.length]) };
  },

  async "agent-approval"(t) {
    const agent = createAgent({ model: chat(t), tools: [weather], checkpointer: new MemorySaver(), middleware: [humanInTheLoopMiddleware({ interruptOn: { get_weather: { allowedDecisions: ["approve", "edit", "reject"] } } })] });
    const config = { configurable: { thread_id: "a" } };
    const asked: any = await agent.invoke({ messages: [{ role: "user", content: 'What is the weather in "Oslo"?' }] }, config);
    const done = await agent.invoke(new Command({ resume: { decisions: [{ type: "edit", editedAction: { name: "get_weather", args: { city: "Bergen" } } }] } }), config);
    check(JSON.stringify(done.messages.map(brief)).includes("clear over Bergen"), "the edited call ran", done.messages.map(brief));
    return { asked: asked.__interrupt__[0].value, messages: done.messages.map(brief) };
  },

  async memory(t) {
    const agent = createAgent({ model: chat(t), tools: [], checkpointer: new MemorySaver() });
    const say = async (content: string, thread_id: string) => (await agent.invoke({ messages: [{ role: "user", content }] }, { configurable: { thread_id } })).messages.at(-1)!.content;
    await say("My cat is called Mina.", "a");
    const here = await say("What is my cat called?", "a"), there = await say("What is my cat called?", "b");
    check(String(here).includes("Mina") && !String(there).includes("Mina"), "a thread remembers, another does not", here, there);
    return [here, there];
  },

  async "map-reduce"(t) {
    const app = new StateGraph(Annotation.Root({ topics: Annotation<string[]>(), topic: Annotation<string>(), jokes: Annotation<string[]>({ reducer: (a, b) => a.concat(b), default: () => [] }) }))
      .addNode("joke", async ({ topic }) => ({ jokes: [String((await chat(t).invoke(`say a joke on ${topic}`)).content)] }))
      .addConditionalEdges(START, ({ topics }) => topics.map((topic) => new Send("joke", { topic })), ["joke"]).addEdge("joke", END).compile();
    const { jokes } = await app.invoke({ topics: ["cats", "dogs", "birds"] });
    check(jokes.join() === "a joke on cats,a joke on dogs,a joke on birds", "one node a topic", jokes);
    return jokes;
  },

  async subgraph(t) {
    const inner = new StateGraph(State).addNode("step", async ({ name }) => ({ log: [`inner ${(await chat(t).invoke(`say ${name}`)).content}`] })).addEdge(START, "step").compile();
    const outer = new StateGraph(State).addNode("inner", inner).addNode("after", () => ({ log: ["after"] })).addEdge(START, "inner").addEdge("inner", "after").compile();
    const namespaces = (await collect(await outer.stream({ name: "x" }, { streamMode: "updates", subgraphs: true }))).map(([namespace, update]) => [namespace.length, Object.keys(update)]);
    const { log } = await outer.invoke({ name: "x" });
    return { namespaces, log };
  },

  async functional(t) {
    const ask = task("ask", async (word: string) => String((await chat(t).invoke(`say ${word}`)).content));
    const flow = entrypoint({ name: "flow", checkpointer: new MemorySaver() }, async (words: string[]) => {
      const answers = await Promise.all(words.map((word) => ask(word)));
      return [...answers, interrupt("more?")];
    });
    const config = { configurable: { thread_id: "f" } };
    await collect(await flow.stream(["a", "b"], config));
    const result = await flow.invoke(new Command({ resume: "no more" }), config);
    check(result.join() === "a,b,no more", "tasks are not run again", result);
    return result;
  },

  // Configuration travels in an AsyncLocalStorage: each run sees its own at each await.
  async concurrent(t) {
    const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
    const inner = tool(async ({ city }, config) => {
      await wait(5);
      return `${city} for ${config.configurable?.user} and ${getConfig().configurable?.user}`;
    }, { name: "get_weather", description: "the weather of a city", schema: z.object({ city: z.string() }) });
    const app = new StateGraph(State)
      .addNode("one", async () => {
        const seen: string[] = [];
        for (let k = 0; k < 3; k++) {
          seen.push(getConfig().configurable!.user);
          await (k === 1 ? wait(3) : chat(t).invoke("say x"));
        }
        return { log: seen };
      })
      .addNode("two", async () => ({ log: [await inner.invoke({ city: "Rome" })] }))
      .addEdge(START, "one").addEdge("one", "two").addEdge("two", END).compile();
    const users = ["ann", "bob", "cid", "dan", "eve", "fay"];
    const results = await Promise.all(users.map((user, k) => wait(k % 3).then(() => app.invoke({ name: user }, { configurable: { user } }))));
    for (const [k, { log }] of results.entries()) check(log.every((entry) => entry.includes(users[k]!)), `${users[k]} sees its own configuration`, log);
    return results.map((r) => r.log);
  },

  async "serialised-messages"() {
    const message = new AIMessage({ content: "x", tool_calls: [{ id: "1", name: "get_weather", args: { city: "Rome" } }] });
    return [message.toDict(), JSON.parse(JSON.stringify(message)), message.lc_id, AIMessage.lc_name()];
  },
};
