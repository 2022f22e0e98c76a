// https://streams.spec.whatwg.org/#rs-default-controller-abstract-ops

import { TypeErrorCtor } from "./intrinsics.ts";
import { later, react, type Outcome } from "./eventual.ts";
import { SizedQueue } from "./queue.ts";
import { ERRORED, READABLE, Readable, close, error, type Controller, type ReadRequest } from "./readable.ts";
import type { SizeAlgorithm } from "./convert.ts";

export type Pull = (() => Outcome) | null;
export type Cancel = ((reason: any) => Outcome) | null;

export class DefaultController implements Controller {
  readonly bytes = false;
  wrapper: object | null = null;
  stream: Readable;
  queue = new SizedQueue();
  started = false;
  closeRequested = false;
  pullAgain = false;
  pulling = false;
  highWaterMark: number;
  size: SizeAlgorithm;
  pull: Pull = null;
  cancel: Cancel = null;
  constructor(stream: Readable, highWaterMark: number, size: SizeAlgorithm) {
    this.stream = stream;
    this.highWaterMark = highWaterMark;
    this.size = size;
    stream.controller = this;
  }
  cancelSteps(reason: unknown): Outcome {
    this.queue.reset();
    const { cancel } = this;
    const result = cancel === null ? undefined : cancel(reason);
    clearAlgorithms(this);
    return result;
  }
  pullSteps(request: ReadRequest): void {
    const { queue, stream } = this;
    if (queue.length === 0) {
      stream.reader!.requests.push(request);
      callPullIfNeeded(this);
      return;
    }
    const chunk = queue.dequeue();
    if (this.closeRequested && queue.length === 0) {
      clearAlgorithms(this);
      close(stream);
    } else {
      callPullIfNeeded(this);
    }
    request.chunk(chunk);
  }
  releaseSteps(): void {}
}

/** The reactions to the start promise; the controller becomes live one microtask after the outcome. */
export function start(c: DefaultController, outcome: Outcome): void {
  react(outcome, c, started, defaultError);
}

function started(c: DefaultController): void {
  c.started = true;
  callPullIfNeeded(c);
}

function shouldCallPull(c: DefaultController): boolean {
  const { stream } = c;
  if (stream.state !== READABLE || c.closeRequested || !c.started) return false;
  const { reader } = stream;
  if (reader !== null && reader.requests.length > 0) return true;
  return c.highWaterMark - c.queue.total > 0;
}

function callPullIfNeeded(c: DefaultController): void {
  const { pull } = c;
  if (pull === null || !shouldCallPull(c)) return;
  if (c.pulling) {
    c.pullAgain = true;
    return;
  }
  c.pulling = true;
  const outcome = pull();
  if (outcome !== later) react(outcome, c, pulled, defaultError);
}

/** The reaction to the pull promise. */
export function pulled(c: DefaultController): void {
  c.pulling = false;
  if (c.pullAgain) {
    c.pullAgain = false;
    callPullIfNeeded(c);
  }
}

function clearAlgorithms(c: DefaultController): void {
  c.pull = null;
  c.cancel = null;
  c.size = null;
}

/** ReadableStreamDefaultControllerCanCloseOrEnqueue */
export function canCloseOrEnqueue(c: DefaultController): boolean {
  return !c.closeRequested && c.stream.state === READABLE;
}

/** ReadableStreamDefaultControllerClose */
export function defaultClose(c: DefaultController): void {
  if (!canCloseOrEnqueue(c)) return;
  c.closeRequested = true;
  if (c.queue.length === 0) {
    clearAlgorithms(c);
    close(c.stream);
  }
}

/** ReadableStreamDefaultControllerEnqueue; throws what the size algorithm throws. */
export function defaultEnqueue(c: DefaultController, chunk: unknown): void {
  const { stream } = c;
  if (stream.state !== READABLE || c.closeRequested) return;
  const { reader } = stream;
  if (reader !== null && reader.requests.length > 0) {
    reader.requests.shift().chunk(chunk);
  } else if (c.size === null) {
    c.queue.enqueue(chunk, 1);
  } else {
    try {
      c.queue.enqueue(chunk, c.size(chunk));
    } catch (e) {
      defaultError(c, e);
      throw e;
    }
  }
  callPullIfNeeded(c);
}

/** ReadableStreamDefaultControllerError */
export function defaultError(c: DefaultController, reason: unknown): void {
  if (c.stream.state !== READABLE) return;
  c.queue.reset();
  clearAlgorithms(c);
  error(c.stream, reason);
}

/** ReadableStreamDefaultControllerGetDesiredSize */
export function desiredSize(c: { stream: Readable; highWaterMark: number; queue: { total: number } }): number | null {
  if (c.stream.state === ERRORED) return null;
  return c.stream.state === READABLE ? c.highWaterMark - c.queue.total : 0;
}

/** ReadableStreamDefaultControllerHasBackpressure */
export function hasBackpressure(c: DefaultController): boolean {
  return !shouldCallPull(c);
}

/** The TypeError of an enqueue or close that comes too late. */
export function refuse(c: { closeRequested: boolean; stream: Readable }, what: string): TypeError {
  const state = c.closeRequested ? "is closing" : c.stream.state === ERRORED ? "has failed" : "is closed";
  return new TypeErrorCtor(`Cannot ${what}: the stream ${state}`);
}

/** CreateReadableStream: start's outcome is passed on, so that a transform stream can share it. */
export function createReadable(startOutcome: Outcome, pull: Pull, cancel: Cancel, highWaterMark = 1, size: SizeAlgorithm = null): Readable {
  const stream = new Readable();
  const c = new DefaultController(stream, highWaterMark, size);
  c.pull = pull;
  c.cancel = cancel;
  start(c, startOutcome);
  return stream;
}
