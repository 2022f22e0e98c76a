// https://nodejs.org/api/timers.html#timers-promises-api
import { AbortError } from "./errors.ts";

interface Options {
  signal?: { readonly aborted: boolean; readonly reason: unknown; addEventListener(type: string, listener: () => void, options?: object): void; removeEventListener(type: string, listener: () => void): void };
}

const startTimer = setTimeout;
const stopTimer = clearTimeout;

function delay<T>(ms: number | undefined, value: T, { signal }: Options = {}): Promise<T> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(new AbortError(undefined, { cause: signal.reason }));
      return;
    }
    const abort = () => {
      stopTimer(timer);
      reject(new AbortError(undefined, { cause: signal!.reason }));
    };
    const timer = startTimer(() => {
      signal?.removeEventListener("abort", abort);
      resolve(value);
    }, ms);
    signal?.addEventListener("abort", abort, { once: true });
  });
}

function timeout<T>(ms?: number, value?: T, options?: Options): Promise<T> { return delay(ms, value as T, options); }
function immediate<T>(value?: T, options?: Options): Promise<T> { return delay(0, value as T, options); }
async function* interval<T>(ms?: number, value?: T, options?: Options): AsyncGenerator<T> {
  for (;;) yield await delay(ms, value as T, options);
}

export const scheduler = {
  wait: (ms: number, options?: Options): Promise<void> => delay(ms, undefined, options),
  yield: (): Promise<void> => delay(0, undefined),
};
export { timeout as setTimeout, immediate as setImmediate, interval as setInterval };
export default { setTimeout: timeout, setImmediate: immediate, setInterval: interval, scheduler };
