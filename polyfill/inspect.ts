// Text for values, for console and util.inspect. Looks like Node's output for common values; it is bounded, so that no value
// can make a line without end.

export interface InspectOptions {
  depth?: number | null;
  showHidden?: boolean;
  maxArrayLength?: number | null;
  maxStringLength?: number | null;
  /** Longest text on one line. */
  breakLength?: number;
  /** false puts every member on its own line. */
  compact?: boolean | number;
  sorted?: boolean | ((a: string, b: string) => number);
  getters?: boolean;
  [other: string]: unknown;
}

/** Values that one call shows in total. */
const valueLimit = 10_000;
/** Indices of arrays that are looked at for what they hold, and arrays above which other properties are not looked for. */
const indexLimit = 100_000;
const defaults = { depth: 2, maxArrayLength: 100, maxStringLength: 10_000, breakLength: 80 };

/** The key of a method (depth, options, inspect) that makes an object's text. */
export const custom = Symbol.for("nodejs.util.inspect.custom");

const { getPrototypeOf, getOwnPropertyDescriptor } = Object;
const { ownKeys } = Reflect;
const typedArray = getPrototypeOf(Uint8Array) as Function;

export function inspect(value: unknown, options: InspectOptions = {}): string {
  return new Inspector(options).show(value, 0, true);
}

export function quote(text: string): string {
  const mark = !text.includes("'") ? "'" : !text.includes('"') ? '"' : !text.includes("`") && !text.includes("${") ? "`" : "'";
  let out = "";
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (text[i] === mark || c === 92) out += `\\${text[i]}`;
    else if (c === 10) out += "\\n";
    else if (c === 13) out += "\\r";
    else if (c === 9) out += "\\t";
    else if (c === 8) out += "\\b";
    else if (c === 12) out += "\\f";
    else if (c === 11) out += "\\v";
    else if (c < 32 || (c >= 127 && c <= 159)) out += `\\x${c.toString(16).toUpperCase().padStart(2, "0")}`;
    else if (c >= 0xd800 && c <= 0xdfff && !(c < 0xdc00 && isLow(text.charCodeAt(i + 1))) && !(c >= 0xdc00 && isHigh(text.charCodeAt(i - 1)))) out += `\\u${c.toString(16).toUpperCase()}`;
    else out += text[i];
  }
  return mark + out + mark;
}

function isLow(c: number): boolean { return c >= 0xdc00 && c <= 0xdfff; }
function isHigh(c: number): boolean { return c >= 0xd800 && c <= 0xdbff; }

function keyText(key: PropertyKey): string {
  if (typeof key === "symbol") return `[${String(key)}]`;
  return /^[A-Za-z_$][\w$]*$/.test(key as string) ? (key as string) : quote(key as string);
}

/** The name of the class of an object; null for one without a prototype. */
function className(value: object): string | null {
  for (let p = getPrototypeOf(value); p !== null; p = getPrototypeOf(p)) {
    const constructor = getOwnPropertyDescriptor(p, "constructor")?.value;
    if (typeof constructor === "function" && constructor.name !== "") return constructor.name;
  }
  return null;
}

function plural(n: number, noun: string): string {
  return `... ${n} more ${noun}${n === 1 ? "" : "s"}`;
}

function functionText(value: Function): string {
  const source = Function.prototype.toString.call(value);
  const tag = String((value as { [Symbol.toStringTag]?: unknown })[Symbol.toStringTag] ?? "Function");
  if (/^class\b/.test(source)) {
    const parent = getPrototypeOf(value);
    const base = typeof parent === "function" && parent.name ? ` extends ${parent.name}` : "";
    return `[class ${value.name || "(anonymous)"}${base}]`;
  }
  return value.name ? `[${tag}: ${value.name}]` : `[${tag} (anonymous)]`;
}

class Inspector {
  readonly #options: InspectOptions;
  readonly #depth: number;
  readonly #maxItems: number;
  readonly #maxString: number;
  readonly #breakLength: number;
  readonly #path: object[] = [];
  readonly #circular = new Map<object, number>();
  #left = valueLimit;

  constructor(options: InspectOptions) {
    this.#options = options;
    this.#depth = options.depth === null ? Infinity : options.depth ?? defaults.depth;
    this.#maxItems = options.maxArrayLength === null ? Infinity : Math.max(options.maxArrayLength ?? defaults.maxArrayLength, 0);
    this.#maxString = options.maxStringLength === null ? Infinity : Math.max(options.maxStringLength ?? defaults.maxStringLength, 0);
    this.#breakLength = options.breakLength ?? defaults.breakLength;
  }

  show(value: unknown, depth: number, top = false): string {
    switch (typeof value) {
      case "string": {
        if (value.length <= this.#maxString) return quote(value);
        return `${quote(value.slice(0, this.#maxString))}${plural(value.length - this.#maxString, "character")}`;
      }
      case "bigint":
        return `${value}n`;
      case "number":
        return Object.is(value, -0) ? "-0" : String(value);
      case "symbol":
        return String(value);
      case "function":
      case "object":
        break;
      default:
        return String(value);
    }
    if (value === null) return "null";
    if (this.#left-- <= 0) return "[...]";
    const at = this.#path.indexOf(value);
    if (at >= 0) {
      let id = this.#circular.get(value);
      if (id === undefined) this.#circular.set(value, (id = this.#circular.size + 1));
      return `[Circular *${id}]`;
    }
    const own = this.#custom(value, depth);
    if (own !== undefined) return own;
    this.#path.push(value);
    let text: string;
    try {
      text = this.#object(value, depth, top);
    } finally {
      this.#path.pop();
    }
    const id = this.#circular.get(value);
    return id === undefined ? text : `<ref *${id}> ${text}`;
  }

  #custom(value: object, depth: number): string | undefined {
    const method = (value as Record<symbol, unknown>)[custom];
    if (typeof method !== "function" || this.#options["customInspect"] === false) return undefined;
    const result = method.call(value, this.#depth - depth, { ...this.#options, stylize: (text: unknown) => String(text) }, inspect);
    if (result === value) return undefined;
    return typeof result === "string" ? result.replaceAll("\n", `\n${"  ".repeat(depth)}`) : this.show(result, depth);
  }

  #object(value: object, depth: number, top: boolean): string {
    const name = className(value);
    const tag = (value as { [Symbol.toStringTag]?: unknown })[Symbol.toStringTag];
    const title = name ?? "[Object: null prototype]";
    const suffix = typeof tag === "string" && tag !== "" && tag !== name ? ` [${tag}]` : "";
    let head = "";
    let open = "{";
    let close = "}";
    let skipIndices = false;
    let fill: (() => string[]) | undefined;

    if (Array.isArray(value)) {
      [open, close, skipIndices] = ["[", "]", true];
      if (name !== "Array") head = `${name ?? "[Array: null prototype]"}(${value.length})`;
      fill = () => this.#items(value, depth);
    } else if (value instanceof typedArray) {
      const view = value as Uint8Array;
      [open, close, skipIndices] = ["[", "]", true];
      head = `${title}(${view.length})${suffix}`;
      fill = () => this.#typed(view, depth);
    } else if (value instanceof Map) {
      head = `${title}(${value.size})${suffix}`;
      fill = () => this.#limited(value.entries(), value.size, ([k, v]) => `${this.show(k, depth + 1)} => ${this.show(v, depth + 1)}`);
    } else if (value instanceof Set) {
      head = `${title}(${value.size})${suffix}`;
      fill = () => this.#limited(value.values(), value.size, (v) => this.show(v, depth + 1));
    } else if (value instanceof Error) {
      return this.#error(value, depth);
    } else if (value instanceof Promise || value instanceof WeakMap || value instanceof WeakSet) {
      head = `${title}${suffix}`;
      fill = () => [value instanceof Promise ? "<state unknown>" : "<items unknown>"];
    } else if (value instanceof ArrayBuffer || value instanceof SharedArrayBuffer) {
      head = title;
      fill = () => this.#buffer(value);
    } else if (value instanceof DataView) {
      head = title;
      fill = () => [`byteLength: ${value.byteLength}`, `byteOffset: ${value.byteOffset}`, `buffer: ${this.show(value.buffer, depth + 1)}`];
    } else {
      const alone = this.#scalar(value, title, suffix);
      if (alone !== undefined) {
        const keys = this.#keys(value, value instanceof String);
        if (keys.length === 0) return alone;
        head = alone;
      } else if (title !== "Object" || suffix !== "") head = `${title}${suffix}`;
    }

    const keys = this.#keys(value, skipIndices || value instanceof String);
    if (fill === undefined && keys.length === 0) return head === "" ? `${open}${close}` : `${head} ${open}${close}`;
    if (depth > this.#depth) return Array.isArray(value) ? "[Array]" : `[${name ?? "Object: null prototype"}]`;
    const parts = fill?.() ?? [];
    for (const key of keys) parts.push(this.#property(value, key, depth));
    if (parts.length === 0) return head === "" ? `${open}${close}` : `${head} ${open}${close}`;
    return this.#layout(head, open, close, parts, depth, top);
  }

  /** The text of an object that stands for one value; undefined for others. */
  #scalar(value: object, title: string, suffix: string): string | undefined {
    if (typeof value === "function") return functionText(value);
    if (value instanceof Date) return Number.isNaN(value.getTime()) ? "Invalid Date" : value.toISOString();
    if (value instanceof RegExp) return String(value);
    for (const type of [Number, String, Boolean, BigInt, Symbol]) {
      if (value instanceof type) return `[${type.name}: ${this.show(Reflect.apply(type.prototype.valueOf, value, []), 0)}]`;
    }
    if (value instanceof WeakRef) return `${title}${suffix} { <ref> }`;
    return undefined;
  }

  #keys(value: object, skipIndices: boolean): PropertyKey[] {
    if (skipIndices && (value as ArrayLike<unknown>).length > indexLimit) return [];
    const keys = ownKeys(value).filter((key) => {
      if (skipIndices && typeof key === "string" && /^\d+$/.test(key)) return false;
      return this.#options.showHidden || getOwnPropertyDescriptor(value, key)?.enumerable;
    });
    const { sorted } = this.#options;
    if (sorted) keys.sort((a, b) => (typeof sorted === "function" ? sorted(String(a), String(b)) : String(a) < String(b) ? -1 : 1));
    return keys;
  }

  #property(value: object, key: PropertyKey, depth: number): string {
    const property = getOwnPropertyDescriptor(value, key)!;
    const name = property.enumerable ? keyText(key) : `[${String(key)}]`;
    if ("value" in property) return `${name}: ${this.show(property.value, depth + 1)}`;
    const kind = property.get === undefined ? "[Setter]" : property.set === undefined ? "[Getter]" : "[Getter/Setter]";
    if (!this.#options.getters || property.get === undefined) return `${name}: ${kind}`;
    try {
      return `${name}: ${kind.slice(0, -1)}: ${this.show(property.get.call(value), depth + 1)}]`;
    } catch (error) {
      return `${name}: ${kind.slice(0, -1)}: <threw ${String(error)}>]`;
    }
  }

  #items(value: unknown[], depth: number): string[] {
    const out: string[] = [];
    const { length } = value;
    let steps = 0;
    for (let i = 0; i < length; ) {
      if (out.length >= this.#maxItems || steps >= indexLimit) {
        out.push(plural(length - i, "item"));
        break;
      }
      if (i in value) {
        out.push(this.show(value[i++], depth + 1));
        continue;
      }
      const start = i;
      while (i < length && !(i in value) && steps < indexLimit) {
        i++;
        steps++;
      }
      out.push(`<${i - start} empty item${i - start === 1 ? "" : "s"}>`);
    }
    return out;
  }

  #typed(view: Uint8Array, depth: number): string[] {
    const count = Math.min(view.length, this.#maxItems);
    const out: string[] = [];
    for (let i = 0; i < count; i++) out.push(this.show(view[i], depth + 1));
    if (count < view.length) out.push(plural(view.length - count, "item"));
    return out;
  }

  #limited<T>(items: Iterable<T>, size: number, show: (item: T) => string): string[] {
    const out: string[] = [];
    for (const item of items) {
      if (out.length >= this.#maxItems) {
        out.push(plural(size - out.length, "item"));
        break;
      }
      out.push(show(item));
    }
    return out;
  }

  #buffer(value: ArrayBuffer | SharedArrayBuffer): string[] {
    if ((value as { detached?: boolean }).detached) return ["(detached)", "byteLength: 0"];
    const shown = Math.min(value.byteLength, 50);
    const hex = new Uint8Array(value, 0, shown).toHex().replace(/..(?=.)/g, "$& ");
    const rest = value.byteLength - shown;
    return [`[Uint8Contents]: <${hex}${rest > 0 ? ` ${plural(rest, "byte")}` : ""}>`, `byteLength: ${value.byteLength}`];
  }

  #error(value: Error, depth: number): string {
    let stack: unknown;
    let plain: string;
    try {
      stack = value.stack;
      plain = Error.prototype.toString.call(value);
    } catch {
      plain = "[Error that throws when shown]";
    }
    const text = typeof stack === "string" && stack !== "" ? stack.trimEnd() : `[${plain}]`;
    const indented = depth === 0 ? text : text.replaceAll("\n", `\n${"  ".repeat(depth)}`);
    const keys = this.#keys(value, false).filter((key) => key !== "stack" && key !== "message" && (key !== "name" || !text.includes(String(value.name))));
    for (const key of ["cause", "errors"]) if (Object.hasOwn(value, key) && !keys.includes(key)) keys.push(key);
    if (keys.length === 0) return indented;
    if (depth > this.#depth) return indented;
    return this.#layout(indented, "{", "}", keys.map((key) => this.#property(value, key, depth)), depth, false, true);
  }

  /** On one line if it fits and holds no more than three levels' worth of text, otherwise a line each. */
  #layout(head: string, open: string, close: string, parts: string[], depth: number, top: boolean, broken = false): string {
    const start = head === "" ? open : `${head} ${open}`;
    const { compact } = this.#options;
    if (compact !== false && !broken) {
      const length = parts.reduce((sum, part) => sum + part.length + 2, start.length + close.length + depth * 2);
      const single = !parts.some((part) => part.includes("\n"));
      if (single && length <= Math.min(this.#breakLength, 76) && !(top && nesting(parts) > 3)) return `${start} ${parts.join(", ")} ${close}`;
    }
    const indent = "  ".repeat(depth);
    const lines = open === "[" && parts.length > 6 ? this.#columns(parts, depth) : parts;
    return `${start}\n${indent}  ${lines.join(`,\n${indent}  `)}\n${indent}${close}`;
  }

  /** Short items of long arrays share lines. */
  #columns(parts: string[], depth: number): string[] {
    const widest = parts.reduce((max, part) => Math.max(max, part.includes("\n") ? Infinity : part.length), 0);
    const perLine = Math.min(Math.floor((Math.min(this.#breakLength, 76) - depth * 2) / (widest + 2)), 16);
    if (perLine < 2) return parts;
    const lines: string[] = [];
    for (let i = 0; i < parts.length; i += perLine) lines.push(parts.slice(i, i + perLine).join(", "));
    return lines;
  }
}

/** How deep the brackets in the texts of members go. */
function nesting(parts: string[]): number {
  let deepest = 0;
  for (const part of parts) {
    let level = 0;
    for (const c of part) {
      if (c === "{" || c === "[") deepest = Math.max(deepest, ++level);
      else if (c === "}" || c === "]") level--;
    }
  }
  return deepest;
}

/** printf-like text of console arguments. https://console.spec.whatwg.org/#formatter */
export function format(args: readonly unknown[], options: InspectOptions = {}): string {
  let next = 0;
  let out = "";
  if (typeof args[0] === "string") {
    next = 1;
    out = args.length === 1 ? args[0] : args[0].replace(/%[sdifjoOc%]/g, (code) => {
      if (code === "%%") return "%";
      if (next >= args.length) return code;
      return formatOne(code, args[next++], options);
    });
  }
  for (let i = next; i < args.length; i++) {
    const value = args[i];
    out += `${i > 0 ? " " : ""}${typeof value === "string" ? value : inspect(value, options)}`;
  }
  return out;
}

function formatOne(code: string, value: unknown, options: InspectOptions): string {
  switch (code) {
    case "%d":
      return typeof value === "bigint" ? `${value}n` : typeof value === "symbol" || typeof value === "object" ? "NaN" : inspect(Number(value));
    case "%i":
      return typeof value === "bigint" ? `${value}n` : typeof value === "symbol" || typeof value === "object" ? "NaN" : inspect(parseInt(value as string));
    case "%f":
      return typeof value === "symbol" ? "NaN" : inspect(parseFloat(value as string));
    case "%j":
      try {
        return `${JSON.stringify(value)}`;
      } catch (error) {
        if (error instanceof TypeError) return "[Circular]";
        throw error;
      }
    case "%o":
      return inspect(value, { ...options, showHidden: true, depth: 4 });
    case "%O":
      return inspect(value, options);
    case "%c":
      return "";
  }
  if (typeof value === "string") return value;
  if (typeof value === "function" || (typeof value === "object" && value !== null && ownText(value))) return String(value);
  return typeof value === "object" ? inspect(value, { ...options, depth: 0 }) : inspect(value);
}

/** Whether a class of the user gives the object a text of its own. */
function ownText(value: object): boolean {
  if (value instanceof Error) return true;
  for (let p: object | null = value; p !== null; p = getPrototypeOf(p)) {
    if (!Object.hasOwn(p, "toString")) continue;
    return p !== Object.prototype && p !== Array.prototype && p !== Date.prototype && p !== RegExp.prototype && p !== getPrototypeOf(Uint8Array.prototype);
  }
  return false;
}
