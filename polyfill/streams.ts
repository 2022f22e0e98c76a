// https://streams.spec.whatwg.org/
export { ByteLengthQueuingStrategy, CountQueuingStrategy } from "./streams/strategies.ts";
export { ReadableStream, isReadableStream, readableOf, wrapReadable } from "./streams/readable_class.ts";
export { ReadableStreamBYOBReader, ReadableStreamDefaultReader } from "./streams/readers.ts";
export { ReadableByteStreamController, ReadableStreamBYOBRequest, ReadableStreamDefaultController } from "./streams/readable_controllers.ts";
export { WritableStream, WritableStreamDefaultController, WritableStreamDefaultWriter, wrapWritable, writableOf } from "./streams/writable_class.ts";
export { TransformStream, TransformStreamDefaultController } from "./streams/transform_class.ts";
