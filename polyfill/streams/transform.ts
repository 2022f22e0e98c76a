// https://streams.spec.whatwg.org/#ts-abstract-ops

import { TypeErrorCtor } from "./intrinsics.ts";
import { Eventual, asyncContext, enqueueJob, enqueueJobIn, fulfill, later, react, reject, rejected, resolve, type Frame, type Outcome } from "./eventual.ts";
import * as R from "./readable.ts";
import * as W from "./writable.ts";
import { writeFailed, wrote } from "./writable.ts";
import { canCloseOrEnqueue, createReadable, defaultClose, defaultEnqueue, defaultError, hasBackpressure, pulled, refuse, type DefaultController } from "./readable_default.ts";
import type { SizeAlgorithm } from "./convert.ts";

export class Transform {
  writable: W.Writable = null!;
  readable: R.Readable = null!;
  controller: TransformController = null!;
  backpressure = true;
  // What waits for the next change of backpressure: a pull, a write with its chunk.
  pulling = false;
  held = false;
  chunk: unknown = undefined;
  frame: Frame = undefined;
  wrapper: object | null = null;
}

export class TransformController {
  wrapper: object | null = null;
  stream: Transform;
  /** null enqueues chunks as they are. */
  transform: ((chunk: any) => Outcome) | null = null;
  flush: (() => Outcome) | null = null;
  cancel: ((reason: any) => Outcome) | null = null;
  finish: Eventual | null = null;
  constructor(stream: Transform) {
    this.stream = stream;
    stream.controller = this;
  }
}

/** InitializeTransformStream and SetUpTransformStreamDefaultController; both sides wait for start. */
export function initialize(
  start: Eventual, writableMark: number, writableSize: SizeAlgorithm, readableMark: number, readableSize: SizeAlgorithm,
): TransformController {
  const t = new Transform();
  const wc = W.newWritable(writableMark, writableSize);
  wc.write = (chunk) => sinkWrite(t, chunk);
  wc.abort = (reason) => sinkAbort(t, reason);
  wc.close = () => sinkClose(t);
  t.writable = wc.stream;
  W.startWritable(wc, adopted(start));
  t.readable = createReadable(adopted(start), () => sourcePull(t), (reason) => sourceCancel(t, reason), readableMark, readableSize);
  return new TransformController(t);
}

function adopted(start: Eventual): Eventual {
  const e = new Eventual(false);
  resolve(e, start);
  return e;
}

function readableController(t: Transform): DefaultController {
  return t.readable.controller as DefaultController;
}

function setBackpressure(t: Transform, backpressure: boolean): void {
  t.backpressure = backpressure;
  if (t.held) {
    t.held = false;
    enqueueJobIn(t.frame, performHeld, t, undefined);
  }
  if (t.pulling) {
    t.pulling = false;
    enqueueJob(pulled, readableController(t), undefined);
  }
}

function unblockWrite(t: Transform): void {
  if (t.backpressure) setBackpressure(t, false);
}

function clearAlgorithms(c: TransformController): void {
  c.transform = null;
  c.flush = null;
  c.cancel = null;
}

function errorWritableAndUnblockWrite(t: Transform, reason: unknown): void {
  clearAlgorithms(t.controller);
  W.errorIfNeeded(t.writable.controller, reason);
  unblockWrite(t);
}

/** TransformStreamDefaultControllerEnqueue */
export function transformEnqueue(c: TransformController, chunk: unknown): void {
  const t = c.stream;
  const rc = readableController(t);
  if (!canCloseOrEnqueue(rc)) throw refuse(rc, "enqueue");
  try {
    defaultEnqueue(rc, chunk);
  } catch (e) {
    errorWritableAndUnblockWrite(t, e);
    throw t.readable.storedError;
  }
  const backpressure = hasBackpressure(rc);
  if (backpressure !== t.backpressure) setBackpressure(t, true);
}

/** TransformStreamDefaultControllerError */
export function transformError(c: TransformController, reason: unknown): void {
  defaultError(readableController(c.stream), reason);
  errorWritableAndUnblockWrite(c.stream, reason);
}

/** TransformStreamDefaultControllerTerminate */
export function terminate(c: TransformController): void {
  const t = c.stream;
  defaultClose(readableController(t));
  errorWritableAndUnblockWrite(t, new TypeErrorCtor("The transform stream was terminated"));
}

// A write settles as many microtasks after the transform as the promises of the
// standard take: two, or three if the write had to wait, whose promise then
// follows another one.

function perform(t: Transform, chunk: unknown, waited: boolean): void {
  const c = t.controller;
  let outcome: Outcome;
  if (c.transform !== null) {
    outcome = c.transform(chunk);
  } else {
    try {
      transformEnqueue(c, chunk);
    } catch (e) {
      outcome = rejected(e);
    }
  }
  react(outcome, t, waited ? transformedLate : transformed, waited ? transformFailedLate : transformFailed);
}

function transformed(t: Transform): void {
  enqueueJob(wrote, t.writable.controller, undefined);
}

function transformedLate(t: Transform): void {
  enqueueJob(transformed, t, undefined);
}

function transformFailed(t: Transform, reason: unknown): void {
  transformError(t.controller, reason);
  enqueueJob(writeFailed, t.writable.controller, reason);
}

function transformFailedLate(t: Transform, reason: unknown): void {
  transformError(t.controller, reason);
  enqueueJob(fail, t, reason);
}

function fail(t: Transform, reason: unknown): void {
  enqueueJob(writeFailed, t.writable.controller, reason);
}

function performHeld(t: Transform): void {
  const { chunk, writable } = t;
  t.chunk = t.frame = undefined;
  if (writable.state === W.ERRORING) fail(t, writable.storedError);
  else perform(t, chunk, true);
}

function sinkWrite(t: Transform, chunk: unknown): Outcome {
  if (t.backpressure) {
    t.held = true;
    t.chunk = chunk;
    t.frame = asyncContext();
  } else {
    perform(t, chunk, false);
  }
  return later;
}

/** Runs once: cancel or flush, then settles the finish promise. */
function finishing<C>(c: TransformController, outcome: Outcome, context: C, ok: (context: C) => void, fail: (context: C, reason: unknown) => void): void {
  clearAlgorithms(c);
  react(outcome, context, ok, fail);
}

interface Ending {
  transform: Transform;
  reason: unknown;
}

function sinkAbort(t: Transform, reason: unknown): Outcome {
  const c = t.controller;
  if (c.finish !== null) return c.finish;
  c.finish = new Eventual(false);
  finishing<Ending>(c, c.cancel === null ? undefined : c.cancel(reason), { transform: t, reason }, abortFinished, readableFailed);
  return c.finish;
}

function abortFinished({ transform: t, reason }: Ending): void {
  if (t.readable.state === R.ERRORED) {
    reject(t.controller.finish!, t.readable.storedError);
  } else {
    defaultError(readableController(t), reason);
    fulfill(t.controller.finish!);
  }
}

function readableFailed({ transform: t }: Ending, reason: unknown): void {
  defaultError(readableController(t), reason);
  reject(t.controller.finish!, reason);
}

function sinkClose(t: Transform): Outcome {
  const c = t.controller;
  if (c.finish !== null) return c.finish;
  c.finish = new Eventual(false);
  finishing<Ending>(c, c.flush === null ? undefined : c.flush(), { transform: t, reason: undefined }, flushed, readableFailed);
  return c.finish;
}

function flushed({ transform: t }: Ending): void {
  if (t.readable.state === R.ERRORED) {
    reject(t.controller.finish!, t.readable.storedError);
  } else {
    defaultClose(readableController(t));
    fulfill(t.controller.finish!);
  }
}

function sourcePull(t: Transform): Outcome {
  setBackpressure(t, false);
  t.pulling = true;
  return later;
}

function sourceCancel(t: Transform, reason: unknown): Outcome {
  const c = t.controller;
  if (c.finish !== null) return c.finish;
  c.finish = new Eventual(false);
  finishing<Ending>(c, c.cancel === null ? undefined : c.cancel(reason), { transform: t, reason }, cancelFinished, cancelFailed);
  return c.finish;
}

function cancelFinished({ transform: t, reason }: Ending): void {
  if (t.writable.state === W.ERRORED) {
    reject(t.controller.finish!, t.writable.storedError);
    return;
  }
  W.errorIfNeeded(t.writable.controller, reason);
  unblockWrite(t);
  fulfill(t.controller.finish!);
}

function cancelFailed({ transform: t }: Ending, reason: unknown): void {
  W.errorIfNeeded(t.writable.controller, reason);
  unblockWrite(t);
  reject(t.controller.finish!, reason);
}
