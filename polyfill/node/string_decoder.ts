// https://nodejs.org/api/string_decoder.html
import { Buffer } from "./buffer.ts";
import { nodeError } from "./errors.ts";

const names: Record<string, string> = { "utf-8": "utf8", "ucs2": "utf16le", "ucs-2": "utf16le", "utf-16le": "utf16le", "binary": "latin1" };

/** How many bytes at the end of UTF-8 text are the start of a character that is cut off. */
function incompleteUtf8(bytes: Uint8Array): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const b = bytes[bytes.length - back]!;
    if ((b & 0xc0) === 0x80) continue;
    const need = b >= 0xf0 && b <= 0xf4 ? 4 : b >= 0xe0 && b < 0xf0 ? 3 : b >= 0xc2 && b < 0xe0 ? 2 : 1;
    return need > back && validStart(bytes.subarray(bytes.length - back)) ? back : 0;
  }
  return 0;
}

/** Second bytes that can never lead to a character end it at once. */
function validStart([first, second]: Uint8Array): boolean {
  if (second === undefined) return true;
  if (first === 0xe0) return second >= 0xa0;
  if (first === 0xed) return second <= 0x9f;
  if (first === 0xf0) return second >= 0x90;
  return first !== 0xf4 || second <= 0x8f;
}

function incompleteUtf16(bytes: Uint8Array): number {
  const odd = bytes.length % 2;
  const last = bytes[bytes.length - odd - 1];
  return bytes.length - odd >= 2 && last !== undefined && last >= 0xd8 && last <= 0xdb ? odd + 2 : odd;
}

/** Joins bytes to text across the borders of chunks. */
export class StringDecoder {
  readonly encoding: string;
  #rest: Uint8Array = Buffer.from([]);

  constructor(encoding = "utf8") {
    const name = String(encoding).toLowerCase();
    if (!Buffer["isEncoding"](name)) throw nodeError(TypeError, "ERR_UNKNOWN_ENCODING", `Unknown encoding: ${encoding}`);
    this.encoding = names[name] ?? name;
  }

  write(chunk: Uint8Array | string): string {
    if (typeof chunk === "string") return chunk;
    const bytes: any = this.#rest.length === 0 ? Buffer.from(chunk) : Buffer["concat"]([this.#rest, chunk]);
    let keep = 0;
    if (this.encoding === "utf8") keep = incompleteUtf8(bytes);
    else if (this.encoding === "utf16le") keep = incompleteUtf16(bytes);
    else if (this.encoding === "base64" || this.encoding === "base64url") keep = bytes.length % 3;
    this.#rest = bytes.subarray(bytes.length - keep);
    return bytes.toString(this.encoding, 0, bytes.length - keep);
  }

  end(chunk?: Uint8Array | string): string {
    const text = chunk === undefined ? "" : this.write(chunk);
    const rest: any = this.#rest;
    this.#rest = Buffer.from([]);
    return text + (this.encoding === "utf8" && rest.length > 0 ? "\ufffd" : rest.toString(this.encoding));
  }
}
export default { StringDecoder };
