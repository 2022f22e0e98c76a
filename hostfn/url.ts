// https://url.spec.whatwg.org/#api. Go parses; a URL is its serialisation here, which is ASCII and unambiguous, and its
// parts are cut out of it when somebody asks.
import { host } from "../polyfill/host.ts";
import { createBlobUrl, revokeBlobUrl } from "../polyfill/bloburl.ts";
import { definePairIterable, type PairIterable } from "../polyfill/iterable.ts";
import { defineInterface, required, usvString } from "../polyfill/webidl.ts";
import { parseUrlencoded, serializeUrlencoded } from "../polyfill/urlencoded.ts";

const parseOp = host.op<string | null>("url.parse");
const setOp = host.op<string>("url.set");

/** The serialised URL, or null if the input is none. Strings are USVStrings. */
function parse(input: string, base: string | undefined): string | null {
  return parseOp(base === undefined ? [input] : [input, base]);
}

const special = new Set(["http:", "https:", "ws:", "wss:", "ftp:"]);

/** Where the parts of a serialised URL lie; -1 for those that are absent. */
class Parts {
  readonly scheme: number; // after the colon
  readonly authority: number; // after "//", or -1 without a host
  readonly host: number;
  readonly hostEnd: number;
  readonly path: number;
  readonly query: number; // at "?"
  readonly fragment: number; // at "#"
  readonly end: number; // of the path

  constructor(href: string) {
    this.scheme = href.indexOf(":") + 1;
    this.fragment = href.indexOf("#", this.scheme);
    const beforeFragment = this.fragment < 0 ? href.length : this.fragment;
    const query = href.indexOf("?", this.scheme);
    this.query = query < beforeFragment ? query : -1;
    this.end = this.query < 0 ? beforeFragment : this.query;
    if (!href.startsWith("//", this.scheme)) {
      this.authority = this.host = this.hostEnd = -1;
      // A path that begins with "//" is told from a host by "/." before it.
      this.path = href.startsWith("/.//", this.scheme) ? this.scheme + 2 : this.scheme;
      return;
    }
    this.authority = this.scheme + 2;
    const slash = href.indexOf("/", this.authority);
    this.path = slash < 0 || slash > this.end ? this.end : slash;
    const at = href.indexOf("@", this.authority);
    this.host = at < 0 || at >= this.path ? this.authority : at + 1;
    const bracket = href[this.host] === "[" ? href.indexOf("]", this.host) : this.host;
    const colon = href.indexOf(":", bracket);
    this.hostEnd = colon < 0 || colon > this.path ? this.path : colon;
  }
}

/** A serialised URL that the next constructor call takes without parsing it again. */
let parsed: string | undefined;

let updateQuery: (url: URL, query: string) => void;
let connect: (url: URL, query: string) => URLSearchParams;
let listOf: (params: URLSearchParams) => [string, string][];
let refill: (params: URLSearchParams, query: string) => void;

/** https://url.spec.whatwg.org/#url-class */
export class URL {
  #href: string;
  #parts: Parts | undefined;
  #params: URLSearchParams | undefined;

  constructor(url: string, base: string | undefined = undefined) {
    if (parsed !== undefined) {
      this.#href = parsed;
      parsed = undefined;
      return;
    }
    required(arguments.length, 1, "URL()");
    const input = usvString(url);
    const baseText = base === undefined ? undefined : usvString(base);
    const href = parse(input, baseText);
    if (href === null) throw invalid(input, baseText);
    this.#href = href;
  }

  static parse(url: string, base: string | undefined = undefined): URL | null {
    required(arguments.length, 1, "URL.parse()");
    const href = parse(usvString(url), base === undefined ? undefined : usvString(base));
    if (href === null) return null;
    parsed = href;
    return new URL(href);
  }

  static canParse(url: string, base: string | undefined = undefined): boolean {
    required(arguments.length, 1, "URL.canParse()");
    return parse(usvString(url), base === undefined ? undefined : usvString(base)) !== null;
  }

  /** https://w3c.github.io/FileAPI/#dfn-createObjectURL; the URL holds for this instance. */
  static createObjectURL(blob: object): string {
    required(arguments.length, 1, "URL.createObjectURL()");
    return createBlobUrl(blob);
  }

  static revokeObjectURL(url: string): void {
    required(arguments.length, 1, "URL.revokeObjectURL()");
    revokeBlobUrl(usvString(url));
  }

  static {
    updateQuery = (url, query) => url.#change(setOp([url.#href, "search", query]));
  }

  #at(): Parts {
    return (this.#parts ??= new Parts(this.#href));
  }

  #change(href: string): void {
    this.#href = href;
    this.#parts = undefined;
  }

  #set(part: string, value: unknown): void {
    const href = this.#href;
    this.#change(setOp([href, part, usvString(value)]));
  }

  get href(): string { return this.#href; }
  set href(value: string) {
    void this.#href;
    const input = usvString(value);
    const href = parse(input, undefined);
    if (href === null) throw invalid(input, undefined);
    this.#change(href);
    this.#refresh();
  }

  get origin(): string {
    const protocol = this.#href.slice(0, this.#at().scheme);
    if (special.has(protocol)) return `${protocol}//${this.host}`;
    if (protocol === "blob:") {
      const inner = parse(this.pathname, undefined);
      if (inner !== null && (inner.startsWith("http:") || inner.startsWith("https:"))) return new URL(inner).origin;
    }
    return "null";
  }

  get protocol(): string { return this.#href.slice(0, this.#at().scheme); }
  set protocol(value: string) { this.#set("protocol", value); }

  get username(): string {
    const { authority, host } = this.#at();
    if (host <= authority) return "";
    const colon = this.#href.indexOf(":", authority);
    return this.#href.slice(authority, colon < 0 || colon > host - 1 ? host - 1 : colon);
  }
  set username(value: string) { this.#set("username", value); }

  get password(): string {
    const { authority, host } = this.#at();
    if (host <= authority) return "";
    const colon = this.#href.indexOf(":", authority);
    return colon < 0 || colon > host - 1 ? "" : this.#href.slice(colon + 1, host - 1);
  }
  set password(value: string) { this.#set("password", value); }

  get host(): string {
    const { host, path } = this.#at();
    return host < 0 ? "" : this.#href.slice(host, path);
  }
  set host(value: string) { this.#set("host", value); }

  get hostname(): string {
    const { host, hostEnd } = this.#at();
    return host < 0 ? "" : this.#href.slice(host, hostEnd);
  }
  set hostname(value: string) { this.#set("hostname", value); }

  get port(): string {
    const { host, hostEnd, path } = this.#at();
    return host < 0 || hostEnd === path ? "" : this.#href.slice(hostEnd + 1, path);
  }
  set port(value: string) { this.#set("port", value); }

  get pathname(): string {
    const { path, end } = this.#at();
    return this.#href.slice(path, end);
  }
  set pathname(value: string) { this.#set("pathname", value); }

  get search(): string {
    const { query, fragment } = this.#at();
    const end = fragment < 0 ? this.#href.length : fragment;
    return query < 0 || query + 1 === end ? "" : this.#href.slice(query, end);
  }
  set search(value: string) {
    this.#set("search", value);
    this.#refresh();
  }

  get searchParams(): URLSearchParams {
    return (this.#params ??= connect(this, this.search.slice(1)));
  }

  get hash(): string {
    const { fragment } = this.#at();
    return fragment < 0 || fragment + 1 === this.#href.length ? "" : this.#href.slice(fragment);
  }
  set hash(value: string) { this.#set("hash", value); }

  toString(): string { return this.#href; }
  toJSON(): string { return this.#href; }

  #refresh(): void {
    if (this.#params !== undefined) refill(this.#params, this.search.slice(1));
  }
}
defineInterface(URL, "URL");

function invalid(input: string, base: string | undefined): TypeError {
  const shown = (text: string) => JSON.stringify(text.length > 200 ? `${text.slice(0, 200)}…` : text);
  const error = new TypeError(base === undefined ? `Invalid URL: ${shown(input)}` : `Invalid URL: ${shown(input)} with the base ${shown(base)}`);
  return Object.assign(error, { code: "ERR_INVALID_URL", input });
}

/** Whether the value is a URLSearchParams, whatever its prototype says. */
export let isURLSearchParams: (value: unknown) => value is URLSearchParams;

/** https://url.spec.whatwg.org/#interface-urlsearchparams */
export class URLSearchParams {
  #list: [string, string][] = [];
  #url: URL | undefined;

  constructor(init: Iterable<Iterable<string>> | Record<string, string> | string = "") {
    if ((typeof init !== "object" || init === null) && typeof init !== "function") {
      const text = usvString(init);
      this.#list = parseUrlencoded(text.startsWith("?") ? text.slice(1) : text);
      return;
    }
    const iterate = (init as Iterable<Iterable<string>>)[Symbol.iterator];
    if (iterate === undefined || iterate === null) this.#addRecord(init as Record<string, string>);
    else this.#addPairs(init as Iterable<Iterable<string>>);
  }

  #addRecord(record: Record<string, string>): void {
    const values = new Map<string, string>();
    for (const key of Reflect.ownKeys(record)) {
      if (!Object.getOwnPropertyDescriptor(record, key)?.enumerable) continue;
      values.set(usvString(key), usvString(record[key as string]));
    }
    this.#list = [...values];
  }

  #addPairs(pairs: Iterable<Iterable<string>>): void {
    for (const pair of pairs) {
      if ((typeof pair !== "object" && typeof pair !== "function") || pair === null || typeof pair[Symbol.iterator] !== "function") {
        throw new TypeError("Each pair of URLSearchParams() must be a sequence of a name and a value");
      }
      const items = [...pair];
      if (items.length !== 2) throw new TypeError(`Each pair of URLSearchParams() has a name and a value, but one has ${items.length} items`);
      this.#list.push([usvString(items[0]), usvString(items[1])]);
    }
  }

  static {
    connect = (url, query) => {
      const params = new URLSearchParams();
      params.#list = parseUrlencoded(query);
      params.#url = url;
      return params;
    };
    listOf = (params) => params.#list;
    refill = (params, query) => {
      params.#list = parseUrlencoded(query);
    };
  }

  #update(): void {
    if (this.#url !== undefined) updateQuery(this.#url, serializeUrlencoded(this.#list));
  }

  get size(): number { return this.#list.length; }

  append(name: string, value: string): void {
    const list = this.#list;
    required(arguments.length, 2, "append()");
    list.push([usvString(name), usvString(value)]);
    this.#update();
  }

  delete(name: string, value: string | undefined = undefined): void {
    const list = this.#list;
    required(arguments.length, 1, "delete()");
    const key = usvString(name);
    const wanted = value === undefined ? undefined : usvString(value);
    let n = 0;
    for (const pair of list) if (pair[0] !== key || (wanted !== undefined && pair[1] !== wanted)) list[n++] = pair;
    list.length = n;
    this.#update();
  }

  get(name: string): string | null {
    const list = this.#list;
    required(arguments.length, 1, "get()");
    const key = usvString(name);
    for (const pair of list) if (pair[0] === key) return pair[1];
    return null;
  }

  getAll(name: string): string[] {
    const list = this.#list;
    required(arguments.length, 1, "getAll()");
    const key = usvString(name);
    return list.filter((pair) => pair[0] === key).map((pair) => pair[1]);
  }

  has(name: string, value: string | undefined = undefined): boolean {
    const list = this.#list;
    required(arguments.length, 1, "has()");
    const key = usvString(name);
    const wanted = value === undefined ? undefined : usvString(value);
    return list.some((pair) => pair[0] === key && (wanted === undefined || pair[1] === wanted));
  }

  set(name: string, value: string): void {
    const list = this.#list;
    required(arguments.length, 2, "set()");
    const key = usvString(name);
    const text = usvString(value);
    let found = false;
    let n = 0;
    for (const pair of list) {
      if (pair[0] === key) {
        if (found) continue;
        found = true;
        pair[1] = text;
      }
      list[n++] = pair;
    }
    list.length = n;
    if (!found) list.push([key, text]);
    this.#update();
  }

  /** By code units of the names; pairs of one name keep their order. */
  sort(): void {
    this.#list.sort((a, b) => (a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0));
    this.#update();
  }

  toString(): string { return serializeUrlencoded(this.#list); }

  static {
    isURLSearchParams = (value): value is URLSearchParams => typeof value === "object" && value !== null && #list in value;
  }
}
export interface URLSearchParams extends PairIterable<string> {}
defineInterface(URLSearchParams, "URLSearchParams");
definePairIterable(URLSearchParams.prototype, "URLSearchParams", listOf!);
