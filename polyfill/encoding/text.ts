// https://encoding.spec.whatwg.org/#interface-textdecoder and #interface-textencoder

import { TypeErrorCtor, Uint8ArrayCtor, apply, bufferByteLength, bytesSet, bytesSubarray, getter, isView, viewParts } from "../streams/intrinsics.ts";
import { defineInterface, domString, isArrayBuffer, isSharedArrayBuffer, required } from "../webidl.ts";
import { newDecoder, type Decoder } from "./decoders.ts";
import { encodingOf } from "./labels.ts";
import { decodeMore, newUtf8Decoder, utf8Decode, utf8Encode, type Utf8State } from "./utf8.ts";

const { charCodeAt, slice } = String.prototype;
const typedName = getter(Object.getPrototypeOf(Uint8Array.prototype), Symbol.toStringTag);
const byteLength = getter(Object.getPrototypeOf(Uint8Array.prototype), "byteLength");

const empty = { __proto__: null };

/** A dictionary argument; a missing one has no members, whatever Object.prototype says. */
function toDictionary(value: unknown, what: string): any {
  if (value === undefined || value === null) return empty;
  if (typeof value !== "object" && typeof value !== "function") throw new TypeErrorCtor(`${what} must be an object`);
  return value;
}

/** A decoder with the handling of the byte order mark. */
export class TextDecoding {
  encoding: string;
  fatal: boolean;
  ignoreBOM: boolean;
  /** One of the two. */
  utf8: Utf8State | null = null;
  decoder: Decoder | null = null;
  started = false;
  constructor(label: unknown, options: unknown) {
    const text = label === undefined ? "utf-8" : domString(label);
    const { fatal, ignoreBOM } = toDictionary(options, "The options of a decoder");
    this.encoding = encodingOf(text);
    this.fatal = !!fatal;
    this.ignoreBOM = !!ignoreBOM;
    if (this.encoding === "utf-8") this.utf8 = newUtf8Decoder(this.fatal, this.ignoreBOM);
    else this.decoder = newDecoder(this.encoding, this.fatal);
  }
  decode(bytes: Uint8Array, more: boolean): string {
    if (this.utf8 !== null) return decodeMore(this.utf8, bytes, more);
    let text: string;
    try {
      text = this.decoder!.decode(bytes, more);
    } catch (e) {
      this.started = false;
      throw e;
    }
    if (!this.started && text !== "") {
      this.started = true;
      if (!this.ignoreBOM && apply(charCodeAt, text, [0]) === 0xfeff) text = apply(slice, text, [1]) as string;
    }
    if (!more) this.started = false;
    return text;
  }
}

const none = new Uint8ArrayCtor(0);

/** Bytes of an [AllowShared] BufferSource; those in shared memory are copied. */
export function sourceBytes(value: unknown, what: string): Uint8Array {
  if (isView(value)) {
    const { buffer, byteOffset, byteLength } = viewParts(value);
    if (byteLength === 0) return none;
    const bytes = new Uint8ArrayCtor(buffer, byteOffset, byteLength);
    return isArrayBuffer(buffer) ? bytes : new Uint8ArrayCtor(bytes);
  }
  if (isArrayBuffer(value)) return bufferByteLength(value) === 0 ? none : new Uint8ArrayCtor(value);
  if (isSharedArrayBuffer(value)) return new Uint8ArrayCtor(new Uint8ArrayCtor(value));
  throw new TypeErrorCtor(`${what} must be an ArrayBuffer or a view of one`);
}

export class TextDecoder {
  #d: TextDecoding;
  constructor(label: unknown = undefined, options: unknown = undefined) { this.#d = new TextDecoding(label, options); }
  get encoding(): string { return this.#d.encoding; }
  get fatal(): boolean { return this.#d.fatal; }
  get ignoreBOM(): boolean { return this.#d.ignoreBOM; }
  decode(input: unknown = undefined, options: unknown = undefined): string {
    const d = this.#d;
    if (options === undefined && d.utf8 !== null) return decodeMore(d.utf8, input, false);
    const bytes = input === undefined ? none : sourceBytes(input, "decode()'s input");
    const more = !!toDictionary(options, "decode()'s options").stream;
    return d.decode(bytes, more);
  }
}
defineInterface(TextDecoder, "TextDecoder");

export class TextEncoder {
  #brand = true;
  get encoding(): string {
    this.#brand;
    return "utf-8";
  }
  encode(input: unknown = undefined): Uint8Array<ArrayBuffer> {
    this.#brand;
    return utf8Encode(input === undefined ? "" : input);
  }
  encodeInto(source: string, destination: Uint8Array): { read: number; written: number } {
    this.#brand;
    required(arguments.length, 2, "encodeInto()");
    const text = domString(source);
    if (typedName(destination) !== "Uint8Array") throw new TypeErrorCtor("encodeInto()'s destination must be a Uint8Array");
    return encodeInto(text, destination);
  }
}
defineInterface(TextEncoder, "TextEncoder");

function encodeInto(text: string, destination: Uint8Array): { read: number; written: number } {
  const room: number = byteLength(destination);
  // A code unit takes a byte at least, so more than room of them never fit.
  const bytes = utf8Encode(text.length > room + 1 ? apply(slice, text, [0, room + 1]) as string : text);
  if (bytes.length <= room) {
    bytesSet(destination, bytes, 0);
    return { read: text.length, written: bytes.length };
  }
  let end = room;
  while (end > 0 && (bytes[end]! & 0xc0) === 0x80) end--;
  const fitting = bytesSubarray(bytes, 0, end);
  bytesSet(destination, fitting, 0);
  return { read: utf8Decode(fitting).length, written: end };
}
