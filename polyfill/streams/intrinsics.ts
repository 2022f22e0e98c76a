// Built-ins captured before user code can replace them. A function taken from a
// prototype becomes one that takes its receiver as the first argument.

const { bind, call } = Function.prototype;
const uncurry = bind.bind(call) as unknown as (fn: unknown) => (...args: any[]) => any;

const { apply, getOwnPropertyDescriptor, getPrototypeOf } = Reflect;
const { asyncIterator, iterator, toStringTag } = Symbol;
export { apply, asyncIterator, getPrototypeOf, iterator };
export const call1: (fn: unknown, receiver: unknown, ...args: unknown[]) => any = bind.call(call, call);
export const queueMicrotask: (job: () => void) => void = globalThis.queueMicrotask;
export const TypeErrorCtor = TypeError;
export const RangeErrorCtor = RangeError;

export function getter(target: object, key: PropertyKey): (receiver: unknown) => any {
  return uncurry(getOwnPropertyDescriptor(target, key)!.get);
}

export const PromiseCtor = Promise;
export const promiseThen: (promise: Promise<any>, ok?: (value: any) => unknown, fail?: (reason: any) => unknown) => Promise<any> =
  uncurry(Promise.prototype.then);
export const promiseReject: (reason: unknown) => Promise<any> = Promise.reject.bind(Promise);
/** Promise.resolve: only for values that are no promises, which it would return as they are. */
export const promiseFulfilled: (value?: unknown) => Promise<any> = Promise.resolve.bind(Promise);

const typedArray = getPrototypeOf(Uint8Array.prototype)!;
export const ArrayBufferCtor = ArrayBuffer;
export const Uint8ArrayCtor = Uint8Array;
const DataViewCtor = DataView;
export const isView = ArrayBuffer.isView as (value: unknown) => value is ArrayBufferView;
export const bufferTransfer: (buffer: ArrayBuffer) => ArrayBuffer = uncurry((ArrayBuffer.prototype as any).transfer);
export const bufferSlice: (buffer: ArrayBuffer, start: number, end: number) => ArrayBuffer = uncurry(ArrayBuffer.prototype.slice);
export const bufferByteLength: (buffer: ArrayBuffer) => number = getter(ArrayBuffer.prototype, "byteLength");
export const bufferDetached: (buffer: ArrayBuffer) => boolean = getter(ArrayBuffer.prototype, "detached");
export const bufferResizable: (buffer: ArrayBuffer) => boolean = getter(ArrayBuffer.prototype, "resizable");
export const bytesSet: (target: Uint8Array, source: Uint8Array, offset: number) => void = uncurry((typedArray as any).set);
export const bytesSubarray: (bytes: Uint8Array, start: number, end: number) => Uint8Array = uncurry((typedArray as any).subarray);

const typedName: (value: unknown) => string | undefined = getter(typedArray, toStringTag);
const typedBuffer = getter(typedArray, "buffer");
const typedOffset = getter(typedArray, "byteOffset");
const typedBytes = getter(typedArray, "byteLength");
const typedLength = getter(typedArray, "length");
const dataBuffer = getter(DataView.prototype, "buffer");
const dataOffset = getter(DataView.prototype, "byteOffset");
const dataBytes = getter(DataView.prototype, "byteLength");

export type ViewConstructor = new (buffer: ArrayBuffer, byteOffset: number, length: number) => ArrayBufferView;

const constructors: Record<string, ViewConstructor> = Object.create(null);
const elementSizes: Record<string, number> = Object.create(null);
for (const ctor of [
  Int8Array, Uint8Array, Uint8ClampedArray, Int16Array, Uint16Array, Int32Array, Uint32Array, Float32Array, Float64Array,
  BigInt64Array, BigUint64Array, (globalThis as any).Float16Array,
]) {
  if (ctor === undefined) continue;
  constructors[ctor.name] = ctor;
  elementSizes[ctor.name] = ctor.BYTES_PER_ELEMENT;
}

/** An ArrayBufferView taken apart by its internal slots. */
export interface ViewParts {
  buffer: ArrayBuffer;
  byteOffset: number;
  byteLength: number;
  /** Elements; undefined for a DataView. */
  length: number | undefined;
  elementSize: number;
  ctor: ViewConstructor;
}

/** Takes a view apart without asking properties that a user may have shadowed. */
export function viewParts(view: ArrayBufferView): ViewParts {
  const name = typedName(view);
  if (name === undefined) {
    return {
      buffer: dataBuffer(view), byteOffset: dataOffset(view), byteLength: dataBytes(view),
      length: undefined, elementSize: 1, ctor: DataViewCtor as ViewConstructor,
    };
  }
  return {
    buffer: typedBuffer(view), byteOffset: typedOffset(view), byteLength: typedBytes(view),
    length: typedLength(view), elementSize: elementSizes[name]!, ctor: constructors[name]!,
  };
}

export function viewBuffer(view: ArrayBufferView): ArrayBuffer {
  return typedName(view) === undefined ? dataBuffer(view) : typedBuffer(view);
}

export function isObject(value: unknown): value is object {
  return (typeof value === "object" && value !== null) || typeof value === "function";
}

export function noop(): void {}
