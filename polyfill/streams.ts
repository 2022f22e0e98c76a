// https://streams.spec.whatwg.org/
//
// The machinery is C in the engine (quickjs/build/streams); here its classes get their types and the descriptors of
// Web IDL. Other files of the platform use streams/internals.ts, which no user code can reach or replace.
import {
  AbortSignal, addAbortAlgorithm, createAbortSignal, isAbortSignal, removeAbortAlgorithm, signalAbort,
} from "./abort.ts";
import { getter } from "./streams/intrinsics.ts";
import { machinery } from "./streams/internals.ts";
import { defineInterface } from "./webidl.ts";

machinery.hooks(
  isAbortSignal, createAbortSignal, signalAbort, getter(AbortSignal.prototype, "aborted"), getter(AbortSignal.prototype, "reason"),
  addAbortAlgorithm, removeAbortAlgorithm,
);

export interface ReadResult<T = any> {
  value: T | undefined;
  done: boolean;
}

export interface PipeOptions {
  preventAbort?: boolean;
  preventCancel?: boolean;
  preventClose?: boolean;
  signal?: AbortSignal;
}

export interface ReadableStreamDefaultReader {
  readonly closed: Promise<undefined>;
  cancel(reason?: unknown): Promise<undefined>;
  read(): Promise<ReadResult>;
  releaseLock(): void;
}

export interface ReadableStreamBYOBReader {
  readonly closed: Promise<undefined>;
  cancel(reason?: unknown): Promise<undefined>;
  read(view: ArrayBufferView, options?: { min?: number }): Promise<ReadResult>;
  releaseLock(): void;
}

export interface ReadableStreamDefaultController {
  readonly desiredSize: number | null;
  close(): void;
  enqueue(chunk?: unknown): void;
  error(reason?: unknown): void;
}

export interface ReadableByteStreamController {
  readonly byobRequest: ReadableStreamBYOBRequest | null;
  readonly desiredSize: number | null;
  close(): void;
  enqueue(chunk: ArrayBufferView): void;
  error(reason?: unknown): void;
}

export interface ReadableStreamBYOBRequest {
  readonly view: Uint8Array | null;
  respond(bytesWritten: number): void;
  respondWithNewView(view: ArrayBufferView): void;
}

export interface ReadableStream {
  readonly locked: boolean;
  cancel(reason?: unknown): Promise<undefined>;
  getReader(options?: { mode?: undefined }): ReadableStreamDefaultReader;
  getReader(options: { mode: "byob" }): ReadableStreamBYOBReader;
  pipeThrough(transform: { readable: ReadableStream; writable: WritableStream }, options?: PipeOptions): ReadableStream;
  pipeTo(destination: WritableStream, options?: PipeOptions): Promise<undefined>;
  tee(): [ReadableStream, ReadableStream];
  values(options?: { preventCancel?: boolean }): AsyncIterableIterator<any>;
  [Symbol.asyncIterator](options?: { preventCancel?: boolean }): AsyncIterableIterator<any>;
}

export interface WritableStream {
  readonly locked: boolean;
  abort(reason?: unknown): Promise<undefined>;
  close(): Promise<undefined>;
  getWriter(): WritableStreamDefaultWriter;
}

export interface WritableStreamDefaultController {
  readonly signal: AbortSignal;
  error(reason?: unknown): void;
}

export interface WritableStreamDefaultWriter {
  readonly closed: Promise<undefined>;
  readonly desiredSize: number | null;
  readonly ready: Promise<undefined>;
  abort(reason?: unknown): Promise<undefined>;
  close(): Promise<undefined>;
  releaseLock(): void;
  write(chunk?: unknown): Promise<undefined>;
}

export interface TransformStream {
  readonly readable: ReadableStream;
  readonly writable: WritableStream;
}

export interface TransformStreamDefaultController {
  readonly desiredSize: number | null;
  enqueue(chunk?: unknown): void;
  error(reason?: unknown): void;
  terminate(): void;
}

export interface QueuingStrategy {
  readonly highWaterMark: number;
  readonly size: (chunk?: any) => number;
}

interface ReadableStreamConstructor {
  new (underlyingSource?: any, strategy?: any): ReadableStream;
  prototype: ReadableStream;
  from(asyncIterable: unknown): ReadableStream;
}

function interfaceOf<T extends abstract new (...args: any[]) => object>(name: string): T {
  const constructor = (machinery as unknown as Record<string, T>)[name]!;
  defineInterface(constructor, name);
  return constructor;
}

export const ReadableStream = interfaceOf<ReadableStreamConstructor>("ReadableStream");
export const ReadableStreamDefaultReader = interfaceOf<new (stream: ReadableStream) => ReadableStreamDefaultReader>("ReadableStreamDefaultReader");
export const ReadableStreamBYOBReader = interfaceOf<new (stream: ReadableStream) => ReadableStreamBYOBReader>("ReadableStreamBYOBReader");
export const ReadableStreamDefaultController = interfaceOf<new () => ReadableStreamDefaultController>("ReadableStreamDefaultController");
export const ReadableByteStreamController = interfaceOf<new () => ReadableByteStreamController>("ReadableByteStreamController");
export const ReadableStreamBYOBRequest = interfaceOf<new () => ReadableStreamBYOBRequest>("ReadableStreamBYOBRequest");
export const WritableStream = interfaceOf<new (underlyingSink?: any, strategy?: any) => WritableStream>("WritableStream");
export const WritableStreamDefaultController = interfaceOf<new () => WritableStreamDefaultController>("WritableStreamDefaultController");
export const WritableStreamDefaultWriter = interfaceOf<new (stream: WritableStream) => WritableStreamDefaultWriter>("WritableStreamDefaultWriter");
export const TransformStream = interfaceOf<new (transformer?: any, writableStrategy?: any, readableStrategy?: any) => TransformStream>("TransformStream");
export const TransformStreamDefaultController = interfaceOf<new () => TransformStreamDefaultController>("TransformStreamDefaultController");
export const ByteLengthQueuingStrategy = interfaceOf<new (init: { highWaterMark: number }) => QueuingStrategy>("ByteLengthQueuingStrategy");
export const CountQueuingStrategy = interfaceOf<new (init: { highWaterMark: number }) => QueuingStrategy>("CountQueuingStrategy");
