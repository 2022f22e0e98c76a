// https://urlpattern.spec.whatwg.org/
import { defineInterface, dictionary, usvString } from "../polyfill/webidl.ts";
import { escapePattern, parsePattern, toPattern, toRegExp, tokenize, type PatternOptions, type Token } from "./patternparser.ts";
import { URL } from "./url.ts";

const names = ["protocol", "username", "password", "hostname", "port", "pathname", "search", "hash"] as const;
type Name = (typeof names)[number];
type Parts = Partial<Record<Name, string>>;

export interface URLPatternInit extends Parts {
  baseURL?: string;
}

export interface URLPatternOptions {
  ignoreCase?: boolean;
}

export interface URLPatternComponentResult {
  input: string;
  groups: Record<string, string | undefined>;
}

export type URLPatternResult = Record<Name, URLPatternComponentResult> & { inputs: (string | URLPatternInit)[] };

const specialPorts: Record<string, string> = { ftp: "21", file: "", http: "80", https: "443", ws: "80", wss: "443" };

interface Component {
  pattern: string;
  regexp: RegExp;
  names: string[];
  hasRegExp: boolean;
}

const plain: PatternOptions = { delimiter: "", prefix: "" };
const hostnameOptions: PatternOptions = { delimiter: ".", prefix: "" };
const pathnameOptions: PatternOptions = { delimiter: "/", prefix: "/" };

/** https://urlpattern.spec.whatwg.org/#compile-a-component */
function compile(input: string, encode: (text: string) => string, options: PatternOptions, ignoreCase: boolean): Component {
  const parts = parsePattern(input, options, encode);
  const { source, names } = toRegExp(parts, options);
  const regexp = expression(source, ignoreCase ? "i" : "");
  if (regexp === null) throw new TypeError(`The pattern ${JSON.stringify(input)} has an invalid regular expression`);
  return { pattern: toPattern(parts, options), regexp, names, hasRegExp: parts.some((part) => part.type === "regexp") };
}

/** With the flag v, or with u for what the engine takes for an error under v: "-" and the like outside of classes. */
function expression(source: string, flags: string): RegExp | null {
  for (const flag of ["v", "u"]) {
    try {
      return new RegExp(source, flag + flags);
    } catch {
      // The other flag, or none.
    }
  }
  return null;
}

function matchesSpecial(protocol: Component): boolean {
  return Object.keys(specialPorts).some((scheme) => protocol.regexp.test(scheme));
}

// https://urlpattern.spec.whatwg.org/#canon-encoding-callbacks

function invalid(what: string, value: string): TypeError {
  return new TypeError(`${JSON.stringify(value)} is no ${what} of a URL`);
}

function canonProtocol(value: string): string {
  if (value === "") return value;
  const url = URL.parse(`${value}://dummy.test`);
  if (url === null) throw invalid("protocol", value);
  return url.protocol.slice(0, -1);
}

/** What a part of a URL becomes when it is set. */
function set(part: "username" | "password" | "search" | "hash" | "pathname", value: string): string {
  if (value === "") return value;
  const url = new URL("https://dummy.test");
  url[part] = value;
  return url[part];
}

function canonHostname(value: string): string {
  if (value === "") return value;
  const dummy = "dummy.test";
  const url = new URL(`https://${dummy}`);
  url.hostname = value;
  if (url.hostname === dummy && value.toLowerCase() !== dummy) throw invalid("hostname", value);
  return url.hostname;
}

function canonIPv6(value: string): string {
  if (/[^0-9A-Fa-f[\]:]/.test(value)) throw invalid("IPv6 address", value);
  return value.toLowerCase();
}

function canonPort(value: string, protocol = ""): string {
  if (value === "") return value;
  const digits = /^[0-9]+/.exec(value.replace(/[\t\n\r]/g, ""));
  if (digits === null || Number(digits[0]) > 65_535) throw invalid("port", value);
  const port = String(Number(digits[0]));
  return specialPorts[protocol] === port ? "" : port;
}

function canonPathname(value: string): string {
  if (value === "") return value;
  return value.startsWith("/") ? set("pathname", value) : set("pathname", `/-${value}`).slice(2);
}

function canonOpaquePathname(value: string): string {
  return value === "" ? value : new URL(`data:x${value}`).pathname.slice(1);
}

const canonSearch = (value: string) => (value === "" ? value : set("search", `?${value}`).slice(1));
const canonHash = (value: string) => (value === "" ? value : set("hash", `#${value}`).slice(1));

/** https://urlpattern.spec.whatwg.org/#process-a-urlpatterninit */
function processInit(init: URLPatternInit, isPattern: boolean, defaults: string | undefined): Parts {
  const result: Parts = {};
  if (defaults !== undefined) for (const name of names) result[name] = defaults;
  const has = (...list: Name[]) => list.some((name) => init[name] !== undefined);
  let base: URL | null = null;
  const fromBase = (text: string) => (isPattern ? escapePattern(text) : text);
  if (init.baseURL !== undefined) {
    base = URL.parse(init.baseURL);
    if (base === null) throw new TypeError(`The base ${JSON.stringify(init.baseURL)} is no URL`);
    if (!has("protocol")) result.protocol = fromBase(base.protocol.slice(0, -1));
    if (!isPattern && !has("protocol", "hostname", "port", "username")) result.username = base.username;
    if (!isPattern && !has("protocol", "hostname", "port", "username", "password")) result.password = base.password;
    if (!has("protocol", "hostname")) result.hostname = fromBase(base.hostname);
    if (!has("protocol", "hostname", "port")) result.port = base.port;
    if (!has("protocol", "hostname", "port", "pathname")) result.pathname = fromBase(base.pathname);
    if (!has("protocol", "hostname", "port", "pathname", "search")) result.search = fromBase(base.search.slice(1));
    if (!has("protocol", "hostname", "port", "pathname", "search", "hash")) result.hash = fromBase(base.hash.slice(1));
  }
  const canon = (value: string, encode: (text: string) => string) => (isPattern ? value : encode(value));
  if (init.protocol !== undefined) result.protocol = canon(init.protocol.replace(/:$/, ""), canonProtocol);
  if (init.username !== undefined) result.username = canon(init.username, (value) => set("username", value));
  if (init.password !== undefined) result.password = canon(init.password, (value) => set("password", value));
  if (init.hostname !== undefined) result.hostname = canon(init.hostname, canonHostname);
  const protocol = result.protocol ?? "";
  if (init.port !== undefined) result.port = canon(init.port, (value) => canonPort(value, protocol));
  if (init.pathname !== undefined) {
    let path = init.pathname;
    if (base !== null && base.pathname.startsWith("/") && !isAbsolute(path, isPattern)) {
      const from = fromBase(base.pathname);
      path = from.slice(0, from.lastIndexOf("/") + 1) + path;
    }
    result.pathname = canon(path, protocol === "" || Object.hasOwn(specialPorts, protocol) ? canonPathname : canonOpaquePathname);
  }
  if (init.search !== undefined) result.search = canon(init.search.replace(/^\?/, ""), canonSearch);
  if (init.hash !== undefined) result.hash = canon(init.hash.replace(/^#/, ""), canonHash);
  return result;
}

function isAbsolute(path: string, isPattern: boolean): boolean {
  return path.startsWith("/") || (isPattern && (path.startsWith("\\/") || path.startsWith("{/")));
}

type State = Name | "init" | "authority" | "done";
const order: readonly State[] = ["protocol", "authority", "username", "password", "hostname", "port", "pathname", "search", "hash"];

/** https://urlpattern.spec.whatwg.org/#constructor-string-parsing */
class ConstructorParser {
  #input: string;
  #tokens: Token[];
  #result: URLPatternInit = {};
  #start = 0;
  #at = 0;
  #step = 1;
  #depth = 0;
  #brackets = 0;
  #special = false;
  #state: State = "init";

  constructor(input: string) {
    this.#input = input;
    this.#tokens = tokenize(input, true);
  }

  run(): URLPatternInit {
    for (; this.#at < this.#tokens.length; this.#at += this.#step) {
      this.#step = 1;
      const { type } = this.#tokens[this.#at]!;
      if (type === "end") {
        if (this.#state === "init") {
          this.#rewind();
          if (this.#is("#")) this.#change("hash", 1);
          else if (this.#isSearch()) this.#change("search", 1);
          else this.#change("pathname", 0);
          continue;
        }
        if (this.#state === "authority") {
          this.#rewind("hostname");
          continue;
        }
        this.#change("done", 0);
        break;
      }
      if (type === "open") {
        this.#depth++;
        continue;
      }
      if (this.#depth > 0) {
        if (type !== "close") continue;
        this.#depth--;
      }
      this.#advance();
    }
    if (this.#result.hostname !== undefined && this.#result.port === undefined) this.#result.port = "";
    return this.#result;
  }

  #advance(): void {
    switch (this.#state) {
      case "init":
        if (this.#is(":")) this.#rewind("protocol");
        break;
      case "protocol":
        if (!this.#is(":")) break;
        this.#special = matchesSpecial(compile(this.#component(), canonProtocol, plain, false));
        if (this.#is("/", 1) && this.#is("/", 2)) this.#change("authority", 3);
        else this.#change(this.#special ? "authority" : "pathname", 1);
        break;
      case "authority":
        if (this.#is("@")) this.#rewind("username");
        else if (this.#is("/") || this.#isSearch() || this.#is("#")) this.#rewind("hostname");
        break;
      case "username":
        if (this.#is(":")) this.#change("password", 1);
        else if (this.#is("@")) this.#change("hostname", 1);
        break;
      case "password":
        if (this.#is("@")) this.#change("hostname", 1);
        break;
      case "hostname":
        if (this.#is("[")) this.#brackets++;
        else if (this.#is("]")) this.#brackets--;
        else if (this.#is(":") && this.#brackets === 0) this.#change("port", 1);
        else this.#afterHost();
        break;
      case "port":
        this.#afterHost();
        break;
      case "pathname":
        if (this.#isSearch()) this.#change("search", 1);
        else if (this.#is("#")) this.#change("hash", 1);
        break;
      case "search":
        if (this.#is("#")) this.#change("hash", 1);
        break;
    }
  }

  #afterHost(): void {
    if (this.#is("/")) this.#change("pathname", 0);
    else if (this.#isSearch()) this.#change("search", 1);
    else if (this.#is("#")) this.#change("hash", 1);
  }

  #is(value: string, ahead = 0): boolean {
    const token = this.#tokens[this.#at + ahead];
    return token !== undefined && token.value === value && (token.type === "char" || token.type === "escaped-char" || token.type === "invalid-char");
  }

  /** A question mark that is no modifier. */
  #isSearch(): boolean {
    if (this.#is("?")) return true;
    if (this.#tokens[this.#at]!.value !== "?") return false;
    const last = this.#tokens[this.#at - 1];
    return last === undefined || !["name", "regexp", "close", "asterisk"].includes(last.type);
  }

  #component(): string {
    return this.#input.slice(this.#tokens[this.#start]!.index, this.#tokens[this.#at]!.index);
  }

  #rewind(state: State = this.#state): void {
    this.#at = this.#start;
    this.#step = 0;
    this.#state = state;
  }

  #change(next: State, skip: number): void {
    const state = this.#state;
    const result = this.#result;
    if (state !== "init" && state !== "authority" && state !== "done") result[state] = this.#component();
    if (state !== "init" && next !== "done") {
      const from = order.indexOf(state);
      const to = order.indexOf(next);
      if (from < order.indexOf("hostname") && to > order.indexOf("hostname")) result.hostname ??= "";
      if (from < order.indexOf("pathname") && to > order.indexOf("pathname")) result.pathname ??= this.#special ? "/" : "";
      if (from < order.indexOf("search") && to > order.indexOf("search")) result.search ??= "";
    }
    this.#state = next;
    this.#at += skip;
    this.#start = this.#at;
    this.#step = 0;
  }
}

function readInit(value: unknown): URLPatternInit {
  const given = dictionary<URLPatternInit>(value, "URLPattern()'s input");
  const init: URLPatternInit = {};
  for (const name of ["baseURL", ...names] as const) if (given[name] !== undefined) init[name] = usvString(given[name]);
  return init;
}

export class URLPattern {
  #components: Record<Name, Component>;

  constructor(input: string | URLPatternInit = {}, baseOrOptions: string | URLPatternOptions | undefined = undefined, options: URLPatternOptions | undefined = undefined) {
    const optionsSecond = arguments.length < 3 && typeof baseOrOptions === "object";
    const base = optionsSecond || baseOrOptions === undefined ? undefined : usvString(baseOrOptions);
    const ignoreCase = !!dictionary<URLPatternOptions>(optionsSecond ? baseOrOptions : options, "URLPattern()'s options").ignoreCase;
    let init: URLPatternInit;
    if (typeof input === "object" || typeof input === "function") {
      if (base !== undefined) throw new TypeError("URLPattern() takes a base only beside a string: use baseURL in the object");
      init = readInit(input);
    } else {
      const text = usvString(input);
      init = new ConstructorParser(text).run();
      if (base === undefined && init.protocol === undefined) throw new TypeError(`The pattern ${JSON.stringify(text)} has no protocol: give a base URL, or an object such as { pathname }`);
      if (base !== undefined) init.baseURL = base;
    }
    const given = processInit(init, true, undefined);
    for (const name of names) given[name] ??= "*";
    const all = given as Record<Name, string>;
    if (Object.hasOwn(specialPorts, all.protocol) && all.port === specialPorts[all.protocol]) all.port = "";
    const protocol = compile(all.protocol, canonProtocol, plain, false);
    const isIPv6 = /^(\[|\{\[|\\\[)/.test(all.hostname) && all.hostname.length > 1;
    const special = matchesSpecial(protocol);
    this.#components = {
      protocol,
      username: compile(all.username, (value) => set("username", value), plain, false),
      password: compile(all.password, (value) => set("password", value), plain, false),
      hostname: compile(all.hostname, isIPv6 ? canonIPv6 : canonHostname, hostnameOptions, false),
      port: compile(all.port, (value) => canonPort(value), plain, false),
      pathname: special ? compile(all.pathname, canonPathname, pathnameOptions, ignoreCase) : compile(all.pathname, canonOpaquePathname, plain, ignoreCase),
      search: compile(all.search, canonSearch, plain, ignoreCase),
      hash: compile(all.hash, canonHash, plain, ignoreCase),
    };
  }

  test(input: string | URLPatternInit = {}, base: string | undefined = undefined): boolean {
    return this.#match(input, base) !== null;
  }

  exec(input: string | URLPatternInit = {}, base: string | undefined = undefined): URLPatternResult | null {
    return this.#match(input, base);
  }

  /** https://urlpattern.spec.whatwg.org/#url-pattern-match */
  #match(input: unknown, base: unknown): URLPatternResult | null {
    const components = this.#components;
    const inputs: (string | URLPatternInit)[] = [];
    let parts: Parts;
    if (typeof input === "object" || typeof input === "function") {
      if (base !== undefined) throw new TypeError("A base goes only with a string: use baseURL in the object");
      const init = readInit(input);
      inputs.push(init);
      try {
        parts = processInit(init, false, "");
      } catch {
        return null;
      }
    } else {
      const text = usvString(input);
      inputs.push(text);
      const against = base === undefined ? undefined : usvString(base);
      if (against !== undefined) inputs.push(against);
      const url = URL.parse(text, against);
      if (url === null) return null;
      parts = {
        protocol: url.protocol.slice(0, -1), username: url.username, password: url.password, hostname: url.hostname, port: url.port,
        pathname: url.pathname, search: url.search.slice(1), hash: url.hash.slice(1),
      };
    }
    const result = { inputs } as URLPatternResult;
    for (const name of names) {
      const { regexp, names } = components[name];
      const found = regexp.exec(parts[name]!);
      if (found === null) return null;
      const groups: Record<string, string | undefined> = {};
      for (let i = 0; i < names.length; i++) groups[names[i]!] = found[i + 1];
      result[name] = { input: parts[name]!, groups };
    }
    return result;
  }

  get protocol(): string { return this.#components.protocol.pattern; }
  get username(): string { return this.#components.username.pattern; }
  get password(): string { return this.#components.password.pattern; }
  get hostname(): string { return this.#components.hostname.pattern; }
  get port(): string { return this.#components.port.pattern; }
  get pathname(): string { return this.#components.pathname.pattern; }
  get search(): string { return this.#components.search.pattern; }
  get hash(): string { return this.#components.hash.pattern; }
  get hasRegExpGroups(): boolean { return names.some((name) => this.#components[name].hasRegExp); }
}
defineInterface(URLPattern, "URLPattern");
