// https://nodejs.org/api/http2.html, of which nothing works here: it only imports.
import { unavailableAll, unavailableClass } from "./unavailable.ts";

export const Http2ServerRequest = /* @__PURE__ */ unavailableClass("http2", "Http2ServerRequest");
export const Http2ServerResponse = /* @__PURE__ */ unavailableClass("http2", "Http2ServerResponse");
export const constants: Record<string, string | number> = {};
export const sensitiveHeaders = Symbol("nodejs.http2.sensitiveHeaders");

export const {
  connect, createServer, createSecureServer, getDefaultSettings, getPackedSettings, getUnpackedSettings, performServerHandshake,
} = /* @__PURE__ */ unavailableAll("http2", [
  "connect", "createServer", "createSecureServer", "getDefaultSettings", "getPackedSettings", "getUnpackedSettings", "performServerHandshake",
]);
export * as default from "./http2.ts";
