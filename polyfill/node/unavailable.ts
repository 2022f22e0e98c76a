// Functions and classes of modules that have nothing to act on here. They import, they can be constructed and inherited from,
// and a call says what to do instead.

const advice: Record<string, string> = {
  "fs": "use pb.files for stored files, or import text and JSON so that the bundler includes them",
  "fs/promises": "use pb.files for stored files, or import text and JSON so that the bundler includes them",
  "child_process": "functions cannot start processes; call a service with fetch",
  "cluster": "the runtime runs instances side by side by itself",
  "worker_threads": "use pb.jobs to run work beside a request",
  "net": "use fetch", "tls": "use fetch", "http": "use fetch", "https": "use fetch", "http2": "use fetch", "dns": "fetch resolves names",
  "dgram": "use fetch",
  "zlib": "use CompressionStream and DecompressionStream",
  "vm": "import the code, so that it becomes part of the bundle",
  "module": "import modules statically, so that they become part of the bundle",
};

export class NotAvailableError extends Error {
  readonly code = "ERR_NOT_AVAILABLE";
}

function refuse(module: string, name: string, hint: string | undefined): never {
  const text = hint ?? advice[module];
  throw new NotAvailableError(`${module}.${name} is not available in agentrt${text === undefined ? "" : `: ${text}`}`);
}

/** A function that throws ERR_NOT_AVAILABLE when called. */
export function unavailable(module: string, name: string, hint?: string): (...args: any[]) => never {
  const fn = { [name]: (..._args: unknown[]): never => refuse(module, name, hint) }[name]!;
  return fn;
}

/** Several of them. */
export function unavailableAll<N extends string>(module: string, names: readonly N[]): Record<N, (...args: any[]) => never> {
  return Object.fromEntries(names.map((name) => [name, unavailable(module, name)])) as Record<N, (...args: any[]) => never>;
}

/** A class whose objects exist and accept listeners, and whose other methods throw. */
export function unavailableClass(module: string, name: string, methods: readonly string[] = []): new (...args: any[]) => any {
  const Class = { [name]: class {
    constructor(..._args: unknown[]) {}
    on(): this { return this; }
    once(): this { return this; }
    off(): this { return this; }
    addListener(): this { return this; }
    removeListener(): this { return this; }
    emit(): boolean { return false; }
    setMaxListeners(): this { return this; }
    unref(): this { return this; }
    ref(): this { return this; }
    destroy(): this { return this; }
  } }[name]!;
  for (const method of methods) {
    Object.defineProperty(Class.prototype, method, { value: unavailable(module, `${name}.${method}`), writable: true, configurable: true });
  }
  return Class;
}
