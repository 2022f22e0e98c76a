// https://nodejs.org/api/util.html#utiltypes

/** Whether a getter or method of an intrinsic accepts the value, so that it has the internal slot. */
function hasSlot(prototype: object, key: PropertyKey): (value: unknown) => boolean {
  const property = Object.getOwnPropertyDescriptor(prototype, key)!;
  const probe = (property.get ?? property.value) as () => unknown;
  return (value) => {
    if (typeof value !== "object" || value === null) return false;
    try {
      Reflect.apply(probe, value, []);
      return true;
    } catch {
      return false;
    }
  };
}

const typedArrayName = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(Uint8Array.prototype), Symbol.toStringTag)!.get!;
const named = (name: string) => (value: unknown): boolean => ArrayBuffer.isView(value) && Reflect.apply(typedArrayName, value, []) === name;
const tagged = (...tags: string[]) => (value: unknown): boolean => typeof value === "function" && tags.includes(Object.prototype.toString.call(value));

export const isDate = hasSlot(Date.prototype, "getTime");
export const isMap = hasSlot(Map.prototype, "size");
export const isSet = hasSlot(Set.prototype, "size");
export const isArrayBuffer = hasSlot(ArrayBuffer.prototype, "byteLength");
export const isSharedArrayBuffer = hasSlot(SharedArrayBuffer.prototype, "byteLength");
export const isRegExp = (value: unknown): boolean => value !== RegExp.prototype && hasSlot(RegExp.prototype, "source")(value);
export const isDataView = (value: unknown): boolean => ArrayBuffer.isView(value) && Reflect.apply(typedArrayName, value, []) === undefined;
export const isNumberObject = hasSlot(Number.prototype, "valueOf");
export const isStringObject = hasSlot(String.prototype, "valueOf");
export const isBooleanObject = hasSlot(Boolean.prototype, "valueOf");
export const isBigIntObject = hasSlot(BigInt.prototype, "valueOf");
export const isSymbolObject = hasSlot(Symbol.prototype, "valueOf");
export const isWeakMap = (value: unknown): boolean => value instanceof WeakMap;
export const isWeakSet = (value: unknown): boolean => value instanceof WeakSet;
export const isPromise = (value: unknown): boolean => value instanceof Promise;
export const isNativeError = (value: unknown): boolean => value instanceof Error;
export const isAnyArrayBuffer = (value: unknown): boolean => isArrayBuffer(value) || isSharedArrayBuffer(value);
export const isArrayBufferView = (value: unknown): boolean => ArrayBuffer.isView(value);
export const isTypedArray = (value: unknown): boolean => ArrayBuffer.isView(value) && !isDataView(value);
export const isBoxedPrimitive = (value: unknown): boolean =>
  isNumberObject(value) || isStringObject(value) || isBooleanObject(value) || isBigIntObject(value) || isSymbolObject(value);
export const isAsyncFunction = tagged("[object AsyncFunction]", "[object AsyncGeneratorFunction]");
export const isGeneratorFunction = tagged("[object GeneratorFunction]", "[object AsyncGeneratorFunction]");
const objectTag = (...tags: string[]) => (value: unknown): boolean => typeof value === "object" && value !== null && tags.includes(Object.prototype.toString.call(value));
export const isGeneratorObject = objectTag("[object Generator]", "[object AsyncGenerator]");
export const isMapIterator = objectTag("[object Map Iterator]");
export const isSetIterator = objectTag("[object Set Iterator]");
export const isArgumentsObject = objectTag("[object Arguments]");
export const isModuleNamespaceObject = objectTag("[object Module]");
/** A proxy cannot be told from its target here. */
export const isProxy = (_value: unknown): boolean => false;
export const isExternal = (_value: unknown): boolean => false;
export const isCryptoKey = objectTag("[object CryptoKey]");
export const isKeyObject = objectTag("[object KeyObject]");
export const isInt8Array = named("Int8Array");
export const isUint8Array = named("Uint8Array");
export const isUint8ClampedArray = named("Uint8ClampedArray");
export const isInt16Array = named("Int16Array");
export const isUint16Array = named("Uint16Array");
export const isInt32Array = named("Int32Array");
export const isUint32Array = named("Uint32Array");
export const isFloat16Array = named("Float16Array");
export const isFloat32Array = named("Float32Array");
export const isFloat64Array = named("Float64Array");
export const isBigInt64Array = named("BigInt64Array");
export const isBigUint64Array = named("BigUint64Array");
export * as default from "./util_types.ts";
