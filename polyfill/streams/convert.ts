// Conversions of arguments that streams need beyond those in ../webidl.ts,
// https://webidl.spec.whatwg.org/#js-type-mapping.

import { RangeErrorCtor, TypeErrorCtor, bufferByteLength, bufferResizable, call1, isView, viewBuffer } from "./intrinsics.ts";
import { rejected, resolvedWith, type Outcome } from "./eventual.ts";

export type Callback = (...args: any[]) => unknown;

const empty = { __proto__: null };

/** A dictionary argument; a missing one has no members, whatever Object.prototype says. */
export function toDictionary(value: unknown, what: string): any {
  if (value === undefined || value === null) return empty;
  if (typeof value !== "object" && typeof value !== "function") throw new TypeErrorCtor(`${what} must be an object`);
  return value;
}

/** A dictionary member of a callback function type; undefined if absent. */
export function callbackMember(dictionary: any, name: string, what: string): Callback | undefined {
  const value = dictionary[name];
  if (value !== undefined && typeof value !== "function") throw new TypeErrorCtor(`${what}.${name} must be a function`);
  return value;
}

/** Calls a callback whose return type is Promise<undefined>; exceptions become rejections. */
export function invoke(fn: Callback, receiver: unknown, a: unknown, b: unknown): Outcome {
  try {
    return resolvedWith(call1(fn, receiver, a, b));
  } catch (e) {
    return rejected(e);
  }
}

/** invoke without arguments: their number is observable. */
export function invoke0(fn: Callback, receiver: unknown): Outcome {
  try {
    return resolvedWith(call1(fn, receiver));
  } catch (e) {
    return rejected(e);
  }
}

/** invoke with one argument. */
export function invoke1(fn: Callback, receiver: unknown, a: unknown): Outcome {
  try {
    return resolvedWith(call1(fn, receiver, a));
  } catch (e) {
    return rejected(e);
  }
}

/** ArrayBufferView: neither shared nor resizable memory. */
export function toView(value: unknown, what: string): ArrayBufferView {
  if (!isView(value)) throw new TypeErrorCtor(`${what} must be an ArrayBufferView`);
  const buffer = viewBuffer(value);
  try {
    bufferByteLength(buffer);
  } catch {
    throw new TypeErrorCtor(`${what} must not be backed by a SharedArrayBuffer`);
  }
  if (bufferResizable(buffer)) throw new TypeErrorCtor(`${what} must not be backed by a resizable ArrayBuffer`);
  return value;
}

export interface Strategy {
  highWaterMark: number | undefined;
  size: Callback | undefined;
}

/** QueuingStrategy: the members in their order. */
export function toStrategy(value: unknown): Strategy {
  const dictionary = toDictionary(value, "The queuing strategy");
  const raw = dictionary.highWaterMark;
  const highWaterMark = raw === undefined ? undefined : +raw;
  return { highWaterMark, size: callbackMember(dictionary, "size", "The queuing strategy") };
}

/** https://streams.spec.whatwg.org/#validate-and-normalize-high-water-mark */
export function highWaterMarkOf(strategy: Strategy, byDefault: number): number {
  const mark = strategy.highWaterMark;
  if (mark === undefined) return byDefault;
  if (!(mark >= 0)) throw new RangeErrorCtor(`highWaterMark must be at least 0, not ${mark}`);
  return mark;
}

export type SizeAlgorithm = ((chunk: unknown) => number) | null;

/** The size algorithm of a strategy; null counts every chunk as 1. */
export function sizeOf(strategy: Strategy): SizeAlgorithm {
  const size = strategy.size;
  if (size === undefined) return null;
  return (chunk) => +call1(size, undefined, chunk);
}

/** `optional object` of a constructor; null stands for a missing one. */
export function toOptionalObject(value: unknown, what: string): object | null {
  if (value === undefined) return null;
  if (value === null || (typeof value !== "object" && typeof value !== "function")) throw new TypeErrorCtor(`${what} must be an object`);
  return value;
}
