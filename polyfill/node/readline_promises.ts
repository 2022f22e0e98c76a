// https://nodejs.org/api/readline.html, of which nothing works here: it only imports.
import { unavailableAll, unavailableClass } from "./unavailable.ts";

export const Interface = /* @__PURE__ */ unavailableClass("readline/promises", "Interface", ["question", "prompt", "close"]);
export const Readline = /* @__PURE__ */ unavailableClass("readline/promises", "Readline", ["commit"]);

export const {
  createInterface,
} = /* @__PURE__ */ unavailableAll("readline/promises", [
  "createInterface",
]);
export * as default from "./readline_promises.ts";
