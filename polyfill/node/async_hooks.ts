// https://nodejs.org/api/async_context.html. The hooks themselves (createHook) do not exist here: nothing is called.

const Storage = AsyncLocalStorage;

let lastId = 1;

/** Runs functions in the context of its creation. */
export class AsyncResource {
  #run = Storage.snapshot();
  #id = ++lastId;
  readonly type: string;

  constructor(type: string, _options?: unknown) {
    if (typeof type !== "string") throw new TypeError('The "type" argument must be of type string');
    this.type = type;
  }
  runInAsyncScope<R>(fn: (...args: any[]) => R, thisArg?: unknown, ...args: unknown[]): R {
    return this.#run(() => Reflect.apply(fn, thisArg, args));
  }
  bind<F extends (...args: any[]) => unknown>(fn: F): F {
    const resource = this;
    return function (this: unknown, ...args: unknown[]) {
      return resource.runInAsyncScope(fn, this, ...args);
    } as F;
  }
  static bind<F extends (...args: any[]) => unknown>(fn: F, type = "bound-anonymous-fn"): F {
    return new AsyncResource(type).bind(fn);
  }
  emitDestroy(): this { return this; }
  asyncId(): number { return this.#id; }
  triggerAsyncId(): number { return 1; }
}

/** Always the same: executions are not numbered here. */
export function executionAsyncId(): number { return 1; }
export function triggerAsyncId(): number { return 0; }
export function executionAsyncResource(): object { return {}; }
export function createHook(_callbacks?: object): { enable(): unknown; disable(): unknown } {
  const hook = { enable: () => hook, disable: () => hook };
  return hook;
}
export { Storage as AsyncLocalStorage };
export default { AsyncLocalStorage: Storage, AsyncResource, executionAsyncId, triggerAsyncId, executionAsyncResource, createHook };
