// https://w3c.github.io/FileAPI/#url-model: URLs that stand for blobs of this instance.
import { isBlob, type Blob } from "./blob.ts";
import { host } from "./host.ts";
import { QuotaExceededError } from "./quotaexceeded.ts";

/** URLs that are not revoked yet. Each keeps its blob in memory. */
export const maxBlobUrls = 10_000;

const { random } = host;
const store = new Map<string, Blob>();

/** A new URL for the blob, which holds until it is revoked or the instance ends. */
export function createBlobUrl(blob: unknown): string {
  if (!isBlob(blob)) throw new TypeError("createObjectURL() takes a Blob");
  if (store.size >= maxBlobUrls) throw new QuotaExceededError(`There are ${maxBlobUrls} blob: URLs: revoke some with URL.revokeObjectURL()`, { quota: maxBlobUrls, requested: store.size + 1 });
  const hex = random(new Uint8Array(16)).toHex();
  const version = ((parseInt(hex[16]!, 16) & 3) | 8).toString(16);
  const url = `blob:null/${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-${version}${hex.slice(17, 20)}-${hex.slice(20)}`;
  store.set(url, blob);
  return url;
}

/** Unknown URLs are ignored. */
export function revokeBlobUrl(url: string): void {
  store.delete(url);
}

/** The blob of a URL, whose fragment does not count. */
export function blobOfUrl(url: string): Blob | undefined {
  const hash = url.indexOf("#");
  return store.get(hash < 0 ? url : url.slice(0, hash));
}
