// Bodies that cross the boundary, over the operations of body.go.
import { host } from "../polyfill/host.ts";
import { bindSource, chunkMessage, concat, type HostSource } from "../polyfill/body.ts";
import { setFetchHooks } from "../polyfill/hooks.ts";
import type { ReadableStream } from "../polyfill/streams.ts";
import {
  acquireReader, cancel, closeBytes, createBytes, enqueueBytes, errorBytes, newPump, openHandle, pumpOn, type NativePump, type PumpOwner,
} from "../polyfill/streams/internals.ts";
import { promiseFulfilled, promiseReject, promiseThen } from "../polyfill/streams/intrinsics.ts";
import { URL, isURLSearchParams } from "./url.ts";

const readOp = host.op<Promise<ArrayBuffer>>("body.read");
const pipeOp = host.op<number>("body.pipe");
const writeOp = host.op<number>("body.write");
const drainOp = host.op<Promise<void>>("body.drain");
const goneOp = host.op<Promise<boolean>>("body.gone");
const closeOp = host.op<void>("body.close");
const failOp = host.op<void>("body.fail");
const cancelOp = host.op<void>("body.cancel");

const apply = Reflect.apply;
const subarray = Uint8Array.prototype.subarray;

/** Most bytes of one body.write. */
const chunkSize = 65_536;

/** The error of an operation with the cause that it describes. */
export function hostError(error: any): unknown {
  const cause = error?.detail?.cause;
  if (typeof cause !== "object" || cause === null) return error;
  const inner = new Error(cause.message) as Error & { code?: string };
  inner.code = cause.code;
  return new TypeError(error.message, { cause: inner });
}

const FRESH = 0;
const READING = 1;
const ENDED = 2;
const FAILED = 3;

/** A body that the host holds. It may be failed from outside, and tells once when it has ended. */
export class RidSource implements HostSource {
  readonly #rid: number;
  #state = FRESH;
  #failed = false;
  #reason: unknown;
  #stream: ReadableStream | null = null;
  #rejectAll: ((reason: unknown) => void) | null = null;
  /** Called once when the source was read, failed, or was given away. */
  onEnd: (() => void) | null = null;
  /** False while something here may call fail(): the handle is then not given away. */
  independent = true;

  constructor(rid: number) {
    this.#rid = rid;
  }

  #end(): void {
    if (this.#state === ENDED) return;
    this.#state = ENDED;
    const { onEnd } = this;
    this.onEnd = null;
    if (onEnd !== null) onEnd();
  }

  take(): number {
    if (this.#state !== FRESH || this.#failed || !this.independent) return 0;
    this.#end();
    return this.#rid;
  }

  /** Ends the source with an error, as an abort does. */
  fail(reason: unknown): void {
    if (this.#state === ENDED || this.#failed) return;
    this.#failed = true;
    this.#reason = reason;
    cancelOp(this.#rid);
    if (this.#rejectAll !== null) this.#rejectAll(reason);
    if (this.#stream !== null) errorBytes(this.#stream, reason);
    this.#end();
  }

  readAll(): Promise<Uint8Array> {
    if (this.#failed) return promiseReject(this.#reason);
    this.#state = READING;
    return new Promise((resolve, reject) => {
      const chunks: Uint8Array[] = [];
      const fail = (e: unknown) => {
        this.#end();
        reject(hostError(e));
      };
      const next = (chunk: ArrayBuffer) => {
        if (this.#failed) return;
        if (chunk.byteLength === 0) {
          this.#end();
          resolve(chunks.length === 0 ? new Uint8Array(0) : concat(chunks));
          return;
        }
        chunks[chunks.length] = new Uint8Array(chunk);
        promiseThen(readOp(this.#rid), next, fail);
      };
      this.#rejectAll = reject;
      promiseThen(readOp(this.#rid), next, fail);
    });
  }

  open(): ReadableStream {
    const stream = (this.#stream = openHandle(readOp, this.#rid, (error) => {
      this.#end();
      return this.#failed ? this.#reason : hostError(error);
    }, () => {
      cancelOp(this.#rid);
      this.#end();
      return undefined;
    }));
    if (this.#failed) errorBytes(stream, this.#reason);
    else bindSource(stream, this);
    return stream;
  }
}

/** A body that is here already, of an exchange that may still be aborted until somebody has read it. */
export class WholeSource implements HostSource {
  readonly #bytes: Uint8Array;
  #state = FRESH;
  #reason: unknown;
  #stream: ReadableStream | null = null;
  /** Called once when the source was read or failed. */
  onEnd: (() => void) | null = null;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  #end(state: number): void {
    this.#state = state;
    const { onEnd } = this;
    this.onEnd = null;
    if (onEnd !== null) onEnd();
  }

  /** There is no handle. */
  take(): number {
    return 0;
  }

  /** Ends the source with an error, as an abort does. */
  fail(reason: unknown): void {
    if (this.#state !== FRESH) return;
    this.#reason = reason;
    if (this.#stream !== null) errorBytes(this.#stream, reason);
    this.#end(FAILED);
  }

  readAll(): Promise<Uint8Array> {
    if (this.#state === FAILED) return promiseReject(this.#reason);
    this.#end(ENDED);
    return promiseFulfilled(this.#bytes);
  }

  open(): ReadableStream {
    const stream = (this.#stream = createBytes(() => {
      this.#end(ENDED);
      if (this.#bytes.length > 0) enqueueBytes(stream, this.#bytes);
      closeBytes(stream);
      return undefined;
    }, () => {
      this.#end(ENDED);
      return undefined;
    }));
    if (this.#state === FAILED) errorBytes(stream, this.#reason);
    else bindSource(stream, this);
    return stream;
  }
}

/** A stream of bytes over a handle. Nothing is read before somebody reads it, and takeResponse finds the handle until then. */
export function streamFromRid(rid: number): ReadableStream {
  return new RidSource(rid).open();
}

/** Sends a stream into a pipe. */
class Pump implements PumpOwner {
  readonly promise: Promise<void>;
  #resolve!: () => void;
  #reject!: (reason: unknown) => void;
  readonly #rid: number;
  readonly #stream: ReadableStream;
  readonly #native: NativePump;
  #done = false;

  constructor(stream: ReadableStream, rid: number) {
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.#rid = rid;
    this.#stream = stream;
    this.#native = newPump(acquireReader(stream), writeOp, rid, this);
    promiseThen(goneOp(rid), (gone: boolean) => {
      if (gone) this.gone(new TypeError("The reader of this body is gone: the connection was closed"));
    }, () => {});
    pumpOn(this.#native);
  }

  /** The reading side is gone: the stream ends, and with it the pump, without an error. */
  gone(reason: unknown): void {
    if (this.#done) return;
    this.#done = true;
    cancel(this.#stream, reason);
    try {
      closeOp(this.#rid);
    } catch {
      // The invocation's streams are closed already.
    }
    this.#resolve();
  }

  /** Ends the pump from outside: the stream is cancelled and the pipe fails. */
  abort(reason: unknown): void {
    if (this.#done) return;
    cancel(this.#stream, reason);
    this.error(reason);
  }

  chunk(value: unknown): void {
    if (this.#done) return;
    if (value instanceof Uint8Array) this.#write(value, 0);
    else this.abort(new TypeError(chunkMessage(value)));
  }

  #write(bytes: Uint8Array, from: number): void {
    let at = from;
    let credit = 1;
    try {
      while (at < bytes.length && credit > 0) {
        const piece = apply(subarray, bytes, [at, at + chunkSize]) as Uint8Array;
        credit = writeOp(this.#rid, piece);
        at += piece.length;
      }
    } catch (e) {
      this.gone(e);
      return;
    }
    if (credit <= 0) this.#wait(() => this.#write(bytes, at));
    else pumpOn(this.#native);
  }

  drain(): void {
    this.#wait(() => pumpOn(this.#native));
  }

  #wait(go: () => void): void {
    promiseThen(drainOp(this.#rid), () => {
      if (!this.#done) go();
    }, (e) => this.gone(e));
  }

  close(): void {
    if (this.#done) return;
    this.#done = true;
    closeOp(this.#rid);
    this.#resolve();
  }

  error(reason: any): void {
    if (this.#done) return;
    this.#done = true;
    failOp({ rid: this.#rid, message: messageOf(reason) });
    this.#reject(reason);
  }
}

function messageOf(reason: any): string {
  try {
    return String(reason?.message ?? reason);
  } catch {
    return "the body's stream failed";
  }
}

/**
 * Sends a stream into the pipe rid and ends it. Fails the pipe and rejects when the stream fails or gives something else
 * than Uint8Array chunks; when the reading side goes, cancels the stream and resolves.
 */
export function pump(stream: ReadableStream, rid: number): Promise<void> {
  return new Pump(stream, rid).promise;
}

/** A new pipe with a stream going into it. */
export function upload(stream: ReadableStream): { rid: number; promise: Promise<void>; abort(reason: unknown): void } {
  const rid = pipeOp();
  const p = new Pump(stream, rid);
  promiseThen(p.promise, undefined, () => {});
  return { rid, promise: p.promise, abort: (reason) => p.abort(reason) };
}

/** Gives up reading a handle. */
export function cancelRid(rid: number): void {
  cancelOp(rid);
}

setFetchHooks({
  parseUrl: (input) => new URL(input),
  isURLSearchParams,
  openSource: (rid) => new RidSource(rid),
});
