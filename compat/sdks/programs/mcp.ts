// Model Context Protocol SDK: https://github.com/modelcontextprotocol/typescript-sdk
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { InMemoryTransport } from "@modelcontextprotocol/sdk/inMemory.js";
import { McpServer, ResourceTemplate } from "@modelcontextprotocol/sdk/server/mcp.js";
import { WebStandardStreamableHTTPServerTransport } from "@modelcontextprotocol/sdk/server/webStandardStreamableHttp.js";
import { CreateMessageRequestSchema, ElicitRequestSchema, McpError } from "@modelcontextprotocol/sdk/types.js";
import { z } from "zod";
import { check, failure, seen, suite, type Ask, type Test } from "../harness.ts";

async function connected(t: Test): Promise<Client> {
  const client = new Client({ name: "compat", version: "1.0.0" });
  await client.connect(new StreamableHTTPClientTransport(new URL(`${t.model}/mcp`)));
  return client;
}

/** A server with a tool, a resource, a prompt. */
function makeServer(): McpServer {
  const server = new McpServer({ name: "notes", version: "1.0.0" }, { capabilities: { logging: {} }, instructions: "Keeps notes." });
  server.registerTool("add", { title: "Add", description: "adds two numbers", inputSchema: { a: z.number(), b: z.number().default(1) }, outputSchema: { sum: z.number() } }, async ({ a, b }) => ({ content: [{ type: "text", text: String(a + b) }], structuredContent: { sum: a + b } }));
  server.registerTool("fail", { description: "fails" }, async () => { throw new Error("on purpose"); });
  server.registerTool("count", { description: "counts", inputSchema: { to: z.number().int().max(5) } }, async ({ to }, extra) => {
    for (let k = 1; k <= to; k++) {
      if (extra._meta?.progressToken !== undefined) await extra.sendNotification({ method: "notifications/progress", params: { progressToken: extra._meta.progressToken, progress: k, total: to } });
    }
    return { content: [{ type: "text", text: `counted to ${to}` }] };
  });
  server.registerResource("note", new ResourceTemplate("note://{id}", { list: async () => ({ resources: [{ uri: "note://1", name: "first" }] }) }), { mimeType: "text/plain" }, async (uri, { id }) => ({ contents: [{ uri: uri.href, text: `note ${id}` }] }));
  server.registerPrompt("greet", { argsSchema: { name: z.string() } }, ({ name }) => ({ messages: [{ role: "user", content: { type: "text", text: `Hello ${name}` } }] }));
  return server;
}

const post = (body: unknown, headers: Record<string, string> = {}): Ask => ({
  method: "POST", body: typeof body === "string" ? body : JSON.stringify(body),
  headers: { "content-type": "application/json", accept: "application/json, text/event-stream", "mcp-protocol-version": "2025-06-18", ...headers },
});
const call = (method: string, params: object, id = 1) => ({ jsonrpc: "2.0", id, method, params });
const initialize = call("initialize", { protocolVersion: "2025-06-18", capabilities: {}, clientInfo: { name: "raw", version: "1" } });

async function stateless(t: Test, json: boolean): Promise<Response> {
  const transport = new WebStandardStreamableHTTPServerTransport({ sessionIdGenerator: undefined, enableJsonResponse: json });
  await makeServer().connect(transport);
  return transport.handleRequest(t.req);
}

/** A client and a server in one process. */
async function pair(server: McpServer, client = new Client({ name: "compat", version: "1" })): Promise<Client> {
  const [a, b] = InMemoryTransport.createLinkedPair();
  await Promise.all([server.connect(a), client.connect(b)]);
  return client;
}

export default suite("mcp", {
  async client(t) {
    const client = await connected(t);
    const { tools } = await client.listTools();
    const reversed = await client.callTool({ name: "reverse_text", arguments: { text: "stressed" } });
    const added = await client.callTool({ name: "add_numbers", arguments: { a: 20, b: 22 } });
    const { resources } = await client.listResources();
    const read = await client.readResource({ uri: resources[0]!.uri });
    const { prompts } = await client.listPrompts();
    const prompt = await client.getPrompt({ name: "greet", arguments: { name: "Ada" } });
    await client.ping();
    check(JSON.stringify(reversed.content).includes("desserts") && (added.structuredContent as any).sum === 42, "tools answer", reversed, added);
    const about = { server: client.getServerVersion(), capabilities: client.getServerCapabilities(), instructions: client.getInstructions() };
    await (client.transport as StreamableHTTPClientTransport).terminateSession();
    await client.close();
    return { ...about, tools, reversed, added, resources, read, prompts, prompt };
  },

  async "client-progress"(t) {
    const client = await connected(t);
    const progress: unknown[] = [];
    const result = await client.callTool({ name: "count_up", arguments: { to: 4 } }, undefined, { onprogress: (p) => { progress.push(p); } });
    await client.close();
    check(progress.length === 4, "four notifications ahead of the result", progress);
    return { progress, result };
  },

  async "client-errors"(t) {
    const client = await connected(t);
    const unknown = await failure(() => client.callTool({ name: "nope", arguments: {} }));
    const missing = await failure(() => client.readResource({ uri: "test://nope" }));
    const failed = await client.callTool({ name: "count_up", arguments: { to: 0 } });
    await client.close();
    check(unknown instanceof McpError && missing instanceof McpError && failed.isError, "errors of the protocol, and of a tool", unknown, missing, failed);
    const lost = new Client({ name: "compat", version: "1" });
    const nowhere = await failure(() => lost.connect(new StreamableHTTPClientTransport(new URL(`${t.model}/nowhere`))));
    return [unknown, missing].map((e) => [e.name, e.code, e.message]).concat([failed.content, nowhere.name]);
  },

  async "client-session"(t) {
    const client = await connected(t);
    await client.listTools();
    const { sessionId } = client.transport as StreamableHTTPClientTransport;
    await client.close();
    const requests = (await seen(t)).filter((r) => r.method === "POST");
    check(sessionId && requests.at(-1).header["Mcp-Session-Id"][0] === sessionId, "the session's id is sent", sessionId);
    return requests.map((r) => [JSON.parse(r.body).method, r.header["Mcp-Protocol-Version"], r.status]);
  },

  "server-json": {
    requests: [
      post(initialize), post({ jsonrpc: "2.0", method: "notifications/initialized" }), post(call("tools/list", {})), post(call("tools/call", { name: "add", arguments: { a: 41 } })),
      post(call("tools/call", { name: "add", arguments: { a: "x" } })), post(call("tools/call", { name: "fail", arguments: {} })), post(call("resources/list", {})), post(call("resources/read", { uri: "note://7" })),
      post(call("prompts/get", { name: "greet", arguments: { name: "Ada" } })), post(call("nope", {})), post("{broken"), post(initialize, { accept: "application/json" }), { method: "DELETE" },
    ],
    run: (t) => stateless(t, true),
  },

  "server-events": {
    requests: [post(initialize), post(call("tools/list", {})), post({ ...call("tools/call", { name: "count", arguments: { to: 3 }, _meta: { progressToken: "p" } }, 7) })],
    run: (t) => stateless(t, false),
  },

  async "in-memory"() {
    const client = await pair(makeServer());
    const progress: unknown[] = [];
    const counted = await client.callTool({ name: "count", arguments: { to: 3 } }, undefined, { onprogress: (p) => { progress.push(p.progress); } });
    const failed = await client.callTool({ name: "fail", arguments: {} });
    const invalid = await client.callTool({ name: "count", arguments: { to: 9 } });
    check(progress.length === 3 && failed.isError && invalid.isError, "progress and errors", progress, failed, invalid);
    return { counted, failed, invalid, templates: await client.listResourceTemplates() };
  },

  // The server asks the client: for a text of a model, and for a form.
  async "server-asks"() {
    const server = new McpServer({ name: "asks", version: "1" });
    server.registerTool("ask", { description: "asks", inputSchema: {} }, async () => {
      const sampled = await server.server.createMessage({ messages: [{ role: "user", content: { type: "text", text: "hi" } }], maxTokens: 5 });
      const form = await server.server.elicitInput({ message: "name?", requestedSchema: { type: "object", properties: { name: { type: "string" } }, required: ["name"] } });
      return { content: [{ type: "text", text: `${(sampled.content as any).text} ${form.action} ${form.content?.name}` }] };
    });
    const client = new Client({ name: "compat", version: "1" }, { capabilities: { sampling: {}, elicitation: {} } });
    client.setRequestHandler(CreateMessageRequestSchema, async ({ params }) => ({ model: "m", role: "assistant", content: { type: "text", text: `said ${(params.messages[0]!.content as any).text}` } }));
    client.setRequestHandler(ElicitRequestSchema, async () => ({ action: "accept", content: { name: "Ada" } }));
    const result = await (await pair(server, client)).callTool({ name: "ask", arguments: {} });
    check(JSON.stringify(result.content).includes("said hi accept Ada"), "both answers arrive", result);
    return result;
  },

  async "dynamic-tools"() {
    const server = makeServer();
    const client = await pair(server);
    const before = (await client.listTools()).tools.length;
    const added = server.registerTool("later", { description: "comes later" }, async () => ({ content: [] }));
    const during = (await client.listTools()).tools.length;
    added.disable();
    const after = (await client.listTools()).tools.length;
    check(during === before + 1 && after === before, "tools come and go", before, during, after);
    return [before, during, after];
  },
});
