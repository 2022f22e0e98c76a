// https://encoding.spec.whatwg.org/#interface-textdecoderstream and #interface-textencoderstream

import { Uint8ArrayCtor } from "../streams/intrinsics.ts";
import type { ReadableStream, TransformStream, WritableStream } from "../streams.ts";
import { createTransform, enqueueTransformed, readableSide, writableSide } from "../streams/internals.ts";
import { defineInterface } from "../webidl.ts";
import { TextDecoding, sourceBytes } from "./text.ts";
import { decoderStream, encoderStream } from "./utf8.ts";

const none = new Uint8ArrayCtor(0);

export class TextDecoderStream {
  #t: TransformStream;
  #d: TextDecoding;
  constructor(label: unknown = undefined, options: unknown = undefined) {
    const d = this.#d = new TextDecoding(label, options);
    if (d.utf8 !== null) {
      this.#t = decoderStream(d.utf8);
      return;
    }
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
  #t: TransformStream = encoderStream();
  get encoding(): string {
    this.#t;
    return "utf-8";
  }
  get readable(): ReadableStream { return readableSide(this.#t); }
  get writable(): WritableStream { return writableSide(this.#t); }
}
defineInterface(TextEncoderStream, "TextEncoderStream");
