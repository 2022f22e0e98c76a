/** The global `pb`: PocketBase from inside a function. */
declare const pb: PocketBase;

interface PocketBase extends RecordClient, RecordHooks {
  /**
   * The records as the collections' API rules show them to an auth record (ctx.auth, for example), or to a guest if it is null: rules,
   * hidden fields, email visibility, manage rules and request hooks, as for a request to the Web API. The record is read anew in each call;
   * if it is gone, the call fails with 401. Batches need not be enabled in the settings, and rate limits do not apply.
   * In a route with run: "caller" only the caller's own record is taken.
   */
  as(record: { id: string; collectionId?: string; collectionName?: string } | null): RecordClient;
  readonly db: PocketBaseSQL;
  /**
   * Runs `fn` in one transaction: when it returns, everything is committed, when it throws, everything is rolled back and the error is thrown on.
   * Operations through `tx` (the members of `pb`) and through `pb` itself belong to it and run one after another; so do those that other parts of
   * the same handler start meanwhile. Record hooks run inside it, After hooks once it is committed. Operations that were not awaited are waited for.
   *
   * The database has one writer: all other writes wait for the transaction, `fetch` inside included. If `fn` does not return within `timeout`
   * (milliseconds, 5,000 by default, at most 30,000) the transaction is rolled back and the error has the code ERR_TX_TIMEOUT. It is rolled back as well
   * when the invocation ends. It waits at most 30 s for other writers (ERR_TX_BUSY). What `fn` does after the end fails with ERR_TX_OVER.
   * A `pb.tx` inside joins; if it throws, all is rolled back even if the error is caught. A `pb.tx` beside another one waits for it.
   *
   * @example
   * await pb.tx(async (tx) => {
   *   const from = await tx.collection("accounts").getOne(a);
   *   if (from.balance < sum) throw new Error("not enough");
   *   await tx.collection("accounts").update(a, { "balance-": sum });
   *   await tx.collection("accounts").update(b, { "balance+": sum });
   * });
   */
  tx<T>(fn: (tx: Omit<PocketBase, keyof RecordHooks | "cron">) => T | Promise<T>, options?: { timeout?: number }): Promise<T>;
  /**
   * Registers a job, at the top level of a module. `schedule` has five fields (minute hour day month weekday) or is @hourly, @daily, @weekly, @monthly or @yearly.
   * `timezone` is an IANA name such as "Europe/Berlin"; without it the zone is that of PocketBase's cron, UTC by default. A run is skipped, and that is logged,
   * while the last one has not ended, unless `overlap` is true. A run takes at most 10 minutes. Runs missed while the server is down are not made up for. A local time that a change
   * of the clock skips does not run that day, one that occurs twice runs twice. Names are unique, 1 to 100 letters, digits and `_-./`; at most 1,000 jobs.
   * `net` and `secrets` narrow what the job may reach.
   *
   * The same as a file below `src/crons`, named by its path: `export const schedule = "0 7 * * *"; export const timezone = "Europe/Berlin";
   * export const config = { net: [] }; export default async function () {}`.
   */
  cron(name: string, schedule: string, handler: (event: { name: string }) => unknown, options?: { timezone?: string; overlap?: boolean } & AccessConfig): void;
  /**
   * The vector of a text, or of each of at most 4,096 texts: 1 MiB each, 16 MiB together, none empty. Equal texts are sent once; vectors are cached in
   * the database by model and text. It does not wait for, nor belong to, a transaction. The request is the server's: a route's `net` and `secrets` do not restrict
   * it, --allow-net and --deny-net do. Errors have a `code`: ERR_EMBED_MODEL (no such model or
   * provider), ERR_EMBED_KEY (missing or refused), ERR_EMBED_INPUT (a limit), ERR_EMBED_DIMENSION, ERR_EMBED_REJECTED (by the provider, for example a text too
   * long), ERR_EMBED_RATE_LIMIT and ERR_EMBED_UNAVAILABLE (after all attempts), ERR_EMBED_RESPONSE, ERR_EGRESS_DENIED (a server in a private network that was not allowed).
   *
   * @example
   * const vector = await pb.embed("How do I reset my password?", { model: "openai/text-embedding-3-small" });
   */
  embed(text: string, options?: EmbedOptions): Promise<number[]>;
  embed(texts: string[], options?: EmbedOptions): Promise<number[][]>;
  readonly files: RecordFiles;
  /** Functions of the Go program that embeds agentrt, by module. */
  readonly host: HostModules;
  readonly jobs: JobQueue;
  readonly kv: KeyValueStore;
  readonly secrets: Secrets;
  readonly utils: PocketBaseUtils;
  readonly ClientResponseError: typeof PocketBaseClientResponseError;
}

/**
 * The modules of pb.host; `agentrt types` of the program that has them adds their declarations. Their errors carry what the Go function gave: name, code, status and
 * detail; besides there are the codes ERR_HOST_ARGUMENT (TypeError), ERR_HOST_SIZE (RangeError), ERR_HOST_TIMEOUT (TimeoutError), ERR_HOST_BUSY and ERR_HOST_PANIC.
 * Where the module names no limits: 1 MiB an argument, 16 MiB a result, 30 s, 100 calls of a function at a time.
 */
interface HostModules {}

/** Records, with the methods, options and results of the PocketBase JavaScript SDK. */
interface RecordClient {
  /**
   * The records of a collection. Without run: "caller" and pb.as() they are read and written with a superuser's rights. Collections in
   * {@link CollectionTypes} are typed by name.
   */
  collection<Name extends keyof CollectionTypes>(name: Name): RecordService<RecordOf<Name>, CollectionTypes[Name]["create"], CollectionTypes[Name]["update"]>;
  collection<T = RecordModel>(idOrName: string): RecordService<T>;
  /**
   * Writes that happen all or not at all: at most 1,000, in at most 5 s. Inside a transaction they join it: if one fails, all of
   * the transaction is rolled back, even if the error is caught.
   */
  createBatch(): BatchService;
  /**
   * Puts values into the places {:name} of a filter: strings in quotes, dates in PocketBase's form, other objects as JSON. A value is not
   * searched for places. A string that ends with a backslash is a TypeError, since filters cannot express it.
   */
  filter(expression: string, params?: Record<string, unknown>): string;
}

/**
 * The app's collections by name: `posts: { record: PostsRecord; create: PostsCreate; update: PostsUpdate }`. `agentrt types` writes them to
 * collections.d.ts, and `agentrt serve --dev` does so whenever a collection changes.
 */
interface CollectionTypes {}

/** A record of the collection of that name. */
type RecordOf<Name extends keyof CollectionTypes> = CollectionTypes[Name] extends { record: infer R } ? R : never;

interface RecordModel {
  id: string;
  collectionId: string;
  collectionName: string;
  expand?: Record<string, any>;
  [field: string]: any;
}

interface ListResult<T> {
  page: number;
  perPage: number;
  /** -1 with skipTotal. */
  totalItems: number;
  /** -1 with skipTotal. */
  totalPages: number;
  items: T[];
}

interface RecordOptions {
  /** Relations to include, separated by commas: "author,tags". */
  expand?: string;
  /** Fields to return, separated by commas: "id,title:excerpt(100)". */
  fields?: string;
  /** What @request.headers.* shows in rules. */
  headers?: Record<string, string>;
  /** Further query parameters, which @request.query.* shows in rules. */
  query?: Record<string, any>;
  /** Ends the operation; it then fails with isAbort. A write may have happened. */
  signal?: AbortSignal;
  [other: string]: any;
}

interface RecordListOptions extends RecordOptions {
  /** At most 3,500 characters. */
  filter?: string;
  /** Values for places {:name} in filter. */
  params?: Record<string, unknown>;
  /** Fields separated by commas, "-" before one for descending: "-created,title". */
  sort?: string;
  /** Leaves out counting: faster. */
  skipTotal?: boolean | number;
}

type RecordBody = Record<string, any>;

/** Operations on records. Failures reject with a pb.ClientResponseError. */
interface RecordService<T = RecordModel, Create = RecordBody, Update = RecordBody> {
  readonly collectionIdOrName: string;
  /** One record; 404 if there is none or the view rule hides it. */
  getOne<R = T>(id: string, options?: RecordOptions): Promise<R>;
  /** A page: by default the first, of 30 records; perPage is at most 1,000. */
  getList<R = T>(page?: number, perPage?: number, options?: RecordListOptions): Promise<ListResult<R>>;
  /**
   * All records, read in pages of batch (1,000 by default and at most). Await it for an array, or iterate with for await, which holds one
   * page in memory. It starts when it is awaited or iterated.
   */
  getFullList<R = T>(options?: RecordListOptions & { batch?: number }): Promise<R[]> & AsyncIterable<R>;
  getFullList<R = T>(batch?: number, options?: RecordListOptions): Promise<R[]> & AsyncIterable<R>;
  /** The first record that matches; 404 if none does. */
  getFirstListItem<R = T>(filter: string, options?: RecordListOptions): Promise<R>;
  /**
   * The records nearest to a vector, or to a text, nearest first. Under rules the collection's list rule and the filter restrict before the nearest are
   * chosen: forbidden records take no places. Inside pb.tx it sees what the transaction wrote. Errors are a pb.ClientResponseError:
   * 400 with the options that are wrong in response.data (vector, text, field, filter, top, recall, weights), 403 without the right to list.
   *
   * @example
   * const docs = await pb.collection("docs").vectorSearch({ vector, field: "embedding", filter: "team = {:team}", params: { team: ctx.auth.team }, top: 5 });
   */
  vectorSearch<R = T>(options: VectorSearchOptions): Promise<(R & SearchHit)[]>;
  /** The records best by words (BM25, in the fields that the vector field's option text names) and by nearness together, otherwise as vectorSearch. */
  hybridSearch<R = T>(options: HybridSearchOptions): Promise<(R & SearchHit)[]>;
  /** Values may be a Blob or File, or arrays with them. 400 with the fields that do not validate in response.data. */
  create<R = T>(body?: Create | FormData, options?: RecordOptions): Promise<R>;
  /** Also takes "field+", "+field" and "field-", which add to a number, list or files, and remove. */
  update<R = T>(id: string, body?: Update | FormData, options?: RecordOptions): Promise<R>;
  /** Gives true. 400 if a required relation points to the record. */
  delete(id: string, options?: RecordOptions): Promise<boolean>;
}

/** Where is searched, and what comes back. An unknown option is a TypeError. */
interface SearchOptions {
  /** As for lists: relations to include, and fields to return ("id,title", also an array); score and distance always come. */
  expand?: string | string[];
  fields?: string | string[];
  headers?: Record<string, string>;
  query?: Record<string, any>;
  signal?: AbortSignal;
  /** The name of the vector field, needed if the collection has several. A hidden field is found only with a superuser's rights. */
  field?: string;
  /** Restricts the records before the nearest are chosen, in PocketBase's filter language, relations included; at most 3,500 bytes. */
  filter?: string;
  /** Values for the places {:name} of the filter, as pb.filter() puts them in. */
  params?: Record<string, unknown>;
  /** How many records are wanted, 1 to 1,000; 10 by default. So many come if they exist, match and may be seen. */
  top?: number;
  /** Leaves out records of a lower score. */
  minScore?: number;
  /** The wanted share of the true nearest among the found, 0 to 1. More candidates are compared for a higher one, all for 1; the default is about 0.98 for usual embeddings. */
  recall?: number;
  /** Compares every permitted vector, as recall: 1 does. */
  exact?: boolean;
}

interface VectorSearchOptions extends SearchOptions {
  /** As many numbers as the field has dimensions (1 to 16,000): an array or a typed array. Either this or a text. */
  vector?: ArrayLike<number>;
  /** At most 32 KiB, of which the field's embedding model makes a vector. */
  text?: string;
}

interface HybridSearchOptions extends SearchOptions {
  /** At most 32 KiB: its first 64 different words are looked for, and it is the vector's text if there is no vector. */
  text: string;
  vector?: ArrayLike<number>;
  /** How much each of the two searches counts, 0 to 100; 1 by default. One of weight 0 does not take place. */
  weights?: { text?: number; vector?: number };
}

/** A found record. A field of the record that is named score or distance is hidden by these. */
interface SearchHit {
  /** cosine: the cosine of the angle; dot: the inner product; l2: 1/(1+distance). Of a hybrid search: the sum of weight/(60+rank). Higher is better. */
  score: number;
  /** cosine: 1 - cosine; dot: the negative product; l2: the Euclidean distance. null for a record that a hybrid search found by its words alone. */
  distance: number | null;
}

interface BatchService {
  collection<Name extends keyof CollectionTypes>(name: Name): SubBatchService<CollectionTypes[Name]["create"], CollectionTypes[Name]["update"]>;
  collection(idOrName: string): SubBatchService;
  /** The results in order. 400 if one fails: its error is at response.data.requests[index].response. */
  send(options?: RecordOptions): Promise<{ status: number; body: any }[]>;
}

interface SubBatchService<Create = RecordBody, Update = RecordBody> {
  create(body?: Create | FormData, options?: RecordOptions): void;
  /** Updates the record with the body's id, or creates it. */
  upsert(body?: Create | Update & { id: string } | FormData, options?: RecordOptions): void;
  update(id: string, body?: Update | FormData, options?: RecordOptions): void;
  delete(id: string, options?: RecordOptions): void;
}

/** A failed operation on records. It is no global: the class is pb.ClientResponseError. */
declare class PocketBaseClientResponseError extends Error {
  constructor(data?: { url?: string; status?: number; response?: Record<string, any>; isAbort?: boolean; originalError?: any });
  /** The path of the Web API that corresponds to the operation. */
  url: string;
  /** The Web API's status; 0 if the operation was aborted. */
  status: number;
  /** The Web API's body: { status, message, data }, data by field. */
  response: Record<string, any>;
  isAbort: boolean;
  originalError: any;
  /** The same as response. */
  get data(): Record<string, any>;
  toJSON(): Record<string, unknown>;
}

/**
 * SQL on the app's database, one statement a call, without hooks and API rules. Not available with run: "caller".
 * Parameters are {:name} with an object, or ? with an array: strings, numbers, booleans, null, bigints of 64 bits, bytes, Dates (in
 * PocketBase's form) and other objects (as JSON). Errors have a code: ERR_DB_STATEMENT (not allowed or malformed), ERR_DB_TIMEOUT,
 * ERR_DB_LIMIT, ERR_DB (of SQLite).
 */
interface PocketBaseSQL {
  /**
   * SELECT, WITH, VALUES, EXPLAIN and reading PRAGMAs; at most 10,000 rows and 16 MiB. BLOBs are Uint8Array, integers beyond 2^53 bigint,
   * booleans as SQLite stores them (0 and 1). The iterable gives the rows of the same result.
   */
  query<R = Record<string, any>>(sql: string, params?: Record<string, unknown> | unknown[], options?: SQLOptions): Promise<R[]> & AsyncIterable<R>;
  /** INSERT, UPDATE, DELETE and statements for the schema; transactions are pb.tx. Writes to records of collections belong to pb.collection. */
  exec(sql: string, params?: Record<string, unknown> | unknown[], options?: SQLOptions): Promise<{ rowsAffected: number; lastInsertId: number }>;
}

interface SQLOptions {
  /** Milliseconds, 5,000 by default and 60,000 at most. A write in a transaction has the transaction's time instead. */
  timeout?: number;
}

interface PocketBaseUtils {
  /** A random UUID, version 4. */
  uuid(): string;
  /** The SHA-256 of the text's UTF-8, 64 hexadecimal digits. */
  hash(input: string): string;
  /** Random letters and digits from a cryptographic source; at most 65,536. */
  randomString(length: number): string;
  /**
   * Cuts a text of at most 16 MiB into chunks for embeddings, at the ends of paragraphs and sentences. Everything but white space between chunks is in
   * one. Tokens are estimated: of Western languages, code and Markdown usually some 10 to 40 % more than a tokenizer counts.
   * Throws a RangeError if an option is out of range.
   */
  chunk(text: string, options?: ChunkOptions): TextChunk[];
  /**
   * The text of a txt, md, html, csv, json, docx or pdf file of at most 64 MiB: headings, lists, tables and code as Markdown where the file has them, a
   * paragraph for each row of CSV, a line for each value of JSON. The type follows from `type`, else from the extension of `filename`, else from the content;
   * a File has both. At most 16 MiB of text, 5,000 pages of PDF, two minutes. Errors have a `code`: ERR_EXTRACT_TYPE, ERR_EXTRACT_SIZE, ERR_EXTRACT_MALFORMED,
   * ERR_EXTRACT_ENCRYPTED, ERR_EXTRACT_NO_TEXT (a scan, for example), ERR_EXTRACT_TIMEOUT. It waits for PDFs of others: two are read at a time.
   */
  extractText(file: ArrayBuffer | ArrayBufferView | Blob, options?: { filename?: string; type?: string }): Promise<ExtractedText>;
}

interface ExtractedText {
  text: string;
  /** For `chunk`. */
  format: "text" | "markdown";
  /** What the file itself gives as its title, often "". */
  title: string;
  /** Where the pages of a PDF begin in the text; empty for other files. */
  pages: { number: number; start: number }[];
}

interface EmbedOptions {
  /**
   * "openai/text-embedding-3-small", "ollama/nomic-embed-text", "hashing" or "hashing/512" (offline, knows words but no meaning), or PROVIDER/MODEL of
   * a provider that the server is configured for. The server's default if left out.
   */
  model?: string;
  /** The length of the vectors that is wanted, at most 16,000; for models that can shorten them. */
  dimensions?: number;
}

interface ChunkOptions {
  /** Tokens of a chunk at most, 16 to 8,192; 400 by default. */
  size?: number;
  /** Tokens that a chunk may repeat of the one before it, in whole sentences or lines: at most half of the size; 40 (or a tenth of the size) by default, 0 for none. */
  overlap?: number;
  /** "markdown" keeps headings with their text, and code blocks and tables whole if they fit into a chunk. "text" by default. */
  format?: "text" | "markdown";
}

interface TextChunk {
  /** `source.slice(start, end)`. */
  text: string;
  start: number;
  end: number;
  /** Estimated. */
  tokens: number;
  /** The headings above the chunk and at its beginning, the outermost first. */
  headings: string[];
}

/**
 * Record hooks, registered at the top level of a module (at most 1,000). `collection` is a name or id, an array of them, or "*" for all.
 * They run for writes from everywhere: REST, the dashboard, functions, Go. Hooks on one event of one record run in the order of registration, in one invocation of
 * 30 s at most; where their `access`, which narrows what they may reach, differs from that of the hook before, another invocation begins.
 *
 * Before hooks run ahead of validation and the write. What they change in `event.record` is taken over; an exception aborts: the caller gets 400 with its message.
 * Inside of a transaction their `pb` belongs to it. After hooks run once the write is committed; their errors are logged.
 * A hook whose writes lead to hooks, and so on, is stopped at a depth of 8 with an error.
 *
 * @example
 * pb.onRecordBeforeCreate("posts", (e) => {
 *   if (e.record.title.length < 3) throw new ValidationError({ title: "at least 3 letters" });
 *   e.record.slug = e.record.title.toLowerCase().replaceAll(" ", "-");
 * });
 */
interface RecordHooks {
  onRecordBeforeCreate<Name extends keyof CollectionTypes>(collection: Name, handler: (event: RecordEvent<RecordOf<Name>>) => unknown, access?: AccessConfig): void;
  onRecordBeforeCreate(collection: string | string[], handler: (event: RecordEvent) => unknown, access?: AccessConfig): void;
  onRecordAfterCreate<Name extends keyof CollectionTypes>(collection: Name, handler: (event: RecordEvent<RecordOf<Name>>) => unknown, access?: AccessConfig): void;
  onRecordAfterCreate(collection: string | string[], handler: (event: RecordEvent) => unknown, access?: AccessConfig): void;
  onRecordBeforeUpdate<Name extends keyof CollectionTypes>(collection: Name, handler: (event: RecordChangeEvent<RecordOf<Name>>) => unknown, access?: AccessConfig): void;
  onRecordBeforeUpdate(collection: string | string[], handler: (event: RecordChangeEvent) => unknown, access?: AccessConfig): void;
  onRecordAfterUpdate<Name extends keyof CollectionTypes>(collection: Name, handler: (event: RecordChangeEvent<RecordOf<Name>>) => unknown, access?: AccessConfig): void;
  onRecordAfterUpdate(collection: string | string[], handler: (event: RecordChangeEvent) => unknown, access?: AccessConfig): void;
  onRecordBeforeDelete<Name extends keyof CollectionTypes>(collection: Name, handler: (event: RecordChangeEvent<RecordOf<Name>>) => unknown, access?: AccessConfig): void;
  onRecordBeforeDelete(collection: string | string[], handler: (event: RecordChangeEvent) => unknown, access?: AccessConfig): void;
  onRecordAfterDelete<Name extends keyof CollectionTypes>(collection: Name, handler: (event: RecordChangeEvent<RecordOf<Name>>) => unknown, access?: AccessConfig): void;
  onRecordAfterDelete(collection: string | string[], handler: (event: RecordChangeEvent) => unknown, access?: AccessConfig): void;
}

interface RecordEvent<R = Record<string, any>> {
  readonly type: "beforeCreate" | "afterCreate" | "beforeUpdate" | "afterUpdate" | "beforeDelete" | "afterDelete";
  /** The collection's name. */
  readonly collection: string;
  /** The record's fields, without password and tokenKey (a password may be set). Setting an unknown field is an error. */
  record: R & { id: string; password?: string };
  /** The record before an update or deletion, else null. */
  readonly original: (R & { id: string }) | null;
  /** Who made the request, or called the function that writes; null for a guest and for writes of Go code. A cascade has that of the deletion that caused it. */
  readonly auth: (Record<string, any> & { id: string; collectionName: string }) | null;
}

interface RecordChangeEvent<R = Record<string, any>> extends RecordEvent<R> {
  readonly original: R & { id: string };
}

/** Thrown by a Before hook: the caller gets 400 with `message` and an error per field, a text or `{ code, message }`. Any error with such a `data` does the same. */
declare class ValidationError extends Error {
  constructor(fields: Record<string, string | { code?: string; message: string }>, message?: string);
  readonly data: Record<string, { code: string; message: string }>;
}

/**
 * Values by key, kept in PocketBase's database (and its backups). Reads and writes inside `pb.tx` belong to the transaction.
 * Keys have 1 to 512 bytes of UTF-8, values at most 1 MiB (JSON: of its text). A value is JSON, or bytes: an `ArrayBuffer` or a view goes in, a `Uint8Array` comes out.
 * It is for the functions' own state: API rules do not apply, so it is not available with run: "caller" (ERR_RUN_AS_CALLER). Errors have a `code`: ERR_KV_KEY, ERR_KV_VALUE, ERR_KV_VALUE_SIZE, ERR_KV_TTL, ERR_KV_CONFLICT, ERR_KV_NOT_INTEGER, ERR_KV_RANGE, ERR_KV_PAGE_SIZE.
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

/**
 * Durable jobs: each runs at least once, in a worker below `src/workers` or registered with `process`, and again if it throws or the server dies.
 * A topic has 1 to 60 letters, digits and `_-./` (capitals and signs count twice), and starts with a letter or digit; `agentrt.` is a reserved start.
 * Durations are a number of milliseconds or a text such as "500ms", "30s", "5m", "36h".
 *
 * Errors have a `code`: ERR_JOBS_TOPIC, ERR_JOBS_PAYLOAD (413), ERR_JOBS_OPTION, ERR_JOBS_FULL (the topic has 100,000 jobs that have not ended; 503),
 * ERR_JOBS_LIMIT (an invocation may enqueue 10,000 jobs), ERR_JOBS_STATE (409).
 *
 * @example
 * // src/workers/mail.ts: the topic is "mail"
 * export const config: WorkerConfig = { concurrency: 5, timeout: "1m", maxAttempts: 8, backoff: { delay: "10s", max: "1h" } };
 * export default async function (job: Job<{ to: string }>, { signal }: JobContext) {
 *   await send(job.payload.to, { signal, idempotencyKey: job.id });
 * }
 * // anywhere in a handler
 * const id = await pb.jobs.enqueue("mail", { to: "a@example.com" }, { delay: "10m" });
 */
interface JobQueue {
  /**
   * Adds a job and returns its id. `payload` is JSON of at most 256 KiB and 200 levels. Inside `pb.tx` the job exists only once that commits, inside a
   * Before hook only once the record is saved; elsewhere it exists when the promise resolves. A topic needs no worker yet: its jobs wait.
   */
  enqueue(topic: string, payload?: unknown, options?: JobOptions): Promise<string>;
  /** A job as it is now, or null if there is none, or no longer: completed and cancelled jobs are kept for a day, discarded ones for 30 days. */
  get<P = any, R = any>(id: string): Promise<JobInfo<P, R> | null>;
  /**
   * Cancels a job and returns it, null if there is none. One that waits does not run any more; the `signal` of one that runs aborts, and 5 s later the handler is
   * ended; one that has ended stays as it is. Not undone if a transaction is rolled back; a job enqueued in the same transaction is taken back.
   */
  cancel(id: string): Promise<JobInfo | null>;
  /** Jobs, the youngest first: at most `limit` (1 to 500, 100 by default). `cursor` of a page leads to the next; null on the last. */
  list(filter?: { topic?: string; state?: JobState | JobState[]; limit?: number; cursor?: string | null }): Promise<{ items: JobInfo[]; cursor: string | null }>;
  /**
   * Registers the worker of a topic, at the top level of a module: the same as a file below `src/workers`, whose path without extension is the topic,
   * with `export default handler` and `export const config = options`. A topic has one worker. When a deployment no longer has a worker, its jobs wait.
   */
  process<P = any>(topic: string, handler: (job: Job<P>, context: JobContext) => unknown, options?: WorkerConfig): void;
}

interface JobOptions {
  /** The earliest start, from now: at most a year. Jobs start within a second or so of their time. */
  delay?: number | string;
  /** The earliest start as a Date, milliseconds since 1970 or an ISO text. Either this or `delay`. */
  runAt?: Date | number | string;
  /** 1 (first) to 4 (last) among the waiting jobs of the topic; 2 by default. */
  priority?: number;
  /** 1 to 100; by default that of the worker's config, or 10. */
  maxAttempts?: number;
  /** The time between attempts; by default that of the worker's config, or 5 s that double up to an hour. */
  backoff?: JobBackoff;
  /** At most 512 bytes. If the topic has a job with this key that has not ended, no other is made and its id is returned. */
  uniqueKey?: string;
  /** Also jobs with the key that completed count, if they were enqueued in the same interval of this length (counted from 1970 in UTC; at least 1 s). */
  uniqueFor?: number | string;
  /** Which jobs with the key count, besides scheduled, available and running ones: retryable, and with uniqueFor completed, by default. */
  uniqueStates?: JobState | JobState[];
}

/** A delay, or how it grows: doubled with each failure up to `max` (an hour by default), a tenth more or less at random. "fixed" does not grow. */
type JobBackoff = number | string | { type?: "exponential" | "fixed"; delay?: number | string; max?: number | string };

/** What a file below `src/workers` exports as `config`. */
interface WorkerConfig extends AccessConfig {
  /** Jobs of the topic at a time, 1 to 1,000; 10 by default. */
  concurrency?: number;
  /** The time of one attempt, 10 minutes by default and a day at most: `signal` aborts then, and 5 s later the handler is ended. */
  timeout?: number | string;
  /** 1 to 100 attempts; 10 by default. */
  maxAttempts?: number;
  backoff?: JobBackoff;
  /** As in RouteConfig. */
  cpu?: string;
  memory?: string | number;
}

/** What a worker gets. Its return value, JSON of at most 16 KiB, is kept as the job's `result`. If it throws, the job runs again after the backoff, or is discarded after the last attempt. */
interface Job<P = any> {
  readonly id: string;
  readonly topic: string;
  readonly payload: P;
  /** Counts from 1. An attempt that the shutdown of the server ended does not count. */
  readonly attempt: number;
  readonly maxAttempts: number;
  /** An ISO time. */
  readonly createdAt: string;
  /** Reports how far the job is: a number of any scale, and JSON of at most 16 KiB. `get` shows the last report; it is written once a second and at the end. */
  progress(n: number, data?: unknown): void;
}

interface JobContext {
  /** Aborts, with an AbortError that says why, when the job is cancelled, takes too long, or the server shuts down (the job then runs again after the start). */
  readonly signal: AbortSignal;
}

type JobState = "scheduled" | "available" | "running" | "retryable" | "completed" | "cancelled" | "discarded";

/** Times are ISO texts. */
interface JobInfo<P = any, R = any> {
  id: string;
  topic: string;
  /** scheduled: waits for its time; available: waits for a worker; retryable: failed and waits for its next attempt; discarded: failed in its last attempt. */
  state: JobState;
  payload: P;
  priority: number;
  /** How often it was begun. */
  attempt: number;
  maxAttempts: number;
  createdAt: string;
  /** When it may run, or was to run. */
  runAt: string;
  attemptedAt: string | null;
  finishedAt: string | null;
  uniqueKey?: string;
  progress: { n: number; data?: any; at: string } | null;
  result?: R;
  /** One for each failed attempt: message, source line and stack in TypeScript, without secrets; at most 8 KiB each. */
  errors: { attempt: number; at: string; error: string }[];
  /** Whether the deployed functions, or Go code, have a worker for the topic. */
  worker: boolean;
}

/** Secrets, set with `agentrt secrets set NAME` or by superusers with `PUT /api/agentrt/secrets/NAME`, encrypted in the database. */
interface Secrets {
  /**
   * The value, or null if there is no secret of that name. Works at the top level of modules too; when a secret changes, the functions are loaded again.
   * In a handler of a route whose `config.secrets` does not list the name, it throws an Error with the code ERR_SECRET_NOT_ALLOWED.
   * Secrets are the function's, not its caller's: run: "caller" changes nothing here.
   * Values of six characters or more are replaced by `[secret NAME]` in logs and errors, as far as they appear there unchanged.
   */
  get(name: string): string | null;
}

/**
 * Files of records, in PocketBase's storage (local or S3). A record is named by its id or given as an object with one.
 * Failures reject with a pb.ClientResponseError that has a `code`: 404 with ERR_COLLECTION_NOT_FOUND, ERR_RECORD_NOT_FOUND or ERR_FILE_NOT_FOUND
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
