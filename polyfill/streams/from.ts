// https://streams.spec.whatwg.org/#abstract-opdef-readablestreamfromiterable

import { TypeErrorCtor, asyncIterator, call1, isObject, iterator, promiseFulfilled, promiseReject, promiseThen } from "./intrinsics.ts";
import { chain, fulfilled, rejected, resolvedWith, type Outcome } from "./eventual.ts";
import { Readable } from "./readable.ts";
import { createReadable, defaultClose, defaultEnqueue, type DefaultController } from "./readable_default.ts";

interface Source {
  next(): unknown;
  /** undefined: there is nothing to call. */
  return(reason: unknown): { result: unknown } | undefined;
}

function method(value: any, key: PropertyKey, what: string): unknown {
  const fn = value[key];
  if (fn === undefined || fn === null) return undefined;
  if (typeof fn !== "function") throw new TypeErrorCtor(`${what} is not a function`);
  return fn;
}

function open(iterable: any): Source {
  if (iterable === undefined || iterable === null) throw new TypeErrorCtor("ReadableStream.from() needs an iterable");
  const fn = method(iterable, asyncIterator, "The iterable's [Symbol.asyncIterator]");
  if (fn !== undefined) return direct(begin(fn, iterable));
  const sync = method(iterable, iterator, "The iterable's [Symbol.iterator]");
  if (sync === undefined) throw new TypeErrorCtor("ReadableStream.from() needs an iterable");
  return fromSync(begin(sync, iterable));
}

function begin(fn: unknown, iterable: unknown): any {
  const it = call1(fn, iterable);
  if (!isObject(it)) throw new TypeErrorCtor("The iterator is not an object");
  return it;
}

function direct(it: any): Source {
  const { next } = it;
  return {
    next: () => call1(next, it),
    return(reason) {
      const fn = method(it, "return", "The iterator's return");
      return fn === undefined ? undefined : { result: call1(fn, it, reason) };
    },
  };
}

/** https://tc39.es/ecma262/#sec-createasyncfromsynciterator: values that are promises are awaited. */
function fromSync(it: any): Source {
  const { next } = it;
  const settle = (result: any, closeOnRejection: boolean): Promise<unknown> => {
    if (!isObject(result)) throw new TypeErrorCtor("The iterator's result is not an object");
    const done = !!(result as any).done;
    let value: Promise<unknown>;
    try {
      value = promiseFulfilled((result as any).value);
    } catch (e) {
      if (!done && closeOnRejection) finish(it);
      throw e;
    }
    return promiseThen(value, (v) => ({ done, value: v }), done || !closeOnRejection ? undefined : (e) => {
      finish(it);
      throw e;
    });
  };
  return {
    next() {
      try {
        return settle(call1(next, it), true);
      } catch (e) {
        return promiseReject(e);
      }
    },
    return(reason) {
      try {
        const fn = method(it, "return", "The iterator's return");
        if (fn === undefined) return { result: { done: true, value: reason } };
        return { result: settle(call1(fn, it, reason), false) };
      } catch (e) {
        return { result: promiseReject(e) };
      }
    },
  };
}

/** IteratorClose for an error: what the iterator throws in turn is dropped. */
function finish(it: any): void {
  try {
    const fn = method(it, "return", "The iterator's return");
    if (fn !== undefined) call1(fn, it);
  } catch {
    // The first error wins.
  }
}

/** ReadableStream.from; throws TypeError for what is not iterable. */
export function fromIterable(iterable: unknown): Readable {
  const source = open(iterable);
  let stream: Readable;
  const pull = (): Outcome => {
    let next: unknown;
    try {
      next = source.next();
    } catch (e) {
      return rejected(e);
    }
    return chain(settled(next), stream, take, null);
  };
  const cancel = (reason: unknown): Outcome => {
    let ended: { result: unknown } | undefined;
    try {
      ended = source.return(reason);
    } catch (e) {
      return rejected(e);
    }
    return ended === undefined ? undefined : chain(settled(ended.result), null, ignore, null);
  };
  stream = createReadable(undefined, pull, cancel, 0);
  return stream;
}

/** resolvedWith, except that a primitive keeps its value to be refused. */
function settled(value: unknown): Outcome {
  return isObject(value) ? resolvedWith(value) : fulfilled(value);
}

function take(stream: Readable, result: any): void {
  if (!isObject(result)) throw new TypeErrorCtor("The iterator's result is not an object");
  const c = stream.controller as DefaultController;
  if ((result as any).done) defaultClose(c);
  else defaultEnqueue(c, (result as any).value);
}

function ignore(_: null, result: unknown): void {
  if (!isObject(result)) throw new TypeErrorCtor("The iterator's result is not an object");
}
