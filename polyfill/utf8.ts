// UTF-8 without the TextEncoder and TextDecoder interfaces. https://encoding.spec.whatwg.org/#utf-8

// Loops cost 0.3 us a character here. Long texts therefore go through functions of the engine that happen to do the work
// in C: encodeURIComponent and unescape, btoa and fromBase64; fromCharCode, escape and decodeURIComponent.

const fromCharCode = String.fromCharCode;
const apply = Reflect.apply;
const wellFormed = String.prototype.toWellFormed;
const subarray = Uint8Array.prototype.subarray;
const binaryToBase64 = btoa;
const base64ToBytes = Uint8Array.fromBase64.bind(Uint8Array);
const percentEncode = encodeURIComponent;
const percentDecode = decodeURIComponent;
const { escape: escapeBinary, unescape: unescapeBinary } = globalThis;
const nonAscii = /[^\x00-\x7f]/;
const search = RegExp.prototype.exec;

/** Below this many characters or bytes a loop is faster. */
const short = 48;

function isAscii(text: string): boolean {
  return apply(search, nonAscii, [text]) === null;
}

/** Bytes of a string; lone surrogates become U+FFFD. */
export function encodeUtf8(text: string): Uint8Array<ArrayBuffer> {
  if (text.length < short) return encodeShort(text);
  if (isAscii(text)) return base64ToBytes(binaryToBase64(text));
  return base64ToBytes(binaryToBase64(unescapeBinary(percentEncode(apply(wellFormed, text, []) as string))));
}

function encodeShort(text: string): Uint8Array<ArrayBuffer> {
  const length = text.length;
  let ascii = 0;
  while (ascii < length && text.charCodeAt(ascii) < 0x80) ascii++;
  const out = new Uint8Array(ascii === length ? length : ascii + (length - ascii) * 3);
  let n = 0;
  for (; n < ascii; n++) out[n] = text.charCodeAt(n);
  if (ascii === length) return out;
  for (let i = ascii; i < length; i++) {
    let c = text.charCodeAt(i);
    if (c < 0x80) {
      out[n++] = c;
      continue;
    }
    if (c < 0x800) {
      out[n++] = 0xc0 | (c >> 6);
      out[n++] = 0x80 | (c & 0x3f);
      continue;
    }
    if (c >= 0xd800 && c <= 0xdfff) {
      const low = c < 0xdc00 ? text.charCodeAt(i + 1) : 0;
      if (low >= 0xdc00 && low <= 0xdfff) {
        i++;
        c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
        out[n++] = 0xf0 | (c >> 18);
        out[n++] = 0x80 | ((c >> 12) & 0x3f);
        out[n++] = 0x80 | ((c >> 6) & 0x3f);
        out[n++] = 0x80 | (c & 0x3f);
        continue;
      }
      c = 0xfffd;
    }
    out[n++] = 0xe0 | (c >> 12);
    out[n++] = 0x80 | ((c >> 6) & 0x3f);
    out[n++] = 0x80 | (c & 0x3f);
  }
  return out.slice(0, n);
}

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

const chunk = 4096;

/** A string of as many characters as bytes. */
export function latin1(bytes: Uint8Array): string {
  const length = bytes.length;
  if (length <= chunk) return apply(fromCharCode, undefined, bytes as unknown as number[]) as string;
  let out = "";
  for (let at = 0; at < length; at += chunk) out += apply(fromCharCode, undefined, apply(subarray, bytes, [at, at + chunk]) as unknown as number[]) as string;
  return out;
}

/** The string of UTF-8 bytes, with U+FFFD for each maximal ill-formed part and the byte order mark kept. */
export function decodeUtf8(bytes: Uint8Array): string {
  const binary = latin1(bytes);
  if (isAscii(binary)) return binary;
  if (bytes.length < short) return decodeSlowly(bytes);
  try {
    return percentDecode(escapeBinary(binary));
  } catch {
    return decodeSlowly(bytes);
  }
}

function decodeSlowly(bytes: Uint8Array): string {
  const units: number[] = [];
  let out = "";
  const end = bytes.length;
  let i = 0;
  while (i < end) {
    if (units.length >= chunk) {
      out += fromCharCode(...units);
      units.length = 0;
    }
    const b = bytes[i++]!;
    if (b < 0x80) {
      units.push(b);
      continue;
    }
    let need = 0;
    let lower = 0x80;
    let upper = 0xbf;
    let point = 0;
    if (b >= 0xc2 && b <= 0xdf) {
      need = 1;
      point = b & 0x1f;
    } else if (b >= 0xe0 && b <= 0xef) {
      need = 2;
      point = b & 0xf;
      if (b === 0xe0) lower = 0xa0;
      if (b === 0xed) upper = 0x9f;
    } else if (b >= 0xf0 && b <= 0xf4) {
      need = 3;
      point = b & 0x7;
      if (b === 0xf0) lower = 0x90;
      if (b === 0xf4) upper = 0x8f;
    }
    let ok = need > 0;
    for (; need > 0; need--) {
      const next = i < end ? bytes[i]! : 0;
      if (next < lower || next > upper) {
        ok = false;
        break;
      }
      lower = 0x80;
      upper = 0xbf;
      point = (point << 6) | (next & 0x3f);
      i++;
    }
    if (!ok) units.push(0xfffd);
    else if (point < 0x10000) units.push(point);
    else units.push(0xd800 + ((point - 0x10000) >> 10), 0xdc00 + ((point - 0x10000) & 0x3ff));
  }
  return out + fromCharCode(...units);
}

/** decodeUtf8 that drops a leading byte order mark. https://encoding.spec.whatwg.org/#utf-8-decode */
export function decodeUtf8Text(bytes: Uint8Array): string {
  const mark = bytes.length >= 3 && bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf;
  return decodeUtf8(mark ? bytes.subarray(3) : bytes);
}
