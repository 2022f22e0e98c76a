// https://tc39.es/ecma402/: the global Intl, and the methods of other built-ins that take locales. What is not here (Segmenter,
// DurationFormat, supportedValuesOf, ranges) is absent, and what the services lack throws a TypeError that names it.
import { host } from "../polyfill/host.ts";
import { listData } from "./intldata.ts";
import { DateTimeFormat, type Needs } from "./intldate.ts";
import { Locale, canonicalList, choice, defineService, missing, parseTag, resolve, supported, type Tag } from "./intllocale.ts";
import { NumberFormat, digitsOf, readDigits, type DigitOptions, type NumberPart } from "./intlnumber.ts";

const compareOp = host.op<number>("intl.compare");
const pluralOp = host.op<string>("intl.plural");
const categoriesOp = host.op<string[]>("intl.categories");
const displayOp = host.op<string | null>("intl.display");
const knownOp = host.op<boolean>("intl.known");

const apply = Reflect.apply;

/** Whether golang.org/x/text has data for a service in a language. */
const known: Record<string, boolean> = {};
function hasData(service: "collate" | "plural" | "display"): (name: string) => boolean {
  return (name) => (known[`${service} ${name}`] ??= knownOp({ service, tag: name }));
}
const languages = "the languages of CLDR, by their usual tags";

function object(options: unknown): Record<string, unknown> {
  return options === undefined ? {} : Object(options) as Record<string, unknown>;
}

/** https://tc39.es/ecma402/#collator-objects */
export class Collator {
  #tag: string;
  #options: { sensitivity: string; numeric: boolean; ignorePunctuation: boolean };
  #usage: string;
  #bound: ((a: string, b: string) => number) | undefined;

  constructor(locales: unknown = undefined, options: unknown = undefined) {
    const { locale, tag } = resolve(locales, "Collator", hasData("collate"), languages);
    const o = object(options);
    this.#usage = choice(o, "usage", ["sort", "search"] as const, "sort");
    if (this.#usage === "search") throw missing("Collator", "usage search");
    if (choice(o, "caseFirst", ["upper", "lower", "false"] as const, "false") !== "false") throw missing("Collator", "caseFirst");
    const collation = o["collation"] ?? tag.keywords.get("co");
    if (collation !== undefined && collation !== "default" && collation !== "standard") throw missing("Collator", `collation ${String(collation)}`);
    const numeric = o["numeric"] === undefined ? tag.keywords.has("kn") && tag.keywords.get("kn") !== "false" : !!o["numeric"];
    this.#tag = locale;
    this.#options = { sensitivity: choice(o, "sensitivity", ["base", "accent", "case", "variant"] as const, "variant"), numeric, ignorePunctuation: !!o["ignorePunctuation"] };
    if (this.#options.sensitivity === "case") throw missing("Collator", "sensitivity case");
    if (this.#options.ignorePunctuation) throw missing("Collator", "ignorePunctuation");
  }
  static supportedLocalesOf(locales: unknown): string[] { return supported(locales, hasData("collate")); }
  get compare(): (a: string, b: string) => number {
    return (this.#bound ??= (a, b) => {
      const x = String(a);
      const y = String(b);
      return x === y ? 0 : compareOp({ tag: this.#tag, ...this.#options, a: x.toWellFormed(), b: y.toWellFormed() });
    });
  }
  resolvedOptions(): Record<string, unknown> {
    return { locale: this.#tag, usage: this.#usage, ...this.#options, collation: "default", caseFirst: "false" };
  }
}
defineService(Collator, "Collator");

/** https://tc39.es/ecma402/#pluralrules-objects */
export class PluralRules {
  #locale: string;
  #type: "cardinal" | "ordinal";
  #digits: DigitOptions;
  constructor(locales: unknown = undefined, options: unknown = undefined) {
    const { locale } = resolve(locales, "PluralRules", hasData("plural"), languages);
    const o = object(options);
    this.#locale = locale;
    this.#type = choice(o, "type", ["cardinal", "ordinal"] as const, "cardinal");
    this.#digits = readDigits(o, 0, 3, "PluralRules");
  }
  static supportedLocalesOf(locales: unknown): string[] { return supported(locales, hasData("plural")); }
  select(value: number): string {
    const x = Math.abs(Number(value));
    if (!Number.isFinite(x)) return "other";
    const { whole, fraction } = digitsOf(x, this.#digits);
    return pluralOp({ tag: this.#locale, ordinal: this.#type === "ordinal", whole, fraction });
  }
  resolvedOptions(): Record<string, unknown> {
    const { minimumIntegerDigits, minimumFractionDigits, maximumFractionDigits } = this.#digits;
    return { locale: this.#locale, type: this.#type, minimumIntegerDigits, minimumFractionDigits, maximumFractionDigits, pluralCategories: categoriesOp({ tag: this.#locale, ordinal: this.#type === "ordinal" }) };
  }
}
defineService(PluralRules, "PluralRules");

/** https://tc39.es/ecma402/#listformat-objects */
export class ListFormat {
  #locale: string;
  #data: string;
  #type: "conjunction" | "disjunction" | "unit";
  #style: "long" | "short" | "narrow";
  constructor(locales: unknown = undefined, options: unknown = undefined) {
    const { locale, data } = resolve(locales, "ListFormat", (name) => Object.hasOwn(listData, name), Object.keys(listData).join(", "));
    const o = object(options);
    this.#locale = locale;
    this.#data = data === "en-US" ? "en" : data;
    this.#type = choice(o, "type", ["conjunction", "disjunction", "unit"] as const, "conjunction");
    this.#style = choice(o, "style", ["long", "short", "narrow"] as const, "long");
    if (this.#type === "unit") throw missing("ListFormat", "type unit");
    if (this.#style !== "long") throw missing("ListFormat", `style ${this.#style}`);
  }
  static supportedLocalesOf(locales: unknown): string[] { return supported(locales, (name) => Object.hasOwn(listData, name)); }
  format(list: Iterable<string>): string { return this.formatToParts(list).map((part) => part.value).join(""); }
  formatToParts(list: Iterable<string>): NumberPart[] {
    const items = [...list];
    for (const item of items) if (typeof item !== "string") throw new TypeError("ListFormat takes a sequence of strings");
    const [last, pair] = listData[this.#data]![this.#type as "conjunction"];
    const out: NumberPart[] = [];
    items.forEach((value, k) => {
      if (k > 0) out.push({ type: "literal", value: items.length === 2 ? pair : k === items.length - 1 ? last : ", " });
      out.push({ type: "element", value });
    });
    return out;
  }
  resolvedOptions(): Record<string, unknown> { return { locale: this.#locale, type: this.#type, style: this.#style }; }
}
defineService(ListFormat, "ListFormat");

const units = ["second", "minute", "hour", "day", "week", "month", "quarter", "year"] as const;
const spoken: Record<string, [string, string, string]> = {
  day: ["yesterday", "today", "tomorrow"], year: ["last year", "this year", "next year"], quarter: ["last quarter", "this quarter", "next quarter"],
  month: ["last month", "this month", "next month"], week: ["last week", "this week", "next week"], hour: ["", "this hour", ""], minute: ["", "this minute", ""], second: ["", "now", ""],
};

/** https://tc39.es/ecma402/#relativetimeformat-objects, in English. */
export class RelativeTimeFormat {
  #locale: string;
  #numeric: "always" | "auto";
  #numbers: NumberFormat;
  constructor(locales: unknown = undefined, options: unknown = undefined) {
    const { locale } = resolve(locales, "RelativeTimeFormat", (name) => name === "en", "en");
    const o = object(options);
    this.#locale = locale;
    this.#numeric = choice(o, "numeric", ["always", "auto"] as const, "always");
    const style = choice(o, "style", ["long", "short", "narrow"] as const, "long");
    if (style !== "long") throw missing("RelativeTimeFormat", `style ${style}`);
    this.#numbers = new NumberFormat("en");
  }
  static supportedLocalesOf(locales: unknown): string[] { return supported(locales, (name) => name === "en"); }
  format(value: number, unit: string): string { return this.#parts(value, unit).map((part) => part.value).join(""); }
  formatToParts(value: number, unit: string): (NumberPart & { unit?: string })[] { return this.#parts(value, unit); }
  #parts(value: unknown, name: unknown): (NumberPart & { unit?: string })[] {
    const n = Number(value);
    const unit = String(name).replace(/s$/, "");
    if (!(units as readonly string[]).includes(unit)) throw new RangeError(`Invalid unit argument for format() '${String(name)}'`);
    if (!Number.isFinite(n)) throw new RangeError("The value of a relative time must be finite");
    const word = Object.is(n, -0) || n === 0 ? spoken[unit]![1] : n === -1 ? spoken[unit]![0] : n === 1 ? spoken[unit]![2] : "";
    if (this.#numeric === "auto" && word !== "") return [{ type: "literal", value: word }];
    const past = n < 0 || Object.is(n, -0);
    const number = this.#numbers.formatToParts(Math.abs(n)).map((part) => ({ ...part, unit }));
    const text = ` ${unit}${number.length === 1 && number[0]!.value === "1" ? "" : "s"}`;
    return past ? [...number, { type: "literal", value: `${text} ago` }] : [{ type: "literal", value: "in " }, ...number, { type: "literal", value: text }];
  }
  resolvedOptions(): Record<string, unknown> { return { locale: this.#locale, style: "long", numeric: this.#numeric, numberingSystem: "latn" }; }
}
defineService(RelativeTimeFormat, "RelativeTimeFormat");

/** https://tc39.es/ecma402/#intl-displaynames-objects, for languages, regions and scripts. */
export class DisplayNames {
  #locale: string;
  #type: "language" | "region" | "script";
  #fallback: "code" | "none";
  constructor(locales: unknown, options: unknown) {
    if (options === undefined) throw new TypeError("Intl.DisplayNames() needs options with a type");
    const { locale } = resolve(locales, "DisplayNames", hasData("display"), languages);
    const o = object(options);
    this.#locale = locale;
    if (o["type"] === undefined) throw new TypeError("Intl.DisplayNames()'s options need a type");
    const type = choice(o, "type", ["language", "region", "script", "currency", "calendar", "dateTimeField"] as const, "language");
    if (type !== "language" && type !== "region" && type !== "script") throw missing("DisplayNames", `type ${type}`);
    if (choice(o, "style", ["long", "short", "narrow"] as const, "long") !== "long") throw missing("DisplayNames", "styles but long");
    if (choice(o, "languageDisplay", ["dialect", "standard"] as const, "dialect") !== "dialect") throw missing("DisplayNames", "languageDisplay standard");
    this.#type = type;
    this.#fallback = choice(o, "fallback", ["code", "none"] as const, "code");
  }
  static supportedLocalesOf(locales: unknown): string[] { return supported(locales, hasData("display")); }
  of(code: string): string | undefined {
    const text = String(code);
    const grammar = { language: /^/, region: /^([A-Za-z]{2}|[0-9]{3})$/, script: /^[A-Za-z]{4}$/ }[this.#type];
    if (!grammar.test(text)) throw new RangeError(`Invalid argument to Intl.DisplayNames.prototype.of: ${JSON.stringify(text)}`);
    const proper = this.#type === "language" ? parseTag(text).tag : this.#type === "region" ? text.toUpperCase() : text[0]!.toUpperCase() + text.slice(1).toLowerCase();
    return displayOp({ tag: this.#locale, type: this.#type, code: proper }) ?? (this.#fallback === "code" ? proper : undefined);
  }
  resolvedOptions(): Record<string, unknown> { return { locale: this.#locale, style: "long", type: this.#type, fallback: this.#fallback, ...(this.#type === "language" && { languageDisplay: "dialect" }) }; }
}
defineService(DisplayNames, "DisplayNames");

function getCanonicalLocales(locales: unknown = undefined): string[] { return canonicalList(locales).map((tag: Tag) => tag.tag); }

/** Collator, DateTimeFormat and NumberFormat work without new. */
function callable<T extends new (...args: any[]) => object>(service: T): T {
  return new Proxy(service, { apply: (target, _, args) => new target(...args) });
}

export const Intl: object = {};
const members = { Collator: callable(Collator), DateTimeFormat: callable(DateTimeFormat), DisplayNames, ListFormat, Locale, NumberFormat: callable(NumberFormat), PluralRules, RelativeTimeFormat, getCanonicalLocales };
for (const [name, value] of Object.entries(members)) {
  Object.defineProperty(Intl, name, { value, writable: true, configurable: true });
  if ("prototype" in value && value.prototype !== undefined) Object.defineProperty(value.prototype, "constructor", { value, writable: true, configurable: true });
}
Object.defineProperty(Intl, Symbol.toStringTag, { value: "Intl", configurable: true });

let numbers: NumberFormat | undefined;
let collator: Collator | undefined;
const { valueOf: numberOf } = Number.prototype;
const { valueOf: bigIntOf } = BigInt.prototype;
const { getTime } = Date.prototype;

/** Replaces the methods of other built-ins that take locales. */
export function installLocaleMethods(): void {
  const replace = (prototype: object, methods: Record<string, (...args: any[]) => unknown>) => {
    for (const [name, value] of Object.entries(methods)) {
      Object.defineProperty(value, "length", { value: name === "localeCompare" ? 1 : 0, configurable: true });
      Object.defineProperty(prototype, name, { value, writable: true, configurable: true });
    }
  };
  const format = (value: number | bigint, locales: unknown, options: unknown) =>
    (locales === undefined && options === undefined ? (numbers ??= new NumberFormat()) : new NumberFormat(locales, options)).format(value);
  replace(Number.prototype, { toLocaleString(this: number, locales: unknown, options: unknown) { return format(apply(numberOf, this, []), locales, options); } });
  replace(BigInt.prototype, { toLocaleString(this: bigint, locales: unknown, options: unknown) { return format(apply(bigIntOf, this, []), locales, options); } });
  const date = (self: Date, locales: unknown, options: unknown, needs: Needs, defaults: "date" | "time" | "all") => {
    const time = apply(getTime, self, []) as number;
    return time !== time ? "Invalid Date" : new DateTimeFormat(locales, options, needs, defaults).format(time);
  };
  replace(Date.prototype, {
    toLocaleString(this: Date, locales: unknown, options: unknown) { return date(this, locales, options, "any", "all"); },
    toLocaleDateString(this: Date, locales: unknown, options: unknown) { return date(this, locales, options, "date", "date"); },
    toLocaleTimeString(this: Date, locales: unknown, options: unknown) { return date(this, locales, options, "time", "time"); },
  });
  replace(String.prototype, {
    localeCompare(this: string, that: unknown, locales: unknown, options: unknown) {
      if (this === null || this === undefined) throw new TypeError("String.prototype.localeCompare called on null or undefined");
      return (locales === undefined && options === undefined ? (collator ??= new Collator()) : new Collator(locales, options)).compare(String(this), String(that));
    },
  });
}
