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
    const gone = new AbortController();
    outgoing.on("close", () => gone.abort());
    try {
      const parts: Uint8Array[] = [];
      for await (const part of incoming) parts.push(part);
      const res = await answer(new Request(`http://${incoming.headers.host}${incoming.url}`, {
        method: incoming.method!,
        headers: incoming.headers as Record<string, string>,
        body: parts.length ? Buffer.concat(parts) : undefined,
        signal: gone.signal,
      }));
      outgoing.writeHead(res.status, Object.fromEntries(res.headers));
      if (res.body) {
        for await (const part of res.body) {
          if (!outgoing.write(part)) await new Promise((resume) => outgoing.once("drain", resume).once("close", resume));
        }
      }
      outgoing.end();
    } catch (e) {
      // The client may leave at any time, and does once it has seen the last event.
      if (!gone.signal.aborted) console.error(e);
      outgoing.destroy();
    }
  }).listen(Number(port), hostname);
  process.on("unhandledRejection", (reason) => {
    if ((reason as Error)?.name !== "AbortError") throw reason;
  });
}
