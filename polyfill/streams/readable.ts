// Abstract operations on readable streams and their readers,
// https://streams.spec.whatwg.org/#rs-abstract-ops. The classes that users see
// hold one of these objects each; nothing here touches a user-visible property.

import { TypeErrorCtor } from "./intrinsics.ts";
import { Eventual, chain, fulfill, fulfilled, isPending, reject, rejected, type Outcome } from "./eventual.ts";
import { Fifo } from "./queue.ts";

export const READABLE = 0;
export const CLOSED = 1;
export const ERRORED = 2;

/** Read request and read-into request in one: chunk, close and error steps. */
export interface ReadRequest {
  chunk(value: any): void;
  /** value is a view for read-into requests, or undefined. */
  close(value?: unknown): void;
  error(reason: unknown): void;
}

export interface Controller {
  /** Distinguishes byte controllers. */
  readonly bytes: boolean;
  wrapper: object | null;
  cancelSteps(reason: unknown): Outcome;
  pullSteps(request: ReadRequest): void;
  releaseSteps(): void;
}

export class Readable {
  state = READABLE;
  reader: Reader | null = null;
  storedError: unknown = undefined;
  disturbed = false;
  controller: Controller = null!;
  wrapper: object | null = null;
}

export class Reader {
  stream: Readable | null;
  closed: Eventual;
  requests: Fifo<ReadRequest> = new Fifo();
  readonly byob: boolean;
  constructor(stream: Readable, byob: boolean) {
    if (stream.reader !== null) throw new TypeErrorCtor("The ReadableStream is locked to a reader already");
    if (byob && !stream.controller.bytes) throw new TypeErrorCtor("A BYOB reader needs a ReadableStream of bytes");
    this.stream = stream;
    this.byob = byob;
    stream.reader = this;
    this.closed = stream.state === READABLE ? new Eventual(true)
      : stream.state === CLOSED ? fulfilled() : rejected(stream.storedError, true);
  }
}

/** ReadableStreamDefaultReaderRead */
export function read(reader: Reader, request: ReadRequest): void {
  const stream = reader.stream!;
  stream.disturbed = true;
  if (stream.state === READABLE) stream.controller.pullSteps(request);
  else if (stream.state === CLOSED) request.close();
  else request.error(stream.storedError);
}

function giveUp(requests: Fifo<ReadRequest>, error: unknown): void {
  while (requests.length > 0) requests.shift().error(error);
}

/** ReadableStream{Default,BYOB}ReaderRelease */
export function release(reader: Reader): void {
  const stream = reader.stream!;
  const error = new TypeErrorCtor("The reader was released");
  if (isPending(reader.closed)) reject(reader.closed, error);
  else reader.closed = rejected(error, true);
  stream.controller.releaseSteps();
  stream.reader = null;
  reader.stream = null;
  const { requests } = reader;
  reader.requests = new Fifo();
  giveUp(requests, error);
}

function nothing(): undefined {}

/** ReadableStreamCancel */
export function cancel(stream: Readable, reason: unknown): Eventual {
  stream.disturbed = true;
  if (stream.state === CLOSED) return fulfilled();
  if (stream.state === ERRORED) return rejected(stream.storedError);
  close(stream);
  const reader = stream.reader;
  if (reader !== null && reader.byob) finishRequests(reader);
  return chain(stream.controller.cancelSteps(reason), null, nothing, null);
}

function finishRequests(reader: Reader): void {
  const { requests } = reader;
  if (requests.length === 0) return;
  reader.requests = new Fifo();
  while (requests.length > 0) requests.shift().close();
}

/** ReadableStreamClose */
export function close(stream: Readable): void {
  stream.state = CLOSED;
  const reader = stream.reader;
  if (reader === null) return;
  fulfill(reader.closed);
  if (!reader.byob) finishRequests(reader);
}

/** ReadableStreamError */
export function error(stream: Readable, reason: unknown): void {
  stream.state = ERRORED;
  stream.storedError = reason;
  const reader = stream.reader;
  if (reader === null) return;
  reject(reader.closed, reason);
  const { requests } = reader;
  if (requests.length === 0) return;
  reader.requests = new Fifo();
  giveUp(requests, reason);
}

export function hasDefaultReader(stream: Readable): boolean {
  return stream.reader !== null && !stream.reader.byob;
}

export function hasByobReader(stream: Readable): boolean {
  return stream.reader !== null && stream.reader.byob;
}

/** Requests of the stream's reader that wait. */
export function waitingRequests(stream: Readable): number {
  return stream.reader === null ? 0 : stream.reader.requests.length;
}

/** ReadableStreamFulfillRead{,Into}Request */
export function fulfillRequest(stream: Readable, chunk: unknown, done: boolean): void {
  const request = stream.reader!.requests.shift();
  if (done) request.close(chunk);
  else request.chunk(chunk);
}
