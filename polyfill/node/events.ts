// https://nodejs.org/api/events.html
import { AbortError, checkFunction, invalidArgType, nodeError } from "./errors.ts";

type Listener = ((...args: any[]) => unknown) & { listener?: Listener };
type Name = string | symbol;

const report = queueMicrotask;
const warn = globalThis.console;

export const errorMonitor: unique symbol = Symbol("events.errorMonitor") as never;
export const captureRejectionSymbol = Symbol.for("nodejs.rejection");

let defaultMax = 10;

interface Signal {
  readonly aborted: boolean;
  readonly reason: unknown;
  addEventListener(type: string, listener: () => void, options?: object): void;
  removeEventListener(type: string, listener: () => void): void;
}

function checkSignal(signal: Signal | undefined): void {
  if (signal !== undefined && (typeof signal !== "object" || signal === null || !("aborted" in signal))) throw invalidArgType("signal", "an instance of AbortSignal", signal);
}

/**
 * The class is made to be inherited from in every way, `EventEmitter.call(this)` included, which is why it is a function with a
 * prototype.
 */
export interface EventEmitter {
  /** The listeners of each name; made on first use, since a subclass may not call the constructor. */
  _events?: Map<Name, Listener[]>;
  _maxListeners?: number | undefined;
  on(name: Name, listener: Listener): this;
  addListener(name: Name, listener: Listener): this;
  prependListener(name: Name, listener: Listener): this;
  once(name: Name, listener: Listener): this;
  prependOnceListener(name: Name, listener: Listener): this;
  off(name: Name, listener: Listener): this;
  removeListener(name: Name, listener: Listener): this;
  removeAllListeners(name?: Name): this;
  emit(name: Name, ...args: unknown[]): boolean;
  eventNames(): Name[];
  listenerCount(name: Name, listener?: Listener): number;
  listeners(name: Name): Listener[];
  rawListeners(name: Name): Listener[];
  setMaxListeners(n: number): this;
  getMaxListeners(): number;
}

interface EventEmitterOptions {
  captureRejections?: boolean;
}

interface EventEmitterConstructor {
  new (options?: EventEmitterOptions): EventEmitter;
  (this: unknown, options?: EventEmitterOptions): void;
  prototype: EventEmitter;
  defaultMaxListeners: number;
  EventEmitter: EventEmitterConstructor;
  [member: string]: unknown;
}

const capture = Symbol("captureRejections");

export const EventEmitter = function EventEmitter(this: EventEmitter & { [capture]?: boolean }, options?: EventEmitterOptions) {
  if (this === undefined || this === null) throw new TypeError("Class constructor EventEmitter cannot be invoked without 'new'");
  table(this);
  if (options?.captureRejections) this[capture] = true;
} as unknown as EventEmitterConstructor;

function table(emitter: EventEmitter): Map<Name, Listener[]> {
  if (!Object.hasOwn(emitter, "_events") || emitter._events === undefined) {
    Object.defineProperty(emitter, "_events", { value: new Map(), writable: true, configurable: true });
  }
  return emitter._events!;
}

function add(emitter: EventEmitter, name: Name, listener: Listener, first: boolean): EventEmitter {
  checkFunction(listener, "listener");
  const events = table(emitter);
  if (events.has("newListener")) emitter.emit("newListener", name, listener.listener ?? listener);
  const list = events.get(name);
  if (list === undefined) events.set(name, [listener]);
  else {
    // emit() walks the array it found: never change one in place.
    events.set(name, first ? [listener, ...list] : [...list, listener]);
    const max = emitter.getMaxListeners();
    if (max > 0 && list.length === max) {
      warn.warn(`MaxListenersExceededWarning: Possible EventEmitter memory leak detected. ${max + 1} ${String(name)} listeners added. Use emitter.setMaxListeners() to increase limit`);
    }
  }
  return emitter;
}

function wrapOnce(emitter: EventEmitter, name: Name, listener: Listener): Listener {
  checkFunction(listener, "listener");
  let fired = false;
  const wrapper: Listener = function (this: unknown, ...args: unknown[]) {
    if (fired) return undefined;
    fired = true;
    emitter.removeListener(name, wrapper);
    return Reflect.apply(listener, this, args);
  };
  wrapper.listener = listener;
  return wrapper;
}

function unhandled(emitter: EventEmitter, args: unknown[]): never {
  const [error] = args;
  if (error instanceof Error) throw error;
  const failure = nodeError(Error, "ERR_UNHANDLED_ERROR", `Unhandled error. (${typeof error === "string" ? `'${error}'` : String(error)})`);
  throw Object.assign(failure, { context: error });
}

const methods: ThisType<EventEmitter & { [capture]?: boolean }> & Record<string, unknown> = {
  on(name: Name, listener: Listener) { return add(this, name, listener, false); },
  addListener(name: Name, listener: Listener) { return add(this, name, listener, false); },
  prependListener(name: Name, listener: Listener) { return add(this, name, listener, true); },
  once(name: Name, listener: Listener) { return this.on(name, wrapOnce(this, name, listener)); },
  prependOnceListener(name: Name, listener: Listener) { return this.prependListener(name, wrapOnce(this, name, listener)); },

  removeListener(name: Name, listener: Listener) {
    checkFunction(listener, "listener");
    const events = table(this);
    const list = events.get(name);
    const at = list?.findLastIndex((other) => other === listener || other.listener === listener) ?? -1;
    if (at < 0) return this;
    if (list!.length === 1) events.delete(name);
    else events.set(name, list!.toSpliced(at, 1));
    if (events.has("removeListener")) this.emit("removeListener", name, list![at]!.listener ?? listener);
    return this;
  },

  removeAllListeners(name?: Name) {
    const events = table(this);
    if (!events.has("removeListener")) {
      if (arguments.length === 0) events.clear();
      else events.delete(name!);
      return this;
    }
    if (arguments.length === 0) {
      for (const key of [...events.keys()]) if (key !== "removeListener") this.removeAllListeners(key);
      events.delete("removeListener");
      return this;
    }
    for (const listener of [...(events.get(name!) ?? [])].reverse()) this.removeListener(name!, listener);
    return this;
  },

  emit(name: Name, ...args: unknown[]) {
    const events = table(this);
    if (name === "error") {
      const monitors = events.get(errorMonitor);
      if (monitors !== undefined) for (const listener of monitors) Reflect.apply(listener, this, args);
      if (!events.has("error")) unhandled(this, args);
    }
    const list = events.get(name);
    if (list === undefined) return false;
    for (const listener of list) {
      const result = Reflect.apply(listener, this, args);
      if (this[capture] && result instanceof Promise) result.then(undefined, (error) => this.emit("error", error));
    }
    return true;
  },

  eventNames() { return [...table(this).keys()]; },
  listenerCount(name: Name, listener?: Listener) {
    const list = table(this).get(name) ?? [];
    return listener === undefined ? list.length : list.filter((other) => other === listener || other.listener === listener).length;
  },
  listeners(name: Name) { return (table(this).get(name) ?? []).map((listener) => listener.listener ?? listener); },
  rawListeners(name: Name) { return [...(table(this).get(name) ?? [])]; },

  setMaxListeners(n: number) {
    this._maxListeners = checkMax(n, "n");
    return this;
  },
  getMaxListeners() { return this._maxListeners ?? defaultMax; },
};
for (const name of Object.keys(methods)) {
  Object.defineProperty(EventEmitter.prototype, name, { value: methods[name], writable: true, enumerable: true, configurable: true });
}
Object.defineProperty(EventEmitter.prototype, "off", { value: methods["removeListener"], writable: true, enumerable: true, configurable: true });

function checkMax(n: unknown, name: string): number {
  if (typeof n !== "number" || !(n >= 0)) throw nodeError(RangeError, "ERR_OUT_OF_RANGE", `The value of "${name}" is out of range. It must be a non-negative number. Received ${String(n)}`);
  return n;
}

Object.defineProperty(EventEmitter, "defaultMaxListeners", {
  enumerable: true,
  get: () => defaultMax,
  set: (n) => {
    defaultMax = checkMax(n, "defaultMaxListeners");
  },
});

/** Listens on an emitter or an EventTarget; returns how to stop. */
function listen(emitter: any, name: Name, listener: Listener, single = false): () => void {
  if (typeof emitter?.on === "function") {
    if (single) emitter.once(name, listener);
    else emitter.on(name, listener);
    return () => emitter.removeListener(name, listener);
  }
  if (typeof emitter?.addEventListener !== "function") throw invalidArgType("emitter", "an instance of EventEmitter", emitter);
  emitter.addEventListener(name, listener, { once: single });
  return () => emitter.removeEventListener(name, listener);
}

/** A promise of the arguments of the next event; an "error" event rejects it. */
export async function once(emitter: any, name: Name, options: { signal?: Signal } = {}): Promise<unknown[]> {
  const { signal } = options;
  checkSignal(signal);
  if (signal?.aborted) throw new AbortError(undefined, { cause: signal.reason });
  return new Promise((resolve, reject) => {
    const stops: (() => void)[] = [];
    const stop = () => {
      for (const each of stops) each();
    };
    stops.push(listen(emitter, name, (...args) => {
      stop();
      resolve(args);
    }, true));
    if (name !== "error" && typeof emitter.once === "function") {
      stops.push(listen(emitter, "error", (error) => {
        stop();
        reject(error);
      }, true));
    }
    if (signal === undefined) return;
    const aborted = () => {
      stop();
      reject(new AbortError(undefined, { cause: signal.reason }));
    };
    signal.addEventListener("abort", aborted, { once: true });
    stops.push(() => signal.removeEventListener("abort", aborted));
  });
}

/** An async iterator over the arguments of events; an "error" event makes it throw. Events that wait are not bounded. */
export function on(emitter: any, name: Name, options: { signal?: Signal; close?: Name[] } = {}): AsyncIterableIterator<unknown[]> {
  const { signal, close = [] } = options;
  checkSignal(signal);
  if (signal?.aborted) throw new AbortError(undefined, { cause: signal.reason });
  const waiting: unknown[][] = [];
  const readers: { resolve(result: IteratorResult<unknown[]>): void; reject(error: unknown): void }[] = [];
  let failure: { error: unknown } | undefined;
  let done = false;
  const stops: (() => void)[] = [];

  const finish = () => {
    done = true;
    for (const stop of stops.splice(0)) stop();
    for (const reader of readers.splice(0)) reader.resolve({ value: undefined, done: true });
  };
  const fail = (error: unknown) => {
    const reader = readers.shift();
    if (reader !== undefined) reader.reject(error);
    else failure = { error };
    finish();
  };
  stops.push(listen(emitter, name, (...args) => {
    const reader = readers.shift();
    if (reader !== undefined) reader.resolve({ value: args, done: false });
    else waiting.push(args);
  }));
  if (name !== "error" && typeof emitter.on === "function") stops.push(listen(emitter, "error", fail));
  for (const each of close) stops.push(listen(emitter, each, finish));
  if (signal !== undefined) {
    const aborted = () => fail(new AbortError(undefined, { cause: signal.reason }));
    signal.addEventListener("abort", aborted, { once: true });
    stops.push(() => signal.removeEventListener("abort", aborted));
  }
  return {
    async next() {
      if (waiting.length > 0) return { value: waiting.shift()!, done: false };
      if (failure !== undefined) {
        const { error } = failure;
        failure = undefined;
        throw error;
      }
      if (done) return { value: undefined, done: true };
      return new Promise((resolve, reject) => readers.push({ resolve, reject }));
    },
    async return() {
      finish();
      return { value: undefined, done: true };
    },
    async throw(error: unknown) {
      fail(error);
      return { value: undefined, done: true };
    },
    [Symbol.asyncIterator]() { return this; },
  };
}

export function getEventListeners(emitter: any, name: Name): Listener[] {
  if (typeof emitter?.listeners === "function") return emitter.listeners(name);
  throw invalidArgType("emitter", "an instance of EventEmitter: the listeners of an EventTarget are not known here", emitter);
}

export function listenerCount(emitter: EventEmitter, name: Name): number { return emitter.listenerCount(name); }

export function setMaxListeners(n = defaultMax, ...targets: any[]): void {
  checkMax(n, "n");
  if (targets.length === 0) defaultMax = n;
  for (const target of targets) target.setMaxListeners?.(n);
}

export function getMaxListeners(emitter: any): number { return emitter.getMaxListeners?.() ?? defaultMax; }

/** Calls the listener when the signal is aborted, also if it is already. */
export function addAbortListener(signal: Signal, listener: () => void): Disposable {
  checkSignal(signal);
  checkFunction(listener, "listener");
  if (signal.aborted) {
    report(listener);
    return { [Symbol.dispose]() {} };
  }
  signal.addEventListener("abort", listener, { once: true });
  return { [Symbol.dispose]() { signal.removeEventListener("abort", listener); } };
}

Object.assign(EventEmitter, {
  EventEmitter, once, on, getEventListeners, listenerCount, setMaxListeners, getMaxListeners, addAbortListener, errorMonitor, captureRejectionSymbol,
  captureRejections: false, usingDomains: false,
});

export const defaultMaxListeners = defaultMax;
export default EventEmitter;
