// https://nodejs.org/api/zlib.html, of which nothing works here: it only imports.
import { unavailableAll, unavailableClass } from "./unavailable.ts";

export const Deflate = /* @__PURE__ */ unavailableClass("zlib", "Deflate");
export const Inflate = /* @__PURE__ */ unavailableClass("zlib", "Inflate");
export const Gzip = /* @__PURE__ */ unavailableClass("zlib", "Gzip");
export const Gunzip = /* @__PURE__ */ unavailableClass("zlib", "Gunzip");
export const DeflateRaw = /* @__PURE__ */ unavailableClass("zlib", "DeflateRaw");
export const InflateRaw = /* @__PURE__ */ unavailableClass("zlib", "InflateRaw");
export const Unzip = /* @__PURE__ */ unavailableClass("zlib", "Unzip");
export const BrotliCompress = /* @__PURE__ */ unavailableClass("zlib", "BrotliCompress");
export const BrotliDecompress = /* @__PURE__ */ unavailableClass("zlib", "BrotliDecompress");
export const constants: Record<string, number> = { Z_NO_FLUSH: 0, Z_SYNC_FLUSH: 2, Z_FULL_FLUSH: 3, Z_FINISH: 4, Z_DEFAULT_COMPRESSION: -1, BROTLI_OPERATION_FLUSH: 1 };
export const codes: Record<string, number> = {};

export const {
  crc32, deflate, deflateSync, gzip, gzipSync, deflateRaw, deflateRawSync, unzip, unzipSync, inflate, inflateSync, gunzip, gunzipSync, inflateRaw,
  inflateRawSync, brotliCompress, brotliCompressSync, brotliDecompress, brotliDecompressSync, createDeflate, createInflate, createDeflateRaw,
  createInflateRaw, createGzip, createGunzip, createUnzip, createBrotliCompress, createBrotliDecompress,
} = /* @__PURE__ */ unavailableAll("zlib", [
  "crc32", "deflate", "deflateSync", "gzip", "gzipSync", "deflateRaw", "deflateRawSync", "unzip", "unzipSync", "inflate", "inflateSync", "gunzip",
  "gunzipSync", "inflateRaw", "inflateRawSync", "brotliCompress", "brotliCompressSync", "brotliDecompress", "brotliDecompressSync", "createDeflate",
  "createInflate", "createDeflateRaw", "createInflateRaw", "createGzip", "createGunzip", "createUnzip", "createBrotliCompress",
  "createBrotliDecompress",
]);
export * as default from "./zlib.ts";
