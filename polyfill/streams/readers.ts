// https://streams.spec.whatwg.org/#default-reader-class and #byob-reader-class

import {
  RangeErrorCtor, TypeErrorCtor, bufferByteLength, bufferDetached, promiseFulfilled, promiseReject, viewParts,
} from "./intrinsics.ts";
import { defineInterface, enforceRange, required } from "../webidl.ts";
import { lastReject, lastResolve, newPromise, toPromise } from "./eventual.ts";
import { toDictionary, toView } from "./convert.ts";
import { Reader, cancel, read, release, type ReadRequest, type Readable } from "./readable.ts";
import { readInto } from "./readable_byte.ts";
import { internal } from "./token.ts";

export interface ReadResult<T = any> {
  value: T | undefined;
  done: boolean;
}

/** A read that a promise waits for. Made before the read, so that it can settle at once. */
class PromiseRequest implements ReadRequest {
  declare promise: Promise<ReadResult> | null;
  declare resolve: (result: unknown) => void;
  declare reject: (reason: unknown) => void;
  constructor() {
    this.promise = null;
  }
  /** The promise after the read has begun: a settled one is cheaper. */
  wait(): Promise<ReadResult> {
    if (this.promise === null) {
      this.promise = newPromise();
      this.resolve = lastResolve();
      this.reject = lastReject();
    }
    return this.promise;
  }
  settle(result: ReadResult): void {
    if (this.promise === null) this.promise = promiseFulfilled(result);
    else this.resolve(result);
  }
  chunk(value: unknown): void { this.settle({ value, done: false }); }
  close(value: unknown = undefined): void { this.settle({ value, done: true }); }
  error(reason: unknown): void {
    if (this.promise === null) this.promise = promiseReject(reason);
    else this.reject(reason);
  }
}

let readableOf: (stream: unknown) => Readable;
/** Set by the module of ReadableStream, which imports this one. */
export function setReadableOf(fn: (stream: unknown) => Readable): void {
  readableOf = fn;
}

const releasedMessage = "The reader was released";

function cancelReader(reader: Reader, reason: unknown): Promise<undefined> {
  if (reader.stream === null) return promiseReject(new TypeErrorCtor(releasedMessage));
  return toPromise(cancel(reader.stream, reason));
}

function readerOf(first: unknown, second: unknown, count: number, byob: boolean, name: string): Reader {
  if (first === internal) return second as Reader;
  required(count, 1, `new ${name}()`);
  return new Reader(readableOf(first), byob);
}

export class ReadableStreamDefaultReader {
  #r: Reader;
  constructor(stream: object) { this.#r = readerOf(stream, arguments[1], arguments.length, false, "ReadableStreamDefaultReader"); }
  get closed(): Promise<undefined> {
    try {
      return toPromise(this.#r.closed);
    } catch (e) {
      return promiseReject(e);
    }
  }
  cancel(reason: unknown = undefined): Promise<undefined> {
    try {
      return cancelReader(this.#r, reason);
    } catch (e) {
      return promiseReject(e);
    }
  }
  read(): Promise<ReadResult> {
    try {
      const reader = this.#r;
      if (reader.stream === null) throw new TypeErrorCtor(releasedMessage);
      const request = new PromiseRequest();
      read(reader, request);
      return request.wait();
    } catch (e) {
      return promiseReject(e);
    }
  }
  releaseLock(): void {
    const reader = this.#r;
    if (reader.stream !== null) release(reader);
  }
}
defineInterface(ReadableStreamDefaultReader, "ReadableStreamDefaultReader");

export class ReadableStreamBYOBReader {
  #r: Reader;
  constructor(stream: object) { this.#r = readerOf(stream, arguments[1], arguments.length, true, "ReadableStreamBYOBReader"); }
  get closed(): Promise<undefined> {
    try {
      return toPromise(this.#r.closed);
    } catch (e) {
      return promiseReject(e);
    }
  }
  cancel(reason: unknown = undefined): Promise<undefined> {
    try {
      return cancelReader(this.#r, reason);
    } catch (e) {
      return promiseReject(e);
    }
  }
  read(view: ArrayBufferView, options: { min?: number } = {}): Promise<ReadResult> {
    try {
      const reader = this.#r;
      required(arguments.length, 1, "read()");
      const parts = viewParts(toView(view, "The view"));
      const given = toDictionary(options, "read()'s options").min;
      const min = given === undefined ? 1 : enforceRange(given, "unsigned long long", "min");
      if (parts.byteLength === 0) throw new TypeErrorCtor("The view must not be empty");
      if (bufferByteLength(parts.buffer) === 0) throw new TypeErrorCtor("The view's buffer must not be empty");
      if (bufferDetached(parts.buffer)) throw new TypeErrorCtor("The view's ArrayBuffer is detached");
      if (min === 0) throw new TypeErrorCtor("min must be larger than 0");
      if (min > (parts.length ?? parts.byteLength)) throw new RangeErrorCtor("min must not be larger than the view");
      if (reader.stream === null) throw new TypeErrorCtor(releasedMessage);
      const request = new PromiseRequest();
      readInto(reader, view, min, request);
      return request.wait();
    } catch (e) {
      return promiseReject(e);
    }
  }
  releaseLock(): void {
    const reader = this.#r;
    if (reader.stream !== null) release(reader);
  }
}
defineInterface(ReadableStreamBYOBReader, "ReadableStreamBYOBReader");
