// One HTTP request: find the handler, call it, send its response.

import { host } from "../../polyfill/host.ts";
import { AbortController, AbortSignal } from "../../polyfill/abort.ts";
import { reportError } from "../../polyfill/reporterror.ts";
import { Request, makeRequest } from "../../polyfill/request.ts";
import { Response, takeResponse } from "../../polyfill/response.ts";
import { pump } from "../../hostfn/body.ts";
import { embed } from "../../hostfn/pb/embeddings.ts";
import { app, type Module } from "./app.ts";
import { fetcherOf } from "./describe.ts";

const respond = host.op("http.respond"); // {status, statusText, headers, rid}, bytes
const disconnected = host.op("http.disconnected"); // resolves when the client has left
const extend = host.op("http.extend"); // work goes on after the response
const pipe = host.op("body.pipe");

interface Head {
  file: string;
  method: string;
  url: string;
  headers: [string, string][];
  params: Record<string, string | string[]>;
  rid?: number;
  id: string;
  ip: string;
  auth: Record<string, unknown> | null;
}

type Handler = (request: Request, context: RouteContext, execution?: RouteContext) => unknown;

// The signal of the client's connection, made when somebody looks at it.
function connectionSignal(): () => AbortSignal {
  let controller: AbortController | undefined;
  return () => {
    if (!controller) {
      const c = (controller = new AbortController());
      (disconnected() as Promise<boolean>).then(
        (gone) => { if (gone) c.abort(new DOMException("the client closed the connection", "AbortError")); },
        () => {},
      );
    }
    return controller.signal;
  };
}

class RouteContext {
  readonly params: Record<string, string | string[]>;
  readonly route: string;
  readonly requestId: string;
  readonly ip: string;
  readonly auth: Record<string, unknown> | null;
  #signal: () => AbortSignal;
  #pending: Promise<unknown>[];

  constructor(head: Head, signal: () => AbortSignal, pending: Promise<unknown>[]) {
    this.params = head.params;
    this.route = head.file;
    this.requestId = head.id;
    this.ip = head.ip;
    this.auth = head.auth;
    this.#signal = signal;
    this.#pending = pending;
  }

  get signal(): AbortSignal { return this.#signal(); }

  waitUntil(work: unknown): void {
    if (this.#pending.length === 0) extend();
    this.#pending.push(Promise.resolve(work).catch((e) => { reportError(e); }));
  }

  embed(texts: string | string[], options?: object): Promise<unknown> { return embed(texts, options); }

  // Hono and other libraries for workers call it; errors are always reported.
  passThroughOnException(): void {}

  requireAuth(): Record<string, unknown> {
    if (!this.auth) {
      throw Response.json({ status: 401, message: "The request requires valid record authorization token.", data: {} }, { status: 401 });
    }
    return this.auth;
  }
}

function handlerOf(module: Module, method: string): Handler | undefined {
  const named = module[method] ?? (method === "HEAD" ? module.GET : undefined);
  if (typeof named === "function") return named as Handler;
  const object = fetcherOf(module);
  if (object) return (request, context) => object.fetch(request, context, context);
  return typeof module.default === "function" ? (module.default as Handler) : undefined;
}

function what(v: unknown): string {
  if (v === null || v === undefined) return String(v);
  if (typeof v !== "object") return `a ${typeof v}`;
  return `an object of the class ${(v as object).constructor?.name ?? "Object"}`;
}

async function settled(pending: Promise<unknown>[]): Promise<void> {
  for (let k = 0; k < pending.length; k++) await pending[k];
}

export async function http(head: Head, bytes?: ArrayBuffer): Promise<void> {
  const handler = handlerOf(app.routes[head.file]!, head.method);
  if (!handler) throw new TypeError(`routes/${head.file} has no handler for ${head.method}`);
  const signal = connectionSignal();
  const pending: Promise<unknown>[] = [];
  const request = makeRequest({ url: head.url, method: head.method, headers: head.headers, rid: head.rid, bytes, signal });
  let result: unknown;
  try {
    result = await handler(request, new RouteContext(head, signal, pending));
  } catch (e) {
    if (!(e instanceof Response)) throw e;
    result = e;
  }
  if (!(result instanceof Response)) {
    throw new TypeError(`the ${head.method} handler of ${head.file} returned ${what(result)}: return a Response, for example Response.json(value)`);
  }
  const { status, statusText, headers, bytes: body, rid, stream } = takeResponse(result);
  if (stream && head.method === "HEAD") {
    respond({ status, statusText, headers, rid: 0 });
    await stream.cancel().catch(() => {});
  } else if (stream) {
    const out = pipe() as number;
    respond({ status, statusText, headers, rid: out });
    await pump(stream, out);
  } else {
    respond({ status, statusText, headers, rid: rid ?? 0 }, body);
  }
  if (pending.length) await settled(pending);
}
