/**
 * The globals of agentrt. Nothing else exists: leave "dom" and "webworker" out of `lib` in tsconfig.json.
 * Functions live in `pb_serverless/src/routes`; see {@link RouteContext}. The global `pb` is in pocketbase.d.ts.
 *
 * TypeScript itself declares ECMAScript and `Intl`, of which agentrt lacks: `Atomics`; `Intl.Segmenter`, `DurationFormat`, `supportedValuesOf`
 * and the methods for ranges. `Intl` throws a TypeError where it has no data or feature, instead of another language: NumberFormat has en, de, fr,
 * es, it, pt, nl, sv, da, nb, fi, pl, cs, ja, ko, zh (decimals, percent, currencies; compact in English; no units), DateTimeFormat en-US and en-GB
 * with all IANA time zones, ListFormat en, de, fr, nl, pt, sv, da, RelativeTimeFormat en; Collator, PluralRules and DisplayNames (languages,
 * regions, scripts) most languages. The default locale is en-US, the default time zone UTC.
 */
/// <reference lib="es2025" />
/// <reference lib="esnext.array" />
/// <reference lib="esnext.disposable" />
/// <reference lib="esnext.error" />
/// <reference lib="esnext.typedarrays" />

/** What a route's handler gets beside the request. */
interface RouteContext<Params = Record<string, string>> {
  /** Values of the dynamic segments: `routes/users/[id].ts` has `params.id`; a catch-all such as
   * `[...path]` has an array (`RouteContext<{ path: string[] }>`). */
  readonly params: Params;
  /** The route's file below `src`, for example `routes/chat.ts`. */
  readonly route: string;
  /** The request's id: taken from `X-Request-Id` or `traceparent`, else new. The response carries it too. */
  readonly requestId: string;
  /** The client's address, by PocketBase's trusted proxy settings. */
  readonly ip: string;
  /** The authenticated record, or null for a guest. */
  readonly auth: (Record<string, unknown> & { id: string; collectionName: string }) | null;
  /** Aborts when the client closes the connection; the same as `request.signal`. */
  readonly signal: AbortSignal;
  /** Keeps the instance for work after the response, at most 30 s by default. Errors are logged. */
  waitUntil(work: Promise<unknown>): void;
  /** The same as `pb.embed`. */
  embed: PocketBase["embed"];
  /** The authenticated record; a guest gets 401. */
  requireAuth(): Record<string, unknown> & { id: string; collectionName: string };
  /** Does nothing; libraries written for workers call it. */
  passThroughOnException(): void;
}

/** `export const config` of a route. */
interface RouteConfig {
  /** Who may call: everybody ("none", the default), any authenticated record ("user"), superusers, or the records of the named auth collection. */
  auth?: "none" | "user" | "superuser" | (string & {});
  /** Until the response starts: "500ms", "30s" (the default), "5m". A started stream may last longer. */
  timeout?: string;
  /** Time JavaScript may run, waiting excluded; "10s" by default. */
  cpu?: string;
  /** Most memory of the JavaScript heap: "64MB" or a number of bytes; "128MB" by default. */
  memory?: string | number;
  /** Whose rights pb has: a superuser's (the default), or the caller's, under the collections' API rules. */
  run?: "superuser" | "caller";
  /**
   * The only destinations of `fetch` and `WebSocket`, redirects included; absent: all that the server lets through, `[]`: none. It narrows the
   * server's policy and opens nothing that it denies. At most 100 of: a host "api.openai.com", the hosts below one "*.example.com", an address or range
   * "10.0.0.0/8", "*"; each with a port ":443" or a range ":8000-8999" if only these. Rules with addresses apply to URLs with addresses, not to names. A denied
   * fetch rejects with a TypeError whose cause has the code ERR_EGRESS_DENIED.
   */
  net?: string[];
  /**
   * How many requests of one client are answered; the others get 429 with Retry-After. All responses have the fields RateLimit and RateLimit-Policy. Superusers
   * are not limited. Counted are all requests to the route, those that `auth` refuses included.
   */
  rateLimit?: RateLimit;
  /** Names that `pb.secrets.get` gives to this route's handlers; absent: all, `[]`: none. The top level of modules, which runs
   * once for all routes, sees all: read a secret there only if every route may have it. */
  secrets?: string[];
}

interface RateLimit {
  /** 1 to 1,000,000. That many may come at once; they are free again evenly over `per`: with 20 per "1m" one each 3 s. */
  requests: number;
  /** "1s" to "24h". */
  per: string;
  /**
   * Whom to count: "ip" (the default) is the client's address by PocketBase's trusted proxy settings, for IPv6 its /64 network; "user" is the
   * authenticated record, for guests the address. A route counts up to 16,384 clients at a time and forgets arbitrary ones beyond.
   */
  by?: "ip" | "user";
}

/** Narrows what a hook, a cron job or a worker may reach, as `net` and `secrets` of {@link RouteConfig} do for a route. */
interface AccessConfig {
  net?: string[];
  secrets?: string[];
}

/** A route's `export default { fetch }`. */
interface RouteFetcher {
  fetch(request: Request, context: RouteContext): Response | Promise<Response>;
}


/** The environment of functions: `pb_serverless/.env` and what the server passes on. */
declare var process: {
  readonly env: Record<string, string | undefined>;
  /** Calls back after the current code, as queueMicrotask does. */
  nextTick<A extends unknown[]>(callback: (...args: A) => unknown, ...args: A): void;
};

/** https://nodejs.org/api/async_context.html */
interface AsyncLocalStorage<T> {
  getStore(): T | undefined;
  run<R, A extends unknown[]>(store: T, fn: (...args: A) => R, ...args: A): R;
  exit<R, A extends unknown[]>(fn: (...args: A) => R, ...args: A): R;
  enterWith(store: T): void;
  disable(): void;
}
declare var AsyncLocalStorage: {
  prototype: AsyncLocalStorage<any>;
  new <T>(): AsyncLocalStorage<T>;
  bind<F extends (...args: never[]) => unknown>(fn: F): F;
  snapshot(): <R, A extends unknown[]>(fn: (...args: A) => R, ...args: A) => R;
};

// ---- The global object -----------------------------------------------------------------------------------------------

declare var self: typeof globalThis;
declare var global: typeof globalThis;

declare function queueMicrotask(callback: () => void): void;
/** Timers of an invocation end with it. */
declare function setTimeout<A extends any[]>(callback: (...args: A) => unknown, milliseconds?: number, ...args: A): number;
declare function setInterval<A extends any[]>(callback: (...args: A) => unknown, milliseconds?: number, ...args: A): number;
declare function clearTimeout(id?: unknown): void;
declare function clearInterval(id?: unknown): void;
declare function setImmediate<A extends any[]>(callback: (...args: A) => unknown, ...args: A): number;
declare function clearImmediate(id?: number): void;
declare function atob(text: string): string;
declare function btoa(text: string): string;
declare function structuredClone<T = any>(value: T, options?: StructuredSerializeOptions): T;
/** Sends the global object's listeners an `error` event and, unless one cancels it, logs the error; the code goes on. */
declare function reportError(error: unknown): void;
/** Supports http:, https:, data: and blob: URLs. A TypeError's cause has a code such as ECONNREFUSED or ERR_EGRESS_DENIED. */
declare function fetch(input: RequestInfo | URL, init?: RequestInit): Promise<Response>;

/** Events of the global object: what nothing caught. preventDefault() keeps an error out of the log. */
interface GlobalEventMap { error: ErrorEvent; unhandledrejection: PromiseRejectionEvent; rejectionhandled: PromiseRejectionEvent }
declare function addEventListener<K extends keyof GlobalEventMap>(type: K, callback: (event: GlobalEventMap[K]) => any, options?: AddEventListenerOptions | boolean): void;
declare function addEventListener(type: string, callback: EventListenerOrEventListenerObject | null, options?: AddEventListenerOptions | boolean): void;
declare function removeEventListener(type: string, callback: EventListenerOrEventListenerObject | ((event: any) => any) | null, options?: EventListenerOptions | boolean): void;
declare function dispatchEvent(event: Event): boolean;
/** Returning true keeps the error out of the log. */
declare var onerror: ((message: string | Event, filename?: string, lineno?: number, colno?: number, error?: any) => any) | null;
declare var onunhandledrejection: ((event: PromiseRejectionEvent) => any) | null;
declare var onrejectionhandled: ((event: PromiseRejectionEvent) => any) | null;

interface StructuredSerializeOptions { transfer?: Transferable[] }
type Transferable = ArrayBuffer | MessagePort;
type BufferSource = ArrayBufferView | ArrayBuffer;
type AllowSharedBufferSource = ArrayBufferView | ArrayBufferLike;

interface Navigator {
  readonly userAgent: string;
  readonly hardwareConcurrency: number;
  readonly language: string;
  readonly languages: readonly string[];
}
declare var Navigator: { prototype: Navigator };
declare var navigator: Navigator;

/** Lines go to the log of the invocation. */
interface Console {
  log(...data: any[]): void;
  info(...data: any[]): void;
  debug(...data: any[]): void;
  warn(...data: any[]): void;
  error(...data: any[]): void;
  trace(...data: any[]): void;
  assert(condition?: unknown, ...data: any[]): void;
  dir(item?: any, options?: any): void;
  dirxml(...data: any[]): void;
  table(data?: any, columns?: readonly string[]): void;
  group(...data: any[]): void;
  groupCollapsed(...data: any[]): void;
  groupEnd(): void;
  clear(): void;
  count(label?: string): void;
  countReset(label?: string): void;
  time(label?: string): void;
  timeLog(label?: string, ...data: any[]): void;
  timeEnd(label?: string): void;
}
declare var console: Console;

// ---- Errors and events -----------------------------------------------------------------------------------------------

interface DOMException extends Error {
  readonly name: string;
  readonly message: string;
  readonly code: number;
  readonly INDEX_SIZE_ERR: 1; readonly DOMSTRING_SIZE_ERR: 2; readonly HIERARCHY_REQUEST_ERR: 3; readonly WRONG_DOCUMENT_ERR: 4; readonly INVALID_CHARACTER_ERR: 5;
  readonly NO_DATA_ALLOWED_ERR: 6; readonly NO_MODIFICATION_ALLOWED_ERR: 7; readonly NOT_FOUND_ERR: 8; readonly NOT_SUPPORTED_ERR: 9; readonly INUSE_ATTRIBUTE_ERR: 10;
  readonly INVALID_STATE_ERR: 11; readonly SYNTAX_ERR: 12; readonly INVALID_MODIFICATION_ERR: 13; readonly NAMESPACE_ERR: 14; readonly INVALID_ACCESS_ERR: 15;
  readonly VALIDATION_ERR: 16; readonly TYPE_MISMATCH_ERR: 17; readonly SECURITY_ERR: 18; readonly NETWORK_ERR: 19; readonly ABORT_ERR: 20;
  readonly URL_MISMATCH_ERR: 21; readonly QUOTA_EXCEEDED_ERR: 22; readonly TIMEOUT_ERR: 23; readonly INVALID_NODE_TYPE_ERR: 24; readonly DATA_CLONE_ERR: 25;
}
declare var DOMException: {
  prototype: DOMException;
  new (message?: string, nameOrOptions?: string | { name?: string; cause?: unknown }): DOMException;
  readonly INDEX_SIZE_ERR: 1; readonly DOMSTRING_SIZE_ERR: 2; readonly HIERARCHY_REQUEST_ERR: 3; readonly WRONG_DOCUMENT_ERR: 4; readonly INVALID_CHARACTER_ERR: 5;
  readonly NO_DATA_ALLOWED_ERR: 6; readonly NO_MODIFICATION_ALLOWED_ERR: 7; readonly NOT_FOUND_ERR: 8; readonly NOT_SUPPORTED_ERR: 9; readonly INUSE_ATTRIBUTE_ERR: 10;
  readonly INVALID_STATE_ERR: 11; readonly SYNTAX_ERR: 12; readonly INVALID_MODIFICATION_ERR: 13; readonly NAMESPACE_ERR: 14; readonly INVALID_ACCESS_ERR: 15;
  readonly VALIDATION_ERR: 16; readonly TYPE_MISMATCH_ERR: 17; readonly SECURITY_ERR: 18; readonly NETWORK_ERR: 19; readonly ABORT_ERR: 20;
  readonly URL_MISMATCH_ERR: 21; readonly QUOTA_EXCEEDED_ERR: 22; readonly TIMEOUT_ERR: 23; readonly INVALID_NODE_TYPE_ERR: 24; readonly DATA_CLONE_ERR: 25;
};

interface EventInit { bubbles?: boolean; cancelable?: boolean; composed?: boolean }
interface Event {
  readonly type: string;
  readonly target: EventTarget | null;
  readonly srcElement: EventTarget | null;
  readonly currentTarget: EventTarget | null;
  readonly eventPhase: number;
  readonly bubbles: boolean;
  readonly cancelable: boolean;
  readonly composed: boolean;
  readonly defaultPrevented: boolean;
  readonly timeStamp: number;
  readonly isTrusted: boolean;
  cancelBubble: boolean;
  returnValue: boolean;
  composedPath(): EventTarget[];
  stopPropagation(): void;
  stopImmediatePropagation(): void;
  preventDefault(): void;
  /** @deprecated */
  initEvent(type: string, bubbles?: boolean, cancelable?: boolean): void;
  readonly NONE: 0;
  readonly CAPTURING_PHASE: 1;
  readonly AT_TARGET: 2;
  readonly BUBBLING_PHASE: 3;
}
declare var Event: {
  prototype: Event;
  new (type: string, init?: EventInit): Event;
  readonly NONE: 0;
  readonly CAPTURING_PHASE: 1;
  readonly AT_TARGET: 2;
  readonly BUBBLING_PHASE: 3;
};

interface EventListener { (event: Event): void }
interface EventListenerObject { handleEvent(event: Event): void }
type EventListenerOrEventListenerObject = EventListener | EventListenerObject;
interface EventListenerOptions { capture?: boolean }
interface AddEventListenerOptions extends EventListenerOptions { once?: boolean; passive?: boolean; signal?: AbortSignal }
interface EventTarget {
  addEventListener(type: string, callback: EventListenerOrEventListenerObject | null, options?: AddEventListenerOptions | boolean): void;
  removeEventListener(type: string, callback: EventListenerOrEventListenerObject | null, options?: EventListenerOptions | boolean): void;
  dispatchEvent(event: Event): boolean;
}
declare var EventTarget: { prototype: EventTarget; new (): EventTarget };

interface CustomEventInit<T = any> extends EventInit { detail?: T }
interface CustomEvent<T = any> extends Event {
  readonly detail: T;
  /** @deprecated */
  initCustomEvent(type: string, bubbles?: boolean, cancelable?: boolean, detail?: T): void;
}
declare var CustomEvent: { prototype: CustomEvent; new <T>(type: string, init?: CustomEventInit<T>): CustomEvent<T> };

interface ErrorEventInit extends EventInit { message?: string; filename?: string; lineno?: number; colno?: number; error?: any }
interface ErrorEvent extends Event {
  readonly message: string;
  readonly filename: string;
  readonly lineno: number;
  readonly colno: number;
  readonly error: any;
}
declare var ErrorEvent: { prototype: ErrorEvent; new (type: string, init?: ErrorEventInit): ErrorEvent };

interface MessageEventInit<T = any> extends EventInit { data?: T; origin?: string; lastEventId?: string; source?: object | null; ports?: MessagePort[] }
interface MessageEvent<T = any> extends Event {
  readonly data: T;
  readonly origin: string;
  readonly lastEventId: string;
  readonly source: object | null;
  readonly ports: readonly MessagePort[];
}
declare var MessageEvent: { prototype: MessageEvent; new <T>(type: string, init?: MessageEventInit<T>): MessageEvent<T> };

interface PromiseRejectionEventInit extends EventInit { promise: Promise<any>; reason?: any }
interface PromiseRejectionEvent extends Event {
  readonly promise: Promise<any>;
  readonly reason: any;
}
declare var PromiseRejectionEvent: { prototype: PromiseRejectionEvent; new (type: string, init: PromiseRejectionEventInit): PromiseRejectionEvent };

interface ProgressEventInit extends EventInit { lengthComputable?: boolean; loaded?: number; total?: number }
interface ProgressEvent extends Event {
  readonly lengthComputable: boolean;
  readonly loaded: number;
  readonly total: number;
}
declare var ProgressEvent: { prototype: ProgressEvent; new (type: string, init?: ProgressEventInit): ProgressEvent };

/** A limit was exceeded. quota is the limit, requested what was asked for, or null where they are not known. */
interface QuotaExceededError extends DOMException {
  readonly quota: number | null;
  readonly requested: number | null;
}
declare var QuotaExceededError: { prototype: QuotaExceededError; new (message?: string, options?: { quota?: number; requested?: number }): QuotaExceededError };

/** Messages between ports of one instance, each in a turn of its own; at most 10,000 wait at a port. */
interface MessageChannel {
  readonly port1: MessagePort;
  readonly port2: MessagePort;
}
declare var MessageChannel: { prototype: MessageChannel; new (): MessageChannel };
interface MessagePort extends EventTarget {
  onmessage: ((this: MessagePort, event: MessageEvent) => any) | null;
  onmessageerror: ((this: MessagePort, event: MessageEvent) => any) | null;
  postMessage(message: any, transfer: Transferable[]): void;
  postMessage(message: any, options?: StructuredSerializeOptions): void;
  start(): void;
  close(): void;
  addEventListener(type: "message" | "messageerror", callback: (this: MessagePort, event: MessageEvent) => any, options?: AddEventListenerOptions | boolean): void;
  addEventListener(type: string, callback: EventListenerOrEventListenerObject | null, options?: AddEventListenerOptions | boolean): void;
}
declare var MessagePort: { prototype: MessagePort };

interface AbortSignal extends EventTarget {
  readonly aborted: boolean;
  readonly reason: any;
  onabort: ((this: AbortSignal, event: Event) => any) | null;
  throwIfAborted(): void;
}
declare var AbortSignal: {
  prototype: AbortSignal;
  abort(reason?: any): AbortSignal;
  timeout(milliseconds: number): AbortSignal;
  any(signals: Iterable<AbortSignal>): AbortSignal;
};
interface AbortController {
  readonly signal: AbortSignal;
  abort(reason?: any): void;
}
declare var AbortController: { prototype: AbortController; new (): AbortController };

// ---- Streams: https://streams.spec.whatwg.org/ -----------------------------------------------------------------------

interface QueuingStrategySize<T = any> { (chunk: T): number }
interface QueuingStrategy<T = any> { highWaterMark?: number; size?: QueuingStrategySize<T> }
interface QueuingStrategyInit { highWaterMark: number }
interface UnderlyingDefaultSource<R = any> {
  type?: undefined;
  start?: (controller: ReadableStreamDefaultController<R>) => any;
  pull?: (controller: ReadableStreamDefaultController<R>) => void | PromiseLike<void>;
  cancel?: (reason?: any) => void | PromiseLike<void>;
}
interface UnderlyingByteSource {
  type: "bytes";
  autoAllocateChunkSize?: number;
  start?: (controller: ReadableByteStreamController) => any;
  pull?: (controller: ReadableByteStreamController) => void | PromiseLike<void>;
  cancel?: (reason?: any) => void | PromiseLike<void>;
}
type ReadableStreamController<T> = ReadableStreamDefaultController<T> | ReadableByteStreamController;
interface UnderlyingSource<R = any> {
  type?: "bytes";
  autoAllocateChunkSize?: number;
  start?: (controller: ReadableStreamController<R>) => any;
  pull?: (controller: ReadableStreamController<R>) => void | PromiseLike<void>;
  cancel?: (reason?: any) => void | PromiseLike<void>;
}
interface UnderlyingSink<W = any> {
  type?: undefined;
  start?: (controller: WritableStreamDefaultController) => any;
  write?: (chunk: W, controller: WritableStreamDefaultController) => void | PromiseLike<void>;
  close?: () => void | PromiseLike<void>;
  abort?: (reason?: any) => void | PromiseLike<void>;
}
interface Transformer<I = any, O = any> {
  readableType?: undefined;
  writableType?: undefined;
  start?: (controller: TransformStreamDefaultController<O>) => any;
  transform?: (chunk: I, controller: TransformStreamDefaultController<O>) => void | PromiseLike<void>;
  flush?: (controller: TransformStreamDefaultController<O>) => void | PromiseLike<void>;
  cancel?: (reason: any) => void | PromiseLike<void>;
}
interface StreamPipeOptions { preventClose?: boolean; preventAbort?: boolean; preventCancel?: boolean; signal?: AbortSignal }
interface ReadableWritablePair<R = any, W = any> { readable: ReadableStream<R>; writable: WritableStream<W> }
interface ReadableStreamGetReaderOptions { mode?: "byob" }
interface ReadableStreamIteratorOptions { preventCancel?: boolean }
interface ReadableStreamReadDoneResult<T> { done: true; value: T | undefined }
interface ReadableStreamReadValueResult<T> { done: false; value: T }
type ReadableStreamReadResult<T> = ReadableStreamReadValueResult<T> | ReadableStreamReadDoneResult<T>;
type ReadableStreamReader<T> = ReadableStreamDefaultReader<T> | ReadableStreamBYOBReader;
interface ReadableStreamAsyncIterator<T> extends AsyncIteratorObject<T, undefined, unknown> {
  [Symbol.asyncIterator](): ReadableStreamAsyncIterator<T>;
}

interface ReadableStream<R = any> {
  readonly locked: boolean;
  cancel(reason?: any): Promise<void>;
  getReader(options: { mode: "byob" }): ReadableStreamBYOBReader;
  getReader(): ReadableStreamDefaultReader<R>;
  getReader(options?: ReadableStreamGetReaderOptions): ReadableStreamReader<R>;
  pipeThrough<T>(transform: ReadableWritablePair<T, R>, options?: StreamPipeOptions): ReadableStream<T>;
  pipeTo(destination: WritableStream<R>, options?: StreamPipeOptions): Promise<void>;
  tee(): [ReadableStream<R>, ReadableStream<R>];
  values(options?: ReadableStreamIteratorOptions): ReadableStreamAsyncIterator<R>;
  [Symbol.asyncIterator](options?: ReadableStreamIteratorOptions): ReadableStreamAsyncIterator<R>;
}
declare var ReadableStream: {
  prototype: ReadableStream;
  new (source: UnderlyingByteSource, strategy?: { highWaterMark?: number }): ReadableStream<Uint8Array<ArrayBuffer>>;
  new <R = any>(source: UnderlyingDefaultSource<R>, strategy?: QueuingStrategy<R>): ReadableStream<R>;
  new <R = any>(source?: UnderlyingSource<R>, strategy?: QueuingStrategy<R>): ReadableStream<R>;
  from<R = any>(source: AsyncIterable<R> | Iterable<R>): ReadableStream<R>;
};
interface ReadableStreamDefaultReader<R = any> {
  readonly closed: Promise<undefined>;
  cancel(reason?: any): Promise<void>;
  read(): Promise<ReadableStreamReadResult<R>>;
  releaseLock(): void;
}
declare var ReadableStreamDefaultReader: { prototype: ReadableStreamDefaultReader; new <R = any>(stream: ReadableStream<R>): ReadableStreamDefaultReader<R> };
interface ReadableStreamBYOBReader {
  readonly closed: Promise<undefined>;
  cancel(reason?: any): Promise<void>;
  read<T extends ArrayBufferView>(view: T, options?: { min?: number }): Promise<ReadableStreamReadResult<T>>;
  releaseLock(): void;
}
declare var ReadableStreamBYOBReader: { prototype: ReadableStreamBYOBReader; new (stream: ReadableStream<Uint8Array<ArrayBuffer>>): ReadableStreamBYOBReader };
interface ReadableStreamDefaultController<R = any> {
  readonly desiredSize: number | null;
  close(): void;
  enqueue(chunk?: R): void;
  error(reason?: any): void;
}
declare var ReadableStreamDefaultController: { prototype: ReadableStreamDefaultController };
interface ReadableByteStreamController {
  readonly byobRequest: ReadableStreamBYOBRequest | null;
  readonly desiredSize: number | null;
  close(): void;
  enqueue(chunk: ArrayBufferView): void;
  error(reason?: any): void;
}
declare var ReadableByteStreamController: { prototype: ReadableByteStreamController };
interface ReadableStreamBYOBRequest {
  readonly view: Uint8Array<ArrayBuffer> | null;
  respond(bytesWritten: number): void;
  respondWithNewView(view: ArrayBufferView): void;
}
declare var ReadableStreamBYOBRequest: { prototype: ReadableStreamBYOBRequest };
interface WritableStream<W = any> {
  readonly locked: boolean;
  abort(reason?: any): Promise<void>;
  close(): Promise<void>;
  getWriter(): WritableStreamDefaultWriter<W>;
}
declare var WritableStream: { prototype: WritableStream; new <W = any>(sink?: UnderlyingSink<W>, strategy?: QueuingStrategy<W>): WritableStream<W> };
interface WritableStreamDefaultWriter<W = any> {
  readonly closed: Promise<undefined>;
  readonly desiredSize: number | null;
  readonly ready: Promise<undefined>;
  abort(reason?: any): Promise<void>;
  close(): Promise<void>;
  releaseLock(): void;
  write(chunk?: W): Promise<void>;
}
declare var WritableStreamDefaultWriter: { prototype: WritableStreamDefaultWriter; new <W = any>(stream: WritableStream<W>): WritableStreamDefaultWriter<W> };
interface WritableStreamDefaultController {
  readonly signal: AbortSignal;
  error(reason?: any): void;
}
declare var WritableStreamDefaultController: { prototype: WritableStreamDefaultController };
interface TransformStream<I = any, O = any> {
  readonly readable: ReadableStream<O>;
  readonly writable: WritableStream<I>;
}
declare var TransformStream: {
  prototype: TransformStream;
  new <I = any, O = any>(transformer?: Transformer<I, O>, writableStrategy?: QueuingStrategy<I>, readableStrategy?: QueuingStrategy<O>): TransformStream<I, O>;
};
interface TransformStreamDefaultController<O = any> {
  readonly desiredSize: number | null;
  enqueue(chunk?: O): void;
  error(reason?: any): void;
  terminate(): void;
}
declare var TransformStreamDefaultController: { prototype: TransformStreamDefaultController };
interface ByteLengthQueuingStrategy extends QueuingStrategy<ArrayBufferView> {
  readonly highWaterMark: number;
  readonly size: QueuingStrategySize<ArrayBufferView>;
}
declare var ByteLengthQueuingStrategy: { prototype: ByteLengthQueuingStrategy; new (init: QueuingStrategyInit): ByteLengthQueuingStrategy };
interface CountQueuingStrategy extends QueuingStrategy {
  readonly highWaterMark: number;
  readonly size: QueuingStrategySize;
}
declare var CountQueuingStrategy: { prototype: CountQueuingStrategy; new (init: QueuingStrategyInit): CountQueuingStrategy };

/** Both sides of a transform that has its own class. */
interface GenericTransformStream {
  readonly readable: ReadableStream;
  readonly writable: WritableStream;
}
type CompressionFormat = "deflate" | "deflate-raw" | "gzip";
interface CompressionStream extends GenericTransformStream {
  readonly readable: ReadableStream<Uint8Array<ArrayBuffer>>;
  readonly writable: WritableStream<BufferSource>;
}
declare var CompressionStream: { prototype: CompressionStream; new (format: CompressionFormat): CompressionStream };
interface DecompressionStream extends GenericTransformStream {
  readonly readable: ReadableStream<Uint8Array<ArrayBuffer>>;
  readonly writable: WritableStream<BufferSource>;
}
declare var DecompressionStream: { prototype: DecompressionStream; new (format: CompressionFormat): DecompressionStream };

// ---- Encoding: https://encoding.spec.whatwg.org/ ---------------------------------------------------------------------

interface TextEncoder {
  readonly encoding: string;
  encode(text?: string): Uint8Array<ArrayBuffer>;
  encodeInto(text: string, destination: Uint8Array): { read: number; written: number };
}
declare var TextEncoder: { prototype: TextEncoder; new (): TextEncoder };
interface TextDecoderOptions { fatal?: boolean; ignoreBOM?: boolean }
interface TextDecoder {
  readonly encoding: string;
  readonly fatal: boolean;
  readonly ignoreBOM: boolean;
  decode(input?: AllowSharedBufferSource, options?: { stream?: boolean }): string;
}
declare var TextDecoder: { prototype: TextDecoder; new (label?: string, options?: TextDecoderOptions): TextDecoder };
interface TextEncoderStream extends GenericTransformStream {
  readonly encoding: string;
  readonly readable: ReadableStream<Uint8Array<ArrayBuffer>>;
  readonly writable: WritableStream<string>;
}
declare var TextEncoderStream: { prototype: TextEncoderStream; new (): TextEncoderStream };
interface TextDecoderStream extends GenericTransformStream {
  readonly encoding: string;
  readonly fatal: boolean;
  readonly ignoreBOM: boolean;
  readonly readable: ReadableStream<string>;
  readonly writable: WritableStream<BufferSource>;
}
declare var TextDecoderStream: { prototype: TextDecoderStream; new (label?: string, options?: TextDecoderOptions): TextDecoderStream };

// ---- URL: https://url.spec.whatwg.org/ -------------------------------------------------------------------------------

interface URL {
  href: string;
  readonly origin: string;
  protocol: string;
  username: string;
  password: string;
  host: string;
  hostname: string;
  port: string;
  pathname: string;
  search: string;
  readonly searchParams: URLSearchParams;
  hash: string;
  toString(): string;
  toJSON(): string;
}
declare var URL: {
  prototype: URL;
  new (url: string | URL, base?: string | URL): URL;
  parse(url: string | URL, base?: string | URL): URL | null;
  canParse(url: string | URL, base?: string | URL): boolean;
  /** For fetch in the same instance; at most 10,000 at a time. */
  createObjectURL(blob: Blob): string;
  revokeObjectURL(url: string): void;
};
interface URLSearchParams {
  readonly size: number;
  append(name: string, value: string): void;
  delete(name: string, value?: string): void;
  get(name: string): string | null;
  getAll(name: string): string[];
  has(name: string, value?: string): boolean;
  set(name: string, value: string): void;
  sort(): void;
  toString(): string;
  entries(): IteratorObject<[string, string]>;
  keys(): IteratorObject<string>;
  values(): IteratorObject<string>;
  forEach(callback: (value: string, key: string, parent: URLSearchParams) => void, thisArg?: any): void;
  [Symbol.iterator](): IteratorObject<[string, string]>;
}
declare var URLSearchParams: {
  prototype: URLSearchParams;
  new (init?: Iterable<readonly string[]> | string[][] | Record<string, string> | string | URLSearchParams): URLSearchParams;
};

interface URLPatternInit { protocol?: string; username?: string; password?: string; hostname?: string; port?: string; pathname?: string; search?: string; hash?: string; baseURL?: string }
interface URLPatternOptions { ignoreCase?: boolean }
interface URLPatternComponentResult { input: string; groups: Record<string, string | undefined> }
interface URLPatternResult {
  inputs: (string | URLPatternInit)[];
  protocol: URLPatternComponentResult;
  username: URLPatternComponentResult;
  password: URLPatternComponentResult;
  hostname: URLPatternComponentResult;
  port: URLPatternComponentResult;
  pathname: URLPatternComponentResult;
  search: URLPatternComponentResult;
  hash: URLPatternComponentResult;
}
/** https://urlpattern.spec.whatwg.org/ */
interface URLPattern {
  readonly protocol: string;
  readonly username: string;
  readonly password: string;
  readonly hostname: string;
  readonly port: string;
  readonly pathname: string;
  readonly search: string;
  readonly hash: string;
  readonly hasRegExpGroups: boolean;
  test(input?: string | URLPatternInit | URL, base?: string | URL): boolean;
  exec(input?: string | URLPatternInit | URL, base?: string | URL): URLPatternResult | null;
}
declare var URLPattern: {
  prototype: URLPattern;
  new (input: string, base: string | URL, options?: URLPatternOptions): URLPattern;
  new (input?: string | URLPatternInit, options?: URLPatternOptions): URLPattern;
};

// ---- Blob, File, FormData: https://w3c.github.io/FileAPI/ ------------------------------------------------------------

type BlobPart = BufferSource | Blob | string;
interface BlobPropertyBag { type?: string; endings?: "transparent" | "native" }
interface FilePropertyBag extends BlobPropertyBag { lastModified?: number }
interface Blob {
  readonly size: number;
  readonly type: string;
  slice(start?: number, end?: number, contentType?: string): Blob;
  stream(): ReadableStream<Uint8Array<ArrayBuffer>>;
  text(): Promise<string>;
  arrayBuffer(): Promise<ArrayBuffer>;
  bytes(): Promise<Uint8Array<ArrayBuffer>>;
}
declare var Blob: { prototype: Blob; new (parts?: Iterable<BlobPart>, options?: BlobPropertyBag): Blob };
interface File extends Blob {
  readonly name: string;
  readonly lastModified: number;
}
declare var File: { prototype: File; new (parts: Iterable<BlobPart>, name: string, options?: FilePropertyBag): File };
/** Blobs are in memory: a read takes a few turns, and there is one progress event. `await blob.text()` does the same. */
interface FileReader extends EventTarget {
  readonly readyState: number;
  readonly result: string | ArrayBuffer | null;
  readonly error: DOMException | null;
  onloadstart: ((this: FileReader, event: ProgressEvent) => any) | null;
  onprogress: ((this: FileReader, event: ProgressEvent) => any) | null;
  onload: ((this: FileReader, event: ProgressEvent) => any) | null;
  onabort: ((this: FileReader, event: ProgressEvent) => any) | null;
  onerror: ((this: FileReader, event: ProgressEvent) => any) | null;
  onloadend: ((this: FileReader, event: ProgressEvent) => any) | null;
  readAsArrayBuffer(blob: Blob): void;
  /** @deprecated */
  readAsBinaryString(blob: Blob): void;
  readAsText(blob: Blob, encoding?: string): void;
  readAsDataURL(blob: Blob): void;
  abort(): void;
  readonly EMPTY: 0;
  readonly LOADING: 1;
  readonly DONE: 2;
}
declare var FileReader: { prototype: FileReader; new (): FileReader; readonly EMPTY: 0; readonly LOADING: 1; readonly DONE: 2 };
type FormDataEntryValue = File | string;
interface FormData {
  append(name: string, value: string | Blob): void;
  append(name: string, value: Blob, filename?: string): void;
  delete(name: string): void;
  get(name: string): FormDataEntryValue | null;
  getAll(name: string): FormDataEntryValue[];
  has(name: string): boolean;
  set(name: string, value: string | Blob): void;
  set(name: string, value: Blob, filename?: string): void;
  entries(): IteratorObject<[string, FormDataEntryValue]>;
  keys(): IteratorObject<string>;
  values(): IteratorObject<FormDataEntryValue>;
  forEach(callback: (value: FormDataEntryValue, key: string, parent: FormData) => void, thisArg?: any): void;
  [Symbol.iterator](): IteratorObject<[string, FormDataEntryValue]>;
}
declare var FormData: { prototype: FormData; new (): FormData };

// ---- Fetch: https://fetch.spec.whatwg.org/ ---------------------------------------------------------------------------

type HeadersInit = Headers | Record<string, string> | Iterable<readonly string[]> | string[][];
type BodyInit = ReadableStream | Blob | BufferSource | FormData | URLSearchParams | string;
type RequestInfo = Request | string;
type RequestRedirect = "follow" | "error" | "manual";
type RequestMode = "cors" | "navigate" | "no-cors" | "same-origin";
type RequestCredentials = "include" | "omit" | "same-origin";
type RequestCache = "default" | "force-cache" | "no-cache" | "no-store" | "only-if-cached" | "reload";
type ReferrerPolicy = "" | "no-referrer" | "no-referrer-when-downgrade" | "origin" | "origin-when-cross-origin" | "same-origin" | "strict-origin" | "strict-origin-when-cross-origin" | "unsafe-url";
type ResponseType = "basic" | "cors" | "default" | "error" | "opaque" | "opaqueredirect";

interface Headers {
  append(name: string, value: string): void;
  delete(name: string): void;
  get(name: string): string | null;
  getSetCookie(): string[];
  has(name: string): boolean;
  set(name: string, value: string): void;
  entries(): IteratorObject<[string, string]>;
  keys(): IteratorObject<string>;
  values(): IteratorObject<string>;
  forEach(callback: (value: string, key: string, parent: Headers) => void, thisArg?: any): void;
  [Symbol.iterator](): IteratorObject<[string, string]>;
}
declare var Headers: { prototype: Headers; new (init?: HeadersInit): Headers };

interface Body {
  readonly body: ReadableStream<Uint8Array<ArrayBuffer>> | null;
  readonly bodyUsed: boolean;
  arrayBuffer(): Promise<ArrayBuffer>;
  blob(): Promise<Blob>;
  bytes(): Promise<Uint8Array<ArrayBuffer>>;
  formData(): Promise<FormData>;
  json(): Promise<any>;
  text(): Promise<string>;
}
/** mode, credentials, cache, referrer, integrity and keepalive are kept but have no effect, as there is no page and no cache. */
interface RequestInit {
  method?: string;
  headers?: HeadersInit;
  body?: BodyInit | null;
  redirect?: RequestRedirect;
  signal?: AbortSignal | null;
  /** Required beside a body that is a stream. */
  duplex?: "half";
  mode?: RequestMode;
  credentials?: RequestCredentials;
  cache?: RequestCache;
  referrer?: string;
  referrerPolicy?: ReferrerPolicy;
  integrity?: string;
  keepalive?: boolean;
  priority?: "high" | "low" | "auto";
  window?: null;
}
interface Request extends Body {
  readonly method: string;
  readonly url: string;
  readonly headers: Headers;
  readonly destination: string;
  readonly referrer: string;
  readonly referrerPolicy: ReferrerPolicy;
  readonly mode: RequestMode;
  readonly credentials: RequestCredentials;
  readonly cache: RequestCache;
  readonly redirect: RequestRedirect;
  readonly integrity: string;
  readonly keepalive: boolean;
  readonly isReloadNavigation: boolean;
  readonly isHistoryNavigation: boolean;
  readonly signal: AbortSignal;
  readonly duplex: "half";
  clone(): Request;
}
declare var Request: { prototype: Request; new (input: RequestInfo | URL, init?: RequestInit): Request };
interface ResponseInit { status?: number; statusText?: string; headers?: HeadersInit }
interface Response extends Body {
  readonly type: ResponseType;
  readonly url: string;
  readonly redirected: boolean;
  readonly status: number;
  readonly ok: boolean;
  readonly statusText: string;
  readonly headers: Headers;
  clone(): Response;
}
declare var Response: {
  prototype: Response;
  new (body?: BodyInit | null, init?: ResponseInit): Response;
  error(): Response;
  json(data: any, init?: ResponseInit): Response;
  redirect(url: string | URL, status?: number): Response;
};

// ---- WebSocket and EventSource: they end with the invocation; ctx.waitUntil keeps it past the response ---------------

interface CloseEventInit extends EventInit { wasClean?: boolean; code?: number; reason?: string }
interface CloseEvent extends Event {
  readonly wasClean: boolean;
  readonly code: number;
  readonly reason: string;
}
declare var CloseEvent: { prototype: CloseEvent; new (type: string, init?: CloseEventInit): CloseEvent };
type BinaryType = "arraybuffer" | "blob";
interface WebSocketEventMap { open: Event; message: MessageEvent; error: ErrorEvent; close: CloseEvent }
/** headers are for authorisation, an extension that Node and Deno have too. */
interface WebSocketInit { protocols?: string | string[]; headers?: HeadersInit }
/**
 * A client, under the same network policy as fetch. At most 32 at a time in an invocation, messages of at most 16 MiB, and at most
 * 16 MiB that wait to be sent (bufferedAmount); more ends the connection. Opening takes at most 30 s. Without permessage-deflate.
 */
interface WebSocket extends EventTarget {
  readonly url: string;
  readonly readyState: number;
  readonly bufferedAmount: number;
  readonly extensions: string;
  readonly protocol: string;
  binaryType: BinaryType;
  onopen: ((this: WebSocket, event: Event) => any) | null;
  onmessage: ((this: WebSocket, event: MessageEvent) => any) | null;
  onerror: ((this: WebSocket, event: Event) => any) | null;
  onclose: ((this: WebSocket, event: CloseEvent) => any) | null;
  send(data: string | BufferSource | Blob): void;
  close(code?: number, reason?: string): void;
  addEventListener<K extends keyof WebSocketEventMap>(type: K, callback: (this: WebSocket, event: WebSocketEventMap[K]) => any, options?: AddEventListenerOptions | boolean): void;
  addEventListener(type: string, callback: EventListenerOrEventListenerObject | null, options?: AddEventListenerOptions | boolean): void;
  removeEventListener<K extends keyof WebSocketEventMap>(type: K, callback: (this: WebSocket, event: WebSocketEventMap[K]) => any, options?: EventListenerOptions | boolean): void;
  removeEventListener(type: string, callback: EventListenerOrEventListenerObject | null, options?: EventListenerOptions | boolean): void;
  readonly CONNECTING: 0;
  readonly OPEN: 1;
  readonly CLOSING: 2;
  readonly CLOSED: 3;
}
declare var WebSocket: {
  prototype: WebSocket;
  new (url: string | URL, protocols?: string | string[] | WebSocketInit): WebSocket;
  readonly CONNECTING: 0;
  readonly OPEN: 1;
  readonly CLOSING: 2;
  readonly CLOSED: 3;
};
interface EventSourceEventMap { open: Event; message: MessageEvent; error: Event }
/** headers and fetch are extensions, for authorisation. */
interface EventSourceInit { withCredentials?: boolean; headers?: [string, string][] | Record<string, string>; fetch?: (url: string, init: RequestInit) => Promise<Response> }
/** Each connection is a fetch. A lost one is made again after 3 s, or after what the server asks for, between 100 ms and 60 s. An event has at most 1 MiB. */
interface EventSource extends EventTarget {
  readonly url: string;
  readonly withCredentials: boolean;
  readonly readyState: number;
  onopen: ((this: EventSource, event: Event) => any) | null;
  onmessage: ((this: EventSource, event: MessageEvent) => any) | null;
  onerror: ((this: EventSource, event: Event) => any) | null;
  close(): void;
  addEventListener<K extends keyof EventSourceEventMap>(type: K, callback: (this: EventSource, event: EventSourceEventMap[K]) => any, options?: AddEventListenerOptions | boolean): void;
  addEventListener(type: string, callback: ((this: EventSource, event: MessageEvent) => any) | EventListenerObject | null, options?: AddEventListenerOptions | boolean): void;
  readonly CONNECTING: 0;
  readonly OPEN: 1;
  readonly CLOSED: 2;
}
declare var EventSource: {
  prototype: EventSource;
  new (url: string | URL, init?: EventSourceInit): EventSource;
  readonly CONNECTING: 0;
  readonly OPEN: 1;
  readonly CLOSED: 2;
};

// ---- Performance: https://w3c.github.io/user-timing/ -----------------------------------------------------------------

type DOMHighResTimeStamp = number;
interface PerformanceEntry {
  readonly name: string;
  readonly entryType: string;
  readonly startTime: number;
  readonly duration: number;
  toJSON(): any;
}
declare var PerformanceEntry: { prototype: PerformanceEntry };
interface PerformanceMarkOptions { detail?: any; startTime?: number }
interface PerformanceMark extends PerformanceEntry {
  readonly detail: any;
  toJSON(): any;
}
declare var PerformanceMark: { prototype: PerformanceMark; new (name: string, options?: PerformanceMarkOptions): PerformanceMark };
interface PerformanceMeasureOptions { detail?: any; start?: string | number; duration?: number; end?: string | number }
interface PerformanceMeasure extends PerformanceEntry {
  readonly detail: any;
  toJSON(): any;
}
declare var PerformanceMeasure: { prototype: PerformanceMeasure };
type PerformanceEntryList = PerformanceEntry[];
interface PerformanceObserverInit { entryTypes?: string[]; type?: string; buffered?: boolean }
interface PerformanceObserverEntryList {
  getEntries(): PerformanceEntryList;
  getEntriesByType(type: string): PerformanceEntryList;
  getEntriesByName(name: string, type?: string): PerformanceEntryList;
}
declare var PerformanceObserverEntryList: { prototype: PerformanceObserverEntryList };
/** Sees marks and measures; at most 1,000 wait for it. */
interface PerformanceObserver {
  observe(options?: PerformanceObserverInit): void;
  disconnect(): void;
  takeRecords(): PerformanceEntryList;
}
declare var PerformanceObserver: {
  prototype: PerformanceObserver;
  new (callback: (entries: PerformanceObserverEntryList, observer: PerformanceObserver, options: { droppedEntriesCount?: number }) => void): PerformanceObserver;
  readonly supportedEntryTypes: readonly string[];
};
/** Keeps the last 1,000 marks and measures. */
interface Performance extends EventTarget {
  readonly timeOrigin: number;
  now(): number;
  mark(name: string, options?: PerformanceMarkOptions): PerformanceMark;
  measure(name: string, startOrOptions?: string | PerformanceMeasureOptions, end?: string): PerformanceMeasure;
  clearMarks(name?: string): void;
  clearMeasures(name?: string): void;
  getEntries(): PerformanceEntry[];
  getEntriesByType(type: string): PerformanceEntry[];
  getEntriesByName(name: string, type?: string): PerformanceEntry[];
  toJSON(): any;
}
declare var Performance: { prototype: Performance };
declare var performance: Performance;

// ---- Web Cryptography: https://w3c.github.io/webcrypto/ --------------------------------------------------------------

type KeyFormat = "jwk" | "pkcs8" | "raw" | "spki";
type KeyType = "private" | "public" | "secret";
type KeyUsage = "decrypt" | "deriveBits" | "deriveKey" | "encrypt" | "sign" | "unwrapKey" | "verify" | "wrapKey";
interface Algorithm { name: string }
interface KeyAlgorithm { name: string }
type AlgorithmIdentifier = Algorithm | string;
type HashAlgorithmIdentifier = AlgorithmIdentifier;
type BigInteger = Uint8Array;
interface AesCbcParams extends Algorithm { iv: BufferSource }
interface AesCtrParams extends Algorithm { counter: BufferSource; length: number }
interface AesGcmParams extends Algorithm { iv: BufferSource; additionalData?: BufferSource; tagLength?: number }
interface AesKeyGenParams extends Algorithm { length: number }
interface AesDerivedKeyParams extends Algorithm { length: number }
interface EcKeyGenParams extends Algorithm { namedCurve: string }
interface EcKeyImportParams extends Algorithm { namedCurve: string }
interface EcdhKeyDeriveParams extends Algorithm { public: CryptoKey }
interface EcdsaParams extends Algorithm { hash: HashAlgorithmIdentifier }
interface HkdfParams extends Algorithm { hash: HashAlgorithmIdentifier; info: BufferSource; salt: BufferSource }
interface HmacImportParams extends Algorithm { hash: HashAlgorithmIdentifier; length?: number }
interface HmacKeyGenParams extends Algorithm { hash: HashAlgorithmIdentifier; length?: number }
interface Pbkdf2Params extends Algorithm { hash: HashAlgorithmIdentifier; iterations: number; salt: BufferSource }
interface RsaHashedImportParams extends Algorithm { hash: HashAlgorithmIdentifier }
interface RsaKeyGenParams extends Algorithm { modulusLength: number; publicExponent: BigInteger }
interface RsaHashedKeyGenParams extends RsaKeyGenParams { hash: HashAlgorithmIdentifier }
interface RsaOaepParams extends Algorithm { label?: BufferSource }
interface RsaPssParams extends Algorithm { saltLength: number }
interface RsaOtherPrimesInfo { d?: string; r?: string; t?: string }
interface JsonWebKey {
  alg?: string; crv?: string; d?: string; dp?: string; dq?: string; e?: string; ext?: boolean; k?: string; key_ops?: string[]; kty?: string;
  n?: string; oth?: RsaOtherPrimesInfo[]; p?: string; q?: string; qi?: string; use?: string; x?: string; y?: string;
}
interface CryptoKeyPair { privateKey: CryptoKey; publicKey: CryptoKey }
interface CryptoKey {
  readonly type: KeyType;
  readonly extractable: boolean;
  readonly algorithm: KeyAlgorithm;
  readonly usages: KeyUsage[];
}
declare var CryptoKey: { prototype: CryptoKey };
interface SubtleCrypto {
  digest(algorithm: AlgorithmIdentifier, data: BufferSource): Promise<ArrayBuffer>;
  generateKey(algorithm: "Ed25519" | "X25519" | { name: "Ed25519" | "X25519" } | RsaHashedKeyGenParams | EcKeyGenParams, extractable: boolean, usages: readonly KeyUsage[]): Promise<CryptoKeyPair>;
  generateKey(algorithm: AesKeyGenParams | HmacKeyGenParams, extractable: boolean, usages: readonly KeyUsage[]): Promise<CryptoKey>;
  generateKey(algorithm: AlgorithmIdentifier, extractable: boolean, usages: readonly KeyUsage[]): Promise<CryptoKeyPair | CryptoKey>;
  importKey(format: "jwk", keyData: JsonWebKey, algorithm: AlgorithmIdentifier | RsaHashedImportParams | EcKeyImportParams | HmacImportParams, extractable: boolean, usages: readonly KeyUsage[]): Promise<CryptoKey>;
  importKey(format: Exclude<KeyFormat, "jwk">, keyData: BufferSource, algorithm: AlgorithmIdentifier | RsaHashedImportParams | EcKeyImportParams | HmacImportParams, extractable: boolean, usages: readonly KeyUsage[]): Promise<CryptoKey>;
  exportKey(format: "jwk", key: CryptoKey): Promise<JsonWebKey>;
  exportKey(format: Exclude<KeyFormat, "jwk">, key: CryptoKey): Promise<ArrayBuffer>;
  exportKey(format: KeyFormat, key: CryptoKey): Promise<ArrayBuffer | JsonWebKey>;
  sign(algorithm: AlgorithmIdentifier | RsaPssParams | EcdsaParams, key: CryptoKey, data: BufferSource): Promise<ArrayBuffer>;
  verify(algorithm: AlgorithmIdentifier | RsaPssParams | EcdsaParams, key: CryptoKey, signature: BufferSource, data: BufferSource): Promise<boolean>;
  encrypt(algorithm: AlgorithmIdentifier | RsaOaepParams | AesCtrParams | AesCbcParams | AesGcmParams, key: CryptoKey, data: BufferSource): Promise<ArrayBuffer>;
  decrypt(algorithm: AlgorithmIdentifier | RsaOaepParams | AesCtrParams | AesCbcParams | AesGcmParams, key: CryptoKey, data: BufferSource): Promise<ArrayBuffer>;
  deriveBits(algorithm: AlgorithmIdentifier | EcdhKeyDeriveParams | HkdfParams | Pbkdf2Params, baseKey: CryptoKey, length?: number | null): Promise<ArrayBuffer>;
  deriveKey(algorithm: AlgorithmIdentifier | EcdhKeyDeriveParams | HkdfParams | Pbkdf2Params, baseKey: CryptoKey, derivedKeyType: AlgorithmIdentifier | AesDerivedKeyParams | HmacImportParams, extractable: boolean, usages: readonly KeyUsage[]): Promise<CryptoKey>;
  wrapKey(format: KeyFormat, key: CryptoKey, wrappingKey: CryptoKey, wrapAlgorithm: AlgorithmIdentifier | RsaOaepParams | AesCtrParams | AesCbcParams | AesGcmParams): Promise<ArrayBuffer>;
  unwrapKey(format: KeyFormat, wrappedKey: BufferSource, unwrappingKey: CryptoKey, unwrapAlgorithm: AlgorithmIdentifier | RsaOaepParams | AesCtrParams | AesCbcParams | AesGcmParams, unwrappedKeyAlgorithm: AlgorithmIdentifier | RsaHashedImportParams | EcKeyImportParams | HmacImportParams, extractable: boolean, usages: readonly KeyUsage[]): Promise<CryptoKey>;
}
declare var SubtleCrypto: { prototype: SubtleCrypto };
interface Crypto {
  readonly subtle: SubtleCrypto;
  getRandomValues<T extends ArrayBufferView | null>(array: T): T;
  randomUUID(): `${string}-${string}-${string}-${string}-${string}`;
}
declare var Crypto: { prototype: Crypto };
declare var crypto: Crypto;

// ---- Buffer: https://nodejs.org/api/buffer.html ----------------------------------------------------------------------

type BufferEncoding = "ascii" | "utf8" | "utf-8" | "utf16le" | "utf-16le" | "ucs2" | "ucs-2" | "base64" | "base64url" | "latin1" | "binary" | "hex";
type WithImplicitCoercion<T> = T | { valueOf(): T };
interface Buffer extends Uint8Array<ArrayBuffer> {
  readonly parent: ArrayBuffer;
  readonly offset: number;
  toString(encoding?: BufferEncoding, start?: number, end?: number): string;
  toLocaleString(encoding?: string | string[]): string;
  toJSON(): { type: "Buffer"; data: number[] };
  equals(other: Uint8Array): boolean;
  compare(target: Uint8Array, targetStart?: number, targetEnd?: number, sourceStart?: number, sourceEnd?: number): -1 | 0 | 1;
  slice(start?: number, end?: number): Buffer;
  subarray(start?: number, end?: number): Buffer;
  copy(target: Uint8Array, targetStart?: number, sourceStart?: number, sourceEnd?: number): number;
  write(text: string, encoding?: BufferEncoding): number;
  write(text: string, offset: number, encoding?: BufferEncoding): number;
  write(text: string, offset: number, length: number, encoding?: BufferEncoding): number;
  fill(value: string | Uint8Array | number, offset?: number, end?: number, encoding?: BufferEncoding): this;
  fill(value: string | Uint8Array, encoding: BufferEncoding): this;
  indexOf(value: string | number | Uint8Array, byteOffset?: number, encoding?: BufferEncoding): number;
  lastIndexOf(value: string | number | Uint8Array, byteOffset?: number, encoding?: BufferEncoding): number;
  includes(value: string | number | Uint8Array, byteOffset?: number, encoding?: BufferEncoding): boolean;
  swap16(): this;
  swap32(): this;
  swap64(): this;
  readUInt8(offset?: number): number; writeUInt8(value: number, offset?: number): number; readUint8(offset?: number): number; writeUint8(value: number, offset?: number): number;
  readInt8(offset?: number): number; writeInt8(value: number, offset?: number): number;
  readUInt16LE(offset?: number): number; writeUInt16LE(value: number, offset?: number): number; readUint16LE(offset?: number): number; writeUint16LE(value: number, offset?: number): number;
  readInt16LE(offset?: number): number; writeInt16LE(value: number, offset?: number): number;
  readUInt32LE(offset?: number): number; writeUInt32LE(value: number, offset?: number): number; readUint32LE(offset?: number): number; writeUint32LE(value: number, offset?: number): number;
  readInt32LE(offset?: number): number; writeInt32LE(value: number, offset?: number): number;
  readBigUInt64LE(offset?: number): bigint; writeBigUInt64LE(value: bigint, offset?: number): number; readBigUint64LE(offset?: number): bigint; writeBigUint64LE(value: bigint, offset?: number): number;
  readBigInt64LE(offset?: number): bigint; writeBigInt64LE(value: bigint, offset?: number): number;
  readFloatLE(offset?: number): number; writeFloatLE(value: number, offset?: number): number;
  readDoubleLE(offset?: number): number; writeDoubleLE(value: number, offset?: number): number;
  readUIntLE(offset: number, byteLength: number): number; writeUIntLE(value: number, offset: number, byteLength: number): number;
  readUintLE(offset: number, byteLength: number): number; writeUintLE(value: number, offset: number, byteLength: number): number;
  readIntLE(offset: number, byteLength: number): number; writeIntLE(value: number, offset: number, byteLength: number): number;
  readUInt16BE(offset?: number): number; writeUInt16BE(value: number, offset?: number): number; readUint16BE(offset?: number): number; writeUint16BE(value: number, offset?: number): number;
  readInt16BE(offset?: number): number; writeInt16BE(value: number, offset?: number): number;
  readUInt32BE(offset?: number): number; writeUInt32BE(value: number, offset?: number): number; readUint32BE(offset?: number): number; writeUint32BE(value: number, offset?: number): number;
  readInt32BE(offset?: number): number; writeInt32BE(value: number, offset?: number): number;
  readBigUInt64BE(offset?: number): bigint; writeBigUInt64BE(value: bigint, offset?: number): number; readBigUint64BE(offset?: number): bigint; writeBigUint64BE(value: bigint, offset?: number): number;
  readBigInt64BE(offset?: number): bigint; writeBigInt64BE(value: bigint, offset?: number): number;
  readFloatBE(offset?: number): number; writeFloatBE(value: number, offset?: number): number;
  readDoubleBE(offset?: number): number; writeDoubleBE(value: number, offset?: number): number;
  readUIntBE(offset: number, byteLength: number): number; writeUIntBE(value: number, offset: number, byteLength: number): number;
  readUintBE(offset: number, byteLength: number): number; writeUintBE(value: number, offset: number, byteLength: number): number;
  readIntBE(offset: number, byteLength: number): number; writeIntBE(value: number, offset: number, byteLength: number): number;
}
declare var Buffer: {
  prototype: Buffer;
  /** @deprecated use Buffer.from or Buffer.alloc */
  new (value: any, encodingOrOffset?: any, length?: number): Buffer;
  from(text: WithImplicitCoercion<string>, encoding?: BufferEncoding): Buffer;
  from(buffer: WithImplicitCoercion<ArrayBufferLike>, byteOffset?: number, length?: number): Buffer;
  from(data: WithImplicitCoercion<ArrayLike<number> | Iterable<number> | string>): Buffer;
  of(...items: number[]): Buffer;
  alloc(size: number, fill?: string | Uint8Array | number, encoding?: BufferEncoding): Buffer;
  allocUnsafe(size: number): Buffer;
  allocUnsafeSlow(size: number): Buffer;
  copyBytesFrom(view: ArrayBufferView, offset?: number, length?: number): Buffer;
  concat(list: readonly Uint8Array[], totalLength?: number): Buffer;
  isBuffer(value: any): value is Buffer;
  isEncoding(encoding: string): encoding is BufferEncoding;
  byteLength(value: string | ArrayBufferView | ArrayBufferLike, encoding?: BufferEncoding): number;
  compare(a: Uint8Array, b: Uint8Array): -1 | 0 | 1;
  poolSize: number;
};
