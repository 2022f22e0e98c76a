// https://nodejs.org/api/util.html
import { custom, format as formatArguments, inspect as inspectValue, type InspectOptions } from "../inspect.ts";
import { checkFunction, invalidArgType, nodeError } from "./errors.ts";
import { isDeepEqual } from "./isdeepequal.ts";
import * as types from "./util_types.ts";

const scope = globalThis as unknown as {
  TextEncoder: unknown; TextDecoder: unknown; AbortController: new () => { signal: unknown }; process: { env: Record<string, string | undefined>; nextTick(fn: (...args: any[]) => unknown, ...args: unknown[]): void };
};
export const { TextEncoder, TextDecoder } = scope;
export { types };

type Function = (...args: any[]) => any;

function inspectAny(value: unknown, options?: InspectOptions | boolean, depth?: number | null): string {
  if (typeof options === "boolean") return inspectValue(value, { showHidden: options, ...(depth === undefined ? {} : { depth }) });
  return inspectValue(value, options);
}
export const inspect = Object.assign(inspectAny, { custom, defaultOptions: {} as InspectOptions, colors: {}, styles: {} });

export function format(...args: unknown[]): string { return formatArguments(args); }
export function formatWithOptions(options: InspectOptions, ...args: unknown[]): string { return formatArguments(args, options); }

const promisifyCustom = Symbol.for("nodejs.util.promisify.custom");
const delay = (ms?: number, value?: unknown) => new Promise((resolve) => setTimeout(resolve, ms, value));

function promisifyFunction(original: Function): Function {
  checkFunction(original, "original");
  const own = (original as unknown as Record<symbol, unknown>)[promisifyCustom];
  if (own !== undefined) {
    checkFunction(own, "util.promisify.custom");
    return own;
  }
  if (original === (setTimeout as Function)) return delay;
  const promised = function (this: unknown, ...args: unknown[]) {
    return new Promise((resolve, reject) => {
      Reflect.apply(original, this, [...args, (error: unknown, ...values: unknown[]) => (error ? reject(error) : resolve(values[0]))]);
    });
  };
  Object.setPrototypeOf(promised, Object.getPrototypeOf(original));
  return Object.defineProperties(promised, Object.getOwnPropertyDescriptors(original));
}
export const promisify = Object.assign(promisifyFunction, { custom: promisifyCustom });

export function callbackify(original: Function): Function {
  checkFunction(original, "original");
  return function (this: unknown, ...args: unknown[]) {
    const callback = args.pop();
    checkFunction(callback, "last argument");
    Reflect.apply(original, this, args).then(
      (value: unknown) => scope.process.nextTick(callback, null, value),
      (reason: unknown) => scope.process.nextTick(callback, reason || Object.assign(nodeError(Error, "ERR_FALSY_VALUE_REJECTION", "Promise was rejected with falsy value"), { reason })),
    );
  };
}

export function inherits(Class: any, Base: any): void {
  checkFunction(Class, "ctor");
  checkFunction(Base, "superCtor");
  Object.defineProperty(Class, "super_", { value: Base, writable: true, configurable: true });
  Object.setPrototypeOf(Class.prototype, (Base as { prototype: object }).prototype);
}

/** At most this many codes of deprecations are remembered as shown. */
const maxDeprecations = 1_000;
const shown = new Set<string>();
export function deprecate<F extends Function>(fn: F, message: string, code = ""): F {
  let warned = false;
  return function (this: unknown, ...args: unknown[]) {
    if (!warned && !(code && shown.has(code))) {
      warned = true;
      if (code && shown.size < maxDeprecations) shown.add(code);
      globalThis.console.warn(`${code ? `[${code}] ` : ""}DeprecationWarning: ${message}`);
    }
    return new.target ? Reflect.construct(fn, args, new.target) : Reflect.apply(fn, this, args);
  } as unknown as F;
}

/** Lines for the sections that the environment variable NODE_DEBUG names. */
export function debuglog(section: string): Function & { enabled: boolean } {
  const names = (scope.process.env["NODE_DEBUG"] ?? "").toUpperCase().split(",");
  const enabled = names.some((name) => name !== "" && new RegExp(`^${name.trim().replace(/[.+?^${}()|[\]\\]/g, "\\$&").replaceAll("*", ".*")}$`).test(section.toUpperCase()));
  const log = (...args: unknown[]) => {
    if (enabled) globalThis.console.error(`${section.toUpperCase()} 1: ${formatArguments(args)}`);
  };
  return Object.assign(log, { enabled });
}
export { debuglog as debug };

export function isDeepStrictEqual(a: unknown, b: unknown): boolean { return isDeepEqual(a, b, true); }
export function stripVTControlCharacters(text: string): string {
  return text.replace(/[\u001b\u009b](?:\][^\u0007\u001b]*(?:\u0007|\u001b\\)|[[()#;?]*(?:\d{1,4}(?:;\d{0,4})*)?[\dA-PR-TZcf-nq-uy=><~])/g, "");
}
export function toUSVString(value: unknown): string { return String(value).toWellFormed(); }
export function styleText(_format: unknown, text: string): string { return text; }
export function getSystemErrorName(code: number): string { return `Unknown system error ${code}`; }
export function aborted(signal: any, _resource?: object): Promise<void> {
  if (typeof signal?.aborted !== "boolean") throw invalidArgType("signal", "an instance of AbortSignal", signal);
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
export function parseEnv(content: string): Record<string, string> {
  const out: Record<string, string> = {};
  for (const line of content.split("\n")) {
    const match = /^\s*(?:export\s+)?([\w.-]+)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^#]*))/.exec(line);
    if (match) out[match[1]!] = (match[2]?.replaceAll("\\n", "\n") ?? match[3] ?? match[4]!).trim();
  }
  return out;
}

export const isArray = Array.isArray;
export const isBoolean = (value: unknown): boolean => typeof value === "boolean";
export const isNull = (value: unknown): boolean => value === null;
export const isNullOrUndefined = (value: unknown): boolean => value === null || value === undefined;
export const isNumber = (value: unknown): boolean => typeof value === "number";
export const isString = (value: unknown): boolean => typeof value === "string";
export const isSymbol = (value: unknown): boolean => typeof value === "symbol";
export const isUndefined = (value: unknown): boolean => value === undefined;
export const isObject = (value: unknown): boolean => value !== null && typeof value === "object";
export const isFunction = (value: unknown): boolean => typeof value === "function";
export const isPrimitive = (value: unknown): boolean => value === null || (typeof value !== "object" && typeof value !== "function");
export const { isRegExp, isDate, isNativeError: isError } = types;
export * as default from "./util.ts";
