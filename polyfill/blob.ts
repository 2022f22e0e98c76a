// https://w3c.github.io/FileAPI/
import { ReadableStream } from "./streams.ts";
import { bytesOf, clamp, defineInterface, dictionary, enumeration, required, usvString } from "./webidl.ts";
import { decodeUtf8Text, encodeUtf8 } from "./utf8.ts";

const now = Date.now;
const slice = Uint8Array.prototype.slice;
const subarray = Uint8Array.prototype.subarray;
const apply = Reflect.apply;

/** Bytes that stream() delivers at once. */
const chunkSize = 65_536;

export type BlobPart = ArrayBuffer | ArrayBufferView | Blob | string;

export interface BlobPropertyBag {
  type?: string;
  endings?: "transparent" | "native";
}

let segmentsOf: (blob: Blob) => readonly Uint8Array[];
let make: (segments: Uint8Array[], type: string) => Blob;

/** Whether the value is a Blob or File, whatever its prototype says. */
export let isBlob: (value: unknown) => value is Blob;

/** https://w3c.github.io/FileAPI/#blob-section. The bytes are segments that nobody writes to, so slices share them. */
export class Blob {
  #segments: Uint8Array[] = [];
  #size = 0;
  #type = "";

  constructor(parts: Iterable<BlobPart> | undefined = undefined, options: BlobPropertyBag | undefined = undefined) {
    // Each part is converted as the sequence gives it, and only then are the options read.
    const list: (Blob | Uint8Array | string)[] = [];
    if (parts !== undefined) {
      const iterate: unknown = parts === null || (typeof parts !== "object" && typeof parts !== "function") ? undefined : parts[Symbol.iterator];
      if (typeof iterate !== "function") throw new TypeError("Blob()'s parts are not a sequence: wrap a single part in an array");
      const sequence = { [Symbol.iterator]: () => apply(iterate, parts, []) as Iterator<BlobPart> };
      for (const part of sequence) list.push(isBlob(part) ? part : copyBytes(part) ?? usvString(part));
    }
    const { endings = "transparent", type = "" } = dictionary<BlobPropertyBag>(options, "Blob()'s options");
    const native = enumeration(endings, ["transparent", "native"], "Blob()'s endings") === "native";
    this.#type = normalizeType(usvString(type));
    for (const part of list) {
      if (isBlob(part)) for (const segment of part.#segments) this.#append(segment);
      else if (typeof part === "string") this.#append(encodeUtf8(native ? part.replace(/\r\n?/g, "\n") : part));
      else this.#append(part);
    }
  }

  #append(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#segments.push(bytes);
    this.#size += bytes.length;
  }

  static {
    isBlob = (value): value is Blob => typeof value === "object" && value !== null && #segments in value;
    segmentsOf = (blob) => blob.#segments;
    make = (segments, type) => {
      const blob = new Blob();
      blob.#segments = segments;
      for (const segment of segments) blob.#size += segment.length;
      blob.#type = type;
      return blob;
    };
  }

  get size(): number { return this.#size; }
  get type(): string { return this.#type; }

  slice(start: number | undefined = undefined, end: number | undefined = undefined, contentType: string | undefined = undefined): Blob {
    const size = this.#size;
    const at = (value: number | undefined, otherwise: number) => {
      if (value === undefined) return otherwise;
      const n = clamp(value);
      return n < 0 ? Math.max(size + n, 0) : Math.min(n, size);
    };
    let skip = at(start, 0);
    let left = Math.max(at(end, size) - skip, 0);
    const segments: Uint8Array[] = [];
    for (const segment of this.#segments) {
      if (left === 0) break;
      if (skip >= segment.length) {
        skip -= segment.length;
        continue;
      }
      const piece = apply(subarray, segment, [skip, skip + left]) as Uint8Array;
      segments.push(piece);
      left -= piece.length;
      skip = 0;
    }
    return make(segments, contentType === undefined ? "" : normalizeType(usvString(contentType)));
  }

  stream(): ReadableStream {
    const segments = this.#segments;
    let index = 0;
    let offset = 0;
    return new ReadableStream({
      type: "bytes",
      pull(controller: { enqueue(chunk: Uint8Array): void; close(): void; byobRequest?: { respond(n: number): void } | null }) {
        if (index === segments.length) {
          controller.close();
          controller.byobRequest?.respond(0);
          return;
        }
        const segment = segments[index]!;
        const chunk = apply(slice, segment, [offset, offset + chunkSize]) as Uint8Array;
        offset += chunk.length;
        if (offset === segment.length) {
          index++;
          offset = 0;
        }
        controller.enqueue(chunk);
      },
    });
  }

  async text(): Promise<string> { return decodeUtf8Text(this.#join()); }
  async arrayBuffer(): Promise<ArrayBuffer> { return this.#join().buffer; }
  async bytes(): Promise<Uint8Array<ArrayBuffer>> { return this.#join(); }

  #join(): Uint8Array<ArrayBuffer> {
    const out = new Uint8Array(this.#size);
    let n = 0;
    for (const segment of this.#segments) {
      out.set(segment, n);
      n += segment.length;
    }
    return out;
  }
}
defineInterface(Blob, "Blob");

function copyBytes(value: unknown): Uint8Array | undefined {
  const bytes = bytesOf(value);
  return bytes === undefined ? undefined : apply(slice, bytes, []) as Uint8Array;
}

/** ASCII lower case; empty if a character is outside of U+0020 to U+007E. */
function normalizeType(type: string): string {
  for (let i = 0; i < type.length; i++) {
    const c = type.charCodeAt(i);
    if (c < 0x20 || c > 0x7e) return "";
  }
  return type.toLowerCase();
}

/** The bytes of a blob as segments that must not be written to. */
export function blobSegments(blob: Blob): readonly Uint8Array[] {
  return segmentsOf(blob);
}

/** Another Blob or File object of the same bytes. */
export function copyBlob(blob: Blob): Blob {
  return isFile(blob) ? new File([blob], blob.name, { type: blob.type, lastModified: blob.lastModified }) : make([...segmentsOf(blob)], blob.type);
}

export interface FilePropertyBag extends BlobPropertyBag {
  lastModified?: number;
}

/** Whether the value is a File, whatever its prototype says. */
export let isFile: (value: unknown) => value is File;

/** https://w3c.github.io/FileAPI/#file-section */
export class File extends Blob {
  #name: string;
  #lastModified: number;

  constructor(parts: Iterable<BlobPart>, name: string, options: FilePropertyBag | undefined = undefined) {
    required(arguments.length, 2, "File()");
    super(parts, options);
    this.#name = usvString(name);
    const modified = options?.lastModified;
    this.#lastModified = modified === undefined ? now() : Math.trunc(Number(modified)) || 0;
  }

  static {
    isFile = (value): value is File => typeof value === "object" && value !== null && #name in value;
  }

  get name(): string { return this.#name; }
  get lastModified(): number { return this.#lastModified; }
}
defineInterface(File, "File");
