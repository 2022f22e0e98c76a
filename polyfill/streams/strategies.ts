// https://streams.spec.whatwg.org/#qs-api

import { TypeErrorCtor } from "./intrinsics.ts";
import { toDictionary } from "./convert.ts";
import { defineInterface, required } from "../webidl.ts";

function markOf(init: unknown, count: number, name: string): number {
  required(count, 1, `new ${name}()`);
  const mark = toDictionary(init, `${name}'s init`).highWaterMark;
  if (mark === undefined) throw new TypeErrorCtor(`${name}'s init needs a highWaterMark`);
  return +mark;
}

// Methods of object literals are no constructors, as built-in functions are none.
const byteLengthSize = { size(chunk: any): unknown { return chunk.byteLength; } }.size;
const countSize = { size(): number { return 1; } }.size;

/** https://streams.spec.whatwg.org/#blqs-class */
export class ByteLengthQueuingStrategy {
  #highWaterMark: number;
  constructor(init: { highWaterMark: number }) { this.#highWaterMark = markOf(init, arguments.length, "ByteLengthQueuingStrategy"); }
  get highWaterMark(): number { return this.#highWaterMark; }
  get size(): (chunk: any) => unknown {
    this.#highWaterMark;
    return byteLengthSize;
  }
}
defineInterface(ByteLengthQueuingStrategy, "ByteLengthQueuingStrategy");

/** https://streams.spec.whatwg.org/#cqs-class */
export class CountQueuingStrategy {
  #highWaterMark: number;
  constructor(init: { highWaterMark: number }) { this.#highWaterMark = markOf(init, arguments.length, "CountQueuingStrategy"); }
  get highWaterMark(): number { return this.#highWaterMark; }
  get size(): () => number {
    this.#highWaterMark;
    return countSize;
  }
}
defineInterface(CountQueuingStrategy, "CountQueuingStrategy");
