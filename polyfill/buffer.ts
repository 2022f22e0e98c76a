// Buffer as https://nodejs.org/api/buffer.html describes it: a Uint8Array with Node's methods. `Buffer()` without new is not
// supported.
import { custom } from "./inspect.ts";
import { bytesOf, isArrayBuffer, isSharedArrayBuffer } from "./webidl.ts";
import { decodeUtf8, encodeUtf8, latin1, utf8Length } from "./utf8.ts";

export type Encoding = "utf8" | "utf-8" | "hex" | "base64" | "base64url" | "latin1" | "binary" | "ascii" | "utf16le" | "utf-16le" | "ucs2" | "ucs-2";
type Codec = "utf8" | "hex" | "base64" | "base64url" | "latin1" | "ascii" | "utf16le";

/** Bytes of the longest Buffer. */
export const maxLength = 2 ** 31 - 1;
const bytesShown = 50;

const codecs: Record<string, Codec> = {
  "utf8": "utf8", "utf-8": "utf8", "hex": "hex", "base64": "base64", "base64url": "base64url", "latin1": "latin1", "binary": "latin1", "ascii": "ascii",
  "utf16le": "utf16le", "utf-16le": "utf16le", "ucs2": "utf16le", "ucs-2": "utf16le",
};

function nodeError(Type: ErrorConstructor, code: string, message: string): Error {
  const error = new Type(message);
  Object.defineProperty(error, "code", { value: code, writable: true, enumerable: true, configurable: true });
  return error;
}

function outOfRange(what: string, range: string, value: unknown): Error {
  return nodeError(RangeError, "ERR_OUT_OF_RANGE", `The value of "${what}" is out of range. It must be ${range}. Received ${String(value)}`);
}

function codecOf(encoding: unknown): Codec {
  if (encoding === undefined || encoding === null || encoding === "") return "utf8";
  const codec = typeof encoding === "string" ? codecs[encoding.toLowerCase()] : undefined;
  if (codec === undefined) throw nodeError(TypeError, "ERR_UNKNOWN_ENCODING", `Unknown encoding: ${String(encoding)}`);
  return codec;
}

/** Node takes both alphabets, skips what is no digit, and ends at "=". */
function decodeBase64(text: string): Uint8Array {
  const end = text.indexOf("=");
  let digits = end < 0 ? text : text.slice(0, end);
  if (/[^A-Za-z0-9+/]/.test(digits)) digits = digits.replaceAll("-", "+").replaceAll("_", "/").replace(/[^A-Za-z0-9+/]/g, "");
  if (digits.length % 4 === 1) digits = digits.slice(0, -1);
  return Uint8Array.fromBase64(digits);
}

/** Up to the first pair that is not hexadecimal. */
function decodeHex(text: string): Uint8Array {
  const valid = /^(?:[0-9a-fA-F]{2})*/.exec(text)![0];
  return Uint8Array.fromHex(valid);
}

function encode(text: string, codec: Codec): Uint8Array {
  switch (codec) {
    case "utf8":
      return encodeUtf8(text);
    case "hex":
      return decodeHex(text);
    case "base64":
    case "base64url":
      return decodeBase64(text);
    case "utf16le": {
      const out = new Uint8Array(text.length * 2);
      for (let i = 0; i < text.length; i++) {
        const c = text.charCodeAt(i);
        out[i * 2] = c;
        out[i * 2 + 1] = c >> 8;
      }
      return out;
    }
  }
  const out = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) out[i] = text.charCodeAt(i);
  return out;
}

function decode(bytes: Uint8Array, codec: Codec): string {
  switch (codec) {
    case "utf8":
      return decodeUtf8(bytes);
    case "hex":
      return bytes.toHex();
    case "base64":
      return bytes.toBase64();
    case "base64url":
      return bytes.toBase64({ alphabet: "base64url", omitPadding: true });
    case "latin1":
      return latin1(bytes);
    case "ascii":
      return latin1(bytes.map((b) => b & 0x7f));
    case "utf16le": {
      let out = "";
      for (let i = 0; i + 1 < bytes.length; i += 2) out += String.fromCharCode(bytes[i]! | (bytes[i + 1]! << 8));
      return out;
    }
  }
}

/** The plain Uint8Array of the same bytes. */
function plain(value: Uint8Array, start = 0, end = value.length): Uint8Array {
  return new Uint8Array(value.buffer, value.byteOffset + start, end - start);
}

function checkSize(size: unknown): number {
  if (typeof size !== "number") throw nodeError(TypeError, "ERR_INVALID_ARG_TYPE", `The "size" argument must be of type number. Received ${typeof size}`);
  if (!(size >= 0 && size <= maxLength)) throw outOfRange("size", `>= 0 && <= ${maxLength}`, size);
  return size;
}

function checkBytes(value: unknown, what: string): Uint8Array {
  if (value instanceof Uint8Array) return value;
  throw nodeError(TypeError, "ERR_INVALID_ARG_TYPE", `The "${what}" argument must be an instance of Buffer or Uint8Array. Received ${value === null ? "null" : typeof value}`);
}

function index(value: unknown, otherwise: number, length: number): number {
  if (value === undefined) return otherwise;
  const n = Math.trunc(Number(value)) || 0;
  return n < 0 ? 0 : n > length ? length : n;
}

function compareBytes(a: Uint8Array, b: Uint8Array): -1 | 0 | 1 {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) if (a[i] !== b[i]) return a[i]! < b[i]! ? -1 : 1;
  return a.length === b.length ? 0 : a.length < b.length ? -1 : 1;
}

/** Bytes of text, without the subclass in between. */
function needle(value: unknown, encoding: unknown): Uint8Array {
  if (typeof value === "string") return encode(value, codecOf(encoding));
  if (typeof value === "number") return new Uint8Array([value]);
  return checkBytes(value, "value");
}

export class Buffer extends Uint8Array {
  static poolSize = 8192;

  constructor(value: any, encodingOrOffset?: any, length?: any) {
    if (typeof value === "string") super(encode(value, codecOf(encodingOrOffset)));
    else super(value, encodingOrOffset, length);
  }

  static override from(value: any, encodingOrOffset?: any, length?: any): any {
    if (typeof value === "string") return adopt(encode(value, codecOf(encodingOrOffset)));
    if (isArrayBuffer(value) || isSharedArrayBuffer(value)) return new Buffer(value, encodingOrOffset, length);
    if (typeof value === "object" && value !== null) {
      if (ArrayBuffer.isView(value) && !(value instanceof DataView)) return new Buffer(value as Uint8Array);
      if (value.type === "Buffer" && Array.isArray(value.data)) return new Buffer(value.data);
      if (typeof value.length === "number") return new Buffer(Array.from(value as ArrayLike<number>));
      if (isArrayBuffer(value.buffer)) return new Buffer(0);
      const primitive = typeof value.valueOf === "function" ? value.valueOf() : value;
      if (primitive !== null && primitive !== undefined && primitive !== value) return Buffer.from(primitive, encodingOrOffset, length);
      const convert = value[Symbol.toPrimitive];
      if (typeof convert === "function") {
        const text = convert.call(value, "string");
        if (typeof text === "string") return Buffer.from(text, encodingOrOffset);
      }
    }
    throw nodeError(TypeError, "ERR_INVALID_ARG_TYPE",
      `The first argument must be of type string or an instance of Buffer, ArrayBuffer, or Array or an Array-like Object. Received ${value === null ? "null" : typeof value}`);
  }

  static override of(...items: number[]): any { return new Buffer(items); }

  static alloc(size: number, fill?: string | number | Uint8Array, encoding?: Encoding): Buffer {
    const out = new Buffer(checkSize(size));
    if (fill !== undefined && fill !== 0 && size > 0) out.fill(fill as number, encoding as unknown as number);
    return out;
  }
  /** Zeroed as well: memory of others never shows. */
  static allocUnsafe(size: number): Buffer { return new Buffer(checkSize(size)); }
  static allocUnsafeSlow(size: number): Buffer { return new Buffer(checkSize(size)); }

  static copyBytesFrom(view: Uint8Array, offset = 0, length?: number): Buffer {
    const part = view.slice(offset, length === undefined ? undefined : offset + length);
    return new Buffer(new Uint8Array(part.buffer, part.byteOffset, part.byteLength));
  }

  static concat(list: readonly Uint8Array[], totalLength?: number): Buffer {
    if (!Array.isArray(list)) throw nodeError(TypeError, "ERR_INVALID_ARG_TYPE", `The "list" argument must be an instance of Array. Received ${typeof list}`);
    const total = totalLength === undefined ? list.reduce((sum, item) => sum + checkBytes(item, "list[]").length, 0) : checkSize(totalLength);
    const out = new Buffer(total);
    let n = 0;
    for (const item of list) {
      checkBytes(item, "list[]");
      if (n >= total) break;
      out.set(item.length > total - n ? plain(item, 0, total - n) : item, n);
      n += item.length;
    }
    return out;
  }

  static isBuffer(value: unknown): value is Buffer { return value instanceof Buffer; }
  static isEncoding(name: unknown): boolean { return typeof name === "string" && Object.hasOwn(codecs, name.toLowerCase()); }

  static byteLength(value: string | ArrayBuffer | ArrayBufferView, encoding?: Encoding): number {
    if (typeof value !== "string") {
      const bytes = bytesOf(value);
      if (bytes !== undefined) return bytes.length;
      throw nodeError(TypeError, "ERR_INVALID_ARG_TYPE", `The "string" argument must be of type string or an instance of Buffer or ArrayBuffer. Received ${typeof value}`);
    }
    switch (typeof encoding === "string" ? codecs[encoding.toLowerCase()] ?? "utf8" : "utf8") {
      case "utf8":
        return utf8Length(value);
      case "hex":
        return value.length >>> 1;
      case "utf16le":
        return value.length * 2;
      case "base64":
      case "base64url":
        return ((value.endsWith("==") ? value.length - 2 : value.endsWith("=") ? value.length - 1 : value.length) * 3) >>> 2;
    }
    return value.length;
  }

  static compare(a: Uint8Array, b: Uint8Array): -1 | 0 | 1 { return compareBytes(checkBytes(a, "buf1"), checkBytes(b, "buf2")); }

  get parent(): ArrayBufferLike { return this.buffer; }
  get offset(): number { return this.byteOffset; }

  override toString(encoding?: Encoding, start?: number, end?: number): string {
    const from = index(start, 0, this.length);
    const to = index(end, this.length, this.length);
    if (to <= from) return "";
    return decode(plain(this, from, to), codecOf(encoding));
  }
  override toLocaleString(encoding?: any): string { return this.toString(encoding); }
  toJSON(): { type: "Buffer"; data: number[] } { return { type: "Buffer", data: Array.from(this) }; }

  [custom](): string {
    const hex = plain(this, 0, Math.min(this.length, bytesShown)).toHex().replace(/..(?=.)/g, "$& ");
    const rest = this.length - bytesShown;
    return `<Buffer${hex ? ` ${hex}` : ""}${rest > 0 ? ` ... ${rest} more byte${rest > 1 ? "s" : ""}` : ""}>`;
  }

  equals(other: Uint8Array): boolean {
    checkBytes(other, "otherBuffer");
    return this.length === other.length && compareBytes(this, other) === 0;
  }

  compare(target: Uint8Array, targetStart = 0, targetEnd = target.length, sourceStart = 0, sourceEnd = this.length): -1 | 0 | 1 {
    checkBytes(target, "target");
    return compareBytes(plain(this, sourceStart, Math.max(sourceEnd, sourceStart)), plain(target, targetStart, Math.max(targetEnd, targetStart)));
  }

  override slice(start?: number, end?: number): any { return this.subarray(start, end); }

  override subarray(start?: number, end?: number): any {
    const at = (value: number | undefined, otherwise: number) => {
      const n = value === undefined ? otherwise : Math.trunc(Number(value)) || 0;
      return n < 0 ? Math.max(this.length + n, 0) : Math.min(n, this.length);
    };
    const from = at(start, 0);
    return new Buffer(this.buffer, this.byteOffset + from, Math.max(at(end, this.length) - from, 0));
  }

  copy(target: Uint8Array, targetStart = 0, sourceStart = 0, sourceEnd = this.length): number {
    checkBytes(target, "target");
    if (targetStart < 0) throw outOfRange("targetStart", ">= 0", targetStart);
    if (sourceStart < 0 || sourceStart > this.length) throw outOfRange("sourceStart", `>= 0 && <= ${this.length}`, sourceStart);
    const count = Math.min(Math.max(sourceEnd - sourceStart, 0), Math.max(target.length - targetStart, 0), this.length - sourceStart);
    if (count > 0) target.set(plain(this, sourceStart, sourceStart + count), targetStart);
    return Math.max(count, 0);
  }

  write(text: string, offset?: any, length?: any, encoding?: any): number {
    if (typeof text !== "string") throw nodeError(TypeError, "ERR_INVALID_ARG_TYPE", 'The "string" argument must be of type string');
    if (typeof offset === "string") [encoding, offset, length] = [offset, undefined, undefined];
    else if (typeof length === "string") [encoding, length] = [length, undefined];
    const at = offset === undefined ? 0 : Number(offset);
    if (!(at >= 0 && at <= this.length)) throw outOfRange("offset", `>= 0 && <= ${this.length}`, offset);
    const room = Math.min(length === undefined ? Infinity : Number(length), this.length - at);
    const codec = codecOf(encoding);
    let bytes = encode(text, codec);
    if (bytes.length > room) {
      let end = room;
      // No partial characters.
      if (codec === "utf8") while (end > 0 && (bytes[end]! & 0xc0) === 0x80) end--;
      if (codec === "utf16le") end -= end % 2;
      bytes = bytes.subarray(0, end);
    }
    this.set(bytes, at);
    return bytes.length;
  }

  override fill(value: any, offset?: any, end?: any, encoding?: any): this {
    if (typeof offset === "string") [encoding, offset, end] = [offset, undefined, undefined];
    else if (typeof end === "string") [encoding, end] = [end, undefined];
    const from = offset === undefined ? 0 : Number(offset);
    const to = end === undefined ? this.length : Number(end);
    if (!(from >= 0 && from <= this.length)) throw outOfRange("offset", `>= 0 && <= ${this.length}`, offset);
    if (!(to >= 0 && to <= this.length)) throw outOfRange("end", `>= 0 && <= ${this.length}`, end);
    if (to <= from) return this;
    if (typeof value !== "string" && !(value instanceof Uint8Array)) {
      super.fill(Number(value) & 255, from, to);
      return this;
    }
    const pattern = needle(value, encoding);
    if (pattern.length === 0) {
      if (typeof value === "string" && value === "") super.fill(0, from, to);
      else throw nodeError(TypeError, "ERR_INVALID_ARG_VALUE", "The argument 'value' is invalid: it has no bytes");
      return this;
    }
    const target = plain(this, from, to);
    target.set(pattern.subarray(0, target.length));
    for (let filled = pattern.length; filled < target.length; filled *= 2) target.copyWithin(filled, 0, filled);
    return this;
  }

  override indexOf(value: any, byteOffset?: any, encoding?: any): number { return search(this, value, byteOffset, encoding, true); }
  override lastIndexOf(value: any, byteOffset?: any, encoding?: any): number { return search(this, value, byteOffset, encoding, false); }
  override includes(value: any, byteOffset?: any, encoding?: any): boolean { return search(this, value, byteOffset, encoding, true) >= 0; }

  swap16(): this { return swap(this, 2); }
  swap32(): this { return swap(this, 4); }
  swap64(): this { return swap(this, 8); }

  declare readUIntLE: (offset: number, byteLength: number) => number;
  declare readUIntBE: (offset: number, byteLength: number) => number;
  declare readIntLE: (offset: number, byteLength: number) => number;
  declare readIntBE: (offset: number, byteLength: number) => number;
  declare writeUIntLE: (value: number, offset: number, byteLength: number) => number;
  declare writeUIntBE: (value: number, offset: number, byteLength: number) => number;
  declare writeIntLE: (value: number, offset: number, byteLength: number) => number;
  declare writeIntBE: (value: number, offset: number, byteLength: number) => number;
}

/** A Buffer over bytes that nobody else holds. */
function adopt(bytes: Uint8Array): Buffer {
  return new Buffer(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function search(buffer: Buffer, value: unknown, byteOffset: unknown, encoding: unknown, forward: boolean): number {
  if (typeof byteOffset === "string") [encoding, byteOffset] = [byteOffset, undefined];
  const bytes = plain(buffer);
  const wanted = typeof value === "number" ? new Uint8Array([value & 255]) : needle(value, encoding);
  const { length } = bytes;
  let start = byteOffset === undefined || Number.isNaN(Number(byteOffset)) ? (forward ? 0 : length) : Math.trunc(Number(byteOffset));
  if (start < 0) start += length;
  if (forward) {
    if (wanted.length === 0) return Math.min(Math.max(start, 0), length);
    let at = Math.max(start, 0);
    for (;;) {
      at = bytes.indexOf(wanted[0]!, at);
      if (at < 0 || at + wanted.length > length) return -1;
      if (matches(bytes, at, wanted)) return at;
      at++;
    }
  }
  if (start < 0) return -1;
  for (let at = Math.min(start, length - wanted.length); at >= 0; at--) if (matches(bytes, at, wanted)) return at;
  return -1;
}

function matches(bytes: Uint8Array, at: number, wanted: Uint8Array): boolean {
  for (let i = 0; i < wanted.length; i++) if (bytes[at + i] !== wanted[i]) return false;
  return true;
}

function swap<T extends Buffer>(buffer: T, size: number): T {
  if (buffer.length % size !== 0) throw nodeError(RangeError, "ERR_INVALID_BUFFER_SIZE", `Buffer size must be a multiple of ${size * 8}-bits`);
  for (let at = 0; at < buffer.length; at += size) plain(buffer, at, at + size).reverse();
  return buffer;
}

/** Where a field of some bytes may lie. */
function position(buffer: Uint8Array, offset: unknown, size: number): number {
  const at = offset === undefined ? 0 : offset;
  if (typeof at !== "number") throw nodeError(TypeError, "ERR_INVALID_ARG_TYPE", `The "offset" argument must be of type number. Received ${typeof at}`);
  if (!Number.isInteger(at)) throw outOfRange("offset", "an integer", at);
  if (buffer.length < size) throw nodeError(RangeError, "ERR_BUFFER_OUT_OF_BOUNDS", "Attempt to access memory outside buffer bounds");
  if (at < 0 || at > buffer.length - size) throw outOfRange("offset", `>= 0 and <= ${buffer.length - size}`, at);
  return at;
}

function checkValue(value: number | bigint, low: number | bigint, high: number | bigint): void {
  if (value < low || value > high) throw outOfRange("value", `>= ${low} and <= ${high}`, value);
}

type Method = (this: Buffer, ...args: any[]) => unknown;

function method(name: string, fn: Method): void {
  Object.defineProperty(Buffer.prototype, name, { value: fn, writable: true, configurable: true });
}

/** DataView kinds with their sizes; integers have a range. */
const fields: readonly [string, number, (number | bigint)?, (number | bigint)?][] = [
  ["Uint8", 1, 0, 255], ["Int8", 1, -128, 127], ["Uint16", 2, 0, 65_535], ["Int16", 2, -32_768, 32_767],
  ["Uint32", 4, 0, 4_294_967_295], ["Int32", 4, -2_147_483_648, 2_147_483_647],
  ["BigUint64", 8, 0n, 2n ** 64n - 1n], ["BigInt64", 8, -(2n ** 63n), 2n ** 63n - 1n], ["Float32", 4], ["Float64", 8],
];
for (const [kind, size, low, high] of fields) {
  const base = kind.replace("Float32", "Float").replace("Float64", "Double");
  for (const order of size === 1 ? [""] : ["LE", "BE"]) {
    const little = order === "LE";
    const read: Method = function (offset) {
      const at = position(this, offset, size);
      return (new DataView(this.buffer, this.byteOffset, this.byteLength) as any)[`get${kind}`](at, little);
    };
    const write: Method = function (value, offset) {
      const typed = typeof low === "bigint" ? value : +value;
      if (low !== undefined) checkValue(typed, low, high!);
      const at = position(this, offset, size);
      (new DataView(this.buffer, this.byteOffset, this.byteLength) as any)[`set${kind}`](at, typed, little);
      return at + size;
    };
    for (const name of base.includes("Uint") ? [base, base.replace("Uint", "UInt")] : [base]) {
      method(`read${name}${order}`, read);
      method(`write${name}${order}`, write);
    }
  }
}

function checkByteLength(size: unknown): number {
  if (typeof size !== "number") throw nodeError(TypeError, "ERR_INVALID_ARG_TYPE", `The "byteLength" argument must be of type number. Received ${typeof size}`);
  if (!Number.isInteger(size) || size < 1 || size > 6) throw outOfRange("byteLength", ">= 1 and <= 6", size);
  return size;
}
for (const signed of [false, true]) {
  for (const order of ["LE", "BE"]) {
    const read: Method = function (offset: number, byteLength: number) {
      const size = checkByteLength(byteLength);
      const at = position(this, offset, size);
      let value = 0;
      for (let i = 0; i < size; i++) value = value * 256 + this[order === "BE" ? at + i : at + size - 1 - i]!;
      return signed && value >= 2 ** (size * 8 - 1) ? value - 2 ** (size * 8) : value;
    };
    const write: Method = function (value: number, offset: number, byteLength: number) {
      const size = checkByteLength(byteLength);
      const span = 2 ** (size * 8);
      value = Math.trunc(+value);
      checkValue(value, signed ? -span / 2 : 0, signed ? span / 2 - 1 : span - 1);
      const at = position(this, offset, size);
      let rest = value < 0 ? value + span : value;
      for (let i = 0; i < size; i++) {
        this[order === "LE" ? at + i : at + size - 1 - i] = rest % 256;
        rest = Math.floor(rest / 256);
      }
      return at + size;
    };
    for (const name of signed ? ["Int"] : ["UInt", "Uint"]) {
      method(`read${name}${order}`, read);
      method(`write${name}${order}`, write);
    }
  }
}
for (const codec of ["utf8", "hex", "base64", "base64url", "latin1", "ascii", "ucs2", "utf16le"] as const) {
  method(`${codec}Slice`, function (start, end) { return this.toString(codec, start, end); });
  method(`${codec}Write`, function (text, offset, length) { return this.write(text, offset, length, codec); });
}
