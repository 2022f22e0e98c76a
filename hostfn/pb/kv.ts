// pb.kv: values by key in PocketBase's database, over the operations of kv.go.

import { op } from "./op.ts";
import { utf8Length } from "../../polyfill/utf8.ts";

interface Item {
  key: string;
  version: number;
  value?: unknown;
  size?: number;
}

interface Reply<Head> {
  head: Head;
  body: ArrayBuffer;
}

const getOp = op<Promise<Reply<Item>>>("pb.kv.get");
const getManyOp = op<Promise<Reply<{ items: Item[] }>>>("pb.kv.getMany");
const listOp = op<Promise<Reply<{ items: Item[]; cursor?: string }>>>("pb.kv.list");
const setOp = op<Promise<number>>("pb.kv.set");
const deleteOp = op<Promise<boolean>>("pb.kv.delete");
const incrOp = op<Promise<number>>("pb.kv.incr");

const maxKey = 512;
const maxPage = 1000;
const isView = ArrayBuffer.isView;

function checkKey(value: unknown, method: string): string {
  if (typeof value !== "string") throw new TypeError(`pb.kv.${method}(): a key is a string, not ${typeof value}`);
  if (value === "" || value.length > maxKey || utf8Length(value) > maxKey) {
    throw new RangeError(`pb.kv.${method}(): a key has 1 to ${maxKey} bytes of UTF-8`);
  }
  if (!(value as string & { isWellFormed(): boolean }).isWellFormed()) {
    throw new RangeError(`pb.kv.${method}(): the key has half of a surrogate pair`);
  }
  return value;
}

function integer(value: unknown, what: string, from: number, to: number): number {
  if (!Number.isInteger(value) || (value as number) < from || (value as number) > to) {
    throw new RangeError(`pb.kv: ${what} is an integer from ${from} to ${to}, not ${String(value)}`);
  }
  return value as number;
}

function version(value: unknown, from: number): number | undefined {
  return value === undefined ? undefined : integer(value, "ifVersion", from, Number.MAX_SAFE_INTEGER);
}

function ttl(value: unknown): number | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value !== "number" || !Number.isFinite(value)) throw new TypeError(`pb.kv: ttl is a number of seconds, not ${String(value)}`);
  return value;
}

/** The value of an item; its bytes are those of body from at on. */
function valueOf(item: Item, body: ArrayBuffer | undefined, at: number): unknown {
  if (item.size === undefined) return item.value ?? null;
  return item.size === 0 ? new Uint8Array(0) : new Uint8Array(body!.slice(at, at + item.size));
}

function values(items: Item[], body: ArrayBuffer): unknown[] {
  let at = 0;
  return items.map((item) => {
    const value = valueOf(item, body, at);
    at += item.size ?? 0;
    return value;
  });
}

async function getWithVersion(key: string): Promise<{ value: unknown; version: number }> {
  const { head, body } = await getOp(checkKey(key, "getWithVersion"));
  return { value: valueOf(head, body, 0), version: head.version };
}

async function get(key: string): Promise<unknown> {
  const { head, body } = await getOp(checkKey(key, "get"));
  return valueOf(head, body, 0);
}

async function getMany(keys: string[]): Promise<unknown[]> {
  if (!Array.isArray(keys)) throw new TypeError("pb.kv.getMany() takes an array of keys");
  if (keys.length > maxPage) throw new RangeError(`pb.kv.getMany() takes at most ${maxPage} keys, not ${keys.length}`);
  const { head, body } = await getManyOp(keys.map((key) => checkKey(key, "getMany")));
  return values(head.items, body);
}

interface ListOptions {
  limit?: number;
  cursor?: string;
}

async function list(prefix = "", options: ListOptions = {}): Promise<{ items: { key: string; value: unknown; version: number }[]; cursor: string | null }> {
  if (prefix !== "") checkKey(prefix, "list");
  const limit = options.limit === undefined ? maxPage : integer(options.limit, "limit", 1, maxPage);
  const cursor = options.cursor ?? "";
  if (cursor !== "") checkKey(cursor, "list");
  const { head, body } = await listOp({ prefix, limit, cursor });
  const found = values(head.items, body);
  return { items: head.items.map(({ key, version }, k) => ({ key, value: found[k], version })), cursor: head.cursor ?? null };
}

interface SetOptions {
  ttl?: number;
  ifVersion?: number;
}

async function set(key: string, value: unknown, options: SetOptions = {}): Promise<number> {
  const head = { key: checkKey(key, "set"), ttl: ttl(options.ttl), ifVersion: version(options.ifVersion, 0) };
  if (value instanceof ArrayBuffer || isView(value)) return setOp({ ...head, bytes: true }, value as ArrayBuffer);
  if (value === undefined || typeof value === "function" || typeof value === "symbol") {
    throw new TypeError(`pb.kv.set(): ${typeof value} has no JSON; use null, or pb.kv.delete()`);
  }
  return setOp({ ...head, value });
}

async function remove(key: string, options: { ifVersion?: number } = {}): Promise<boolean> {
  return deleteOp({ key: checkKey(key, "delete"), ifVersion: version(options.ifVersion, 1) });
}

async function incr(key: string, by = 1, options: { ttl?: number } = {}): Promise<number> {
  return incrOp({ key: checkKey(key, "incr"), by: integer(by, "by", Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER), ttl: ttl(options.ttl) });
}

export const kv = Object.freeze({ get, getWithVersion, getMany, list, set, delete: remove, incr });
