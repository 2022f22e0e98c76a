/** The global `pb`: PocketBase from inside a function. */
declare const pb: PocketBase;

interface PocketBase {
  readonly kv: KeyValueStore;
  readonly utils: PocketBaseUtils;
}

interface PocketBaseUtils {
  /** A random UUID, version 4. */
  uuid(): string;
  /** The SHA-256 of the text's UTF-8, 64 hexadecimal digits. */
  hash(input: string): string;
  /** Random letters and digits from a cryptographic source; at most 65,536. */
  randomString(length: number): string;
}

/**
 * Values by key, kept in PocketBase's database (and its backups). Reads and writes inside `pb.tx` belong to the transaction.
 * Keys have 1 to 512 bytes of UTF-8, values at most 1 MiB (JSON: of its text). A value is JSON, or bytes: an `ArrayBuffer` or a view goes in, a `Uint8Array` comes out.
 * API rules do not apply. Errors have a `code`: ERR_KV_KEY, ERR_KV_VALUE, ERR_KV_VALUE_SIZE, ERR_KV_TTL, ERR_KV_CONFLICT, ERR_KV_NOT_INTEGER, ERR_KV_RANGE, ERR_KV_PAGE_SIZE.
 */
interface KeyValueStore {
  /** The value, or null if there is none or it has expired. */
  get<T = any>(key: string): Promise<T | null>;
  /** The value with its version, for `set(…, { ifVersion })`; version 0 means that there is none. */
  getWithVersion<T = any>(key: string): Promise<{ value: T | null; version: number }>;
  /** The values of at most 1,000 keys, 8 MiB together, in the order of the keys; null for each that is missing. */
  getMany<T = any>(keys: string[]): Promise<(T | null)[]>;
  /** Entries whose keys start with `prefix`, in the order of their UTF-8: at most `limit` (1 to 1,000, the default) and 8 MiB a page. `cursor` of a page leads to the next; null on the last. */
  list<T = any>(prefix?: string, options?: { limit?: number; cursor?: string | null }): Promise<{ items: { key: string; value: T; version: number }[]; cursor: string | null }>;
  /**
   * Writes a value and returns its version. `ttl` is in seconds, above 0 and at most ten years; without it the value stays.
   * With `ifVersion` it is written only if the key has that version (0: no value), else the error has the code ERR_KV_CONFLICT and the status 409.
   */
  set(key: string, value: unknown, options?: { ttl?: number; ifVersion?: number }): Promise<number>;
  /** Removes a value and tells whether there was one. With `ifVersion` as `set`, but not 0. */
  delete(key: string, options?: { ifVersion?: number }): Promise<boolean>;
  /** Adds `by` (1) to the integer at `key`, 0 if there is none, at once for all callers, and returns the sum. `ttl` in seconds counts from the call that creates the value; later calls leave it. */
  incr(key: string, by?: number, options?: { ttl?: number }): Promise<number>;
}
