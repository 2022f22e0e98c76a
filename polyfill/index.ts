// Everything of this folder that becomes a global.
import { AbortController, AbortSignal } from "./abort.ts";
import { base64 } from "./base64.ts";
import { Blob, File } from "./blob.ts";
import { Buffer } from "./buffer.ts";
import { console } from "./console.ts";
import { TextDecoder, TextDecoderStream, TextEncoder, TextEncoderStream } from "./encoding.ts";
import { CustomEvent, ErrorEvent, Event, EventTarget, MessageEvent } from "./events.ts";
import { FormData } from "./formdata.ts";
import { Headers } from "./headers.ts";
import { Navigator, navigator } from "./navigator.ts";
import { Performance, PerformanceEntry, PerformanceMark, PerformanceMeasure, performance } from "./performance.ts";
import { process } from "./process.ts";
import { reportError } from "./reporterror.ts";
import { Request } from "./request.ts";
import { Response } from "./response.ts";
import * as streams from "./streams.ts";
import { structuredClone } from "./structuredclone.ts";
import { clearImmediate, setImmediate } from "./timers.ts";
import { hidden } from "./webidl.ts";

const globals: Record<string, unknown> = {
  // Names that scripts use for the global object; window, document and importScripts would claim a browser.
  self: globalThis, global: globalThis,
  Event, EventTarget, CustomEvent, ErrorEvent, MessageEvent, reportError,
  AbortController, AbortSignal,
  ReadableStream: streams.ReadableStream,
  ReadableStreamDefaultReader: streams.ReadableStreamDefaultReader,
  ReadableStreamBYOBReader: streams.ReadableStreamBYOBReader,
  ReadableStreamDefaultController: streams.ReadableStreamDefaultController,
  ReadableByteStreamController: streams.ReadableByteStreamController,
  ReadableStreamBYOBRequest: streams.ReadableStreamBYOBRequest,
  WritableStream: streams.WritableStream,
  WritableStreamDefaultWriter: streams.WritableStreamDefaultWriter,
  WritableStreamDefaultController: streams.WritableStreamDefaultController,
  TransformStream: streams.TransformStream,
  TransformStreamDefaultController: streams.TransformStreamDefaultController,
  ByteLengthQueuingStrategy: streams.ByteLengthQueuingStrategy,
  CountQueuingStrategy: streams.CountQueuingStrategy,
  TextEncoder, TextDecoder, TextEncoderStream, TextDecoderStream,
  Blob, File, FormData,
  Headers, Request, Response,
  structuredClone, atob: base64.atob, btoa: base64.btoa,
  performance, Performance, PerformanceEntry, PerformanceMark, PerformanceMeasure,
  setImmediate, clearImmediate,
  navigator, Navigator,
  console,
  Buffer, process,
};

/** Defines the globals. */
export function install(define: (name: string, value: unknown) => void): void {
  for (const name of Object.keys(globals)) define(name, globals[name]);
  // LangChain and LangSmith find the storage of their traces here and would else need node:async_hooks.
  hidden(globalThis, Symbol.for("ls:tracing_async_local_storage"), new AsyncLocalStorage());
}
