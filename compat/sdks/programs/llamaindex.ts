// LlamaIndex.TS: https://ts.llamaindex.ai
import { OpenAI, OpenAIEmbedding } from "@llamaindex/openai";
import { agent, agentStreamEvent, agentToolCallEvent } from "@llamaindex/workflow";
import { ContextChatEngine, Document, IngestionPipeline, MarkdownNodeParser, MetadataMode, PromptTemplate, SentenceSplitter, Settings, SimpleChatEngine, SummaryIndex, VectorStoreIndex, getResponseSynthesizer, tool } from "llamaindex";
import { z } from "zod";
import { check, collect, failure, suite, type Test } from "../harness.ts";

const llm = (t: Test, model = "test-model") => new OpenAI({ model: model as any, apiKey: "key", baseURL: `${t.model}/v1`, maxRetries: 0 });
const embedding = (t: Test) => new OpenAIEmbedding({ model: "test-embedding", apiKey: "key", baseURL: `${t.model}/v1`, dimensions: 64 });
const documents = () => ["The museum opens at nine. It closes at five.", "Boats leave the harbour each hour.", "Cakes are baked in an oven."].map((text, k) => new Document({ text, id_: `doc${k}`, metadata: { number: k } }));
const within = <T>(t: Test, work: () => Promise<T>): Promise<T> => Settings.withLLM(llm(t), () => Settings.withEmbedModel(embedding(t), work));
const weather = tool({ name: "get_weather", description: "the weather of a city", parameters: z.object({ city: z.string() }), execute: ({ city }) => `clear over ${city}` });

export default suite("llamaindex", {
  async chat(t) {
    const response = await llm(t).chat({ messages: [{ role: "system", content: "The museum opens at nine." }, { role: "user", content: "When does the museum open?" }] });
    check(String(response.message.content).includes("opens at nine"), "the answer cites the system message", response.message);
    return response.message;
  },

  async "chat-stream"(t) {
    const parts = (await collect(await llm(t).chat({ messages: [{ role: "user", content: "say one two three" }], stream: true }))).map((p) => p.delta);
    check(parts.join("") === "one two three", "the whole text", parts);
    return parts;
  },

  async tools(t) {
    const response = await llm(t).chat({ messages: [{ role: "user", content: 'What is the weather in "Oslo"?' }], tools: [weather] });
    return response.message.options;
  },

  async structured(t) {
    const response = await llm(t).chat({ messages: [{ role: "user", content: 'The person "Ada" of age 36' }], responseFormat: z.object({ name: z.string(), age: z.number() }) });
    check(JSON.parse(String(response.message.content)).name === "Ada", "JSON by the schema", response.message);
    return response.message.content;
  },

  "query-engine": (t) => within(t, async () => {
    const index = await VectorStoreIndex.fromDocuments(documents());
    const { message, sourceNodes } = await index.asQueryEngine({ similarityTopK: 1 }).query({ query: "When does the museum open?" });
    check(String(message.content) === "According to the context: The museum opens at nine.", "the answer comes from the document", message.content);
    return { text: message.content, sources: sourceNodes!.map((s) => [s.node.getContent(MetadataMode.NONE), s.node.metadata, Math.round(s.score! * 1e4)]) };
  }),

  "query-stream": (t) => within(t, async () => {
    const index = await VectorStoreIndex.fromDocuments(documents());
    const parts = (await collect(await index.asQueryEngine({ similarityTopK: 1 }).query({ query: "When do boats leave?", stream: true }))).map((p) => p.delta);
    check(parts.join("").startsWith("According to the context: Boats leave the harbour"), "the streamed answer", parts);
    return parts;
  }),

  retriever: (t) => within(t, async () => {
    const index = await VectorStoreIndex.fromDocuments(documents());
    const found = await index.asRetriever({ similarityTopK: 2 }).retrieve({ query: "bake a cake" });
    await index.deleteRefDoc("doc2");
    const after = await index.asRetriever({ similarityTopK: 3 }).retrieve({ query: "bake a cake" });
    check(found[0]!.node.metadata.number === 2 && after.length === 2, "the nearest first; deleted ones are gone", found.length, after.length);
    return found.map((f) => [f.node.metadata, Math.round(f.score! * 1e4)]);
  }),

  "chat-engine": (t) => within(t, async () => {
    const index = await VectorStoreIndex.fromDocuments(documents());
    const engine = new ContextChatEngine({ retriever: index.asRetriever({ similarityTopK: 1 }), chatModel: llm(t) });
    const first = await engine.chat({ message: "When does the museum close?" });
    const plain = new SimpleChatEngine({ llm: llm(t) });
    await plain.chat({ message: "My cat is called Mina." });
    const second = await plain.chat({ message: "What is my cat called?" });
    check(String(second.message.content).includes("Mina"), "the engine remembers", second.message.content);
    return [first.message.content, second.message.content];
  }),

  "summary-index": (t) => within(t, async () => {
    const index = await SummaryIndex.fromDocuments(documents());
    const { message } = await index.asQueryEngine({ responseSynthesizer: getResponseSynthesizer("compact") }).query({ query: "What is baked in an oven?" });
    check(String(message.content).startsWith("According to the context: Cakes are baked"), "the answer comes from one of all documents", message.content);
    return message.content;
  }),

  ingestion: (t) => within(t, async () => {
    const pipeline = new IngestionPipeline({ transformations: [new SentenceSplitter({ chunkSize: 16, chunkOverlap: 0 }), embedding(t)] });
    const nodes = await pipeline.run({ documents: documents() });
    check(nodes.length >= 3 && nodes.every((n) => n.embedding?.length === 64), "each chunk has a vector", nodes.length);
    return nodes.map((n) => n.getContent(MetadataMode.NONE));
  }),

  async splitters() {
    const text = "One sentence here. Another one follows! Does a third? Yes: e.g. this one. Ünïcödé ends it.";
    const markdown = new MarkdownNodeParser().getNodesFromDocuments([new Document({ text: "# A\n\ntext a\n\n## B\n\ntext b\n" })]);
    return [new SentenceSplitter({ chunkSize: 12, chunkOverlap: 2 }).splitText(text), (await markdown).map((n) => [n.getContent(MetadataMode.NONE), n.metadata])];
  },

  async prompts() {
    const prompt = new PromptTemplate({ template: "Hello {name}, it is {time}.", templateVars: ["name", "time"] });
    return prompt.partialFormat({ time: "noon" }).format({ name: "Ada" });
  },

  async agent(t) {
    const workflow = agent({ llm: llm(t), tools: [weather], systemPrompt: "Be brief." });
    const result = await workflow.run('What is the weather in "Oslo"?');
    check(String(result.data.result).includes("clear over Oslo"), "the answer uses the tool", result.data.result);
    return result.data.result;
  },

  async "agent-stream"(t) {
    const workflow = agent({ llm: llm(t), tools: [weather] });
    const deltas: string[] = [], calls: unknown[] = [];
    for await (const event of workflow.runStream('What is the weather in "Rome"?')) {
      if (agentStreamEvent.include(event)) deltas.push(event.data.delta);
      else if (agentToolCallEvent.include(event)) calls.push([event.data.toolName, event.data.toolKwargs]);
    }
    check(deltas.join("").includes("clear over Rome") && calls.length === 1, "events of the run", deltas, calls);
    return { deltas, calls };
  },

  // Settings travel in an AsyncLocalStorage.
  async concurrent(t) {
    const answers = await Promise.all(["a", "b", "c", "d"].map((name) => Settings.withLLM(llm(t, `test-model-${name}`), async () => {
      await new Promise((resolve) => setTimeout(resolve, 3));
      const before = Settings.llm.metadata.model;
      await Settings.llm.chat({ messages: [{ role: "user", content: `say ${name}` }] });
      return [before, Settings.llm.metadata.model];
    })));
    check(answers.every(([a, b], k) => a === `test-model-${"abcd"[k]}` && b === a), "each run sees its own model", answers);
    return answers;
  },

  async errors(t) {
    const e = await failure(() => llm(t, "test-model;fault=401").chat({ messages: [{ role: "user", content: "x" }] }));
    return [e.constructor.name, e.status, e.message];
  },
});
