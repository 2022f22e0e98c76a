// Answers requests for /api/pb_serverless/NAME with the workload of that name.
import * as aisdk from "./aisdk.ts";
import * as fanout from "./fanout.ts";
import * as hello from "./hello.ts";
import * as json from "./json.ts";
import * as openai from "./openai.ts";
import * as relay from "./relay.ts";
import * as transform from "./transform.ts";

type Handler = (req: Request) => Response | Promise<Response>;
const handlers: Record<string, Handler> = {
  aisdk: aisdk.POST, fanout: fanout.POST, hello: hello.POST, json: json.POST, openai: openai.POST, relay: relay.POST, transform: transform.POST,
};

export async function answer(req: Request): Promise<Response> {
  const handler = handlers[new URL(req.url).pathname.replace("/api/pb_serverless/", "")];
  return handler ? handler(req) : new Response("ready", { status: 404 });
}
