// https://nodejs.org/api/timers.html: the global functions. Handles are numbers.
import * as promises from "./timers_promises.ts";

const scope = globalThis as unknown as {
  setTimeout: typeof setTimeout; clearTimeout: typeof clearTimeout; setInterval: typeof setInterval; clearInterval: typeof clearInterval;
  setImmediate(callback: (...args: any[]) => unknown, ...args: unknown[]): number; clearImmediate(handle?: number): void;
};

const { setTimeout: st, clearTimeout: ct, setInterval: si, clearInterval: ci, setImmediate: sm, clearImmediate: cm } = scope;
export { st as setTimeout, ct as clearTimeout, si as setInterval, ci as clearInterval, sm as setImmediate, cm as clearImmediate, promises };
export default { setTimeout: st, clearTimeout: ct, setInterval: si, clearInterval: ci, setImmediate: sm, clearImmediate: cm, promises };
