// Globals of the engine that TypeScript's ECMAScript libraries do not declare.

declare function setTimeout(callback: (...args: any[]) => unknown, milliseconds?: number, ...args: unknown[]): number;
declare function setInterval(callback: (...args: any[]) => unknown, milliseconds?: number, ...args: unknown[]): number;
declare function clearTimeout(id?: unknown): void;
declare function clearInterval(id?: unknown): void;
declare function queueMicrotask(callback: () => void): void;
declare function atob(text: string): string;
declare function btoa(text: string): string;
declare const performance: { now(): number; readonly timeOrigin: number };
declare var console: Record<"debug" | "log" | "info" | "warn" | "error" | "trace", (...args: unknown[]) => void>;

declare function escape(text: string): string;
declare function unescape(text: string): string;

interface Uint8ArrayConstructor {
  fromBase64(text: string, options?: { alphabet?: "base64" | "base64url"; lastChunkHandling?: "loose" | "strict" | "stop-before-partial" }): Uint8Array<ArrayBuffer>;
  fromHex(text: string): Uint8Array<ArrayBuffer>;
}
interface Uint8Array {
  toBase64(options?: { alphabet?: "base64" | "base64url"; omitPadding?: boolean }): string;
  toHex(): string;
}

declare class DOMException extends Error {
  constructor(message?: string, name?: string);
  readonly code: number;
}

declare class AsyncLocalStorage<T> {
  getStore(): T | undefined;
  enterWith(store: T): void;
  disable(): void;
  run<R>(store: T, fn: (...args: any[]) => R, ...args: unknown[]): R;
  exit<R>(fn: (...args: any[]) => R, ...args: unknown[]): R;
  static snapshot(): <R>(fn: (...args: any[]) => R, ...args: unknown[]) => R;
  static bind<F extends (...args: any[]) => unknown>(fn: F): F;
}
