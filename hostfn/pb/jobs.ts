// pb.jobs: the queue of jobs, over the operations of jobs.go, and its workers.

import { host } from "../../polyfill/host.ts";
import { register, registered, type WorkerRegistration } from "./events.ts";
import { op } from "./op.ts";

const enqueueOp = op<Promise<string>>("pb.jobs.enqueue");
const getOp = op<Promise<object | null>>("pb.jobs.get");
const cancelOp = op<Promise<object | null>>("pb.jobs.cancel");
const listOp = op<Promise<{ items: object[]; cursor: string | null }>>("pb.jobs.list");
const progressOp = host.op<void>("pb.jobs.progress");

export const endingOp = host.op<Promise<string>>("pb.jobs.ending");

type Options = Record<string, unknown>;

const wrong = (message: string): TypeError => Object.assign(new TypeError(message), { code: "ERR_JOBS_OPTION" });

function known(what: string, options: unknown, names: readonly string[]): Options {
  if (options === undefined || options === null) return {};
  if (typeof options !== "object") throw wrong(`${what}: the options are an object, not ${typeof options}`);
  for (const name of Object.keys(options)) {
    if (!names.includes(name)) throw wrong(`${what} has no option "${name}" (known: ${names.join(", ")})`);
  }
  return options as Options;
}

function integer(what: string, value: unknown): unknown {
  if (value !== undefined && !Number.isInteger(value)) throw wrong(`${what} is an integer, not ${String(value)}`);
  return value;
}

function text(what: string, value: unknown): unknown {
  if (value !== undefined && typeof value !== "string") throw wrong(`${what} is a string, not ${typeof value}`);
  return value;
}

function texts(what: string, value: unknown): unknown {
  const list = typeof value === "string" ? [value] : value;
  if (list !== undefined && !(Array.isArray(list) && list.every((item) => typeof item === "string"))) throw wrong(`${what} is a state or an array of states`);
  return list;
}

// As Go reads durations.
const durationSyntax = /^(0|(\d+(\.\d+)?(ns|us|µs|ms|s|m|h))+)$/;
const { test } = RegExp.prototype;

function duration(what: string, value: unknown): unknown {
  if (value === undefined || (typeof value === "string" && test.call(durationSyntax, value)) || (Number.isFinite(value) && (value as number) >= 0)) return value;
  throw wrong(`${what} is a number of milliseconds or a duration such as "500ms", "30s" or "5m", not ${typeof value === "string" ? JSON.stringify(value) : String(value)}`);
}

function time(what: string, value: unknown): string | undefined {
  if (value === undefined || value === null) return undefined;
  const date = value instanceof Date ? value : new Date(value as string | number);
  if (Number.isNaN(date.getTime())) throw wrong(`${what} is a Date, a time in milliseconds or a text such as "2030-01-31T12:00:00Z", not ${String(value)}`);
  return date.toISOString();
}

/** A backoff as the host takes it: a delay alone, or an object. */
export function backoff(what: string, value: unknown): unknown {
  if (value === undefined || value === null) return undefined;
  if (typeof value !== "object") return { delay: duration(what, value) };
  const { type, delay, max } = known(what, value, ["type", "delay", "max"]);
  if (type !== undefined && type !== "exponential" && type !== "fixed") throw wrong(`${what}.type is "exponential" or "fixed", not ${String(type)}`);
  return { type, delay: duration(`${what}.delay`, delay), max: duration(`${what}.max`, max) };
}

const enqueueOptions = ["delay", "runAt", "priority", "maxAttempts", "backoff", "uniqueKey", "uniqueFor", "uniqueStates"];

async function enqueue(topic: unknown, payload: unknown = null, options?: Options): Promise<string> {
  const what = "pb.jobs.enqueue()";
  if (typeof topic !== "string") throw new TypeError(`${what} takes a topic, a payload and options; the topic is a string, not ${typeof topic}`);
  if (typeof payload === "function" || typeof payload === "symbol") throw new TypeError(`${what}: a ${typeof payload} has no JSON`);
  const o = known(what, options, enqueueOptions);
  if (o.delay !== undefined && o.runAt !== undefined) throw wrong(`${what} takes delay or runAt, not both`);
  return enqueueOp({
    topic,
    payload,
    options: {
      delay: duration(`${what}: delay`, o.delay),
      runAt: time(`${what}: runAt`, o.runAt),
      priority: integer(`${what}: priority`, o.priority),
      maxAttempts: integer(`${what}: maxAttempts`, o.maxAttempts),
      backoff: backoff(`${what}: backoff`, o.backoff),
      uniqueKey: text(`${what}: uniqueKey`, o.uniqueKey),
      uniqueFor: duration(`${what}: uniqueFor`, o.uniqueFor),
      uniqueStates: texts(`${what}: uniqueStates`, o.uniqueStates),
    },
  });
}

function id(what: string, value: unknown): string {
  if (typeof value !== "string") throw new TypeError(`${what} takes the id that enqueue() gave, a string, not ${typeof value}`);
  return value;
}

async function list(filter?: Options): Promise<{ items: object[]; cursor: string | null }> {
  const what = "pb.jobs.list()";
  const { topic, state, limit, cursor } = known(what, filter, ["topic", "state", "limit", "cursor"]);
  return listOp({
    topic: text(`${what}: topic`, topic),
    states: texts(`${what}: state`, state),
    limit: integer(`${what}: limit`, limit),
    cursor: text(`${what}: cursor`, cursor ?? undefined),
  });
}

/** A worker as describe() gives it to the host, which checks the values of config. */
export function workerEntry(what: string, topic: unknown, handler: unknown, config: unknown): WorkerRegistration {
  if (typeof topic !== "string") throw new TypeError(`${what}: the topic is a string, not ${String(topic)}`);
  if (typeof handler !== "function") throw new TypeError(`${what}: the handler is a function (job, context), not ${String(handler)}`);
  if (config !== undefined && (config === null || typeof config !== "object")) throw new TypeError(`${what}: the options are an object such as { concurrency: 5 }, not ${String(config)}`);
  const given = { ...(config as Options) };
  if (given.backoff !== undefined) given.backoff = backoff(`${what}: backoff`, given.backoff);
  return { topic, config: given, handler: handler as WorkerRegistration["handler"] };
}

function process(topic: unknown, handler: unknown, options?: Options): void {
  const what = `pb.jobs.process(${JSON.stringify(topic)})`;
  register(registered.workers, what, workerEntry(what, topic, handler, options));
}

interface Head {
  id: string;
  topic: string;
  payload: unknown;
  attempt: number;
  maxAttempts: number;
  createdAt: string;
}

/** The job that a worker gets. */
export function makeJob({ id, topic, payload, attempt, maxAttempts, createdAt }: Head): object {
  return {
    id, topic, payload, attempt, maxAttempts, createdAt,
    progress(n: unknown, data?: unknown): void {
      if (typeof n !== "number" || !Number.isFinite(n)) throw new TypeError(`job.progress() takes a number, not ${String(n)}`);
      progressOp({ n, data });
    },
  };
}

export const jobs = Object.freeze({
  enqueue,
  get: async (job: unknown) => getOp(id("pb.jobs.get()", job)),
  cancel: async (job: unknown) => cancelOp(id("pb.jobs.cancel()", job)),
  list,
  process,
});
