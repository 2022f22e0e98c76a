/** The global `pb`: PocketBase from inside a function. */
declare const pb: PocketBase;

interface PocketBase extends RecordClient {
  /**
   * The records as the collections' API rules show them to an auth record (ctx.auth, for example), or to a guest if it is null: rules,
   * hidden fields, email visibility, manage rules and request hooks, as for a request to the Web API. The record is read anew in each call;
   * if it is gone, the call fails with 401. Batches need not be enabled in the settings, and rate limits do not apply.
   * In a route with run: "caller" only the caller's own record is taken.
   */
  as(record: { id: string; collectionId?: string; collectionName?: string } | null): RecordClient;
  readonly db: PocketBaseSQL;
  readonly utils: PocketBaseUtils;
  readonly ClientResponseError: typeof PocketBaseClientResponseError;
}

/** Records, with the methods, options and results of the PocketBase JavaScript SDK. */
interface RecordClient {
  /** The records of a collection. Without run: "caller" and pb.as() they are read and written with a superuser's rights. */
  collection<T = RecordModel>(idOrName: string): RecordService<T>;
  /** Writes that happen all or not at all: at most 1,000, in at most 5 s. */
  createBatch(): BatchService;
  /**
   * Puts values into the places {:name} of a filter: strings in quotes, dates in PocketBase's form, other objects as JSON. A value is not
   * searched for places. A string that ends with a backslash is a TypeError, since filters cannot express it.
   */
  filter(expression: string, params?: Record<string, unknown>): string;
}

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

type RecordBody = Record<string, any> | FormData;

/** Operations on records. Failures reject with a pb.ClientResponseError. */
interface RecordService<T = RecordModel> {
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
  /** Values may be a Blob or File, or arrays with them. 400 with the fields that do not validate in response.data. */
  create<R = T>(body?: RecordBody, options?: RecordOptions): Promise<R>;
  /** Also takes "field+", "+field" and "field-", which add to a number, list or files, and remove. */
  update<R = T>(id: string, body?: RecordBody, options?: RecordOptions): Promise<R>;
  /** Gives true. 400 if a required relation points to the record. */
  delete(id: string, options?: RecordOptions): Promise<boolean>;
}

interface BatchService {
  collection(idOrName: string): SubBatchService;
  /** The results in order. 400 if one fails: its error is at response.data.requests[index].response. */
  send(options?: RecordOptions): Promise<{ status: number; body: any }[]>;
}

interface SubBatchService {
  create(body?: RecordBody, options?: RecordOptions): void;
  /** Updates the record with the body's id, or creates it. */
  upsert(body?: RecordBody, options?: RecordOptions): void;
  update(id: string, body?: RecordBody, options?: RecordOptions): void;
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
}
