// https://nodejs.org/api/readline.html, of which nothing works here: it only imports.
import { unavailableAll, unavailableClass } from "./unavailable.ts";

export const Interface = /* @__PURE__ */ unavailableClass("readline", "Interface", ["question", "prompt", "close"]);
export * as promises from "./readline_promises.ts";

export const {
  clearLine, clearScreenDown, createInterface, cursorTo, emitKeypressEvents, moveCursor,
} = /* @__PURE__ */ unavailableAll("readline", [
  "clearLine", "clearScreenDown", "createInterface", "cursorTo", "emitKeypressEvents", "moveCursor",
]);
export * as default from "./readline.ts";
