// Everything of this folder that becomes a global.
import { CompressionStream, DecompressionStream, installNodeZlib } from "./compression.ts";
import { Crypto, CryptoKey, SubtleCrypto, crypto, installNodeCrypto } from "./crypto.ts";
import { EventSource } from "./eventsource.ts";
import { fetch } from "./fetch.ts";
import { Intl, installLocaleMethods } from "./intl.ts";
import { URL, URLSearchParams } from "./url.ts";
import { URLPattern } from "./urlpattern.ts";
import { CloseEvent, WebSocket } from "./websocket.ts";

const globals: Record<string, unknown> = {
  URL, URLSearchParams, URLPattern,
  crypto, Crypto, CryptoKey, SubtleCrypto,
  CompressionStream, DecompressionStream,
  Intl,
  fetch, WebSocket, CloseEvent, EventSource,
};

/** Defines the globals. */
export function install(define: (name: string, value: unknown) => void): void {
  for (const name of Object.keys(globals)) define(name, globals[name]);
  installNodeCrypto();
  installNodeZlib();
  installLocaleMethods();
}
