// https://fetch.spec.whatwg.org/#fetch-method. Go does the work, see fetch.go; here are requests, bodies and aborts.
import { host } from "../polyfill/host.ts";
import { addAbortAlgorithm, removeAbortAlgorithm, type AbortSignal } from "../polyfill/abort.ts";
import { BodyState, takeForHost } from "../polyfill/body.ts";
import { blobSegments } from "../polyfill/blob.ts";
import { blobOfUrl } from "../polyfill/bloburl.ts";
import { parseDataUrl } from "../polyfill/dataurl.ts";
import type { HeaderList } from "../polyfill/headers.ts";
import { Request, headerListOf, isInvocationSignal, isRequest, requestSignal, requestState, type RequestInit, type RequestState } from "../polyfill/request.ts";
import { makeResponse, type Response } from "../polyfill/response.ts";
import { promiseFulfilled, promiseReject, promiseThen } from "../polyfill/streams/intrinsics.ts";
import { required } from "../polyfill/webidl.ts";
import { RidSource, WholeSource, cancelRid, hostError, upload } from "./body.ts";

interface Head {
  status: number;
  statusText: string;
  url: string;
  redirected: boolean;
  headers: HeaderList;
  rid: number;
  /** The body came along. */
  whole: boolean;
}

const fetchOp = host.op<Promise<{ head: Head; body: ArrayBuffer }>>("fetch");
const { callId, cancel } = host;

/** Exchanges that a signal may abort. Users hold their signals weakly, so they must be held here until the body has ended. */
const active = new Set<Exchange>();
const { add: addActive, delete: deleteActive } = Set.prototype;
const apply = Reflect.apply;

class Exchange {
  readonly promise: Promise<Response>;
  #resolve!: (response: Response) => void;
  #reject!: (reason: unknown) => void;
  readonly #signal: AbortSignal | null;
  readonly #onAbort: (() => void) | null;
  #upload: ReturnType<typeof upload> | null = null;
  #source: RidSource | WholeSource | null = null;
  #call = 0;
  #ended = false;

  constructor(state: RequestState, signal: AbortSignal | null) {
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.#signal = signal;
    this.#onAbort = signal === null ? null : () => this.#abort(signal.reason);
    if (signal !== null) {
      apply(addActive, active, [this]);
      addAbortAlgorithm(signal, this.#onAbort!);
    }
    try {
      this.#send(state);
    } catch (e) {
      this.#fail(e);
    }
  }

  #send(state: RequestState): void {
    let bytes: Uint8Array | undefined;
    let rid: number | undefined;
    if (state.body !== null) {
      const taken = takeForHost(state.body);
      ({ bytes, rid } = taken);
      if (taken.stream !== undefined) {
        this.#upload = upload(taken.stream);
        rid = this.#upload.rid;
        promiseThen(this.#upload.promise, undefined, (cause) => this.#fail(new TypeError("fetch failed", { cause })));
      }
    }
    const { method, url, redirect } = state;
    const reply = fetchOp({ method, url, redirect, headers: headerListOf(state), rid }, bytes);
    this.#call = callId();
    promiseThen(reply, ({ head, body }: { head: Head; body: ArrayBuffer }) => this.#arrive(head, body), (e) => {
      const error = hostError(e);
      this.#stopUpload(error);
      this.#fail(error);
    });
  }

  #arrive(head: Head, bytes: ArrayBuffer): void {
    this.#call = 0;
    const { rid, whole } = head;
    if (this.#ended) {
      if (rid > 0) cancelRid(rid);
      return;
    }
    const signal = this.#signal;
    const abortable = signal !== null && !isInvocationSignal(signal);
    let body: BodyState | null = null;
    let source: RidSource | WholeSource | null = null;
    if (whole && !abortable) body = new BodyState(new Uint8Array(bytes), null, null);
    else if (whole) source = new WholeSource(new Uint8Array(bytes));
    else if (rid > 0) {
      source = new RidSource(rid);
      source.independent = !abortable;
    }
    if (source !== null) body = new BodyState(null, source, null);
    this.#resolve(makeResponse({ ...head, body }));
    if (source === null || signal === null) {
      this.#end();
      return;
    }
    this.#source = source;
    source.onEnd = () => this.#end();
  }

  #abort(reason: unknown): void {
    if (this.#ended) return;
    if (this.#call !== 0) cancel(this.#call);
    this.#stopUpload(reason);
    const source = this.#source;
    this.#fail(reason);
    if (source !== null) source.fail(reason);
  }

  #stopUpload(reason: unknown): void {
    const going = this.#upload;
    this.#upload = null;
    if (going === null) return;
    cancelRid(going.rid);
    going.abort(reason);
  }

  #fail(reason: unknown): void {
    this.#reject(reason);
    this.#end();
  }

  #end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#source = null;
    if (this.#signal === null) return;
    removeAbortAlgorithm(this.#signal, this.#onAbort!);
    apply(deleteActive, active, [this]);
  }
}

function fail(message: string, code: string): Promise<Response> {
  const cause = new Error(message) as Error & { code?: string };
  cause.code = code;
  return promiseReject(new TypeError("fetch failed", { cause }));
}

function fetchData(state: RequestState): Promise<Response> {
  const data = parseDataUrl(state.url);
  if (data === null) return fail("The data: URL is malformed", "ERR_INVALID_URL");
  return promiseFulfilled(makeResponse({
    status: 200, statusText: "OK", url: state.url, redirected: false, headers: [["content-type", data.type]],
    body: state.method === "HEAD" ? null : new BodyState(data.bytes, null, null),
  }));
}

/** https://fetch.spec.whatwg.org/#scheme-fetch, "blob", without ranges. */
function fetchBlob(state: RequestState): Promise<Response> {
  const blob = blobOfUrl(state.url);
  if (blob === undefined) return fail("The blob: URL is not one of this instance, or was revoked", "ERR_INVALID_URL");
  if (state.method !== "GET") return fail(`A blob: URL is read with GET, not ${state.method}`, "ERR_INVALID_ARG_VALUE");
  return promiseFulfilled(makeResponse({
    status: 200, statusText: "OK", url: state.url, redirected: false,
    headers: [["content-length", String(blob.size)], ...(blob.type === "" ? [] : [["content-type", blob.type] as [string, string]])],
    body: new BodyState(blobSegments(blob), null, null),
  }));
}

/**
 * https://fetch.spec.whatwg.org/#fetch-method. Supports http:, https:, data: and blob: URLs. Fails with a TypeError whose cause
 * has a code, such as ECONNREFUSED, ENOTFOUND or ERR_EGRESS_DENIED.
 */
export function fetch(input: Request | string | object, init: RequestInit | undefined = undefined): Promise<Response> {
  let state: RequestState;
  let signal: AbortSignal | null;
  try {
    required(arguments.length, 1, "fetch()");
    state = requestState(isRequest(input) && init === undefined ? input : new Request(input, init));
    signal = requestSignal(state);
    if (signal !== null && signal.aborted) {
      void state.body?.stream?.cancel(signal.reason).catch(() => {});
      return promiseReject(signal.reason);
    }
    if (state.url.startsWith("data:")) return fetchData(state);
    if (state.url.startsWith("blob:")) return fetchBlob(state);
    return new Exchange(state, signal).promise;
  } catch (e) {
    return promiseReject(e);
  }
}
