// https://console.spec.whatwg.org/
import { host } from "./host.ts";
import { format, inspect, type InspectOptions } from "./inspect.ts";
import { domString } from "./webidl.ts";

const { log } = host;
const now = performance.now.bind(performance);

/** Labels that count() and time() remember each, and levels that group() indents. */
const maxLabels = 1_000;
const maxIndent = 32;

const debug = 0;
const info = 1;
const warn = 2;
const error = 3;
type Level = 0 | 1 | 2 | 3;

let indent = "";
const counts = new Map<string, number>();
const times = new Map<string, number>();

function print(level: Level, text: string): void {
  log(level, indent === "" ? text : indent + text.replaceAll("\n", `\n${indent}`));
}

function logger(level: Level, args: readonly unknown[]): void {
  if (args.length === 0) {
    print(level, "");
    return;
  }
  let text: string;
  try {
    text = format(args);
  } catch (cause) {
    text = `[a value that throws when shown: ${describe(cause)}]`;
  }
  print(level, text);
}

function describe(cause: unknown): string {
  try {
    return String(cause);
  } catch {
    return "an object";
  }
}

function remember(map: Map<string, number>, label: string, value: number): void {
  if (!map.has(label) && map.size >= maxLabels) map.delete(map.keys().next().value!);
  map.set(label, value);
}

function elapsed(label: string, args: unknown[]): boolean {
  const start = times.get(label);
  if (start === undefined) {
    print(warn, `Timer '${label}' does not exist`);
    return false;
  }
  logger(info, [`${label}: ${duration(now() - start)}`, ...args]);
  return true;
}

function duration(ms: number): string {
  return ms < 1_000 ? `${Number(ms.toFixed(3))}ms` : `${(ms / 1_000).toFixed(3)}s`;
}

function group(args: unknown[]): void {
  if (args.length > 0) logger(info, args);
  if (indent.length < maxIndent * 2) indent += "  ";
}

/** The text of console.table: rows of an array or object, columns of the rows' properties. */
function table(data: object, columns?: readonly string[]): string {
  const rows = data instanceof Map ? [...data] : data instanceof Set ? [...data].map((v, i) => [i, v] as const) : Object.entries(data);
  const names: string[] = columns === undefined ? [] : columns.map(domString);
  let values = false;
  for (const [, row] of rows) {
    if (typeof row !== "object" || row === null) values = true;
    else if (columns === undefined) for (const key of Object.keys(row)) if (!names.includes(key)) names.push(key);
  }
  const show = (value: unknown) => inspect(value, { depth: 0, breakLength: Infinity, maxArrayLength: 3 });
  const lines = rows.map(([index, row]) => {
    const cells = [typeof index === "object" ? show(index) : String(index)];
    const isObject = typeof row === "object" && row !== null;
    for (const name of names) cells.push(isObject && Object.hasOwn(row, name) ? show((row as Record<string, unknown>)[name]) : "");
    if (values) cells.push(isObject ? "" : show(row));
    return cells;
  });
  const header = ["(index)", ...names, ...(values ? ["Values"] : [])];
  const widths = header.map((name, i) => Math.max(name.length, ...lines.map((line) => line[i]!.length)) + 2);
  const rule = (left: string, middle: string, right: string) => left + widths.map((n) => "─".repeat(n)).join(middle) + right;
  const line = (cells: readonly string[]) => `│${cells.map((cell, i) => ` ${cell}`.padEnd(widths[i]!)).join("│")}│`;
  return [rule("┌", "┬", "┐"), line(header), rule("├", "┼", "┤"), ...lines.map(line), rule("└", "┴", "┘")].join("\n");
}

/** The global console; its methods work without their object. */
export const console = {
  log(...args: unknown[]): void { logger(info, args); },
  info(...args: unknown[]): void { logger(info, args); },
  debug(...args: unknown[]): void { logger(debug, args); },
  warn(...args: unknown[]): void { logger(warn, args); },
  error(...args: unknown[]): void { logger(error, args); },
  trace(...args: unknown[]): void {
    const stack = (new Error().stack ?? "").split("\n").slice(2).join("\n");
    print(debug, `Trace${args.length > 0 ? `: ${format(args)}` : ""}\n${stack}`.trimEnd());
  },
  assert(condition: unknown = false, ...args: unknown[]): void {
    if (condition) return;
    if (typeof args[0] === "string") logger(error, [`Assertion failed: ${args[0]}`, ...args.slice(1)]);
    else logger(error, ["Assertion failed", ...args]);
  },
  dir(value: unknown = undefined, options: InspectOptions | undefined = undefined): void { print(info, inspect(value, { ...options, customInspect: false })); },
  dirxml(...args: unknown[]): void { logger(info, args); },
  table(data: unknown = undefined, columns: readonly string[] | undefined = undefined): void {
    if (typeof data !== "object" || data === null) logger(info, [data]);
    else print(info, table(data, columns));
  },
  group(...args: unknown[]): void { group(args); },
  groupCollapsed(...args: unknown[]): void { group(args); },
  groupEnd(): void { indent = indent.slice(2); },
  clear(): void { indent = ""; },
  count(label: unknown = "default"): void {
    const name = domString(label);
    const n = (counts.get(name) ?? 0) + 1;
    remember(counts, name, n);
    print(info, `${name}: ${n}`);
  },
  countReset(label: unknown = "default"): void {
    const name = domString(label);
    if (!counts.delete(name)) print(warn, `Count for '${name}' does not exist`);
  },
  time(label: unknown = "default"): void {
    const name = domString(label);
    if (times.has(name)) print(warn, `Timer '${name}' already exists`);
    else remember(times, name, now());
  },
  timeLog(label: unknown = "default", ...args: unknown[]): void { elapsed(domString(label), args); },
  timeEnd(label: unknown = "default"): void {
    const name = domString(label);
    if (elapsed(name, [])) times.delete(name);
  },
};
// A namespace object: between it and Object.prototype lies an empty one.
Object.setPrototypeOf(console, {});
Object.defineProperty(console, Symbol.toStringTag, { value: "console", configurable: true });
