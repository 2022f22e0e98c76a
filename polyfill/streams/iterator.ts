// The asynchronous iterator of a readable stream,
// https://streams.spec.whatwg.org/#rs-asynciterator and https://webidl.spec.whatwg.org/#js-asynchronous-iterator-prototype-object

import { TypeErrorCtor, getPrototypeOf, promiseFulfilled, promiseReject, promiseThen } from "./intrinsics.ts";
import { chain, enqueueJob, lastReject, lastResolve, newPromise, toPromise } from "./eventual.ts";
import { Reader, cancel, read, release, type ReadRequest, type Readable } from "./readable.ts";
import type { ReadResult } from "./readers.ts";

/** One step; its steps run a microtask late, as reactions to the promise of the standard do. */
class NextRequest implements ReadRequest {
  declare iteration: Iteration;
  declare promise: Promise<ReadResult>;
  declare resolve: (result: ReadResult) => void;
  declare reject: (reason: unknown) => void;
  constructor(iteration: Iteration) {
    this.iteration = iteration;
    this.promise = newPromise();
    this.resolve = lastResolve();
    this.reject = lastReject();
  }
  chunk(value: unknown): void { enqueueJob(NextRequest.deliver, this, value); }
  static deliver(request: NextRequest, value: unknown): void {
    request.iteration.ongoing = null;
    request.resolve({ value, done: false });
  }
  close(): void {
    release(this.iteration.reader);
    enqueueJob(NextRequest.finish, this, undefined);
  }
  static finish(request: NextRequest): void {
    request.iteration.ongoing = null;
    request.iteration.finished = true;
    request.resolve({ value: undefined, done: true });
  }
  error(reason: unknown): void {
    release(this.iteration.reader);
    enqueueJob(NextRequest.fail, this, reason);
  }
  static fail(request: NextRequest, reason: unknown): void {
    request.iteration.ongoing = null;
    request.iteration.finished = true;
    request.reject(reason);
  }
}

class Iteration {
  reader: Reader;
  preventCancel: boolean;
  ongoing: Promise<ReadResult> | null = null;
  finished = false;
  constructor(stream: Readable, preventCancel: boolean) {
    this.reader = new Reader(stream, false);
    this.preventCancel = preventCancel;
  }
  next(): Promise<ReadResult> {
    if (this.finished) return promiseFulfilled({ value: undefined, done: true });
    const request = new NextRequest(this);
    read(this.reader, request);
    return request.promise;
  }
  return(value: unknown): Promise<ReadResult> {
    if (this.finished) return promiseFulfilled({ value, done: true });
    this.finished = true;
    const { reader } = this;
    if (this.preventCancel) {
      release(reader);
      return toPromise(chain(undefined, value, done, null));
    }
    const result = cancel(reader.stream!, value);
    release(reader);
    return toPromise(chain(result, value, done, null));
  }
}

function done(value: unknown): any {
  return { value, done: true };
}

class StreamIterator {
  #it: Iteration;
  constructor(iteration: Iteration) { this.#it = iteration; }
  static of(iterator: StreamIterator): Iteration {
    if (typeof iterator !== "object" || iterator === null || !(#it in iterator)) throw new TypeErrorCtor("The receiver is not a ReadableStream iterator");
    return iterator.#it;
  }
  next(): Promise<ReadResult> {
    try {
      const it = StreamIterator.of(this);
      const { ongoing } = it;
      if (ongoing === null) return it.ongoing = it.next();
      const again = () => it.next();
      return it.ongoing = promiseThen(ongoing, again, again);
    } catch (e) {
      return promiseReject(e);
    }
  }
  return(value: unknown): Promise<ReadResult> {
    try {
      const it = StreamIterator.of(this);
      const { ongoing } = it;
      if (ongoing === null) return it.ongoing = it.return(value);
      const end = () => it.return(value);
      return it.ongoing = promiseThen(ongoing, end, end);
    } catch (e) {
      return promiseReject(e);
    }
  }
}

const { prototype } = StreamIterator;
delete (prototype as any).constructor;
Object.setPrototypeOf(prototype, getPrototypeOf(getPrototypeOf(async function* () {}.prototype)!));
for (const name of ["next", "return"]) Object.defineProperty(prototype, name, { enumerable: true });
Object.defineProperty(prototype, Symbol.toStringTag, { value: "ReadableStream AsyncIterator", configurable: true });

/** An iterator that locks the stream. */
export function iterate(stream: Readable, preventCancel: boolean): object {
  return new StreamIterator(new Iteration(stream, preventCancel));
}
