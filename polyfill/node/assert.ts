// https://nodejs.org/api/assert.html
import { inspect } from "../inspect.ts";
import { checkFunction, invalidArgType } from "./errors.ts";
import { isDeepEqual } from "./isdeepequal.ts";

interface Details {
  message?: string | undefined;
  actual?: unknown;
  expected?: unknown;
  operator?: string;
}

export class AssertionError extends Error {
  readonly code = "ERR_ASSERTION";
  readonly generatedMessage: boolean;
  readonly actual: unknown;
  readonly expected: unknown;
  readonly operator: string;
  constructor({ message, actual, expected, operator = "fail" }: Details) {
    super(message ?? describe(actual, expected, operator));
    this.name = "AssertionError";
    this.generatedMessage = message === undefined;
    this.actual = actual;
    this.expected = expected;
    this.operator = operator;
  }
}

const phrases: Record<string, string> = {
  strictEqual: "Expected values to be strictly equal:", deepStrictEqual: "Expected values to be strictly deep-equal:", notStrictEqual: 'Expected "actual" to be strictly unequal to:',
  deepEqual: "Expected values to be loosely deep-equal:", notDeepEqual: 'Expected "actual" not to be loosely deep-equal to:', notDeepStrictEqual: 'Expected "actual" not to be strictly deep-equal to:',
};

function describe(actual: unknown, expected: unknown, operator: string): string {
  const phrase = phrases[operator];
  if (operator === "fail") return "Failed";
  if (operator.startsWith("not")) return `${phrase ?? operator}\n\n${inspect(expected)}`;
  if (phrase === undefined) return `${inspect(actual)} ${operator} ${inspect(expected)}`;
  return `${phrase}\n\n${inspect(actual)} !== ${inspect(expected)}\n`;
}

type Message = string | Error | undefined;

function check(ok: boolean, message: Message, actual: unknown, expected: unknown, operator: string): void {
  if (ok) return;
  if (message instanceof Error) throw message;
  throw new AssertionError({ message, actual, expected, operator });
}

export function ok(value?: unknown, message?: Message): void {
  if (arguments.length === 0) throw new AssertionError({ message: "No value argument passed to `assert.ok()`", actual: undefined, expected: true, operator: "==" });
  if (value) return;
  if (message instanceof Error) throw message;
  throw new AssertionError({ message: message ?? "The expression evaluated to a falsy value", actual: value, expected: true, operator: "==" });
}

export function equal(actual: unknown, expected: unknown, message?: Message): void { check(actual == expected || (actual !== actual && expected !== expected), message, actual, expected, "=="); }
export function notEqual(actual: unknown, expected: unknown, message?: Message): void { check(actual != expected && !(actual !== actual && expected !== expected), message, actual, expected, "!="); }
export function strictEqual(actual: unknown, expected: unknown, message?: Message): void { check(Object.is(actual, expected), message, actual, expected, "strictEqual"); }
export function notStrictEqual(actual: unknown, expected: unknown, message?: Message): void { check(!Object.is(actual, expected), message, actual, expected, "notStrictEqual"); }
export function deepEqual(actual: unknown, expected: unknown, message?: Message): void { check(isDeepEqual(actual, expected, false), message, actual, expected, "deepEqual"); }
export function notDeepEqual(actual: unknown, expected: unknown, message?: Message): void { check(!isDeepEqual(actual, expected, false), message, actual, expected, "notDeepEqual"); }
export function deepStrictEqual(actual: unknown, expected: unknown, message?: Message): void { check(isDeepEqual(actual, expected, true), message, actual, expected, "deepStrictEqual"); }
export function notDeepStrictEqual(actual: unknown, expected: unknown, message?: Message): void { check(!isDeepEqual(actual, expected, true), message, actual, expected, "notDeepStrictEqual"); }

export function fail(message: Message = "Failed"): never {
  if (message instanceof Error) throw message;
  throw new AssertionError({ message, operator: "fail" });
}
export function ifError(value: unknown): void {
  if (value === null || value === undefined) return;
  throw new AssertionError({ message: `ifError got unwanted exception: ${value instanceof Error ? value.message : inspect(value)}`, actual: value, expected: null, operator: "ifError" });
}
export function match(text: string, pattern: RegExp, message?: Message): void {
  const fallback = `The input did not match the regular expression ${inspect(pattern)}. Input:\n\n${inspect(text)}\n`;
  check(typeof text === "string" && pattern.test(text), message ?? fallback, text, pattern, "match");
}
export function doesNotMatch(text: string, pattern: RegExp, message?: Message): void {
  const fallback = `The input was expected to not match the regular expression ${inspect(pattern)}. Input:\n\n${inspect(text)}\n`;
  check(typeof text !== "string" || !pattern.test(text), message ?? fallback, text, pattern, "doesNotMatch");
}

type Expectation = RegExp | Error | object | ((error: any) => unknown) | undefined;

/** Throws unless the error is what was expected. */
function verify(error: any, expected: Expectation, message: Message, operator: string): void {
  if (expected === undefined) return;
  if (expected instanceof RegExp) {
    check(expected.test(String(error)), message ?? `The input did not match the regular expression ${inspect(expected)}. Input:\n\n${inspect(String(error))}\n`, error, expected, operator);
    return;
  }
  if (typeof expected === "function") {
    const { prototype } = expected as { prototype?: object };
    if (prototype !== undefined && error instanceof (expected as never)) return;
    if (Error.isPrototypeOf(expected) || expected === (Error as unknown)) throw error;
    check(Reflect.apply(expected, {}, [error]) === true, message ?? `The ${expected.name ? `"${expected.name}"` : ""} validation function is expected to return "true".`, error, expected, operator);
    return;
  }
  const keys = [...Object.keys(expected), ...(expected instanceof Error ? ["name", "message"] : [])];
  for (const key of keys) {
    const wanted = (expected as Record<string, unknown>)[key];
    const matches = wanted instanceof RegExp && typeof error?.[key] === "string" ? wanted.test(error[key]) : isDeepEqual(error?.[key], wanted, true);
    check(matches, message, error, expected, operator);
  }
}

function split(expected: unknown, message: Message): [Expectation, Message] {
  return typeof expected === "string" ? [undefined, expected] : [expected as Expectation, message];
}

export function throws(fn: () => unknown, expected?: unknown, message?: Message): void {
  checkFunction(fn, "fn");
  const [wanted, text] = split(expected, message);
  let error: unknown;
  try {
    fn();
  } catch (caught) {
    error = caught;
    verify(error, wanted, text, "throws");
    return;
  }
  check(false, `Missing expected exception${text ? `: ${String(text)}` : "."}`, undefined, wanted, "throws");
}
export function doesNotThrow(fn: () => unknown, _expected?: unknown, message?: Message): void {
  checkFunction(fn, "fn");
  try {
    fn();
  } catch (error) {
    check(false, `Got unwanted exception${message ? `: ${String(message)}` : "."}\nActual message: "${error instanceof Error ? error.message : String(error)}"`, error, undefined, "doesNotThrow");
  }
}
export async function rejects(promise: PromiseLike<unknown> | (() => PromiseLike<unknown>), expected?: unknown, message?: Message): Promise<void> {
  const [wanted, text] = split(expected, message);
  const started = typeof promise === "function" ? promise() : promise;
  if (typeof started?.then !== "function") throw invalidArgType("promiseFn", "of type function or an instance of Promise", promise);
  try {
    await started;
  } catch (error) {
    verify(error, wanted, text, "rejects");
    return;
  }
  check(false, `Missing expected rejection${text ? `: ${String(text)}` : "."}`, undefined, wanted, "rejects");
}
export async function doesNotReject(promise: PromiseLike<unknown> | (() => PromiseLike<unknown>), _expected?: unknown, message?: Message): Promise<void> {
  try {
    await (typeof promise === "function" ? promise() : promise);
  } catch (error) {
    check(false, `Got unwanted rejection${message ? `: ${String(message)}` : "."}\nActual message: "${error instanceof Error ? error.message : String(error)}"`, error, undefined, "doesNotReject");
  }
}

const shared = {
  AssertionError, ok, fail, ifError, match, doesNotMatch, throws, doesNotThrow, rejects, doesNotReject, strictEqual, notStrictEqual, deepStrictEqual, notDeepStrictEqual,
};
function assert(value?: unknown, message?: Message): void { Reflect.apply(ok, undefined, arguments); }
function strictly(value?: unknown, message?: Message): void { Reflect.apply(ok, undefined, arguments); }
export const strict: any = Object.assign(strictly, shared, { equal: strictEqual, notEqual: notStrictEqual, deepEqual: deepStrictEqual, notDeepEqual: notDeepStrictEqual });
strict.strict = strict;
Object.assign(assert, shared, { equal, notEqual, deepEqual, notDeepEqual, strict });
export { assert };
export default assert as typeof assert & typeof shared;
