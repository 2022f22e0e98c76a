// https://streams.spec.whatwg.org/#ts-class

import { RangeErrorCtor, call1 } from "./intrinsics.ts";
import { defineInterface } from "../webidl.ts";
import { Eventual, fulfill, resolveWithValue } from "./eventual.ts";
import { callbackMember, highWaterMarkOf, invoke, invoke1, sizeOf, toOptionalObject, toStrategy } from "./convert.ts";
import { internal, onlyInternal } from "./token.ts";
import { Transform, initialize, terminate, transformEnqueue, transformError, type TransformController } from "./transform.ts";
import { desiredSize, type DefaultController } from "./readable_default.ts";
import { wrapReadable, type ReadableStream } from "./readable_class.ts";
import { wrapWritable, type WritableStream } from "./writable_class.ts";

export class TransformStreamDefaultController {
  #c: TransformController;
  constructor(token: unknown = undefined, controller: TransformController = undefined!) {
    onlyInternal(token);
    this.#c = controller;
    controller.wrapper = this;
  }
  get desiredSize(): number | null { return desiredSize(this.#c.stream.readable.controller as DefaultController); }
  enqueue(chunk: unknown = undefined): void { transformEnqueue(this.#c, chunk); }
  error(reason: unknown = undefined): void { transformError(this.#c, reason); }
  terminate(): void { terminate(this.#c); }
}
defineInterface(TransformStreamDefaultController, "TransformStreamDefaultController");

function construct(rawTransformer: unknown, rawWritable: unknown, rawReadable: unknown): Transform {
  const what = "The transformer";
  const transformer: any = toOptionalObject(rawTransformer, what);
  const writableStrategy = toStrategy(rawWritable);
  const readableStrategy = toStrategy(rawReadable);
  const member = (name: string) => transformer === null ? undefined : callbackMember(transformer, name, what);
  const onCancel = member("cancel");
  const onFlush = member("flush");
  const readableType = transformer === null ? undefined : transformer.readableType;
  const onStart = member("start");
  const onTransform = member("transform");
  const writableType = transformer === null ? undefined : transformer.writableType;
  if (readableType !== undefined) throw new RangeErrorCtor(`${what}'s readableType must be undefined`);
  if (writableType !== undefined) throw new RangeErrorCtor(`${what}'s writableType must be undefined`);
  const readableMark = highWaterMarkOf(readableStrategy, 0);
  const writableMark = highWaterMarkOf(writableStrategy, 1);
  const started = new Eventual(true);
  const c = initialize(started, writableMark, sizeOf(writableStrategy), readableMark, sizeOf(readableStrategy));
  const wrapper = new TransformStreamDefaultController(internal, c);
  if (onTransform !== undefined) c.transform = (chunk) => invoke(onTransform, transformer, chunk, wrapper);
  if (onFlush !== undefined) c.flush = () => invoke1(onFlush, transformer, wrapper);
  if (onCancel !== undefined) c.cancel = (reason) => invoke1(onCancel, transformer, reason);
  if (onStart === undefined) fulfill(started);
  else resolveWithValue(started, call1(onStart, transformer, wrapper));
  return c.stream;
}

export class TransformStream {
  #t: Transform;
  constructor(transformer: unknown = undefined, writableStrategy: unknown = undefined, readableStrategy: unknown = undefined) {
    this.#t = transformer === internal ? writableStrategy as Transform : construct(transformer, writableStrategy, readableStrategy);
    this.#t.wrapper = this;
  }
  get readable(): ReadableStream { return wrapReadable(this.#t.readable); }
  get writable(): WritableStream { return wrapWritable(this.#t.writable); }
}
defineInterface(TransformStream, "TransformStream");
