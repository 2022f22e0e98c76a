// https://nodejs.org/api/https.html, of which nothing works here: it only imports.
import { unavailableAll, unavailableClass } from "./unavailable.ts";

export const Agent = /* @__PURE__ */ unavailableClass("https", "Agent");
export const Server = /* @__PURE__ */ unavailableClass("https", "Server", ["listen", "close", "address"]);
export const globalAgent = new Agent();

export const {
  createServer, get, request,
} = /* @__PURE__ */ unavailableAll("https", [
  "createServer", "get", "request",
]);
export * as default from "./https.ts";
