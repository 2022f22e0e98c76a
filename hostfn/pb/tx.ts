// pb.tx: everything inside a function in one transaction.

import { host } from "../../polyfill/host.ts";
import { checkOpen, inside, useTransactions, type Transaction } from "./op.ts";

const begin = host.op<Promise<void>>("pb.tx.begin");
const wait = host.op<Promise<void>>("pb.tx.wait");
const end = host.op<Promise<void>>("pb.tx.end");
const leave = host.op<void>("pb.tx.leave");

type Api = Record<string, unknown>;
type Work = (tx: any) => unknown;

// The same members as pb, until the transaction is over.
function apiOf(pb: Api, t: Transaction): object {
  const api = {};
  for (const key of Object.keys(pb)) {
    Object.defineProperty(api, key, { enumerable: true, get() { checkOpen(t); return pb[key]; } });
  }
  return Object.freeze(api);
}

async function settle(t: Transaction): Promise<void> {
  while (t.pending.size > 0) await Promise.all(t.pending);
}

async function run(pb: Api, work: Work, timeout: number): Promise<unknown> {
  const t: Transaction = { over: false, failed: false, failure: undefined, pending: new Set(), api: {} };
  t.api = apiOf(pb, t);
  await begin({ timeout });
  useTransactions();
  const expired = new Promise<never>((_, reject) => { wait().catch((e) => { t.over = true; reject(e); }); });
  expired.catch(() => {});
  let result: unknown;
  try {
    result = await Promise.race([expired, inside.run(t, async () => {
      const value = await work(t.api);
      await settle(t);
      return value;
    })]);
    if (t.failed) throw new Error("a pb.tx inside of this one threw, so all of it was rolled back", { cause: t.failure });
  } catch (e) {
    const rolledBack = t.over;
    t.over = true;
    try {
      if (!rolledBack) await end({ commit: false });
      await settle(t); // operations in progress must not go on outside of the transaction
    } finally {
      leave();
    }
    throw e;
  }
  t.over = true;
  try {
    await end({ commit: true });
  } finally {
    leave();
  }
  return result;
}

// A pb.tx beside a running one waits for its end; one inside of it joins.
let last: Promise<unknown> = Promise.resolve();

export function txOf(pb: () => Api): (work: Work, options?: { timeout?: number }) => Promise<unknown> {
  return async (work, options) => {
    if (typeof work !== "function") throw new TypeError("pb.tx() takes a function, for example pb.tx(async (tx) => { … })");
    const timeout = options?.timeout ?? 0;
    if (!Number.isInteger(timeout) || timeout < 0) throw new RangeError(`timeout is a number of milliseconds, not ${String(timeout)}`);
    const outer = inside.getStore();
    if (outer) {
      checkOpen(outer);
      try {
        return await work(outer.api);
      } catch (e) {
        if (!outer.failed) { outer.failed = true; outer.failure = e; }
        throw e;
      }
    }
    const mine = last.then(() => run(pb(), work, timeout));
    last = mine.catch(() => {});
    return mine;
  };
}
