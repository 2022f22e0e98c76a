// Deep equality, for assert and util.isDeepStrictEqual.
import * as types from "./util_types.ts";

/** strict: Object.is and equal prototypes, otherwise == on primitives. */
export function isDeepEqual(a: unknown, b: unknown, strict: boolean): boolean { return compare(a, b, strict, []); }

function compare(a: any, b: any, strict: boolean, path: [object, object][]): boolean {
  if (Object.is(a, b)) return true;
  const objects = typeof a === "object" && a !== null && typeof b === "object" && b !== null;
  if (!objects) {
    if (strict || typeof a === "function" || typeof b === "function") return false;
    if ((typeof a === "object" && a !== null) || (typeof b === "object" && b !== null)) return false;
    return a == b || (a !== a && b !== b);
  }
  if (strict && Object.getPrototypeOf(a) !== Object.getPrototypeOf(b)) return false;
  if (Object.prototype.toString.call(a) !== Object.prototype.toString.call(b)) return false;
  if (Array.isArray(a) !== Array.isArray(b) || (Array.isArray(a) && a.length !== b.length)) return false;
  for (const [x, y] of path) if (x === a || y === b) return x === a && y === b;
  const inner: [object, object][] = [...path, [a, b]];

  if (types.isDate(a) && +a !== +b) return false;
  if (types.isRegExp(a) && (String(a) !== String(b) || a.lastIndex !== b.lastIndex)) return false;
  if (types.isNativeError(a) && (a.message !== b.message || a.name !== b.name || !compare(a.cause, b.cause, strict, inner))) return false;
  if (types.isBoxedPrimitive(a) && !Object.is(a.valueOf(), b.valueOf())) return false;
  if (types.isAnyArrayBuffer(a) && !sameBytes(new Uint8Array(a), new Uint8Array(b))) return false;
  if (types.isArrayBufferView(a)) {
    if (types.isDataView(a)) {
      if (!sameBytes(new Uint8Array(a.buffer, a.byteOffset, a.byteLength), new Uint8Array(b.buffer, b.byteOffset, b.byteLength))) return false;
    } else if (!sameBytes(a, b)) return false;
    return sameKeys(a, b, strict, inner, true);
  }
  if (types.isMap(a) && !sameMap(a, b, strict, inner)) return false;
  if (types.isSet(a) && !sameSet(a, b, strict, inner)) return false;
  return sameKeys(a, b, strict, inner, false);
}

function sameBytes(a: ArrayLike<unknown>, b: ArrayLike<unknown>): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (!Object.is(a[i], b[i])) return false;
  return true;
}

function ownKeys(value: object, skipIndices: boolean): PropertyKey[] {
  return Reflect.ownKeys(value).filter((key) => Object.getOwnPropertyDescriptor(value, key)!.enumerable && !(skipIndices && typeof key === "string" && /^\d+$/.test(key)));
}

function sameKeys(a: any, b: any, strict: boolean, path: [object, object][], skipIndices: boolean): boolean {
  const keys = ownKeys(a, skipIndices);
  if (keys.length !== ownKeys(b, skipIndices).length) return false;
  return keys.every((key) => Object.getOwnPropertyDescriptor(b, key)?.enumerable === true && compare(a[key], b[key], strict, path));
}

function sameMap(a: Map<unknown, unknown>, b: Map<unknown, unknown>, strict: boolean, path: [object, object][]): boolean {
  if (a.size !== b.size) return false;
  const rest = new Set(b.keys());
  for (const [key, value] of a) {
    if (b.has(key) && rest.has(key)) {
      if (!compare(value, b.get(key), strict, path)) return false;
      rest.delete(key);
      continue;
    }
    const match = [...rest].find((other) => compare(key, other, strict, path) && compare(value, b.get(other), strict, path));
    if (match === undefined && !rest.has(undefined)) return false;
    rest.delete(match);
  }
  return true;
}

function sameSet(a: Set<unknown>, b: Set<unknown>, strict: boolean, path: [object, object][]): boolean {
  if (a.size !== b.size) return false;
  const rest = new Set(b);
  for (const value of a) {
    if (rest.delete(value)) continue;
    let found = false;
    for (const other of rest) {
      if (!compare(value, other, strict, path)) continue;
      rest.delete(other);
      found = true;
      break;
    }
    if (!found) return false;
  }
  return true;
}
