// https://fetch.spec.whatwg.org/#response-class
import { BodyState, cloneBody, defineBody, extractBody, isUnusable, takeForHost, type BodyInit, type BodyMembers } from "./body.ts";
import { copyHeaders, headerList, Headers, wrapHeaders, type HeaderList, type HeadersInit } from "./headers.ts";
import { hooks } from "./hooks.ts";
import type { ReadableStream } from "./streams.ts";
import { byteString, defineInterface, dictionary, required, usvString } from "./webidl.ts";

const apply = Reflect.apply;
const search = RegExp.prototype.exec;
const toJson = JSON.stringify;
const notReason = /[^\t\x20-\x7e\x80-\xff]/;

export interface ResponseInit {
  status?: number;
  statusText?: string;
  headers?: HeadersInit;
}

class ResponseState {
  status = 200;
  statusText = "";
  type = "default";
  url = "";
  redirected = false;
  list: HeaderList;
  headers: Headers | null = null;
  immutable = false;
  body: BodyState | null = null;
  constructor(list: HeaderList) {
    this.list = list;
  }
}

function isNullBody(status: number): boolean {
  return status === 204 || status === 304 || status === 205 || status === 101 || status === 103;
}

/** unsigned short */
function toStatus(value: unknown): number {
  const n = Math.trunc(+(value as number));
  return n !== n || n === Infinity || n === -Infinity ? 0 : ((n % 65_536) + 65_536) % 65_536;
}

function construct(extracted: { body: BodyState; type: string | null } | null, rawInit: unknown): ResponseState {
  const state = new ResponseState([]);
  if (rawInit !== undefined) {
    const { headers, status, statusText } = dictionary<ResponseInit>(rawInit, "Response()'s options");
    if (status !== undefined) {
      state.status = toStatus(status);
      if (state.status < 200 || state.status > 599) throw new RangeError(`The status of a Response must be from 200 to 599, not ${state.status}`);
    }
    if (statusText !== undefined) {
      state.statusText = byteString(statusText, "The statusText");
      if (apply(search, notReason, [state.statusText]) !== null) throw new TypeError("The statusText of a Response must not have control characters");
    }
    if (headers !== undefined) {
      state.headers = new Headers(headers);
      state.list = headerList(state.headers);
    }
  }
  if (extracted === null) return state;
  if (isNullBody(state.status)) throw new TypeError(`A Response with the status ${state.status} cannot have a body: give null`);
  state.body = extracted.body;
  const { type } = extracted;
  if (type !== null && !hasHeader(state.list, "content-type")) state.list[state.list.length] = ["content-type", type];
  return state;
}

function hasHeader(list: HeaderList, name: string): boolean {
  for (let i = 0; i < list.length; i++) if (list[i]![0] === name) return true;
  return false;
}

let stateOf: (response: Response) => ResponseState;
let adopted: ResponseState | undefined;

/** Whether the value is a Response, whatever its prototype says. */
export let isResponse: (value: unknown) => value is Response;

function headersOf(state: ResponseState): Headers {
  return (state.headers ??= wrapHeaders(state.list, state.immutable));
}

/** https://fetch.spec.whatwg.org/#response-class */
export class Response {
  #state: ResponseState;
  constructor(body: BodyInit | null | undefined = null, init: ResponseInit | undefined = undefined) {
    if (adopted !== undefined) {
      this.#state = adopted;
      adopted = undefined;
      return;
    }
    this.#state = construct(body === null || body === undefined ? null : extractBody(body), init);
  }

  static error(): Response {
    const state = new ResponseState([]);
    state.type = "error";
    state.status = 0;
    state.immutable = true;
    return wrap(state);
  }

  static json(data: unknown, init: ResponseInit | undefined = undefined): Response {
    required(arguments.length, 1, "Response.json()");
    const text = toJson(data);
    if (text === undefined) throw new TypeError(`Response.json() cannot send ${typeof data} as JSON`);
    return wrap(construct({ body: extractBody(text).body, type: "application/json" }, init));
  }

  static redirect(url: string | object, status: number = 302): Response {
    required(arguments.length, 1, "Response.redirect()");
    const text = usvString(url);
    let href: string;
    try {
      href = hooks.parseUrl(text).href;
    } catch (cause) {
      throw new TypeError(`Failed to parse URL from ${text}: Response.redirect() needs a full URL, for example new URL("${text}", req.url)`, { cause });
    }
    const code = toStatus(status);
    if (code !== 301 && code !== 302 && code !== 303 && code !== 307 && code !== 308) {
      throw new RangeError(`The status of a redirect is 301, 302, 303, 307 or 308, not ${code}`);
    }
    const state = new ResponseState([["location", href]]);
    state.status = code;
    state.immutable = true;
    return wrap(state);
  }

  get type(): string { return this.#state.type; }
  get url(): string { return this.#state.url; }
  get redirected(): boolean { return this.#state.redirected; }
  get status(): number { return this.#state.status; }
  get ok(): boolean {
    const { status } = this.#state;
    return status >= 200 && status <= 299;
  }
  get statusText(): string { return this.#state.statusText; }
  get headers(): Headers { return headersOf(this.#state); }

  clone(): Response {
    const from = this.#state;
    if (isUnusable(from.body)) throw new TypeError("A Response whose body was read already, or is locked, cannot be cloned");
    const state = new ResponseState(headerList(copyHeaders(headersOf(from))));
    state.status = from.status;
    state.statusText = from.statusText;
    state.type = from.type;
    state.url = from.url;
    state.redirected = from.redirected;
    state.immutable = from.immutable;
    state.body = from.body === null ? null : cloneBody(from.body);
    return wrap(state);
  }

  static {
    stateOf = (response) => response.#state;
    isResponse = (value): value is Response => typeof value === "object" && value !== null && #state in value;
    defineBody(Response.prototype, (response) => response.#state.body, (response) => headerList(headersOf(response.#state)));
  }
}
export interface Response extends BodyMembers {}
defineInterface(Response, "Response");

function wrap(state: ResponseState): Response {
  adopted = state;
  return new Response();
}

export interface FetchedResponse {
  status: number;
  statusText: string;
  url: string;
  redirected: boolean;
  headers: HeaderList;
  body: BodyState | null;
}

/** The Response of a fetch. */
export function makeResponse(init: FetchedResponse): Response {
  const state = new ResponseState(init.headers);
  state.status = init.status;
  state.statusText = init.statusText;
  state.type = "basic";
  state.url = init.url;
  state.redirected = init.redirected;
  state.immutable = true;
  state.body = init.body;
  return wrap(state);
}

/** What the host sends for a Response. At most one of bytes, rid and stream is set; none for a response without a body. */
export interface TakenResponse {
  status: number;
  statusText: string;
  headers: HeaderList;
  bytes?: Uint8Array;
  /** A stream of the host that nobody has read: it can send it itself. */
  rid?: number;
  stream?: ReadableStream;
}

/** Takes a Response apart to send it; its body is used then. Throws a TypeError if it was used before. */
export function takeResponse(response: Response): TakenResponse {
  const { status, statusText, list, body, type } = stateOf(response);
  if (type === "error") throw new TypeError("Response.error() cannot be sent as a response");
  if (body === null) return { status, statusText, headers: list };
  if (isUnusable(body)) throw new TypeError("The Response was used already: its body was read, is locked, or was sent; make a new Response, or clone() it before");
  const { bytes, rid, stream } = takeForHost(body);
  if (bytes !== undefined) return { status, statusText, headers: list, bytes };
  return rid !== undefined ? { status, statusText, headers: list, rid } : { status, statusText, headers: list, stream };
}
