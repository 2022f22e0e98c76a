// https://fetch.spec.whatwg.org/#request-class
import { AbortSignal, createAbortSignal, dependentSignal, isAbortSignal } from "./abort.ts";
import { BodyState, cloneBody, defineBody, extractBody, isUnusable, moveBody, type BodyInit, type BodyMembers } from "./body.ts";
import { copyHeaders, headerList, Headers, wrapHeaders, type HeaderList, type HeadersInit } from "./headers.ts";
import { hooks } from "./hooks.ts";
import { defineInterface, dictionary, domString, enumeration, required, usvString } from "./webidl.ts";

const apply = Reflect.apply;
const search = RegExp.prototype.exec;
const upperCase = String.prototype.toUpperCase;
const lowerCase = String.prototype.toLowerCase;
const notToken = /[^!#$%&'*+\-.^_`|~0-9A-Za-z]/;

const redirects = ["follow", "error", "manual"] as const;
const modes = ["cors", "no-cors", "same-origin", "navigate"] as const;
const credentialModes = ["omit", "same-origin", "include"] as const;
const caches = ["default", "no-store", "reload", "no-cache", "force-cache", "only-if-cached"] as const;
const policies = ["", "no-referrer", "no-referrer-when-downgrade", "same-origin", "origin", "strict-origin", "origin-when-cross-origin", "strict-origin-when-cross-origin", "unsafe-url"] as const;

export interface RequestInit {
  method?: string;
  headers?: HeadersInit;
  body?: BodyInit | null;
  redirect?: (typeof redirects)[number];
  signal?: AbortSignal | null;
  duplex?: "half";
  mode?: (typeof modes)[number];
  credentials?: (typeof credentialModes)[number];
  cache?: (typeof caches)[number];
  referrer?: string;
  referrerPolicy?: (typeof policies)[number];
  integrity?: string;
  keepalive?: boolean;
  window?: null;
}

/** What a browser looks at; here it is only kept. */
interface BrowserState {
  mode: string;
  credentials: string;
  cache: string;
  referrer: string;
  referrerPolicy: string;
  integrity: string;
  keepalive: boolean;
}

const browserDefaults: BrowserState = {
  mode: "cors", credentials: "same-origin", cache: "default", referrer: "about:client", referrerPolicy: "", integrity: "", keepalive: false,
};

/** The request behind a Request object. */
export class RequestState {
  method: string;
  url: string;
  list: HeaderList;
  headers: Headers | null = null;
  body: BodyState | null = null;
  redirect = "follow";
  /** What aborts the request: the signal that was given, without the object that the Request shows. */
  source: AbortSignal | null = null;
  /** The signal that the Request shows, once asked for. */
  signal: AbortSignal | null = null;
  makeSignal: (() => AbortSignal) | null = null;
  browser = browserDefaults;
  constructor(method: string, url: string, list: HeaderList) {
    this.method = method;
    this.url = url;
    this.list = list;
  }
}

/** Signals of invocations: the host itself acts on them. */
const invocationSignals = new WeakSet<AbortSignal>();
const { add: addSignal, has: hasSignal } = WeakSet.prototype;

/** Whether the signal is the one of an incoming request, whose end the host sees by itself. */
export function isInvocationSignal(signal: AbortSignal): boolean {
  return apply(hasSignal, invocationSignals, [signal]) as boolean;
}

/** The signal that aborts the request, or null if nothing can. */
export function requestSignal(state: RequestState): AbortSignal | null {
  if (state.makeSignal !== null) {
    state.source = state.signal = state.makeSignal();
    state.makeSignal = null;
    apply(addSignal, invocationSignals, [state.source]);
  }
  return state.source;
}

function shownSignal(state: RequestState): AbortSignal {
  if (state.signal !== null) return state.signal;
  const source = requestSignal(state);
  return (state.signal ??= source === null ? createAbortSignal() : dependentSignal([source]));
}

const commonMethods: Record<string, string> = Object.create(null);
for (const method of ["DELETE", "GET", "HEAD", "OPTIONS", "POST", "PUT"]) commonMethods[method] = commonMethods[method.toLowerCase()] = method;

function toMethod(value: unknown): string {
  const text = domString(value);
  if (commonMethods[text] !== undefined) return commonMethods[text];
  if (text === "" || apply(search, notToken, [text]) !== null) throw new TypeError(`"${text}" is no HTTP method`);
  const upper = apply(upperCase, text, []) as string;
  if (upper === "CONNECT" || upper === "TRACE" || upper === "TRACK") throw new TypeError(`The method ${text} is not allowed in a Request`);
  return commonMethods[apply(lowerCase, text, []) as string] ?? text;
}

function parse(input: unknown): string {
  const text = usvString(input);
  let url;
  try {
    url = hooks.parseUrl(text);
  } catch (cause) {
    throw new TypeError(`Failed to parse URL from ${text}`, { cause });
  }
  if (url.href.includes("@") && (url.username !== "" || url.password !== "")) {
    throw new TypeError(`A Request's URL must not have a user name or password: send them in the Authorization header (${url.href.replace(/\/\/[^@]*@/, "//***@")})`);
  }
  return url.href;
}

function setBrowserMembers(state: RequestState, init: Partial<RequestInit>): void {
  const { mode, credentials, cache, referrer, referrerPolicy, integrity, keepalive, window } = init;
  if (window !== undefined && window !== null) throw new TypeError("The window of a Request can only be null");
  if (mode === undefined && credentials === undefined && cache === undefined && referrer === undefined && referrerPolicy === undefined
    && integrity === undefined && keepalive === undefined) return;
  const b = (state.browser = { ...state.browser });
  if (referrer !== undefined) {
    const text = usvString(referrer);
    b.referrer = text === "" ? "" : text === "about:client" ? text : parse(text);
  }
  if (referrerPolicy !== undefined) b.referrerPolicy = enumeration(referrerPolicy, policies, "referrerPolicy");
  if (mode !== undefined) {
    b.mode = enumeration(mode, modes, "mode");
    if (b.mode === "navigate") throw new TypeError('A Request cannot be made with mode "navigate"');
  }
  if (credentials !== undefined) b.credentials = enumeration(credentials, credentialModes, "credentials");
  if (cache !== undefined) b.cache = enumeration(cache, caches, "cache");
  if (b.cache === "only-if-cached" && b.mode !== "same-origin") throw new TypeError('The cache mode "only-if-cached" needs the mode "same-origin"');
  if (integrity !== undefined) b.integrity = domString(integrity);
  if (keepalive !== undefined) b.keepalive = !!keepalive;
}

function construct(input: unknown, rawInit: unknown): RequestState {
  const init = dictionary<RequestInit>(rawInit, "Request()'s options");
  const from = isRequest(input) ? stateOf(input) : null;
  const state = from === null ? new RequestState("GET", parse(input), []) : new RequestState(from.method, from.url, from.list);
  if (from !== null) {
    state.redirect = from.redirect;
    state.browser = from.browser;
    state.source = requestSignal(from);
  }
  if (rawInit !== undefined) {
    setBrowserMembers(state, init);
    const { method, redirect, signal } = init;
    if (redirect !== undefined) state.redirect = enumeration(redirect, redirects, "redirect");
    if (method !== undefined) state.method = toMethod(method);
    if (signal !== undefined) {
      if (signal !== null && !isAbortSignal(signal)) throw new TypeError("The signal of a Request must be an AbortSignal, or null");
      state.source = signal;
    }
  }
  const { headers } = init;
  state.headers = headers !== undefined ? new Headers(headers) : from !== null ? copyHeaders(headersOf(from)) : wrapHeaders([]);
  state.list = headerList(state.headers);
  setBody(state, from, init);
  return state;
}

function setBody(state: RequestState, from: RequestState | null, init: Partial<RequestInit>): void {
  const { body, duplex } = init;
  if (duplex !== undefined) enumeration(duplex, ["half"], "duplex");
  const given = body !== undefined && body !== null;
  if ((given || (from !== null && from.body !== null && body === undefined)) && (state.method === "GET" || state.method === "HEAD")) {
    throw new TypeError(`A Request with the method ${state.method} cannot have a body`);
  }
  if (given) {
    const extracted = extractBody(body);
    state.body = extracted.body;
    if (extracted.type !== null && !state.headers!.has("content-type")) state.list[state.list.length] = ["content-type", extracted.type];
    if (extracted.body.stream !== null && duplex === undefined) {
      throw new TypeError('A Request with a stream as its body needs duplex: "half", since the response may come before the body has been sent');
    }
    return;
  }
  if (from === null || from.body === null || body === null) return;
  if (isUnusable(from.body)) throw new TypeError("The Request given has a body that was read already, or is locked");
  state.body = moveBody(from.body);
}

let stateOf: (request: Request) => RequestState;
let adopted: RequestState | undefined;

/** Whether the value is a Request, whatever its prototype says. */
export let isRequest: (value: unknown) => value is Request;

function headersOf(state: RequestState): Headers {
  return (state.headers ??= wrapHeaders(state.list));
}

/** https://fetch.spec.whatwg.org/#request-class */
export class Request {
  #state: RequestState;
  constructor(input: Request | string | object, init: RequestInit | undefined = undefined) {
    if (adopted !== undefined) {
      this.#state = adopted;
      adopted = undefined;
      return;
    }
    required(arguments.length, 1, "Request()");
    this.#state = construct(input, init);
  }
  get method(): string { return this.#state.method; }
  get url(): string { return this.#state.url; }
  get headers(): Headers { return headersOf(this.#state); }
  get destination(): string { return void this.#state, ""; }
  get referrer(): string { return this.#state.browser.referrer; }
  get referrerPolicy(): string { return this.#state.browser.referrerPolicy; }
  get mode(): string { return this.#state.browser.mode; }
  get credentials(): string { return this.#state.browser.credentials; }
  get cache(): string { return this.#state.browser.cache; }
  get redirect(): string { return this.#state.redirect; }
  get integrity(): string { return this.#state.browser.integrity; }
  get keepalive(): boolean { return this.#state.browser.keepalive; }
  get isReloadNavigation(): boolean { return void this.#state, false; }
  get isHistoryNavigation(): boolean { return void this.#state, false; }
  get signal(): AbortSignal { return shownSignal(this.#state); }
  get duplex(): string { return void this.#state, "half"; }
  clone(): Request {
    const from = this.#state;
    if (isUnusable(from.body)) throw new TypeError("A Request whose body was read already, or is locked, cannot be cloned");
    const state = new RequestState(from.method, from.url, from.list);
    state.headers = copyHeaders(headersOf(from));
    state.list = headerList(state.headers);
    state.redirect = from.redirect;
    state.browser = from.browser;
    state.source = requestSignal(from);
    state.body = from.body === null ? null : cloneBody(from.body);
    return wrap(state);
  }

  static {
    stateOf = (request) => request.#state;
    isRequest = (value): value is Request => typeof value === "object" && value !== null && #state in value;
    defineBody(Request.prototype, (request) => request.#state.body, (request) => headerList(headersOf(request.#state)));
  }
}
export interface Request extends BodyMembers {}
defineInterface(Request, "Request");

function wrap(state: RequestState): Request {
  adopted = state;
  return new Request("");
}

/** The state behind a Request. */
export function requestState(request: Request): RequestState {
  return stateOf(request);
}

/** The headers of a request as they are now. */
export function headerListOf(state: RequestState): HeaderList {
  return state.headers === null ? state.list : headerList(state.headers);
}

export interface IncomingRequest {
  /** A serialised URL. */
  url: string;
  method: string;
  /** Valid headers with lower-case names; the Request takes the list over. */
  headers: HeaderList;
  /** The handle of the body. */
  rid?: number;
  bytes?: ArrayBuffer;
  signal?: () => AbortSignal;
}

/** A Request from the host, which is trusted: nothing is checked or copied. Body and signal are made when asked for. */
export function makeRequest(init: IncomingRequest): Request {
  const state = new RequestState(init.method, init.url, init.headers);
  if (init.rid !== undefined && init.rid > 0) state.body = new BodyState(null, hooks.openSource(init.rid), null);
  else if (init.bytes !== undefined) state.body = new BodyState(new Uint8Array(init.bytes), null, null);
  state.makeSignal = init.signal ?? null;
  return wrap(state);
}
