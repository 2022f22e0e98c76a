// The global process: env and nextTick only. It has no versions and no "[object process]" tag, so that nothing takes this
// runtime for Node.

const enqueue = queueMicrotask;

/** Where the runtime puts the environment, before or after this bundle runs. */
const given = (globalThis as { process?: { env?: Record<string, string> } }).process;

export const process = {
  /** The variables that the deployment may see, as strings. */
  env: given?.env ?? ({} as Record<string, string | undefined>),

  /** Calls back before timers and host calls complete. Microtasks queued earlier run first here, unlike in Node. */
  nextTick(callback: (...args: any[]) => unknown, ...args: unknown[]): void {
    if (typeof callback !== "function") throw new TypeError("The callback of process.nextTick() must be a function");
    enqueue(args.length === 0 ? () => void callback() : () => void callback(...args));
  },
};
