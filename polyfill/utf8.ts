// Conversions between strings and bytes for the other files. https://encoding.spec.whatwg.org/#utf-8
import { utf8Decode, utf8Encode } from "./encoding/utf8.ts";

const apply = Reflect.apply;
const fromCharCode = String.fromCharCode;
const subarray = Uint8Array.prototype.subarray;

/** Bytes of a string; lone surrogates become U+FFFD. */
export const encodeUtf8 = utf8Encode;

/** The string of UTF-8 bytes, with U+FFFD for each maximal ill-formed part and the byte order mark kept. */
export const decodeUtf8: (bytes: Uint8Array) => string = utf8Decode;

/** Number of bytes that encodeUtf8 makes. */
export function utf8Length(text: string): number {
  let n = text.length;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c < 0x80) continue;
    n += c < 0x800 ? 1 : 2;
    if (c >= 0xd800 && c < 0xdc00) {
      const low = text.charCodeAt(i + 1);
      // A pair is four bytes of two units, which the length has counted already.
      if (low >= 0xdc00 && low <= 0xdfff) i++;
    }
  }
  return n;
}

/** Characters made by one call: its arguments lie on the stack. */
const chunk = 4096;

/** A string of as many characters as bytes. */
export function latin1(bytes: Uint8Array): string {
  const length = bytes.length;
  if (length <= chunk) return apply(fromCharCode, undefined, bytes as unknown as number[]) as string;
  let out = "";
  for (let at = 0; at < length; at += chunk) out += apply(fromCharCode, undefined, apply(subarray, bytes, [at, at + chunk]) as unknown as number[]) as string;
  return out;
}

/** decodeUtf8 that drops a leading byte order mark. https://encoding.spec.whatwg.org/#utf-8-decode */
export function decodeUtf8Text(bytes: Uint8Array): string {
  const mark = bytes.length >= 3 && bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf;
  return decodeUtf8(mark ? bytes.subarray(3) : bytes);
}
