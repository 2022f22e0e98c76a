// https://compression.spec.whatwg.org/; the Go half is compression.go.
import { host } from "../polyfill/host.ts";
import { TransformStream, TransformStreamDefaultController, type ReadableStream, type WritableStream } from "../polyfill/streams.ts";
import { bytesOf, defineInterface, enumeration, hidden, isSharedArrayBuffer, required } from "../polyfill/webidl.ts";

const open = host.op<number>("compression.open");
const feed = host.op<undefined>("compression.feed");
const take = host.op<ArrayBuffer>("compression.read");
const close = host.op<undefined>("compression.close");

const apply = Reflect.apply;
const Bytes = Uint8Array;
const { enqueue } = TransformStreamDefaultController.prototype;
const getterOf = (name: "readable" | "writable") => Object.getOwnPropertyDescriptor(TransformStream.prototype, name)!.get!;
const readableOf = getterOf("readable");
const writableOf = getterOf("writable");

const formats = ["deflate", "deflate-raw", "gzip"] as const;

/** A transform whose Go half is opened by its first chunk. */
function transform(format: string, decompress: boolean): TransformStream {
  let handle = 0;
  const push = (bytes: Uint8Array | undefined, end: boolean, controller: TransformStreamDefaultController) => {
    if (handle === 0) handle = open({ format, decompress });
    feed({ handle, end }, bytes);
    for (;;) {
      const output = take(handle);
      if (output.byteLength === 0) return;
      apply(enqueue, controller, [new Bytes(output)]);
    }
  };
  const stop = () => { if (handle !== 0) close(handle); };
  return new TransformStream({
    __proto__: null,
    transform(chunk: unknown, controller: TransformStreamDefaultController) {
      const bytes = bytesOf(chunk);
      if (bytes === undefined || isSharedArrayBuffer(bytes.buffer)) {
        stop();
        throw new TypeError("The chunk is not an ArrayBuffer or a view of one");
      }
      push(bytes, false, controller);
    },
    flush(controller: TransformStreamDefaultController) { push(undefined, true, controller); },
    cancel: stop,
  });
}

/** https://compression.spec.whatwg.org/#compressionstream */
export class CompressionStream {
  #transform: TransformStream;
  constructor(format: "deflate" | "deflate-raw" | "gzip") {
    required(arguments.length, 1, "CompressionStream()");
    this.#transform = transform(enumeration(format, formats, "The format"), false);
  }
  get readable(): ReadableStream { return apply(readableOf, this.#transform, []) as ReadableStream; }
  get writable(): WritableStream { return apply(writableOf, this.#transform, []) as WritableStream; }
}
defineInterface(CompressionStream, "CompressionStream");

/** https://compression.spec.whatwg.org/#decompressionstream */
export class DecompressionStream {
  #transform: TransformStream;
  constructor(format: "deflate" | "deflate-raw" | "gzip") {
    required(arguments.length, 1, "DecompressionStream()");
    this.#transform = transform(enumeration(format, formats, "The format"), true);
  }
  get readable(): ReadableStream { return apply(readableOf, this.#transform, []) as ReadableStream; }
  get writable(): WritableStream { return apply(writableOf, this.#transform, []) as WritableStream; }
}
defineInterface(DecompressionStream, "DecompressionStream");

/** Makes the operations reachable for the shim of node:zlib, under Symbol.for("agentrt.zlib"). */
export function installNodeZlib(): void {
  hidden(globalThis, Symbol.for("agentrt.zlib"), Object.freeze({
    open: (format: string, decompress: boolean, level?: number) => open({ format, decompress, level }),
    feed: (handle: number, bytes: Uint8Array | undefined, end: boolean) => feed({ handle, end }, bytes),
    read: (handle: number) => take(handle),
    close: (handle: number) => close(handle),
  }));
}
