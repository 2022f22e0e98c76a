// Streams without promises, for the platform's own use: functions of quickjs/build/streams/internals.c.
import { host, type HostOp } from "../host.ts";
import type { ReadableStream, TransformStream, WritableStream } from "../streams.ts";

/** What a read is answered with: exactly one of the three calls, perhaps within read(). */
export interface ReadRequest {
  chunk(value: any): void;
  close(): void;
  error(reason: unknown): void;
}

/** The lock of a stream. */
export interface Reader {
  readonly __reader: unique symbol;
}

/** What the source of a stream of bytes gives when it is not done at once; settle() ends it. */
export interface Eventual {
  readonly __eventual: unique symbol;
}

/** What writes a stream into a handle of the host. */
export interface NativePump {
  readonly __pump: unique symbol;
}

/** What a pump leaves to its owner; pumpOn() goes on after chunk() and drain(). */
export interface PumpOwner extends ReadRequest {
  drain(): void;
  gone(reason: unknown): void;
}

export interface Machinery {
  isReadable(value: unknown): value is ReadableStream;
  isDisturbed(stream: ReadableStream): boolean;
  isLocked(stream: ReadableStream): boolean;
  discard(stream: ReadableStream): void;
  acquireReader(stream: ReadableStream): Reader;
  read(reader: Reader, request: ReadRequest): void;
  cancel(stream: ReadableStream, reason: unknown): void;
  createBytes(pull: (() => Eventual | undefined) | null, cancel: ((reason: unknown) => Eventual | undefined) | null): ReadableStream;
  enqueueBytes(stream: ReadableStream, view: ArrayBufferView): void;
  closeBytes(stream: ReadableStream): void;
  errorBytes(stream: ReadableStream, reason: unknown): void;
  tee(stream: ReadableStream): [ReadableStream, ReadableStream];
  eventual(): Eventual;
  settle(eventual: Eventual, ...reason: [] | [reason: unknown]): void;
  createTransform(transform: (chunk: unknown) => void, flush: () => void): TransformStream;
  enqueueTransformed(transform: TransformStream, chunk: unknown): void;
  readableSide(transform: TransformStream): ReadableStream;
  writableSide(transform: TransformStream): WritableStream;
  openHandle(read: HostOp, handle: number, end: (error?: unknown) => unknown, cancel: (reason: unknown) => undefined): ReadableStream;
  newPump(reader: Reader, write: HostOp, handle: number, owner: PumpOwner): NativePump;
  pumpOn(pump: NativePump): void;
  hooks(...hooks: ((...args: any[]) => unknown)[]): void;
}

export const machinery: Machinery = host.streams;

export const {
  /** Whether the value is a ReadableStream, whatever its prototype says. */
  isReadable: isReadableStream,
  /** Whether somebody has read from the stream or cancelled it. */
  isDisturbed,
  isLocked,
  /** Closes and locks a stream whose content went elsewhere. */
  discard,
  acquireReader,
  /** One read; the reader must hold its lock. */
  read,
  /** Cancels a stream even if it is locked; nobody hears of the outcome. */
  cancel,
  /** A stream of bytes, started in the next microtask. */
  createBytes,
  enqueueBytes,
  /** Closes a stream of bytes and answers a read that waits with a view. */
  closeBytes,
  errorBytes,
  /** Both branches of a stream, which is locked from now on. */
  tee,
  eventual,
  /** Fulfils without, rejects with a reason; rejections count as handled. */
  settle,
  /** A transform whose functions are done when they return: one chunk waits on the writable side, none on the readable side. */
  createTransform,
  enqueueTransformed,
  readableSide,
  writableSide,
  /** A stream of bytes over body.read. end() is called once at the end, or with an error, whose reason it returns. */
  openHandle,
  /** Sends Uint8Array chunks of up to 64 KiB with body.write and leaves all else to the owner. */
  newPump,
  pumpOn,
} = machinery;
