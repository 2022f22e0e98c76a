// Abstract operations on writable streams, https://streams.spec.whatwg.org/#ws-abstract-ops.

import { TypeErrorCtor } from "./intrinsics.ts";
import { Eventual, fulfill, fulfilled, isPending, later, react, reject, rejected, renew, type Outcome } from "./eventual.ts";
import { Fifo, SizedQueue } from "./queue.ts";
import { createAbortSignal, signalAbort } from "../abort.ts";
import type { SizeAlgorithm } from "./convert.ts";

export const WRITABLE = 0;
export const CLOSED = 1;
export const ERRORING = 2;
export const ERRORED = 3;

interface AbortRequest {
  promise: Eventual;
  reason: unknown;
  wasErroring: boolean;
}

export class Writable {
  state = WRITABLE;
  storedError: unknown = undefined;
  writer: Writer | null = null;
  controller: WritableController = null!;
  requests: Fifo<Eventual> = new Fifo();
  inFlightWrite: Eventual | null = null;
  closeRequest: Eventual | null = null;
  inFlightClose: Eventual | null = null;
  abortRequest: AbortRequest | null = null;
  backpressure = false;
  wrapper: object | null = null;
}

export class Writer {
  stream: Writable | null;
  ready: Eventual;
  closed: Eventual;
  constructor(stream: Writable) {
    if (stream.writer !== null) throw new TypeErrorCtor("The WritableStream is locked to a writer already");
    this.stream = stream;
    stream.writer = this;
    const { state, storedError } = stream;
    this.ready = state === ERRORING || state === ERRORED ? rejected(storedError, true)
      : state === WRITABLE && stream.backpressure && !closeQueuedOrInFlight(stream) ? new Eventual(true) : fulfilled();
    this.closed = state === ERRORED ? rejected(storedError, true) : state === CLOSED ? fulfilled() : new Eventual(true);
  }
}

export class WritableController {
  wrapper: object | null = null;
  stream: Writable;
  queue = new SizedQueue();
  started = false;
  highWaterMark: number;
  size: SizeAlgorithm;
  write: ((chunk: any) => Outcome) | null = null;
  close: (() => Outcome) | null = null;
  abort: ((reason: any) => Outcome) | null = null;
  /** Made when somebody asks for it. */
  signal: ReturnType<typeof createAbortSignal> | null = null;
  aborted = false;
  abortReason: unknown = undefined;
  constructor(stream: Writable, highWaterMark: number, size: SizeAlgorithm) {
    this.stream = stream;
    this.highWaterMark = highWaterMark;
    this.size = size;
    stream.controller = this;
  }
}

/** The rest of SetUpWritableStreamDefaultController once start has been called. */
export function startWritable(c: WritableController, outcome: Outcome): void {
  react(outcome, c, started, startFailed);
}

function started(c: WritableController): void {
  c.started = true;
  advance(c);
}

function startFailed(c: WritableController, reason: unknown): void {
  c.started = true;
  dealWithRejection(c.stream, reason);
}

/** The signal that sinks see; it exists from now on. */
export function signalOf(c: WritableController): ReturnType<typeof createAbortSignal> {
  if (c.signal === null) {
    c.signal = createAbortSignal();
    if (c.aborted) signalAbort(c.signal, c.abortReason);
  }
  return c.signal;
}

export function closeQueuedOrInFlight(stream: Writable): boolean {
  return stream.closeRequest !== null || stream.inFlightClose !== null;
}

/** WritableStreamAbort */
export function abort(stream: Writable, reason: unknown): Eventual {
  if (stream.state === CLOSED || stream.state === ERRORED) return fulfilled();
  const c = stream.controller;
  if (!c.aborted) {
    c.aborted = true;
    c.abortReason = reason;
    if (c.signal !== null) signalAbort(c.signal, reason);
  }
  // The signal's listeners may have changed the state.
  const state: number = stream.state;
  if (state === CLOSED || state === ERRORED) return fulfilled();
  if (stream.abortRequest !== null) return stream.abortRequest.promise;
  const wasErroring = state === ERRORING;
  const promise = new Eventual(false);
  stream.abortRequest = { promise, reason: wasErroring ? undefined : reason, wasErroring };
  if (!wasErroring) startErroring(stream, reason);
  return promise;
}

/** WritableStreamClose */
export function close(stream: Writable): Eventual {
  if (stream.state === CLOSED || stream.state === ERRORED) {
    return rejected(new TypeErrorCtor(`Cannot close: the stream ${stream.state === CLOSED ? "is closed" : "has failed"}`));
  }
  const promise = stream.closeRequest = new Eventual(false);
  if (stream.writer !== null && stream.backpressure && stream.state === WRITABLE) fulfill(stream.writer.ready);
  const c = stream.controller;
  c.queue.enqueue(closeSentinel, 0);
  advance(c);
  return promise;
}

const closeSentinel = { __proto__: null };

/** Stands for the promise of a write that nobody waits for. */
const unheard = fulfilled();

/** WritableStreamDefaultWriterWrite; without heard its promise is made only when lastWrite asks. */
export function write(writer: Writer, chunk: unknown, heard: boolean): Eventual {
  const stream = writer.stream!;
  const c = stream.controller;
  let size = 1;
  if (c.size !== null) {
    try {
      size = c.size(chunk);
    } catch (e) {
      errorIfNeeded(c, e);
    }
  }
  if (stream !== writer.stream) return rejected(new TypeErrorCtor("The writer was released"));
  if (stream.state === ERRORED) return rejected(stream.storedError);
  if (closeQueuedOrInFlight(stream) || stream.state === CLOSED) {
    return rejected(new TypeErrorCtor(`Cannot write: the stream is ${stream.state === CLOSED ? "closed" : "closing"}`));
  }
  if (stream.state === ERRORING) return rejected(stream.storedError);
  const promise = heard ? new Eventual(false) : unheard;
  stream.requests.push(promise);
  if (size === 1) {
    c.queue.enqueue(chunk, 1);
  } else {
    try {
      c.queue.enqueue(chunk, size);
    } catch (e) {
      errorIfNeeded(c, e);
      return promise;
    }
  }
  if (stream.state === WRITABLE && !closeQueuedOrInFlight(stream)) updateBackpressure(stream, c);
  advance(c);
  return promise;
}

/** Settles with the last write that was made; undefined if there is none left. */
export function lastWrite(stream: Writable): Outcome {
  const { requests } = stream;
  if (requests.length > 0) {
    const e = new Eventual(false);
    requests.replaceLast(e);
    return e;
  }
  if (stream.inFlightWrite === unheard) stream.inFlightWrite = new Eventual(false);
  return stream.inFlightWrite ?? undefined;
}

/** WritableStreamDefaultWriterCloseWithErrorPropagation */
export function closeWithErrorPropagation(writer: Writer): Eventual {
  const stream = writer.stream!;
  if (closeQueuedOrInFlight(stream) || stream.state === CLOSED) return fulfilled();
  if (stream.state === ERRORED) return rejected(stream.storedError);
  return close(stream);
}

/** WritableStreamDefaultWriterRelease */
export function releaseWriter(writer: Writer): void {
  const error = new TypeErrorCtor("The writer was released");
  ensureReadyRejected(writer, error);
  ensureClosedRejected(writer, error);
  writer.stream!.writer = null;
  writer.stream = null;
}

/** WritableStreamDefaultWriterGetDesiredSize */
export function desiredSize(stream: Writable): number | null {
  if (stream.state === ERRORED || stream.state === ERRORING) return null;
  if (stream.state === CLOSED) return 0;
  return stream.controller.highWaterMark - stream.controller.queue.total;
}

function ensureReadyRejected(writer: Writer, reason: unknown): void {
  if (isPending(writer.ready)) reject(writer.ready, reason);
  else writer.ready = rejected(reason, true);
}

function ensureClosedRejected(writer: Writer, reason: unknown): void {
  if (isPending(writer.closed)) reject(writer.closed, reason);
  else writer.closed = rejected(reason, true);
}

function dealWithRejection(stream: Writable, reason: unknown): void {
  if (stream.state === WRITABLE) startErroring(stream, reason);
  else finishErroring(stream);
}

function startErroring(stream: Writable, reason: unknown): void {
  stream.state = ERRORING;
  stream.storedError = reason;
  if (stream.writer !== null) ensureReadyRejected(stream.writer, reason);
  if (stream.inFlightWrite === null && stream.inFlightClose === null && stream.controller.started) finishErroring(stream);
}

function finishErroring(stream: Writable): void {
  stream.state = ERRORED;
  const c = stream.controller;
  c.queue.reset();
  const { requests, abortRequest } = stream;
  while (requests.length > 0) reject(requests.shift(), stream.storedError);
  if (abortRequest === null) {
    rejectCloseAndClosed(stream);
    return;
  }
  stream.abortRequest = null;
  if (abortRequest.wasErroring) {
    reject(abortRequest.promise, stream.storedError);
    rejectCloseAndClosed(stream);
    return;
  }
  const run = c.abort;
  const result = run === null ? undefined : run(abortRequest.reason);
  clearAlgorithms(c);
  react(result, { stream, promise: abortRequest.promise }, aborted, abortFailed);
}

interface Aborting {
  stream: Writable;
  promise: Eventual;
}

function aborted(a: Aborting): void {
  fulfill(a.promise);
  rejectCloseAndClosed(a.stream);
}

function abortFailed(a: Aborting, reason: unknown): void {
  reject(a.promise, reason);
  rejectCloseAndClosed(a.stream);
}

function rejectCloseAndClosed(stream: Writable): void {
  if (stream.closeRequest !== null) {
    reject(stream.closeRequest, stream.storedError);
    stream.closeRequest = null;
  }
  if (stream.writer !== null) ensureClosedRejected(stream.writer, stream.storedError);
}

function updateBackpressure(stream: Writable, c: WritableController): void {
  const backpressure = c.highWaterMark - c.queue.total <= 0;
  if (backpressure === stream.backpressure) return;
  stream.backpressure = backpressure;
  const { writer } = stream;
  if (writer === null) return;
  if (backpressure) writer.ready = renew(writer.ready);
  else fulfill(writer.ready);
}

function clearAlgorithms(c: WritableController): void {
  c.write = null;
  c.close = null;
  c.abort = null;
  c.size = null;
}

function advance(c: WritableController): void {
  const { stream } = c;
  if (!c.started || stream.inFlightWrite !== null) return;
  if (stream.state === ERRORING) {
    finishErroring(stream);
    return;
  }
  if (c.queue.length === 0) return;
  const value = c.queue.peek();
  if (value === closeSentinel) {
    processClose(c);
    return;
  }
  stream.inFlightWrite = stream.requests.shift();
  const outcome = c.write === null ? undefined : c.write(value);
  if (outcome !== later) react(outcome, c, wrote, writeFailed);
}

/** The reaction to the sink's write promise. */
export function wrote(c: WritableController): void {
  const { stream } = c;
  fulfill(stream.inFlightWrite!);
  stream.inFlightWrite = null;
  c.queue.dequeue();
  if (stream.state === WRITABLE && !closeQueuedOrInFlight(stream)) updateBackpressure(stream, c);
  advance(c);
}

/** The reaction to the sink's write promise. */
export function writeFailed(c: WritableController, reason: unknown): void {
  const { stream } = c;
  if (stream.state === WRITABLE) clearAlgorithms(c);
  reject(stream.inFlightWrite!, reason);
  stream.inFlightWrite = null;
  dealWithRejection(stream, reason);
}

function processClose(c: WritableController): void {
  const { stream } = c;
  stream.inFlightClose = stream.closeRequest;
  stream.closeRequest = null;
  c.queue.dequeue();
  const run = c.close;
  const result = run === null ? undefined : run();
  clearAlgorithms(c);
  react(result, stream, closed, closeFailed);
}

function closed(stream: Writable): void {
  fulfill(stream.inFlightClose!);
  stream.inFlightClose = null;
  if (stream.state === ERRORING) {
    stream.storedError = undefined;
    if (stream.abortRequest !== null) {
      fulfill(stream.abortRequest.promise);
      stream.abortRequest = null;
    }
  }
  stream.state = CLOSED;
  if (stream.writer !== null) fulfill(stream.writer.closed);
}

function closeFailed(stream: Writable, reason: unknown): void {
  reject(stream.inFlightClose!, reason);
  stream.inFlightClose = null;
  if (stream.abortRequest !== null) {
    reject(stream.abortRequest.promise, reason);
    stream.abortRequest = null;
  }
  dealWithRejection(stream, reason);
}

/** WritableStreamDefaultControllerErrorIfNeeded */
export function errorIfNeeded(c: WritableController, reason: unknown): void {
  if (c.stream.state === WRITABLE) errorWritable(c, reason);
}

/** WritableStreamDefaultControllerError */
export function errorWritable(c: WritableController, reason: unknown): void {
  clearAlgorithms(c);
  startErroring(c.stream, reason);
}

/** A writable stream whose controller has not been started yet. */
export function newWritable(highWaterMark: number, size: SizeAlgorithm): WritableController {
  const stream = new Writable();
  const c = new WritableController(stream, highWaterMark, size);
  stream.backpressure = highWaterMark <= 0;
  return c;
}
