// https://nodejs.org/api/tls.html, of which nothing works here: it only imports.
import { unavailableAll, unavailableClass } from "./unavailable.ts";

export const SecureContext = /* @__PURE__ */ unavailableClass("tls", "SecureContext");
export const TLSSocket = /* @__PURE__ */ unavailableClass("tls", "TLSSocket", ["connect", "write", "end"]);
export const Server = /* @__PURE__ */ unavailableClass("tls", "Server", ["listen", "close", "address"]);
export const rootCertificates: readonly string[] = [];
export const DEFAULT_CIPHERS = "";
export const DEFAULT_ECDH_CURVE = "auto";
export const DEFAULT_MIN_VERSION = "TLSv1.2";
export const DEFAULT_MAX_VERSION = "TLSv1.3";
export const CLIENT_RENEG_LIMIT = 3;
export const CLIENT_RENEG_WINDOW = 600;

export const {
  getCiphers, convertALPNProtocols, checkServerIdentity, createSecureContext, createServer, connect, createSecurePair,
} = /* @__PURE__ */ unavailableAll("tls", [
  "getCiphers", "convertALPNProtocols", "checkServerIdentity", "createSecureContext", "createServer", "connect", "createSecurePair",
]);
export * as default from "./tls.ts";
