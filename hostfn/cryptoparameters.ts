// The algorithms of https://w3c.github.io/webcrypto/#algorithm-overview and the conversion of their parameters.
import { bytesOf, domString, enforceRange, isSharedArrayBuffer } from "../polyfill/webidl.ts";
import type { KeyUsage } from "./cryptokey.ts";

export type BufferSource = ArrayBuffer | ArrayBufferView;
export type AlgorithmIdentifier = string | { name: string; [parameter: string]: unknown };
export interface Parameters { name: string; [parameter: string]: unknown }

/** What an algorithm can do with a key of each type. */
export interface Algorithm {
  kind: "AES" | "HMAC" | "KDF" | "RSA" | "EC" | "Ed25519" | "X25519";
  secret?: KeyUsage[];
  public?: KeyUsage[];
  private?: KeyUsage[];
  jwkUse?: "enc" | "sig";
  /** The "alg" of a JSON Web Key: by hash, or the rest after the size of an AES key. */
  jwkAlg?: Record<string, string>;
}

const cipher: KeyUsage[] = ["encrypt", "decrypt", "wrapKey", "unwrapKey"];
const derives: KeyUsage[] = ["deriveKey", "deriveBits"];
export const algorithms: Record<string, Algorithm> = {
  "AES-CBC": { kind: "AES", secret: cipher, jwkUse: "enc", jwkAlg: { "": "CBC" } },
  "AES-CTR": { kind: "AES", secret: cipher, jwkUse: "enc", jwkAlg: { "": "CTR" } },
  "AES-GCM": { kind: "AES", secret: cipher, jwkUse: "enc", jwkAlg: { "": "GCM" } },
  "AES-KW": { kind: "AES", secret: ["wrapKey", "unwrapKey"], jwkUse: "enc", jwkAlg: { "": "KW" } },
  "HMAC": { kind: "HMAC", secret: ["sign", "verify"], jwkUse: "sig", jwkAlg: { "SHA-1": "HS1", "SHA-256": "HS256", "SHA-384": "HS384", "SHA-512": "HS512" } },
  "PBKDF2": { kind: "KDF", secret: derives },
  "HKDF": { kind: "KDF", secret: derives },
  "RSASSA-PKCS1-v1_5": { kind: "RSA", public: ["verify"], private: ["sign"], jwkUse: "sig", jwkAlg: { "SHA-1": "RS1", "SHA-256": "RS256", "SHA-384": "RS384", "SHA-512": "RS512" } },
  "RSA-PSS": { kind: "RSA", public: ["verify"], private: ["sign"], jwkUse: "sig", jwkAlg: { "SHA-1": "PS1", "SHA-256": "PS256", "SHA-384": "PS384", "SHA-512": "PS512" } },
  "RSA-OAEP": {
    kind: "RSA", public: ["encrypt", "wrapKey"], private: ["decrypt", "unwrapKey"], jwkUse: "enc",
    jwkAlg: { "SHA-1": "RSA-OAEP", "SHA-256": "RSA-OAEP-256", "SHA-384": "RSA-OAEP-384", "SHA-512": "RSA-OAEP-512" },
  },
  "ECDSA": { kind: "EC", public: ["verify"], private: ["sign"], jwkUse: "sig" },
  "ECDH": { kind: "EC", public: [], private: derives, jwkUse: "enc" },
  "Ed25519": { kind: "Ed25519", public: ["verify"], private: ["sign"], jwkUse: "sig" },
  "X25519": { kind: "X25519", public: [], private: derives, jwkUse: "enc" },
};
const all = Object.keys(algorithms);
export const hashNames = ["SHA-1", "SHA-256", "SHA-384", "SHA-512"];
const ciphers = ["AES-CBC", "AES-CTR", "AES-GCM", "RSA-OAEP"];
const signatures = ["HMAC", "RSASSA-PKCS1-v1_5", "RSA-PSS", "ECDSA", "Ed25519"];
/** The algorithms of each operation. */
export const supported = {
  digest: hashNames,
  generateKey: all.filter((name) => algorithms[name]!.kind !== "KDF"),
  importKey: all,
  sign: signatures,
  verify: signatures,
  encrypt: ciphers,
  decrypt: ciphers,
  wrapKey: [...ciphers, "AES-KW"],
  unwrapKey: [...ciphers, "AES-KW"],
  deriveBits: ["PBKDF2", "HKDF", "ECDH", "X25519"],
  deriveKey: ["PBKDF2", "HKDF", "ECDH", "X25519"],
  keyLength: all.filter((name) => algorithms[name]!.secret !== undefined),
};

/** Bytes of a hash's input block: the size of an HMAC key made without a length. */
export const blockSizes: Record<string, number> = { "SHA-1": 64, "SHA-256": 64, "SHA-384": 128, "SHA-512": 128 };

export function exception(name: string, message: string): DOMException {
  return new DOMException(message, name);
}

/** The bytes of a BufferSource. No copy is needed where the operation runs before anybody can change them. */
export function viewOf(value: unknown, what: string): Uint8Array {
  const bytes = bytesOf(value);
  if (bytes === undefined || isSharedArrayBuffer(bytes.buffer)) throw new TypeError(`${what} is not an ArrayBuffer or a view of one`);
  return bytes;
}

/** What the dictionaries of all algorithms have. */
const members = ["additionalData", "counter", "hash", "info", "iterations", "iv", "label", "length", "modulusLength", "namedCurve", "public", "publicExponent", "salt", "saltLength", "tagLength"];

/** https://w3c.github.io/webcrypto/#algorithm-normalization-normalize-an-algorithm */
export function normalize(value: unknown, operation: keyof typeof supported): Parameters {
  const object = typeof value === "object" && value !== null || typeof value === "function";
  const given = object ? (value as { name: unknown }).name : value;
  if (object && given === undefined) throw new TypeError("The algorithm has no name");
  const text = domString(given);
  const upper = text.toUpperCase();
  const name = supported[operation].find((known) => known.toUpperCase() === upper);
  if (name === undefined) throw exception("NotSupportedError", `${operation}() does not support the algorithm "${text}"; it supports ${supported[operation].join(", ")}`);
  const parameters: Parameters = { name };
  if (object) for (const member of members) parameters[member] = (value as Parameters)[member];
  return parameters;
}

export function hashOf(parameters: Parameters): string {
  if (parameters["hash"] === undefined) throw new TypeError(`${parameters.name} needs a hash`);
  return normalize(parameters["hash"], "digest").name;
}

export function curveOf(parameters: Parameters): string {
  if (parameters["namedCurve"] === undefined) throw new TypeError(`${parameters.name} needs a namedCurve`);
  const curve = domString(parameters["namedCurve"]);
  if (curve !== "P-256" && curve !== "P-384" && curve !== "P-521") throw exception("NotSupportedError", `The curve "${curve}" is not supported; P-256, P-384 and P-521 are`);
  return curve;
}

/** An optional length in bits. */
export function lengthOf(parameters: Parameters): number | undefined {
  return parameters["length"] === undefined ? undefined : enforceRange(parameters["length"], "unsigned long", "The key length");
}

export function aesLength(bits: unknown): number {
  const n = enforceRange(bits, "unsigned short", "The key length");
  if (n !== 128 && n !== 192 && n !== 256) throw exception("OperationError", `AES keys have 128, 192 or 256 bits, not ${n}`);
  return n;
}

const allUsages: readonly string[] = ["encrypt", "decrypt", "sign", "verify", "deriveKey", "deriveBits", "wrapKey", "unwrapKey"];

export function usagesOf(value: unknown): KeyUsage[] {
  if (typeof value !== "object" || value === null) throw new TypeError("The key usages are not a sequence");
  const list = new Set([...(value as Iterable<unknown>)].map(domString));
  for (const usage of list) if (!allUsages.includes(usage)) throw new TypeError(`"${usage}" is not a key usage`);
  return allUsages.filter((usage) => list.has(usage)) as KeyUsage[];
}

export function checkUsages(name: string, usages: readonly KeyUsage[], allowed: readonly KeyUsage[]): void {
  for (const usage of usages) if (!allowed.includes(usage)) throw exception("SyntaxError", `This key for ${name} cannot have the usage "${usage}"`);
}

export interface GcmParameters { iv: Uint8Array; aad: Uint8Array; tag: number }

export function gcmParameters(parameters: Parameters): GcmParameters {
  const iv = viewOf(parameters["iv"], "AES-GCM's iv");
  const aad = parameters["additionalData"] === undefined ? new Uint8Array(0) : viewOf(parameters["additionalData"], "AES-GCM's additionalData");
  const tag = parameters["tagLength"] === undefined ? 128 : enforceRange(parameters["tagLength"], "unsigned short", "AES-GCM's tagLength");
  if (![32, 64, 96, 104, 112, 120, 128].includes(tag)) throw exception("OperationError", `AES-GCM has no tag of ${tag} bits`);
  if (iv.length === 0) throw exception("OperationError", "AES-GCM's iv is empty");
  return { iv, aad, tag: tag / 8 };
}
