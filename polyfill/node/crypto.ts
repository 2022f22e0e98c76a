// https://nodejs.org/api/crypto.html: hashes, HMAC, random values, key derivation; the rest is crypto.subtle's.
import { Buffer } from "./buffer.ts";
import { checkFunction, invalidArgType, nodeError } from "./errors.ts";
import { Transform } from "./stream.ts";
import { unavailable } from "./unavailable.ts";

/** What the platform bundle leaves for this shim; see hostfn/crypto.ts. */
interface Functions {
  hash(name: string, data: Uint8Array): ArrayBuffer;
  hmac(name: string, key: Uint8Array, data: Uint8Array): ArrayBuffer;
  pbkdf2(name: string, password: Uint8Array, salt: Uint8Array, iterations: number, length: number): ArrayBuffer;
  hkdf(name: string, key: Uint8Array, salt: Uint8Array, info: Uint8Array, length: number): ArrayBuffer;
  equal(a: Uint8Array, b: Uint8Array): boolean;
  random(bytes: Uint8Array): Uint8Array;
  checkHash(name: string): void;
}
const host = (globalThis as unknown as Record<symbol, Functions>)[Symbol.for("agentrt.crypto")]!;
const web = (globalThis as unknown as { crypto: { subtle: unknown; getRandomValues<T>(array: T): T; randomUUID(): string } }).crypto;

export const webcrypto = web;
export const subtle = web.subtle;
export function getRandomValues<T>(array: T): T { return web.getRandomValues(array); }
export function randomUUID(): string { return web.randomUUID(); }
export function getHashes(): string[] { return ["md5", "sha1", "sha224", "sha256", "sha384", "sha512"]; }

type Data = string | ArrayBuffer | ArrayBufferView;
function bytes(data: Data, encoding?: string, name = "data"): Uint8Array {
  if (typeof data === "string") return Buffer.from(data, encoding === "buffer" ? "utf8" : encoding ?? "utf8");
  if (ArrayBuffer.isView(data)) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  if (data instanceof ArrayBuffer) return new Uint8Array(data);
  throw invalidArgType(name, "of type string or an instance of Buffer, TypedArray, or DataView", data);
}

function output(value: ArrayBuffer, encoding: string | undefined): any {
  const buffer = Buffer.from(value);
  return encoding === undefined || encoding === "buffer" ? buffer : buffer.toString(encoding);
}

/** Collects the input and computes once, at digest(). Works as a stream too. */
class Digest extends Transform {
  #compute: (data: Uint8Array) => ArrayBuffer;
  #parts: Uint8Array[];
  #done = false;

  constructor(compute: (data: Uint8Array) => ArrayBuffer, parts: Uint8Array[] = []) {
    super();
    this.#compute = compute;
    this.#parts = parts;
  }
  update(data: Data, encoding?: string): this {
    if (this.#done) throw nodeError(Error, "ERR_CRYPTO_HASH_FINALIZED", "Digest already called");
    this.#parts.push(bytes(data, encoding).slice());
    return this;
  }
  digest(encoding?: string): any {
    if (this.#done) throw nodeError(Error, "ERR_CRYPTO_HASH_FINALIZED", "Digest already called");
    this.#done = true;
    return output(this.#compute(Buffer["concat"](this.#parts)), encoding);
  }
  copy(): Digest {
    if (this.#done) throw nodeError(Error, "ERR_CRYPTO_HASH_FINALIZED", "Digest already called");
    return new (this.constructor as typeof Digest)(this.#compute, [...this.#parts]);
  }
  _transform(chunk: Uint8Array, _encoding: string, callback: () => void): void {
    this.update(chunk);
    callback();
  }
  _flush(callback: () => void): void {
    (this as any).push(this.digest());
    callback();
  }
}
export class Hash extends Digest {}
export class Hmac extends Digest {}

export function createHash(algorithm: string): Hash {
  if (typeof algorithm !== "string") throw invalidArgType("algorithm", "of type string", algorithm);
  host.checkHash(algorithm);
  return new Hash((data) => host.hash(algorithm, data));
}
export function createHmac(algorithm: string, key: Data): Hmac {
  host.checkHash(algorithm);
  const secret = bytes(key, undefined, "key").slice();
  return new Hmac((data) => host.hmac(algorithm, secret, data));
}
/** Node 21.7: a digest in one call. */
export function hash(algorithm: string, data: Data, encoding = "hex"): any { return output(host.hash(algorithm, bytes(data)), encoding); }

type Callback<T> = (error: Error | null, value?: T) => void;
const later = queueMicrotask;
function answer<T>(callback: Callback<T> | undefined, compute: () => T): T | undefined {
  if (callback === undefined) return compute();
  checkFunction(callback, "callback");
  let value: T;
  try {
    value = compute();
  } catch (error) {
    later(() => callback(error as Error));
    return undefined;
  }
  later(() => callback(null, value));
  return undefined;
}

/** Bytes that one call may ask for. */
const maxRandom = 64 * 1024 * 1024;
export function randomBytes(size: number, callback?: Callback<any>): any {
  if (typeof size !== "number") throw invalidArgType("size", "of type number", size);
  if (!(size >= 0 && size <= maxRandom)) throw nodeError(RangeError, "ERR_OUT_OF_RANGE", `The value of "size" is out of range. It must be >= 0 && <= ${maxRandom}. Received ${size}`);
  return answer(callback, () => {
    const out = Buffer["alloc"](size);
    host.random(out);
    return out;
  });
}
export const pseudoRandomBytes = randomBytes;

export function randomFillSync<T extends ArrayBufferView>(target: T, offset = 0, size = target.byteLength - offset): T {
  host.random(new Uint8Array(target.buffer, target.byteOffset + offset, size));
  return target;
}
export function randomFill(target: ArrayBufferView, ...rest: any[]): void {
  const callback = rest.pop();
  answer(callback, () => randomFillSync(target, ...rest));
}

export function randomInt(low: number, high?: number | Callback<number>, callback?: Callback<number>): number | undefined {
  if (typeof high !== "number") [callback, high, low] = [high, low, 0];
  const range = high - low;
  if (!Number.isSafeInteger(low) || !Number.isSafeInteger(high) || !(range > 0 && range < 2 ** 48)) {
    throw nodeError(RangeError, "ERR_OUT_OF_RANGE", `The value of "max" is out of range. It must be greater than the value of "min" (${low}) by less than 2 ** 48. Received ${high}`);
  }
  return answer(callback, () => {
    const limit = 2 ** 48 - (2 ** 48 % range);
    for (;;) {
      const value = randomBytes(6).readUIntBE(0, 6) as number;
      if (value < limit) return low + (value % range);
    }
  });
}

export function timingSafeEqual(a: ArrayBufferView, b: ArrayBufferView): boolean {
  const [x, y] = [bytes(a, undefined, "buf1"), bytes(b, undefined, "buf2")];
  if (x.length !== y.length) throw nodeError(RangeError, "ERR_CRYPTO_TIMING_SAFE_EQUAL_LENGTH", "Input buffers must have the same byte length");
  return host.equal(x, y);
}

/** At most 1,000,000 iterations times blocks of output. */
export function pbkdf2Sync(password: Data, salt: Data, iterations: number, length: number, digest: string): any {
  return Buffer.from(host.pbkdf2(digest, bytes(password, undefined, "password"), bytes(salt, undefined, "salt"), iterations, length));
}
export function pbkdf2(password: Data, salt: Data, iterations: number, length: number, digest: string, callback: Callback<any>): void {
  answer(callback, () => pbkdf2Sync(password, salt, iterations, length, digest));
}
export function hkdfSync(digest: string, key: Data, salt: Data, info: Data, length: number): ArrayBuffer {
  return host.hkdf(digest, bytes(key, undefined, "key"), bytes(salt, undefined, "salt"), bytes(info, undefined, "info"), length);
}
export function hkdf(digest: string, key: Data, salt: Data, info: Data, length: number, callback: Callback<ArrayBuffer>): void {
  answer(callback, () => hkdfSync(digest, key, salt, info, length));
}

const hint = "use crypto.subtle";
export const createCipheriv = unavailable("crypto", "createCipheriv", hint);
export const createDecipheriv = unavailable("crypto", "createDecipheriv", hint);
export const createSign = unavailable("crypto", "createSign", hint);
export const createVerify = unavailable("crypto", "createVerify", hint);
export const sign = unavailable("crypto", "sign", hint);
export const verify = unavailable("crypto", "verify", hint);
export const createPrivateKey = unavailable("crypto", "createPrivateKey", hint);
export const createPublicKey = unavailable("crypto", "createPublicKey", hint);
export const createSecretKey = unavailable("crypto", "createSecretKey", hint);
export const generateKeyPair = unavailable("crypto", "generateKeyPair", hint);
export const generateKeyPairSync = unavailable("crypto", "generateKeyPairSync", hint);
export const generateKey = unavailable("crypto", "generateKey", hint);
export const generateKeySync = unavailable("crypto", "generateKeySync", hint);
export const publicEncrypt = unavailable("crypto", "publicEncrypt", hint);
export const publicDecrypt = unavailable("crypto", "publicDecrypt", hint);
export const privateEncrypt = unavailable("crypto", "privateEncrypt", hint);
export const privateDecrypt = unavailable("crypto", "privateDecrypt", hint);
export const createDiffieHellman = unavailable("crypto", "createDiffieHellman", hint);
export const createECDH = unavailable("crypto", "createECDH", hint);
export const diffieHellman = unavailable("crypto", "diffieHellman", hint);
export const scrypt = unavailable("crypto", "scrypt", "use pbkdf2");
export const scryptSync = unavailable("crypto", "scryptSync", "use pbkdf2Sync");
export function getCiphers(): string[] { return []; }
export function getCurves(): string[] { return []; }
export const constants = {};
export class KeyObject {}
export class X509Certificate {}
export * as default from "./crypto.ts";
