// https://html.spec.whatwg.org/#structured-cloning, within one realm: values are copied at once, without a serialised form.
import { Blob, File, copyBlob } from "./blob.ts";
import { QuotaExceededError } from "./quotaexceeded.ts";
import { dictionary, isArrayBuffer, isInterfacePrototype, isSharedArrayBuffer, required } from "./webidl.ts";

const apply = Reflect.apply;
const { getPrototypeOf, getOwnPropertyDescriptor, prototype: objectPrototype } = Object;
const { ownKeys } = Reflect;
const isArray = Array.isArray;
const isView = ArrayBuffer.isView;
const transferBuffer = ArrayBuffer.prototype.transfer;
const sliceBuffer = ArrayBuffer.prototype.slice;
const isDetached = getOwnPropertyDescriptor(ArrayBuffer.prototype, "detached")!.get!;
const mapEntries = Map.prototype.entries;
const setValues = Set.prototype.values;
const getTime = Date.prototype.getTime;
const regexpSource = getOwnPropertyDescriptor(RegExp.prototype, "source")!.get!;
const regexpFlags = getOwnPropertyDescriptor(RegExp.prototype, "flags")!.get!;
const typedArrayTag = getOwnPropertyDescriptor(getPrototypeOf(Uint8Array.prototype), Symbol.toStringTag)!.get!;

const viewConstructors: Record<string, new (buffer: ArrayBuffer, offset: number, length?: number) => ArrayBufferView> = {
  Int8Array, Uint8Array, Uint8ClampedArray, Int16Array, Uint16Array, Int32Array, Uint32Array, Float32Array, Float64Array, BigInt64Array, BigUint64Array,
};
const float16 = (globalThis as { Float16Array?: typeof Float32Array }).Float16Array;
if (float16 !== undefined) viewConstructors["Float16Array"] = float16;

const errorConstructors: Record<string, ErrorConstructor> = { Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError };
const uncloneable = [Promise, WeakMap, WeakSet, WeakRef, FinalizationRegistry];

const cloneables = new Map<object, (value: object) => object>();

/** Makes objects of an interface cloneable; `copy` gets one whose prototype chain has the interface's prototype. */
export function defineCloneable<T extends object>(interfaceObject: { prototype: T }, copy: (value: T) => T): void {
  cloneables.set(interfaceObject.prototype, copy as unknown as (value: object) => object);
}
defineCloneable(File, (file) => copyBlob(file) as File);
defineCloneable(Blob, copyBlob);

/** How objects of an interface are transferred. */
export interface Transfer<T extends object> {
  isDetached(value: T): boolean;
  /** Takes the contents out of the object, which is detached then, and gives another object with them. */
  transfer(value: T): T;
}

const transferables = new Map<object, Transfer<object>>();

/** Makes objects of an interface transferable. */
export function defineTransferable<T extends object>(interfaceObject: { prototype: T }, how: Transfer<T>): void {
  transferables.set(interfaceObject.prototype, how as unknown as Transfer<object>);
}

function transferOf(value: object): Transfer<object> | undefined {
  for (let p = getPrototypeOf(value); p !== null; p = getPrototypeOf(p)) {
    const how = transferables.get(p);
    if (how !== undefined) return how;
  }
  return undefined;
}

function fail(what: string): DOMException {
  return new DOMException(`${what} cannot be cloned`, "DataCloneError");
}

const ownNames = Object.keys;
const ownSymbols = Object.getOwnPropertySymbols;
const lookupGetter = (Object.prototype as unknown as { __lookupGetter__(key: string): unknown }).__lookupGetter__;
const arrayPrototype = Array.prototype;
const sliceArray = Array.prototype.slice;

/** Whether reading one of the properties runs code. */
function hasAccessor(value: object, keys: readonly string[]): boolean {
  for (let i = 0; i < keys.length; i++) if (apply(lookupGetter, value, [keys[i]]) !== undefined) return true;
  return false;
}

/** A view of a buffer that is still to be transferred, or that buffer. */
class Deferred {
  #make: () => unknown;
  #made: unknown;
  constructor(make: () => unknown) {
    this.#make = make;
  }
  get(): unknown {
    return (this.#made ??= this.#make());
  }
}

class Cloner {
  readonly #known = new Map<object, unknown>();
  readonly #transfer: Set<object>;
  readonly #transferred = new Map<object, object>();
  readonly #fixups: (() => void)[] = [];

  constructor(transfer: Iterable<object>) {
    this.#transfer = new Set();
    for (const item of transfer) {
      if (typeof item !== "object" || item === null) throw new TypeError("The transfer list has a value that is no object");
      if (!isArrayBuffer(item) && transferOf(item) === undefined) throw new DOMException("Only an ArrayBuffer or a MessagePort can be transferred here", "DataCloneError");
      if (this.#transfer.has(item)) throw new DOMException("The transfer list names an object twice", "DataCloneError");
      this.#transfer.add(item);
    }
  }

  run(value: unknown): unknown {
    const result = this.clone(value);
    for (const item of this.#transfer) {
      if (isArrayBuffer(item) ? apply(isDetached, item, []) : transferOf(item)!.isDetached(item)) throw new DOMException("An object that is to be transferred is detached", "DataCloneError");
    }
    for (const item of this.#transfer) {
      this.#transferred.set(item, isArrayBuffer(item) ? apply(transferBuffer, item, []) as ArrayBuffer : transferOf(item)!.transfer(item));
    }
    for (const fixup of this.#fixups) fixup();
    return result instanceof Deferred ? result.get() : result;
  }

  /** The objects that took the place of those in the transfer list. */
  get transferred(): object[] { return [...this.#transferred.values()]; }

  clone(value: unknown): unknown {
    switch (typeof value) {
      case "symbol":
        throw fail(String(value));
      case "function":
        throw fail(`The function ${value.name || "(anonymous)"}`);
      case "object":
        break;
      default:
        return value;
    }
    if (value === null) return null;
    const known = this.#known.get(value);
    if (known !== undefined) return known;
    if (isArray(value)) return this.#array(value);
    const prototype = getPrototypeOf(value);
    if (prototype === null || prototype === objectPrototype) return this.#object(value);
    return this.#exotic(value);
  }

  /** An object literal: its values are taken at once, and those that are objects replaced. */
  #object(value: object): object {
    const keys = ownNames(value);
    // A copy by spreading defines properties, whatever setters Object.prototype has.
    const copy: Record<string, unknown> = { ...value };
    if (hasAccessor(value, keys) || ownSymbols(copy).length > 0) return this.#properties(value, {});
    this.#known.set(value, copy);
    for (let i = 0; i < keys.length; i++) {
      const key = keys[i]!;
      const item = copy[key];
      if (typeof item === "object" ? item === null : typeof item !== "function" && typeof item !== "symbol") continue;
      const cloned = this.clone(item);
      if (cloned instanceof Deferred) this.#define(copy, key, cloned);
      else copy[key] = cloned;
    }
    return copy;
  }

  #array(value: unknown[]): unknown[] {
    const { length } = value;
    const keys = ownNames(value);
    // Holes, further properties, getters: key by key.
    if (keys.length !== length || (length > 0 && keys[length - 1] !== String(length - 1)) || hasAccessor(value, keys)) return this.#properties(value, new Array(length));
    const copy = apply(sliceArray, value, []) as unknown[];
    if (getPrototypeOf(copy) !== arrayPrototype) return this.#properties(value, new Array(length));
    this.#known.set(value, copy);
    for (let i = 0; i < length; i++) {
      const item = copy[i];
      if (typeof item === "object" ? item === null : typeof item !== "function" && typeof item !== "symbol") continue;
      const cloned = this.clone(item);
      if (cloned instanceof Deferred) this.#define(copy, String(i), cloned);
      else copy[i] = cloned;
    }
    return copy;
  }

  #remember<T>(value: object, copy: T): T {
    this.#known.set(value, copy);
    return copy;
  }

  #properties<T extends object>(value: object, copy: T): T {
    this.#remember(value, copy);
    for (const key of ownKeys(value)) {
      if (typeof key === "symbol" || !getOwnPropertyDescriptor(value, key)?.enumerable) continue;
      this.#define(copy, key, this.clone((value as Record<string, unknown>)[key]));
    }
    return copy;
  }

  #define(target: object, key: string, value: unknown, enumerable = true): void {
    const property = { value, writable: true, enumerable, configurable: true };
    if (value instanceof Deferred) {
      property.value = undefined;
      this.#fixups.push(() => Object.defineProperty(target, key, { ...property, value: value.get() }));
    }
    Object.defineProperty(target, key, property);
  }

  #exotic(value: object): unknown {
    if (isArrayBuffer(value)) return this.#buffer(value);
    if (isView(value)) return this.#view(value);
    if (isSharedArrayBuffer(value)) throw fail("A SharedArrayBuffer");
    if (this.#transfer.has(value)) return this.#remember(value, new Deferred(() => this.#transferred.get(value)));
    if (value instanceof Date && works(getTime, value)) return this.#remember(value, new Date(apply(getTime, value, [])));
    if (value instanceof Map && works(mapEntries, value)) return this.#map(value);
    if (value instanceof Set && works(setValues, value)) return this.#set(value);
    if (value instanceof RegExp && works(regexpSource, value)) {
      return this.#remember(value, new RegExp(apply(regexpSource, value, []) as string, apply(regexpFlags, value, []) as string));
    }
    for (const constructor of [Boolean, Number, String, BigInt, Symbol] as const) {
      if (!(value instanceof constructor) || !works(constructor.prototype.valueOf, value)) continue;
      if (constructor === Symbol) throw fail("A Symbol object");
      return this.#remember(value, Object(apply(constructor.prototype.valueOf, value, [])));
    }
    if (value instanceof DOMException) return this.#domException(value);
    if (value instanceof Error) return this.#error(value);
    for (const constructor of uncloneable) if (value instanceof constructor) throw fail(`A ${constructor.name}`);
    for (let p = getPrototypeOf(value); p !== null; p = getPrototypeOf(p)) {
      const copy = cloneables.get(p);
      if (copy !== undefined) return this.#remember(value, copy(value));
      if (isInterfacePrototype(p)) throw fail(`An object of ${p[Symbol.toStringTag] ?? "the platform"}`);
    }
    return this.#properties(value, {});
  }

  #buffer(value: ArrayBuffer): unknown {
    if (this.#transfer.has(value)) return this.#remember(value, new Deferred(() => this.#transferred.get(value)));
    if (apply(isDetached, value, [])) throw fail("A detached ArrayBuffer");
    const { maxByteLength, resizable } = value as { maxByteLength?: number; resizable?: boolean };
    if (!resizable) return this.#remember(value, apply(sliceBuffer, value, [0]));
    const Resizable = ArrayBuffer as unknown as new (length: number, options: { maxByteLength: number }) => ArrayBuffer;
    const copy = new Resizable(value.byteLength, { maxByteLength: maxByteLength! });
    new Uint8Array(copy).set(new Uint8Array(value));
    return this.#remember(value, copy);
  }

  #view(value: ArrayBufferView): unknown {
    const buffer = this.clone(value.buffer) as ArrayBuffer | Deferred;
    const name = apply(typedArrayTag, value, []) as string | undefined;
    const { byteOffset } = value;
    const Constructor = name === undefined ? DataView : viewConstructors[name]!;
    // A view without a fixed length follows its resizable buffer.
    const tracks = !(value.buffer as { resizable?: boolean }).resizable ? false : tracksLength(value);
    const length = tracks ? undefined : name === undefined ? value.byteLength : (value as Uint8Array).length;
    const make = (store: ArrayBuffer) => new Constructor(store, byteOffset, length);
    return this.#remember(value, buffer instanceof Deferred ? new Deferred(() => make(buffer.get() as ArrayBuffer)) : make(buffer));
  }

  #map(value: Map<unknown, unknown>): Map<unknown, unknown> {
    const copy = this.#remember(value, new Map<unknown, unknown>());
    const entries = [...(apply(mapEntries, value, []) as Iterable<[unknown, unknown]>)].map(([k, v]) => [this.clone(k), this.clone(v)]);
    this.#fill(entries.flat(), () => {
      for (const [k, v] of entries) copy.set(settle(k), settle(v));
    });
    return copy;
  }

  #set(value: Set<unknown>): Set<unknown> {
    const copy = this.#remember(value, new Set<unknown>());
    const values = [...(apply(setValues, value, []) as Iterable<unknown>)].map((v) => this.clone(v));
    this.#fill(values, () => {
      for (const v of values) copy.add(settle(v));
    });
    return copy;
  }

  /** Fills a collection at once, or after the transfer if one of its items waits for that. */
  #fill(items: unknown[], fill: () => void): void {
    if (items.some((item) => item instanceof Deferred)) this.#fixups.push(fill);
    else fill();
  }

  #error(value: Error): Error {
    const name = String(value.name);
    const own = (key: string) => {
      const property = getOwnPropertyDescriptor(value, key);
      return property !== undefined && "value" in property ? property : undefined;
    };
    const Constructor = Object.hasOwn(errorConstructors, name) ? errorConstructors[name]! : Error;
    const copy = this.#remember(value, new Constructor());
    const message = own("message");
    if (message !== undefined) this.#define(copy, "message", `${message.value}`, false);
    if (typeof value.stack === "string") this.#define(copy, "stack", value.stack, false);
    const cause = own("cause");
    if (cause !== undefined) this.#define(copy, "cause", this.clone(cause.value), false);
    return copy;
  }

  #domException(value: DOMException): DOMException {
    const copy = this.#remember(value, value instanceof QuotaExceededError
      ? new QuotaExceededError(value.message, { quota: value.quota ?? undefined, requested: value.requested ?? undefined })
      : new DOMException(value.message, value.name));
    if (typeof value.stack === "string") this.#define(copy, "stack", value.stack, false);
    return copy;
  }
}

function settle(value: unknown): unknown {
  return value instanceof Deferred ? value.get() : value;
}

/** Whether a method accepts the object, so that it has the internal slot that the method reads. */
function works(method: Function, value: object): boolean {
  try {
    apply(method, value, []);
    return true;
  } catch {
    return false;
  }
}

/** Whether a view of a resizable buffer has no length of its own: it then ends where the buffer ends. */
function tracksLength(view: ArrayBufferView): boolean {
  return view.byteOffset + view.byteLength === view.buffer.byteLength;
}

export interface StructuredSerializeOptions {
  transfer?: Iterable<object>;
}

/**
 * https://html.spec.whatwg.org/#dom-structuredclone. Errors keep message, stack and cause. Streams cannot be
 * transferred here; deep nesting ends in a RangeError.
 */
export function structuredClone<T>(value: T, options: StructuredSerializeOptions | undefined = undefined): T {
  required(arguments.length, 1, "structuredClone()");
  const { transfer = [] } = dictionary<StructuredSerializeOptions>(options, "structuredClone()'s options");
  return new Cloner(transfer).run(value) as T;
}

/** https://html.spec.whatwg.org/#structuredserializewithtransfer, deserialised at once. */
export function cloneWithTransfer(value: unknown, transfer: Iterable<object>): { value: unknown; transferred: object[] } {
  const cloner = new Cloner(transfer);
  return { value: cloner.run(value), transferred: cloner.transferred };
}
