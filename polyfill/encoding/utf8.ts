// https://encoding.spec.whatwg.org/#utf-8; the Go half is hostfn/encoding.go.

import { host } from "../host.ts";
import { Uint8ArrayCtor } from "../streams/intrinsics.ts";

const decodeOp = host.op<string>("encoding.utf8.decode");
const encodeOp = host.op<ArrayBuffer>("encoding.utf8.encode");

/** The bytes of a string; lone surrogates become U+FFFD. */
export function utf8Encode(text: string): Uint8Array<ArrayBuffer> {
  return text === "" ? new Uint8ArrayCtor(0) : new Uint8ArrayCtor(encodeOp(text));
}

/** The text of complete UTF-8 bytes, byte order mark included; U+FFFD or, if fatal, a TypeError for ill-formed parts. */
export function utf8Decode(bytes: Uint8Array, fatal = false): string {
  return bytes.length === 0 ? "" : decodeOp(fatal || undefined, bytes);
}

/** How many bytes at the end begin a character that further bytes may complete. */
export function incompleteTail(bytes: Uint8Array): number {
  const end = bytes.length;
  const first = end > 3 ? end - 3 : 0;
  for (let i = end - 1; i >= first; i--) {
    const lead = bytes[i]!;
    if (lead < 0x80) return 0;
    if (lead < 0xc0) continue;
    const size = lead < 0xc2 || lead > 0xf4 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    const have = end - i;
    if (have >= size) return 0;
    if (have > 1) {
      const second = bytes[i + 1]!;
      const low = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80;
      const high = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf;
      if (second < low || second > high) return 0;
    }
    return have;
  }
  return 0;
}
