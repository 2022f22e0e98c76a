// https://nodejs.org/api/buffer.html; the class is the global one.

interface BufferClass {
  new (value: any, encoding?: string): Uint8Array;
  from(value: any, encoding?: string): any;
  [name: string]: any;
}

const scope = globalThis as unknown as { Buffer: BufferClass; Blob: unknown; File: unknown; atob: typeof atob; btoa: typeof btoa };

export const { Buffer, Blob, File } = scope;
const decodeBase64 = scope.atob;
const encodeBase64 = scope.btoa;
export { decodeBase64 as atob, encodeBase64 as btoa };
export const SlowBuffer = Buffer;
export const kMaxLength = 2 ** 31 - 1;
export const kStringMaxLength = 2 ** 29 - 24;
export const INSPECT_MAX_BYTES = 50;
export const constants = { MAX_LENGTH: kMaxLength, MAX_STRING_LENGTH: kStringMaxLength };

export function isUtf8(input: Uint8Array | ArrayBuffer): boolean {
  const bytes = Buffer.from(input) as Uint8Array;
  return (Buffer.from(bytes.toString(), "utf8") as { equals(other: unknown): boolean }).equals(bytes);
}
export function isAscii(input: Uint8Array | ArrayBuffer): boolean {
  return !/[^\x00-\x7f]/.test(Buffer.from(input).toString("latin1"));
}
export function transcode(source: Uint8Array, from: string, to: string): Uint8Array {
  return Buffer.from(Buffer.from(source).toString(from), to);
}

export default { Buffer, Blob, File, atob: decodeBase64, btoa: encodeBase64, SlowBuffer, kMaxLength, kStringMaxLength, INSPECT_MAX_BYTES, constants, isUtf8, isAscii, transcode };
