// https://streams.spec.whatwg.org/#readable-stream-pipe-to

import { TypeErrorCtor, getter } from "./intrinsics.ts";
import { Eventual, enqueueJob, fulfill, fulfilled, react, reject, type Outcome } from "./eventual.ts";
import { AbortSignal, addAbortAlgorithm, removeAbortAlgorithm } from "../abort.ts";
import * as R from "./readable.ts";
import * as W from "./writable.ts";

const isAborted = getter(AbortSignal.prototype, "aborted");
const reasonOf = getter(AbortSignal.prototype, "reason");

export interface PipeOptions {
  preventAbort: boolean;
  preventCancel: boolean;
  preventClose: boolean;
  signal: AbortSignal | undefined;
}

type Action = (() => Outcome) | null;

class Pipe implements R.ReadRequest {
  source: R.Readable;
  dest: W.Writable;
  reader: R.Reader;
  writer: W.Writer;
  options: PipeOptions;
  done = new Eventual(false);
  shuttingDown = false;
  /** A chunk that was read is about to be written. */
  holding = false;
  onAbort: (() => void) | null = null;
  action: Action = null;
  failed = false;
  failure: unknown = undefined;
  constructor(source: R.Readable, dest: W.Writable, options: PipeOptions) {
    this.source = source;
    this.dest = dest;
    this.options = options;
    this.reader = new R.Reader(source, false);
    this.writer = new W.Writer(dest);
  }
  chunk(value: unknown): void {
    this.holding = true;
    enqueueJob(deliver, this, value);
  }
  close(): void {}
  error(): void {}
}

/** Pipes; both streams must be unlocked. */
export function pipeTo(source: R.Readable, dest: W.Writable, options: PipeOptions): Eventual {
  const p = new Pipe(source, dest, options);
  const { signal } = options;
  source.disturbed = true;
  if (signal !== undefined) {
    p.onAbort = () => aborted(p);
    if (isAborted(signal)) {
      aborted(p);
      return p.done;
    }
    addAbortAlgorithm(signal, p.onAbort);
  }
  if (source.state === R.ERRORED) sourceFailed(p);
  else if (dest.state === W.ERRORED) destFailed(p);
  else if (source.state === R.CLOSED) sourceClosed(p);
  if (!p.shuttingDown && (W.closeQueuedOrInFlight(dest) || dest.state === W.CLOSED)) destClosed(p);
  if (!p.shuttingDown) {
    react(p.reader.closed, p, sourceClosed, sourceFailed);
    react(p.writer.closed, p, nothing, destFailed);
    pump(p);
  }
  return p.done;
}

function nothing(): undefined {}

/** Reads as long as the destination wants chunks. */
function pump(p: Pipe): void {
  if (p.shuttingDown) return;
  const size = W.desiredSize(p.dest);
  if (size !== null && size > 0) R.read(p.reader, p);
  else react(p.writer.ready, p, pump, nothing);
}

function deliver(p: Pipe, value: unknown): void {
  p.holding = false;
  W.write(p.writer, value, false);
  pump(p);
}

function sourceFailed(p: Pipe): void {
  const { source, dest } = p;
  shutdown(p, p.options.preventAbort ? null : () => W.abort(dest, source.storedError), true, source.storedError);
}

function destFailed(p: Pipe): void {
  const { source, dest } = p;
  shutdown(p, p.options.preventCancel ? null : () => R.cancel(source, dest.storedError), true, dest.storedError);
}

function sourceClosed(p: Pipe): void {
  shutdown(p, p.options.preventClose ? null : () => W.closeWithErrorPropagation(p.writer), false, undefined);
}

function destClosed(p: Pipe): void {
  const error = new TypeErrorCtor("The destination of the pipe is closed or closing");
  shutdown(p, p.options.preventCancel ? null : () => R.cancel(p.source, error), true, error);
}

function aborted(p: Pipe): void {
  const { source, dest, options } = p;
  const reason = reasonOf(options.signal);
  shutdown(p, () => {
    const abort = options.preventAbort || dest.state !== W.WRITABLE ? fulfilled() : W.abort(dest, reason);
    const cancel = options.preventCancel || source.state !== R.READABLE ? fulfilled() : R.cancel(source, reason);
    return both(abort, cancel);
  }, true, reason);
}

/** Fulfilled when both are, rejected by the first that rejects. */
function both(a: Eventual, b: Eventual): Eventual {
  const result = new Eventual(false);
  react(a, result, (r) => react(b, r, fulfill, nothing), reject);
  react(b, result, nothing, reject);
  return result;
}

function shutdown(p: Pipe, action: Action, failed: boolean, failure: unknown): void {
  if (p.shuttingDown) return;
  p.shuttingDown = true;
  p.action = action;
  p.failed = failed;
  p.failure = failure;
  if (p.dest.state === W.WRITABLE && !W.closeQueuedOrInFlight(p.dest)) awaitWrites(p);
  else act(p);
}

/** Every chunk that was read gets written, and its write settles. */
function awaitWrites(p: Pipe): void {
  react(W.lastWrite(p.dest), p, writesSettled, writesSettled);
}

function writesSettled(p: Pipe): void {
  if (p.holding || p.dest.inFlightWrite !== null || p.dest.requests.length > 0) awaitWrites(p);
  else act(p);
}

function act(p: Pipe): void {
  const { action } = p;
  if (action === null) finalize(p);
  else react(action(), p, finalize, actionFailed);
}

function actionFailed(p: Pipe, reason: unknown): void {
  p.failed = true;
  p.failure = reason;
  finalize(p);
}

function finalize(p: Pipe): void {
  W.releaseWriter(p.writer);
  R.release(p.reader);
  if (p.onAbort !== null) removeAbortAlgorithm(p.options.signal!, p.onAbort);
  if (p.failed) reject(p.done, p.failure);
  else fulfill(p.done);
}
