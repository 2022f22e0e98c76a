// https://html.spec.whatwg.org/#server-sent-events, over fetch.
import { AbortController } from "../polyfill/abort.ts";
import { TextDecoder } from "../polyfill/encoding.ts";
import { ErrorEvent, Event, EventTarget, MessageEvent, defineEventHandler, dispatchTrusted } from "../polyfill/events.ts";
import type { HeaderList } from "../polyfill/headers.ts";
import { parseMimeType } from "../polyfill/mimetype.ts";
import type { Response } from "../polyfill/response.ts";
import { dictionary, defineInterface, domString, required, usvString } from "../polyfill/webidl.ts";
import { fetch } from "./fetch.ts";
import { URL } from "./url.ts";

const startTimer = setTimeout;
const stopTimer = clearTimeout;

/** Characters of one event, its lines that are incomplete included; a longer one ends the source. */
export const maxEvent = 1 << 20;
/** The time until a reconnection in ms: at first, and its limits for what servers ask for. */
const firstDelay = 3_000;
const delays = { least: 100, most: 60_000 };

/** The second argument of EventSource(), where headers and fetch are extensions for requests with authorisation. */
export interface EventSourceInit {
  withCredentials?: boolean;
  headers?: HeaderList | Record<string, string>;
  fetch?: (url: string, init: object) => Promise<Response>;
}

const CONNECTING = 0;
const OPEN = 1;
const CLOSED = 2;

/** https://html.spec.whatwg.org/#event-stream-interpretation */
export class EventParser {
  #rest = "";
  #first = true;
  #afterReturn = false;
  #data: string | null = null;
  #type = "";
  #size = 0;
  lastEventId = "";
  #dispatch: (type: string, data: string, id: string) => void;
  #retry: (milliseconds: number) => void;

  constructor(dispatch: (type: string, data: string, id: string) => void, retry: (milliseconds: number) => void) {
    this.#dispatch = dispatch;
    this.#retry = retry;
  }

  feed(text: string): void {
    if (text === "") return;
    if (this.#first) {
      this.#first = false;
      if (text.charCodeAt(0) === 0xfeff) text = text.slice(1);
    }
    // "\r\n" may be cut in two.
    if (this.#afterReturn && text[0] === "\n") text = text.slice(1);
    this.#afterReturn = text[text.length - 1] === "\r";
    let start = 0;
    for (let at = 0; at < text.length; at++) {
      const c = text.charCodeAt(at);
      if (c !== 10 && c !== 13) continue;
      this.#line(this.#rest + text.slice(start, at));
      this.#rest = "";
      if (c === 13 && text.charCodeAt(at + 1) === 10) at++;
      start = at + 1;
    }
    this.#rest += text.slice(start);
    if (this.#rest.length + this.#size > maxEvent) throw new RangeError(`An event is longer than ${maxEvent} characters`);
  }

  #line(line: string): void {
    if (line === "") {
      const data = this.#data;
      const type = this.#type;
      this.#data = null;
      this.#type = "";
      this.#size = 0;
      if (data !== null) this.#dispatch(type === "" ? "message" : type, data, this.lastEventId);
      return;
    }
    const colon = line.indexOf(":");
    if (colon === 0) return;
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(line[colon + 1] === " " ? colon + 2 : colon + 1);
    switch (field) {
      case "event":
        this.#type = value;
        break;
      case "data":
        this.#size += value.length + 1;
        this.#data = this.#data === null ? value : `${this.#data}\n${value}`;
        if (this.#size > maxEvent) throw new RangeError(`An event is longer than ${maxEvent} characters`);
        break;
      case "id":
        if (!value.includes("\0")) this.lastEventId = value;
        break;
      case "retry":
        if (/^[0-9]+$/.test(value)) this.#retry(Number(value));
        break;
    }
  }
}

export class EventSource extends EventTarget {
  #url: string;
  #state = CONNECTING;
  #withCredentials: boolean;
  #headers: [string, string][] = [];
  #fetch: (url: string, init: object) => Promise<Response>;
  #delay = firstDelay;
  #lastEventId = "";
  #controller: AbortController | null = null;
  #timer = 0;

  constructor(url: string | object, init: EventSourceInit | undefined = undefined) {
    super();
    required(arguments.length, 1, "EventSource()");
    const text = usvString(url);
    const parsed = URL.parse(text);
    if (parsed === null) throw new DOMException(`${JSON.stringify(text.slice(0, 200))} is no URL`, "SyntaxError");
    const { withCredentials, headers, fetch: own } = dictionary<EventSourceInit>(init, "EventSource()'s init");
    this.#url = parsed.href;
    this.#withCredentials = !!withCredentials;
    if (headers !== undefined) for (const [name, value] of Symbol.iterator in headers ? headers as HeaderList : Object.entries(headers)) this.#headers.push([domString(name), domString(value)]);
    this.#fetch = own ?? (fetch as (url: string, init: object) => Promise<Response>);
    this.#connect();
  }

  get url(): string { return this.#url; }
  get withCredentials(): boolean { return this.#withCredentials; }
  get readyState(): number { return this.#state; }

  close(): void {
    this.#state = CLOSED;
    stopTimer(this.#timer);
    this.#controller?.abort();
    this.#controller = null;
  }

  declare onopen: ((this: EventSource, event: Event) => unknown) | null;
  declare onmessage: ((this: EventSource, event: MessageEvent) => unknown) | null;
  declare onerror: ((this: EventSource, event: Event) => unknown) | null;

  async #connect(): Promise<void> {
    const controller = (this.#controller = new AbortController());
    const current = () => this.#controller === controller;
    try {
      const headers: [string, string][] = [...this.#headers, ["Accept", "text/event-stream"], ["Cache-Control", "no-store"]];
      // Headers are bytes: an id travels as UTF-8.
      if (this.#lastEventId !== "") headers.push(["Last-Event-ID", unescape(encodeURIComponent(this.#lastEventId.toWellFormed()))]);
      const response = await this.#fetch(this.#url, { headers, signal: controller.signal });
      if (!current()) return;
      const type = parseMimeType(response.headers.get("content-type") ?? "");
      if (response.status !== 200 || type?.essence !== "text/event-stream") {
        controller.abort();
        this.#fail(new TypeError(response.status !== 200 ? `The server answered ${response.status}` : `The server answered with ${type?.essence ?? "no type"}, not text/event-stream`));
        return;
      }
      this.#state = OPEN;
      dispatchTrusted(this, new Event("open"));
      if (current()) await this.#read(response, current);
    } catch (error) {
      if (!current()) return;
      if (error instanceof RangeError || isFinal(error)) {
        controller.abort();
        this.#fail(error);
        return;
      }
      this.#again(error);
      return;
    }
    if (current()) this.#again(undefined);
  }

  async #read(response: Response, current: () => boolean): Promise<void> {
    const origin = new URL(response.url === "" ? this.#url : response.url).origin;
    const parser = new EventParser((type, data, id) => {
      this.#lastEventId = id;
      if (current()) dispatchTrusted(this, new MessageEvent(type, { data, origin, lastEventId: id }));
    }, (milliseconds) => {
      this.#delay = Math.min(Math.max(milliseconds, delays.least), delays.most);
    });
    parser.lastEventId = this.#lastEventId;
    const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
    const reader = response.body?.getReader();
    if (reader === undefined) return;
    for (;;) {
      const { value, done } = await reader.read();
      if (done || !current()) return;
      parser.feed(decoder.decode(value as Uint8Array, { stream: true }));
    }
  }

  /** https://html.spec.whatwg.org/#reestablish-the-connection */
  #again(error: unknown): void {
    this.#controller = null;
    this.#state = CONNECTING;
    this.#error(error);
    if (this.#state === CONNECTING) this.#timer = startTimer(() => {
      if (this.#state === CONNECTING) void this.#connect();
    }, this.#delay);
  }

  #fail(error: unknown): void {
    this.#controller = null;
    this.#state = CLOSED;
    this.#error(error);
  }

  #error(error: unknown): void {
    const message = error instanceof Error ? error.message : "";
    dispatchTrusted(this, error === undefined ? new Event("error") : new ErrorEvent("error", { message, error }));
  }
}
defineInterface(EventSource, "EventSource", { CONNECTING, OPEN, CLOSED });
for (const type of ["open", "message", "error"]) defineEventHandler(EventSource.prototype, type);

/** Failures that trying again cannot mend: a destination out of reach, the limit of fetches, a URL that fetch does not take. */
function isFinal(error: unknown): boolean {
  const code = (error as { cause?: { code?: string } } | undefined)?.cause?.code;
  return code === "ERR_EGRESS_DENIED" || code === "ERR_FETCH_LIMIT" || code === "ERR_INVALID_URL";
}
