// Decoders with the state that streaming needs.

import { host } from "../host.ts";
import { TypeErrorCtor, Uint8ArrayCtor, apply, bytesSet, bytesSubarray } from "../streams/intrinsics.ts";

export interface Decoder {
  /** Decodes; without more, the state of the next call is that of a new decoder. */
  decode(bytes: Uint8Array, more: boolean): string;
}

const fromCharCode = String.fromCharCode;
const batch = 4096;

function join(head: Uint8Array, rest: Uint8Array): Uint8Array {
  if (head.length === 0) return rest;
  const all = new Uint8ArrayCtor(head.length + rest.length);
  bytesSet(all, head, 0);
  bytesSet(all, rest, head.length);
  return all;
}

const none = new Uint8ArrayCtor(0);

/** https://encoding.spec.whatwg.org/#shared-utf-16-decoder */
class Utf16Decoder implements Decoder {
  fatal: boolean;
  high: number;
  low: number;
  byte = -1;
  lead = -1;
  out = "";
  units: number[] = [];
  count = 0;
  constructor(fatal: boolean, bigEndian: boolean) {
    this.fatal = fatal;
    this.high = bigEndian ? 0 : 1;
    this.low = 1 - this.high;
  }
  decode(bytes: Uint8Array, more: boolean): string {
    this.out = "";
    this.count = 0;
    try {
      const { length } = bytes;
      let i = 0;
      if (this.byte >= 0 && length > 0) this.unit(this.high === 0 ? this.byte << 8 | bytes[i++]! : bytes[i++]! << 8 | this.byte);
      else if (this.byte >= 0) i = length;
      if (i > 0) this.byte = -1;
      for (; i + 1 < length; i += 2) this.unit(bytes[i + this.high]! << 8 | bytes[i + this.low]!);
      if (i < length) this.byte = bytes[i]!;
      if (!more) this.end();
    } catch (e) {
      this.byte = this.lead = -1;
      throw e;
    }
    this.flush();
    return this.out;
  }
  unit(u: number): void {
    const { lead } = this;
    const trail = u >= 0xdc00 && u <= 0xdfff;
    if (lead >= 0) {
      this.lead = -1;
      if (trail) {
        this.put(lead);
        this.put(u);
        return;
      }
      this.malformed();
    }
    if (u >= 0xd800 && u <= 0xdbff) this.lead = u;
    else if (trail) this.malformed();
    else this.put(u);
  }
  end(): void {
    const incomplete = this.byte >= 0 || this.lead >= 0;
    this.byte = this.lead = -1;
    if (incomplete) this.malformed();
  }
  malformed(): void {
    if (this.fatal) throw new TypeErrorCtor("The encoded data is not valid UTF-16");
    this.put(0xfffd);
  }
  put(u: number): void {
    this.units[this.count++] = u;
    if (this.count === batch) this.flush();
  }
  flush(): void {
    this.units.length = this.count;
    this.out += apply(fromCharCode, undefined, this.units);
    this.count = 0;
  }
}

// https://encoding.spec.whatwg.org/index-windows-1252.txt for the bytes 0x80 to 0x9F; the others are code points.
const windows1252 = [
  0x20ac, 0x81, 0x201a, 0x192, 0x201e, 0x2026, 0x2020, 0x2021, 0x2c6, 0x2030, 0x160, 0x2039, 0x152, 0x8d, 0x17d, 0x8f,
  0x90, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014, 0x2dc, 0x2122, 0x161, 0x203a, 0x153, 0x9d, 0x17e, 0x178,
];

class Windows1252Decoder implements Decoder {
  decode(bytes: Uint8Array): string {
    const units: number[] = [];
    let out = "";
    for (let i = 0; i < bytes.length; i += batch) {
      const n = bytes.length - i < batch ? bytes.length - i : batch;
      units.length = n;
      for (let k = 0; k < n; k++) {
        const b = bytes[i + k]!;
        units[k] = b >= 0x80 && b < 0xa0 ? windows1252[b - 0x80]! : b;
      }
      out += apply(fromCharCode, undefined, units);
    }
    return out;
  }
}

const decodeOp = host.op<{ text: string; keep: number; mode: number }>("encoding.legacy");

/** All other encodings; Go decodes and says which bytes wait for more. */
class LegacyDecoder implements Decoder {
  encoding: string;
  fatal: boolean;
  pending: Uint8Array = none;
  mode = 0;
  constructor(encoding: string, fatal: boolean) {
    this.encoding = encoding;
    this.fatal = fatal;
  }
  decode(bytes: Uint8Array, more: boolean): string {
    const all = join(this.pending, bytes);
    const { encoding, fatal, mode } = this;
    this.pending = none;
    this.mode = 0;
    if (all.length === 0) {
      if (more) this.mode = mode;
      return "";
    }
    const result = decodeOp({ encoding, fatal, more, mode }, all);
    if (more) {
      this.mode = result.mode;
      if (result.keep > 0) this.pending = new Uint8ArrayCtor(bytesSubarray(all, all.length - result.keep, all.length));
    }
    return result.text;
  }
}

/** A decoder of an encoding other than UTF-8. */
export function newDecoder(encoding: string, fatal: boolean): Decoder {
  switch (encoding) {
    case "windows-1252": return new Windows1252Decoder();
    case "utf-16le": case "utf-16be": return new Utf16Decoder(fatal, encoding === "utf-16be");
    default: return new LegacyDecoder(encoding, fatal);
  }
}
