// https://nodejs.org/api/inspector.html, of which nothing works here: it only imports.
import { unavailableAll, unavailableClass } from "./unavailable.ts";

export const Session = /* @__PURE__ */ unavailableClass("inspector", "Session", ["connect", "post"]);
export function url(): undefined { return undefined; }
export const console = globalThis.console;

export const {
  open, close, waitForDebugger,
} = /* @__PURE__ */ unavailableAll("inspector", [
  "open", "close", "waitForDebugger",
]);
export * as default from "./inspector.ts";
