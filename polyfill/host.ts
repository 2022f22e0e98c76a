import type { Utf8 } from "./encoding/utf8.ts";
import type { Machinery } from "./streams/internals.ts";

/** One host operation: head is any JSON value, body an ArrayBuffer or a view of one. */
export type HostOp<Result = unknown> = (head?: unknown, body?: ArrayBuffer | ArrayBufferView) => Result;

/** What the engine gives the platform bundle; it is deleted from the global object once the bundle has run. */
export interface Host {
  op<Result = unknown>(name: string): HostOp<Result>;
  callId(): number;
  cancel(id: number): void;
  asyncContext(): ReadonlyMap<unknown, unknown> | undefined;
  setAsyncContext(context: ReadonlyMap<unknown, unknown> | undefined): void;
  log(level: 0 | 1 | 2 | 3, text: string): void;
  random<View extends ArrayBuffer | ArrayBufferView>(view: View): View;
  /** Asks about exceptions and rejections that nobody caught; true keeps them from being logged. One function at a time. */
  onUncaught(hook: (kind: "exception" | "rejection" | "handled", error: unknown, promise: unknown) => boolean): void;
  reply(head: unknown, body: unknown): object;
  /** The machinery of streams, see streams/internals.ts. */
  streams: Machinery;
  /** The codec of UTF-8, see encoding/utf8.ts. */
  encoding: Utf8;
}

export const host = (globalThis as unknown as { __host: Host }).__host;
