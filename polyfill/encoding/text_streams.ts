// https://encoding.spec.whatwg.org/#interface-textdecoderstream and #interface-textencoderstream

import { Uint8ArrayCtor, apply } from "../streams/intrinsics.ts";
import type { ReadableStream, TransformStream, WritableStream } from "../streams.ts";
import { createTransform, enqueueTransformed, readableSide, writableSide } from "../streams/internals.ts";
import { defineInterface, domString } from "../webidl.ts";
import { TextDecoding, sourceBytes } from "./text.ts";
import { utf8Encode } from "./utf8.ts";

const none = new Uint8ArrayCtor(0);
const { charCodeAt, slice } = String.prototype;

export class TextDecoderStream {
  #t: TransformStream;
  #d: TextDecoding;
  constructor(label: unknown = undefined, options: unknown = undefined) {
    const d = this.#d = new TextDecoding(label, options);
    const t = this.#t = createTransform((chunk) => {
      const text = d.decode(sourceBytes(chunk, "The chunk"), true);
      if (text !== "") enqueueTransformed(t, text);
    }, () => {
      const text = d.decode(none, false);
      if (text !== "") enqueueTransformed(t, text);
    });
  }
  get encoding(): string { return this.#d.encoding; }
  get fatal(): boolean { return this.#d.fatal; }
  get ignoreBOM(): boolean { return this.#d.ignoreBOM; }
  get readable(): ReadableStream { return readableSide(this.#t); }
  get writable(): WritableStream { return writableSide(this.#t); }
}
defineInterface(TextDecoderStream, "TextDecoderStream");

export class TextEncoderStream {
  #t: TransformStream;
  constructor() {
    // A high surrogate at the end of a chunk waits for the next one.
    let lead = "";
    const t = this.#t = createTransform((chunk) => {
      const text = lead + domString(chunk);
      const last = text.length === 0 ? 0 : apply(charCodeAt, text, [text.length - 1]) as number;
      const split = last >= 0xd800 && last <= 0xdbff;
      lead = split ? apply(slice, text, [text.length - 1]) as string : "";
      const whole = split ? apply(slice, text, [0, text.length - 1]) as string : text;
      if (whole !== "") enqueueTransformed(t, utf8Encode(whole));
    }, () => {
      if (lead !== "") enqueueTransformed(t, utf8Encode(lead));
    });
  }
  get encoding(): string {
    this.#t;
    return "utf-8";
  }
  get readable(): ReadableStream { return readableSide(this.#t); }
  get writable(): WritableStream { return writableSide(this.#t); }
}
defineInterface(TextEncoderStream, "TextEncoderStream");
