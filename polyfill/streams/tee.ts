// https://streams.spec.whatwg.org/#abstract-opdef-readablestreamtee

import { Uint8ArrayCtor, bufferSlice, viewParts } from "./intrinsics.ts";
import { Eventual, enqueueJob, fulfill, react, resolve, type Outcome } from "./eventual.ts";
import { Readable, Reader, cancel, read, release, type ReadRequest } from "./readable.ts";
import { createReadable, defaultClose, defaultEnqueue, defaultError, type DefaultController } from "./readable_default.ts";
import {
  ByteController, byobRequest, byteClose, byteEnqueue, byteError, createReadableBytes, readInto, respond, respondWithNewView,
} from "./readable_byte.ts";

/** Both branches of a stream; the stream is locked from now on. */
export function tee(stream: Readable): [Readable, Readable] {
  return stream.controller.bytes ? new ByteTee(stream).branches() : new DefaultTee(stream).branches();
}

abstract class Tee {
  stream: Readable;
  reader: Reader;
  reading = false;
  canceled = [false, false];
  reasons: unknown[] = [undefined, undefined];
  branch: [Readable, Readable] = null!;
  cancelResult = new Eventual(false);
  constructor(stream: Readable) {
    this.stream = stream;
    this.reader = new Reader(stream, false);
  }
  cancel(which: number, reason: unknown): Outcome {
    this.canceled[which] = true;
    this.reasons[which] = reason;
    if (this.canceled[1 - which]) resolve(this.cancelResult, cancel(this.stream, [this.reasons[0], this.reasons[1]]));
    return this.cancelResult;
  }
  finish(): void {
    if (!this.canceled[0] || !this.canceled[1]) fulfill(this.cancelResult);
  }
}

function nothing(): undefined {}

class DefaultTee extends Tee implements ReadRequest {
  readAgain = false;
  branches(): [Readable, Readable] {
    const pull = () => this.pull();
    this.branch = [
      createReadable(undefined, pull, (reason) => this.cancel(0, reason)),
      createReadable(undefined, pull, (reason) => this.cancel(1, reason)),
    ];
    react<DefaultTee>(this.reader.closed, this, nothing, DefaultTee.failed);
    return this.branch;
  }
  static failed(t: DefaultTee, reason: unknown): void {
    defaultError(t.controller(0), reason);
    defaultError(t.controller(1), reason);
    t.finish();
  }
  controller(which: number): DefaultController {
    return this.branch[which]!.controller as DefaultController;
  }
  pull(): undefined {
    if (this.reading) {
      this.readAgain = true;
      return;
    }
    this.reading = true;
    read(this.reader, this);
  }
  chunk(value: unknown): void {
    enqueueJob(DefaultTee.deliver, this, value);
  }
  static deliver(t: DefaultTee, value: unknown): void {
    t.readAgain = false;
    if (!t.canceled[0]) defaultEnqueue(t.controller(0), value);
    if (!t.canceled[1]) defaultEnqueue(t.controller(1), value);
    t.reading = false;
    if (t.readAgain) t.pull();
  }
  close(): void {
    this.reading = false;
    if (!this.canceled[0]) defaultClose(this.controller(0));
    if (!this.canceled[1]) defaultClose(this.controller(1));
    this.finish();
  }
  error(): void {
    this.reading = false;
  }
}

class ByteTee extends Tee implements ReadRequest {
  readAgain = [false, false];
  branches(): [Readable, Readable] {
    this.branch = [
      createReadableBytes(() => this.pull(0), (reason) => this.cancel(0, reason)),
      createReadableBytes(() => this.pull(1), (reason) => this.cancel(1, reason)),
    ];
    this.forward();
    return this.branch;
  }
  controller(which: number): ByteController {
    return this.branch[which]!.controller as ByteController;
  }
  /** Errors of the source reach the branches as long as the reader is the present one. */
  forward(): void {
    const { reader } = this;
    react(reader.closed, this, nothing, (t: ByteTee, reason) => {
      if (t.reader !== reader) return;
      byteError(t.controller(0), reason);
      byteError(t.controller(1), reason);
      t.finish();
    });
  }
  use(byob: boolean): void {
    if (this.reader.byob === byob) return;
    release(this.reader);
    this.reader = new Reader(this.stream, byob);
    this.forward();
  }
  pull(which: number): undefined {
    if (this.reading) {
      this.readAgain[which] = true;
      return;
    }
    this.reading = true;
    const request = byobRequest(this.controller(which));
    if (request === null) {
      this.use(false);
      read(this.reader, this);
    } else {
      this.use(true);
      readInto(this.reader, request.view!, 1, new ByteTeeInto(this, which));
    }
  }
  again(): void {
    this.reading = false;
    if (this.readAgain[0]) this.pull(0);
    else if (this.readAgain[1]) this.pull(1);
  }
  /** Copies a chunk; a failure ends both branches and cancels the source. */
  clone(view: ArrayBufferView): Uint8Array | null {
    try {
      const { buffer, byteOffset, byteLength } = viewParts(view);
      return new Uint8ArrayCtor(bufferSlice(buffer, byteOffset, byteOffset + byteLength));
    } catch (e) {
      byteError(this.controller(0), e);
      byteError(this.controller(1), e);
      resolve(this.cancelResult, cancel(this.stream, e));
      return null;
    }
  }
  chunk(value: Uint8Array): void {
    enqueueJob(ByteTee.deliver, this, value);
  }
  static deliver(t: ByteTee, value: Uint8Array): void {
    t.readAgain = [false, false];
    let second: Uint8Array | null = value;
    if (!t.canceled[0] && !t.canceled[1] && (second = t.clone(value)) === null) return;
    if (!t.canceled[0]) byteEnqueue(t.controller(0), value);
    if (!t.canceled[1]) byteEnqueue(t.controller(1), second);
    t.again();
  }
  close(): void {
    this.reading = false;
    for (let i = 0; i < 2; i++) if (!this.canceled[i]) byteClose(this.controller(i));
    for (let i = 0; i < 2; i++) if (this.controller(i).pending.length > 0) respond(this.controller(i), 0);
    this.finish();
  }
  error(): void {
    this.reading = false;
  }
}

/** The read-into request for one branch; the other one gets a copy. */
class ByteTeeInto implements ReadRequest {
  tee: ByteTee;
  which: number;
  constructor(tee: ByteTee, which: number) {
    this.tee = tee;
    this.which = which;
  }
  chunk(value: ArrayBufferView): void {
    enqueueJob(ByteTeeInto.deliver, this, value);
  }
  static deliver(request: ByteTeeInto, value: ArrayBufferView): void {
    const { tee: t, which } = request;
    const other = 1 - which;
    t.readAgain = [false, false];
    if (!t.canceled[other]) {
      const copy = t.clone(value);
      if (copy === null) return;
      if (!t.canceled[which]) respondWithNewView(t.controller(which), value);
      byteEnqueue(t.controller(other), copy);
    } else if (!t.canceled[which]) {
      respondWithNewView(t.controller(which), value);
    }
    t.again();
  }
  close(value: ArrayBufferView | undefined): void {
    const { tee: t, which } = this;
    const other = 1 - which;
    t.reading = false;
    if (!t.canceled[which]) byteClose(t.controller(which));
    if (!t.canceled[other]) byteClose(t.controller(other));
    if (value !== undefined) {
      if (!t.canceled[which]) respondWithNewView(t.controller(which), value);
      if (!t.canceled[other] && t.controller(other).pending.length > 0) respond(t.controller(other), 0);
    }
    t.finish();
  }
  error(): void {
    this.tee.reading = false;
  }
}
