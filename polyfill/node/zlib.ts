// https://nodejs.org/api/zlib.html: gzip, deflate and raw deflate, synchronous, with callbacks and as streams. The work is done at
// once in Go, also with callbacks. Not here: Brotli, Zstandard, dictionaries, flush(), gzip files of several members.
import { Buffer } from "./buffer.ts";
import { checkFunction, invalidArgType, nodeError } from "./errors.ts";
import { nextTick } from "./process.ts";
import { Transform } from "./stream.ts";
import { unavailableAll, unavailableClass } from "./unavailable.ts";

/** What the platform bundle leaves for this shim; see hostfn/compression.ts. */
interface Codec {
  open(format: string, decompress: boolean, level?: number): number;
  feed(handle: number, bytes: Uint8Array | undefined, end: boolean): void;
  read(handle: number): ArrayBuffer;
  close(handle: number): void;
}
const codec = (globalThis as unknown as Record<symbol, Codec>)[Symbol.for("agentrt.zlib")]!;

export interface ZlibOptions {
  level?: number;
  maxOutputLength?: number;
  [other: string]: unknown;
}
type Data = string | ArrayBuffer | ArrayBufferView;
type Callback = (error: Error | null, result?: any) => void;

export const constants: Record<string, number> = {
  Z_NO_FLUSH: 0, Z_PARTIAL_FLUSH: 1, Z_SYNC_FLUSH: 2, Z_FULL_FLUSH: 3, Z_FINISH: 4, Z_BLOCK: 5,
  Z_OK: 0, Z_STREAM_END: 1, Z_NEED_DICT: 2, Z_ERRNO: -1, Z_STREAM_ERROR: -2, Z_DATA_ERROR: -3, Z_MEM_ERROR: -4, Z_BUF_ERROR: -5, Z_VERSION_ERROR: -6,
  Z_NO_COMPRESSION: 0, Z_BEST_SPEED: 1, Z_BEST_COMPRESSION: 9, Z_DEFAULT_COMPRESSION: -1,
  Z_FILTERED: 1, Z_HUFFMAN_ONLY: 2, Z_RLE: 3, Z_FIXED: 4, Z_DEFAULT_STRATEGY: 0, Z_MIN_LEVEL: -1, Z_MAX_LEVEL: 9, Z_DEFAULT_LEVEL: -1,
  BROTLI_OPERATION_PROCESS: 0, BROTLI_OPERATION_FLUSH: 1, BROTLI_OPERATION_FINISH: 2,
};
export const codes: Record<string, string | number> = {};
for (const name of ["Z_OK", "Z_STREAM_END", "Z_NEED_DICT", "Z_ERRNO", "Z_STREAM_ERROR", "Z_DATA_ERROR", "Z_MEM_ERROR", "Z_BUF_ERROR", "Z_VERSION_ERROR"]) {
  codes[name] = constants[name]!;
  codes[String(constants[name])] = name;
}

function bytes(data: Data): Uint8Array {
  if (typeof data === "string") return Buffer.from(data);
  if (ArrayBuffer.isView(data)) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  if (data instanceof ArrayBuffer) return new Uint8Array(data);
  throw invalidArgType("buffer", "of type string or an instance of Buffer, TypedArray, DataView, or ArrayBuffer", data);
}

/** Go's errors with Node's codes. */
function translate(error: any): Error {
  const message = String(error?.message);
  if (!/ data (ends early|cannot be decompressed)/.test(message) && !message.startsWith("bytes follow")) return error;
  const early = message.includes("ends early");
  const out = nodeError(Error, early ? "Z_BUF_ERROR" : "Z_DATA_ERROR", early ? "unexpected end of file" : message) as any;
  out.errno = early ? -5 : -3;
  return out;
}

function checkOptions(options: ZlibOptions): void {
  const { level, dictionary } = options;
  if (level !== undefined && !(Number.isInteger(level) && level >= -1 && level <= 9)) throw nodeError(RangeError, "ERR_OUT_OF_RANGE", `The value of "options.level" is out of range. It must be >= -1 and <= 9. Received ${String(level)}`);
  if (dictionary !== undefined) throw nodeError(Error, "ERR_NOT_AVAILABLE", "zlib dictionaries are not available in agentrt");
}

function formatOf(format: string, input: Uint8Array | undefined): string {
  if (format !== "unzip") return format;
  return input !== undefined && input[0] === 0x1f && input[1] === 0x8b ? "gzip" : "deflate";
}

function run(format: string, decompress: boolean, data: Data, options: ZlibOptions = {}): any {
  const input = bytes(data);
  checkOptions(options);
  const limit = options.maxOutputLength ?? Infinity;
  const handle = codec.open(formatOf(format, input), decompress, options.level);
  const chunks: any[] = [];
  let size = 0;
  try {
    codec.feed(handle, input, true);
    for (let chunk = codec.read(handle); chunk.byteLength > 0; chunk = codec.read(handle)) {
      size += chunk.byteLength;
      if (size > limit) throw nodeError(RangeError, "ERR_BUFFER_TOO_LARGE", `Cannot create a Buffer larger than ${limit} bytes`);
      chunks.push(Buffer.from(chunk));
    }
  } catch (error) {
    codec.close(handle);
    throw translate(error);
  }
  return chunks.length === 1 ? chunks[0] : Buffer.concat(chunks);
}

function pair(format: string, decompress: boolean) {
  const sync = (data: Data, options?: ZlibOptions): any => run(format, decompress, data, options);
  const async = (data: Data, optionsOrCallback: ZlibOptions | Callback | undefined, callback?: Callback): void => {
    const options = typeof optionsOrCallback === "function" ? {} : optionsOrCallback ?? {};
    const done = (typeof optionsOrCallback === "function" ? optionsOrCallback : callback) as Callback;
    checkFunction(done, "callback");
    const input = bytes(data);
    checkOptions(options);
    nextTick(() => {
      let result: any;
      try {
        result = run(format, decompress, input, options);
      } catch (error) {
        done(error as Error);
        return;
      }
      done(null, result);
    });
  };
  return [sync, async] as const;
}

/** The base of the stream classes. */
class Zlib extends Transform {
  bytesWritten = 0;
  #handle = 0;
  #format: string;
  #decompress: boolean;
  #level: number | undefined;

  constructor(format: string, decompress: boolean, options: ZlibOptions = {}) {
    super(options);
    checkOptions(options);
    this.#format = format;
    this.#decompress = decompress;
    this.#level = options.level;
  }

  #push(input: Uint8Array | undefined, end: boolean, done: (error?: Error | null) => void): void {
    try {
      if (this.#handle === 0) this.#handle = codec.open(formatOf(this.#format, input), this.#decompress, this.#level);
      codec.feed(this.#handle, input, end);
      for (let chunk = codec.read(this.#handle); chunk.byteLength > 0; chunk = codec.read(this.#handle)) this.push(Buffer.from(chunk));
    } catch (error) {
      done(translate(error));
      return;
    }
    done();
  }

  _transform(chunk: any, encoding: any, done: (error?: Error | null) => void): void {
    const input = typeof chunk === "string" ? Buffer.from(chunk, encoding) : bytes(chunk);
    this.bytesWritten += input.length;
    this.#push(input, false, done);
  }

  _flush(done: (error?: Error | null) => void): void {
    this.#push(undefined, true, done);
  }

  _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    if (this.#handle !== 0) codec.close(this.#handle);
    done(error);
  }

  /** Ends the stream early. */
  close(callback?: () => void): void {
    if (callback !== undefined) this.once("close", callback);
    this.destroy();
  }
}

export class Gzip extends Zlib { constructor(options?: ZlibOptions) { super("gzip", false, options); } }
export class Gunzip extends Zlib { constructor(options?: ZlibOptions) { super("gzip", true, options); } }
export class Deflate extends Zlib { constructor(options?: ZlibOptions) { super("deflate", false, options); } }
export class Inflate extends Zlib { constructor(options?: ZlibOptions) { super("deflate", true, options); } }
export class DeflateRaw extends Zlib { constructor(options?: ZlibOptions) { super("deflate-raw", false, options); } }
export class InflateRaw extends Zlib { constructor(options?: ZlibOptions) { super("deflate-raw", true, options); } }
export class Unzip extends Zlib { constructor(options?: ZlibOptions) { super("unzip", true, options); } }
export const createGzip = (options?: ZlibOptions) => new Gzip(options);
export const createGunzip = (options?: ZlibOptions) => new Gunzip(options);
export const createDeflate = (options?: ZlibOptions) => new Deflate(options);
export const createInflate = (options?: ZlibOptions) => new Inflate(options);
export const createDeflateRaw = (options?: ZlibOptions) => new DeflateRaw(options);
export const createInflateRaw = (options?: ZlibOptions) => new InflateRaw(options);
export const createUnzip = (options?: ZlibOptions) => new Unzip(options);

export const [gzipSync, gzip] = /* @__PURE__ */ pair("gzip", false);
export const [gunzipSync, gunzip] = /* @__PURE__ */ pair("gzip", true);
export const [deflateSync, deflate] = /* @__PURE__ */ pair("deflate", false);
export const [inflateSync, inflate] = /* @__PURE__ */ pair("deflate", true);
export const [deflateRawSync, deflateRaw] = /* @__PURE__ */ pair("deflate-raw", false);
export const [inflateRawSync, inflateRaw] = /* @__PURE__ */ pair("deflate-raw", true);
export const [unzipSync, unzip] = /* @__PURE__ */ pair("unzip", true);

let table: Uint32Array | undefined;

/** The CRC-32 of gzip, continued from value. */
export function crc32(data: Data, value = 0): number {
  if (table === undefined) {
    table = new Uint32Array(256);
    for (let n = 0; n < 256; n++) {
      let c = n;
      for (let k = 0; k < 8; k++) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1;
      table[n] = c;
    }
  }
  let crc = ~value;
  for (const byte of bytes(data)) crc = table[(crc ^ byte) & 255]! ^ (crc >>> 8);
  return ~crc >>> 0;
}

export const BrotliCompress = /* @__PURE__ */ unavailableClass("zlib", "BrotliCompress");
export const BrotliDecompress = /* @__PURE__ */ unavailableClass("zlib", "BrotliDecompress");
export const {
  brotliCompress, brotliCompressSync, brotliDecompress, brotliDecompressSync, createBrotliCompress, createBrotliDecompress,
} = /* @__PURE__ */ unavailableAll("zlib", [
  "brotliCompress", "brotliCompressSync", "brotliDecompress", "brotliDecompressSync", "createBrotliCompress", "createBrotliDecompress",
]);
export * as default from "./zlib.ts";
