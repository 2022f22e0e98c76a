// https://nodejs.org/api/vm.html, of which nothing works here: it only imports.
import { unavailableAll, unavailableClass } from "./unavailable.ts";

export const Script = /* @__PURE__ */ unavailableClass("vm", "Script", ["runInContext", "runInThisContext", "runInNewContext"]);
export function isContext(_value: unknown): boolean { return false; }
export const constants = {};

export const {
  createContext, createScript, runInContext, runInNewContext, runInThisContext, compileFunction, measureMemory,
} = /* @__PURE__ */ unavailableAll("vm", [
  "createContext", "createScript", "runInContext", "runInNewContext", "runInThisContext", "compileFunction", "measureMemory",
]);
export * as default from "./vm.ts";
