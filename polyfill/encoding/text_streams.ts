// https://encoding.spec.whatwg.org/#interface-textdecoderstream and #interface-textencoderstream

import { Uint8ArrayCtor, apply } from "../streams/intrinsics.ts";
import { fulfilled, rejected, type Outcome } from "../streams/eventual.ts";
import { initialize, transformEnqueue, type TransformController } from "../streams/transform.ts";
import { wrapReadable, wrapWritable, type ReadableStream, type WritableStream } from "../streams.ts";
import { defineInterface, domString } from "../webidl.ts";
import { TextDecoding, sourceBytes } from "./text.ts";
import { utf8Encode } from "./utf8.ts";

const none = new Uint8ArrayCtor(0);
const { charCodeAt, slice } = String.prototype;

function attempt(run: () => void): Outcome {
  try {
    run();
  } catch (e) {
    return rejected(e);
  }
}

/** A transform stream with the marks of the standard: one chunk waits on the writable side, none on the readable side. */
function newTransform(): TransformController {
  return initialize(fulfilled(), 1, null, 0, null);
}

export class TextDecoderStream {
  #c: TransformController;
  #d: TextDecoding;
  constructor(label: unknown = undefined, options: unknown = undefined) {
    const d = this.#d = new TextDecoding(label, options);
    const c = this.#c = newTransform();
    c.transform = (chunk) => attempt(() => {
      const text = d.decode(sourceBytes(chunk, "The chunk"), true);
      if (text !== "") transformEnqueue(c, text);
    });
    c.flush = () => attempt(() => {
      const text = d.decode(none, false);
      if (text !== "") transformEnqueue(c, text);
    });
  }
  get encoding(): string { return this.#d.encoding; }
  get fatal(): boolean { return this.#d.fatal; }
  get ignoreBOM(): boolean { return this.#d.ignoreBOM; }
  get readable(): ReadableStream { return wrapReadable(this.#c.stream.readable); }
  get writable(): WritableStream { return wrapWritable(this.#c.stream.writable); }
}
defineInterface(TextDecoderStream, "TextDecoderStream");

export class TextEncoderStream {
  #c: TransformController;
  constructor() {
    const c = this.#c = newTransform();
    // A high surrogate at the end of a chunk waits for the next one.
    let lead = "";
    c.transform = (chunk) => attempt(() => {
      const text = lead + domString(chunk);
      const last = text.length === 0 ? 0 : apply(charCodeAt, text, [text.length - 1]) as number;
      const split = last >= 0xd800 && last <= 0xdbff;
      lead = split ? apply(slice, text, [text.length - 1]) as string : "";
      const whole = split ? apply(slice, text, [0, text.length - 1]) as string : text;
      if (whole !== "") transformEnqueue(c, utf8Encode(whole));
    });
    c.flush = () => attempt(() => {
      if (lead !== "") transformEnqueue(c, utf8Encode(lead));
    });
  }
  get encoding(): string {
    this.#c;
    return "utf-8";
  }
  get readable(): ReadableStream { return wrapReadable(this.#c.stream.readable); }
  get writable(): WritableStream { return wrapWritable(this.#c.stream.writable); }
}
defineInterface(TextEncoderStream, "TextEncoderStream");
