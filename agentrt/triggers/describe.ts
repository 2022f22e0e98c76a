// What a bundle's modules export, for the host to check and to route by.

import { closeRegistration, cronEntry, registered, type CronRegistration, type WorkerRegistration } from "../../hostfn/pb/events.ts";
import { workerEntry } from "../../hostfn/pb/jobs.ts";
import { app, type Module } from "./app.ts";

export const methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] as const;

export interface RouteDescription {
  methods: string[];
  any: boolean;
  config: unknown;
  problem?: string;
}

// The object whose fetch method answers, for `export default { fetch }` and Hono apps.
export function fetcherOf(module: Module): { fetch: (...args: unknown[]) => unknown } | undefined {
  const d = module.default as { fetch?: unknown } | undefined;
  return d !== null && (typeof d === "object" || typeof d === "function") && typeof d.fetch === "function"
    ? (d as { fetch: (...args: unknown[]) => unknown })
    : undefined;
}

function describeRoute(module: Module): RouteDescription {
  const own = methods.filter((m) => typeof module[m] === "function");
  const any = fetcherOf(module) !== undefined || typeof module.default === "function";
  const d: RouteDescription = { methods: own, any, config: module.config ?? {} };
  if (!any && own.length === 0) {
    d.problem = `exports no handler: export a function named ${methods.slice(0, 6).join(", ")}, or a default function (request, context) => Response, or a default object with fetch()`;
  }
  return d;
}

// The name of a file's job or topic: its path below src/crons or src/workers without the extension.
const nameOf = (file: string): string => file.slice(file.indexOf("/") + 1).replace(/\.[^./]+$/, "");

let jobs: CronRegistration[] = [];

/** The jobs in the order of describe(): those of pb.cron, then the files below src/crons. */
export function cronJobs(): CronRegistration[] { return jobs; }

// A file without exports has an empty object as its default.
function defaultOf({ default: d }: Module): unknown {
  return d !== null && typeof d === "object" && Object.keys(d).length === 0 ? undefined : d;
}

const workers = new Map<string, WorkerRegistration["handler"]>();
const { get } = Map.prototype;

/** The handler of a topic. */
export function workerFor(topic: string): WorkerRegistration["handler"] | undefined { return get.call(workers, topic); }

interface WorkerDescription { topic: string; config: unknown; from: string }

function describeWorkers(problems: string[]): WorkerDescription[] {
  const found: WorkerDescription[] = [];
  const add = ({ topic, config, handler }: WorkerRegistration, from: string) => {
    found.push({ topic, config, from });
    workers.set(topic, handler);
  };
  for (const w of registered.workers) add(w, `pb.jobs.process(${JSON.stringify(w.topic)})`);
  for (const [file, module] of Object.entries(app.workers)) {
    // A file may as well only call pb.jobs.process.
    if (defaultOf(module) === undefined && module.config === undefined) continue;
    try {
      add(workerEntry(`src/${file}`, nameOf(file), defaultOf(module), module.config), `src/${file}`);
    } catch (e) {
      problems.push((e as Error).message);
    }
  }
  return found;
}

interface Description {
  routes: Record<string, RouteDescription>;
  hooks: { event: string; from: string; collections: string[]; access: unknown }[];
  crons: { name: string; schedule: string; timezone: string; overlap: boolean; access: unknown; from: string }[];
  workers: WorkerDescription[];
  problems: string[];
}

export function describe(): Description {
  closeRegistration();
  const routes: Record<string, RouteDescription> = {};
  for (const [file, module] of Object.entries(app.routes)) routes[file] = describeRoute(module);
  const problems: string[] = [];
  jobs = [...registered.crons];
  const from = jobs.map((j) => `pb.cron(${JSON.stringify(j.name)})`);
  for (const [file, module] of Object.entries(app.crons)) {
    // A file may as well only call pb.cron.
    if (module.schedule === undefined && defaultOf(module) === undefined) continue;
    try {
      jobs.push(cronEntry(`src/${file}`, nameOf(file), module.schedule, defaultOf(module), module, module.config));
      from.push(`src/${file}`);
    } catch (e) {
      problems.push((e as Error).message);
    }
  }
  return {
    routes,
    hooks: registered.hooks.map(({ event, collections, access }) => ({ event, from: `pb.onRecord${event[0]!.toUpperCase()}${event.slice(1)}`, collections, access })),
    crons: jobs.map(({ name, schedule, timezone, overlap, access }, k) => ({ name, schedule, timezone, overlap, access, from: from[k]! })),
    workers: describeWorkers(problems),
    problems,
  };
}
