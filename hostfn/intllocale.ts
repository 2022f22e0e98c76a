// https://tc39.es/ecma402/#sec-internal-slots and Intl.Locale: language tags, and which of them there is data for.
import { host } from "../polyfill/host.ts";
import { domString } from "../polyfill/webidl.ts";

const expandOp = host.op<{ max: string; min: string }>("intl.expand");

const aliases: Record<string, string> = { iw: "he", in: "id", ji: "yi", jw: "jv", mo: "ro", no: "nb", tl: "fil", sh: "sr-Latn" };

/** https://unicode.org/reports/tr35/#Unicode_locale_identifier, without what "und-x" and the like allow. */
const grammar = /^(?<language>[a-z]{2,3}|[a-z]{5,8})(?:-(?<script>[a-z]{4}))?(?:-(?<region>[a-z]{2}|[0-9]{3}))?(?<variants>(?:-(?:[a-z0-9]{5,8}|[0-9][a-z0-9]{3}))*)(?<extensions>(?:-[a-wyz0-9](?:-[a-z0-9]{2,8})+)*)(?<privates>-x(?:-[a-z0-9]{1,8})+)?$/;

export interface Tag {
  tag: string;
  language: string;
  script: string | undefined;
  region: string | undefined;
  variants: string;
  /** Keywords of the extension u. */
  keywords: Map<string, string>;
  /** The tag without extensions. */
  base: string;
}

function refuse(text: string): RangeError {
  return new RangeError(`Incorrect locale information provided: ${JSON.stringify(text.slice(0, 100))}`);
}

export function parseTag(text: string): Tag {
  const found = grammar.exec(text.toLowerCase());
  if (found === null || text.length > 256) throw refuse(text);
  const { script, region, variants = "", extensions = "", privates = "" } = found.groups!;
  const alias = Object.hasOwn(aliases, found.groups!["language"]!) ? aliases[found.groups!["language"]!]!.split("-") : [found.groups!["language"]!];
  const language = alias[0]!;
  const properScript = script === undefined ? alias[1] : script[0]!.toUpperCase() + script.slice(1);
  const names = variants.split("-").filter((name) => name !== "");
  if (new Set(names).size !== names.length) throw refuse(text);
  const singletons = new Map<string, string>();
  const keywords = new Map<string, string>();
  for (const part of extensions.match(/-[a-z0-9](?:-[a-z0-9]{2,8})+/g) ?? []) {
    if (singletons.has(part[1]!)) throw refuse(text);
    let value = part;
    if (part[1] === "u") {
      const attributes = /^-u((?:-[a-z0-9]{3,8})*)/.exec(part)![1]!;
      for (const pair of part.slice(2 + attributes.length).match(/-[a-z0-9][a-z](?:-[a-z0-9]{3,8})*/g) ?? []) {
        if (!keywords.has(pair.slice(1, 3))) keywords.set(pair.slice(1, 3), pair.slice(4).replace(/^true$/, ""));
      }
      value = `-u${attributes}${[...keywords].sort().map(([k, v]) => `-${k}${v === "" ? "" : `-${v}`}`).join("")}`;
    }
    singletons.set(part[1]!, value);
  }
  const base = [language, properScript, region?.toUpperCase(), ...names.sort()].filter((part) => part !== undefined).join("-");
  const tag = base + [...singletons].sort().map(([, value]) => value).join("") + privates;
  return { tag, language, script: properScript, region: region?.toUpperCase(), variants: names.join("-"), keywords, base };
}

/** https://tc39.es/ecma402/#sec-canonicalizelocalelist */
export function canonicalList(locales: unknown): Tag[] {
  if (locales === undefined) return [];
  const out = new Map<string, Tag>();
  const list: unknown[] = typeof locales === "string" || locales instanceof Locale ? [locales] : Array.from(Object(locales) as ArrayLike<unknown>);
  if (locales === null) throw new TypeError("The locales are null");
  for (const item of list) {
    if (typeof item !== "string" && (typeof item !== "object" || item === null)) throw new TypeError("A locale must be a string or an Intl.Locale");
    const tag = parseTag(item instanceof Locale ? item.toString() : domString(item));
    if (!out.has(tag.tag)) out.set(tag.tag, tag);
  }
  return [...out.values()];
}

/** The name under which there is data for a tag, by leaving out parts from its end. */
export function lookup(tag: Tag, has: (name: string) => boolean): string | undefined {
  for (let name = tag.base; name !== ""; name = name.slice(0, Math.max(name.lastIndexOf("-"), 0))) if (has(name)) return name;
  return undefined;
}

/**
 * The first locale with data, "en-US" if none is asked for. Unlike in the standard, which then takes the default, a list
 * without one is an error: the output would be in another language than the caller believes.
 */
export function resolve(locales: unknown, service: string, has: (name: string) => boolean, which: string): { locale: string; data: string; tag: Tag } {
  const list = canonicalList(locales);
  if (list.length === 0) return { locale: "en-US", data: has("en-US") ? "en-US" : "en", tag: parseTag("en-US") };
  for (const tag of list) {
    const data = lookup(tag, has);
    if (data !== undefined) return { locale: tag.language === "en" && tag.region !== undefined ? `en-${tag.region}` : data === tag.language && tag.region !== undefined ? `${tag.language}-${tag.region}` : data, data, tag };
  }
  throw new TypeError(`Intl.${service} has no data for ${list.map((tag) => tag.tag).join(", ")}: agentrt has ${which}`);
}

export function supported(locales: unknown, has: (name: string) => boolean): string[] {
  return canonicalList(locales).filter((tag) => lookup(tag, has) !== undefined).map((tag) => tag.tag);
}

/** An option that is one of a few strings. */
export function choice<T extends string>(options: Record<string, unknown>, name: string, values: readonly T[], otherwise: T): T {
  const value = options[name];
  if (value === undefined) return otherwise;
  const text = String(value) as T;
  if (!values.includes(text)) throw new RangeError(`Value ${text} out of range for Intl options property ${name}`);
  return text;
}

/** What the standard has and this does not. */
export function missing(service: string, what: string): TypeError {
  return new TypeError(`Intl.${service} has no ${what} in agentrt`);
}

export interface LocaleOptions {
  language?: string;
  script?: string;
  region?: string;
  calendar?: string;
  collation?: string;
  hourCycle?: string;
  caseFirst?: string;
  numeric?: boolean;
  numberingSystem?: string;
}

const keys = { calendar: "ca", collation: "co", hourCycle: "hc", caseFirst: "kf", numberingSystem: "nu" } as const;

/** https://tc39.es/ecma402/#locale-objects */
export class Locale {
  #tag: Tag;
  constructor(tag: string | Locale, options: LocaleOptions | undefined = undefined) {
    if (typeof tag !== "string" && (typeof tag !== "object" || tag === null)) throw new TypeError("Intl.Locale() takes a string or an Intl.Locale");
    const parsed = parseTag(String(tag));
    const given = options === undefined ? {} : Object(options) as LocaleOptions;
    const keywords = new Map(parsed.keywords);
    for (const name of Object.keys(keys) as (keyof typeof keys)[]) if (given[name] !== undefined) keywords.set(keys[name], String(given[name]).toLowerCase());
    if (given.numeric !== undefined) keywords.set("kn", given.numeric ? "" : "false");
    const base = [given.language ?? parsed.language, given.script ?? parsed.script, given.region ?? parsed.region, parsed.variants === "" ? undefined : parsed.variants].filter((part) => part !== undefined).join("-");
    const rest = parsed.tag.slice(parsed.base.length).replace(/-u(?:-[a-z0-9]{2,8})+/, "");
    const extension = [...keywords].map(([k, v]) => `-${k}${v === "" ? "" : `-${v}`}`).join("");
    this.#tag = parseTag(base + (extension === "" ? "" : `-u${extension}`) + rest);
  }
  get baseName(): string { return this.#tag.base; }
  get language(): string { return this.#tag.language; }
  get script(): string | undefined { return this.#tag.script; }
  get region(): string | undefined { return this.#tag.region; }
  get calendar(): string | undefined { return this.#tag.keywords.get("ca"); }
  get collation(): string | undefined { return this.#tag.keywords.get("co"); }
  get hourCycle(): string | undefined { return this.#tag.keywords.get("hc"); }
  get caseFirst(): string | undefined { return this.#tag.keywords.get("kf"); }
  get numberingSystem(): string | undefined { return this.#tag.keywords.get("nu"); }
  get numeric(): boolean { const value = this.#tag.keywords.get("kn"); return value !== undefined && value !== "false"; }
  maximize(): Locale { return this.#expand("max"); }
  minimize(): Locale { return this.#expand("min"); }
  toString(): string { return this.#tag.tag; }
  #expand(which: "max" | "min"): Locale {
    const { base, tag } = this.#tag;
    return new Locale(expandOp(base)[which] + tag.slice(base.length));
  }
}
defineService(Locale, "Locale");

/** Gives a class the shape that ECMA-402 asks for: members are not enumerable. */
export function defineService(service: abstract new (...args: never) => object, name: string): void {
  Object.defineProperty(service, "name", { value: name, configurable: true });
  Object.defineProperty(service.prototype, Symbol.toStringTag, { value: `Intl.${name}`, configurable: true });
}
