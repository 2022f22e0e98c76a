// https://w3c.github.io/performance-timeline/#the-performanceobserver-interface, for marks and measures.
import { reportError } from "./reporterror.ts";
import { defineInterface, dictionary, domString, required } from "./webidl.ts";

/** What this file needs of an entry. */
export interface Entry {
  readonly name: string;
  readonly entryType: string;
  readonly startTime: number;
}

export interface PerformanceObserverInit {
  entryTypes?: Iterable<string>;
  type?: string;
  buffered?: boolean;
}

type Callback = (this: PerformanceObserver, list: PerformanceObserverEntryList, observer: PerformanceObserver, options: { droppedEntriesCount?: number }) => unknown;

const apply = Reflect.apply;
const startTimer = setTimeout;
const supported = Object.freeze(["mark", "measure"]);
const key = Symbol("PerformanceObserverEntryList");

/** Entries that wait for one observer; further ones are dropped and counted. */
export const maxWaiting = 1_000;

let timeline: () => readonly Entry[] = () => [];
const observers = new Set<PerformanceObserver>();
let scheduled = false;
let queue: (observer: PerformanceObserver, entry: Entry) => void;
let deliver: (observer: PerformanceObserver) => void;

/** Lets observers see what was recorded before them. */
export function setTimeline(entries: () => readonly Entry[]): void {
  timeline = entries;
}

/** https://w3c.github.io/performance-timeline/#queue-a-performanceentry */
export function announce(entry: Entry): void {
  for (const observer of observers) queue(observer, entry);
}

function schedule(): void {
  if (scheduled) return;
  scheduled = true;
  startTimer(() => {
    scheduled = false;
    for (const observer of [...observers]) deliver(observer);
  }, 0);
}

export class PerformanceObserver {
  #callback: Callback;
  #types = new Set<string>();
  #mode: "multiple" | "single" | undefined;
  #waiting: Entry[] = [];
  #dropped = 0;
  #first = true;

  constructor(callback: Callback) {
    required(arguments.length, 1, "PerformanceObserver()");
    if (typeof callback !== "function") throw new TypeError("PerformanceObserver()'s callback is not a function");
    this.#callback = callback;
  }

  /** The types of entries that observers get, sorted. */
  static get supportedEntryTypes(): readonly string[] { return supported; }

  observe(options: PerformanceObserverInit | undefined = undefined): void {
    const { entryTypes, type, buffered } = dictionary<PerformanceObserverInit>(options, "observe()'s options");
    const list = entryTypes === undefined ? undefined : [...entryTypes].map(domString);
    if (list === undefined && type === undefined) throw new TypeError("observe() needs entryTypes or a type");
    if (list !== undefined && (type !== undefined || buffered !== undefined)) throw new TypeError("observe() takes entryTypes, or a type and buffered, not both");
    const mode = list === undefined ? "single" : "multiple";
    if (this.#mode !== undefined && this.#mode !== mode) throw new DOMException("An observer keeps to either entryTypes or type", "InvalidModificationError");
    this.#mode = mode;
    if (list !== undefined) {
      const known = list.filter((name) => supported.includes(name));
      if (known.length === 0) return;
      this.#types = new Set(known);
      observers.add(this);
      return;
    }
    const name = domString(type);
    if (!supported.includes(name)) return;
    this.#types.add(name);
    observers.add(this);
    if (buffered) for (const entry of timeline()) if (entry.entryType === name) queue(this, entry);
  }

  disconnect(): void {
    observers.delete(this);
    this.#waiting = [];
    this.#types.clear();
    this.#mode = undefined;
  }

  takeRecords(): Entry[] {
    const entries = this.#waiting;
    this.#waiting = [];
    return entries;
  }

  static {
    queue = (observer, entry) => {
      if (!observer.#types.has(entry.entryType)) return;
      if (observer.#waiting.length >= maxWaiting) observer.#dropped++;
      else observer.#waiting.push(entry);
      schedule();
    };
    deliver = (observer) => {
      if (observer.#waiting.length === 0) return;
      const options = observer.#first ? { droppedEntriesCount: observer.#dropped } : {};
      observer.#first = false;
      const list = new PerformanceObserverEntryList(key, observer.takeRecords());
      try {
        apply(observer.#callback, observer, [list, observer, options]);
      } catch (error) {
        reportError(error);
      }
    };
  }
}
defineInterface(PerformanceObserver, "PerformanceObserver");

export class PerformanceObserverEntryList {
  #entries: Entry[];
  constructor(...members: unknown[]) {
    const [token, entries] = members as [unknown, Entry[]];
    if (token !== key) throw new TypeError("Illegal constructor: observers are given these lists");
    this.#entries = entries.sort((a, b) => a.startTime - b.startTime);
  }
  getEntries(): Entry[] { return [...this.#entries]; }
  getEntriesByType(type: string): Entry[] {
    const entries = this.#entries;
    required(arguments.length, 1, "getEntriesByType()");
    const wanted = domString(type);
    return entries.filter((entry) => entry.entryType === wanted);
  }
  getEntriesByName(name: string, type: string | undefined = undefined): Entry[] {
    const entries = this.#entries;
    required(arguments.length, 1, "getEntriesByName()");
    const wanted = domString(name);
    const kind = type === undefined ? undefined : domString(type);
    return entries.filter((entry) => entry.name === wanted && (kind === undefined || entry.entryType === kind));
  }
}
defineInterface(PerformanceObserverEntryList, "PerformanceObserverEntryList");
