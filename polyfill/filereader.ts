// https://w3c.github.io/FileAPI/#APIASynch, and the event that it sends.
import { Blob, blobSegments, isBlob } from "./blob.ts";
import { TextDecoder } from "./encoding.ts";
import { Event, EventTarget, defineEventHandler, dispatchTrusted, type EventInit } from "./events.ts";
import { parseMimeType } from "./mimetype.ts";
import { defineInterface, dictionary, domString, required } from "./webidl.ts";

const startTimer = setTimeout;

export interface ProgressEventInit extends EventInit {
  lengthComputable?: boolean;
  loaded?: number;
  total?: number;
}

/** https://xhr.spec.whatwg.org/#interface-progressevent */
export class ProgressEvent extends Event {
  #lengthComputable: boolean;
  #loaded: number;
  #total: number;
  constructor(type: string, init: ProgressEventInit | undefined = undefined) {
    required(arguments.length, 1, "ProgressEvent()");
    super(type, init);
    const { lengthComputable, loaded, total } = dictionary<ProgressEventInit>(init, "ProgressEvent()'s init");
    this.#lengthComputable = !!lengthComputable;
    this.#loaded = Number(loaded ?? 0) || 0;
    this.#total = Number(total ?? 0) || 0;
  }
  get lengthComputable(): boolean { return this.#lengthComputable; }
  get loaded(): number { return this.#loaded; }
  get total(): number { return this.#total; }
}
defineInterface(ProgressEvent, "ProgressEvent");

const EMPTY = 0;
const LOADING = 1;
const DONE = 2;
type Form = "buffer" | "binary" | "text" | "data";

/** Reads a Blob with events. Blobs are in memory: each read takes one turn, and there is one progress event. */
export class FileReader extends EventTarget {
  #state = EMPTY;
  #result: string | ArrayBuffer | null = null;
  #error: DOMException | null = null;
  /** The read that is under way; a later one or abort() replaces it. */
  #read: object | null = null;

  get readyState(): number { return this.#state; }
  get result(): string | ArrayBuffer | null { return this.#result; }
  get error(): DOMException | null { return this.#error; }

  readAsArrayBuffer(blob: Blob): void {
    required(arguments.length, 1, "readAsArrayBuffer()");
    this.#start(blob, "buffer");
  }
  readAsBinaryString(blob: Blob): void {
    required(arguments.length, 1, "readAsBinaryString()");
    this.#start(blob, "binary");
  }
  readAsText(blob: Blob, encoding: string | undefined = undefined): void {
    required(arguments.length, 1, "readAsText()");
    this.#start(blob, "text", encoding === undefined ? undefined : domString(encoding));
  }
  readAsDataURL(blob: Blob): void {
    required(arguments.length, 1, "readAsDataURL()");
    this.#start(blob, "data");
  }

  abort(): void {
    if (this.#state !== LOADING) {
      this.#result = null;
      return;
    }
    this.#state = DONE;
    this.#result = null;
    this.#read = null;
    this.#fire("abort", 0, 0);
    if ((this.#state as number) !== LOADING) this.#fire("loadend", 0, 0);
  }

  #fire(type: string, loaded: number, total: number): void {
    dispatchTrusted(this, new ProgressEvent(type, { lengthComputable: true, loaded, total }));
  }

  #start(blob: unknown, form: Form, encoding?: string): void {
    if (!isBlob(blob)) throw new TypeError("FileReader reads Blobs and Files");
    if (this.#state === LOADING) throw new DOMException("The reader is reading: wait for its end or call abort()", "InvalidStateError");
    const read = (this.#read = {});
    this.#state = LOADING;
    this.#result = null;
    this.#error = null;
    const turn = (step: () => void) => startTimer(() => {
      if (this.#read === read) step();
    }, 0);
    turn(() => {
      this.#fire("loadstart", 0, blob.size);
      turn(() => {
        if (blob.size > 0) this.#fire("progress", blob.size, blob.size);
        turn(() => this.#finish(read, blob, form, encoding));
      });
    });
  }

  #finish(read: object, blob: Blob, form: Form, encoding: string | undefined): void {
    this.#state = DONE;
    let done = "load";
    try {
      this.#result = convert(blob, form, encoding);
    } catch (error) {
      // Only memory can be short here.
      this.#error = new DOMException(`The blob cannot be read: ${String(error)}`, "NotReadableError");
      done = "error";
    }
    this.#fire(done, blob.size, blob.size);
    startTimer(() => {
      if (this.#read === read) this.#fire("loadend", blob.size, blob.size);
    }, 0);
  }

  declare onloadstart: ((this: FileReader, event: ProgressEvent) => unknown) | null;
  declare onprogress: ((this: FileReader, event: ProgressEvent) => unknown) | null;
  declare onload: ((this: FileReader, event: ProgressEvent) => unknown) | null;
  declare onabort: ((this: FileReader, event: ProgressEvent) => unknown) | null;
  declare onerror: ((this: FileReader, event: ProgressEvent) => unknown) | null;
  declare onloadend: ((this: FileReader, event: ProgressEvent) => unknown) | null;
}
defineInterface(FileReader, "FileReader", { EMPTY, LOADING, DONE });
for (const type of ["loadstart", "progress", "load", "abort", "error", "loadend"]) defineEventHandler(FileReader.prototype, type);

/** https://w3c.github.io/FileAPI/#blob-package-data */
function convert(blob: Blob, form: Form, encoding: string | undefined): string | ArrayBuffer {
  const bytes = new Uint8Array(blob.size);
  let n = 0;
  for (const segment of blobSegments(blob)) {
    bytes.set(segment, n);
    n += segment.length;
  }
  switch (form) {
    case "buffer":
      return bytes.buffer;
    case "binary": {
      let text = "";
      for (let i = 0; i < bytes.length; i += 8192) text += String.fromCharCode(...bytes.subarray(i, i + 8192));
      return text;
    }
    case "data":
      return `data:${blob.type || "application/octet-stream"};base64,${bytes.toBase64()}`;
    case "text":
      return new TextDecoder(byteOrderMark(bytes) ?? labelOf(encoding, blob.type)).decode(bytes);
  }
}

/** https://encoding.spec.whatwg.org/#bom-sniff */
function byteOrderMark(bytes: Uint8Array): string | undefined {
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) return "utf-8";
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return "utf-16be";
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return "utf-16le";
  return undefined;
}

/** The encoding that was asked for, then that of the blob's type, then UTF-8. */
function labelOf(encoding: string | undefined, type: string): string {
  for (const label of [encoding, parseMimeType(type)?.parameters.get("charset")]) {
    if (label === undefined) continue;
    try {
      return new TextDecoder(label).encoding;
    } catch {
      // An unknown label: the next choice.
    }
  }
  return "utf-8";
}
