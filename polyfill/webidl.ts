// Conversions and class decoration shared by the interfaces, after https://webidl.spec.whatwg.org/.

const apply = Reflect.apply;
const wellFormed = String.prototype.toWellFormed;
const { defineProperty, getOwnPropertyDescriptor } = Object;
const { ownKeys } = Reflect;

/** Throws the TypeError of a call with fewer than `count` arguments. */
export function required(given: number, count: number, what: string): void {
  if (given < count) {
    throw new TypeError(`${what} needs ${count} argument${count === 1 ? "" : "s"}, but got ${given}`);
  }
}

/** DOMString */
export function domString(value: unknown): string {
  return typeof value === "string" ? value : `${value as string}`;
}

/** USVString: lone surrogates become U+FFFD. */
export function usvString(value: unknown): string {
  return apply(wellFormed, domString(value), []) as string;
}

/** ByteString */
export function byteString(value: unknown, what: string): string {
  const text = domString(value);
  for (let i = 0; i < text.length; i++) {
    if (text.charCodeAt(i) > 255) throw new TypeError(`${what} has the character ${JSON.stringify(text[i])} at ${i}, which is no byte`);
  }
  return text;
}

/** A dictionary or nothing; primitives are refused. */
export function dictionary<T extends object>(value: unknown, what: string): Partial<T> {
  if (value === undefined || value === null) return {};
  if (typeof value !== "object" && typeof value !== "function") throw new TypeError(`${what} is not an object`);
  return value as Partial<T>;
}

/** A member of an enumeration. */
export function enumeration<T extends string>(value: unknown, members: readonly T[], what: string): T {
  const text = domString(value);
  if (!members.includes(text as T)) throw new TypeError(`${what} is "${text}", not one of "${members.join('", "')}"`);
  return text as T;
}

const limits = { "unsigned short": 65_535, "unsigned long": 4_294_967_295, "unsigned long long": 9_007_199_254_740_991 };

/** An integer with [EnforceRange]. */
export function enforceRange(value: unknown, type: keyof typeof limits, what: string): number {
  const n = Math.trunc(+(value as number));
  if (!(n >= 0 && n <= limits[type])) throw new TypeError(`${what} is outside of 0 to ${limits[type]}`);
  return n + 0;
}

/** long long with [Clamp] */
export function clamp(value: unknown): number {
  const n = +(value as number);
  if (n !== n) return 0;
  return roundToEven(n < -limits["unsigned long long"] ? -limits["unsigned long long"] : n > limits["unsigned long long"] ? limits["unsigned long long"] : n);
}

function roundToEven(n: number): number {
  const floor = Math.floor(n);
  const rest = n - floor;
  if (rest < 0.5) return floor + 0;
  return rest > 0.5 || floor % 2 !== 0 ? floor + 1 : floor + 0;
}

/** Bytes of a BufferSource without copying; undefined if the value is none. */
export function bytesOf(value: unknown): Uint8Array | undefined {
  if (ArrayBuffer.isView(value)) {
    return value instanceof Uint8Array && value.constructor === Uint8Array ? value : new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  }
  if (isBuffer(value)) return new Uint8Array(value);
  return undefined;
}

const byteLength = getOwnPropertyDescriptor(ArrayBuffer.prototype, "byteLength")!.get!;
const sharedByteLength = getOwnPropertyDescriptor(SharedArrayBuffer.prototype, "byteLength")!.get!;

/** Whether the value is an ArrayBuffer, whatever its prototype says. */
export function isArrayBuffer(value: unknown): value is ArrayBuffer {
  return isA(byteLength, value);
}

/** Whether the value is a SharedArrayBuffer. */
export function isSharedArrayBuffer(value: unknown): value is SharedArrayBuffer {
  return isA(sharedByteLength, value);
}

function isBuffer(value: unknown): value is ArrayBuffer {
  return isArrayBuffer(value) || isSharedArrayBuffer(value);
}

function isA(getter: () => unknown, value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  try {
    apply(getter, value, []);
    return true;
  } catch {
    return false;
  }
}

const interfacePrototypes = new WeakSet<object>();

/** Whether the object is an interface's prototype. */
export function isInterfacePrototype(value: object): boolean {
  return interfacePrototypes.has(value);
}

/** Gives a class the shape of a WebIDL interface: enumerable members, a toStringTag, constants on both sides. */
export function defineInterface(interfaceObject: abstract new (...args: never) => object, name: string, constants?: Record<string, number>): void {
  const prototype = interfaceObject.prototype as object;
  interfacePrototypes.add(prototype);
  // The bundler renames classes whose name is also that of a global.
  defineProperty(interfaceObject, "name", { value: name, configurable: true });
  for (const key of ownKeys(prototype)) {
    if (key === "constructor" || typeof key === "symbol") continue;
    defineProperty(prototype, key, { ...getOwnPropertyDescriptor(prototype, key), enumerable: true });
  }
  for (const key of ownKeys(interfaceObject)) {
    const own = getOwnPropertyDescriptor(interfaceObject, key)!;
    if (key === "length" || key === "name" || key === "prototype" || typeof key === "symbol") continue;
    defineProperty(interfaceObject, key, { ...own, enumerable: true });
  }
  defineProperty(prototype, Symbol.toStringTag, { value: name, configurable: true });
  for (const key in constants) {
    const property = { value: constants[key], enumerable: true };
    defineProperty(prototype, key, property);
    defineProperty(interfaceObject, key, property);
  }
}

/** Defines a property that does not show in enumerations, as the global object has them. */
export function hidden(target: object, key: PropertyKey, value: unknown): void {
  defineProperty(target, key, { value, writable: true, configurable: true });
}
