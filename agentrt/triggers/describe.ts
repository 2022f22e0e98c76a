// What a bundle's modules export, for the host to check and to route by.

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

export function describe(): { routes: Record<string, RouteDescription> } {
  const routes: Record<string, RouteDescription> = {};
  for (const [file, module] of Object.entries(app.routes)) routes[file] = describeRoute(module);
  return { routes };
}
