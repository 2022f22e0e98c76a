// https://streams.spec.whatwg.org/#rbs-controller-abstract-ops

import {
  ArrayBufferCtor, RangeErrorCtor, TypeErrorCtor, Uint8ArrayCtor, bufferByteLength, bufferDetached, bufferSlice, bufferTransfer,
  bytesSet, viewParts, type ViewConstructor, type ViewParts,
} from "./intrinsics.ts";
import { react, type Outcome } from "./eventual.ts";
import { Fifo } from "./queue.ts";
import {
  CLOSED, READABLE, Readable, Reader, close, error, fulfillRequest, hasByobReader, hasDefaultReader, waitingRequests, type Controller, type ReadRequest,
} from "./readable.ts";
import type { Cancel, Pull } from "./readable_default.ts";

type ReaderType = "default" | "byob" | "none";

interface PullInto {
  buffer: ArrayBuffer;
  bufferByteLength: number;
  byteOffset: number;
  byteLength: number;
  bytesFilled: number;
  minimumFill: number;
  elementSize: number;
  ctor: ViewConstructor;
  readerType: ReaderType;
}

interface Entry {
  buffer: ArrayBuffer;
  byteOffset: number;
  byteLength: number;
}

class ByteQueue {
  entries = new Fifo<Entry>();
  total = 0;
  push(buffer: ArrayBuffer, byteOffset: number, byteLength: number): void {
    this.entries.push({ buffer, byteOffset, byteLength });
    this.total += byteLength;
  }
}

/** The request that a BYOB source answers; view is null once answered. */
export class ByobRequest {
  wrapper: object | null = null;
  controller: ByteController | null;
  view: Uint8Array | null;
  constructor(controller: ByteController, view: Uint8Array) {
    this.controller = controller;
    this.view = view;
  }
}

export class ByteController implements Controller {
  readonly bytes = true;
  wrapper: object | null = null;
  stream: Readable;
  queue = new ByteQueue();
  pending = new Fifo<PullInto>();
  request: ByobRequest | null = null;
  started = false;
  closeRequested = false;
  pullAgain = false;
  pulling = false;
  highWaterMark: number;
  /** 0: no buffers are allocated for default readers. */
  autoAllocate: number;
  pull: Pull = null;
  cancel: Cancel = null;
  constructor(stream: Readable, highWaterMark: number, autoAllocate: number) {
    this.stream = stream;
    this.highWaterMark = highWaterMark;
    this.autoAllocate = autoAllocate;
    stream.controller = this;
  }
  cancelSteps(reason: unknown): Outcome {
    clearPending(this);
    this.queue = new ByteQueue();
    const { cancel } = this;
    const result = cancel === null ? undefined : cancel(reason);
    clearAlgorithms(this);
    return result;
  }
  pullSteps(request: ReadRequest): void {
    if (this.queue.total > 0) {
      fillReadRequest(this, request);
      return;
    }
    const size = this.autoAllocate;
    if (size > 0) {
      let buffer: ArrayBuffer;
      try {
        buffer = new ArrayBufferCtor(size);
      } catch (e) {
        request.error(e);
        return;
      }
      this.pending.push({
        buffer, bufferByteLength: size, byteOffset: 0, byteLength: size, bytesFilled: 0, minimumFill: 1, elementSize: 1,
        ctor: Uint8ArrayCtor as ViewConstructor, readerType: "default",
      });
    }
    this.stream.reader!.requests.push(request);
    callPullIfNeeded(this);
  }
  releaseSteps(): void {
    if (this.pending.length === 0) return;
    const first = this.pending.peek();
    first.readerType = "none";
    this.pending = new Fifo();
    this.pending.push(first);
  }
}

/** The reactions to the start promise. */
export function startBytes(c: ByteController, outcome: Outcome): void {
  react(outcome, c, started, byteError);
}

function started(c: ByteController): void {
  c.started = true;
  callPullIfNeeded(c);
}

function shouldCallPull(c: ByteController): boolean {
  if (c.stream.state !== READABLE || c.closeRequested || !c.started) return false;
  return waitingRequests(c.stream) > 0 || c.highWaterMark - c.queue.total > 0;
}

function callPullIfNeeded(c: ByteController): void {
  const { pull } = c;
  if (pull === null || !shouldCallPull(c)) return;
  if (c.pulling) {
    c.pullAgain = true;
    return;
  }
  c.pulling = true;
  react(pull(), c, pulled, byteError);
}

function pulled(c: ByteController): void {
  c.pulling = false;
  if (c.pullAgain) {
    c.pullAgain = false;
    callPullIfNeeded(c);
  }
}

function clearAlgorithms(c: ByteController): void {
  c.pull = null;
  c.cancel = null;
}

function clearPending(c: ByteController): void {
  invalidateRequest(c);
  c.pending = new Fifo();
}

function invalidateRequest(c: ByteController): void {
  if (c.request === null) return;
  c.request.controller = null;
  c.request.view = null;
  c.request = null;
}

/** ReadableByteStreamControllerGetBYOBRequest */
export function byobRequest(c: ByteController): ByobRequest | null {
  if (c.request === null && c.pending.length > 0) {
    const first = c.pending.peek();
    const view = new Uint8ArrayCtor(first.buffer, first.byteOffset + first.bytesFilled, first.byteLength - first.bytesFilled);
    c.request = new ByobRequest(c, view);
  }
  return c.request;
}

/** ReadableByteStreamControllerClose */
export function byteClose(c: ByteController): void {
  if (c.closeRequested || c.stream.state !== READABLE) return;
  if (c.queue.total > 0) {
    c.closeRequested = true;
    return;
  }
  if (c.pending.length > 0) {
    const first = c.pending.peek();
    if (first.bytesFilled % first.elementSize !== 0) {
      const e = new TypeErrorCtor("The stream closed with part of an element in the view of a BYOB read");
      byteError(c, e);
      throw e;
    }
  }
  clearAlgorithms(c);
  close(c.stream);
}

/** ReadableByteStreamControllerError */
export function byteError(c: ByteController, reason: unknown): void {
  if (c.stream.state !== READABLE) return;
  clearPending(c);
  c.queue = new ByteQueue();
  clearAlgorithms(c);
  error(c.stream, reason);
}

function detachedError(what: string): TypeError {
  return new TypeErrorCtor(`${what} was transferred: its ArrayBuffer is detached`);
}

/** ReadableByteStreamControllerEnqueue */
export function byteEnqueue(c: ByteController, chunk: ArrayBufferView): void {
  const { stream } = c;
  if (c.closeRequested || stream.state !== READABLE) return;
  const parts = viewParts(chunk);
  if (bufferDetached(parts.buffer)) throw detachedError("The chunk");
  const { byteOffset, byteLength } = parts;
  const buffer = bufferTransfer(parts.buffer);
  if (c.pending.length > 0) {
    const first = c.pending.peek();
    if (bufferDetached(first.buffer)) throw detachedError("The view of the pending BYOB request");
    invalidateRequest(c);
    first.buffer = bufferTransfer(first.buffer);
    if (first.readerType === "none") enqueueDetached(c, first);
  }
  if (hasDefaultReader(stream)) {
    processReadRequests(c);
    if (waitingRequests(stream) === 0) {
      c.queue.push(buffer, byteOffset, byteLength);
    } else {
      if (c.pending.length > 0) shiftPending(c);
      fulfillRequest(stream, new Uint8ArrayCtor(buffer, byteOffset, byteLength), false);
    }
  } else {
    c.queue.push(buffer, byteOffset, byteLength);
    if (hasByobReader(stream)) commitAll(stream, processPending(c));
  }
  callPullIfNeeded(c);
}

function enqueueCloned(c: ByteController, buffer: ArrayBuffer, byteOffset: number, byteLength: number): void {
  let clone: ArrayBuffer;
  try {
    clone = bufferSlice(buffer, byteOffset, byteOffset + byteLength);
  } catch (e) {
    byteError(c, e);
    throw e;
  }
  c.queue.push(clone, 0, byteLength);
}

function enqueueDetached(c: ByteController, d: PullInto): void {
  if (d.bytesFilled > 0) enqueueCloned(c, d.buffer, d.byteOffset, d.bytesFilled);
  shiftPending(c);
}

function shiftPending(c: ByteController): PullInto {
  return c.pending.shift();
}

/** FillPullIntoDescriptorFromQueue: true once the descriptor holds what its read asked for. */
function fillFromQueue(c: ByteController, d: PullInto): boolean {
  const { queue } = c;
  const room = d.byteLength - d.bytesFilled;
  const most = queue.total < room ? queue.total : room;
  const filled = d.bytesFilled + most;
  const aligned = filled - filled % d.elementSize;
  const ready = aligned >= d.minimumFill;
  let left = ready ? aligned - d.bytesFilled : most;
  const target = new Uint8ArrayCtor(d.buffer);
  while (left > 0) {
    const entry = queue.entries.peek();
    const n = left < entry.byteLength ? left : entry.byteLength;
    bytesSet(target, new Uint8ArrayCtor(entry.buffer, entry.byteOffset, n), d.byteOffset + d.bytesFilled);
    if (n === entry.byteLength) {
      queue.entries.shift();
    } else {
      entry.byteOffset += n;
      entry.byteLength -= n;
    }
    queue.total -= n;
    d.bytesFilled += n;
    left -= n;
  }
  return ready;
}

function fillReadRequest(c: ByteController, request: ReadRequest): void {
  const entry = c.queue.entries.shift();
  c.queue.total -= entry.byteLength;
  handleDrain(c);
  request.chunk(new Uint8ArrayCtor(entry.buffer, entry.byteOffset, entry.byteLength));
}

function handleDrain(c: ByteController): void {
  if (c.queue.total === 0 && c.closeRequested) {
    clearAlgorithms(c);
    close(c.stream);
  } else {
    callPullIfNeeded(c);
  }
}

function processReadRequests(c: ByteController): void {
  const { requests } = c.stream.reader!;
  while (requests.length > 0 && c.queue.total > 0) fillReadRequest(c, requests.shift());
}

function processPending(c: ByteController): PullInto[] {
  const filled: PullInto[] = [];
  while (c.pending.length > 0 && c.queue.total > 0) {
    const first = c.pending.peek();
    if (!fillFromQueue(c, first)) continue;
    shiftPending(c);
    filled[filled.length] = first;
  }
  return filled;
}

function commit(stream: Readable, d: PullInto): void {
  fulfillRequest(stream, toViewOf(d), stream.state === CLOSED);
}

function commitAll(stream: Readable, filled: PullInto[]): void {
  for (let i = 0; i < filled.length; i++) commit(stream, filled[i]!);
}

function toViewOf(d: PullInto): ArrayBufferView {
  return new d.ctor(bufferTransfer(d.buffer), d.byteOffset, d.bytesFilled / d.elementSize);
}

/** ReadableStreamBYOBReaderRead */
export function readInto(reader: Reader, view: ArrayBufferView, minimum: number, request: ReadRequest): void {
  const stream = reader.stream!;
  stream.disturbed = true;
  if (stream.state !== READABLE && stream.state !== CLOSED) request.error(stream.storedError);
  else pullInto(stream.controller as ByteController, viewParts(view), minimum, request);
}

function pullInto(c: ByteController, parts: ViewParts, minimum: number, request: ReadRequest): void {
  const { stream } = c;
  let buffer: ArrayBuffer;
  try {
    buffer = bufferTransfer(parts.buffer);
  } catch (e) {
    request.error(e);
    return;
  }
  const d: PullInto = {
    buffer, bufferByteLength: bufferByteLength(buffer), byteOffset: parts.byteOffset, byteLength: parts.byteLength, bytesFilled: 0,
    minimumFill: minimum * parts.elementSize, elementSize: parts.elementSize, ctor: parts.ctor, readerType: "byob",
  };
  if (c.pending.length > 0) {
    c.pending.push(d);
    stream.reader!.requests.push(request);
    return;
  }
  if (stream.state === CLOSED) {
    request.close(new d.ctor(d.buffer, d.byteOffset, 0));
    return;
  }
  if (c.queue.total > 0) {
    if (fillFromQueue(c, d)) {
      const filled = toViewOf(d);
      handleDrain(c);
      request.chunk(filled);
      return;
    }
    if (c.closeRequested) {
      const e = new TypeErrorCtor("The stream closed before the view of a BYOB read had an element");
      byteError(c, e);
      request.error(e);
      return;
    }
  }
  c.pending.push(d);
  stream.reader!.requests.push(request);
  callPullIfNeeded(c);
}

/** ReadableByteStreamControllerRespond */
export function respond(c: ByteController, bytesWritten: number): void {
  const first = c.pending.peek();
  if (c.stream.state === CLOSED) {
    if (bytesWritten !== 0) throw new TypeErrorCtor("bytesWritten must be 0 when the stream is closed");
  } else {
    if (bytesWritten === 0) throw new TypeErrorCtor("bytesWritten must not be 0 while the stream is readable");
    if (first.bytesFilled + bytesWritten > first.byteLength) throw new RangeErrorCtor("bytesWritten is larger than the view of the request");
  }
  first.buffer = bufferTransfer(first.buffer);
  respondWith(c, bytesWritten);
}

/** ReadableByteStreamControllerRespondWithNewView */
export function respondWithNewView(c: ByteController, view: ArrayBufferView): void {
  const first = c.pending.peek();
  const { buffer, byteOffset, byteLength } = viewParts(view);
  if (c.stream.state === CLOSED) {
    if (byteLength !== 0) throw new TypeErrorCtor("The view must be empty when the stream is closed");
  } else if (byteLength === 0) {
    throw new TypeErrorCtor("The view must not be empty while the stream is readable");
  }
  if (first.byteOffset + first.bytesFilled !== byteOffset) throw new RangeErrorCtor("The view starts at another offset than the request's");
  if (first.bufferByteLength !== bufferByteLength(buffer)) throw new RangeErrorCtor("The view's buffer has another length than the request's");
  if (first.bytesFilled + byteLength > first.byteLength) throw new RangeErrorCtor("The view is larger than the request's");
  first.buffer = bufferTransfer(buffer);
  respondWith(c, byteLength);
}

function respondWith(c: ByteController, bytesWritten: number): void {
  const first = c.pending.peek();
  invalidateRequest(c);
  if (c.stream.state === CLOSED) respondClosed(c, first);
  else respondReadable(c, bytesWritten, first);
  callPullIfNeeded(c);
}

function respondClosed(c: ByteController, first: PullInto): void {
  if (first.readerType === "none") shiftPending(c);
  if (!hasByobReader(c.stream)) return;
  const filled: PullInto[] = [];
  const waiting = waitingRequests(c.stream);
  while (filled.length < waiting) filled[filled.length] = shiftPending(c);
  commitAll(c.stream, filled);
}

function respondReadable(c: ByteController, bytesWritten: number, d: PullInto): void {
  d.bytesFilled += bytesWritten;
  if (d.readerType === "none") {
    enqueueDetached(c, d);
    commitAll(c.stream, processPending(c));
    return;
  }
  if (d.bytesFilled < d.minimumFill) return;
  shiftPending(c);
  const rest = d.bytesFilled % d.elementSize;
  if (rest > 0) enqueueCloned(c, d.buffer, d.byteOffset + d.bytesFilled - rest, rest);
  d.bytesFilled -= rest;
  const filled = processPending(c);
  commit(c.stream, d);
  commitAll(c.stream, filled);
}

/** CreateReadableByteStream, already started in the next microtask. */
export function createReadableBytes(pull: Pull, cancel: Cancel, highWaterMark = 0): Readable {
  const stream = new Readable();
  const c = new ByteController(stream, highWaterMark, 0);
  c.pull = pull;
  c.cancel = cancel;
  startBytes(c, undefined);
  return stream;
}
