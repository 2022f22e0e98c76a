// pb.embed and pb.utils.chunk, over the operations of embeddings.go.

import { host } from "../../polyfill/host.ts";
import { encodeUtf8 } from "../../polyfill/utf8.ts";

interface Reply {
  head: { dimensions: number };
  body: ArrayBuffer;
}

interface Piece {
  start: number;
  end: number;
  tokens: number;
  headings: string[];
}

const embedOp = host.op<Promise<Reply>>("pb.embed");
const chunkOp = host.op<Piece[]>("pb.chunk");
const { stringify } = JSON;

interface EmbedOptions {
  model?: string;
  dimensions?: number;
}

/** The vector of a text, or the vectors of texts. */
export async function embed(input: string | string[], options: EmbedOptions = {}): Promise<number[] | number[][]> {
  const one = typeof input === "string";
  const texts: string[] = one ? [input] : input;
  if (!Array.isArray(texts)) throw new TypeError(`pb.embed() takes a text or an array of texts, not ${input === null ? "null" : typeof input}`);
  texts.forEach((text, k) => {
    if (typeof text !== "string") throw new TypeError(`pb.embed(): texts[${k}] is a ${typeof text}, not a string`);
  });
  const { model = "", dimensions = 0 } = options ?? {};
  if (typeof model !== "string") throw new TypeError('pb.embed(): model is a name such as "openai/text-embedding-3-small"');
  if (!Number.isInteger(dimensions)) throw new TypeError(`pb.embed(): dimensions is a whole number, not ${String(dimensions)}`);
  if (texts.length === 0) return [];
  const { head, body } = await embedOp({ model, dimensions }, encodeUtf8(stringify(texts)));
  const vectors = texts.map((_, k) => Array.from(new Float32Array(body, k * head.dimensions * 4, head.dimensions)));
  return one ? vectors[0]! : vectors;
}

interface ChunkOptions {
  size?: number;
  overlap?: number;
  format?: string;
}

/** Pieces of a text with where they lie in it. */
export function chunk(text: string, options: ChunkOptions = {}): (Piece & { text: string })[] {
  if (typeof text !== "string") throw new TypeError(`pb.utils.chunk() takes a text, not ${text === null ? "null" : typeof text}`);
  const { size, overlap, format } = options ?? {};
  for (const [name, value, least] of [["size", size, 1], ["overlap", overlap, 0]] as const) {
    if (value !== undefined && (!Number.isInteger(value) || value < least)) throw new RangeError(`pb.utils.chunk(): ${name} is a number of tokens, not ${String(value)}`);
  }
  if (format !== undefined && typeof format !== "string") throw new TypeError('pb.utils.chunk(): format is "text" or "markdown"');
  return chunkOp({ size, overlap, format }, encodeUtf8(text)).map((piece) => ({ text: text.slice(piece.start, piece.end), ...piece }));
}
