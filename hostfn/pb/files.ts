// pb.files: the files of records, over the operations of files.go.

import { op } from "./op.ts";
import { isBlob, type Blob } from "../../polyfill/blob.ts";
import type { ReadableStream } from "../../polyfill/streams.ts";
import { streamFromRid } from "../body.ts";
import { responseError } from "./error.ts";

interface FileInfo {
  field: string;
  filename: string;
  size: number;
  type: string;
}

const readOp = op<Promise<ArrayBuffer>>("pb.files.read");
const streamOp = op<Promise<number>>("pb.files.stream");
const saveOp = op<Promise<string>>("pb.files.save");
const deleteOp = op<Promise<void>>("pb.files.delete");
const listOp = op<Promise<FileInfo[]>>("pb.files.list");

const isView = ArrayBuffer.isView;

type RecordRef = string | { id: string };

/** Fails as operations on records do, with a code beside it. */
function shaped(error: any): never {
  const shown = responseError(error);
  if (shown !== error) (shown as { code?: string }).code = error.code;
  throw shown;
}

function text(value: unknown, what: string): string {
  if (typeof value !== "string" || value === "") throw new TypeError(`pb.files: ${what} is a text that is not empty`);
  return value;
}

function target(collection: string, record: RecordRef): { collection: string; record: string } {
  const id = typeof record === "object" && record !== null ? record.id : record;
  return { collection: text(collection, "the collection"), record: text(id, "the record, or its id,") };
}

function file(collection: string, record: RecordRef, filename: string) {
  return { ...target(collection, record), filename: text(filename, "the file's name") };
}

async function read(collection: string, record: RecordRef, filename: string): Promise<ArrayBuffer> {
  return readOp(file(collection, record, filename)).catch(shaped);
}

async function stream(collection: string, record: RecordRef, filename: string): Promise<ReadableStream> {
  return streamFromRid(await streamOp(file(collection, record, filename)).catch(shaped));
}

interface Save {
  filename: string;
  data: ArrayBuffer | ArrayBufferView | Blob;
  field?: string;
}

async function save(collection: string, record: RecordRef, options: Save): Promise<string> {
  if (typeof options !== "object" || options === null) throw new TypeError("pb.files.save() takes { filename, data, field? } as its third argument");
  const { filename, field, data } = options;
  const head = { ...file(collection, record, filename), field: field === undefined ? "" : text(field, "field") };
  let bytes: ArrayBuffer | ArrayBufferView;
  if (isBlob(data)) bytes = (await data.arrayBuffer()) as ArrayBuffer;
  else if (data instanceof ArrayBuffer || isView(data)) bytes = data;
  else throw new TypeError("pb.files.save(): data is an ArrayBuffer, a view of one, or a Blob");
  return saveOp(head, bytes).catch(shaped);
}

async function remove(collection: string, record: RecordRef, filename: string): Promise<void> {
  return deleteOp(file(collection, record, filename)).catch(shaped);
}

async function list(collection: string, record: RecordRef): Promise<FileInfo[]> {
  return listOp(target(collection, record)).catch(shaped);
}

export const files = Object.freeze({ read, stream, save, delete: remove, list });
