// https://w3c.github.io/webcrypto/: random values, digests, HMAC, AES-GCM, PBKDF2 and HKDF. Go computes; key bytes stay here,
// in private fields, and go along with each call.
import { host } from "../polyfill/host.ts";
import { bytesOf, defineInterface, domString, enforceRange, hidden, isSharedArrayBuffer, required } from "../polyfill/webidl.ts";
import { defineCloneable } from "../polyfill/structuredclone.ts";

const ops = {
  digest: host.op<ArrayBuffer>("crypto.digest"),
  hmac: host.op<ArrayBuffer>("crypto.hmac"),
  verify: host.op<boolean>("crypto.verify"),
  encrypt: host.op<ArrayBuffer>("crypto.encrypt"),
  decrypt: host.op<ArrayBuffer>("crypto.decrypt"),
  pbkdf2: host.op<ArrayBuffer>("crypto.pbkdf2"),
  hkdf: host.op<ArrayBuffer>("crypto.hkdf"),
  equal: host.op<boolean>("crypto.equal"),
};
const { random } = host;
const apply = Reflect.apply;
const slice = Uint8Array.prototype.slice;
const typedArrayTag = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(Uint8Array.prototype), Symbol.toStringTag)!.get!;

type Bytes = Uint8Array<ArrayBuffer>;
type KeyUsage = "encrypt" | "decrypt" | "sign" | "verify" | "deriveKey" | "deriveBits" | "wrapKey" | "unwrapKey";
type KeyFormat = "raw" | "jwk" | "pkcs8" | "spki";
interface JsonWebKey { kty?: string; k?: string; alg?: string; use?: string; key_ops?: string[]; ext?: boolean }
interface KeyAlgorithm { name: string; hash?: { name: string }; length?: number }
type AlgorithmIdentifier = string | { name: string; [parameter: string]: unknown };
type BufferSource = ArrayBuffer | ArrayBufferView;

const allUsages: readonly string[] = ["encrypt", "decrypt", "sign", "verify", "deriveKey", "deriveBits", "wrapKey", "unwrapKey"];
const hashNames = ["SHA-1", "SHA-256", "SHA-384", "SHA-512"];
const algorithms: Record<string, { usages: KeyUsage[]; jwkUse?: string }> = {
  "HMAC": { usages: ["sign", "verify"], jwkUse: "sig" },
  "AES-GCM": { usages: ["encrypt", "decrypt", "wrapKey", "unwrapKey"], jwkUse: "enc" },
  "PBKDF2": { usages: ["deriveKey", "deriveBits"] },
  "HKDF": { usages: ["deriveKey", "deriveBits"] },
};
/** Bytes of a hash's input block: the size of an HMAC key made without a length. */
const blockSizes: Record<string, number> = { "SHA-1": 64, "SHA-256": 64, "SHA-384": 128, "SHA-512": 128 };
const jwkHmac: Record<string, string> = { "SHA-1": "HS1", "SHA-256": "HS256", "SHA-384": "HS384", "SHA-512": "HS512" };

function exception(name: string, message: string): DOMException {
  return new DOMException(message, name);
}

/** Calls an operation; the host's errors become the DOMExceptions that their names say. */
function run<T>(op: (head?: unknown, body?: BufferSource) => T, head: unknown, ...parts: Uint8Array[]): T {
  try {
    return op(head, concat(parts));
  } catch (error) {
    const { name, message } = error as Error;
    throw name === "OperationError" || name === "NotSupportedError" ? exception(name, message) : error;
  }
}

function concat(parts: Uint8Array[]): Uint8Array {
  if (parts.length === 1) return parts[0]!;
  let length = 0;
  for (const part of parts) length += part.length;
  const out = new Uint8Array(length);
  let n = 0;
  for (const part of parts) {
    out.set(part, n);
    n += part.length;
  }
  return out;
}

/** The bytes of a BufferSource. No copy is needed where the operation runs before anybody can change them. */
function viewOf(value: unknown, what: string): Uint8Array {
  const bytes = bytesOf(value);
  if (bytes === undefined || isSharedArrayBuffer(bytes.buffer)) throw new TypeError(`${what} is not an ArrayBuffer or a view of one`);
  return bytes;
}

/** https://w3c.github.io/webcrypto/#algorithm-normalization-normalize-an-algorithm, against a list of names. */
function normalize(value: unknown, names: readonly string[], operation: string): { name: string; [parameter: string]: unknown } {
  const given = typeof value === "object" && value !== null ? (value as { name: unknown }).name : value;
  if (typeof value === "object" && given === undefined) throw new TypeError("The algorithm has no name");
  const text = domString(given);
  const upper = text.toUpperCase();
  const name = names.find((known) => known === upper);
  if (name === undefined) throw exception("NotSupportedError", `${operation} does not support the algorithm "${text}"; it supports ${names.join(", ")}`);
  return typeof value === "object" ? { ...(value as object), name } : { name };
}

function hashOf(parameters: Record<string, unknown>): string {
  if (parameters["hash"] === undefined) throw new TypeError(`${parameters["name"]} needs a hash`);
  return normalize(parameters["hash"], hashNames, "The hash").name;
}

function usagesOf(value: unknown): KeyUsage[] {
  if (typeof value !== "object" || value === null) throw new TypeError("The key usages are not a sequence");
  const list = new Set([...(value as Iterable<unknown>)].map(domString));
  for (const usage of list) if (!allUsages.includes(usage)) throw new TypeError(`"${usage}" is not a key usage`);
  return allUsages.filter((usage) => list.has(usage)) as KeyUsage[];
}

/** What a key is, apart from the objects that scripts get and may change. */
interface KeyFacts {
  bytes: Bytes;
  name: string;
  hash: string;
  usages: readonly KeyUsage[];
}

let newKey: (bytes: Bytes, algorithm: KeyAlgorithm, extractable: boolean, usages: readonly KeyUsage[]) => CryptoKey;
let factsOf: (key: CryptoKey) => KeyFacts;
const token = Symbol("CryptoKey");

/** https://w3c.github.io/webcrypto/#cryptokey-interface */
export class CryptoKey {
  #facts!: KeyFacts;
  #algorithm!: KeyAlgorithm;
  #extractable = false;
  #usages: KeyUsage[] = [];

  constructor(secret: unknown | undefined = undefined) {
    if (secret !== token) throw new TypeError("Illegal constructor: use crypto.subtle.importKey() or generateKey()");
  }

  static {
    newKey = (bytes, algorithm, extractable, usages) => {
      const key = new CryptoKey(token);
      key.#facts = { bytes, name: algorithm.name, hash: algorithm.hash?.name ?? "", usages };
      key.#algorithm = algorithm;
      key.#extractable = extractable;
      key.#usages = [...usages];
      return key;
    };
    factsOf = (key) => key.#facts;
  }

  get type(): "secret" { void this.#facts; return "secret"; }
  get extractable(): boolean { return this.#extractable; }
  get algorithm(): KeyAlgorithm { return this.#algorithm; }
  get usages(): KeyUsage[] { return this.#usages; }
}
defineInterface(CryptoKey, "CryptoKey");
defineCloneable(CryptoKey, (key) => newKey(factsOf(key).bytes, { ...key.algorithm }, key.extractable, factsOf(key).usages));

function createKey(bytes: Bytes, algorithm: KeyAlgorithm, extractable: boolean, usages: KeyUsage[]): CryptoKey {
  if (usages.length === 0) throw exception("SyntaxError", `A secret key needs at least one usage: ${algorithms[algorithm.name]!.usages.join(", ")}`);
  return newKey(bytes, algorithm, extractable, usages);
}

function use(key: CryptoKey, name: string, usage: KeyUsage): KeyFacts {
  const facts = factsOf(key);
  if (facts.name !== name) throw exception("InvalidAccessError", `The key is for ${facts.name}, not ${name}`);
  if (!facts.usages.includes(usage)) throw exception("InvalidAccessError", `The key's usages do not include "${usage}"`);
  return facts;
}

function checkUsages(name: string, usages: readonly string[]): void {
  const allowed: readonly string[] = algorithms[name]!.usages;
  for (const usage of usages) if (!allowed.includes(usage)) throw exception("SyntaxError", `A key for ${name} cannot have the usage "${usage}"`);
}

function aesLength(bits: unknown): number {
  const n = enforceRange(bits, "unsigned short", "The key length");
  if (n !== 128 && n !== 192 && n !== 256) throw exception("OperationError", `AES keys have 128, 192 or 256 bits, not ${n}`);
  return n;
}

/** Bytes of an HMAC key of so many bits; the rest of the last byte is zero. */
function hmacKey(bytes: Bytes, bits: number): Bytes {
  const out = bytes.slice(0, Math.ceil(bits / 8));
  if (bits % 8 !== 0) out[out.length - 1]! &= 0xff << (8 - (bits % 8));
  return out;
}

function readJwk(jwk: JsonWebKey, parameters: Record<string, unknown>, extractable: boolean, usages: KeyUsage[]): Bytes {
  const bad = (why: string) => exception("DataError", `The JSON Web Key ${why}`);
  if (typeof jwk !== "object" || jwk === null || ArrayBuffer.isView(jwk)) throw new TypeError("The key data is not a JSON Web Key");
  if (jwk.kty !== "oct") throw bad('has another kty than "oct"');
  if (typeof jwk.k !== "string") throw bad("has no k");
  let bytes: Bytes;
  try {
    bytes = Uint8Array.fromBase64(jwk.k, { alphabet: "base64url" });
  } catch {
    throw bad("has a k that is not base64url");
  }
  const name = parameters["name"] as string;
  const expected = name === "HMAC" ? jwkHmac[hashOf(parameters)] : `A${bytes.length * 8}GCM`;
  if (jwk.alg !== undefined && jwk.alg !== expected) throw bad(`has the alg "${jwk.alg}", not "${expected}"`);
  if (jwk.use !== undefined && usages.length > 0 && jwk.use !== algorithms[name]!.jwkUse) throw bad(`has the use "${jwk.use}"`);
  if (jwk.key_ops !== undefined && usages.some((usage) => !jwk.key_ops!.includes(usage))) throw bad("does not allow all of the usages in its key_ops");
  if (jwk.ext === false && extractable) throw bad("is not extractable");
  return bytes;
}

function gcmParameters(parameters: Record<string, unknown>): { iv: Uint8Array; aad: Uint8Array; tag: number } {
  const iv = viewOf(parameters["iv"], "AES-GCM's iv");
  const aad = parameters["additionalData"] === undefined ? new Uint8Array(0) : viewOf(parameters["additionalData"], "AES-GCM's additionalData");
  const tag = parameters["tagLength"] === undefined ? 128 : enforceRange(parameters["tagLength"], "unsigned short", "AES-GCM's tagLength");
  if (![32, 64, 96, 104, 112, 120, 128].includes(tag)) throw exception("OperationError", `AES-GCM has no tag of ${tag} bits`);
  if (iv.length === 0) throw exception("OperationError", "AES-GCM's iv is empty");
  return { iv, aad, tag: tag / 8 };
}

function deriveBytes(parameters: { name: string; [key: string]: unknown }, baseKey: CryptoKey, usage: KeyUsage, bits: unknown): ArrayBuffer {
  const { bytes } = use(baseKey, parameters.name, usage);
  if (bits === null || bits === undefined) throw exception("OperationError", `${parameters.name} needs a length`);
  const length = enforceRange(bits, "unsigned long", "The length");
  if (length % 8 !== 0) throw exception("OperationError", "The length is not a multiple of 8 bits");
  const hash = hashOf(parameters);
  const salt = viewOf(parameters["salt"], `${parameters.name}'s salt`);
  if (parameters.name === "HKDF") {
    const info = viewOf(parameters["info"], "HKDF's info");
    return run(ops.hkdf, { hash, key: bytes.length, salt: salt.length, length: length / 8 }, bytes, salt, info);
  }
  const iterations = enforceRange(parameters["iterations"], "unsigned long", "PBKDF2's iterations");
  return run(ops.pbkdf2, { hash, key: bytes.length, iterations, length: length / 8 }, bytes, salt);
}

/** https://w3c.github.io/webcrypto/#subtlecrypto-interface */
export class SubtleCrypto {
  #brand = true;

  constructor(secret: unknown | undefined = undefined) {
    if (secret !== token) throw new TypeError("Illegal constructor: use crypto.subtle");
  }

  async digest(algorithm: AlgorithmIdentifier, data: BufferSource): Promise<ArrayBuffer> {
    void this.#brand;
    required(arguments.length, 2, "digest()");
    const { name } = normalize(algorithm, hashNames, "digest()");
    return run(ops.digest, name, viewOf(data, "digest()'s data"));
  }

  async generateKey(algorithm: AlgorithmIdentifier, extractable: boolean, keyUsages: Iterable<KeyUsage>): Promise<CryptoKey> {
    void this.#brand;
    required(arguments.length, 3, "generateKey()");
    const parameters = normalize(algorithm, ["HMAC", "AES-GCM"], "generateKey()");
    const hash = parameters.name === "HMAC" ? hashOf(parameters) : "";
    const usages = usagesOf(keyUsages);
    checkUsages(parameters.name, usages);
    if (parameters.name === "AES-GCM") {
      const length = aesLength(parameters["length"]);
      return createKey(random(new Uint8Array(length / 8)), { name: "AES-GCM", length }, !!extractable, usages);
    }
    const bits = parameters["length"] === undefined ? blockSizes[hash]! * 8 : enforceRange(parameters["length"], "unsigned long", "The key length");
    if (bits === 0 || bits > 65_536) throw exception("OperationError", "An HMAC key has 1 to 65536 bits");
    return createKey(hmacKey(random(new Uint8Array(Math.ceil(bits / 8))), bits), { name: "HMAC", hash: { name: hash }, length: bits }, !!extractable, usages);
  }

  async importKey(format: KeyFormat, keyData: BufferSource | JsonWebKey, algorithm: AlgorithmIdentifier, extractable: boolean, keyUsages: Iterable<KeyUsage>): Promise<CryptoKey> {
    void this.#brand;
    required(arguments.length, 5, "importKey()");
    const parameters = normalize(algorithm, Object.keys(algorithms), "importKey()");
    const { name } = parameters;
    const usages = usagesOf(keyUsages);
    if (format !== "raw" && format !== "jwk") throw exception("NotSupportedError", `importKey() does not support the format "${format}"`);
    const derives = name === "PBKDF2" || name === "HKDF";
    if (derives && format !== "raw") throw exception("NotSupportedError", `A key for ${name} is imported as "raw"`);
    checkUsages(name, usages);
    const bytes = format === "jwk" ? readJwk(keyData as JsonWebKey, parameters, !!extractable, usages) : apply(slice, viewOf(keyData, "importKey()'s key data"), []) as Bytes;
    if (derives) {
      if (extractable) throw exception("SyntaxError", `A key for ${name} cannot be extractable`);
      return createKey(bytes, { name }, false, usages);
    }
    if (name === "AES-GCM") {
      if (bytes.length !== 16 && bytes.length !== 24 && bytes.length !== 32) throw exception("DataError", `An AES key has 16, 24 or 32 bytes, not ${bytes.length}`);
      return createKey(bytes, { name, length: bytes.length * 8 }, !!extractable, usages);
    }
    const hash = hashOf(parameters);
    if (bytes.length === 0) throw exception("DataError", "An HMAC key cannot be empty");
    const bits = parameters["length"] === undefined ? bytes.length * 8 : enforceRange(parameters["length"], "unsigned long", "The key length");
    if (bits > bytes.length * 8 || bits <= bytes.length * 8 - 8) throw exception("DataError", `The key has ${bytes.length * 8} bits, not ${bits}`);
    return createKey(hmacKey(bytes, bits), { name, hash: { name: hash }, length: bits }, !!extractable, usages);
  }

  async exportKey(format: KeyFormat, key: CryptoKey): Promise<ArrayBuffer | JsonWebKey> {
    void this.#brand;
    required(arguments.length, 2, "exportKey()");
    const { bytes, name, hash, usages } = factsOf(key);
    if (format !== "raw" && format !== "jwk") throw exception("NotSupportedError", `exportKey() does not support the format "${format}"`);
    if (name === "PBKDF2" || name === "HKDF") throw exception("NotSupportedError", `A key for ${name} cannot be exported`);
    if (!key.extractable) throw exception("InvalidAccessError", "The key is not extractable");
    if (format === "raw") return bytes.slice().buffer;
    const alg = name === "HMAC" ? jwkHmac[hash]! : `A${bytes.length * 8}GCM`;
    return { kty: "oct", k: bytes.toBase64({ alphabet: "base64url", omitPadding: true }), alg, key_ops: [...usages], ext: true };
  }

  async sign(algorithm: AlgorithmIdentifier, key: CryptoKey, data: BufferSource): Promise<ArrayBuffer> {
    void this.#brand;
    required(arguments.length, 3, "sign()");
    const { name } = normalize(algorithm, ["HMAC"], "sign()");
    const bytes = viewOf(data, "sign()'s data");
    const { bytes: secret, hash } = use(key, name, "sign");
    return run(ops.hmac, { hash, key: secret.length }, secret, bytes);
  }

  async verify(algorithm: AlgorithmIdentifier, key: CryptoKey, signature: BufferSource, data: BufferSource): Promise<boolean> {
    void this.#brand;
    required(arguments.length, 4, "verify()");
    const { name } = normalize(algorithm, ["HMAC"], "verify()");
    const given = viewOf(signature, "verify()'s signature");
    const bytes = viewOf(data, "verify()'s data");
    const { bytes: secret, hash } = use(key, name, "verify");
    return run(ops.verify, { hash, key: secret.length, signature: given.length }, secret, given, bytes);
  }

  async encrypt(algorithm: AlgorithmIdentifier, key: CryptoKey, data: BufferSource): Promise<ArrayBuffer> {
    void this.#brand;
    required(arguments.length, 3, "encrypt()");
    return this.#gcm(ops.encrypt, "encrypt", algorithm, key, data);
  }

  async decrypt(algorithm: AlgorithmIdentifier, key: CryptoKey, data: BufferSource): Promise<ArrayBuffer> {
    void this.#brand;
    required(arguments.length, 3, "decrypt()");
    return this.#gcm(ops.decrypt, "decrypt", algorithm, key, data);
  }

  #gcm(op: typeof ops.encrypt, usage: "encrypt" | "decrypt", algorithm: AlgorithmIdentifier, key: CryptoKey, data: BufferSource): ArrayBuffer {
    const parameters = normalize(algorithm, ["AES-GCM"], `${usage}()`);
    const { iv, aad, tag } = gcmParameters(parameters);
    const bytes = viewOf(data, `${usage}()'s data`);
    const { bytes: secret } = use(key, parameters.name, usage);
    return run(op, { key: secret.length, iv: iv.length, aad: aad.length, tag }, secret, iv, aad, bytes);
  }

  async deriveBits(algorithm: AlgorithmIdentifier, baseKey: CryptoKey, length: number | null | undefined = undefined): Promise<ArrayBuffer> {
    void this.#brand;
    required(arguments.length, 2, "deriveBits()");
    return deriveBytes(normalize(algorithm, ["PBKDF2", "HKDF"], "deriveBits()"), baseKey, "deriveBits", length);
  }

  async deriveKey(algorithm: AlgorithmIdentifier, baseKey: CryptoKey, derivedKeyType: AlgorithmIdentifier, extractable: boolean, keyUsages: Iterable<KeyUsage>): Promise<CryptoKey> {
    void this.#brand;
    required(arguments.length, 5, "deriveKey()");
    const parameters = normalize(algorithm, ["PBKDF2", "HKDF"], "deriveKey()");
    const wanted = normalize(derivedKeyType, ["HMAC", "AES-GCM"], "deriveKey()");
    const bits = wanted.name === "AES-GCM" ? aesLength(wanted["length"]) : wanted["length"] ?? blockSizes[hashOf(wanted)]! * 8;
    const bytes = deriveBytes(parameters, baseKey, "deriveKey", bits);
    return this.importKey("raw", bytes, wanted, extractable, keyUsages);
  }

  async wrapKey(): Promise<never> { throw exception("NotSupportedError", "wrapKey() is not supported: export the key and encrypt it"); }
  async unwrapKey(): Promise<never> { throw exception("NotSupportedError", "unwrapKey() is not supported: decrypt the key and import it"); }
}
defineInterface(SubtleCrypto, "SubtleCrypto");

const integerArrays = new Set(["Int8Array", "Uint8Array", "Uint8ClampedArray", "Int16Array", "Uint16Array", "Int32Array", "Uint32Array", "BigInt64Array", "BigUint64Array"]);
const quota = 65_536;

/** https://w3c.github.io/webcrypto/#crypto-interface */
export class Crypto {
  #subtle = new SubtleCrypto(token);

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
    if (array.byteLength > quota) throw exception("QuotaExceededError", `getRandomValues() fills at most ${quota} bytes, not ${array.byteLength}`);
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
