/**
 * Globals of agentrt beyond the Web platform (lib "WebWorker" describes that part).
 * Functions live in `pb_serverless/src/routes`; see {@link RouteContext}.
 */

/** What a route's handler gets beside the request. */
interface RouteContext<Params = Record<string, string>> {
  /** Values of the dynamic segments: `routes/users/[id].ts` has `params.id`; a catch-all such as
   * `[...path]` has an array (`RouteContext<{ path: string[] }>`). */
  readonly params: Params;
  /** The route's file below `src`, for example `routes/chat.ts`. */
  readonly route: string;
  /** The request's id: taken from `X-Request-Id` or `traceparent`, else new. The response carries it too. */
  readonly requestId: string;
  /** The client's address, by PocketBase's trusted proxy settings. */
  readonly ip: string;
  /** The authenticated record, or null for a guest. */
  readonly auth: (Record<string, unknown> & { id: string; collectionName: string }) | null;
  /** Aborts when the client closes the connection; the same as `request.signal`. */
  readonly signal: AbortSignal;
  /** Keeps the instance for work after the response, at most 30 s by default. Errors are logged. */
  waitUntil(work: Promise<unknown>): void;
  /** The same as `pb.embed`. */
  embed: PocketBase["embed"];
  /** The authenticated record; a guest gets 401. */
  requireAuth(): Record<string, unknown> & { id: string; collectionName: string };
  /** Does nothing; libraries written for workers call it. */
  passThroughOnException(): void;
}

/** `export const config` of a route. */
interface RouteConfig {
  /** Who may call: everybody ("none", the default), any authenticated record ("user"), superusers, or the records of the named auth collection. */
  auth?: "none" | "user" | "superuser" | (string & {});
  /** Until the response starts: "500ms", "30s" (the default), "5m". A started stream may last longer. */
  timeout?: string;
  /** Time JavaScript may run, waiting excluded; "10s" by default. */
  cpu?: string;
  /** Most memory of the JavaScript heap: "64MB" or a number of bytes; "128MB" by default. */
  memory?: string | number;
  /** Whose rights pb has: a superuser's (the default), or the caller's, under the collections' API rules. */
  run?: "superuser" | "caller";
  /**
   * The only destinations of `fetch` and `WebSocket`, redirects included; absent: all that the server lets through, `[]`: none. It narrows the
   * server's policy and opens nothing that it denies. At most 100 of: a host "api.openai.com", the hosts below one "*.example.com", an address or range
   * "10.0.0.0/8", "*"; each with a port ":443" or a range ":8000-8999" if only these. Rules with addresses apply to URLs with addresses, not to names. A denied
   * fetch rejects with a TypeError whose cause has the code ERR_EGRESS_DENIED.
   */
  net?: string[];
  /**
   * How many requests of one client are answered; the others get 429 with Retry-After. All responses have the fields RateLimit and RateLimit-Policy. Superusers
   * are not limited. Counted are all requests to the route, those that `auth` refuses included.
   */
  rateLimit?: RateLimit;
  /** Names that `pb.secrets.get` gives to this route's handlers; absent: all, `[]`: none. The top level of modules, which runs
   * once for all routes, sees all: read a secret there only if every route may have it. */
  secrets?: string[];
}

interface RateLimit {
  /** 1 to 1,000,000. That many may come at once; they are free again evenly over `per`: with 20 per "1m" one each 3 s. */
  requests: number;
  /** "1s" to "24h". */
  per: string;
  /**
   * Whom to count: "ip" (the default) is the client's address by PocketBase's trusted proxy settings, for IPv6 its /64 network; "user" is the
   * authenticated record, for guests the address. A route counts up to 16,384 clients at a time and forgets arbitrary ones beyond.
   */
  by?: "ip" | "user";
}

/** Narrows what a hook, a cron job or a worker may reach, as `net` and `secrets` of {@link RouteConfig} do for a route. */
interface AccessConfig {
  net?: string[];
  secrets?: string[];
}

/** A route's `export default { fetch }`. */
interface RouteFetcher {
  fetch(request: Request, context: RouteContext): Response | Promise<Response>;
}

/** The environment of functions: `pb_serverless/.env` and what the server passes on. */
declare const process: { readonly env: Record<string, string | undefined> };

/** https://nodejs.org/api/async_context.html */
declare class AsyncLocalStorage<T> {
  getStore(): T | undefined;
  run<R, A extends unknown[]>(store: T, fn: (...args: A) => R, ...args: A): R;
  exit<R, A extends unknown[]>(fn: (...args: A) => R, ...args: A): R;
  enterWith(store: T): void;
  disable(): void;
  static bind<F extends (...args: never[]) => unknown>(fn: F): F;
  static snapshot(): <R, A extends unknown[]>(fn: (...args: A) => R, ...args: A) => R;
}
