// pb.utils.extractText, over the operation of extract.go.

import { host } from "../../polyfill/host.ts";
import { Blob } from "../../polyfill/blob.ts";
import { decodeUtf8 } from "../../polyfill/utf8.ts";

interface Reply {
  head: { format: string; title: string; pages: { number: number; start: number }[] };
  body: ArrayBuffer;
}

const extractOp = host.op<Promise<Reply>>("pb.extract");
const isView = ArrayBuffer.isView;

/** The text of a file. */
export async function extractText(data: ArrayBuffer | ArrayBufferView | Blob, options: { filename?: string; type?: string } = {}): Promise<object> {
  let { filename = "", type = "" } = options ?? {};
  let bytes: ArrayBuffer | ArrayBufferView;
  if (data instanceof Blob) {
    filename ||= (data as Blob & { name?: string }).name ?? "";
    type ||= data.type;
    bytes = await data.arrayBuffer();
  } else if (data instanceof ArrayBuffer || isView(data)) {
    bytes = data;
  } else {
    throw new TypeError("pb.utils.extractText() takes an ArrayBuffer, a view of one, a Blob or a File");
  }
  if (typeof filename !== "string" || typeof type !== "string") throw new TypeError("pb.utils.extractText(): filename and type are strings");
  const { head, body } = await extractOp({ filename, type }, bytes);
  return { text: decodeUtf8(new Uint8Array(body)), ...head };
}
