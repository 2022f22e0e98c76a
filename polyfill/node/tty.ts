// https://nodejs.org/api/tty.html, of which nothing works here: it only imports.
import { unavailableClass } from "./unavailable.ts";

export const ReadStream = /* @__PURE__ */ unavailableClass("tty", "ReadStream");
export const WriteStream = /* @__PURE__ */ unavailableClass("tty", "WriteStream");
export function isatty(_fd: unknown): boolean { return false; }
export * as default from "./tty.ts";
