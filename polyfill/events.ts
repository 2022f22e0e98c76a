// https://dom.spec.whatwg.org/#events, without a tree: an event's path is its target.
import { defineInterface, dictionary, domString, required } from "./webidl.ts";
import { reportError, setErrorEvents } from "./reporterror.ts";

const now = performance.now.bind(performance);
const apply = Reflect.apply;
const { defineProperty } = Object;

export interface EventInit {
  bubbles?: boolean;
  cancelable?: boolean;
  composed?: boolean;
}

const NONE = 0;
const AT_TARGET = 2;

const isTrusted = {
  get isTrusted() {
    return trusted.has(this as unknown as Event);
  },
};
const isTrustedProperty = { ...Object.getOwnPropertyDescriptor(isTrusted, "isTrusted"), configurable: false };
const trusted = new WeakSet<Event>();

let begin: (event: Event, target: EventTarget) => void;
let end: (event: Event) => boolean;
let stopped: (event: Event) => boolean;
let setPassive: (event: Event, passive: boolean) => void;
let dispatching: (event: Event) => boolean;

/** https://dom.spec.whatwg.org/#interface-event */
export class Event {
  #type: string;
  #bubbles = false;
  #cancelable = false;
  #composed = false;
  #target: EventTarget | null = null;
  #current: EventTarget | null = null;
  #phase = NONE;
  #initialized = true;
  #dispatching = false;
  #stop = false;
  #stopNow = false;
  #canceled = false;
  #passive = false;
  #time = now();

  constructor(type: string, init: EventInit = {}) {
    required(arguments.length, 1, "Event()");
    this.#type = domString(type);
    const { bubbles, cancelable, composed } = dictionary<EventInit>(init, "Event()'s init");
    this.#bubbles = !!bubbles;
    this.#cancelable = !!cancelable;
    this.#composed = !!composed;
    defineProperty(this, "isTrusted", isTrustedProperty);
  }

  static {
    begin = (event, target) => {
      if (event.#dispatching || !event.#initialized) throw new DOMException("The event is being dispatched or was not initialised", "InvalidStateError");
      event.#dispatching = true;
      event.#target = shown(target);
      event.#current = event.#target;
      event.#phase = AT_TARGET;
    };
    end = (event) => {
      event.#dispatching = event.#stop = event.#stopNow = false;
      event.#current = null;
      event.#phase = NONE;
      return !event.#canceled;
    };
    stopped = (event) => event.#stopNow;
    setPassive = (event, passive) => {
      event.#passive = passive;
    };
    dispatching = (event) => event.#dispatching;
  }

  get type(): string { return this.#type; }
  get target(): EventTarget | null { return this.#target; }
  get srcElement(): EventTarget | null { return this.#target; }
  get currentTarget(): EventTarget | null { return this.#current; }
  composedPath(): EventTarget[] { return this.#current === null ? [] : [this.#current]; }

  get eventPhase(): number { return this.#phase; }
  stopPropagation(): void { this.#stop = true; }
  get cancelBubble(): boolean { return this.#stop; }
  set cancelBubble(value: boolean) { if (value) this.#stop = true; }
  stopImmediatePropagation(): void { this.#stop = this.#stopNow = true; }

  get bubbles(): boolean { return this.#bubbles; }
  get cancelable(): boolean { return this.#cancelable; }
  get returnValue(): boolean { return !this.#canceled; }
  set returnValue(value: boolean) { if (!value) this.preventDefault(); }
  preventDefault(): void { if (this.#cancelable && !this.#passive) this.#canceled = true; }
  get defaultPrevented(): boolean { return this.#canceled; }
  get composed(): boolean { return this.#composed; }
  get timeStamp(): number { return this.#time; }

  /** Kept by the standard for old code. */
  initEvent(type: string, bubbles = false, cancelable = false): void {
    required(arguments.length, 1, "initEvent()");
    if (this.#dispatching) return;
    this.#stop = this.#stopNow = this.#canceled = false;
    trusted.delete(this);
    this.#target = null;
    this.#type = domString(type);
    this.#bubbles = !!bubbles;
    this.#cancelable = !!cancelable;
  }

  declare readonly isTrusted: boolean;
  declare static readonly NONE: 0;
  declare static readonly CAPTURING_PHASE: 1;
  declare static readonly AT_TARGET: 2;
  declare static readonly BUBBLING_PHASE: 3;
}
defineInterface(Event, "Event", { NONE, CAPTURING_PHASE: 1, AT_TARGET, BUBBLING_PHASE: 3 });

export interface CustomEventInit extends EventInit {
  detail?: unknown;
}

/** https://dom.spec.whatwg.org/#interface-customevent */
export class CustomEvent extends Event {
  #detail: unknown;
  constructor(type: string, init: CustomEventInit = {}) {
    required(arguments.length, 1, "CustomEvent()");
    super(type, init);
    this.#detail = init?.detail ?? null;
  }
  get detail(): unknown { return this.#detail; }
  /** Kept by the standard for old code. */
  initCustomEvent(type: string, bubbles = false, cancelable = false, detail: unknown = null): void {
    required(arguments.length, 1, "initCustomEvent()");
    if (dispatching(this)) return;
    this.initEvent(type, bubbles, cancelable);
    this.#detail = detail;
  }
}
defineInterface(CustomEvent, "CustomEvent");

export interface ErrorEventInit extends EventInit {
  message?: string;
  filename?: string;
  lineno?: number;
  colno?: number;
  error?: unknown;
}

let isErrorEvent: (event: Event) => boolean;

/** https://html.spec.whatwg.org/#errorevent */
export class ErrorEvent extends Event {
  #init: ErrorEventInit;
  static {
    isErrorEvent = (event) => #init in event;
  }
  constructor(type: string, init: ErrorEventInit = {}) {
    required(arguments.length, 1, "ErrorEvent()");
    super(type, init);
    this.#init = { ...init };
  }
  get message(): string { return domString(this.#init.message ?? ""); }
  get filename(): string { return domString(this.#init.filename ?? ""); }
  get lineno(): number { return (this.#init.lineno ?? 0) >>> 0; }
  get colno(): number { return (this.#init.colno ?? 0) >>> 0; }
  get error(): unknown { return this.#init.error; }
}
defineInterface(ErrorEvent, "ErrorEvent");

export interface MessageEventInit extends EventInit {
  data?: unknown;
  origin?: string;
  lastEventId?: string;
  source?: object | null;
  ports?: readonly object[];
}

/** https://html.spec.whatwg.org/#messageevent */
export class MessageEvent extends Event {
  #data: unknown;
  #origin: string;
  #lastEventId: string;
  #source: object | null;
  #ports: readonly object[];
  constructor(type: string, init: MessageEventInit = {}) {
    required(arguments.length, 1, "MessageEvent()");
    super(type, init);
    const { data = null, origin = "", lastEventId = "", source = null, ports = [] } = init ?? {};
    this.#data = data;
    this.#origin = domString(origin);
    this.#lastEventId = domString(lastEventId);
    this.#source = source;
    this.#ports = Object.freeze([...ports]);
  }
  get data(): unknown { return this.#data; }
  get origin(): string { return this.#origin; }
  get lastEventId(): string { return this.#lastEventId; }
  get source(): object | null { return this.#source; }
  get ports(): readonly object[] { return this.#ports; }
}
defineInterface(MessageEvent, "MessageEvent");

/** What EventTarget needs of AbortSignal; abort.ts, which builds on this file, fills it in. */
export interface SignalHooks {
  isSignal(value: unknown): boolean;
  isAborted(signal: unknown): boolean;
  add(signal: unknown, algorithm: () => void): void;
}

let signals: SignalHooks | undefined;

export function setSignalHooks(hooks: SignalHooks): void {
  signals = hooks;
}

export type EventListener = ((this: EventTarget, event: Event) => unknown) | { handleEvent(event: Event): unknown };

export interface AddEventListenerOptions {
  capture?: boolean;
  once?: boolean;
  passive?: boolean;
  signal?: unknown;
}

interface Listener {
  type: string;
  callback: EventListener | null;
  capture: boolean;
  once: boolean;
  passive: boolean;
  removed: boolean;
}

function flattenCapture(options: unknown): boolean {
  if (typeof options === "boolean") return options;
  if (options === null || (typeof options !== "object" && typeof options !== "function")) return !!options;
  return !!(options as AddEventListenerOptions).capture;
}

function checkCallback(callback: unknown): EventListener | null {
  if (callback === null || callback === undefined) return null;
  if (typeof callback !== "function" && typeof callback !== "object") throw new TypeError("The listener is neither a function nor an object");
  return callback as EventListener;
}

let dispatchOn: (target: EventTarget, event: Event) => boolean;
let hasListeners: (target: EventTarget, type: string) => boolean;

/** https://dom.spec.whatwg.org/#interface-eventtarget */
export class EventTarget {
  #listeners: Listener[] | undefined;

  addEventListener(type: string, callback: EventListener | null, options: AddEventListenerOptions | boolean | undefined = undefined): void {
    const target = self(this);
    required(arguments.length, 2, "addEventListener()");
    type = domString(type);
    callback = checkCallback(callback);
    const capture = flattenCapture(options);
    let once = false;
    let passive = false;
    let signal: unknown;
    if (typeof options === "object" && options !== null) {
      once = !!options.once;
      passive = !!options.passive;
      signal = options.signal;
      if (signal !== undefined && !signals?.isSignal(signal)) throw new TypeError("addEventListener()'s signal is not an AbortSignal");
    }
    if (signal !== undefined && signals!.isAborted(signal)) return;
    if (callback === null) return;
    const list = (target.#listeners ??= []);
    for (const other of list) {
      if (other.type === type && other.callback === callback && other.capture === capture) return;
    }
    const listener: Listener = { type, callback, capture, once, passive, removed: false };
    target.#listeners = [...list, listener];
    if (signal !== undefined) signals!.add(signal, () => target.#remove(listener));
  }

  removeEventListener(type: string, callback: EventListener | null, options: AddEventListenerOptions | boolean | undefined = undefined): void {
    const target = self(this);
    required(arguments.length, 2, "removeEventListener()");
    type = domString(type);
    callback = checkCallback(callback);
    const capture = flattenCapture(options);
    for (const listener of target.#listeners ?? []) {
      if (listener.type === type && listener.callback === callback && listener.capture === capture) {
        target.#remove(listener);
        return;
      }
    }
  }

  dispatchEvent(event: Event): boolean {
    const target = self(this);
    required(arguments.length, 1, "dispatchEvent()");
    if (!(event instanceof Event)) throw new TypeError("dispatchEvent() takes an Event");
    const result = dispatchOn(target, event);
    return result;
  }

  #remove(listener: Listener): void {
    listener.removed = true;
    this.#listeners = this.#listeners?.filter((other) => other !== listener);
  }

  /** Capturing listeners go first, also at the target itself. */
  #invoke(event: Event, type: string, capture: boolean): void {
    for (const listener of this.#listeners ?? []) {
      if (listener.type !== type || listener.capture !== capture || listener.removed) continue;
      if (listener.once) this.#remove(listener);
      if (listener.passive) setPassive(event, true);
      try {
        const callback = listener.callback!;
        if (typeof callback === "function") {
          apply(callback, shown(this), [event]);
        } else {
          const handle = callback.handleEvent;
          if (typeof handle !== "function") throw new TypeError("The listener has no handleEvent method");
          apply(handle, callback, [event]);
        }
      } catch (error) {
        reportError(error);
      }
      if (listener.passive) setPassive(event, false);
      if (stopped(event)) return;
    }
  }

  static {
    dispatchOn = (target, event) => {
      begin(event, target);
      const type = event.type;
      if (target.#listeners !== undefined && !event.cancelBubble) {
        target.#invoke(event, type, true);
        if (!event.cancelBubble) target.#invoke(event, type, false);
      }
      return end(event);
    };
    hasListeners = (target, type) => target.#listeners?.some((listener) => listener.type === type) ?? false;
  }

  static isTarget(value: unknown): value is EventTarget {
    return typeof value === "object" && value !== null && #listeners in value;
  }
}

const isTarget = EventTarget.isTarget;
delete (EventTarget as { isTarget?: unknown }).isTarget;

/** Holds the listeners of the global object, which cannot have private members. */
const globalTarget = new EventTarget();

/** The target as scripts see it. */
function shown(target: EventTarget): EventTarget {
  return target === globalTarget ? (globalThis as unknown as EventTarget) : target;
}

/** Methods called without an object act on the global object. */
function self(value: unknown): EventTarget {
  if (isTarget(value)) return value;
  if (value === undefined || value === null || value === globalThis) return globalTarget;
  throw new TypeError("Illegal invocation: this is not an EventTarget");
}
defineInterface(EventTarget, "EventTarget");

/** Dispatches an event that the platform made. */
export function dispatchTrusted(target: EventTarget, event: Event): boolean {
  trusted.add(event);
  return dispatchOn(target, event);
}

/** Whether anything listens, so that the platform need not make an event. */
export function listens(target: EventTarget, type: string): boolean {
  return hasListeners(target, type);
}

const handlers = new WeakMap<EventTarget, Map<string, { callback: ((event: Event) => unknown) | null }>>();

/**
 * Defines the event handler attribute on<type>. A handler keeps the place in the order that its first value had.
 * https://html.spec.whatwg.org/#event-handler-idl-attributes
 */
export function defineEventHandler(prototype: object, type: string, enumerable = true): void {
  const accessor = {
    get [`on${type}`](): unknown {
      return handlers.get(self(this))?.get(type)?.callback ?? null;
    },
    set [`on${type}`](value: unknown) {
      const target = self(this);
      let own = handlers.get(target);
      if (own === undefined) handlers.set(target, (own = new Map()));
      const callback = typeof value === "function" || (typeof value === "object" && value !== null) ? (value as (event: Event) => unknown) : null;
      const slot = own.get(type);
      if (slot !== undefined && slot.callback !== null && callback !== null) {
        slot.callback = callback;
        return;
      }
      if (slot !== undefined) {
        if (callback === null) {
          own.delete(type);
          removeListener(target, type, slot);
        }
        return;
      }
      if (callback === null) return;
      const fresh = {
        callback,
        handleEvent(event: Event) {
          if (typeof fresh.callback !== "function") return;
          if (type === "error" && target === globalTarget && isErrorEvent(event)) {
            // https://html.spec.whatwg.org/#the-event-handler-processing-algorithm: true, not false, cancels.
            const { message, filename, lineno, colno, error } = event as ErrorEvent;
            if (apply(fresh.callback, globalThis, [message, filename, lineno, colno, error]) === true) event.preventDefault();
          } else if (apply(fresh.callback, shown(target), [event]) === false) event.preventDefault();
        },
      };
      own.set(type, fresh);
      addListener(target, type, fresh);
    },
  };
  const property = Object.getOwnPropertyDescriptor(accessor, `on${type}`)!;
  defineProperty(prototype, `on${type}`, { ...property, enumerable, configurable: true });
}

const add = EventTarget.prototype.addEventListener;
const remove = EventTarget.prototype.removeEventListener;
function addListener(target: EventTarget, type: string, listener: unknown): void {
  apply(add, target, [type, listener as EventListener]);
}
function removeListener(target: EventTarget, type: string, listener: unknown): void {
  apply(remove, target, [type, listener as EventListener]);
}

export interface PromiseRejectionEventInit extends EventInit {
  promise: Promise<unknown>;
  reason?: unknown;
}

/** https://html.spec.whatwg.org/#promiserejectionevent */
export class PromiseRejectionEvent extends Event {
  #promise: Promise<unknown>;
  #reason: unknown;
  constructor(type: string, init: PromiseRejectionEventInit) {
    required(arguments.length, 2, "PromiseRejectionEvent()");
    super(type, init);
    const { promise, reason } = dictionary<PromiseRejectionEventInit>(init, "PromiseRejectionEvent()'s init");
    if (typeof promise !== "object" || promise === null) throw new TypeError("PromiseRejectionEvent()'s init has no promise");
    this.#promise = promise;
    this.#reason = reason;
  }
  get promise(): Promise<unknown> { return this.#promise; }
  get reason(): unknown { return this.#reason; }
}
defineInterface(PromiseRejectionEvent, "PromiseRejectionEvent");

/** Promises whose rejection an event told of: handling one later is an event too. Some rejections have no promise. */
const told = new WeakSet<object>();
const { has: isTold, add: tell } = WeakSet.prototype;

function isListenedTo(type: string): boolean {
  return hasListeners(globalTarget, type);
}

setErrorEvents((kind, error, promise) => {
  if (kind === "exception") {
    if (!isListenedTo("error")) return false;
    return !dispatchTrusted(globalTarget, new ErrorEvent("error", { ...describeError(error), error, cancelable: true }));
  }
  if (typeof promise !== "object") return false;
  if (kind === "rejection") {
    if (isListenedTo("rejectionhandled")) apply(tell, told, [promise]);
    if (!isListenedTo("unhandledrejection")) return false;
    return !dispatchTrusted(globalTarget, new PromiseRejectionEvent("unhandledrejection", { promise: promise as Promise<unknown>, reason: error, cancelable: true }));
  }
  if (apply(isTold, told, [promise])) dispatchTrusted(globalTarget, new PromiseRejectionEvent("rejectionhandled", { promise: promise as Promise<unknown> }));
  return true;
});

/** Where an error comes from, by its stack: "at name (file:line:column)". */
function describeError(error: unknown): { message: string; filename: string; lineno: number; colno: number } {
  const where = { message: "", filename: "", lineno: 0, colno: 0 };
  try {
    where.message = `Uncaught ${String(error)}`;
    if (error instanceof Error) {
      const place = /^ +at (?:.*\()?([^()\n]*):(\d+):(\d+)\)?$/m.exec(String(error.stack));
      if (place !== null) Object.assign(where, { filename: place[1], lineno: +place[2]!, colno: +place[3]! });
    }
  } catch {
    // An error may throw when it is shown; it is reported all the same.
  }
  return where;
}

/** Makes the global object an EventTarget with the handlers of https://html.spec.whatwg.org/#globaleventhandlers that exist here. */
export function installGlobalTarget(define: (name: string, value: unknown) => void): void {
  Object.setPrototypeOf(globalThis, EventTarget.prototype);
  const { addEventListener, removeEventListener, dispatchEvent } = EventTarget.prototype;
  for (const [name, value] of Object.entries({ addEventListener, removeEventListener, dispatchEvent })) define(name, value);
  for (const type of ["error", "unhandledrejection", "rejectionhandled"]) defineEventHandler(globalThis, type, false);
}
