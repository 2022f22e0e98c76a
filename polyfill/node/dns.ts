// https://nodejs.org/api/dns.html, of which nothing works here: it only imports.
import { unavailableAll, unavailableClass } from "./unavailable.ts";

export const Resolver = /* @__PURE__ */ unavailableClass("dns", "Resolver", ["resolve", "resolve4", "resolve6"]);
export * as promises from "./dns_promises.ts";
export function getServers(): string[] { return []; }
export function setServers(): void {}
export function getDefaultResultOrder(): string { return "verbatim"; }
export function setDefaultResultOrder(): void {}

export const {
  lookup, lookupService, resolve, resolve4, resolve6, resolveAny, resolveCaa, resolveCname, resolveMx, resolveNaptr, resolveNs, resolvePtr,
  resolveSoa, resolveSrv, resolveTxt, reverse,
} = /* @__PURE__ */ unavailableAll("dns", [
  "lookup", "lookupService", "resolve", "resolve4", "resolve6", "resolveAny", "resolveCaa", "resolveCname", "resolveMx", "resolveNaptr", "resolveNs",
  "resolvePtr", "resolveSoa", "resolveSrv", "resolveTxt", "reverse",
]);
export * as default from "./dns.ts";
