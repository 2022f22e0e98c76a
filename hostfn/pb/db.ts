// pb.db: SQL on the app's database.

import { op } from "./op.ts";

interface Rows {
  rows: Record<string, any>[];
  blobs: [number, string, string][];
  bigints: [number, string, string][];
}

const queryOp = op<Promise<Rows>>("pb.db.query");
const execOp = op<Promise<{ rowsAffected: number; lastInsertId: number }>>("pb.db.exec");

type Params = Record<string, unknown> | unknown[];

function param(value: unknown): unknown {
  switch (typeof value) {
    case "string":
    case "boolean":
      return value;
    case "number":
      if (Number.isFinite(value)) return value;
      break;
    case "bigint":
      if (BigInt.asIntN(64, value) === value) return { int: String(value) };
      break;
    case "object":
      if (value === null) return null;
      if (value instanceof Date) return value.toISOString().replace("T", " ");
      if (value instanceof ArrayBuffer) return { blob: (new Uint8Array(value) as any).toBase64() };
      if (ArrayBuffer.isView(value)) return { blob: (new Uint8Array(value.buffer, value.byteOffset, value.byteLength) as any).toBase64() };
      return JSON.stringify(value);
  }
  throw new TypeError(`a parameter of SQL is a string, number, boolean, null, Date, bytes, a bigint of 64 bits or JSON, not ${typeof value === "undefined" ? "undefined" : String(value)}`);
}

function call(sql: string, params: Params | undefined, options: { timeout?: number } | undefined): object {
  if (typeof sql !== "string") throw new TypeError("pb.db takes the statement as a string");
  const timeout = options?.timeout ?? 0;
  if (!Number.isInteger(timeout) || timeout < 0) throw new RangeError(`timeout is a number of milliseconds, not ${String(timeout)}`);
  if (Array.isArray(params)) return { sql, timeout, positional: params.map(param) };
  const named: Record<string, unknown> = {};
  if (params) for (const name of Object.keys(params)) named[name] = param(params[name]);
  return { sql, timeout, named };
}

async function rows(sql: string, params?: Params, options?: { timeout?: number }): Promise<Record<string, any>[]> {
  const result = await queryOp(call(sql, params, options));
  for (const [row, column, text] of result.blobs) result.rows[row]![column] = (Uint8Array as any).fromBase64(text);
  for (const [row, column, text] of result.bigints) result.rows[row]![column] = BigInt(text);
  return result.rows;
}

function query(sql: string, params?: Params, options?: { timeout?: number }): Promise<Record<string, any>[]> & AsyncIterable<Record<string, any>> {
  const result = rows(sql, params, options);
  return Object.assign(result, {
    async *[Symbol.asyncIterator]() { yield* await result; },
  });
}

async function exec(sql: string, params?: Params, options?: { timeout?: number }): Promise<{ rowsAffected: number; lastInsertId: number }> {
  return execOp(call(sql, params, options));
}

export const db = Object.freeze({ query, exec });
