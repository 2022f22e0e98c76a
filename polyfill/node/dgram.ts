// https://nodejs.org/api/dgram.html, of which nothing works here: it only imports.
import { unavailableAll, unavailableClass } from "./unavailable.ts";

export const Socket = /* @__PURE__ */ unavailableClass("dgram", "Socket", ["connect", "write", "end"]);

export const {
  createSocket,
} = /* @__PURE__ */ unavailableAll("dgram", [
  "createSocket",
]);
export * as default from "./dgram.ts";
