// The platform's entry: installs the globals and exports what the host calls.

import { install as installPolyfills } from "../../polyfill/index.ts";
import { install as installHost } from "../../hostfn/index.ts";
import { install as installData } from "../../hostfn/pb/index.ts";
import { offerMount } from "./app.ts";

export { describe } from "./describe.ts";
export { http } from "./http.ts";
export { hook, cron } from "./invoke.ts";
export { job } from "./jobs.ts";

// The bundler renames a class whose name is a global that another file uses.
function define(name: string, value: unknown): void {
  if (typeof value === "function" && value.name !== name) Object.defineProperty(value, "name", { value: name, configurable: true });
  Object.defineProperty(globalThis, name, { value, writable: true, configurable: true, enumerable: false });
}

installPolyfills(define);
installHost(define);
installData(define);
offerMount();
Reflect.deleteProperty(globalThis, "__host");

// Before the bundle is evaluated: its environment.
export function configure(settings: { env: Record<string, string> }): void {
  const { process } = globalThis as unknown as { process: { env: Record<string, string> } };
  Object.assign(process.env, settings.env);
}
