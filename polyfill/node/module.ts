// https://nodejs.org/api/module.html, of which nothing works here: it only imports.
import { unavailable, unavailableAll, unavailableClass } from "./unavailable.ts";

export const SourceMap = /* @__PURE__ */ unavailableClass("module", "SourceMap");
export const Module = /* @__PURE__ */ unavailableClass("module", "Module");
export const register = /* @__PURE__ */ unavailable("module", "register");
export const builtinModules: readonly string[] = [];
export function isBuiltin(_name: string): boolean { return false; }
/** ESM packages call it at their top level and require() later, if at all. */
export function createRequire(_from: unknown): (name: string) => never {
  return Object.assign(unavailable("module", "require"), { resolve: unavailable("module", "require.resolve"), cache: {} });
}
export const globalPaths: readonly string[] = [];

export const {
  syncBuiltinESMExports, runMain, findSourceMap,
} = /* @__PURE__ */ unavailableAll("module", [
  "syncBuiltinESMExports", "runMain", "findSourceMap",
]);
export * as default from "./module.ts";
