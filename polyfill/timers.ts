// setImmediate and clearImmediate as Node has them, over the engine's timers. The handle is a number.

const setTimer = setTimeout;
const clearTimer = clearTimeout;

/** Calls back in a later turn of the event loop. */
export function setImmediate<Args extends unknown[]>(callback: (...args: Args) => unknown, ...args: Args): number {
  if (typeof callback !== "function") throw new TypeError("The callback of setImmediate() must be a function");
  return setTimer(callback as (...args: unknown[]) => unknown, 0, ...args);
}

/** Takes setImmediate back; unknown handles are ignored. */
export function clearImmediate(handle?: number): void {
  clearTimer(handle);
}
