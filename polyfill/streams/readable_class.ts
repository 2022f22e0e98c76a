// https://streams.spec.whatwg.org/#rs-class

import { RangeErrorCtor, TypeErrorCtor, asyncIterator, call1, promiseReject } from "./intrinsics.ts";
import { defineInterface, enforceRange, enumeration, required } from "../webidl.ts";
import { isAbortSignal } from "../abort.ts";
import { resolvedWith, toPromise } from "./eventual.ts";
import { callbackMember, highWaterMarkOf, invoke1, sizeOf, toDictionary, toOptionalObject, toStrategy, type Strategy } from "./convert.ts";
import { internal } from "./token.ts";
import { Readable, Reader, cancel } from "./readable.ts";
import { DefaultController, start } from "./readable_default.ts";
import { ByteController, startBytes } from "./readable_byte.ts";
import { ReadableByteStreamController, ReadableStreamDefaultController } from "./readable_controllers.ts";
import { ReadableStreamBYOBReader, ReadableStreamDefaultReader, setReadableOf } from "./readers.ts";
import { iterate } from "./iterator.ts";
import { fromIterable } from "./from.ts";
import { pipeTo, type PipeOptions } from "./pipe.ts";
import { tee } from "./tee.ts";
import { writableOf } from "./writable_class.ts";

const what = "The underlying source";

function construct(rawSource: unknown, rawStrategy: unknown): Readable {
  const source: any = toOptionalObject(rawSource, what);
  const strategy = toStrategy(rawStrategy);
  const stream = new Readable();
  if (source === null) {
    const size = sizeOf(strategy);
    const c = new DefaultController(stream, highWaterMarkOf(strategy, 1), size);
    start(c, undefined);
    return stream;
  }
  const chunkSize = source.autoAllocateChunkSize;
  const autoAllocate = chunkSize === undefined ? undefined : enforceRange(chunkSize, "unsigned long long", `${what}.autoAllocateChunkSize`);
  const onCancel = callbackMember(source, "cancel", what);
  const onPull = callbackMember(source, "pull", what);
  const onStart = callbackMember(source, "start", what);
  const rawType = source.type;
  if (rawType !== undefined) {
    enumeration(rawType, ["bytes"], `${what}.type`);
    return constructBytes(stream, source, strategy, autoAllocate, { onCancel, onPull, onStart });
  }
  const size = sizeOf(strategy);
  const c = new DefaultController(stream, highWaterMarkOf(strategy, 1), size);
  const wrapper = new ReadableStreamDefaultController(internal, c);
  if (onPull !== undefined) c.pull = () => invoke1(onPull, source, wrapper);
  if (onCancel !== undefined) c.cancel = (reason) => invoke1(onCancel, source, reason);
  start(c, resolvedWith(onStart === undefined ? undefined : call1(onStart, source, wrapper)));
  return stream;
}

interface Callbacks {
  onCancel: ReturnType<typeof callbackMember>;
  onPull: ReturnType<typeof callbackMember>;
  onStart: ReturnType<typeof callbackMember>;
}

function constructBytes(stream: Readable, source: object, strategy: Strategy, autoAllocate: number | undefined, f: Callbacks): Readable {
  if (strategy.size !== undefined) throw new RangeErrorCtor("A ReadableStream of bytes takes no strategy with a size function");
  const mark = highWaterMarkOf(strategy, 0);
  if (autoAllocate === 0) throw new TypeErrorCtor(`${what}.autoAllocateChunkSize must be larger than 0`);
  const c = new ByteController(stream, mark, autoAllocate ?? 0);
  const wrapper = new ReadableByteStreamController(internal, c);
  const { onCancel, onPull, onStart } = f;
  if (onPull !== undefined) c.pull = () => invoke1(onPull, source, wrapper);
  if (onCancel !== undefined) c.cancel = (reason) => invoke1(onCancel, source, reason);
  startBytes(c, resolvedWith(onStart === undefined ? undefined : call1(onStart, source, wrapper)));
  return stream;
}

function toPipeOptions(value: unknown): PipeOptions {
  const options: any = toDictionary(value, "The options of a pipe");
  const preventAbort = !!options.preventAbort;
  const preventCancel = !!options.preventCancel;
  const preventClose = !!options.preventClose;
  const { signal } = options;
  if (signal !== undefined && !isAbortSignal(signal)) throw new TypeErrorCtor("The signal of a pipe must be an AbortSignal");
  return { preventAbort, preventCancel, preventClose, signal };
}

/** The internal object of a ReadableStream; throws TypeError for anything else. */
export let readableOf: (value: unknown) => Readable;
/** Whether the value is a ReadableStream, whatever its prototype says. */
export let isReadableStream: (value: unknown) => boolean;

const lockedMessage = "The ReadableStream is locked to a reader";

export class ReadableStream {
  #s: Readable;
  constructor(underlyingSource: unknown = undefined, strategy: unknown = undefined) {
    this.#s = underlyingSource === internal ? strategy as Readable : construct(underlyingSource, strategy);
    this.#s.wrapper = this;
  }
  static from(asyncIterable: unknown): ReadableStream {
    required(arguments.length, 1, "ReadableStream.from()");
    return wrapReadable(fromIterable(asyncIterable));
  }
  get locked(): boolean { return this.#s.reader !== null; }
  cancel(reason: unknown = undefined): Promise<undefined> {
    try {
      const stream = this.#s;
      if (stream.reader !== null) throw new TypeErrorCtor(lockedMessage);
      return toPromise(cancel(stream, reason));
    } catch (e) {
      return promiseReject(e);
    }
  }
  getReader(options: unknown = undefined): ReadableStreamDefaultReader | ReadableStreamBYOBReader {
    const stream = this.#s;
    const { mode } = toDictionary(options, "getReader()'s options");
    if (mode === undefined) return wrapReader(new Reader(stream, false));
    enumeration(mode, ["byob"], "mode");
    return wrapReader(new Reader(stream, true));
  }
  pipeThrough(transform: { readable: ReadableStream; writable: object }, options: unknown = undefined): ReadableStream {
    const stream = this.#s;
    required(arguments.length, 1, "pipeThrough()");
    const pair: any = toDictionary(transform, "pipeThrough()'s argument");
    const { readable } = pair;
    readableOf(readable);
    const { writable } = pair;
    const dest = writableOf(writable);
    const o = toPipeOptions(options);
    if (stream.reader !== null) throw new TypeErrorCtor(lockedMessage);
    if (dest.writer !== null) throw new TypeErrorCtor("The WritableStream of the pipe is locked to a writer");
    pipeTo(stream, dest, o);
    return readable;
  }
  pipeTo(destination: object, options: unknown = undefined): Promise<undefined> {
    try {
      const stream = this.#s;
      required(arguments.length, 1, "pipeTo()");
      const dest = writableOf(destination);
      const o = toPipeOptions(options);
      if (stream.reader !== null) throw new TypeErrorCtor(lockedMessage);
      if (dest.writer !== null) throw new TypeErrorCtor("The WritableStream of the pipe is locked to a writer");
      return toPromise(pipeTo(stream, dest, o));
    } catch (e) {
      return promiseReject(e);
    }
  }
  tee(): [ReadableStream, ReadableStream] {
    const [a, b] = tee(this.#s);
    return [wrapReadable(a), wrapReadable(b)];
  }
  values(options: unknown = undefined): object {
    const stream = this.#s;
    return iterate(stream, !!toDictionary(options, "values()'s options").preventCancel);
  }

  static {
    isReadableStream = (value) => typeof value === "object" && value !== null && #s in value;
    readableOf = (value) => {
      if (typeof value !== "object" || value === null || !(#s in value)) throw new TypeErrorCtor("The value is not a ReadableStream");
      return value.#s;
    };
  }
}
defineInterface(ReadableStream, "ReadableStream");
Object.defineProperty(ReadableStream.prototype, asyncIterator, { value: ReadableStream.prototype.values, writable: true, configurable: true });
setReadableOf(readableOf);

/** The ReadableStream that shows an internal one, the same each time. */
export function wrapReadable(stream: Readable): ReadableStream {
  return (stream.wrapper as ReadableStream | null) ?? new ReadableStream(internal, stream);
}

function wrapReader(reader: Reader): ReadableStreamDefaultReader | ReadableStreamBYOBReader {
  return reader.byob ? new (ReadableStreamBYOBReader as any)(internal, reader) : new (ReadableStreamDefaultReader as any)(internal, reader);
}
