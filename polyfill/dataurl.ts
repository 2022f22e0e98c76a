// https://fetch.spec.whatwg.org/#data-url-processor
import { parseMimeType, serializeMimeType } from "./mimetype.ts";
import { encodeUtf8, latin1 } from "./utf8.ts";

const decodeBase64 = atob;

/** Bytes of a text with its %XX sequences decoded. */
function percentDecodeBytes(text: string): Uint8Array<ArrayBuffer> {
  const bytes = encodeUtf8(text);
  if (!text.includes("%")) return bytes;
  let n = 0;
  for (let i = 0; i < bytes.length; i++) {
    let byte = bytes[i]!;
    if (byte === 37 && i + 2 < bytes.length) {
      const pair = String.fromCharCode(bytes[i + 1]!, bytes[i + 2]!);
      if (/^[0-9a-fA-F]{2}$/.test(pair)) {
        byte = parseInt(pair, 16);
        i += 2;
      }
    }
    bytes[n++] = byte;
  }
  return bytes.slice(0, n);
}

/** The content of a serialised data: URL; null if it is malformed. */
export function parseDataUrl(href: string): { type: string; bytes: Uint8Array<ArrayBuffer> } | null {
  const hash = href.indexOf("#");
  const input = href.slice(5, hash < 0 ? href.length : hash);
  const comma = input.indexOf(",");
  if (comma < 0) return null;
  let type = input.slice(0, comma).trim();
  let bytes = percentDecodeBytes(input.slice(comma + 1));
  const base64 = /; *base64$/i.exec(type);
  if (base64 !== null) {
    type = type.slice(0, base64.index);
    let binary: string;
    try {
      binary = decodeBase64(latin1(bytes));
    } catch {
      return null;
    }
    bytes = new Uint8Array(binary.length);
    for (let i = 0; i < binary.length; i++) bytes[i] = binary.charCodeAt(i);
  }
  if (type.startsWith(";")) type = `text/plain${type}`;
  const parsed = parseMimeType(type);
  return { type: parsed === null ? "text/plain;charset=US-ASCII" : serializeMimeType(parsed), bytes };
}
