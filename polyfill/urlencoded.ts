// https://url.spec.whatwg.org/#application/x-www-form-urlencoded
import { decodeUtf8, encodeUtf8 } from "./utf8.ts";

const decode = decodeURIComponent;
const hex = "0123456789ABCDEF";

/** Most pairs that the parser makes of one text; it throws a RangeError above. */
export const maxPairs = 100_000;

function hexValue(c: number): number {
  if (c >= 48 && c <= 57) return c - 48;
  c |= 32;
  return c >= 97 && c <= 102 ? c - 87 : -1;
}

/** Percent-decodes and decodes as UTF-8 without BOM handling; malformed parts become U+FFFD. */
export function percentDecode(text: string): string {
  if (!text.includes("%")) return text;
  try {
    return decode(text);
  } catch {
    const bytes = encodeUtf8(text);
    let n = 0;
    for (let i = 0; i < bytes.length; i++) {
      let b = bytes[i]!;
      if (b === 37 && i + 2 < bytes.length) {
        const high = hexValue(bytes[i + 1]!);
        const low = hexValue(bytes[i + 2]!);
        if (high >= 0 && low >= 0) {
          b = high * 16 + low;
          i += 2;
        }
      }
      bytes[n++] = b;
    }
    return decodeUtf8(bytes.subarray(0, n));
  }
}

/** Names and values of a body or query, with lone surrogates already replaced. */
export function parseUrlencoded(text: string): [string, string][] {
  const out: [string, string][] = [];
  let start = 0;
  while (start <= text.length) {
    let end = text.indexOf("&", start);
    if (end < 0) end = text.length;
    if (end > start) {
      if (out.length === maxPairs) throw new RangeError(`The urlencoded text has more than ${maxPairs} pairs`);
      let pair = text.slice(start, end);
      if (pair.includes("+")) pair = pair.replaceAll("+", " ");
      const equals = pair.indexOf("=");
      out.push(equals < 0 ? [percentDecode(pair), ""] : [percentDecode(pair.slice(0, equals)), percentDecode(pair.slice(equals + 1))]);
    }
    start = end + 1;
  }
  return out;
}

function isPlain(c: number): boolean {
  return (c >= 97 && c <= 122) || (c >= 65 && c <= 90) || (c >= 48 && c <= 57) || c === 42 || c === 45 || c === 46 || c === 95;
}

function encode(text: string): string {
  let i = 0;
  while (i < text.length && isPlain(text.charCodeAt(i))) i++;
  if (i === text.length) return text;
  let out = text.slice(0, i);
  for (const b of encodeUtf8(text.slice(i))) {
    if (isPlain(b)) out += String.fromCharCode(b);
    else out += b === 32 ? "+" : `%${hex[b >> 4]}${hex[b & 15]}`;
  }
  return out;
}

/** The text of a list of names and values. */
export function serializeUrlencoded(pairs: Iterable<readonly [string, string]>): string {
  let out = "";
  for (const [name, value] of pairs) out += `${out === "" ? "" : "&"}${encode(name)}=${encode(value)}`;
  return out;
}
