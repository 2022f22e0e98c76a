// multipart/form-data: https://html.spec.whatwg.org/#multipart-form-data for writing, RFC 7578 for reading.
import { File, blobSegments, isFile } from "./blob.ts";
import { FormData } from "./formdata.ts";
import { host } from "./host.ts";
import { decodeUtf8, encodeUtf8 } from "./utf8.ts";

const random = host.random;

/** Most parts that a body may have, and bytes that the headers of one part may take. */
export const maxParts = 10_000;
export const maxPartHeader = 16_384;

export interface EncodedForm {
  boundary: string;
  /** The value for a Content-Type header. */
  contentType: string;
  /** Bytes of the body. */
  length: number;
  /** The body's bytes in order; they must not be written to. */
  segments: readonly Uint8Array[];
}

function escapeName(text: string): string {
  return text.replaceAll("\n", "%0A").replaceAll("\r", "%0D").replaceAll('"', "%22");
}

function normalizeNewlines(text: string): string {
  return /[\r\n]/.test(text) ? text.replace(/\r\n|\r|\n/g, "\r\n") : text;
}

/** Encodes a FormData under a fresh random boundary. */
export function encodeMultipart(form: FormData): EncodedForm {
  const boundary = `----agentrt${random(new Uint8Array(16)).toHex()}`;
  const segments: Uint8Array[] = [];
  let text = "";
  const flush = () => {
    if (text !== "") segments.push(encodeUtf8(text));
    text = "";
  };
  for (const [name, value] of form) {
    text += `--${boundary}\r\nContent-Disposition: form-data; name="${escapeName(normalizeNewlines(name))}"`;
    if (!isFile(value)) {
      text += `\r\n\r\n${normalizeNewlines(value)}\r\n`;
      continue;
    }
    text += `; filename="${escapeName(value.name)}"\r\nContent-Type: ${value.type || "application/octet-stream"}\r\n\r\n`;
    flush();
    for (const segment of blobSegments(value)) segments.push(segment);
    text = "\r\n";
  }
  text += `--${boundary}--\r\n`;
  flush();
  let length = 0;
  for (const segment of segments) length += segment.length;
  return { boundary, contentType: `multipart/form-data; boundary=${boundary}`, length, segments };
}

const byteIndexOf = Uint8Array.prototype.indexOf;
const apply = Reflect.apply;

/** Finds ASCII bytes from a position on, -1 if there are none. */
function indexOf(bytes: Uint8Array, needle: string, from: number, limit = bytes.length): number {
  const first = needle.charCodeAt(0);
  for (let at = from; ; at++) {
    at = apply(byteIndexOf, bytes, [first, at]) as number;
    if (at < 0 || at + needle.length > limit) return -1;
    if (startsWith(bytes, at, needle)) return at;
  }
}

function startsWith(bytes: Uint8Array, at: number, text: string): boolean {
  for (let i = 0; i < text.length; i++) if (bytes[at + i] !== text.charCodeAt(i)) return false;
  return true;
}

/** After the blanks that may follow a delimiter. */
function skipBlanks(bytes: Uint8Array, at: number): number {
  while (bytes[at] === 0x20 || bytes[at] === 0x09) at++;
  return at;
}

function malformed(why: string): TypeError {
  return new TypeError(`The multipart/form-data body ${why}`);
}

/** Parses a body with the boundary of its Content-Type. Throws a TypeError for malformed input and above the limits. */
export function parseMultipart(bytes: Uint8Array, boundary: string): FormData {
  if (boundary === "" || boundary.length > 70 || /[^\x20-\x7e]/.test(boundary)) {
    throw new TypeError("The boundary of a multipart/form-data type has 1 to 70 printable ASCII characters");
  }
  const form = new FormData();
  const delimiter = `\r\n--${boundary}`;
  let at: number;
  if (startsWith(bytes, 0, delimiter.slice(2))) at = delimiter.length - 2;
  else {
    at = indexOf(bytes, delimiter, 0);
    if (at < 0) throw malformed("does not contain its boundary");
    at += delimiter.length;
  }
  for (let parts = 0; ; parts++) {
    if (startsWith(bytes, at, "--")) return form;
    at = skipBlanks(bytes, at);
    if (!startsWith(bytes, at, "\r\n")) throw malformed("is cut off or has characters after a boundary");
    if (parts === maxParts) throw malformed(`has more than ${maxParts} parts`);
    // The line end of the delimiter counts, for a part without headers.
    const headerEnd = indexOf(bytes, "\r\n\r\n", at, Math.min(at + maxPartHeader, bytes.length));
    if (headerEnd < 0) throw malformed(`has a part whose headers do not end within ${maxPartHeader} bytes`);
    const header = parseHeader(decodeUtf8(bytes.subarray(at + 2, headerEnd)));
    const start = headerEnd + 4;
    // An empty part's delimiter may share the line end with the header.
    const end = startsWith(bytes, start - 2, delimiter) ? start - 2 : indexOf(bytes, delimiter, start);
    if (end < 0) throw malformed("ends within a part");
    const content = bytes.subarray(start, Math.max(start, end));
    if (header.filename === undefined) form.append(header.name, decodeUtf8(content));
    else form.append(header.name, new File([content], header.filename, { type: header.type ?? "text/plain" }));
    at = end + delimiter.length;
  }
}

interface PartHeader {
  name: string;
  filename: string | undefined;
  type: string | undefined;
}

function parseHeader(text: string): PartHeader {
  let name: string | undefined;
  let filename: string | undefined;
  let type: string | undefined;
  for (const line of text.split("\r\n")) {
    const colon = line.indexOf(":");
    if (colon < 0) throw malformed("has a part with a header line without a colon");
    const field = line.slice(0, colon).trim().toLowerCase();
    const value = line.slice(colon + 1).trim();
    if (field === "content-type") type = value;
    if (field !== "content-disposition") continue;
    const semicolon = value.indexOf(";");
    if (semicolon < 0 || value.slice(0, semicolon).trim().toLowerCase() !== "form-data") throw malformed("has a part whose Content-Disposition is not form-data");
    const parameters = parseParameters(value, semicolon);
    name = parameters.get("name");
    filename = parameters.get("filename");
  }
  if (name === undefined) throw malformed("has a part without a name");
  return { name, filename, type };
}

function unescapeName(text: string): string {
  return text.replace(/%0A|%0D|%22/gi, (code) => (code === "%22" ? '"' : code[2] === "A" || code[2] === "a" ? "\n" : "\r"));
}

/** Parameters from a semicolon on; the first of a name counts. */
function parseParameters(text: string, at: number): Map<string, string> {
  const out = new Map<string, string>();
  while (at < text.length && text[at] === ";") {
    const equals = text.indexOf("=", at);
    if (equals < 0) break;
    const name = text.slice(at + 1, equals).trim().toLowerCase();
    let value: string;
    if (text[equals + 1] === '"') {
      const close = closingQuote(text, equals + 2);
      if (close < 0) throw malformed("has a part with an unterminated quoted name");
      value = unescapeName(text.slice(equals + 2, close).replaceAll('\\"', '"'));
      at = text.indexOf(";", close);
    } else {
      const semicolon = text.indexOf(";", equals);
      value = text.slice(equals + 1, semicolon < 0 ? text.length : semicolon).trim();
      at = semicolon;
    }
    if (!out.has(name)) out.set(name, value);
    if (at < 0) break;
  }
  return out;
}

/** Some clients write \" for a quote; browsers leave backslashes as they are, so \" before the end of the value ends it. */
function closingQuote(text: string, from: number): number {
  let close = text.indexOf('"', from);
  while (close > from && text[close - 1] === "\\" && close + 1 < text.length && text[close + 1] !== ";") close = text.indexOf('"', close + 1);
  return close;
}
