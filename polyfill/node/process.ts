// node:process. Most SDKs decide by process.versions.node, process.release.name or Object.prototype.toString whether they run on
// Node; none of these exists here, so they take their fetch-based paths. platform is "linux": the values that code compares with
// are Node's (win32, darwin, linux), a name of our own would only lead to "unsupported platform" errors, and what "linux"
// implies (POSIX paths, "\n", case-sensitive names) is true of the shims.
import { unavailable } from "./unavailable.ts";
import { nodeError } from "./errors.ts";

const base = (globalThis as unknown as { process: { env: Record<string, string | undefined>; nextTick(callback: (...args: any[]) => unknown, ...args: unknown[]): void } }).process;

export const { nextTick } = base;
export const env = base.env;
export const platform = "linux";
export const arch = "wasm32";
export const argv: string[] = [];
export const execArgv: string[] = [];
export const argv0 = "agentrt";
export const execPath = "";
export const title = "agentrt";
export const pid = 1;
export const ppid = 0;
export const version = "";
/** Without "node": that would make libraries use Node's networking. */
export const versions: Record<string, string> = {};
export const release: Record<string, string> = {};
export const features: Record<string, boolean> = {};
export const config = {};
export let exitCode: number | undefined;

export function cwd(): string { return "/"; }
export function uptime(): number { return performance.now() / 1000; }
export function umask(): number { return 0o022; }

export function hrtime(previous?: [number, number]): [number, number] {
  const now = performance.now();
  let seconds = Math.floor(now / 1000);
  let nanoseconds = Math.floor((now % 1000) * 1e6);
  if (previous !== undefined) {
    seconds -= previous[0];
    nanoseconds -= previous[1];
    if (nanoseconds < 0) {
      seconds--;
      nanoseconds += 1e9;
    }
  }
  return [seconds, nanoseconds];
}
hrtime.bigint = (): bigint => BigInt(Math.floor(performance.now() * 1e6));

/** Zeros: an instance does not see its own memory. Logging code that only prints them keeps working. */
export function memoryUsage(): Record<"rss" | "heapTotal" | "heapUsed" | "external" | "arrayBuffers", number> {
  return { rss: 0, heapTotal: 0, heapUsed: 0, external: 0, arrayBuffers: 0 };
}
memoryUsage.rss = (): number => 0;
export function cpuUsage(): { user: number; system: number } { return { user: Math.floor(performance.now() * 1000), system: 0 }; }

export function emitWarning(warning: string | Error, options?: string | { type?: string; code?: string }, code?: string): void {
  const type = warning instanceof Error ? warning.name : typeof options === "string" ? options : options?.type ?? "Warning";
  const id = typeof options === "object" ? options?.code : code;
  globalThis.console.warn(`${id ? `[${id}] ` : ""}${type}: ${warning instanceof Error ? warning.message : warning}`);
}

type Handler = (...args: any[]) => unknown;
interface Emitter {
  on(name: string, handler: Handler): Emitter;
}
/** Signals and process events never come: listeners are accepted and never called. */
export function on(this: unknown, _name: string, _handler: Handler): Emitter { return process as unknown as Emitter; }
export const once = on;
export const off = on;
export const addListener = on;
export const removeListener = on;
export const prependListener = on;
export function removeAllListeners(): unknown { return process; }
export function listeners(): Handler[] { return []; }
export function listenerCount(): number { return 0; }
export function emit(): boolean { return false; }
export function setMaxListeners(): unknown { return process; }

export const exit = unavailable("process", "exit", "return from the handler, or throw");
export const abort = unavailable("process", "abort", "throw an error");
export const kill = unavailable("process", "kill");
export const chdir = unavailable("process", "chdir");
export const binding = unavailable("process", "binding");
export const dlopen = unavailable("process", "dlopen");

/** Node 22.3: built-in modules by name. None, so that libraries look for another way. */
export function getBuiltinModule(_id: string): undefined { return undefined; }

function output(level: "log" | "error"): object {
  return {
    isTTY: false, writable: true, columns: 80, fd: level === "log" ? 1 : 2,
    /** One console line for each call. */
    write(text: string | Uint8Array, encoding?: unknown, callback?: unknown): boolean {
      globalThis.console[level](typeof text === "string" ? text.replace(/\n$/, "") : String(text));
      const done = typeof encoding === "function" ? encoding : callback;
      if (typeof done === "function") nextTick(done as Handler);
      return true;
    },
    on() { return this; }, once() { return this; }, off() { return this; }, removeListener() { return this; }, emit() { return false; }, end() {},
  };
}
export const stdout = output("log");
export const stderr = output("error");
export const stdin = { isTTY: false, fd: 0, on() { return stdin; }, once() { return stdin; }, resume() { return stdin; }, pause() { return stdin; }, read() { return null; } };

export function assert(value: unknown, message = "Assertion failed"): void {
  if (!value) throw nodeError(Error, "ERR_ASSERTION", message);
}

const process = {
  env, nextTick, platform, arch, argv, execArgv, argv0, execPath, title, pid, ppid, version, versions, release, features, config, exitCode: undefined as number | undefined,
  cwd, uptime, umask, hrtime, memoryUsage, cpuUsage, emitWarning, on, once, off, addListener, removeListener, prependListener, removeAllListeners, listeners, listenerCount,
  emit, setMaxListeners, exit, abort, kill, chdir, binding, dlopen, getBuiltinModule, stdout, stderr, stdin, assert,
};
export default process;
