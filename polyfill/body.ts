// https://fetch.spec.whatwg.org/#bodies. A body is what it was made of, a text, bytes or a stream of the host, until
// somebody asks for its stream; a stream that nobody has read can be taken back to what it was made of.
import { Blob, blobSegments, isBlob } from "./blob.ts";
import { FormData, isFormData } from "./formdata.ts";
import { headerValue, type HeaderList } from "./headers.ts";
import { hooks } from "./hooks.ts";
import { parseMimeType } from "./mimetype.ts";
import { encodeMultipart, parseMultipart } from "./multipart.ts";
import { ReadableStream, TransformStream } from "./streams.ts";
import {
  acquireReader, closeBytes, createBytes, discard, enqueueBytes, isDisturbed, isLocked, isReadableStream, read, tee, type ReadRequest, type Reader,
} from "./streams/internals.ts";
import { promiseFulfilled, promiseReject, promiseThen } from "./streams/intrinsics.ts";
import { parseUrlencoded } from "./urlencoded.ts";
import { decodeUtf8, decodeUtf8Text, encodeUtf8 } from "./utf8.ts";
import { bytesOf } from "./webidl.ts";

const apply = Reflect.apply;
const parseJson = JSON.parse;
const sliceBytes = Uint8Array.prototype.slice;
const setBytes = Uint8Array.prototype.set;
const wellFormed = String.prototype.toWellFormed;
const { defineProperty } = Object;

/** Content that is known: nobody writes to the bytes. */
export type Payload = string | Uint8Array | readonly Uint8Array[];

/** A body that the host holds under a handle. */
export interface HostSource {
  /** Gives the handle away if nobody has read and no abort is to reach it; 0 otherwise. */
  take(): number;
  /** Reads everything; the source counts as read from then on. */
  readAll(): Promise<Uint8Array>;
  /** A stream of it; the source counts as read once the stream is. */
  open(): ReadableStream;
}

type Origin = { payload: Payload; source: null } | { payload: null; source: HostSource };

/** What streams are made of, as long as nobody has read them. */
const origins = new WeakMap<ReadableStream, Origin>();
const { get: getOrigin, set: setOrigin, delete: deleteOrigin } = WeakMap.prototype;

function originOf(stream: ReadableStream): Origin | undefined {
  return isReadOrLocked(stream) ? undefined : apply(getOrigin, origins, [stream]) as Origin | undefined;
}

function isReadOrLocked(stream: ReadableStream): boolean {
  return isDisturbed(stream) || isLocked(stream);
}

/** Notes that the stream, unread, stands for the source. */
export function bindSource(stream: ReadableStream, source: HostSource): void {
  apply(setOrigin, origins, [stream, { payload: null, source }]);
}

export class BodyState {
  payload: Payload | null;
  source: HostSource | null;
  stream: ReadableStream | null;
  used = false;
  constructor(payload: Payload | null, source: HostSource | null, stream: ReadableStream | null) {
    this.payload = payload;
    this.source = source;
    this.stream = stream;
  }
}

export type BodyInit = ReadableStream | Blob | ArrayBuffer | ArrayBufferView | FormData | string | object;

/** https://fetch.spec.whatwg.org/#concept-bodyinit-extract; null is no body. */
export function extractBody(init: unknown): { body: BodyState; type: string | null } {
  if (typeof init === "object" && init !== null) {
    if (isReadableStream(init)) {
      if (isReadOrLocked(init)) throw new TypeError("The body is a ReadableStream that is locked or was read already");
      return { body: new BodyState(null, null, init), type: null };
    }
    const bytes = bytesOf(init);
    if (bytes !== undefined) return { body: new BodyState(apply(sliceBytes, bytes, []) as Uint8Array, null, null), type: null };
    if (isBlob(init)) return { body: new BodyState(blobSegments(init), null, null), type: init.type === "" ? null : init.type };
    if (isFormData(init)) {
      const form = encodeMultipart(init);
      return { body: new BodyState(form.segments, null, null), type: form.contentType };
    }
    if (hooks.isURLSearchParams(init)) return { body: new BodyState(String(init), null, null), type: "application/x-www-form-urlencoded;charset=UTF-8" };
    // As Node does: what yields bytes is a stream of them.
    if (typeof (init as any)[Symbol.asyncIterator] === "function") return { body: new BodyState(null, null, ReadableStream.from(init)), type: null };
  }
  const text = typeof init === "string" ? init : `${init as string}`;
  return { body: new BodyState(apply(wellFormed, text, []) as string, null, null), type: "text/plain;charset=UTF-8" };
}

function payloadBytes(payload: Payload): Uint8Array {
  if (typeof payload === "string") return encodeUtf8(payload);
  return payload instanceof Uint8Array ? payload : concat(payload);
}

/** Bytes that the caller may hand out. */
function ownBytes(payload: Payload): Uint8Array {
  return payload instanceof Uint8Array ? apply(sliceBytes, payload, []) as Uint8Array : payloadBytes(payload);
}

function payloadText(payload: Payload): string {
  if (typeof payload !== "string") return decodeUtf8Text(payloadBytes(payload));
  return payload.charCodeAt(0) === 0xfeff ? payload.slice(1) : payload;
}

/** The bytes of a list in one piece. */
export function concat(chunks: readonly Uint8Array[]): Uint8Array {
  if (chunks.length === 1) return chunks[0]!;
  let length = 0;
  for (let i = 0; i < chunks.length; i++) length += chunks[i]!.length;
  const out = new Uint8Array(length);
  length = 0;
  for (let i = 0; i < chunks.length; i++) {
    apply(setBytes, out, [chunks[i]!, length]);
    length += chunks[i]!.length;
  }
  return out;
}

function streamOfPayload(payload: Payload): ReadableStream {
  const stream = createBytes(() => {
    const bytes = ownBytes(payload);
    if (bytes.length > 0) enqueueBytes(stream, apply(sliceBytes, bytes, []) as Uint8Array);
    closeBytes(stream);
    return undefined;
  }, null);
  apply(setOrigin, origins, [stream, { payload, source: null }]);
  return stream;
}

/** The stream of a body, the same one each time. */
export function bodyStream(state: BodyState): ReadableStream {
  if (state.stream !== null) return state.stream;
  if (state.used) {
    const stream = new ReadableStream();
    discard(stream);
    return (state.stream = stream);
  }
  state.stream = state.payload !== null ? streamOfPayload(state.payload) : state.source!.open();
  state.payload = state.source = null;
  return state.stream;
}

export function isUnusable(state: BodyState | null): boolean {
  if (state === null) return false;
  if (state.stream === null) return state.used;
  return isReadOrLocked(state.stream);
}

export function isUsed(state: BodyState | null): boolean {
  if (state === null) return false;
  return state.stream === null ? state.used : isDisturbed(state.stream);
}

function unusable(): TypeError {
  return new TypeError("The body was read already, or is locked: read it once, or clone() first");
}

/** What a body consists of, which marks it used: exactly one of the three. */
export interface TakenBody {
  payload?: Payload;
  source?: HostSource;
  stream?: ReadableStream;
}

/** Takes the content of a body. The stream of the result may be read, all other views of the body are used. */
export function takeBody(state: BodyState): TakenBody {
  if (isUnusable(state)) throw unusable();
  const { payload, source, stream } = state;
  state.used = true;
  if (stream === null) {
    state.payload = state.source = null;
    return payload !== null ? { payload } : { source: source! };
  }
  const origin = originOf(stream);
  if (origin === undefined) return { stream };
  apply(deleteOrigin, origins, [stream]);
  discard(stream);
  return origin.payload !== null ? { payload: origin.payload } : { source: origin.source };
}

/** takeBody for a body that goes to the host: bytes, a handle or a stream. */
export function takeForHost(state: BodyState): { bytes?: Uint8Array; rid?: number; stream?: ReadableStream } {
  const { payload, source, stream } = takeBody(state);
  if (payload !== undefined) return { bytes: payloadBytes(payload) };
  if (source === undefined) return { stream: stream! };
  const rid = source.take();
  return rid > 0 ? { rid } : { stream: source.open() };
}

/** A body with the same content, in place of the one given, which is used then. */
export function moveBody(state: BodyState): BodyState {
  const { payload, source, stream } = takeBody(state);
  if (stream === undefined) return new BodyState(payload ?? null, source ?? null, null);
  return new BodyState(null, null, stream.pipeThrough(new TransformStream()));
}

/** https://fetch.spec.whatwg.org/#concept-body-clone */
export function cloneBody(state: BodyState): BodyState {
  if (isUnusable(state)) throw new TypeError("A body that was read already, or is locked, cannot be cloned: clone() before reading");
  if (state.payload !== null) return new BodyState(state.payload, null, null);
  const [a, b] = tee(bodyStream(state));
  state.stream = a;
  return new BodyState(null, null, b);
}

/** Reads chunks until the end without a promise for each. */
class Collector implements ReadRequest {
  readonly promise: Promise<Uint8Array>;
  #resolve!: (bytes: Uint8Array) => void;
  #reject!: (reason: unknown) => void;
  readonly #reader: Reader;
  readonly #chunks: Uint8Array[] = [];
  #reading = false;
  #again = false;
  constructor(stream: ReadableStream) {
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.#reader = acquireReader(stream);
    this.#next();
  }
  #next(): void {
    // A stream that has chunks at hand gives them within read().
    this.#reading = true;
    do {
      this.#again = false;
      read(this.#reader, this);
    } while (this.#again);
    this.#reading = false;
  }
  chunk(value: unknown): void {
    if (!(value instanceof Uint8Array)) {
      this.#reject(new TypeError(chunkMessage(value)));
      return;
    }
    this.#chunks[this.#chunks.length] = value;
    if (this.#reading) this.#again = true;
    else this.#next();
  }
  close(): void {
    const chunks = this.#chunks;
    this.#resolve(chunks.length === 0 ? new Uint8Array(0) : concat(chunks));
  }
  error(reason: unknown): void {
    this.#reject(reason);
  }
}

/** Why a chunk of a body is refused. */
export function chunkMessage(value: unknown): string {
  const kind = typeof value === "object" ? Object.prototype.toString.call(value).slice(8, -1) : typeof value;
  const advice = kind === "string" ? ": pipe the stream through new TextEncoderStream()" : "";
  return `A body's stream must give Uint8Array chunks, but gave one of type ${kind}${advice}`;
}

function readBytes(state: BodyState): Promise<Uint8Array> {
  const { payload, source, stream } = takeBody(state);
  if (payload !== undefined) return promiseFulfilled(ownBytes(payload));
  return source !== undefined ? source.readAll() : new Collector(stream!).promise;
}

/** The text of the body, or a promise of it. */
function readText(state: BodyState): string | Promise<string> {
  const { payload, source, stream } = takeBody(state);
  if (payload !== undefined) return payloadText(payload);
  const bytes = source !== undefined ? source.readAll() : new Collector(stream!).promise;
  return promiseThen(bytes, decodeUtf8Text);
}

function exactBuffer(bytes: Uint8Array): ArrayBuffer {
  return (bytes.byteLength === bytes.buffer.byteLength ? bytes : apply(sliceBytes, bytes, []) as Uint8Array).buffer as ArrayBuffer;
}

function parseForm(type: string | null, bytes: Uint8Array): FormData {
  const mime = type === null ? null : parseMimeType(type);
  if (mime?.essence === "multipart/form-data") {
    const boundary = mime.parameters.get("boundary");
    if (boundary === undefined) throw new TypeError("The body's Content-Type multipart/form-data has no boundary");
    return parseMultipart(bytes, boundary);
  }
  if (mime?.essence !== "application/x-www-form-urlencoded") {
    throw new TypeError(`formData() reads multipart/form-data and application/x-www-form-urlencoded, but the body's Content-Type is ${type ?? "missing"}`);
  }
  const form = new FormData();
  for (const [name, value] of parseUrlencoded(decodeUtf8(bytes))) form.append(name, value);
  return form;
}

export interface BodyMembers {
  readonly body: ReadableStream | null;
  readonly bodyUsed: boolean;
  arrayBuffer(): Promise<ArrayBuffer>;
  blob(): Promise<Blob>;
  bytes(): Promise<Uint8Array>;
  formData(): Promise<FormData>;
  json(): Promise<any>;
  text(): Promise<string>;
}

const noBytes: Payload = [];

/** Defines the members of the Body mixin. bodyOf and listOf throw a TypeError for an object of another kind. */
export function defineBody<T extends object>(prototype: T, bodyOf: (self: T) => BodyState | null, listOf: (self: T) => HeaderList): void {
  const stateOf = (self: T) => bodyOf(self) ?? new BodyState(noBytes, null, null);
  const mixin = {
    get body(): ReadableStream | null {
      const state = bodyOf(this as unknown as T);
      return state === null ? null : bodyStream(state);
    },
    get bodyUsed(): boolean {
      return isUsed(bodyOf(this as unknown as T));
    },
    arrayBuffer(this: T) {
      try {
        return promiseThen(readBytes(stateOf(this)), exactBuffer);
      } catch (e) {
        return promiseReject(e);
      }
    },
    blob(this: T) {
      try {
        const type = headerValue(listOf(this), "content-type") ?? "";
        return promiseThen(readBytes(stateOf(this)), (bytes: Uint8Array) => new Blob([bytes as Uint8Array<ArrayBuffer>], { type }));
      } catch (e) {
        return promiseReject(e);
      }
    },
    bytes(this: T) {
      try {
        return readBytes(stateOf(this));
      } catch (e) {
        return promiseReject(e);
      }
    },
    formData(this: T) {
      try {
        const type = headerValue(listOf(this), "content-type");
        return promiseThen(readBytes(stateOf(this)), (bytes: Uint8Array) => parseForm(type, bytes));
      } catch (e) {
        return promiseReject(e);
      }
    },
    json(this: T) {
      try {
        const text = readText(stateOf(this));
        return typeof text === "string" ? promiseFulfilled(parseJson(text)) : promiseThen(text, (late: string) => parseJson(late));
      } catch (e) {
        return promiseReject(e);
      }
    },
    text(this: T) {
      try {
        const text = readText(stateOf(this));
        return typeof text === "string" ? promiseFulfilled(text) : text;
      } catch (e) {
        return promiseReject(e);
      }
    },
  };
  for (const [key, property] of Object.entries(Object.getOwnPropertyDescriptors(mixin))) {
    defineProperty(prototype, key, { ...property, enumerable: true, configurable: true });
  }
}
