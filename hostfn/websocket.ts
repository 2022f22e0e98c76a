// https://websockets.spec.whatwg.org/#the-websocket-interface; the Go half is websocket.go.
import { host } from "../polyfill/host.ts";
import { Blob, blobSegments, isBlob } from "../polyfill/blob.ts";
import { ErrorEvent, Event, EventTarget, MessageEvent, defineEventHandler, dispatchTrusted, type EventInit } from "../polyfill/events.ts";
import { promiseThen } from "../polyfill/streams/intrinsics.ts";
import { decodeUtf8Text, encodeUtf8 } from "../polyfill/utf8.ts";
import { bytesOf, defineInterface, dictionary, domString, required, usvString } from "../polyfill/webidl.ts";
import { URL } from "./url.ts";

interface Incoming {
  type: "text" | "binary" | "close" | "fail";
  code?: number;
  reason?: string;
}

const openOp = host.op<Promise<{ handle: number; protocol: string }>>("ws.open");
const readOp = host.op<Promise<{ head: Incoming; body?: ArrayBuffer }>>("ws.read");
const writeOp = host.op<Promise<void>>("ws.write");
const closeOp = host.op<Promise<void>>("ws.close");
const { callId, cancel } = host;
const startTimer = setTimeout;
const slice = Uint8Array.prototype.slice;
const apply = Reflect.apply;

/** Bytes that wait to be sent; a socket that is given more fails. */
export const maxBuffered = 16 << 20;

export interface CloseEventInit extends EventInit {
  wasClean?: boolean;
  code?: number;
  reason?: string;
}

/** https://websockets.spec.whatwg.org/#the-closeevent-interface */
export class CloseEvent extends Event {
  #wasClean: boolean;
  #code: number;
  #reason: string;
  constructor(type: string, init: CloseEventInit | undefined = undefined) {
    required(arguments.length, 1, "CloseEvent()");
    super(type, init);
    const { wasClean, code = 0, reason = "" } = dictionary<CloseEventInit>(init, "CloseEvent()'s init");
    this.#wasClean = !!wasClean;
    this.#code = code & 0xffff;
    this.#reason = usvString(reason);
  }
  get wasClean(): boolean { return this.#wasClean; }
  get code(): number { return this.#code; }
  get reason(): string { return this.#reason; }
}
defineInterface(CloseEvent, "CloseEvent");

/** The second argument of WebSocket(), where headers are an extension that Node and Deno have too. */
export interface WebSocketInit {
  protocols?: string | Iterable<string>;
  headers?: Iterable<Iterable<string>> | Record<string, string>;
}

interface Outgoing {
  text: boolean;
  bytes: Uint8Array;
}

const CONNECTING = 0;
const OPEN = 1;
const CLOSING = 2;
const CLOSED = 3;

const separators = /[^!#$%&'*+\-.^_`|~0-9A-Za-z]/;

function syntax(message: string): DOMException {
  return new DOMException(message, "SyntaxError");
}

function parseUrl(input: unknown): URL {
  const text = usvString(input);
  const url = URL.parse(text);
  if (url === null) throw syntax(`${JSON.stringify(text.slice(0, 200))} is no URL`);
  if (url.protocol === "http:") url.protocol = "ws:";
  else if (url.protocol === "https:") url.protocol = "wss:";
  if (url.protocol !== "ws:" && url.protocol !== "wss:") throw syntax(`A WebSocket's URL has the scheme ws: or wss:, not ${url.protocol}`);
  if (url.hash !== "" || url.href.endsWith("#")) throw syntax("A WebSocket's URL has no fragment");
  return url;
}

function parseInit(value: unknown): { protocols: string[]; headers: [string, string][] } {
  let list: unknown = value;
  const headers: [string, string][] = [];
  if (typeof value === "object" && value !== null && (value as Iterable<string>)[Symbol.iterator] === undefined) {
    const init = value as WebSocketInit;
    list = init.protocols;
    const given = init.headers ?? {};
    const pairs = (given as Iterable<Iterable<string>>)[Symbol.iterator] === undefined ? Object.entries(given) : [...(given as Iterable<Iterable<string>>)].map((pair) => [...pair]);
    for (const [name, content] of pairs) headers.push([domString(name), domString(content)]);
  }
  const protocols = list === undefined ? [] : typeof list === "object" && list !== null ? [...(list as Iterable<string>)].map(domString) : [domString(list)];
  const seen = new Set<string>();
  for (const protocol of protocols) {
    if (protocol === "" || separators.test(protocol)) throw syntax(`${JSON.stringify(protocol)} is no name of a subprotocol`);
    if (seen.has(protocol.toLowerCase())) throw syntax(`The subprotocol ${JSON.stringify(protocol)} is named twice`);
    seen.add(protocol.toLowerCase());
  }
  return { protocols, headers };
}

export class WebSocket extends EventTarget {
  #url: string;
  #state = CONNECTING;
  #binaryType: "blob" | "arraybuffer" = "blob";
  #protocol = "";
  #handle = 0;
  #call = 0;
  #queue: Outgoing[] = [];
  #sending = false;
  #buffered = 0;
  /** What close() asked for, until everything before it was sent. */
  #closing: { code: number; reason: string } | null = null;

  constructor(url: string | object, protocols: string | Iterable<string> | WebSocketInit | undefined = undefined) {
    super();
    required(arguments.length, 1, "WebSocket()");
    const target = parseUrl(url);
    this.#url = target.href;
    const init = parseInit(protocols);
    const reply = openOp({ url: target.href, ...init });
    this.#call = callId();
    promiseThen(reply, ({ handle, protocol }) => this.#opened(handle, protocol), (error) => this.#failed(error));
  }

  get url(): string { return this.#url; }
  get readyState(): number { return this.#state; }
  /** Bytes that were given to send() and not yet to the network. */
  get bufferedAmount(): number { return this.#buffered; }
  get extensions(): string { void this.#state; return ""; }
  get protocol(): string { return this.#protocol; }
  get binaryType(): "blob" | "arraybuffer" { return this.#binaryType; }
  set binaryType(value: "blob" | "arraybuffer") {
    const text = domString(value);
    if (text === "blob" || text === "arraybuffer") this.#binaryType = text;
  }

  send(data: string | ArrayBuffer | ArrayBufferView | Blob): void {
    const state = this.#state;
    required(arguments.length, 1, "send()");
    if (state === CONNECTING) throw new DOMException("The WebSocket is not open yet: wait for its open event", "InvalidStateError");
    const text = !isBlob(data) && bytesOf(data) === undefined;
    const bytes = isBlob(data) ? join(data) : text ? encodeUtf8(usvString(data)) : apply(slice, bytesOf(data)!, []) as Uint8Array;
    this.#buffered += bytes.length;
    if (state !== OPEN) return;
    if (this.#buffered > maxBuffered) {
      this.#failed(new Error(`more than ${maxBuffered} bytes wait to be sent: look at bufferedAmount`));
      return;
    }
    this.#queue.push({ text, bytes });
    this.#pump();
  }

  close(code: number | undefined = undefined, reason: string | undefined = undefined): void {
    const state = this.#state;
    const given = code === undefined ? 0 : clampShort(code);
    const text = reason === undefined ? "" : usvString(reason);
    if (code !== undefined && given !== 1000 && (given < 3000 || given > 4999)) throw new DOMException(`${given} is no code for closing: use 1000, or 3000 to 4999`, "InvalidAccessError");
    if (encodeUtf8(text).length > 123) throw syntax("The reason for closing is longer than 123 bytes");
    if (state === CLOSING || state === CLOSED) return;
    this.#state = CLOSING;
    if (state === CONNECTING) {
      cancel(this.#call);
      return;
    }
    this.#closing = { code: given === 0 && text !== "" ? 1000 : given, reason: text };
    this.#pump();
  }

  declare onopen: ((this: WebSocket, event: Event) => unknown) | null;
  declare onmessage: ((this: WebSocket, event: MessageEvent) => unknown) | null;
  declare onerror: ((this: WebSocket, event: Event) => unknown) | null;
  declare onclose: ((this: WebSocket, event: CloseEvent) => unknown) | null;

  #opened(handle: number, protocol: string): void {
    this.#call = 0;
    this.#handle = handle;
    if (this.#state !== CONNECTING) {
      this.#failed(new Error("The WebSocket was closed before it was open"));
      return;
    }
    this.#state = OPEN;
    this.#protocol = protocol;
    dispatchTrusted(this, new Event("open"));
    this.#read();
  }

  #read(): void {
    if (this.#handle === 0) return;
    promiseThen(readOp(this.#handle), ({ head, body }) => this.#arrived(head, body), (error) => this.#failed(error));
  }

  #arrived(head: Incoming, body: ArrayBuffer | undefined): void {
    if (this.#state === CLOSED) return;
    if (head.type === "close") {
      this.#end(true, head.code ?? 1005, head.reason ?? "");
      return;
    }
    if (head.type === "fail") {
      this.#handle = 0;
      this.#failed(new Error(head.reason));
      return;
    }
    if (this.#state === OPEN) {
      const bytes = body ?? new ArrayBuffer(0);
      const data = head.type === "text" ? decodeUtf8Text(new Uint8Array(bytes)) : this.#binaryType === "blob" ? new Blob([bytes]) : bytes;
      dispatchTrusted(this, new MessageEvent("message", { data, origin: originOf(this.#url) }));
    }
    this.#read();
  }

  /** Sends one message after the other, then the closing frame. */
  #pump(): void {
    if (this.#sending || this.#handle === 0) return;
    const next = this.#queue.shift();
    if (next !== undefined) {
      this.#sending = true;
      promiseThen(writeOp({ handle: this.#handle, text: next.text }, next.bytes), () => {
        this.#sending = false;
        this.#buffered -= next.bytes.length;
        this.#pump();
      }, () => {
        // The read that is under way tells of the failure.
        this.#sending = false;
      });
      return;
    }
    if (this.#closing === null) return;
    const { code, reason } = this.#closing;
    this.#closing = null;
    promiseThen(closeOp({ handle: this.#handle, code, reason }), undefined, () => {});
  }

  #failed(error: unknown): void {
    if (this.#state === CLOSED) return;
    const handle = this.#handle;
    if (handle !== 0) promiseThen(closeOp({ handle, code: 1001, reason: "", abandon: true }), undefined, () => {});
    this.#state = CLOSED;
    this.#handle = 0;
    this.#queue = [];
    dispatchTrusted(this, new ErrorEvent("error", { message: error instanceof Error ? error.message : "", error }));
    // In a turn of its own, so that who waits for the error sees it.
    startTimer(() => this.#end(false, 1006, ""), 0);
  }

  #end(wasClean: boolean, code: number, reason: string): void {
    this.#state = CLOSED;
    this.#handle = 0;
    this.#queue = [];
    dispatchTrusted(this, new CloseEvent("close", { wasClean, code, reason }));
  }
}
defineInterface(WebSocket, "WebSocket", { CONNECTING, OPEN, CLOSING, CLOSED });
for (const type of ["open", "message", "error", "close"]) defineEventHandler(WebSocket.prototype, type);

function originOf(url: string): string {
  return url.slice(0, url.indexOf("/", url.indexOf("//") + 2));
}

/** [Clamp] unsigned short */
function clampShort(value: unknown): number {
  const n = Number(value);
  return n > 65_535 ? 65_535 : n > 0 ? Math.round(n) : 0;
}

function join(blob: Blob): Uint8Array {
  const out = new Uint8Array(blob.size);
  let n = 0;
  for (const segment of blobSegments(blob)) {
    out.set(segment, n);
    n += segment.length;
  }
  return out;
}
