// https://nodejs.org/api/stream.html: Readable, Writable, Duplex, Transform, PassThrough, pipeline, finished. Constructors are
// functions, so that `Transform.call(this)` of older code works.
import { Buffer } from "./buffer.ts";
import { AbortError, checkFunction, invalidArgType, nodeError } from "./errors.ts";
import { EventEmitter } from "./events.ts";
import { nextTick } from "./process.ts";
import { StringDecoder } from "./string_decoder.ts";

type Callback = (error?: Error | null, value?: any) => void;
type Options = Record<string, any>;

const chunkDefault = 65_536;
let byteMark = chunkDefault;
let objectMark = 16;

export function getDefaultHighWaterMark(objectMode: boolean): number { return objectMode ? objectMark : byteMark; }
export function setDefaultHighWaterMark(objectMode: boolean, value: number): void {
  if (objectMode) objectMark = value;
  else byteMark = value;
}

function highWaterMark(options: Options, side: string, objectMode: boolean): number {
  const value = options["highWaterMark"] ?? options[`${side}HighWaterMark`];
  if (value === undefined || value === null) return getDefaultHighWaterMark(objectMode);
  if (!Number.isInteger(value) || value < 0) throw nodeError(TypeError, "ERR_INVALID_ARG_VALUE", `The property 'options.highWaterMark' is invalid. Received ${String(value)}`);
  return value;
}

function streamError(code: string, message: string): Error { return nodeError(Error, code, message); }

/** instanceof without narrowing the type. */
function isA(value: any, Class: any): boolean { return value instanceof Class; }

function asBuffer(bytes: Uint8Array): any {
  return isA(bytes, Buffer) ? bytes : Buffer.from(bytes.buffer).subarray(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
}

/** Methods of a prototype that are not enumerable. */
function define(prototype: object, members: object): void {
  for (const key of Reflect.ownKeys(members)) {
    Object.defineProperty(prototype, key, { ...Object.getOwnPropertyDescriptor(members, key), enumerable: false });
  }
}

function inherit(Class: any, Base: any): void {
  Object.setPrototypeOf(Class, Base);
  Class.prototype = Object.create(Base.prototype, { constructor: { value: Class, writable: true, configurable: true } });
}

/** The base of all, which require("stream") gives: it has pipe() only. */
export const Stream: any = function (this: any, options?: Options) { EventEmitter.call(this, options as never); };
inherit(Stream, EventEmitter);

// ---- destruction, shared by both sides

function sidesOf(stream: any): any[] { return [stream._readableState, stream._writableState].filter((side) => side !== undefined); }

function destroy(this: any, error?: Error | null, callback?: Callback): any {
  const sides = sidesOf(this);
  if (sides.some((side) => side.destroyed)) {
    callback?.();
    return this;
  }
  for (const side of sides) {
    side.destroyed = true;
    if (error) side.errored ??= error;
  }
  const run = () => {
    let called = false;
    const done = (failure?: Error | null) => {
      if (called) return;
      called = true;
      for (const side of sides) {
        side.closed = true;
        if (failure) side.errored ??= failure;
      }
      callback?.(failure);
      nextTick(() => {
        if (failure) emitError(this, failure);
        for (const side of sides) side.closeEmitted = true;
        if (sides.some((side) => side.emitClose)) this.emit("close");
      });
    };
    try {
      this._destroy(error ?? null, done);
    } catch (failure) {
      done(failure as Error);
    }
  };
  if (sides.every((side) => side.constructed)) run();
  else this.once(constructed, run);
  return this;
}

function emitError(stream: any, error: Error): void {
  const sides = sidesOf(stream);
  if (sides.some((side) => side.errorEmitted)) return;
  for (const side of sides) side.errorEmitted = true;
  stream.emit("error", error);
}

/** An error that the stream itself meets: destroys it, or only reports it without autoDestroy. */
function fail(stream: any, error: Error): void {
  const sides = sidesOf(stream);
  if (sides.some((side) => side.destroyed)) return;
  if (sides.some((side) => side.autoDestroy)) {
    stream.destroy(error);
    return;
  }
  for (const side of sides) side.errored ??= error;
  nextTick(() => emitError(stream, error));
}

const constructed = Symbol("constructed");

function construct(stream: any, then: () => void): void {
  if (typeof stream._construct !== "function") return;
  const sides = sidesOf(stream);
  for (const side of sides) side.constructed = false;
  nextTick(() => {
    let called = false;
    const done = (error?: Error | null) => {
      if (called) {
        fail(stream, streamError("ERR_MULTIPLE_CALLBACK", "Callback called multiple times"));
        return;
      }
      called = true;
      for (const side of sides) side.constructed = true;
      if (sides.some((side) => side.destroyed)) stream.emit(constructed);
      else if (error) fail(stream, error);
      else nextTick(then);
    };
    try {
      stream._construct(done);
    } catch (error) {
      done(error as Error);
    }
  });
}

function followSignal(stream: any, signal: any): void {
  const abort = () => stream.destroy(new AbortError(undefined, { cause: signal.reason }));
  if (signal.aborted) {
    nextTick(abort);
    return;
  }
  signal.addEventListener("abort", abort, { once: true });
  finished(stream, () => signal.removeEventListener("abort", abort));
}

export function addAbortSignal<T>(signal: any, stream: T): T {
  if (typeof signal !== "object" || signal === null || !("aborted" in signal)) throw invalidArgType("signal", "an instance of AbortSignal", signal);
  followSignal(stream, signal);
  return stream;
}

// ---- Readable

function readableState(options: Options, duplex: boolean): any {
  const objectMode = !!(options["objectMode"] || (duplex && options["readableObjectMode"]));
  return {
    objectMode, highWaterMark: highWaterMark(options, "readable", objectMode), buffer: [] as any[], length: 0,
    /** null: nobody reads yet; true: data events; false: paused, or read() on "readable" */
    flowing: null as boolean | null,
    ended: false, endEmitted: false, reading: false, sync: true, needReadable: false, readableQueued: false, readableListening: false, resumeQueued: false, moreQueued: false,
    constructed: true, destroyed: false, errored: null, errorEmitted: false, closed: false, closeEmitted: false,
    autoDestroy: options["autoDestroy"] !== false, emitClose: options["emitClose"] !== false,
    decoder: options["encoding"] ? new StringDecoder(options["encoding"]) : null, encoding: options["encoding"] ?? null, pipes: [] as any[],
    dataEmitted: false,
  };
}

function setMethods(stream: any, options: Options, names: Record<string, string>): void {
  for (const option in names) if (typeof options[option] === "function") stream[names[option]!] = options[option];
}

export const Readable: any = function (this: any, options: Options = {}) {
  if (!isA(this, Readable)) return new Readable(options);
  this._readableState = readableState(options, false);
  setMethods(this, options, { read: "_read", destroy: "_destroy", construct: "_construct" });
  Stream.call(this, options);
  if (options["signal"]) followSignal(this, options["signal"]);
  construct(this, () => {
    if (this._readableState.needReadable) readMore(this, this._readableState);
  });
};
inherit(Readable, Stream);

function sizeOf(state: any, chunk: any): number { return state.objectMode ? 1 : chunk.length; }

function pushChunk(stream: any, chunk: any, encoding: string | undefined, front: boolean): boolean {
  const state = stream._readableState;
  if (chunk === null) {
    state.reading = false;
    endOfInput(stream, state);
    return false;
  }
  if (!state.objectMode) {
    if (typeof chunk === "string") {
      const codec = encoding ?? "utf8";
      // A decoder of the same encoding would give back the same text.
      if (!(state.encoding && codec === state.encoding && (front || state.decoder === null))) chunk = Buffer.from(chunk, codec);
    } else if (chunk instanceof Uint8Array) {
      chunk = asBuffer(chunk);
    } else if (chunk !== undefined) {
      fail(stream, invalidArgType("chunk", "of type string or an instance of Buffer, TypedArray, or DataView", chunk));
      return false;
    }
  }
  if (chunk === undefined || (!state.objectMode && chunk.length === 0)) {
    if (!front) {
      state.reading = false;
      readMore(stream, state);
    }
    return wantsMore(state);
  }
  if (front) {
    if (state.endEmitted) fail(stream, streamError("ERR_STREAM_UNSHIFT_AFTER_END_EVENT", "stream.unshift() after end event"));
    else if (!state.destroyed && !state.errored) addChunk(stream, state, chunk, true);
    return wantsMore(state);
  }
  if (state.ended) {
    fail(stream, streamError("ERR_STREAM_PUSH_AFTER_EOF", "stream.push() after EOF"));
    return false;
  }
  if (state.destroyed || state.errored) return false;
  state.reading = false;
  if (state.decoder !== null && typeof chunk !== "string" && !state.objectMode) chunk = state.decoder.write(chunk);
  if (state.objectMode || chunk.length > 0) addChunk(stream, state, chunk, false);
  else readMore(stream, state);
  return wantsMore(state);
}

function wantsMore(state: any): boolean { return !state.ended && (state.length < state.highWaterMark || state.length === 0); }

function addChunk(stream: any, state: any, chunk: any, front: boolean): void {
  if (state.flowing && state.length === 0 && !state.sync && !front && stream.listenerCount("data") > 0) {
    state.dataEmitted = true;
    stream.emit("data", chunk);
  } else {
    state.length += sizeOf(state, chunk);
    if (front) state.buffer.unshift(chunk);
    else state.buffer.push(chunk);
    if (state.needReadable) queueReadable(stream, state);
  }
  readMore(stream, state);
}

function endOfInput(stream: any, state: any): void {
  if (state.ended) return;
  const rest = state.decoder?.end();
  if (rest) {
    state.buffer.push(rest);
    state.length += sizeOf(state, rest);
  }
  state.ended = true;
  queueReadable(stream, state);
}

function queueReadable(stream: any, state: any): void {
  state.needReadable = false;
  if (state.readableQueued) return;
  state.readableQueued = true;
  nextTick(() => {
    if (!state.destroyed && !state.errored && (state.length > 0 || state.ended)) {
      stream.emit("readable");
      state.readableQueued = false;
    }
    state.readableQueued = false;
    state.needReadable = !state.flowing && !state.ended && state.length <= state.highWaterMark;
    flow(stream);
  });
}

/** Fills the buffer up to the mark, in later turns, so that one read() does not recurse. */
function readMore(stream: any, state: any): void {
  if (state.moreQueued || !state.constructed) return;
  state.moreQueued = true;
  nextTick(() => {
    while (!state.reading && !state.ended && !state.destroyed && (state.length < state.highWaterMark || (state.flowing && state.length === 0))) {
      const before = state.length;
      stream.read(0);
      if (before === state.length) break;
    }
    state.moreQueued = false;
  });
}

function flow(stream: any): void {
  const state = stream._readableState;
  while (state.flowing && stream.read() !== null);
}

function take(state: any, n: number): any {
  if (state.length === 0) return null;
  if (state.objectMode) return state.buffer.shift();
  if (n >= state.length) {
    const all = state.buffer.length === 1 ? state.buffer[0] : state.decoder !== null ? state.buffer.join("") : Buffer["concat"](state.buffer, state.length);
    state.buffer.length = 0;
    return all;
  }
  const parts: any[] = [];
  for (let left = n; left > 0; ) {
    const first = state.buffer[0];
    if (first.length <= left) {
      parts.push(state.buffer.shift());
      left -= first.length;
    } else {
      parts.push(first.slice(0, left));
      state.buffer[0] = first.slice(left);
      left = 0;
    }
  }
  return parts.length === 1 ? parts[0] : state.decoder !== null ? parts.join("") : Buffer["concat"](parts, n);
}

function amount(state: any, n: number): number {
  if (n <= 0 || (state.length === 0 && state.ended)) return 0;
  if (state.objectMode) return 1;
  if (Number.isNaN(n)) return state.flowing && state.length > 0 ? state.buffer[0].length : state.length;
  if (n <= state.length) return n;
  return state.ended ? state.length : 0;
}

function endReadable(stream: any, state: any): void {
  if (state.endEmitted) return;
  state.ended = true;
  nextTick(() => {
    if (state.errored || state.closeEmitted || state.endEmitted || state.length > 0) return;
    state.endEmitted = true;
    stream.emit("end");
    const other = stream._writableState;
    if (other !== undefined && stream.allowHalfOpen === false) {
      nextTick(() => {
        if (stream.writable && !stream.writableEnded && !stream.destroyed) stream.end();
      });
    } else if (state.autoDestroy && (other === undefined || (other.autoDestroy && (other.finished || other.closedSide)))) stream.destroy();
  });
}

define(Readable.prototype, {
  _read() { throw streamError("ERR_METHOD_NOT_IMPLEMENTED", "The _read() method is not implemented"); },
  _destroy(error: Error | null, callback: Callback) { callback(error); },
  destroy,
  push(this: any, chunk: any, encoding?: string) { return pushChunk(this, chunk, encoding, false); },
  unshift(this: any, chunk: any, encoding?: string) { return pushChunk(this, chunk, encoding, true); },

  read(this: any, size?: number) {
    const state = this._readableState;
    const asked = size === undefined ? NaN : Number.parseInt(String(size), 10);
    if (asked > state.highWaterMark && !state.objectMode) state.highWaterMark = Math.min(2 ** Math.ceil(Math.log2(asked)), 2 ** 30);
    if (asked !== 0) state.readableQueued = false;
    if (asked === 0 && state.needReadable && ((state.highWaterMark !== 0 ? state.length >= state.highWaterMark : state.length > 0) || state.ended)) {
      if (state.length === 0 && state.ended) endReadable(this, state);
      else queueReadable(this, state);
      return null;
    }
    let n = amount(state, asked);
    if (n === 0 && state.ended) {
      if (state.length === 0) endReadable(this, state);
      return null;
    }
    const low = state.needReadable || state.length === 0 || state.length - n < state.highWaterMark;
    if (low && !state.ended && !state.reading && !state.destroyed && !state.errored && state.constructed) {
      state.reading = true;
      state.sync = true;
      if (state.length === 0) state.needReadable = true;
      try {
        this._read(state.highWaterMark);
      } catch (error) {
        fail(this, error as Error);
      }
      state.sync = false;
      if (!state.reading) n = amount(state, asked);
    }
    const chunk = n > 0 ? take(state, n) : null;
    if (chunk === null) {
      state.needReadable ||= state.length <= state.highWaterMark;
      n = 0;
    } else state.length -= state.objectMode ? 1 : n;
    if (state.length === 0) {
      if (!state.ended) state.needReadable = true;
      else if (asked !== n || chunk !== null) endReadable(this, state);
    }
    if (chunk !== null && !state.errored && !state.closeEmitted) {
      state.dataEmitted = true;
      this.emit("data", chunk);
    }
    return chunk;
  },

  on(this: any, name: string | symbol, listener: any) {
    EventEmitter.prototype.on.call(this, name, listener);
    const state = this._readableState;
    if (name === "data") {
      state.readableListening = this.listenerCount("readable") > 0;
      if (state.flowing !== false) this.resume();
    } else if (name === "readable" && !state.endEmitted && !state.readableListening) {
      state.readableListening = state.needReadable = true;
      state.flowing = false;
      state.readableQueued = false;
      if (state.length > 0) queueReadable(this, state);
      else if (!state.reading) nextTick(() => this.read(0));
    }
    return this;
  },
  removeListener(this: any, name: string | symbol, listener: any) {
    EventEmitter.prototype.removeListener.call(this, name, listener);
    if (name === "readable") nextTick(() => updateListening(this));
    return this;
  },
  removeAllListeners(this: any, ...names: [string?]) {
    EventEmitter.prototype.removeAllListeners.apply(this, names as never);
    if (names[0] === "readable" || names.length === 0) nextTick(() => updateListening(this));
    return this;
  },

  resume(this: any) {
    const state = this._readableState;
    if (!state.flowing) {
      state.flowing = !state.readableListening;
      if (!state.resumeQueued) {
        state.resumeQueued = true;
        nextTick(() => {
          if (!state.reading) this.read(0);
          state.resumeQueued = false;
          this.emit("resume");
          flow(this);
          if (state.flowing && !state.reading) this.read(0);
        });
      }
    }
    state.paused = false;
    return this;
  },
  pause(this: any) {
    const state = this._readableState;
    if (state.flowing !== false) {
      state.flowing = false;
      this.emit("pause");
    }
    state.paused = true;
    return this;
  },
  isPaused(this: any) { return this._readableState.paused === true || this._readableState.flowing === false; },

  setEncoding(this: any, encoding: string) {
    const state = this._readableState;
    state.decoder = new StringDecoder(encoding);
    state.encoding = state.decoder.encoding;
    let text = "";
    for (const chunk of state.buffer) text += state.decoder.write(chunk);
    state.buffer = text === "" ? [] : [text];
    state.length = text.length;
    return this;
  },

  pipe(this: any, target: any, options: Options = {}) {
    const state = this._readableState;
    state.pipes.push(target);
    const ends = options["end"] !== false;
    let waiting = false;
    const drained = () => {
      waiting = false;
      if (state.pipes.every((pipe: any) => !pipe.writableNeedDrain) && this.listenerCount("data") > 0) this.resume();
    };
    const data = (chunk: any) => {
      if (target.write(chunk) !== false || waiting) return;
      waiting = true;
      this.pause();
      target.once("drain", drained);
    };
    const end = () => (ends ? target.end() : detach());
    const gone = () => this.unpipe(target);
    const failed = (error: Error) => {
      detach();
      this.unpipe(target);
      if (target.listenerCount("error") === 0) fail(target, error);
    };
    const detach = () => {
      this.removeListener("data", data);
      this.removeListener("end", end);
      for (const [name, listener] of [["drain", drained], ["close", gone], ["finish", gone], ["error", failed], ["unpipe", unpiped]] as const) target.removeListener(name, listener);
      if (waiting) drained();
    };
    const unpiped = (source: any) => {
      if (source === this) detach();
    };
    target.on("unpipe", unpiped);
    target.prependListener("error", failed);
    target.once("close", gone);
    target.once("finish", gone);
    this.on("data", data);
    if (state.endEmitted) nextTick(end);
    else this.once("end", end);
    target.emit("pipe", this);
    if (target.writableNeedDrain === true) this.pause();
    else if (!state.flowing) this.resume();
    return target;
  },
  unpipe(this: any, target?: any) {
    const state = this._readableState;
    for (const pipe of target === undefined ? [...state.pipes] : [target]) {
      const at = state.pipes.indexOf(pipe);
      if (at < 0) continue;
      state.pipes.splice(at, 1);
      if (state.pipes.length === 0) this.pause();
      pipe.emit("unpipe", this, { hasUnpiped: false });
    }
    return this;
  },

  [Symbol.asyncIterator](this: any) { return iterate(this, true); },
  iterator(this: any, options: Options = {}) { return iterate(this, options["destroyOnReturn"] !== false); },

  async toArray(this: any) {
    const out: any[] = [];
    for await (const chunk of this) out.push(chunk);
    return out;
  },
  async forEach(this: any, fn: (chunk: any) => unknown) { for await (const chunk of this) await fn(chunk); },
  map(this: any, fn: (chunk: any) => unknown) {
    const source = this;
    return Readable.from((async function* () { for await (const chunk of source) yield await fn(chunk); })());
  },
  filter(this: any, fn: (chunk: any) => unknown) {
    const source = this;
    return Readable.from((async function* () { for await (const chunk of source) if (await fn(chunk)) yield chunk; })());
  },

  get readable(): boolean {
    const state = (this as any)._readableState;
    return state !== undefined && state.readableSide !== false && !state.destroyed && !state.endEmitted && !state.errored;
  },
  set readable(value: boolean) { (this as any)._readableState.readableSide = value; },
  get readableFlowing(): boolean | null { return (this as any)._readableState.flowing; },
  set readableFlowing(value: boolean | null) { (this as any)._readableState.flowing = value; },
  get readableHighWaterMark(): number { return (this as any)._readableState.highWaterMark; },
  get readableLength(): number { return (this as any)._readableState.length; },
  get readableObjectMode(): boolean { return (this as any)._readableState.objectMode; },
  get readableEncoding(): string | null { return (this as any)._readableState.encoding; },
  get readableEnded(): boolean { return (this as any)._readableState.endEmitted; },
  get readableDidRead(): boolean { return (this as any)._readableState.dataEmitted; },
  get readableAborted(): boolean {
    const state = (this as any)._readableState;
    return (state.destroyed || state.errored !== null) && !state.endEmitted;
  },
  get destroyed(): boolean { return sidesOf(this).some((side) => side.destroyed); },
  get closed(): boolean { return sidesOf(this).every((side) => side.closed); },
  get errored(): Error | null { return sidesOf(this).find((side) => side.errored)?.errored ?? null; },
});
Object.defineProperty(Readable.prototype, "addListener", { value: Readable.prototype.on, writable: true, configurable: true });
Object.defineProperty(Readable.prototype, "off", { value: Readable.prototype.removeListener, writable: true, configurable: true });

function updateListening(stream: any): void {
  const state = stream._readableState;
  state.readableListening = stream.listenerCount("readable") > 0;
  if (state.resumeQueued && state.paused === false) state.flowing = true;
  else if (stream.listenerCount("data") > 0) stream.resume();
  else if (!state.readableListening) state.flowing = null;
}

async function* iterate(stream: any, destroys: boolean): AsyncGenerator<any> {
  let wake: (() => void) | undefined;
  const next = () => {
    wake?.();
    wake = undefined;
  };
  stream.on("readable", next);
  let failure: Error | null | undefined;
  const stop = finished(stream, { writable: false }, (error) => {
    failure = error ?? null;
    next();
  });
  let complete = false;
  try {
    for (;;) {
      const chunk = stream.destroyed ? null : stream.read();
      if (chunk !== null) yield chunk;
      else if (failure) throw failure;
      else if (failure === null) {
        complete = true;
        return;
      } else await new Promise<void>((resolve) => (wake = resolve));
    }
  } finally {
    stop();
    stream.removeListener("readable", next);
    if (destroys && !complete) stream.destroy();
    else if (complete && stream._readableState.autoDestroy) stream.destroy();
  }
}

/** https://nodejs.org/api/stream.html#streamreadablefromiterable-options */
Readable.from = function from(source: any, options: Options = {}): any {
  if (typeof source === "string" || source instanceof Uint8Array) {
    return new Readable({ objectMode: true, ...options, read(this: any) { this.push(source); this.push(null); } });
  }
  const iterator = source?.[Symbol.asyncIterator]?.() ?? source?.[Symbol.iterator]?.();
  if (iterator === undefined) throw invalidArgType("iterable", "an instance of Iterable", source);
  let busy = false;
  const stream = new Readable({ objectMode: true, highWaterMark: 1, ...options });
  stream._read = () => {
    if (busy) return;
    busy = true;
    pull();
  };
  stream._destroy = (error: Error | null, callback: Callback) => {
    Promise.resolve(error ? iterator.throw?.(error).catch?.(() => {}) : undefined).then(() => iterator.return?.()).then(() => callback(error), (failure) => callback(failure ?? error));
  };
  async function pull(): Promise<void> {
    try {
      for (;;) {
        const { value, done } = await iterator.next();
        if (done) {
          stream.push(null);
          return;
        }
        const chunk = await value;
        if (chunk === null) throw streamError("ERR_STREAM_NULL_VALUES", "May not write null values to stream");
        if (!stream.push(chunk)) {
          busy = false;
          return;
        }
      }
    } catch (error) {
      stream.destroy(error);
    }
  }
  return stream;
};

// ---- Writable

function writableState(options: Options, duplex: boolean): any {
  const objectMode = !!(options["objectMode"] || (duplex && options["writableObjectMode"]));
  return {
    objectMode, highWaterMark: highWaterMark(options, "writable", objectMode), length: 0, buffered: [] as any[], writing: false, corked: 0, sync: true,
    needDrain: false, ending: false, finalCalled: false, prefinished: false, finished: false, decodeStrings: options["decodeStrings"] !== false, encoding: options["defaultEncoding"] ?? "utf8",
    constructed: true, destroyed: false, errored: null, errorEmitted: false, closed: false, closeEmitted: false, closedSide: false,
    autoDestroy: options["autoDestroy"] !== false, emitClose: options["emitClose"] !== false,
    onFinish: [] as Callback[],
  };
}

const writableOptions = { write: "_write", writev: "_writev", destroy: "_destroy", final: "_final", construct: "_construct" };

export const Writable: any = function (this: any, options: Options = {}) {
  if (!isA(this, Writable) && !isA(this, Duplex)) return new Writable(options);
  this._writableState = writableState(options, false);
  setMethods(this, options, writableOptions);
  Stream.call(this, options);
  if (options["signal"]) followSignal(this, options["signal"]);
  construct(this, () => {
    flushBuffer(this, this._writableState);
    maybeFinish(this, this._writableState);
  });
};
inherit(Writable, Stream);
Object.defineProperty(Writable, Symbol.hasInstance, {
  value(this: any, value: any) {
    if (Function.prototype[Symbol.hasInstance].call(this, value)) return true;
    return this === Writable && value?._writableState !== undefined && Function.prototype[Symbol.hasInstance].call(Duplex, value);
  },
});

function startWrite(stream: any, state: any, chunk: any, encoding: string, callback: Callback): void {
  state.writing = true;
  state.sync = true;
  const size = sizeOf(state, chunk);
  const done = once(stream, (error) => afterWrite(stream, state, size, [callback], error));
  try {
    if (state.destroyed) done(streamError("ERR_STREAM_DESTROYED", "Cannot call write after a stream was destroyed"));
    else if (typeof stream._write === "function") stream._write(chunk, encoding, done);
    else stream._writev([{ chunk, encoding }], done);
  } catch (error) {
    done(error as Error);
  }
  state.sync = false;
}

/** A callback that reports a second call. */
function once(stream: any, fn: (error?: Error | null) => void): (error?: Error | null) => void {
  let called = false;
  return (error) => {
    if (called) {
      fail(stream, streamError("ERR_MULTIPLE_CALLBACK", "Callback called multiple times"));
      return;
    }
    called = true;
    fn(error);
  };
}

function afterWrite(stream: any, state: any, size: number, callbacks: Callback[], error?: Error | null): void {
  const { sync } = state;
  state.writing = false;
  state.length -= size;
  if (error) {
    state.errored ??= error;
    if (stream._readableState) stream._readableState.errored ??= error;
    const report = () => {
      for (const callback of callbacks) callback(error);
      failBuffered(state, error);
      fail(stream, error);
    };
    if (sync) nextTick(report);
    else report();
    return;
  }
  if (state.buffered.length > state.corked && !state.corked) flushBuffer(stream, state);
  const settle = () => {
    if (state.needDrain && !state.ending && !state.destroyed && state.length === 0) {
      state.needDrain = false;
      stream.emit("drain");
    }
    for (const callback of callbacks) callback(null);
    if (state.destroyed) failBuffered(state, streamError("ERR_STREAM_DESTROYED", "Cannot call write after a stream was destroyed"));
    maybeFinish(stream, state);
  };
  if (sync) nextTick(settle);
  else settle();
}

function failBuffered(state: any, error: Error): void {
  for (const { chunk, callback } of state.buffered.splice(0)) {
    state.length -= sizeOf(state, chunk);
    callback(error);
  }
  for (const callback of state.onFinish.splice(0)) callback(error);
}

function flushBuffer(stream: any, state: any): void {
  if (state.writing || state.corked > 0 || state.destroyed || !state.constructed) return;
  if (typeof stream._writev === "function" && state.buffered.length > 1) {
    const items = state.buffered.splice(0);
    state.writing = true;
    state.sync = true;
    const size = state.length;
    const done = once(stream, (error) => afterWrite(stream, state, size, items.map((item: any) => item.callback), error));
    try {
      stream._writev(items.map(({ chunk, encoding }: any) => ({ chunk, encoding })), done);
    } catch (error) {
      done(error as Error);
    }
    state.sync = false;
    return;
  }
  while (state.buffered.length > 0 && !state.writing) {
    const { chunk, encoding, callback } = state.buffered.shift();
    startWrite(stream, state, chunk, encoding, callback);
  }
}

function maybeFinish(stream: any, state: any): void {
  const ready = () => state.ending && !state.destroyed && state.constructed && state.length === 0 && !state.errored && !state.finished && !state.writing;
  if (!ready()) return;
  if (!state.finalCalled) {
    state.finalCalled = true;
    if (typeof stream._final === "function" && !state.destroyed) {
      const done = once(stream, (error) => {
        if (error) {
          for (const callback of state.onFinish.splice(0)) callback(error);
          fail(stream, error);
          return;
        }
        state.prefinished = true;
        stream.emit("prefinish");
        nextTick(finish);
      });
      nextTick(() => {
        try {
          stream._final(done);
        } catch (error) {
          done(error as Error);
        }
      });
      return;
    }
    state.prefinished = true;
    stream.emit("prefinish");
    finish();
  }
  function finish(): void {
    if (!ready()) return;
    state.finished = true;
    for (const callback of state.onFinish.splice(0)) callback();
    stream.emit("finish");
    const other = stream._readableState;
    if (state.autoDestroy && (other === undefined || (other.autoDestroy && (other.endEmitted || other.readableSide === false)))) stream.destroy();
  }
}

const noop = () => {};

const writableMembers = {
  _destroy(error: Error | null, callback: Callback) { callback(error); },
  destroy(this: any, error?: Error | null, callback?: Callback) {
    const state = this._writableState;
    if (!state.destroyed && (state.buffered.length > 0 || state.onFinish.length > 0)) {
      nextTick(() => failBuffered(state, error ?? streamError("ERR_STREAM_DESTROYED", "Cannot call write after a stream was destroyed")));
    }
    return destroy.call(this, error, callback);
  },

  write(this: any, chunk: any, encoding?: any, callback?: Callback) {
    const state = this._writableState;
    if (typeof encoding === "function") [callback, encoding] = [encoding, undefined];
    const done = callback ?? noop;
    if (chunk === null) throw streamError("ERR_STREAM_NULL_VALUES", "May not write null values to stream");
    if (!state.objectMode) {
      if (typeof chunk === "string") {
        if (state.decodeStrings) [chunk, encoding] = [Buffer.from(chunk, encoding ?? state.encoding), "buffer"];
      } else if (chunk instanceof Uint8Array) {
        chunk = asBuffer(chunk);
        encoding = "buffer";
      } else throw invalidArgType("chunk", "of type string or an instance of Buffer, TypedArray, or DataView", chunk);
    }
    const error = state.ending ? streamError("ERR_STREAM_WRITE_AFTER_END", "write after end")
      : state.destroyed ? streamError("ERR_STREAM_DESTROYED", "Cannot call write after a stream was destroyed") : undefined;
    if (error !== undefined) {
      nextTick(done, error);
      fail(this, error);
      return false;
    }
    state.length += sizeOf(state, chunk);
    const room = state.length < state.highWaterMark;
    if (!room) state.needDrain = true;
    if (state.writing || state.corked > 0 || state.errored || !state.constructed) state.buffered.push({ chunk, encoding: encoding ?? state.encoding, callback: done });
    else startWrite(this, state, chunk, encoding ?? state.encoding, done);
    return room && !state.errored && !state.destroyed;
  },

  end(this: any, chunk?: any, encoding?: any, callback?: any) {
    const state = this._writableState;
    if (typeof chunk === "function") [callback, chunk, encoding] = [chunk, undefined, undefined];
    else if (typeof encoding === "function") [callback, encoding] = [encoding, undefined];
    let failure: Error | undefined;
    if (chunk !== undefined && chunk !== null) this.write(chunk, encoding);
    if (state.corked > 0) {
      state.corked = 1;
      this.uncork();
    }
    if (state.errored) failure = state.errored;
    else if (state.finished) failure = streamError("ERR_STREAM_ALREADY_FINISHED", "Cannot call end after a stream was finished");
    else if (state.destroyed) failure = streamError("ERR_STREAM_DESTROYED", "Cannot call end after a stream was destroyed");
    else if (!state.ending) {
      state.ending = true;
      nextTick(() => maybeFinish(this, state));
    }
    if (typeof callback === "function") {
      if (failure !== undefined) nextTick(callback, failure);
      else state.onFinish.push(callback);
    }
    return this;
  },

  cork(this: any) { this._writableState.corked++; },
  uncork(this: any) {
    const state = this._writableState;
    if (state.corked === 0) return;
    state.corked--;
    flushBuffer(this, state);
  },
  setDefaultEncoding(this: any, encoding: string) {
    if (!Buffer["isEncoding"](encoding)) throw nodeError(TypeError, "ERR_UNKNOWN_ENCODING", `Unknown encoding: ${encoding}`);
    this._writableState.encoding = encoding.toLowerCase();
    return this;
  },

  get writable(): boolean {
    const state = (this as any)._writableState;
    return state !== undefined && !state.closedSide && !state.destroyed && !state.errored && !state.ending;
  },
  set writable(value: boolean) { (this as any)._writableState.closedSide = !value; },
  get writableFinished(): boolean { return (this as any)._writableState.finished; },
  get writableEnded(): boolean { return (this as any)._writableState.ending; },
  get writableObjectMode(): boolean { return (this as any)._writableState.objectMode; },
  get writableHighWaterMark(): number { return (this as any)._writableState.highWaterMark; },
  get writableLength(): number { return (this as any)._writableState.length; },
  get writableCorked(): number { return (this as any)._writableState.corked; },
  get writableNeedDrain(): boolean {
    const state = (this as any)._writableState;
    return state !== undefined && !state.destroyed && !state.ending && state.needDrain;
  },
  get writableAborted(): boolean {
    const state = (this as any)._writableState;
    return (state.destroyed || state.errored !== null) && !state.finished;
  },
};
define(Writable.prototype, writableMembers);
define(Writable.prototype, {
  pipe(this: any) { fail(this, streamError("ERR_STREAM_CANNOT_PIPE", "Cannot pipe, not readable")); },
  get destroyed(): boolean { return sidesOf(this).some((side) => side.destroyed); },
  get closed(): boolean { return sidesOf(this).every((side) => side.closed); },
  get errored(): Error | null { return sidesOf(this).find((side) => side.errored)?.errored ?? null; },
});

// ---- Duplex, Transform, PassThrough

export const Duplex: any = function (this: any, options: Options = {}) {
  if (!isA(this, Duplex)) return new Duplex(options);
  this._readableState = readableState(options, true);
  this._writableState = writableState(options, true);
  this.allowHalfOpen = options["allowHalfOpen"] !== false;
  setMethods(this, options, { read: "_read", ...writableOptions });
  Stream.call(this, options);
  if (options["readable"] === false) {
    Object.assign(this._readableState, { readableSide: false, ended: true, endEmitted: true });
  }
  if (options["writable"] === false) Object.assign(this._writableState, { closedSide: true, ending: true, finished: true });
  if (options["signal"]) followSignal(this, options["signal"]);
  construct(this, () => {
    if (this._readableState.needReadable) readMore(this, this._readableState);
    flushBuffer(this, this._writableState);
    maybeFinish(this, this._writableState);
  });
};
inherit(Duplex, Readable);
define(Duplex.prototype, writableMembers);
Duplex.from = function from(source: any): any {
  if (source?.readable !== undefined && source?.writable !== undefined) return joinStreams(source.readable, source.writable);
  return joinStreams(Readable.from(source), undefined);
};

/** One duplex stream over a readable and a writable one. */
function joinStreams(readable: any, writable: any): any {
  const joined: any = new Duplex({ readableObjectMode: true, writableObjectMode: true, readable: !!readable, writable: !!writable });
  if (readable) {
    joined._read = () => readable.resume();
    readable.on("data", (chunk: any) => {
      if (!joined.push(chunk)) readable.pause();
    });
    readable.pause();
    finished(readable, (error: any) => (error ? joined.destroy(error) : joined.push(null)));
  }
  if (writable) {
    joined._write = (chunk: any, encoding: string, callback: Callback) => writable.write(chunk, encoding === "buffer" ? undefined : encoding, callback);
    joined._final = (callback: Callback) => writable.end(callback);
    writable.on("error", (error: Error) => joined.destroy(error));
  }
  return joined;
}

export const Transform: any = function (this: any, options: Options = {}) {
  if (!isA(this, Transform)) return new Transform(options);
  Duplex.call(this, options);
  this._readableState.sync = false;
  setMethods(this, options, { transform: "_transform", flush: "_flush" });
};
inherit(Transform, Duplex);
const waiting = Symbol("waiting");
define(Transform.prototype, {
  _transform() { throw streamError("ERR_METHOD_NOT_IMPLEMENTED", "The _transform() method is not implemented"); },
  _write(this: any, chunk: any, encoding: string, callback: Callback) {
    const read = this._readableState;
    const write = this._writableState;
    const before = read.length;
    this._transform(chunk, encoding, (error?: Error | null, value?: any) => {
      if (error) {
        callback(error);
        return;
      }
      if (value !== undefined && value !== null) this.push(value);
      if (write.ending || before === read.length || read.length < read.highWaterMark) callback();
      else this[waiting] = callback;
    });
  },
  _read(this: any) {
    const callback = this[waiting];
    this[waiting] = undefined;
    callback?.();
  },
  _final(this: any, callback: Callback) {
    if (typeof this._flush !== "function") {
      this.push(null);
      callback();
      return;
    }
    this._flush((error?: Error | null, value?: any) => {
      if (error) {
        callback(error);
        return;
      }
      if (value !== undefined && value !== null) this.push(value);
      this.push(null);
      callback();
    });
  },
});

export const PassThrough: any = function (this: any, options: Options = {}) {
  if (!isA(this, PassThrough)) return new PassThrough(options);
  Transform.call(this, options);
};
inherit(PassThrough, Transform);
define(PassThrough.prototype, {
  _transform(chunk: any, _encoding: string, callback: Callback) { callback(null, chunk); },
});

// ---- finished and pipeline

/** Calls back once when a stream has ended, failed or closed early; returns how to stop waiting. */
export function finished(stream: any, options: any, callback?: Callback): () => void {
  if (typeof options === "function") [callback, options] = [options, {}];
  checkFunction(callback, "callback");
  const done = callback;
  options ??= {};
  const waitReadable = options.readable ?? stream._readableState !== undefined;
  const waitWritable = options.writable ?? stream._writableState !== undefined;
  if (stream?._readableState === undefined && stream?._writableState === undefined) throw invalidArgType("stream", "an instance of Stream", stream);
  let called = false;
  const finish = (error?: Error | null) => {
    if (called) return;
    called = true;
    if (error) done.call(stream, error);
    else done.call(stream);
  };
  const readDone = () => !waitReadable || stream._readableState === undefined || stream._readableState.endEmitted || stream._readableState.readableSide === false;
  const writeDone = () => !waitWritable || stream._writableState === undefined || stream._writableState.finished || stream._writableState.closedSide;
  const autoCloses = () => sidesOf(stream).some((side) => side.autoDestroy && side.emitClose) && (waitReadable || stream._readableState === undefined) && (waitWritable || stream._writableState === undefined);
  const check = () => {
    // With autoDestroy, "close" follows and is the end.
    if (readDone() && writeDone() && !autoCloses()) finish();
  };
  const failed = (error: Error) => finish(error);
  const closed = () => {
    if (stream.errored) finish(stream.errored);
    else if (!readDone() || !writeDone()) finish(streamError("ERR_STREAM_PREMATURE_CLOSE", "Premature close"));
    else finish();
  };
  stream.on("end", check);
  stream.on("finish", check);
  if (options.error !== false) stream.on("error", failed);
  stream.on("close", closed);
  const stop = () => {
    stream.removeListener("end", check);
    stream.removeListener("finish", check);
    stream.removeListener("error", failed);
    stream.removeListener("close", closed);
    called = true;
  };
  const { signal } = options;
  if (signal) {
    const abort = () => {
      const error = new AbortError(undefined, { cause: signal.reason });
      const report = done;
      stop();
      report.call(stream, error);
    };
    if (signal.aborted) nextTick(abort);
    else signal.addEventListener("abort", abort, { once: true });
  }
  const sides = sidesOf(stream);
  if (sides.some((side) => side.closeEmitted) || sides.every((side) => side.closed)) nextTick(closed);
  else if (stream.errored) nextTick(() => failed(stream.errored));
  else if (readDone() && writeDone()) nextTick(() => {
    if (sides.every((side) => side.closed || !side.emitClose || !side.autoDestroy)) finish();
  });
  return stop;
}

const isStream = (value: any) => value?._readableState !== undefined || value?._writableState !== undefined;
const isWeb = (value: any) => typeof value?.getReader === "function" || typeof value?.getWriter === "function" || (value?.readable !== undefined && typeof value.readable?.getReader === "function");

/** One step of a pipeline as a Node stream. */
function stage(value: any, previous: any, index: number, last: boolean): any {
  if (isStream(value)) return value;
  if (isWeb(value)) {
    if (typeof value.getReader === "function") return Readable.fromWeb(value);
    return typeof value.getWriter === "function" ? Writable.fromWeb(value) : Duplex.fromWeb(value);
  }
  if (typeof value === "function") {
    const result = previous === undefined ? value({}) : value(previous, {});
    if (result?.[Symbol.asyncIterator] || result?.[Symbol.iterator]) return Readable.from(result);
    if (last && typeof result?.then === "function") return result;
    throw nodeError(TypeError, "ERR_INVALID_RETURN_VALUE", `Expected an AsyncIterable to be returned from the "${index === 0 ? "source" : `transform[${index - 1}]`}" function`);
  }
  if (value?.[Symbol.asyncIterator] || value?.[Symbol.iterator]) return Readable.from(value);
  throw invalidArgType("stream", "an instance of Stream, Iterable, or AsyncIterable", value);
}

/** Pipes streams, iterables and async functions into each other; the first error destroys all of them. */
export function pipeline(...args: any[]): any {
  const callback = args.pop();
  checkFunction(callback, "streams[stream.length - 1]");
  return run(args.length === 1 && Array.isArray(args[0]) ? args[0] : args, {}, callback);
}

function run(steps: any[], options: Options, callback: Callback): any {
  if (steps.length < 2) throw nodeError(TypeError, "ERR_MISSING_ARGS", 'The "streams" argument must be specified');
  const streams: any[] = [];
  let value: any;
  let pending = 0;
  let failure: Error | undefined;
  let ended = false;
  const complete = (error?: Error | null) => {
    if (error && (failure === undefined || (failure as any).code === "ERR_STREAM_PREMATURE_CLOSE")) failure = error;
    if (failure) for (const stream of streams) if (!stream.destroyed) stream.destroy(stream === streams.at(-1) || isStream(stream) ? failure : undefined);
    if (--pending > 0 || ended) return;
    ended = true;
    callback(failure, value);
  };
  for (let i = 0; i < steps.length; i++) {
    const previous = streams.at(-1);
    const last = i === steps.length - 1;
    const fromFunction = !isStream(steps[i]) && typeof steps[i] === "function";
    const next = stage(steps[i], previous, i, last);
    if (typeof next.then === "function") {
      pending++;
      next.then((result: any) => {
        value = result;
        complete();
      }, complete);
      continue;
    }
    pending++;
    const stream = next;
    stream.on("error", noop);
    // The last stream's readable side is for others to read.
    finished(stream, { readable: !last && stream._readableState !== undefined, writable: i > 0 && stream._writableState !== undefined }, (error) => complete(error));
    if (previous !== undefined && !fromFunction) previous.pipe(stream, { end: !(last && options["end"] === false) });
    streams.push(stream);
  }
  const { signal } = options;
  if (signal) {
    const abort = () => complete(Object.assign(new AbortError(undefined, { cause: signal.reason })));
    pending++;
    if (signal.aborted) nextTick(abort);
    else signal.addEventListener("abort", abort, { once: true });
    pending--;
  }
  return streams.at(-1);
}

/** The functions of node:stream/promises. */
export const promises = {
  pipeline(...args: any[]): Promise<any> {
    const last = args.at(-1);
    const options = typeof last === "object" && last !== null && !isStream(last) && !isWeb(last) && !last[Symbol.asyncIterator] && !last[Symbol.iterator] ? args.pop() : {};
    return new Promise((resolve, reject) => {
      run(args.length === 1 && Array.isArray(args[0]) ? args[0] : args, options, (error, value) => (error ? reject(error) : resolve(value)));
    });
  },
  finished(stream: any, options: Options = {}): Promise<void> {
    return new Promise((resolve, reject) => finished(stream, options, (error) => (error ? reject(error) : resolve())));
  },
};

// ---- web streams

interface WebScope {
  ReadableStream: new (source: any, strategy?: any) => any;
  WritableStream: new (sink: any, strategy?: any) => any;
}
const web = globalThis as unknown as WebScope;

Readable.fromWeb = function fromWeb(source: any, options: Options = {}): any {
  if (typeof source?.getReader !== "function") throw invalidArgType("readableStream", "an instance of ReadableStream", source);
  const reader = source.getReader();
  const stream = new Readable({ objectMode: false, ...options });
  let closed = false;
  stream._read = () => {
    reader.read().then(({ done, value }: any) => {
      closed = done;
      stream.push(done ? null : value);
    }, (error: Error) => stream.destroy(error));
  };
  stream._destroy = (error: Error | null, callback: Callback) => {
    if (closed) callback(error);
    else reader.cancel(error).then(() => callback(error), () => callback(error));
  };
  return stream;
};

Readable.toWeb = function toWeb(stream: any, options: Options = {}): any {
  const { objectMode, highWaterMark: mark } = stream._readableState;
  const strategy = options["strategy"] ?? { highWaterMark: mark, size: objectMode ? () => 1 : (chunk: any) => chunk.length };
  let stop: () => void = noop;
  return new web.ReadableStream({
    start(controller: any) {
      stream.pause();
      stream.on("data", (chunk: any) => {
        controller.enqueue(isA(chunk, Buffer) && !objectMode ? new Uint8Array(chunk) : chunk);
        if (controller.desiredSize <= 0) stream.pause();
      });
      stop = finished(stream, { writable: false }, (error) => {
        if (error) controller.error(error);
        else controller.close();
      });
      stream.pause();
    },
    pull() { stream.resume(); },
    cancel(reason: any) {
      stop();
      stream.destroy(reason instanceof Error ? reason : undefined);
    },
  }, strategy);
};

Writable.fromWeb = function fromWeb(target: any, options: Options = {}): any {
  if (typeof target?.getWriter !== "function") throw invalidArgType("writableStream", "an instance of WritableStream", target);
  const writer = target.getWriter();
  const settle = (promise: Promise<unknown>, callback: Callback) => promise.then(() => callback(), (error) => callback(error ?? new AbortError()));
  return new Writable({
    ...options,
    write(chunk: any, _encoding: string, callback: Callback) { settle(writer.ready.then(() => writer.write(chunk)), callback); },
    final(callback: Callback) { settle(writer.close(), callback); },
    destroy(error: Error | null, callback: Callback) {
      if (error === null) callback(null);
      else writer.abort(error).then(() => callback(error), () => callback(error));
    },
  });
};

Writable.toWeb = function toWeb(stream: any): any {
  return new web.WritableStream({
    start(controller: any) { stream.on("error", (error: Error) => controller.error(error)); },
    write(chunk: any) { return new Promise<void>((resolve, reject) => stream.write(chunk, undefined, (error: any) => (error ? reject(error) : resolve()))); },
    close() { return new Promise<void>((resolve, reject) => stream.end((error: any) => (error ? reject(error) : resolve()))); },
    abort(reason: any) { stream.destroy(reason instanceof Error ? reason : undefined); },
  });
};

Duplex.fromWeb = function fromWeb(pair: any, options: Options = {}): any {
  return joinStreams(Readable.fromWeb(pair.readable, options), Writable.fromWeb(pair.writable, options));
};
Duplex.toWeb = function toWeb(stream: any): any {
  return { readable: Readable.toWeb(stream), writable: Writable.toWeb(stream) };
};

export function isReadable(stream: any): boolean { return stream?.readable === true; }
export function isErrored(stream: any): boolean { return !!stream?.errored; }
export function isDisturbed(stream: any): boolean { return !!(stream?.readableDidRead || stream?.readableAborted); }
export function isDestroyed(stream: any): boolean { return !!stream?.destroyed; }

Object.assign(Stream, {
  Stream, Readable, Writable, Duplex, Transform, PassThrough, pipeline, finished, promises, addAbortSignal, getDefaultHighWaterMark, setDefaultHighWaterMark,
  isReadable, isErrored, isDisturbed, isDestroyed,
});
Stream.prototype.pipe = Readable.prototype.pipe;

export default Stream;
