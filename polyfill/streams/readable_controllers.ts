// The controllers and the BYOB request as users see them,
// https://streams.spec.whatwg.org/#rs-default-controller-class and following.

import { TypeErrorCtor, bufferByteLength, bufferDetached, viewParts } from "./intrinsics.ts";
import { defineInterface, enforceRange, required } from "../webidl.ts";
import { toView } from "./convert.ts";
import { internal, onlyInternal } from "./token.ts";
import { canCloseOrEnqueue, defaultClose, defaultEnqueue, defaultError, desiredSize, refuse, type DefaultController } from "./readable_default.ts";
import {
  byobRequest, byteClose, byteEnqueue, byteError, respond, respondWithNewView, type ByobRequest, type ByteController,
} from "./readable_byte.ts";
import { READABLE } from "./readable.ts";

export class ReadableStreamDefaultController {
  #c: DefaultController;
  constructor(token: unknown = undefined, controller: DefaultController = undefined!) {
    onlyInternal(token);
    this.#c = controller;
    controller.wrapper = this;
  }
  get desiredSize(): number | null { return desiredSize(this.#c); }
  close(): void {
    const c = this.#c;
    if (!canCloseOrEnqueue(c)) throw refuse(c, "close");
    defaultClose(c);
  }
  enqueue(chunk: unknown = undefined): void {
    const c = this.#c;
    if (!canCloseOrEnqueue(c)) throw refuse(c, "enqueue");
    defaultEnqueue(c, chunk);
  }
  error(reason: unknown = undefined): void { defaultError(this.#c, reason); }
}
defineInterface(ReadableStreamDefaultController, "ReadableStreamDefaultController");

export class ReadableByteStreamController {
  #c: ByteController;
  constructor(token: unknown = undefined, controller: ByteController = undefined!) {
    onlyInternal(token);
    this.#c = controller;
    controller.wrapper = this;
  }
  get byobRequest(): ReadableStreamBYOBRequest | null {
    const request = byobRequest(this.#c);
    if (request === null) return null;
    return (request.wrapper as ReadableStreamBYOBRequest | null) ?? new ReadableStreamBYOBRequest(internal, request);
  }
  get desiredSize(): number | null { return desiredSize(this.#c); }
  close(): void {
    const c = this.#c;
    if (c.closeRequested || c.stream.state !== READABLE) throw refuse(c, "close");
    byteClose(c);
  }
  enqueue(chunk: ArrayBufferView): void {
    const c = this.#c;
    required(arguments.length, 1, "enqueue()");
    const { buffer, byteLength } = viewParts(toView(chunk, "The chunk"));
    if (byteLength === 0) throw new TypeErrorCtor("The chunk must not be empty");
    if (bufferByteLength(buffer) === 0) throw new TypeErrorCtor("The chunk's buffer must not be empty");
    if (c.closeRequested || c.stream.state !== READABLE) throw refuse(c, "enqueue");
    byteEnqueue(c, chunk);
  }
  error(reason: unknown = undefined): void { byteError(this.#c, reason); }
}
defineInterface(ReadableByteStreamController, "ReadableByteStreamController");

export class ReadableStreamBYOBRequest {
  #r: ByobRequest;
  constructor(token: unknown = undefined, request: ByobRequest = undefined!) {
    onlyInternal(token);
    this.#r = request;
    request.wrapper = this;
  }
  get view(): Uint8Array | null { return this.#r.view; }
  respond(bytesWritten: number): void {
    const request = this.#r;
    required(arguments.length, 1, "respond()");
    const n = enforceRange(bytesWritten, "unsigned long long", "bytesWritten");
    respond(usable(request), n);
  }
  respondWithNewView(view: ArrayBufferView): void {
    const request = this.#r;
    required(arguments.length, 1, "respondWithNewView()");
    const { buffer } = viewParts(toView(view, "The view"));
    const c = request.controller;
    if (c === null) throw answered();
    if (bufferDetached(buffer)) throw new TypeErrorCtor("The view's ArrayBuffer is detached");
    respondWithNewView(c, view);
  }
}
defineInterface(ReadableStreamBYOBRequest, "ReadableStreamBYOBRequest");

function answered(): TypeError {
  return new TypeErrorCtor("The BYOB request was answered or is no longer valid");
}

function usable(request: ByobRequest): ByteController {
  const c = request.controller;
  if (c === null) throw answered();
  if (bufferDetached(viewParts(request.view!).buffer)) throw new TypeErrorCtor("The request's view was transferred: its ArrayBuffer is detached");
  return c;
}
