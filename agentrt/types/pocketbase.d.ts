/** The global `pb`: PocketBase from inside a function. */
declare const pb: PocketBase;

interface PocketBase {
  readonly files: RecordFiles;
  readonly kv: KeyValueStore;
  readonly secrets: Secrets;
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

/** Secrets, set with `agentrt secrets set NAME` or by superusers with `PUT /api/agentrt/secrets/NAME`, encrypted in the database. */
interface Secrets {
  /**
   * The value, or null if there is no secret of that name. Works at the top level of modules too; when a secret changes, the functions are loaded again.
   * In a handler of a route whose `config.secrets` does not list the name, it throws an Error with the code ERR_SECRET_NOT_ALLOWED.
   * Values of six characters or more are replaced by `[secret NAME]` in logs and errors, as far as they appear there unchanged.
   */
  get(name: string): string | null;
}

/**
 * Files of records, in PocketBase's storage (local or S3). A record is named by its id or given as an object with one.
 * Errors have `status` and `response` as those of the API, and a `code`: 404 with ERR_COLLECTION_NOT_FOUND, ERR_RECORD_NOT_FOUND or ERR_FILE_NOT_FOUND
 * (a name is one that a file field of the record lists, never a path); 400 with ERR_FIELD_NOT_FOUND, ERR_FILE_NAME, ERR_FILE_SIZE, or ERR_VALIDATION
 * and the problem of each field in `response.data`.
 */
interface RecordFiles {
  /** The bytes of a file of at most 64 MiB; larger ones need `stream`. */
  read(collection: string, record: string | { id: string }, filename: string): Promise<ArrayBuffer>;
  /** The bytes as a stream, of any size; `new Response(stream)` sends it on without JavaScript taking part. */
  stream(collection: string, record: string | { id: string }, filename: string): Promise<ReadableStream<Uint8Array>>;
  /**
   * Adds a file of 1 byte to 64 MiB to a field, or replaces that of a field for one file, and saves the record: hooks and the
   * field's limits (size, types, number) apply. `field` may be left out if the collection has one file field. Returns the name
   * under which it is stored, which PocketBase makes from `filename` and a random suffix.
   */
  save(collection: string, record: string | { id: string }, options: { filename: string; data: ArrayBuffer | ArrayBufferView | Blob; field?: string }): Promise<string>;
  /** Takes a file out of its field and the storage. */
  delete(collection: string, record: string | { id: string }, filename: string): Promise<void>;
  /** The record's files; sizes in bytes. */
  list(collection: string, record: string | { id: string }): Promise<{ field: string; filename: string; size: number; type: string }[]>;
}
