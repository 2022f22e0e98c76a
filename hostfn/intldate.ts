// https://tc39.es/ecma402/#datetimeformat-objects for English (US and GB) and any IANA time zone.
import { host } from "../polyfill/host.ts";
import { months, weekdays } from "./intldata.ts";
import { choice, defineService, missing, resolve, supported } from "./intllocale.ts";
import type { NumberPart as Part } from "./intlnumber.ts";

interface ZoneSpan {
  /** East of UTC, in ms. */
  offset: number;
  abbreviation: string;
  /** The span of time, in ms since 1970, in which that holds; absent where it has no end. */
  from?: number;
  until?: number;
}

const zoneOp = host.op<ZoneSpan>("intl.zone");
const now = Date.now;
const getTime = Date.prototype.getTime;
const apply = Reflect.apply;

const has = (name: string) => name === "en" || name === "en-US" || name === "en-GB";
const which = 'en, en-US and en-GB; for dates as numbers, format with "en" and formatToParts()';

/** Spans that were looked up, by zone: at most 64 zones with the last span of each. */
const spans = new Map<string, ZoneSpan>();

function spanAt(zone: string, time: number): ZoneSpan {
  const known = spans.get(zone);
  if (known !== undefined && (known.from === undefined || time >= known.from) && (known.until === undefined || time < known.until)) return known;
  const span = zoneOp({ zone, time });
  if (spans.size >= 64) spans.clear();
  spans.set(zone, span);
  return span;
}

/** The canonical form of a time zone's name. */
function zoneName(value: unknown): string {
  const name = String(value);
  const offset = /^([+-])([01][0-9]|2[0-3])(?::?([0-5][0-9]))?$/.exec(name);
  if (offset !== null) return `${offset[1] === "-" && /[1-9]/.test(name) ? "-" : "+"}${offset[2]}:${offset[3] ?? "00"}`;
  if (/^(utc|gmt|etc\/(utc|gmt|uct|zulu|universal)|uct|zulu|universal)$/i.test(name)) return "UTC";
  // Names are written as the database has them, whatever the caller's case.
  const proper = name.split("/").map((part) => part.toLowerCase().replace(/(^|[_-])([a-z])/g, (_, before: string, c: string) => before + c.toUpperCase()).replace(/_(Of|Es)_/g, (all) => all.toLowerCase()).replace(/-(Au|Prince)(?=-|$)/g, (all) => all.toLowerCase().replace("-prince", "-Prince"))).join("/").replace(/^Us\//, "US/");
  for (const candidate of [name, proper]) {
    try {
      zoneOp({ zone: candidate, time: 0 });
      return candidate;
    } catch {
      // Not that spelling.
    }
  }
  throw new RangeError(`Invalid time zone specified: ${name}`);
}

const fieldNames = ["weekday", "era", "year", "month", "day", "dayPeriod", "hour", "minute", "second", "fractionalSecondDigits", "timeZoneName"] as const;
type Field = (typeof fieldNames)[number];
const styles = ["full", "long", "medium", "short"] as const;
const widths = ["narrow", "short", "long"] as const;
const numbers = ["2-digit", "numeric"] as const;

const values: Record<Exclude<Field, "fractionalSecondDigits">, readonly string[]> = {
  weekday: widths, era: widths, year: numbers, month: [...numbers, ...widths], day: numbers, dayPeriod: widths, hour: numbers, minute: numbers, second: numbers,
  timeZoneName: ["short", "long", "shortOffset", "longOffset", "shortGeneric", "longGeneric"],
};

type Style = (typeof styles)[number];
type Fields = Partial<Record<Exclude<Field, "fractionalSecondDigits">, string>> & { fractionalSecondDigits?: number };

const dateStyles: Record<Style, Fields> = {
  full: { weekday: "long", year: "numeric", month: "long", day: "numeric" },
  long: { year: "numeric", month: "long", day: "numeric" },
  medium: { year: "numeric", month: "short", day: "numeric" },
  short: { year: "2-digit", month: "numeric", day: "numeric" },
};
const timeStyles: Record<Style, Fields> = {
  full: { hour: "numeric", minute: "2-digit", second: "2-digit", timeZoneName: "long" },
  long: { hour: "numeric", minute: "2-digit", second: "2-digit", timeZoneName: "short" },
  medium: { hour: "numeric", minute: "2-digit", second: "2-digit" },
  short: { hour: "numeric", minute: "2-digit" },
};

export type Needs = "date" | "time" | "any";

const pad = (n: number, width = 2) => String(n).padStart(width, "0");

export class DateTimeFormat {
  #locale: string;
  #british: boolean;
  #zone: string;
  #fields: Fields;
  #dateStyle: Style | undefined;
  #timeStyle: Style | undefined;
  #hourCycle: "h11" | "h12" | "h23" | "h24" | undefined;
  #bound: ((date?: Date | number) => string) | undefined;

  constructor(locales: unknown = undefined, options: unknown = undefined, needs: Needs = "any", defaults: "date" | "time" | "all" = "date") {
    const { locale, data, tag } = resolve(locales, "DateTimeFormat", has, which);
    const o = (options === undefined ? {} : Object(options)) as Record<string, unknown>;
    this.#british = data === "en-GB";
    this.#locale = locale;
    if (tag.region !== undefined && tag.region !== "US" && tag.region !== "GB") throw missing("DateTimeFormat", `data for ${tag.base}: there is ${which}`);
    const calendar = o["calendar"] ?? tag.keywords.get("ca");
    if (calendar !== undefined && !/^greg(ory|orian)$/.test(String(calendar))) throw missing("DateTimeFormat", `calendar ${String(calendar)}`);
    const system = o["numberingSystem"] ?? tag.keywords.get("nu");
    if (system !== undefined && system !== "latn") throw missing("DateTimeFormat", `numbering system ${String(system)}`);
    const hour12 = o["hour12"] === undefined ? undefined : !!o["hour12"];
    const cycle = o["hourCycle"] === undefined ? tag.keywords.get("hc") : choice(o, "hourCycle", ["h11", "h12", "h23", "h24"] as const, "h23");
    this.#zone = o["timeZone"] === undefined ? "UTC" : zoneName(o["timeZone"]);
    this.#fields = {};
    for (const name of fieldNames) {
      const value = o[name];
      if (value === undefined) continue;
      if (name === "fractionalSecondDigits") {
        const n = Math.floor(Number(value));
        if (!(n >= 1 && n <= 3)) throw new RangeError("fractionalSecondDigits value is out of range.");
        this.#fields.fractionalSecondDigits = n;
      } else this.#fields[name] = choice(o, name, values[name], "");
    }
    for (const name of ["era", "dayPeriod"] as const) if (this.#fields[name] !== undefined) throw missing("DateTimeFormat", `option ${name}`);
    if (/Generic$/.test(this.#fields.timeZoneName ?? "")) throw missing("DateTimeFormat", "generic names of time zones");
    this.#dateStyle = o["dateStyle"] === undefined ? undefined : choice(o, "dateStyle", styles, "full");
    this.#timeStyle = o["timeStyle"] === undefined ? undefined : choice(o, "timeStyle", styles, "full");
    const any = Object.keys(this.#fields).length > 0;
    if (this.#dateStyle !== undefined || this.#timeStyle !== undefined) {
      if (any) throw new TypeError(`Can't set option ${Object.keys(this.#fields)[0]!} when ${this.#dateStyle !== undefined ? "dateStyle" : "timeStyle"} is used`);
      if (needs === "date" && this.#timeStyle !== undefined) throw new TypeError("Invalid option : timeStyle");
      if (needs === "time" && this.#dateStyle !== undefined) throw new TypeError("Invalid option : dateStyle");
      this.#fields = { ...(this.#dateStyle !== undefined && dateStyles[this.#dateStyle]), ...(this.#timeStyle !== undefined && timeStyles[this.#timeStyle]) };
      if (this.#british && this.#dateStyle === "short") this.#fields = { ...this.#fields, year: "numeric" };
    } else {
      const f = this.#fields;
      const date = f.weekday ?? f.year ?? f.month ?? f.day;
      const time = f.hour ?? f.minute ?? f.second ?? f.fractionalSecondDigits;
      const lacks = needs === "date" ? date === undefined : needs === "time" ? time === undefined : date === undefined && time === undefined;
      if (lacks && defaults !== "time") Object.assign(f, { year: "numeric", month: "numeric", day: "numeric" });
      if (lacks && defaults !== "date") Object.assign(f, { hour: "numeric", minute: "numeric", second: "numeric" });
    }
    if (this.#fields.hour !== undefined) {
      const usual = this.#british ? "h23" : "h12";
      this.#hourCycle = hour12 === true ? "h12" : hour12 === false ? "h23" : (cycle as "h11" | undefined) ?? usual;
    }
  }

  static supportedLocalesOf(locales: unknown): string[] { return supported(locales, has).filter((tag) => /^en(-(US|GB))?(-u-|$)/.test(tag)); }

  /** Bound, so that it can be passed on. */
  get format(): (date?: Date | number) => string {
    // Others, too, write a plain space here for the sake of old parsers, and CLDR's narrow one in the parts.
    return (this.#bound ??= (date) => this.#parts(date).map((part) => part.value).join("").replace("\u202f", " "));
  }

  formatToParts(date: Date | number | undefined = undefined): Part[] { return this.#parts(date); }

  resolvedOptions(): Record<string, unknown> {
    const out: Record<string, unknown> = { locale: this.#locale, calendar: "gregory", numberingSystem: "latn", timeZone: this.#zone };
    if (this.#hourCycle !== undefined) Object.assign(out, { hourCycle: this.#hourCycle, hour12: this.#hourCycle === "h11" || this.#hourCycle === "h12" });
    if (this.#dateStyle !== undefined || this.#timeStyle !== undefined) {
      if (this.#dateStyle !== undefined) out["dateStyle"] = this.#dateStyle;
      if (this.#timeStyle !== undefined) out["timeStyle"] = this.#timeStyle;
      return out;
    }
    for (const name of fieldNames) {
      if (this.#fields[name] === undefined) continue;
      out[name] = name === "minute" || name === "second" ? (this.#fields.hour !== undefined || (name === "second" && this.#fields.minute !== undefined) ? "2-digit" : this.#fields[name]) : this.#fields[name];
    }
    if (this.#hourCycle === "h23" && this.#fields.hour !== undefined) out["hour"] = "2-digit";
    return out;
  }

  #parts(date: unknown): Part[] {
    const time = date === undefined ? now() : typeof date === "object" && date !== null ? Number(apply(getTime, date, [])) : Number(date);
    if (!(Math.abs(time) <= 8.64e15)) throw new RangeError("Invalid time value");
    const offset = /^[+-]/.test(this.#zone) ? (this.#zone[0] === "-" ? -1 : 1) * (Number(this.#zone.slice(1, 3)) * 60 + Number(this.#zone.slice(4))) * 60_000 : 0;
    const span = this.#zone === "UTC" ? { offset: 0, abbreviation: "UTC" } : /^[+-]/.test(this.#zone) ? { offset, abbreviation: "" } : spanAt(this.#zone, time);
    const local = new Date(Math.floor(time) + span.offset);
    const dateParts = this.#date(local);
    const timeParts = this.#time(local);
    const { timeZoneName } = this.#fields;
    if (timeZoneName !== undefined) {
      const name: Part = { type: "timeZoneName", value: this.#zoneText(timeZoneName, span, time) };
      if (timeParts.length > 0) timeParts.push(literal(" "), name);
      else dateParts.push(literal(", "), name);
    }
    if (dateParts.length === 0 || timeParts.length === 0) return [...dateParts, ...timeParts];
    const long = this.#dateStyle !== undefined ? this.#dateStyle === "full" || this.#dateStyle === "long" : this.#fields.month === "long";
    return [...dateParts, literal(long ? " at " : ", "), ...timeParts];
  }

  #date(local: Date): Part[] {
    const f = this.#fields;
    const parts: Part[] = [];
    const y = local.getUTCFullYear();
    const positive = y > 0 ? y : 1 - y;
    const year: Part[] = f.year === undefined ? [] : [{ type: "year", value: f.year === "2-digit" ? pad(positive % 100) : String(positive) }];
    const named = f.month === "long" || f.month === "short" || f.month === "narrow";
    // British numbers have two digits as soon as there are two of them.
    const both = this.#british && !named && f.month !== undefined && (f.day !== undefined || f.year !== undefined);
    const n = local.getUTCMonth();
    const month: Part[] = f.month === undefined ? [] : [{ type: "month", value: named ? monthName(n, f.month!, this.#british) : f.month === "2-digit" || both ? pad(n + 1) : String(n + 1) }];
    const day: Part[] = f.day === undefined ? [] : [{ type: "day", value: f.day === "2-digit" || (both && f.month !== undefined) ? pad(local.getUTCDate()) : String(local.getUTCDate()) }];
    const weekday: Part[] = f.weekday === undefined ? [] : [{ type: "weekday", value: cut(weekdays[local.getUTCDay()]!, f.weekday) }];
    const join = (list: Part[][], separator: string) => list.filter((part) => part.length > 0).forEach((part, k) => {
      if (k > 0) parts.push(literal(separator));
      parts.push(...part);
    });
    if (named) {
      if (this.#british) join([day, month, year], " ");
      else if (day.length > 0 && year.length > 0) parts.push(...month, literal(" "), ...day, literal(", "), ...year);
      else join([month, day, year], " ");
    } else if (month.length === 0 && day.length > 0 && year.length > 0) join([day, year], " ");
    else join(this.#british ? [day, month, year] : [month, day, year], "/");
    if (weekday.length === 0) return parts;
    if (parts.length === 0) return weekday;
    if (month.length === 0 && day.length > 0 && year.length === 0) return [...day, literal(" "), ...weekday];
    if (month.length === 0 || (named && day.length === 0)) throw missing("DateTimeFormat", "pattern for these parts of a date together");
    const comma = !this.#british || !named || year.length > 0;
    return [...weekday, literal(comma ? ", " : " "), ...parts];
  }

  #time(local: Date): Part[] {
    const f = this.#fields;
    const parts: Part[] = [];
    const add = (part: Part, separator: string) => {
      if (parts.length > 0) parts.push(literal(separator));
      parts.push(part);
    };
    const h = local.getUTCHours();
    const half = this.#hourCycle === "h12" || this.#hourCycle === "h11";
    if (f.hour !== undefined) {
      const hour = this.#hourCycle === "h12" ? (h + 11) % 12 + 1 : this.#hourCycle === "h11" ? h % 12 : this.#hourCycle === "h24" && h === 0 ? 24 : h;
      add({ type: "hour", value: f.hour === "2-digit" || !half ? pad(hour) : String(hour) }, "");
    }
    if (f.minute !== undefined) add({ type: "minute", value: f.hour !== undefined || f.second !== undefined ? pad(local.getUTCMinutes()) : String(local.getUTCMinutes()) }, ":");
    if (f.second !== undefined) add({ type: "second", value: f.minute !== undefined ? pad(local.getUTCSeconds()) : String(local.getUTCSeconds()) }, ":");
    if (f.fractionalSecondDigits !== undefined) add({ type: "fractionalSecond", value: pad(local.getUTCMilliseconds(), 3).slice(0, f.fractionalSecondDigits) }, ".");
    if (f.hour !== undefined && half) parts.push(literal("\u202f"), { type: "dayPeriod", value: (h < 12 ? "AM" : "PM")[this.#british ? "toLowerCase" : "toString"]() });
    return parts;
  }

  #zoneText(style: string, span: ZoneSpan, time: number): string {
    const minutes = Math.round(span.offset / 60_000);
    const sign = minutes < 0 ? "-" : "+";
    const hours = Math.floor(Math.abs(minutes) / 60);
    const rest = Math.abs(minutes) % 60;
    const short = minutes === 0 ? "GMT" : `GMT${sign}${hours}${rest === 0 ? "" : `:${pad(rest)}`}`;
    switch (style) {
      case "shortOffset":
        return minutes === 0 ? "GMT+0" : short;
      case "longOffset":
        return `GMT${sign}${pad(hours)}:${pad(rest)}`;
      case "long":
        if (this.#zone === "UTC") return "Coordinated Universal Time";
        throw missing("DateTimeFormat", "long names of time zones but UTC: use timeZoneName short, shortOffset or longOffset");
    }
    if (this.#zone === "UTC") return "UTC";
    const spoken = this.#british ? this.#zone.startsWith("Europe/") && /^(GMT|BST|CES?T|EES?T|WES?T)$/ : /^(America|US)\//.test(this.#zone) && /^([ECMP][SD]T|AK[SD]T)$/;
    // CLDR names zones from 1970 on.
    return time >= 0 && spoken && spoken.test(span.abbreviation) ? span.abbreviation : short;
  }
}
defineService(DateTimeFormat, "DateTimeFormat");
Object.defineProperty(DateTimeFormat, "length", { value: 0, configurable: true });

function literal(value: string): Part {
  return { type: "literal", value };
}

function cut(name: string, width: string): string {
  return width === "narrow" ? name[0]! : width === "short" ? name.slice(0, 3) : name;
}

function monthName(n: number, width: string, british: boolean): string {
  return british && width === "short" && n === 8 ? "Sept" : cut(months[n]!, width);
}
