// https://w3c.github.io/webcrypto/#crypto-interface, and what the shim of node:crypto calls.
import { host } from "../polyfill/host.ts";
import { QuotaExceededError } from "../polyfill/quotaexceeded.ts";
import { defineInterface, hidden, required } from "../polyfill/webidl.ts";
import { exception } from "./cryptoparameters.ts";
import { newSubtle, run, type SubtleCrypto } from "./subtle.ts";

export { CryptoKey } from "./cryptokey.ts";
export { SubtleCrypto } from "./subtle.ts";

const ops = {
  digest: host.op<ArrayBuffer>("crypto.digest"),
  hmac: host.op<ArrayBuffer>("crypto.hmac"),
  pbkdf2: host.op<ArrayBuffer>("crypto.pbkdf2"),
  hkdf: host.op<ArrayBuffer>("crypto.hkdf"),
  equal: host.op<boolean>("crypto.equal"),
};
const { random } = host;
const apply = Reflect.apply;
const token = Symbol("Crypto");
const typedArrayTag = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(Uint8Array.prototype), Symbol.toStringTag)!.get!;

const integerArrays = new Set(["Int8Array", "Uint8Array", "Uint8ClampedArray", "Int16Array", "Uint16Array", "Int32Array", "Uint32Array", "BigInt64Array", "BigUint64Array"]);
const quota = 65_536;

/** https://w3c.github.io/webcrypto/#crypto-interface */
export class Crypto {
  #subtle = newSubtle();

  constructor(secret: unknown | undefined = undefined) {
    if (secret !== token) throw new TypeError("Illegal constructor: use the global crypto");
  }

  get subtle(): SubtleCrypto { return this.#subtle; }

  getRandomValues<T extends ArrayBufferView>(array: T): T {
    void this.#subtle;
    required(arguments.length, 1, "getRandomValues()");
    const name = ArrayBuffer.isView(array) ? (apply(typedArrayTag, array, []) as string | undefined) : undefined;
    if (name === undefined && !ArrayBuffer.isView(array)) throw new TypeError("getRandomValues() takes a typed array");
    if (name === undefined || !integerArrays.has(name)) throw exception("TypeMismatchError", `getRandomValues() takes an integer typed array, not a ${name ?? "DataView"}`);
    if (array.byteLength > quota) throw new QuotaExceededError(`getRandomValues() fills at most ${quota} bytes, not ${array.byteLength}`);
    random(array);
    return array;
  }

  randomUUID(): string {
    void this.#subtle;
    const bytes = random(new Uint8Array(16));
    bytes[6] = (bytes[6]! & 0x0f) | 0x40;
    bytes[8] = (bytes[8]! & 0x3f) | 0x80;
    const hex = bytes.toHex();
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
  }
}
defineInterface(Crypto, "Crypto");

/** The global crypto. */
export const crypto = new Crypto(token);

/** Names of hashes as Node spells them. */
const nodeHashes: Record<string, string> = { md5: "MD5", sha1: "SHA-1", sha224: "SHA-224", sha256: "SHA-256", sha384: "SHA-384", sha512: "SHA-512" };

function nodeHash(name: string): string {
  const found = nodeHashes[name.toLowerCase().replace("-", "")];
  if (found === undefined) throw Object.assign(new Error(`Digest method "${name}" is not supported; these are: ${Object.keys(nodeHashes).join(", ")}`), { code: "ERR_CRYPTO_INVALID_DIGEST" });
  return found;
}

/** What the shim of node:crypto, which is bundled elsewhere, calls: synchronous and over bytes. */
const forNode = {
  hash: (name: string, data: Uint8Array) => ops.digest(nodeHash(name), data),
  hmac: (name: string, key: Uint8Array, data: Uint8Array) => run(ops.hmac, { hash: nodeHash(name), key: key.length }, key, data),
  pbkdf2: (name: string, password: Uint8Array, salt: Uint8Array, iterations: number, length: number) =>
    run(ops.pbkdf2, { hash: nodeHash(name), key: password.length, iterations, length }, password, salt),
  hkdf: (name: string, key: Uint8Array, salt: Uint8Array, info: Uint8Array, length: number) =>
    run(ops.hkdf, { hash: nodeHash(name), key: key.length, salt: salt.length, length }, key, salt, info),
  equal: (a: Uint8Array, b: Uint8Array) => run(ops.equal, a.length, a, b),
  random: (bytes: Uint8Array) => random(bytes),
  checkHash: (name: string) => void nodeHash(name),
};

/** Makes the synchronous functions reachable under Symbol.for("agentrt.crypto"). */
export function installNodeCrypto(): void {
  hidden(globalThis, Symbol.for("agentrt.crypto"), Object.freeze(forNode));
}
