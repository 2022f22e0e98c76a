// Everything of this folder that becomes a global.
import { AbortController, AbortSignal } from "./abort.ts";
import { base64 } from "./base64.ts";
import { Blob, File } from "./blob.ts";
import { Buffer } from "./buffer.ts";
import { console } from "./console.ts";
import { TextDecoder, TextDecoderStream, TextEncoder, TextEncoderStream } from "./encoding.ts";
import { CustomEvent, ErrorEvent, Event, EventTarget, MessageEvent, PromiseRejectionEvent, installGlobalTarget } from "./events.ts";
import { FileReader, ProgressEvent } from "./filereader.ts";
import { FormData } from "./formdata.ts";
import { Headers } from "./headers.ts";
import { MessageChannel, MessagePort } from "./messagechannel.ts";
import { Navigator, navigator } from "./navigator.ts";
import { Performance, PerformanceEntry, PerformanceMark, PerformanceMeasure, performance } from "./performance.ts";
import { PerformanceObserver, PerformanceObserverEntryList } from "./performanceobserver.ts";
import { process } from "./process.ts";
import { QuotaExceededError } from "./quotaexceeded.ts";
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
  Event, EventTarget, CustomEvent, ErrorEvent, MessageEvent, PromiseRejectionEvent, reportError,
  MessageChannel, MessagePort, QuotaExceededError,
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
  Blob, File, FileReader, ProgressEvent, FormData,
  Headers, Request, Response,
  structuredClone, atob: base64.atob, btoa: base64.btoa,
  performance, Performance, PerformanceEntry, PerformanceMark, PerformanceMeasure,
  PerformanceObserver, PerformanceObserverEntryList,
  setImmediate, clearImmediate,
  navigator, Navigator,
  console,
  Buffer, process,
};

/** Defines the globals. */
export function install(define: (name: string, value: unknown) => void): void {
  for (const name of Object.keys(globals)) define(name, globals[name]);
  installGlobalTarget(define);
  // LangChain and LangSmith find the storage of their traces here and would else need node:async_hooks.
  hidden(globalThis, Symbol.for("ls:tracing_async_local_storage"), new AsyncLocalStorage());
}
