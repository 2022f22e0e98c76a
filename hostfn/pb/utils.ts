// pb.utils: identifiers, digests, random strings, and what makes chunks of files.

import { host } from "../../polyfill/host.ts";
import { encodeUtf8 } from "../../polyfill/utf8.ts";
import { crypto } from "../crypto.ts";
import { chunk } from "./embeddings.ts";
import { extractText } from "./extract.ts";

const digest = host.op<ArrayBuffer>("crypto.digest");

const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const maxRandomString = 65_536;

function hash(input: string): string {
  const bytes = new Uint8Array(digest("SHA-256", encodeUtf8(String(input))));
  let hex = "";
  for (let i = 0; i < bytes.length; i++) hex += (bytes[i]! < 16 ? "0" : "") + bytes[i]!.toString(16);
  return hex;
}

function randomString(length: number): string {
  if (!Number.isInteger(length) || length < 0 || length > maxRandomString) {
    throw new RangeError(`pb.utils.randomString() takes a length from 0 to ${maxRandomString}, not ${String(length)}`);
  }
  let text = "";
  const bytes = new Uint8Array(Math.max(16, length + (length >> 3)));
  while (text.length < length) {
    host.random(bytes);
    for (let i = 0; i < bytes.length && text.length < length; i++) {
      const k = bytes[i]! & 63; // values beyond the alphabet are skipped, so that all characters are equally likely
      if (k < alphabet.length) text += alphabet[k];
    }
  }
  return text;
}

export const utils = Object.freeze({ uuid: () => crypto.randomUUID(), hash, randomString, chunk, extractText });
