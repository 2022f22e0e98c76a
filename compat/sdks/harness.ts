// Programs and how they are called, the same under agentrt and under Node.

/** What a program gets. */
export interface Test {
  req: Request;
  /** The base URL of a model server of this run alone, without a slash at its end. */
  model: string;
  /** Aborts when the client leaves. */
  signal: AbortSignal;
}

/** Answers with a Response, or with a JSON account of what it saw. */
export type Program = (t: Test) => unknown;

/** A request that the suite makes to a program; without any there is one GET. */
export interface Ask {
  /** Behind the program's own path; "" by default. */
  path?: string;
  method?: string;
  headers?: Record<string, string>;
  body?: string;
  /** Leave after so many bytes of the response's body. */
  leaveAfter?: number;
}

export interface Asked {
  requests: Ask[];
  run: Program;
}

export type Programs = Record<string, Program | Asked>;

export function suite(name: string, programs: Programs) {
  const prefix = `/api/pb_serverless/${name}`;
  return {
    async fetch(req: Request): Promise<Response> {
      const path = new URL(req.url).pathname.slice(prefix.length + 1);
      if (path === "") return Response.json(Object.fromEntries(Object.entries(programs).map(([name, p]) => [name, "run" in p ? p.requests : [{}]])));
      const program = programs[path.split("/", 1)[0]!];
      if (!program) return new Response(`there is no program ${path}`, { status: 404 });
      try {
        const run = "run" in program ? program.run : program;
        const result = await run({ req, model: req.headers.get("x-compat-model")!, signal: req.signal });
        return result instanceof Response ? result : new Response(account(result), { headers: { "content-type": "application/json" } });
      } catch (e) {
        return new Response(describe(e), { status: 500, headers: { "x-compat-failed": "1" } });
      }
    },
  };
}

/** JSON with the values that it would drop or refuse spelled out. */
function account(value: unknown): string {
  return JSON.stringify(value, (_, v) => {
    if (v === undefined) return "[undefined]";
    if (typeof v === "bigint") return `[bigint ${v}]`;
    if (v instanceof Error) return `[${v.name}: ${v.message}]`;
    if (v instanceof Map) return { "[Map]": [...v] };
    if (v instanceof Set) return { "[Set]": [...v] };
    if (v instanceof Uint8Array) return `[bytes ${Array.from(v.subarray(0, 64))}${v.length > 64 ? ` of ${v.length}` : ""}]`;
    return v;
  }) ?? "null";
}

function describe(e: unknown): string {
  if (!(e instanceof Error)) return `threw ${String(e)}`;
  return `${e.stack ?? e}${e.cause ? `\ncaused by ${describe(e.cause)}` : ""}`;
}

/** Fails the program, in whichever runtime it is, if the condition does not hold. */
export function check(condition: unknown, what: string, ...seen: unknown[]): asserts condition {
  if (!condition) throw new Error(`check failed: ${what}${seen.length ? `; saw ${seen.map((v) => account(v)).join(", ")}` : ""}`);
}

/** The error that the call ends with. */
export async function failure(call: () => unknown): Promise<any> {
  try {
    await call();
  } catch (e) {
    return e;
  }
  throw new Error("check failed: there was no error");
}

/** Everything that an iterable yields. */
export async function collect<T>(values: AsyncIterable<T> | Iterable<T>): Promise<T[]> {
  const out: T[] = [];
  for await (const v of values) out.push(v);
  return out;
}

/** The requests that the model server saw in this run. */
export async function seen(t: Test): Promise<any[]> {
  const res = await fetch(`${t.model}/_test/requests`);
  return ((await res.json()) as { requests: any[] }).requests;
}

/** Waits, polling, until the condition holds. */
export async function until(condition: () => unknown): Promise<void> {
  for (let k = 0; k < 600; k++) {
    if (await condition()) return;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error("check failed: it did not come true within 15 s");
}
