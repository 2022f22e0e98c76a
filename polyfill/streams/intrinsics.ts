// Built-ins captured before user code can replace them. A function taken from a
// prototype becomes one that takes its receiver as the first argument.

const { bind, call } = Function.prototype;
const uncurry = bind.bind(call) as unknown as (fn: unknown) => (...args: any[]) => any;

const { apply, getOwnPropertyDescriptor, getPrototypeOf } = Reflect;
const { toStringTag } = Symbol;
export { apply };
export const TypeErrorCtor = TypeError;
export const RangeErrorCtor = RangeError;

export function getter(target: object, key: PropertyKey): (receiver: unknown) => any {
  return uncurry(getOwnPropertyDescriptor(target, key)!.get);
}

export const promiseThen: (promise: Promise<any>, ok?: (value: any) => unknown, fail?: (reason: any) => unknown) => Promise<any> =
  uncurry(Promise.prototype.then);
export const promiseReject: (reason: unknown) => Promise<any> = Promise.reject.bind(Promise);
/** Promise.resolve: only for values that are no promises, which it would return as they are. */
export const promiseFulfilled: (value?: unknown) => Promise<any> = Promise.resolve.bind(Promise);

const typedArray = getPrototypeOf(Uint8Array.prototype)!;
export const Uint8ArrayCtor = Uint8Array;
export const isView = ArrayBuffer.isView as (value: unknown) => value is ArrayBufferView;
export const bufferByteLength: (buffer: ArrayBuffer) => number = getter(ArrayBuffer.prototype, "byteLength");
export const bytesSet: (target: Uint8Array, source: Uint8Array, offset: number) => void = uncurry((typedArray as any).set);
export const bytesSubarray: (bytes: Uint8Array, start: number, end: number) => Uint8Array = uncurry((typedArray as any).subarray);

const typedName: (value: unknown) => string | undefined = getter(typedArray, toStringTag);
const typedBuffer = getter(typedArray, "buffer");
const typedOffset = getter(typedArray, "byteOffset");
const typedBytes = getter(typedArray, "byteLength");
const dataBuffer = getter(DataView.prototype, "buffer");
const dataOffset = getter(DataView.prototype, "byteOffset");
const dataBytes = getter(DataView.prototype, "byteLength");

/** An ArrayBufferView taken apart by its internal slots. */
export interface ViewParts {
  buffer: ArrayBuffer;
  byteOffset: number;
  byteLength: number;
}

/** Takes a view apart without asking properties that a user may have shadowed. */
export function viewParts(view: ArrayBufferView): ViewParts {
  return typedName(view) === undefined
    ? { buffer: dataBuffer(view), byteOffset: dataOffset(view), byteLength: dataBytes(view) }
    : { buffer: typedBuffer(view), byteOffset: typedOffset(view), byteLength: typedBytes(view) };
}
