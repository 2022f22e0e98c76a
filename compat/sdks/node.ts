// Serves the suites under Node, which is what agentrt is compared with. It writes the
// address to standard output and ends when standard input does.
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

async function answer(req: Request): Promise<Response> {
  const name = new URL(req.url).pathname.split("/")[3]!;
  const module = await import(`./programs/${name}.ts`);
  return module.default.fetch(req);
}

async function serve(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
  const parts: Uint8Array[] = [];
  for await (const part of incoming) parts.push(part);
  const gone = new AbortController();
  outgoing.on("close", () => gone.abort());
  const headers = new Headers();
  for (let k = 0; k < incoming.rawHeaders.length; k += 2) headers.append(incoming.rawHeaders[k]!, incoming.rawHeaders[k + 1]!);
  const body = parts.length ? Buffer.concat(parts) : undefined;
  const res = await answer(new Request(`http://${incoming.headers.host}${incoming.url}`, { method: incoming.method!, headers, body, signal: gone.signal }));
  outgoing.setHeaders(res.headers);
  outgoing.writeHead(res.status);
  for await (const part of res.body ?? []) {
    if (!outgoing.write(part) && !outgoing.destroyed) await new Promise((resume) => outgoing.once("drain", resume).once("close", resume));
  }
  outgoing.end();
}

const server = createServer((incoming, outgoing) => {
  serve(incoming, outgoing).catch((e) => {
    if (!outgoing.headersSent) outgoing.writeHead(500, { "x-compat-failed": "1" }).end(String(e?.stack ?? e));
    else outgoing.destroy();
  });
});
process.on("unhandledRejection", (e) => console.error("unhandled rejection:", e));
process.stdin.on("end", () => process.exit(0)).resume();
server.listen(0, "127.0.0.1", () => console.log(`127.0.0.1:${(server.address() as AddressInfo).port}`));
