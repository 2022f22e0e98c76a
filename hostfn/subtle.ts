// https://w3c.github.io/webcrypto/#subtlecrypto-interface; Go computes (crypto.go, webcrypto.go).
import { host } from "../polyfill/host.ts";
import { utf8Decode, utf8Encode } from "../polyfill/encoding/utf8.ts";
import { defineInterface, enforceRange, enumeration, required } from "../polyfill/webidl.ts";
import { CryptoKey, factsOf, newKey, type Bytes, type KeyAlgorithm, type KeyFacts, type KeyType, type KeyUsage } from "./cryptokey.ts";
import {
  aesLength, algorithms, blockSizes, checkUsages, curveOf, exception, gcmParameters, hashOf, lengthOf, normalize, usagesOf, viewOf,
  type AlgorithmIdentifier, type BufferSource, type Parameters,
} from "./cryptoparameters.ts";
import { badJwk, checkJwk, toJwk, type JsonWebKey } from "./jwk.ts";

const ops = {
  digest: host.op<ArrayBuffer>("crypto.digest"),
  hmac: host.op<ArrayBuffer>("crypto.hmac"),
  verify: host.op<boolean>("crypto.verify"),
  encrypt: host.op<ArrayBuffer>("crypto.encrypt"),
  decrypt: host.op<ArrayBuffer>("crypto.decrypt"),
  pbkdf2: host.op<ArrayBuffer>("crypto.pbkdf2"),
  hkdf: host.op<ArrayBuffer>("crypto.hkdf"),
  generate: host.op<{ head: { private: number }; body: ArrayBuffer }>("crypto.generate"),
  importKey: host.op<{ head: { type: KeyType; bits?: number; exponent?: number[] }; body: ArrayBuffer }>("crypto.import"),
  exportKey: host.op<{ head: JsonWebKey; body?: ArrayBuffer }>("crypto.export"),
  signPair: host.op<ArrayBuffer>("crypto.signPair"),
  checkPair: host.op<boolean>("crypto.checkPair"),
  cipher: host.op<ArrayBuffer>("crypto.cipher"),
  agree: host.op<ArrayBuffer>("crypto.agree"),
};
const { random } = host;
const apply = Reflect.apply;
const slice = Uint8Array.prototype.slice;
const empty = new Uint8Array(0);
const { parse, stringify } = JSON;

type KeyFormat = "raw" | "jwk" | "pkcs8" | "spki";
interface CryptoKeyPair { publicKey: CryptoKey; privateKey: CryptoKey }
const formats = ["raw", "pkcs8", "spki", "jwk"] as const;
const domExceptions = ["OperationError", "NotSupportedError", "DataError"];

/** Calls an operation; the host's errors become the DOMExceptions that their names say. */
export function run<T>(op: (head?: unknown, body?: BufferSource) => T, head: unknown, ...parts: Uint8Array[]): T {
  try {
    return op(head, concat(parts));
  } catch (error) {
    const { name, message } = error as Error;
    throw domExceptions.includes(name) ? exception(name, message) : error;
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

function use(key: CryptoKey, name: string, usage: KeyUsage): KeyFacts {
  const facts = factsOf(key);
  if (facts.name !== name) throw exception("InvalidAccessError", `The key is for ${facts.name}, not ${name}`);
  if (!facts.usages.includes(usage)) throw exception("InvalidAccessError", `The key's usages do not include "${usage}"`);
  return facts;
}

function secretKey(bytes: Bytes, algorithm: KeyAlgorithm, extractable: boolean, usages: KeyUsage[]): CryptoKey {
  if (usages.length === 0) throw exception("SyntaxError", `A secret key needs at least one usage: ${algorithms[algorithm.name]!.secret!.join(", ")}`);
  return newKey("secret", bytes, algorithm, extractable, usages);
}

/** Bytes of an HMAC key of so many bits; the rest of the last byte is zero. */
function hmacKey(bytes: Bytes, bits: number): Bytes {
  const out = bytes.slice(0, Math.ceil(bits / 8));
  if (bits % 8 !== 0) out[out.length - 1]! &= 0xff << (8 - (bits % 8));
  return out;
}

function generateSecret(parameters: Parameters, extractable: boolean, usages: KeyUsage[]): CryptoKey {
  const { name } = parameters;
  const { kind, secret } = algorithms[name]!;
  if (kind === "AES") {
    const given = enforceRange(parameters["length"], "unsigned short", "The key length");
    checkUsages(name, usages, secret!);
    const length = aesLength(given);
    return secretKey(random(new Uint8Array(length / 8)), { name, length }, extractable, usages);
  }
  const hash = hashOf(parameters);
  const bits = lengthOf(parameters) ?? blockSizes[hash]! * 8;
  checkUsages(name, usages, secret!);
  if (bits === 0 || bits > 65_536) throw exception("OperationError", "An HMAC key has 1 to 65536 bits");
  return secretKey(hmacKey(random(new Uint8Array(Math.ceil(bits / 8))), bits), { name, hash: { name: hash }, length: bits }, extractable, usages);
}

function generatePair(parameters: Parameters, extractable: boolean, usages: KeyUsage[]): CryptoKeyPair {
  const { name } = parameters;
  const { kind, public: publicUsages, private: privateUsages } = algorithms[name]!;
  const algorithm: KeyAlgorithm = { name };
  let bits = 0;
  let exponent: Bytes = empty;
  if (kind === "RSA") {
    bits = enforceRange(parameters["modulusLength"], "unsigned long", "The modulusLength");
    const given = parameters["publicExponent"];
    if (!(given instanceof Uint8Array)) throw new TypeError(`${name}'s publicExponent is not a Uint8Array`);
    exponent = apply(slice, given, []) as Bytes;
    algorithm.hash = { name: hashOf(parameters) };
    algorithm.modulusLength = bits;
    algorithm.publicExponent = exponent;
  } else if (kind === "EC") {
    algorithm.namedCurve = curveOf(parameters);
  }
  checkUsages(name, usages, [...publicUsages!, ...privateUsages!]);
  if (kind === "RSA" && BigInt("0x0" + exponent.toHex()) !== 65_537n) throw exception("OperationError", "New RSA keys have the publicExponent 65537 only: new Uint8Array([1, 0, 1])");
  const privates = usages.filter((usage) => privateUsages!.includes(usage));
  if (privates.length === 0) throw exception("SyntaxError", `A private key needs at least one usage: ${privateUsages!.join(", ")}`);
  const { head, body } = run(ops.generate, { kind, curve: algorithm.namedCurve, bits }, empty);
  const bytes = new Uint8Array(body);
  return {
    publicKey: newKey("public", bytes.slice(head.private), { ...algorithm }, true, usages.filter((usage) => publicUsages!.includes(usage))),
    privateKey: newKey("private", bytes.slice(0, head.private), algorithm, extractable, privates),
  };
}

function importSecret(format: KeyFormat, data: Uint8Array | JsonWebKey, parameters: Parameters, extractable: boolean, usages: KeyUsage[]): CryptoKey {
  const { name } = parameters;
  const { kind, secret, jwkAlg } = algorithms[name]!;
  const hash = kind === "HMAC" ? hashOf(parameters) : "";
  const length = kind === "HMAC" ? lengthOf(parameters) : undefined;
  if (format !== "raw" && (format !== "jwk" || kind === "KDF")) throw exception("NotSupportedError", `A key for ${name} is not imported as "${format}"`);
  checkUsages(name, usages, secret!);
  if (kind === "KDF") {
    if (extractable) throw exception("SyntaxError", `A key for ${name} cannot be extractable`);
    return secretKey(apply(slice, data, []) as Bytes, { name }, false, usages);
  }
  let bytes: Bytes;
  if (format === "jwk") {
    const jwk = data as JsonWebKey;
    if (jwk.kty !== "oct") throw badJwk('has another kty than "oct"');
    if (jwk.k === undefined) throw badJwk("has no k");
    try {
      bytes = Uint8Array.fromBase64(jwk.k, { alphabet: "base64url" });
    } catch {
      throw badJwk("has a k that is not base64url");
    }
    const alg = kind === "HMAC" ? jwkAlg![hash] : `A${bytes.length * 8}${jwkAlg![""]!}`;
    if (jwk.alg !== undefined && jwk.alg !== alg) throw badJwk(`has the alg "${jwk.alg}", not "${alg}"`);
    checkJwk(jwk, name, extractable, usages);
  } else {
    bytes = apply(slice, data, []) as Bytes;
  }
  if (kind === "AES") {
    if (bytes.length !== 16 && bytes.length !== 24 && bytes.length !== 32) throw exception("DataError", `An AES key has 16, 24 or 32 bytes, not ${bytes.length}`);
    return secretKey(bytes, { name, length: bytes.length * 8 }, extractable, usages);
  }
  if (bytes.length === 0) throw exception("DataError", "An HMAC key cannot be empty");
  const bits = length ?? bytes.length * 8;
  if (bits > bytes.length * 8 || bits <= bytes.length * 8 - 8) throw exception("DataError", `The key has ${bytes.length * 8} bits, not ${bits}`);
  return secretKey(hmacKey(bytes, bits), { name, hash: { name: hash }, length: bits }, extractable, usages);
}

const ecdsaAlg: Record<string, string> = { "P-256": "ES256", "P-384": "ES384", "P-521": "ES512" };

function importPair(format: KeyFormat, data: Uint8Array | JsonWebKey, parameters: Parameters, extractable: boolean, usages: KeyUsage[]): CryptoKey {
  const { name } = parameters;
  const { kind, public: publicUsages, private: privateUsages, jwkAlg } = algorithms[name]!;
  const algorithm: KeyAlgorithm = { name };
  if (kind === "RSA") algorithm.hash = { name: hashOf(parameters) };
  if (kind === "EC") algorithm.namedCurve = curveOf(parameters);
  if (format === "raw" && kind === "RSA") throw exception("NotSupportedError", `A key for ${name} is not imported as "raw"`);
  const jwk = format === "jwk" ? data as JsonWebKey : undefined;
  const isPrivate = format === "pkcs8" || jwk?.d !== undefined;
  checkUsages(name, usages, isPrivate ? privateUsages! : publicUsages!);
  if (jwk !== undefined) {
    checkJwk(jwk, name, extractable, usages);
    const expected = kind === "RSA" ? [jwkAlg![algorithm.hash!.name]] : name === "ECDSA" ? [ecdsaAlg[algorithm.namedCurve!]] : name === "Ed25519" ? ["Ed25519", "EdDSA"] : undefined;
    if (jwk.alg !== undefined && expected !== undefined && !expected.includes(jwk.alg)) throw badJwk(`has the alg "${jwk.alg}", not "${expected[0]}"`);
  }
  const { head, body } = run(ops.importKey, { kind, format, curve: algorithm.namedCurve, jwk }, jwk === undefined ? data as Uint8Array : empty);
  if (head.bits !== undefined) {
    algorithm.modulusLength = head.bits;
    algorithm.publicExponent = new Uint8Array(head.exponent!);
  }
  if (head.type === "private" && usages.length === 0) throw exception("SyntaxError", `A private key needs at least one usage: ${privateUsages!.join(", ")}`);
  return newKey(head.type, new Uint8Array(body), algorithm, extractable, usages);
}

function importKey(format: KeyFormat, data: Uint8Array | JsonWebKey, parameters: Parameters, extractable: boolean, usages: KeyUsage[]): CryptoKey {
  return algorithms[parameters.name]!.secret === undefined
    ? importPair(format, data, parameters, extractable, usages)
    : importSecret(format, data, parameters, extractable, usages);
}

function exportKey(format: KeyFormat, key: CryptoKey): ArrayBuffer | JsonWebKey {
  const { bytes, type, name, hash, usages, extractable } = factsOf(key);
  const { kind, jwkAlg } = algorithms[name]!;
  if (kind === "KDF") throw exception("NotSupportedError", `A key for ${name} cannot be exported`);
  if (!extractable) throw exception("InvalidAccessError", "The key is not extractable");
  const rest = { key_ops: [...usages], ext: extractable };
  if (type === "secret") {
    if (format === "raw") return bytes.slice().buffer;
    if (format !== "jwk") throw exception("NotSupportedError", `A secret key is not exported as "${format}"`);
    const alg = kind === "HMAC" ? jwkAlg![hash]! : `A${bytes.length * 8}${jwkAlg![""]!}`;
    return { kty: "oct", k: bytes.toBase64({ alphabet: "base64url", omitPadding: true }), alg, ...rest };
  }
  if (format === "raw" && kind === "RSA") throw exception("NotSupportedError", `A key for ${name} is not exported as "raw"`);
  if (format !== "jwk") {
    if ((format === "pkcs8") !== (type === "private")) throw exception("InvalidAccessError", `A ${type} key is not exported as "${format}"`);
    return format === "raw" ? run(ops.exportKey, { format }, bytes).body! : bytes.slice().buffer;
  }
  const members = run(ops.exportKey, { format }, bytes).head;
  if (kind === "RSA") return { kty: "RSA", alg: jwkAlg![hash]!, ...members, ...rest };
  if (kind === "EC") return { kty: "EC", ...members, ...rest };
  return kind === "Ed25519" ? { kty: "OKP", alg: "Ed25519", ...members, ...rest } : { kty: "OKP", ...members, ...rest };
}

/** Parameters of a cipher, converted. */
interface Cipher { name: string; iv: Uint8Array; aad: Uint8Array; tag: number; bits: number }

function cipherOf(parameters: Parameters): Cipher {
  const { name } = parameters;
  const plain = { name, iv: empty, aad: empty, tag: 0, bits: 0 };
  switch (name) {
    case "AES-GCM": return { ...plain, ...gcmParameters(parameters) };
    case "AES-CBC": {
      const iv = viewOf(parameters["iv"], "AES-CBC's iv");
      if (iv.length !== 16) throw exception("OperationError", `AES-CBC's iv has 16 bytes, not ${iv.length}`);
      return { ...plain, iv };
    }
    case "AES-CTR": {
      const iv = viewOf(parameters["counter"], "AES-CTR's counter");
      const bits = enforceRange(parameters["length"], "unsigned short", "AES-CTR's length");
      if (iv.length !== 16) throw exception("OperationError", `AES-CTR's counter has 16 bytes, not ${iv.length}`);
      if (bits < 1 || bits > 128) throw exception("OperationError", `AES-CTR's length is 1 to 128 bits, not ${bits}`);
      return { ...plain, iv, bits };
    }
    case "RSA-OAEP": return { ...plain, iv: parameters["label"] === undefined ? empty : viewOf(parameters["label"], "RSA-OAEP's label") };
    default: return plain;
  }
}

function runCipher(decrypt: boolean, { name, iv, aad, tag, bits }: Cipher, { bytes, hash, type }: KeyFacts, data: Uint8Array): ArrayBuffer {
  if (type === (decrypt ? "public" : "private")) throw exception("InvalidAccessError", `A ${type} key cannot be used here`);
  if (name === "AES-GCM") return run(decrypt ? ops.decrypt : ops.encrypt, { key: bytes.length, iv: iv.length, aad: aad.length, tag }, bytes, iv, aad, data);
  return run(ops.cipher, { algorithm: name, decrypt, key: bytes.length, iv: iv.length, bits, hash }, bytes, iv, data);
}

/** The secret that a private and a public key share, cut to bits. */
function agree(parameters: Parameters, baseKey: CryptoKey, usage: KeyUsage, bits: number | null): ArrayBuffer {
  const { name } = parameters;
  const other = factsOf(parameters["public"] as CryptoKey);
  const own = use(baseKey, name, usage);
  if (own.type !== "private") throw exception("InvalidAccessError", "The base key is not a private key");
  if (other.type !== "public") throw exception("InvalidAccessError", `${name}'s public is not a public key`);
  if (other.name !== name || other.curve !== own.curve) throw exception("InvalidAccessError", `The public key is for ${other.name} ${other.curve}, not ${name} ${own.curve}`);
  const secret = run(ops.agree, { key: own.bytes.length }, own.bytes, other.bytes);
  if (bits === null) return secret;
  if (bits > secret.byteLength * 8) throw exception("OperationError", `The secret has ${secret.byteLength * 8} bits, not ${bits}`);
  return bits === 0 ? new ArrayBuffer(0) : hmacKey(new Uint8Array(secret), bits).buffer;
}

function deriveBits(parameters: Parameters, baseKey: CryptoKey, usage: KeyUsage, bits: number | null): ArrayBuffer {
  const { name } = parameters;
  if (algorithms[name]!.kind !== "KDF") return agree(parameters, baseKey, usage, bits);
  const hash = hashOf(parameters);
  const salt = viewOf(parameters["salt"], `${name}'s salt`);
  const info = name === "HKDF" ? viewOf(parameters["info"], "HKDF's info") : empty;
  const iterations = name === "HKDF" ? 0 : enforceRange(parameters["iterations"], "unsigned long", "PBKDF2's iterations");
  const { bytes } = use(baseKey, name, usage);
  if (bits === null) throw exception("OperationError", `${name} needs a length`);
  if (bits % 8 !== 0) throw exception("OperationError", "The length is not a multiple of 8 bits");
  const length = bits / 8;
  if (name === "HKDF") return run(ops.hkdf, { hash, key: bytes.length, salt: salt.length, length }, bytes, salt, info);
  return run(ops.pbkdf2, { hash, key: bytes.length, iterations, length }, bytes, salt);
}

/** https://w3c.github.io/webcrypto/#dfn-get-key-length-operation */
function keyBits(parameters: Parameters): number | null {
  switch (algorithms[parameters.name]!.kind) {
    case "AES": return aesLength(parameters["length"]);
    case "HMAC": {
      const hash = hashOf(parameters);
      const bits = lengthOf(parameters);
      if (bits === 0) throw new TypeError("An HMAC key has at least one bit");
      return bits ?? blockSizes[hash]! * 8;
    }
    default: return null;
  }
}

/** How an RSA, EC or Ed25519 key signs. */
function signature(parameters: Parameters): { hash: string; salt: number } {
  return {
    hash: parameters.name === "ECDSA" ? hashOf(parameters) : "",
    salt: parameters.name === "RSA-PSS" ? enforceRange(parameters["saltLength"], "unsigned long", "RSA-PSS's saltLength") : 0,
  };
}

function typed(facts: KeyFacts, type: KeyType): KeyFacts {
  if (facts.type !== type) throw exception("InvalidAccessError", `The key is not a ${type} key`);
  return facts;
}

/** AES-KW wraps multiples of 8 bytes: white space before the last brace fills them up. The text of a key is ASCII. */
function padded(json: string, cipher: string): string {
  const missing = cipher === "AES-KW" ? (8 - json.length % 8) % 8 : 0;
  return json.slice(0, -1) + " ".repeat(missing) + "}";
}

const token = Symbol("SubtleCrypto");
export const newSubtle = (): SubtleCrypto => new SubtleCrypto(token);

/** https://w3c.github.io/webcrypto/#subtlecrypto-interface */
export class SubtleCrypto {
  #brand = true;

  constructor(secret: unknown | undefined = undefined) {
    if (secret !== token) throw new TypeError("Illegal constructor: use crypto.subtle");
  }

  async digest(algorithm: AlgorithmIdentifier, data: BufferSource): Promise<ArrayBuffer> {
    void this.#brand;
    required(arguments.length, 2, "digest()");
    const { name } = normalize(algorithm, "digest");
    return run(ops.digest, name, viewOf(data, "digest()'s data"));
  }

  async generateKey(algorithm: AlgorithmIdentifier, extractable: boolean, keyUsages: Iterable<KeyUsage>): Promise<CryptoKey | CryptoKeyPair> {
    void this.#brand;
    required(arguments.length, 3, "generateKey()");
    const usages = usagesOf(keyUsages);
    const parameters = normalize(algorithm, "generateKey");
    return algorithms[parameters.name]!.secret === undefined ? generatePair(parameters, !!extractable, usages) : generateSecret(parameters, !!extractable, usages);
  }

  async importKey(format: KeyFormat, keyData: BufferSource | JsonWebKey, algorithm: AlgorithmIdentifier, extractable: boolean, keyUsages: Iterable<KeyUsage>): Promise<CryptoKey> {
    void this.#brand;
    required(arguments.length, 5, "importKey()");
    const form = enumeration(format, formats, "importKey()'s format");
    const usages = usagesOf(keyUsages);
    const data = form === "jwk" ? toJwk(keyData) : viewOf(keyData, "importKey()'s key data");
    return importKey(form, data, normalize(algorithm, "importKey"), !!extractable, usages);
  }

  async exportKey(format: KeyFormat, key: CryptoKey): Promise<ArrayBuffer | JsonWebKey> {
    void this.#brand;
    required(arguments.length, 2, "exportKey()");
    return exportKey(enumeration(format, formats, "exportKey()'s format"), key);
  }

  async sign(algorithm: AlgorithmIdentifier, key: CryptoKey, data: BufferSource): Promise<ArrayBuffer> {
    void this.#brand;
    required(arguments.length, 3, "sign()");
    const parameters = normalize(algorithm, "sign");
    const { name } = parameters;
    const { hash, salt } = signature(parameters);
    const bytes = viewOf(data, "sign()'s data");
    const facts = use(key, name, "sign");
    if (name === "HMAC") return run(ops.hmac, { hash: facts.hash, key: facts.bytes.length }, facts.bytes, bytes);
    typed(facts, "private");
    return run(ops.signPair, { algorithm: name, hash: hash || facts.hash, salt, key: facts.bytes.length }, facts.bytes, bytes);
  }

  async verify(algorithm: AlgorithmIdentifier, key: CryptoKey, signatureBytes: BufferSource, data: BufferSource): Promise<boolean> {
    void this.#brand;
    required(arguments.length, 4, "verify()");
    const parameters = normalize(algorithm, "verify");
    const { name } = parameters;
    const { hash, salt } = signature(parameters);
    const given = viewOf(signatureBytes, "verify()'s signature");
    const bytes = viewOf(data, "verify()'s data");
    const facts = use(key, name, "verify");
    if (name === "HMAC") return run(ops.verify, { hash: facts.hash, key: facts.bytes.length, signature: given.length }, facts.bytes, given, bytes);
    typed(facts, "public");
    return run(ops.checkPair, { algorithm: name, hash: hash || facts.hash, salt, key: facts.bytes.length, signature: given.length }, facts.bytes, given, bytes);
  }

  async encrypt(algorithm: AlgorithmIdentifier, key: CryptoKey, data: BufferSource): Promise<ArrayBuffer> {
    void this.#brand;
    required(arguments.length, 3, "encrypt()");
    const cipher = cipherOf(normalize(algorithm, "encrypt"));
    const bytes = viewOf(data, "encrypt()'s data");
    return runCipher(false, cipher, use(key, cipher.name, "encrypt"), bytes);
  }

  async decrypt(algorithm: AlgorithmIdentifier, key: CryptoKey, data: BufferSource): Promise<ArrayBuffer> {
    void this.#brand;
    required(arguments.length, 3, "decrypt()");
    const cipher = cipherOf(normalize(algorithm, "decrypt"));
    const bytes = viewOf(data, "decrypt()'s data");
    return runCipher(true, cipher, use(key, cipher.name, "decrypt"), bytes);
  }

  async deriveBits(algorithm: AlgorithmIdentifier, baseKey: CryptoKey, length: number | null | undefined = null): Promise<ArrayBuffer> {
    void this.#brand;
    required(arguments.length, 2, "deriveBits()");
    const bits = length === null || length === undefined ? null : enforceRange(length, "unsigned long", "The length");
    return deriveBits(normalize(algorithm, "deriveBits"), baseKey, "deriveBits", bits);
  }

  async deriveKey(algorithm: AlgorithmIdentifier, baseKey: CryptoKey, derivedKeyType: AlgorithmIdentifier, extractable: boolean, keyUsages: Iterable<KeyUsage>): Promise<CryptoKey> {
    void this.#brand;
    required(arguments.length, 5, "deriveKey()");
    const usages = usagesOf(keyUsages);
    const parameters = normalize(algorithm, "deriveKey");
    const wanted = normalize(derivedKeyType, "keyLength");
    const bits = keyBits(wanted);
    return importKey("raw", new Uint8Array(deriveBits(parameters, baseKey, "deriveKey", bits)), wanted, !!extractable, usages);
  }

  async wrapKey(format: KeyFormat, key: CryptoKey, wrappingKey: CryptoKey, wrapAlgorithm: AlgorithmIdentifier): Promise<ArrayBuffer> {
    void this.#brand;
    required(arguments.length, 4, "wrapKey()");
    const form = enumeration(format, formats, "wrapKey()'s format");
    const cipher = cipherOf(normalize(wrapAlgorithm, "wrapKey"));
    factsOf(key);
    const facts = use(wrappingKey, cipher.name, "wrapKey");
    const exported = exportKey(form, key);
    return runCipher(false, cipher, facts, form === "jwk" ? utf8Encode(padded(stringify(exported), cipher.name)) : new Uint8Array(exported as ArrayBuffer));
  }

  async unwrapKey(
    format: KeyFormat, wrappedKey: BufferSource, unwrappingKey: CryptoKey, unwrapAlgorithm: AlgorithmIdentifier, unwrappedKeyAlgorithm: AlgorithmIdentifier,
    extractable: boolean, keyUsages: Iterable<KeyUsage>,
  ): Promise<CryptoKey> {
    void this.#brand;
    required(arguments.length, 7, "unwrapKey()");
    const form = enumeration(format, formats, "unwrapKey()'s format");
    const usages = usagesOf(keyUsages);
    const cipher = cipherOf(normalize(unwrapAlgorithm, "unwrapKey"));
    const wanted = normalize(unwrappedKeyAlgorithm, "importKey");
    const wrapped = viewOf(wrappedKey, "unwrapKey()'s wrapped key");
    const bytes = new Uint8Array(runCipher(true, cipher, use(unwrappingKey, cipher.name, "unwrapKey"), wrapped));
    if (form !== "jwk") return importKey(form, bytes, wanted, !!extractable, usages);
    let jwk: unknown;
    try {
      jwk = parse(utf8Decode(bytes));
    } catch {
      throw exception("DataError", "The unwrapped key is not JSON");
    }
    return importKey(form, toJwk(jwk), wanted, !!extractable, usages);
  }
}
defineInterface(SubtleCrypto, "SubtleCrypto");
