// https://nodejs.org/api/net.html, of which nothing works here: it only imports.
import { unavailableAll, unavailableClass } from "./unavailable.ts";

export const BlockList = /* @__PURE__ */ unavailableClass("net", "BlockList");
export const SocketAddress = /* @__PURE__ */ unavailableClass("net", "SocketAddress");
export const Server = /* @__PURE__ */ unavailableClass("net", "Server", ["listen", "close", "address"]);
export const Socket = /* @__PURE__ */ unavailableClass("net", "Socket", ["connect", "write", "end"]);
export const Stream = /* @__PURE__ */ unavailableClass("net", "Stream");
export function isIP(text: unknown): 0 | 4 | 6 { return isIPv4(text) ? 4 : isIPv6(text) ? 6 : 0; }
export function isIPv4(text: unknown): boolean { return /^(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)(?:\.(?!$)|$)){4}$/.test(String(text)) && !/(?:^|\.)0\d/.test(String(text)); }
/** The URL parser knows. */
export function isIPv6(text: unknown): boolean {
  const [address, zone] = String(text).split("%");
  return zone !== "" && address!.includes(":") && (globalThis as unknown as { URL: { canParse(url: string): boolean } }).URL.canParse(`http://[${address}]`);
}
export function getDefaultAutoSelectFamily(): boolean { return false; }
export function setDefaultAutoSelectFamily(): void {}

export const {
  connect, createConnection, createServer, getDefaultAutoSelectFamilyAttemptTimeout, setDefaultAutoSelectFamilyAttemptTimeout,
} = /* @__PURE__ */ unavailableAll("net", [
  "connect", "createConnection", "createServer", "getDefaultAutoSelectFamilyAttemptTimeout", "setDefaultAutoSelectFamilyAttemptTimeout",
]);
export * as default from "./net.ts";
