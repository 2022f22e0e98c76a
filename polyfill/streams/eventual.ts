// Eventual is the promise that the algorithms use among themselves: settling and
// reacting take the same microtasks as with a Promise, but a reaction is a static
// function with a context instead of a closure, and the Promise that a user may
// see is made when somebody asks for it.

import { PromiseCtor, call1, isObject, noop, promiseReject, promiseThen, queueMicrotask } from "./intrinsics.ts";
import { host } from "../host.ts";

const { asyncContext, setAsyncContext } = host;
export { asyncContext };
export type Frame = ReturnType<typeof asyncContext>;

/** A job or reaction: gets the context given at registration and a value. */
export type Reaction<C = any> = (context: C, value: any) => unknown;

// Jobs wait in a ring, so that one function serves all calls of queueMicrotask.
let ring: any[] = new Array(3 * 64);
let mask = 63;
let head = 0;
let count = 0;

function runJob(): void {
  const at = head * 3;
  const run = ring[at], context = ring[at + 1], value = ring[at + 2];
  ring[at + 1] = ring[at + 2] = undefined;
  head = (head + 1) & mask;
  count--;
  run(context, value);
}

function growRing(): void {
  const size = mask + 1;
  const larger = new Array(size * 6);
  for (let i = 0; i < size; i++) {
    const from = ((head + i) & mask) * 3;
    larger[i * 3] = ring[from];
    larger[i * 3 + 1] = ring[from + 1];
    larger[i * 3 + 2] = ring[from + 2];
  }
  ring = larger;
  mask = size * 2 - 1;
  head = 0;
}

/** Runs job(context, value) as a microtask. */
export function enqueueJob(job: Reaction, context: unknown, value: unknown): void {
  if (count > mask) growRing();
  const at = ((head + count) & mask) * 3;
  ring[at] = job;
  ring[at + 1] = context;
  ring[at + 2] = value;
  count++;
  queueMicrotask(runJob);
}

const PENDING = 0;
const FULFILLED = 1;
const REJECTED = 2;

interface Waiting {
  context: unknown;
  ok: Reaction;
  fail: Reaction;
  frame: Frame;
  next: Waiting | null;
}

/** Fields that most never need have their values on the prototype. */
export class Eventual {
  declare state: number;
  declare value: unknown;
  /** Rejections count as handled. */
  declare quiet: boolean;
  declare first: Waiting | null;
  declare last: Waiting | null;
  declare promise: Promise<any> | null;
  declare resolvePromise: ((value: unknown) => void) | null;
  declare rejectPromise: ((reason: unknown) => void) | null;
  constructor(quiet: boolean) {
    this.state = PENDING;
    if (quiet) this.quiet = true;
  }
}
Object.assign(Eventual.prototype, {
  value: undefined, quiet: false, first: null, last: null, promise: null, resolvePromise: null, rejectPromise: null,
});

/** What an algorithm returns: undefined stands for a promise fulfilled with undefined, later for a call that will come. */
export type Outcome = undefined | Eventual;

/** The algorithm itself sees to the reaction. */
export const later: Eventual = new Eventual(true);

/** enqueueJob with the asynchronous context that asyncContext() gave when the job was promised. */
export function enqueueJobIn(frame: Frame, job: Reaction, context: unknown, value: unknown): void {
  const outer = asyncContext();
  if (outer === frame) {
    enqueueJob(job, context, value);
    return;
  }
  setAsyncContext(frame);
  enqueueJob(job, context, value);
  setAsyncContext(outer);
}

export function fulfilled(value?: unknown): Eventual {
  const e = new Eventual(false);
  e.state = FULFILLED;
  e.value = value;
  return e;
}

export function rejected(reason: unknown, quiet = false): Eventual {
  const e = new Eventual(quiet);
  e.state = REJECTED;
  e.value = reason;
  return e;
}

export function isPending(e: Eventual): boolean {
  return e.state === PENDING;
}

function notify(e: Eventual): void {
  const ok = e.state === FULFILLED;
  let w: Waiting | null = e.first;
  if (w === null) return;
  e.first = e.last = null;
  for (; w !== null; w = w.next) enqueueJobIn(w.frame, ok ? w.ok : w.fail, w.context, e.value);
}

/** Fulfils e with a value that is no promise; without effect when e is settled. */
export function fulfill(e: Eventual, value?: unknown): void {
  if (e.state !== PENDING) return;
  e.state = FULFILLED;
  if (value !== undefined) e.value = value;
  if (e.resolvePromise !== null) {
    e.resolvePromise(value);
    e.resolvePromise = e.rejectPromise = null;
  }
  if (e.first !== null) notify(e);
}

/** A pending eventual in place of e: e itself if nobody can hold on to it. */
export function renew(e: Eventual): Eventual {
  if (e.state !== FULFILLED || e.promise !== null) return new Eventual(e.quiet);
  e.state = PENDING;
  return e;
}

/** Rejects e; without effect when e is settled. */
export function reject(e: Eventual, reason: unknown): void {
  if (e.state !== PENDING) return;
  e.state = REJECTED;
  e.value = reason;
  if (e.rejectPromise !== null) {
    if (e.quiet) promiseThen(e.promise!, undefined, noop);
    e.rejectPromise(reason);
    e.resolvePromise = e.rejectPromise = null;
  }
  notify(e);
}

/** Runs ok or fail with the context in the microtask after the outcome is known. */
export function react<C>(outcome: Outcome, context: C, ok: Reaction<C>, fail: Reaction<C>): void {
  if (outcome === undefined) {
    enqueueJob(ok, context, undefined);
  } else if (outcome.state === FULFILLED) {
    enqueueJob(ok, context, outcome.value);
  } else if (outcome.state === REJECTED) {
    enqueueJob(fail, context, outcome.value);
  } else {
    const w: Waiting = { context, ok, fail, frame: asyncContext(), next: null };
    if (outcome.last === null) outcome.first = w;
    else outcome.last.next = w;
    outcome.last = w;
  }
}

class Link<C> {
  declare context: C;
  declare ok: Reaction<C> | null;
  declare fail: Reaction<C> | null;
  declare result: Eventual;
  constructor(context: C, ok: Reaction<C> | null, fail: Reaction<C> | null) {
    this.context = context;
    this.ok = ok;
    this.fail = fail;
    this.result = new Eventual(false);
  }
}

function linkRan(link: Link<any>, run: Reaction, value: unknown): void {
  let result;
  try {
    result = run(link.context, value);
  } catch (e) {
    reject(link.result, e);
    return;
  }
  if (result instanceof Eventual) resolve(link.result, result);
  else fulfill(link.result, result);
}

function linkOk(link: Link<any>, value: unknown): void {
  if (link.ok === null) fulfill(link.result, value);
  else linkRan(link, link.ok, value);
}

function linkFail(link: Link<any>, reason: unknown): void {
  if (link.fail === null) reject(link.result, reason);
  else linkRan(link, link.fail, reason);
}

/** The result of reacting to an outcome; null passes the value or reason on. */
export function chain<C>(outcome: Outcome, context: C, ok: Reaction<C> | null, fail: Reaction<C> | null): Eventual {
  const link = new Link(context, ok, fail);
  react(outcome, link, linkOk, linkFail);
  return link.result;
}

function adopt(e: Eventual, outcome: Outcome): void {
  react(outcome, e, fulfill, reject);
}

/** Resolves e with an outcome; another promise takes one more microtask, as with promises. */
export function resolve(e: Eventual, outcome: Outcome): void {
  if (outcome === undefined) fulfill(e, undefined);
  else enqueueJob(adopt, e, outcome);
}

let capturedResolve: (value: unknown) => void;
let capturedReject: (reason: unknown) => void;

function capture(res: (value: unknown) => void, rej: (reason: unknown) => void): void {
  capturedResolve = res;
  capturedReject = rej;
}

/** Makes a promise; the functions that settle it are in lastResolve() and lastReject(). */
export function newPromise(): Promise<any> {
  return new PromiseCtor(capture);
}
export function lastResolve(): (value: unknown) => void {
  return capturedResolve;
}
export function lastReject(): (reason: unknown) => void {
  return capturedReject;
}

/** "A promise resolved with" a value from user code (Web IDL); undefined stands for any value that is no object. */
export function resolvedWith(value: unknown): Outcome {
  if (!isObject(value)) return undefined;
  const e = new Eventual(false);
  resolveWithValue(e, value);
  return e;
}

/** Resolves e with a value from user code, which may be a thenable. */
export function resolveWithValue(e: Eventual, value: unknown): void {
  if (!isObject(value)) {
    fulfill(e, value);
    return;
  }
  let then: unknown;
  try {
    then = (value as any).then;
  } catch (reason) {
    reject(e, reason);
    return;
  }
  if (typeof then === "function") enqueueJob(callThen, e, { then, value });
  else fulfill(e, value);
}

function callThen(e: Eventual, { then, value }: { then: unknown; value: unknown }): void {
  let called = false;
  try {
    call1(then, value, (v: unknown) => {
      if (called) return;
      called = true;
      resolveWithValue(e, v);
    }, (reason: unknown) => {
      if (called) return;
      called = true;
      reject(e, reason);
    });
  } catch (reason) {
    if (!called) reject(e, reason);
    called = true;
  }
}

/** The Promise of an eventual, the same one each time. */
export function toPromise(e: Eventual): Promise<any> {
  if (e.promise !== null) return e.promise;
  if (e.state === REJECTED) {
    e.promise = promiseReject(e.value);
    if (e.quiet) promiseThen(e.promise, undefined, noop);
    return e.promise;
  }
  const p = e.promise = newPromise();
  if (e.state === FULFILLED) {
    capturedResolve(e.value);
  } else {
    e.resolvePromise = capturedResolve;
    e.rejectPromise = capturedReject;
  }
  return p;
}
