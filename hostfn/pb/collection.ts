// pb.collection, pb.as and batches: the record services of the PocketBase JavaScript SDK over the operation pb.records.

import { host } from "../../polyfill/host.ts";
import type { AbortSignal } from "../../polyfill/abort.ts";
import { type Blob, isBlob } from "../../polyfill/blob.ts";
import { concat } from "../../polyfill/body.ts";
import { FormData, isFormData } from "../../polyfill/formdata.ts";
import { encodeMultipart } from "../../polyfill/multipart.ts";
import { encodeUtf8 } from "../../polyfill/utf8.ts";
import { ClientResponseError, notFound, responseError } from "./error.ts";
import { filter } from "./filter.ts";
import { op } from "./op.ts";
import { searchBody, searchQuery } from "./vector.ts";

const records = op<Promise<any>>("pb.records");

type Body = Record<string, any> | FormData;
type Options = Record<string, any>;
/** Whose rights hold: undefined for the invocation's own, null for a guest. */
export type Identity = { collection: string; id: string } | null | undefined;

// Options of the SDK that are no query parameters.
const notQuery = new Set(["requestKey", "$cancelKey", "$autoCancel", "fetch", "headers", "body", "query", "params", "cache", "credentials",
  "integrity", "keepalive", "method", "mode", "redirect", "referrer", "referrerPolicy", "signal", "window", "batch"]);

function queryOf(options: Options | undefined, more?: Options): string {
  if (!options && !more) return "";
  const all: Options = { ...more };
  if (options) {
    for (const key of Object.keys(options)) if (!notQuery.has(key)) all[key] = options[key];
    Object.assign(all, options.query);
    if (all.filter !== undefined && options.params) all.filter = filter(all.filter, options.params);
  }
  let text = "";
  for (const key of Object.keys(all)) {
    for (let value of Array.isArray(all[key]) ? all[key] : [all[key]]) {
      if (value === null || value === undefined) continue;
      if (value instanceof Date) value = value.toISOString().replace("T", " ");
      else if (typeof value === "object") value = JSON.stringify(value);
      text += `${text === "" ? "" : "&"}${encodeURIComponent(key)}=${encodeURIComponent(value)}`;
    }
  }
  return text;
}

const hasFile = (value: unknown): boolean => isBlob(value) || (Array.isArray(value) && value.some(isBlob));

interface Encoded {
  contentType: string;
  bytes: Uint8Array;
}

function encodeForm(form: FormData): Encoded {
  const { contentType, segments } = encodeMultipart(form);
  return { contentType, bytes: concat(segments as Uint8Array[]) };
}

/** Splits a body into what JSON holds and its files. */
function split(body: Record<string, any>): { fields: Record<string, any>; files: [string, Blob][] } {
  const fields: Record<string, any> = {};
  const files: [string, Blob][] = [];
  for (const key of Object.keys(body)) {
    const value = body[key];
    if (!hasFile(value)) {
      fields[key] = value;
      continue;
    }
    const list: unknown[] = Array.isArray(value) ? value : [value];
    for (const item of list) if (isBlob(item)) files.push([key, item as unknown as Blob]);
    const names = list.filter((item) => !isBlob(item));
    if (names.length > 0) fields[key] = names;
  }
  return { fields, files };
}

/** A FormData in the same parts; of @jsonPayload and of fields given several times all values stay. */
function splitForm(form: FormData): { fields: Record<string, any>; files: [string, Blob][] } {
  const fields: Record<string, any> = {};
  const files: [string, Blob][] = [];
  for (const [key, value] of form) {
    if (isBlob(value)) files.push([key, value as unknown as Blob]);
    else if (key === "@jsonPayload") Object.assign(fields, JSON.parse(value as string));
    else if (Object.hasOwn(fields, key)) fields[key] = [].concat(fields[key], value as any);
    else fields[key] = value;
  }
  return { fields, files };
}

function encodeBody(body: Body | undefined): Encoded | undefined {
  if (body === undefined || body === null) return undefined;
  if (isFormData(body)) return encodeForm(body);
  if (typeof body !== "object") throw new TypeError(`the body of a record is an object or a FormData, not a ${typeof body}`);
  if (!Object.keys(body).some((key) => hasFile(body[key]))) return { contentType: "application/json", bytes: encodeUtf8(JSON.stringify(body)) };
  const { fields, files } = split(body);
  const form = new FormData();
  form.append("@jsonPayload", JSON.stringify(fields));
  for (const [key, file] of files) form.append(key, file as any);
  return encodeForm(form);
}

interface Call {
  method: "GET" | "POST" | "PATCH" | "DELETE" | "BATCH";
  collection?: string;
  id?: string;
  query?: string;
  search?: "vector-search" | "hybrid-search";
}

async function send(as: Identity, call: Call, options?: Options, body?: Encoded): Promise<any> {
  const signal: AbortSignal | undefined = options?.signal;
  if (signal?.aborted) throw new ClientResponseError({ isAbort: true, originalError: signal.reason });
  const { method, collection, id: record, query, search } = call;
  const promise = records({ as, method, collection, id: record, query, search, headers: options?.headers, contentType: body?.contentType }, body?.bytes);
  if (!signal) {
    try {
      return await promise;
    } catch (e) {
      throw responseError(e);
    }
  }
  const id = host.callId();
  const abort = () => host.cancel(id);
  signal.addEventListener("abort", abort);
  try {
    return await promise;
  } catch (e) {
    throw signal.aborted ? new ClientResponseError({ isAbort: true, originalError: e }) : responseError(e);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

const defaultBatch = 1000;

/** All pages: a promise of the whole list, or an async iterable that holds one page at a time. It starts when it is used. */
class FullList implements PromiseLike<any[]> {
  readonly [Symbol.toStringTag] = "Promise";
  #page: (page: number) => Promise<any>;
  #all: Promise<any[]> | undefined;

  constructor(page: (page: number) => Promise<any>) {
    this.#page = page;
  }

  async #load(): Promise<any[]> {
    const all: any[] = [];
    for (let page = 1; ; page++) {
      const { items, perPage } = await this.#page(page);
      if (page === 1 && items.length < perPage) return items;
      for (let k = 0; k < items.length; k++) all[all.length] = items[k];
      if (items.length < perPage) return all;
    }
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<any> {
    for (let page = 1; ; page++) {
      const list = await this.#page(page);
      yield* list.items;
      if (list.items.length < list.perPage) return;
    }
  }

  then<A = any[], B = never>(done?: ((value: any[]) => A | PromiseLike<A>) | null, failed?: ((reason: any) => B | PromiseLike<B>) | null): Promise<A | B> {
    return (this.#all ??= this.#load()).then(done, failed);
  }

  catch<B = never>(failed?: ((reason: any) => B | PromiseLike<B>) | null): Promise<any[] | B> {
    return this.then(undefined, failed);
  }

  finally(f?: (() => void) | null): Promise<any[]> {
    return this.then().finally(f);
  }
}

class RecordService {
  readonly collectionIdOrName: string;
  readonly #as: Identity;

  constructor(as: Identity, name: string) {
    this.#as = as;
    this.collectionIdOrName = name;
  }

  #path(): string {
    return `/api/collections/${encodeURIComponent(this.collectionIdOrName)}/records`;
  }

  #id(id: string): string {
    if (typeof id === "string" && id !== "") return id;
    throw notFound(`${this.#path()}/`, "Missing required record id.");
  }

  async getOne(id: string, options?: Options): Promise<any> {
    return send(this.#as, { method: "GET", collection: this.collectionIdOrName, id: this.#id(id), query: queryOf(options) }, options);
  }

  async getList(page = 1, perPage = 30, options?: Options): Promise<any> {
    return send(this.#as, { method: "GET", collection: this.collectionIdOrName, query: queryOf(options, { page, perPage }) }, options);
  }

  getFullList(batchOrOptions?: number | Options, options?: Options): FullList {
    const o: Options = { ...(typeof batchOrOptions === "number" ? { batch: batchOrOptions, ...options } : batchOrOptions ?? options) };
    const batch = o.batch ?? defaultBatch;
    if (!Number.isInteger(batch) || batch < 1) throw new RangeError(`getFullList() takes as batch an integer from 1, not ${String(batch)}`);
    return new FullList((page) => this.getList(page, batch, { ...o, query: { skipTotal: 1, ...o.query } }));
  }

  async getFirstListItem(expression: string, options?: Options): Promise<any> {
    const list = await this.getList(1, 1, { ...options, query: { skipTotal: 1, filter: expression, ...options?.query } });
    if (list.items.length > 0) return list.items[0];
    throw notFound(this.#path(), "The requested resource wasn't found.");
  }

  async #search(search: "vector-search" | "hybrid-search", name: string, options: Options): Promise<any[]> {
    const body = { contentType: "application/json", bytes: encodeUtf8(JSON.stringify(searchBody(name, options))) };
    const found = await send(this.#as, { method: "POST", search, collection: this.collectionIdOrName, query: queryOf(searchQuery(options)) }, options, body);
    return found.items;
  }

  async vectorSearch(options: Options): Promise<any[]> {
    return this.#search("vector-search", "vectorSearch", options);
  }

  async hybridSearch(options: Options): Promise<any[]> {
    return this.#search("hybrid-search", "hybridSearch", options);
  }

  async create(body?: Body, options?: Options): Promise<any> {
    return send(this.#as, { method: "POST", collection: this.collectionIdOrName, query: queryOf(options) }, options, encodeBody(body ?? options?.body ?? {}));
  }

  async update(id: string, body?: Body, options?: Options): Promise<any> {
    return send(this.#as, { method: "PATCH", collection: this.collectionIdOrName, id: this.#id(id), query: queryOf(options) }, options, encodeBody(body ?? options?.body ?? {}));
  }

  async delete(id: string, options?: Options): Promise<boolean> {
    await send(this.#as, { method: "DELETE", collection: this.collectionIdOrName, id: this.#id(id), query: queryOf(options) }, options);
    return true;
  }
}

interface BatchRequest {
  method: string;
  url: string;
  headers?: Record<string, string>;
  body: Record<string, any>;
  files: [string, Blob][];
}

class SubBatchService {
  readonly #requests: BatchRequest[];
  readonly #path: string;

  constructor(requests: BatchRequest[], name: string) {
    this.#requests = requests;
    this.#path = `/api/collections/${encodeURIComponent(name)}/records`;
  }

  #add(method: string, id: string, body: Body | undefined, options?: Options): void {
    const query = queryOf(options);
    const { fields, files } = body === undefined ? { fields: {}, files: [] } : isFormData(body) ? splitForm(body) : split(body);
    const url = this.#path + (id === "" ? "" : `/${encodeURIComponent(id)}`) + (query === "" ? "" : `?${query}`);
    this.#requests.push({ method, url, headers: options?.headers, body: fields, files });
  }

  create(body?: Body, options?: Options): void { this.#add("POST", "", body ?? {}, options); }
  upsert(body?: Body, options?: Options): void { this.#add("PUT", "", body ?? {}, options); }
  update(id: string, body?: Body, options?: Options): void { this.#add("PATCH", id, body ?? {}, options); }
  delete(id: string, options?: Options): void { this.#add("DELETE", id, undefined, options); }
}

class BatchService {
  readonly #as: Identity;
  readonly #requests: BatchRequest[] = [];
  readonly #subs = new Map<string, SubBatchService>();

  constructor(as: Identity) {
    this.#as = as;
  }

  collection(name: string): SubBatchService {
    let sub = this.#subs.get(name);
    if (!sub) this.#subs.set(name, (sub = new SubBatchService(this.#requests, name)));
    return sub;
  }

  async send(options?: Options): Promise<{ status: number; body: any }[]> {
    const form = new FormData();
    const requests = this.#requests.map(({ method, url, headers, body }) => ({ method, url, headers, body }));
    form.append("@jsonPayload", JSON.stringify({ requests }));
    this.#requests.forEach(({ files }, k) => {
      for (const [key, file] of files) form.append(`requests.${k}.${key}`, file as any);
    });
    return send(this.#as, { method: "BATCH", query: queryOf(options) }, options, encodeForm(form));
  }
}

/** The services under the rights of as. */
export function recordClient(as: Identity) {
  return {
    collection(name: string): RecordService {
      if (typeof name !== "string" || name === "") throw new TypeError("pb.collection() takes the name or id of a collection");
      return new RecordService(as, name);
    },
    createBatch: () => new BatchService(as),
    filter,
  };
}

/** The services as the API rules allow them to record, or to a guest if it is null. */
export function as(record: any) {
  if (record === null) return recordClient(null);
  const collection = record?.collectionId ?? record?.collectionName;
  if (typeof record !== "object" || typeof record.id !== "string" || typeof collection !== "string") {
    throw new TypeError("pb.as() takes a record of an auth collection with its id and collectionName, such as ctx.auth, or null for a guest");
  }
  return recordClient({ collection, id: record.id });
}
