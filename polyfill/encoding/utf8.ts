// https://encoding.spec.whatwg.org/#utf-8: functions of quickjs/build/encoding/text.c.

import { host } from "../host.ts";
import type { TransformStream } from "../streams.ts";

/** The state of a decoder of UTF-8 between two calls. */
export interface Utf8State {
  readonly __utf8: unique symbol;
}

export interface Utf8 {
  encode(value: unknown): Uint8Array<ArrayBuffer>;
  decode(bytes: Uint8Array, fatal?: boolean): string;
  newDecoder(fatal: boolean, ignoreBOM: boolean): Utf8State;
  decodeMore(state: Utf8State, source: unknown, more: boolean): string;
  decoderStream(state: Utf8State): TransformStream;
  encoderStream(): TransformStream;
}

export const {
  /** The bytes of a value's string; lone surrogates become U+FFFD. */
  encode: utf8Encode,
  /** The text of complete bytes, byte order mark included; U+FFFD or, if fatal, a TypeError for ill-formed parts. */
  decode: utf8Decode,
  newDecoder: newUtf8Decoder,
  /** Decodes a BufferSource or, if undefined, nothing; without more, the next call begins anew. */
  decodeMore,
  decoderStream,
  encoderStream,
} = host.encoding;
