// https://streams.spec.whatwg.org/#ws-class and the classes that belong to it

import { RangeErrorCtor, TypeErrorCtor, call1, promiseReject } from "./intrinsics.ts";
import { defineInterface, required } from "../webidl.ts";
import { resolvedWith, toPromise } from "./eventual.ts";
import { callbackMember, highWaterMarkOf, invoke, invoke0, invoke1, sizeOf, toOptionalObject, toStrategy } from "./convert.ts";
import { internal, onlyInternal } from "./token.ts";
import {
  WRITABLE, Writable, Writer, abort, close, closeQueuedOrInFlight, desiredSize, errorWritable, newWritable, releaseWriter, signalOf, startWritable, write,
  type WritableController,
} from "./writable.ts";

export class WritableStreamDefaultController {
  #c: WritableController;
  constructor(token: unknown = undefined, controller: WritableController = undefined!) {
    onlyInternal(token);
    this.#c = controller;
    controller.wrapper = this;
  }
  get signal(): object { return signalOf(this.#c); }
  error(reason: unknown = undefined): void {
    const c = this.#c;
    if (c.stream.state === WRITABLE) errorWritable(c, reason);
  }
}
defineInterface(WritableStreamDefaultController, "WritableStreamDefaultController");

function construct(rawSink: unknown, rawStrategy: unknown): Writable {
  const sink: any = toOptionalObject(rawSink, "The underlying sink");
  const strategy = toStrategy(rawStrategy);
  if (sink === null) {
    const c = newWritable(highWaterMarkOf(strategy, 1), sizeOf(strategy));
    new WritableStreamDefaultController(internal, c);
    startWritable(c, undefined);
    return c.stream;
  }
  const what = "The underlying sink";
  const onAbort = callbackMember(sink, "abort", what);
  const onClose = callbackMember(sink, "close", what);
  const onStart = callbackMember(sink, "start", what);
  if (sink.type !== undefined) throw new RangeErrorCtor("The underlying sink's type must be undefined");
  const onWrite = callbackMember(sink, "write", what);
  const size = sizeOf(strategy);
  const c = newWritable(highWaterMarkOf(strategy, 1), size);
  const wrapper = new WritableStreamDefaultController(internal, c);
  if (onWrite !== undefined) c.write = (chunk) => invoke(onWrite, sink, chunk, wrapper);
  if (onClose !== undefined) c.close = () => invoke0(onClose, sink);
  if (onAbort !== undefined) c.abort = (reason) => invoke1(onAbort, sink, reason);
  startWritable(c, resolvedWith(onStart === undefined ? undefined : call1(onStart, sink, wrapper)));
  return c.stream;
}

/** The internal object of a WritableStream; throws TypeError for anything else. */
export let writableOf: (value: unknown) => Writable;

const lockedMessage = "The WritableStream is locked to a writer";

/** https://streams.spec.whatwg.org/#ws-class */
export class WritableStream {
  #s: Writable;
  constructor(underlyingSink: unknown = undefined, strategy: unknown = undefined) {
    this.#s = underlyingSink === internal ? strategy as Writable : construct(underlyingSink, strategy);
    this.#s.wrapper = this;
  }
  get locked(): boolean { return this.#s.writer !== null; }
  abort(reason: unknown = undefined): Promise<undefined> {
    try {
      const stream = this.#s;
      if (stream.writer !== null) throw new TypeErrorCtor(lockedMessage);
      return toPromise(abort(stream, reason));
    } catch (e) {
      return promiseReject(e);
    }
  }
  close(): Promise<undefined> {
    try {
      const stream = this.#s;
      if (stream.writer !== null) throw new TypeErrorCtor(lockedMessage);
      return toPromise(closeOnce(stream));
    } catch (e) {
      return promiseReject(e);
    }
  }
  getWriter(): WritableStreamDefaultWriter { return new WritableStreamDefaultWriter(this); }

  static {
    writableOf = (value) => {
      if (typeof value !== "object" || value === null || !(#s in value)) throw new TypeErrorCtor("The value is not a WritableStream");
      return (value as WritableStream).#s;
    };
  }
}
defineInterface(WritableStream, "WritableStream");

function closeOnce(stream: Writable): ReturnType<typeof close> {
  if (closeQueuedOrInFlight(stream)) throw new TypeErrorCtor("The WritableStream is closing already");
  return close(stream);
}

/** The WritableStream that shows an internal one, the same each time. */
export function wrapWritable(stream: Writable): WritableStream {
  return (stream.wrapper as WritableStream | null) ?? new WritableStream(internal, stream);
}

/** https://streams.spec.whatwg.org/#default-writer-class */
export class WritableStreamDefaultWriter {
  #w: Writer;
  constructor(stream: object) {
    required(arguments.length, 1, "new WritableStreamDefaultWriter()");
    this.#w = new Writer(writableOf(stream));
  }
  get closed(): Promise<undefined> {
    try {
      return toPromise(this.#w.closed);
    } catch (e) {
      return promiseReject(e);
    }
  }
  get desiredSize(): number | null { return desiredSize(streamOf(this.#w)); }
  get ready(): Promise<undefined> {
    try {
      return toPromise(this.#w.ready);
    } catch (e) {
      return promiseReject(e);
    }
  }
  abort(reason: unknown = undefined): Promise<undefined> {
    try {
      return toPromise(abort(streamOf(this.#w), reason));
    } catch (e) {
      return promiseReject(e);
    }
  }
  close(): Promise<undefined> {
    try {
      return toPromise(closeOnce(streamOf(this.#w)));
    } catch (e) {
      return promiseReject(e);
    }
  }
  releaseLock(): void {
    const writer = this.#w;
    if (writer.stream !== null) releaseWriter(writer);
  }
  write(chunk: unknown = undefined): Promise<undefined> {
    try {
      const writer = this.#w;
      streamOf(writer);
      return toPromise(write(writer, chunk, true));
    } catch (e) {
      return promiseReject(e);
    }
  }
}
defineInterface(WritableStreamDefaultWriter, "WritableStreamDefaultWriter");

function streamOf(writer: Writer): Writable {
  if (writer.stream === null) throw new TypeErrorCtor("The writer was released");
  return writer.stream;
}
