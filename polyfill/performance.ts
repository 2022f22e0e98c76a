// https://w3c.github.io/hr-time/ and https://w3c.github.io/user-timing/
import { EventTarget } from "./events.ts";
import { announce, setTimeline } from "./performanceobserver.ts";
import { structuredClone } from "./structuredclone.ts";
import { defineInterface, dictionary, domString, required } from "./webidl.ts";

const engine = performance;
const now = engine.now.bind(engine);

/** Marks and measures that are kept; the oldest goes for a new one. */
export const maxEntries = 1_000;

const token = Symbol("Performance");
let entries: PerformanceEntry[] = [];

setTimeline(() => entries);

function keep(entry: PerformanceEntry): void {
  announce(entry);
  if (entries.length >= maxEntries) entries.shift();
  entries.push(entry);
}

export class PerformanceEntry {
  #name: string;
  #entryType: string;
  #startTime: number;
  #duration: number;

  constructor(...members: unknown[]) {
    const [secret, name, entryType, startTime, duration] = members as [unknown, string, string, number, number];
    if (secret !== token) throw new TypeError("Illegal constructor: use performance.mark() or performance.measure()");
    this.#name = name;
    this.#entryType = entryType;
    this.#startTime = startTime;
    this.#duration = duration;
  }

  get name(): string { return this.#name; }
  get entryType(): string { return this.#entryType; }
  get startTime(): number { return this.#startTime; }
  get duration(): number { return this.#duration; }
  toJSON(): object { return { name: this.#name, entryType: this.#entryType, startTime: this.#startTime, duration: this.#duration }; }
}
defineInterface(PerformanceEntry, "PerformanceEntry");

export interface PerformanceMarkOptions {
  detail?: unknown;
  startTime?: number;
}

function detailOf(value: unknown): unknown {
  return value === undefined || value === null ? null : structuredClone(value);
}

export class PerformanceMark extends PerformanceEntry {
  #detail: unknown;
  constructor(name: string, options: PerformanceMarkOptions | undefined = undefined) {
    required(arguments.length, 1, "PerformanceMark()");
    const { detail, startTime } = dictionary<PerformanceMarkOptions>(options, "The mark's options");
    if (startTime !== undefined && !(startTime >= 0)) throw new TypeError("A mark cannot start before the time origin");
    super(token, domString(name), "mark", startTime === undefined ? now() : +startTime, 0);
    this.#detail = detailOf(detail);
  }
  get detail(): unknown { return this.#detail; }
  override toJSON(): object { return { ...super.toJSON(), detail: this.#detail }; }
}
defineInterface(PerformanceMark, "PerformanceMark");

export class PerformanceMeasure extends PerformanceEntry {
  #detail: unknown;
  constructor(...members: unknown[]) {
    const [secret, name, startTime, duration, detail] = members;
    super(secret, name, "measure", startTime, duration);
    this.#detail = detail;
  }
  get detail(): unknown { return this.#detail; }
  override toJSON(): object { return { ...super.toJSON(), detail: this.#detail }; }
}
defineInterface(PerformanceMeasure, "PerformanceMeasure");

export interface PerformanceMeasureOptions {
  detail?: unknown;
  start?: string | number;
  duration?: number;
  end?: string | number;
}

/** The time of a mark, or a number as it is. */
function timeOf(value: string | number): number {
  if (typeof value === "number") {
    if (!(value >= 0)) throw new TypeError("A time cannot lie before the time origin");
    return value;
  }
  const name = domString(value);
  const mark = entries.findLast((entry) => entry.entryType === "mark" && entry.name === name);
  if (mark === undefined) throw new DOMException(`There is no mark "${name}"`, "SyntaxError");
  return mark.startTime;
}

/** The class of the global performance. */
export class Performance extends EventTarget {
  constructor(secret: unknown) {
    if (secret !== token) throw new TypeError("Illegal constructor: use the global performance");
    super();
  }

  now(): number { return now(); }
  get timeOrigin(): number { return engine.timeOrigin; }

  mark(name: string, options: PerformanceMarkOptions | undefined = undefined): PerformanceMark {
    required(arguments.length, 1, "mark()");
    const mark = new PerformanceMark(name, options);
    keep(mark);
    return mark;
  }

  measure(name: string, startOrOptions: string | PerformanceMeasureOptions | undefined = undefined, endMark: string | undefined = undefined): PerformanceMeasure {
    required(arguments.length, 1, "measure()");
    const isOptions = typeof startOrOptions === "object";
    const options: PerformanceMeasureOptions = isOptions ? startOrOptions ?? {} : {};
    const given = isOptions && (options.start !== undefined || options.end !== undefined || options.duration !== undefined || options.detail !== undefined);
    if (given) {
      if (endMark !== undefined) throw new TypeError("measure() takes an end in its options or as an argument, not both");
      if (options.start === undefined && options.end === undefined) throw new TypeError("measure()'s options need a start or an end");
      if (options.start !== undefined && options.end !== undefined && options.duration !== undefined) throw new TypeError("measure()'s options take two of start, end and duration");
    }
    const startGiven = isOptions ? options.start : startOrOptions;
    let end: number;
    if (endMark !== undefined) end = timeOf(endMark);
    else if (options.end !== undefined) end = timeOf(options.end);
    else if (options.start !== undefined && options.duration !== undefined) end = timeOf(options.start) + options.duration;
    else end = now();
    let start = 0;
    if (startGiven !== undefined) start = timeOf(startGiven);
    else if (options.duration !== undefined) start = end - options.duration;
    const measure = new PerformanceMeasure(token, domString(name), start, end - start, detailOf(options.detail));
    keep(measure);
    return measure;
  }

  clearMarks(name: string | undefined = undefined): void { clear("mark", name); }
  clearMeasures(name: string | undefined = undefined): void { clear("measure", name); }

  getEntries(): PerformanceEntry[] { return select(() => true); }
  getEntriesByType(type: string): PerformanceEntry[] {
    required(arguments.length, 1, "getEntriesByType()");
    const wanted = domString(type);
    return select((entry) => entry.entryType === wanted);
  }
  getEntriesByName(name: string, type: string | undefined = undefined): PerformanceEntry[] {
    required(arguments.length, 1, "getEntriesByName()");
    const wanted = domString(name);
    const kind = type === undefined ? undefined : domString(type);
    return select((entry) => entry.name === wanted && (kind === undefined || entry.entryType === kind));
  }

  toJSON(): object { return { timeOrigin: engine.timeOrigin }; }
}
defineInterface(Performance, "Performance");

function clear(type: string, name: string | undefined): void {
  const wanted = name === undefined ? undefined : domString(name);
  entries = entries.filter((entry) => entry.entryType !== type || (wanted !== undefined && entry.name !== wanted));
}

function select(accept: (entry: PerformanceEntry) => boolean): PerformanceEntry[] {
  return entries.filter(accept).sort((a, b) => a.startTime - b.startTime);
}

/** The global performance. */
const instance = new Performance(token);
export { instance as performance };
