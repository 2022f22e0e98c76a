// Everything of this folder that becomes a global.
import { CompressionStream, DecompressionStream } from "./compression.ts";
import { Crypto, CryptoKey, SubtleCrypto, crypto, installNodeCrypto } from "./crypto.ts";
import { fetch } from "./fetch.ts";
import { URL, URLSearchParams } from "./url.ts";

const globals: Record<string, unknown> = {
  URL, URLSearchParams,
  crypto, Crypto, CryptoKey, SubtleCrypto,
  CompressionStream, DecompressionStream,
  fetch,
};

/** Defines the globals. */
export function install(define: (name: string, value: unknown) => void): void {
  for (const name of Object.keys(globals)) define(name, globals[name]);
  installNodeCrypto();
}
