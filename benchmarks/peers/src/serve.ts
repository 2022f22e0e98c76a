// Serves the workloads under Node, Deno or Bun at /api/pb_serverless/NAME. The last
// argument is the address.
import { createServer } from "node:http";
import { answer } from "./answer.ts";

const { Deno, Bun } = globalThis as any;
const [hostname, port] = process.argv.at(-1)!.split(":") as [string, string];
if (Deno) Deno.serve({ hostname, port: Number(port), onListen() {} }, answer);
else if (Bun) Bun.serve({ hostname, port: Number(port), idleTimeout: 60, fetch: answer });
else {
  createServer(async (incoming, outgoing) => {
    const parts: Uint8Array[] = [];
    for await (const part of incoming) parts.push(part);
    const gone = new AbortController();
    outgoing.on("close", () => gone.abort());
    const res = await answer(new Request(`http://${incoming.headers.host}${incoming.url}`, {
      method: incoming.method!,
      headers: incoming.headers as Record<string, string>,
      body: parts.length ? Buffer.concat(parts) : undefined,
      signal: gone.signal,
    }));
    outgoing.writeHead(res.status, Object.fromEntries(res.headers));
    if (res.body) {
      for await (const part of res.body) {
        if (!outgoing.write(part)) await new Promise((resume) => outgoing.once("drain", resume));
      }
    }
    outgoing.end();
  }).listen(Number(port), hostname);
}
