// Asynchronous operations of pb, which know the transaction that they are called in.

import { host, type HostOp } from "../../polyfill/host.ts";

interface Storage<T> {
  getStore(): T | undefined;
  run<R>(store: T, fn: () => R): R;
}

/** One pb.tx. */
export interface Transaction {
  over: boolean;
  /** A pb.tx inside threw: no commit. */
  failed: boolean;
  failure: unknown;
  pending: Set<Promise<unknown>>;
  api: object;
}

const { AsyncLocalStorage } = globalThis as unknown as { AsyncLocalStorage: new <T>() => Storage<T> };

/** The pb.tx whose function the running code belongs to. */
export const inside = new AsyncLocalStorage<Transaction>();
const { getStore } = inside;

let used = false;

/** From now on operations look for their transaction. */
export function useTransactions(): void { used = true; }

export function checkOpen(t: Transaction): void {
  if (!t.over) return;
  throw Object.assign(new Error("the transaction is over: await everything inside the function given to pb.tx"), { code: "ERR_TX_OVER" });
}

const done = () => {};

/** As host.op, for operations on the database that return a promise. */
export function op<Result extends Promise<unknown>>(name: string): HostOp<Result> {
  const call = host.op<Result>(name);
  return (head, body) => {
    const t = used ? getStore.call(inside) : undefined;
    if (!t) return call(head, body);
    checkOpen(t);
    const promise = call(head, body);
    const settled = promise.then(done, done).then(() => { t.pending.delete(settled); });
    t.pending.add(settled);
    return promise;
  };
}
