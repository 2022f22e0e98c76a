// https://tc39.es/ecma402/#numberformat-objects: decimals, percent, currencies; compact in English.
import { currencyDigits, narrowSymbols, numberData, type NumberData } from "./intldata.ts";
import { choice, defineService, missing, resolve, supported } from "./intllocale.ts";

export interface NumberPart {
  type: string;
  value: string;
}

const has = (name: string) => Object.hasOwn(numberData, name);
const which = `${Object.keys(numberData).filter((name) => !name.startsWith("en-")).join(", ")}`;

/** Digits of an absolute value. */
interface Digits {
  whole: string;
  fraction: string;
}

function plain(text: string): Digits {
  const [mantissa, exponent = "0"] = text.split("e") as [string, string?];
  const [whole, fraction = ""] = mantissa.split(".") as [string, string?];
  const shift = Number(exponent);
  if (shift === 0) return { whole, fraction };
  const all = whole + fraction;
  const at = whole.length + shift;
  if (at <= 0) return { whole: "0", fraction: "0".repeat(-at) + all };
  return { whole: all.slice(0, at).padEnd(at, "0"), fraction: all.slice(at) };
}

/** Rounds decimal digits half away from zero. */
function roundDigits({ whole, fraction }: Digits, most: number): Digits {
  if (fraction.length <= most) return { whole, fraction };
  const up = fraction.charCodeAt(most) >= 53;
  const kept = BigInt(whole + fraction.slice(0, most)) + (up ? 1n : 0n);
  const text = String(kept).padStart(most + 1, "0");
  return { whole: text.slice(0, text.length - most), fraction: most === 0 ? "" : text.slice(-most) };
}

function roundSignificant({ whole, fraction }: Digits, most: number): Digits {
  const lead = /^0*/.exec(whole + fraction)![0].length;
  const place = whole.length - lead - most; // of the last digit that is kept, counted from the ones
  if (place <= 0) return roundDigits({ whole, fraction }, -place);
  const cut = roundDigits({ whole: whole.slice(0, whole.length - place) || "0", fraction: whole.slice(-place) + fraction }, 0);
  return { whole: cut.whole + "0".repeat(place), fraction: "" };
}

function digitOption(value: unknown, least: number, most: number, name: string): number | undefined {
  if (value === undefined) return undefined;
  const n = Math.floor(Number(value));
  if (!(n >= least && n <= most)) throw new RangeError(`${name} value is out of range.`);
  return n;
}

export interface DigitOptions {
  minimumIntegerDigits: number;
  minimumFractionDigits: number;
  maximumFractionDigits: number;
  minimumSignificantDigits: number | undefined;
  maximumSignificantDigits: number | undefined;
}

/** https://tc39.es/ecma402/#sec-setnfdigitoptions */
export function readDigits(options: Record<string, unknown>, least: number, most: number, service: string): DigitOptions & { given: boolean } {
  const minimumIntegerDigits = digitOption(options["minimumIntegerDigits"], 1, 21, "minimumIntegerDigits") ?? 1;
  let minimum = digitOption(options["minimumFractionDigits"], 0, 100, "minimumFractionDigits");
  let maximum = digitOption(options["maximumFractionDigits"], 0, 100, "maximumFractionDigits");
  let minimumSignificantDigits = digitOption(options["minimumSignificantDigits"], 1, 21, "minimumSignificantDigits");
  let maximumSignificantDigits = digitOption(options["maximumSignificantDigits"], minimumSignificantDigits ?? 1, 21, "maximumSignificantDigits");
  for (const name of ["roundingIncrement", "roundingMode", "roundingPriority", "trailingZeroDisplay"]) {
    const usual = { roundingIncrement: 1, roundingMode: "halfExpand", roundingPriority: "auto", trailingZeroDisplay: "auto" }[name];
    if (options[name] !== undefined && options[name] !== usual) throw missing(service, `${name} but ${String(usual)}`);
  }
  const given = minimum !== undefined || maximum !== undefined || minimumSignificantDigits !== undefined || maximumSignificantDigits !== undefined;
  if (minimumSignificantDigits !== undefined || maximumSignificantDigits !== undefined) {
    minimumSignificantDigits ??= 1;
    maximumSignificantDigits ??= 21;
  }
  if (minimum !== undefined && maximum !== undefined && minimum > maximum) throw new RangeError("maximumFractionDigits value is out of range.");
  minimum ??= Math.min(least, maximum ?? least);
  maximum ??= Math.max(most, minimum);
  return { minimumIntegerDigits, minimumFractionDigits: minimum, maximumFractionDigits: maximum, minimumSignificantDigits, maximumSignificantDigits, given };
}

/** The digits of |x| under the options. */
export function digitsOf(x: number | bigint | string, options: DigitOptions): Digits {
  const { maximumSignificantDigits: most, minimumSignificantDigits: least } = options;
  // The shortest decimal form of a number is what is rounded, as in other engines.
  const exact = plain(String(x));
  let out: Digits;
  if (most !== undefined) {
    out = roundSignificant(exact, most);
    let { fraction } = out;
    const zero = !/[1-9]/.test(out.whole + fraction);
    const digits = (text: string) => (zero ? text.length - out.whole.length + 1 : text.replace(/^0+/, "").length);
    while (fraction.endsWith("0") && digits(out.whole + fraction) > least!) fraction = fraction.slice(0, -1);
    while (digits(out.whole + fraction) < least!) fraction += "0";
    out = { whole: out.whole, fraction };
  } else {
    const { maximumFractionDigits, minimumFractionDigits } = options;
    out = roundDigits(exact, maximumFractionDigits);
    let { fraction } = out;
    while (fraction.length > minimumFractionDigits && fraction.endsWith("0")) fraction = fraction.slice(0, -1);
    out = { whole: out.whole, fraction: fraction.padEnd(minimumFractionDigits, "0") };
  }
  return { whole: out.whole.padStart(options.minimumIntegerDigits, "0"), fraction: out.fraction };
}

const compactNames = ["", "K", "M", "B", "T"];
const compactLong = ["", " thousand", " million", " billion", " trillion"];

export class NumberFormat {
  #data: NumberData;
  #locale: string;
  #indian: boolean;
  #style: "decimal" | "percent" | "currency";
  #currency: string | undefined;
  #currencyDisplay: "code" | "symbol" | "narrowSymbol";
  #digits: DigitOptions & { given: boolean };
  #notation: "standard" | "compact";
  #compactDisplay: "short" | "long";
  #grouping: "always" | "auto" | "min2" | false;
  #sign: "auto" | "always" | "never" | "exceptZero" | "negative";
  #bound: ((value: number | bigint | string) => string) | undefined;

  constructor(locales: unknown = undefined, options: unknown = undefined) {
    const { locale, data, tag } = resolve(locales, "NumberFormat", has, which);
    const o = (options === undefined ? {} : Object(options)) as Record<string, unknown>;
    const system = o["numberingSystem"] ?? tag.keywords.get("nu");
    if (system !== undefined && system !== "latn") throw missing("NumberFormat", `numbering system ${String(system)}`);
    this.#locale = locale;
    this.#data = numberData[data]!;
    this.#indian = data === "en-IN";
    const style = choice(o, "style", ["decimal", "percent", "currency", "unit"] as const, "decimal");
    if (style === "unit") throw missing("NumberFormat", "units");
    this.#style = style;
    const currency = o["currency"];
    if (currency !== undefined && !/^[A-Za-z]{3}$/.test(String(currency))) throw new RangeError(`Invalid currency code : ${String(currency)}`);
    if (style === "currency" && currency === undefined) throw new TypeError("Currency code is required with currency style.");
    this.#currency = style === "currency" ? String(currency).toUpperCase() : undefined;
    const display = choice(o, "currencyDisplay", ["code", "symbol", "narrowSymbol", "name"] as const, "symbol");
    if (display === "name") throw missing("NumberFormat", "names of currencies");
    this.#currencyDisplay = display;
    if (choice(o, "currencySign", ["standard", "accounting"] as const, "standard") === "accounting") throw missing("NumberFormat", "accounting form");
    const notation = choice(o, "notation", ["standard", "scientific", "engineering", "compact"] as const, "standard");
    if (notation === "scientific" || notation === "engineering") throw missing("NumberFormat", `${notation} notation`);
    if (notation === "compact" && tag.language !== "en") throw missing("NumberFormat", "compact notation but in English");
    this.#notation = notation;
    this.#compactDisplay = choice(o, "compactDisplay", ["short", "long"] as const, "short");
    const money = this.#currency === undefined ? 0 : currencyDigits[this.#currency] ?? 2;
    const usual = notation === "compact" ? [0, 0] : style === "currency" ? [money, money] : style === "percent" ? [0, 0] : [0, 3];
    this.#digits = readDigits(o, usual[0]!, usual[1]!, "NumberFormat");
    const grouping = o["useGrouping"];
    if (grouping === undefined) this.#grouping = notation === "compact" ? "min2" : "auto";
    else if (grouping === true || grouping === "true" || grouping === "false") this.#grouping = grouping === true ? "always" : notation === "compact" ? "min2" : "auto";
    else this.#grouping = !grouping ? false : choice(o, "useGrouping", ["always", "auto", "min2"] as const, "auto");
    this.#sign = choice(o, "signDisplay", ["auto", "never", "always", "exceptZero", "negative"] as const, "auto");
  }

  static supportedLocalesOf(locales: unknown): string[] { return supported(locales, has); }

  /** Bound, so that it can be passed on. */
  get format(): (value: number | bigint | string) => string {
    return (this.#bound ??= (value) => this.#text(value));
  }

  formatToParts(value: number | bigint | string): NumberPart[] { return this.#parts(value); }

  resolvedOptions(): Record<string, unknown> {
    const { minimumIntegerDigits, minimumFractionDigits, maximumFractionDigits, minimumSignificantDigits, maximumSignificantDigits } = this.#digits;
    return {
      locale: this.#locale, numberingSystem: "latn", style: this.#style,
      ...(this.#currency !== undefined && { currency: this.#currency, currencyDisplay: this.#currencyDisplay, currencySign: "standard" }),
      minimumIntegerDigits,
      ...(maximumSignificantDigits === undefined ? { minimumFractionDigits, maximumFractionDigits } : { minimumSignificantDigits, maximumSignificantDigits }),
      useGrouping: this.#grouping, notation: this.#notation, ...(this.#notation === "compact" && { compactDisplay: this.#compactDisplay }), signDisplay: this.#sign,
      roundingIncrement: 1, roundingMode: "halfExpand", roundingPriority: "auto", trailingZeroDisplay: "auto",
    };
  }

  #text(value: unknown): string {
    let text = "";
    for (const part of this.#parts(value)) text += part.value;
    return text;
  }

  #parts(value: unknown): NumberPart[] {
    let x = numeric(value);
    let negative = typeof x === "string" ? x.startsWith("-") : x < 0 || Object.is(x, -0);
    if (typeof x === "string") x = x.replace("-", "");
    else if (negative) x = -x;
    const number: NumberPart[] = [];
    let zero = false;
    if (typeof x === "number" && !Number.isFinite(x)) number.push(x !== x ? { type: "nan", value: "NaN" } : { type: "infinity", value: "∞" });
    else {
      let scale = 0;
      if (this.#style === "percent") x = typeof x === "number" ? Number(`${shifted(x, 2)}`) : typeof x === "bigint" ? x * 100n : shifted(x, 2);
      if (this.#notation === "compact") [x, scale] = this.#compact(Number(x));
      const digits = digitsOf(x, this.#notation === "compact" && !this.#digits.given ? compactDigits(Number(x)) : this.#digits);
      zero = !/[1-9]/.test(digits.whole + digits.fraction);
      this.#group(digits.whole, number);
      if (digits.fraction !== "") number.push({ type: "decimal", value: this.#data.decimal }, { type: "fraction", value: digits.fraction });
      if (scale > 0) {
        const name = (this.#compactDisplay === "long" ? compactLong : compactNames)[scale]!;
        if (name.startsWith(" ")) number.push({ type: "literal", value: " " });
        number.push({ type: "compact", value: name.trim() });
      }
    }
    const nan = number[0]!.type === "nan";
    let sign: "" | "-" | "+" = "";
    if (nan) negative = false;
    switch (this.#sign) {
      case "auto": sign = negative ? "-" : ""; break;
      case "always": sign = negative ? "-" : "+"; break;
      case "exceptZero": sign = zero || nan ? "" : negative ? "-" : "+"; break;
      case "negative": sign = negative && !zero ? "-" : ""; break;
    }
    const mark: NumberPart[] = sign === "" ? [] : [sign === "-" ? { type: "minusSign", value: this.#data.minus } : { type: "plusSign", value: "+" }];
    if (this.#style === "percent") {
      const { percent } = this.#data;
      return [...mark, ...number, ...(percent.length > 1 ? [{ type: "literal", value: percent.slice(0, -1) }] : []), { type: "percentSign", value: "%" }];
    }
    if (this.#style !== "currency") return [...mark, ...number];
    const symbol = this.#symbol();
    const space: NumberPart = { type: "literal", value: "\u00a0" };
    const currency: NumberPart = { type: "currency", value: symbol };
    switch (this.#data.currency) {
      case "after":
        return [...mark, ...number, space, currency];
      case "spaced":
        return this.#locale.startsWith("nl") ? [currency, space, ...mark, ...number] : [...mark, currency, space, ...number];
      default:
        return [...mark, currency, ...(/\p{L}$/u.test(symbol) ? [space] : []), ...number];
    }
  }

  #symbol(): string {
    const code = this.#currency!;
    if (this.#currencyDisplay === "code") return code;
    if (this.#currencyDisplay === "narrowSymbol" && Object.hasOwn(narrowSymbols, code)) return narrowSymbols[code]!;
    const found = new RegExp(`(?:^| )${code} (\\S+)`).exec(this.#data.symbols);
    return found === null ? code : found[1]!.replaceAll("_", "\u00a0");
  }

  #group(whole: string, out: NumberPart[]): void {
    const least = this.#grouping === "always" ? 1 : this.#grouping === "min2" ? 2 : this.#data.least;
    if (this.#grouping === false || whole.length < 3 + least) {
      out.push({ type: "integer", value: whole });
      return;
    }
    const groups: string[] = [];
    let end = whole.length;
    for (let size = 3; end > 0; size = this.#indian ? 2 : 3) {
      groups.unshift(whole.slice(Math.max(end - size, 0), end));
      end -= size;
    }
    groups.forEach((digits, k) => {
      if (k > 0) out.push({ type: "group", value: this.#data.group });
      out.push({ type: "integer", value: digits });
    });
  }

  #compact(x: number): [number, number] {
    let scale = 0;
    while (scale < 4 && x >= 1000) {
      x /= 1000;
      scale++;
    }
    // 999,999 is 1M, not 1000K.
    const rounded = digitsOf(x, this.#digits.given ? this.#digits : compactDigits(x));
    if (scale < 4 && rounded.whole.length > 3) return [x / 1000, scale + 1];
    return [x, scale];
  }
}
defineService(NumberFormat, "NumberFormat");

/** Two significant digits, but whole numbers stay whole. */
function compactDigits(x: number): DigitOptions {
  const fraction = x < 1 ? 2 : x < 10 ? 1 : 0;
  const base = { minimumIntegerDigits: 1, minimumFractionDigits: 0, maximumFractionDigits: fraction, minimumSignificantDigits: undefined, maximumSignificantDigits: undefined };
  return x < 1 && x > 0 ? { ...base, minimumSignificantDigits: 1, maximumSignificantDigits: 2 } : base;
}

/** A number, a BigInt, or a decimal string that a number would not hold. */
function numeric(value: unknown): number | bigint | string {
  if (typeof value === "number" || typeof value === "bigint") return value;
  const primitive = typeof value === "object" && value !== null ? (value as { valueOf(): unknown }).valueOf() : value;
  if (typeof primitive === "bigint") return primitive;
  if (typeof primitive === "string" && /^\s*[-+]?[0-9]{1,400}(\.[0-9]{1,400})?\s*$/.test(primitive)) return primitive.trim().replace("+", "");
  return Number(primitive);
}

/** x times 10 to the power n, on its decimal digits. */
function shifted(x: number | string, n: number): string {
  const { whole, fraction } = plain(String(x));
  const padded = fraction.padEnd(n, "0");
  return `${whole}${padded.slice(0, n)}.${padded.slice(n) || "0"}`;
}
