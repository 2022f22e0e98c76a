// https://fetch.spec.whatwg.org/#headers-class, with the guards that matter on a server: none and immutable.
import { definePairIterable, type PairIterable } from "./iterable.ts";
import { defineInterface, domString, required } from "./webidl.ts";

/** Names, in lower case, and values in the order they were added. */
export type HeaderList = [name: string, value: string][];

export type HeadersInit = Headers | Iterable<Iterable<string>> | Record<string, string>;

const apply = Reflect.apply;
const { getOwnPropertyDescriptor } = Object;
const { ownKeys } = Reflect;
const search = RegExp.prototype.exec;
const lowerCase = String.prototype.toLowerCase;
const sort = Array.prototype.sort;

const notToken = /[^!#$%&'*+\-.^_`|~0-9A-Za-z]/;
const notByte = /[^\x00-\xff]/;
const notValue = /[\0\r\n]/;
const outerSpace = /^[\t\n\r ]+|[\t\n\r ]+$/g;
const replace = String.prototype.replace;

function has(pattern: RegExp, text: string): boolean {
  return apply(search, pattern, [text]) !== null;
}

/** Names as they are often written, with their lower case: these need no check. */
const known: Record<string, string> = Object.create(null);
for (const name of [
  "Accept", "Accept-Encoding", "Accept-Language", "Access-Control-Allow-Headers", "Access-Control-Allow-Methods", "Access-Control-Allow-Origin",
  "Allow", "Authorization", "Cache-Control", "Connection", "Content-Disposition", "Content-Encoding", "Content-Length", "Content-Type", "Cookie",
  "Date", "ETag", "Expires", "Host", "If-Modified-Since", "If-None-Match", "Last-Event-ID", "Last-Modified", "Location", "Origin", "Range", "Referer",
  "Retry-After", "Server", "Set-Cookie", "Transfer-Encoding", "User-Agent", "Vary", "X-Accel-Buffering", "X-API-Key", "X-Forwarded-For",
  "X-Request-ID", "X-Stainless-Lang", "X-Stainless-Runtime", "OpenAI-Organization", "Anthropic-Version",
]) {
  known[name] = known[name.toLowerCase()] = name.toLowerCase();
}

/** A header name in lower case. */
function toName(value: unknown): string {
  const text = domString(value);
  const name = known[text];
  if (name !== undefined) return name;
  if (text === "" || has(notToken, text)) throw new TypeError(`"${text}" is no header name`);
  return apply(lowerCase, text, []) as string;
}

/** A header value without the white space around it. */
function toValue(value: unknown, name: string): string {
  let text = domString(value);
  const first = text.charCodeAt(0), last = text.charCodeAt(text.length - 1);
  if (first <= 32 || last <= 32) text = apply(replace, text, [outerSpace, ""]) as string;
  if (has(notByte, text)) throw new TypeError(`The value of the header ${name} has characters above U+00FF: encode them, for example with encodeURIComponent()`);
  if (has(notValue, text)) throw new TypeError(`The value of the header ${name} has a line break or a zero byte`);
  return text;
}

let listOf: (headers: Headers) => HeaderList;
let adopted: HeaderList | undefined;
let adoptedImmutable = false;

/** Whether the value is a Headers object, whatever its prototype says. */
export let isHeaders: (value: unknown) => value is Headers;

/** https://fetch.spec.whatwg.org/#headers-class */
export class Headers {
  #list: HeaderList;
  #sorted: HeaderList | undefined;
  #immutable = false;

  constructor(init: HeadersInit | undefined = undefined) {
    if (adopted !== undefined) {
      this.#list = adopted;
      this.#immutable = adoptedImmutable;
      adopted = undefined;
      return;
    }
    this.#list = init === undefined ? [] : toList(init);
  }

  #change(): void {
    if (this.#immutable) throw new TypeError("The headers are immutable: make a copy with new Headers(headers), or a new Response");
    this.#sorted = undefined;
  }

  append(name: string, value: string): void {
    const list = this.#list;
    required(arguments.length, 2, "Headers.append()");
    const key = toName(name);
    const text = toValue(value, key);
    this.#change();
    list[list.length] = [key, text];
  }

  delete(name: string): void {
    const list = this.#list;
    required(arguments.length, 1, "Headers.delete()");
    const key = toName(name);
    this.#change();
    remove(list, key, 0);
  }

  get(name: string): string | null {
    const list = this.#list;
    required(arguments.length, 1, "Headers.get()");
    return headerValue(list, toName(name));
  }

  getSetCookie(): string[] {
    const out: string[] = [];
    const list = this.#list;
    for (let i = 0; i < list.length; i++) if (list[i]![0] === "set-cookie") out[out.length] = list[i]![1];
    return out;
  }

  has(name: string): boolean {
    const list = this.#list;
    required(arguments.length, 1, "Headers.has()");
    return indexOf(list, toName(name)) >= 0;
  }

  set(name: string, value: string): void {
    const list = this.#list;
    required(arguments.length, 2, "Headers.set()");
    const key = toName(name);
    const text = toValue(value, key);
    this.#change();
    const at = indexOf(list, key);
    if (at < 0) {
      list[list.length] = [key, text];
      return;
    }
    list[at] = [key, text];
    remove(list, key, at + 1);
  }

  static {
    isHeaders = (value): value is Headers => typeof value === "object" && value !== null && #list in value;
    listOf = (headers) => headers.#list;
    definePairIterable<Headers, string>(Headers.prototype, "Headers", (headers) => (headers.#sorted ??= sortAndCombine(headers.#list)));
  }
}
export interface Headers extends PairIterable<string> {}
defineInterface(Headers, "Headers");
const originalIterator = Headers.prototype[Symbol.iterator];

function indexOf(list: HeaderList, name: string): number {
  for (let i = 0; i < list.length; i++) if (list[i]![0] === name) return i;
  return -1;
}

function remove(list: HeaderList, name: string, from: number): void {
  let kept = from;
  for (let i = from; i < list.length; i++) if (list[i]![0] !== name) list[kept++] = list[i]!;
  list.length = kept;
}

function byName(a: HeaderList[number], b: HeaderList[number]): number {
  return a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0;
}

/** https://fetch.spec.whatwg.org/#concept-header-list-sort-and-combine */
function sortAndCombine(list: HeaderList): HeaderList {
  const out: HeaderList = [];
  for (let i = 0; i < list.length; i++) {
    const [name, value] = list[i]!;
    const at = name === "set-cookie" ? -1 : indexOf(out, name);
    if (at < 0) out[out.length] = [name, value];
    else out[at]![1] += `, ${value}`;
  }
  return apply(sort, out, [byName]) as HeaderList;
}

function toList(init: unknown): HeaderList {
  if (typeof init !== "object" && typeof init !== "function" || init === null) {
    throw new TypeError("Headers are given as an object, as pairs of name and value, or as Headers");
  }
  const iterator = (init as any)[Symbol.iterator];
  if (isHeaders(init) && iterator === originalIterator) return copyList(listOf(init));
  const list: HeaderList = [];
  if (iterator !== undefined && iterator !== null) {
    if (typeof iterator !== "function") throw new TypeError("The headers are not iterable");
    for (const pair of init as Iterable<unknown>) {
      if (typeof pair !== "object" || pair === null) throw new TypeError("Each header must be a pair of name and value");
      const [...parts] = pair as Iterable<unknown>;
      if (parts.length !== 2) throw new TypeError(`Each header must be a pair of name and value, but one has ${parts.length} items`);
      const name = toName(parts[0]);
      list[list.length] = [name, toValue(parts[1], name)];
    }
    return list;
  }
  for (const key of ownKeys(init)) {
    if (!getOwnPropertyDescriptor(init, key)?.enumerable) continue;
    const name = toName(key);
    const value = toValue((init as any)[key], name);
    // Two spellings of one name are two keys of a record.
    list[list.length] = [name, value];
  }
  return list;
}

function copyList(list: HeaderList): HeaderList {
  const out: HeaderList = [];
  for (let i = 0; i < list.length; i++) out[i] = [list[i]![0], list[i]![1]];
  return out;
}

/** The list behind a Headers object; it is live and must be changed by nobody else. */
export function headerList(headers: Headers): HeaderList {
  return listOf(headers);
}

/** A Headers object over a list of valid headers with lower-case names, which it takes over. */
export function wrapHeaders(list: HeaderList, immutable = false): Headers {
  adopted = list;
  adoptedImmutable = immutable;
  return new Headers();
}

/** A changeable copy. */
export function copyHeaders(headers: Headers): Headers {
  return wrapHeaders(copyList(listOf(headers)));
}

/** The combined value of a header, named in lower case; null if there is none. */
export function headerValue(list: HeaderList, name: string): string | null {
  let out: string | null = null;
  for (let i = 0; i < list.length; i++) {
    const pair = list[i]!;
    if (pair[0] === name) out = out === null ? pair[1] : `${out}, ${pair[1]}`;
  }
  return out;
}
