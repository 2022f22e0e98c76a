// https://streams.spec.whatwg.org/
//
// The classes below hold internal objects (streams/readable.ts, writable.ts, transform.ts); readableOf and writableOf
// get them, wrapReadable and wrapWritable show one to users. Other files of the platform work on the internal objects,
// which no user code can reach or replace: createReadable, createReadableBytes, Reader and read, pipeTo, tee.
export { ByteLengthQueuingStrategy, CountQueuingStrategy } from "./streams/strategies.ts";
export { ReadableStream, isReadableStream, readableOf, wrapReadable } from "./streams/readable_class.ts";
export { ReadableStreamBYOBReader, ReadableStreamDefaultReader } from "./streams/readers.ts";
export { ReadableByteStreamController, ReadableStreamBYOBRequest, ReadableStreamDefaultController } from "./streams/readable_controllers.ts";
export { WritableStream, WritableStreamDefaultController, WritableStreamDefaultWriter, wrapWritable, writableOf } from "./streams/writable_class.ts";
export { TransformStream, TransformStreamDefaultController } from "./streams/transform_class.ts";
