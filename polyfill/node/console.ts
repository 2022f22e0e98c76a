// https://nodejs.org/api/console.html: the global console.
import { unavailableClass } from "./unavailable.ts";

const { console: global } = globalThis as unknown as { console: Record<string, (...args: unknown[]) => void> };

export const { log, info, debug, warn, error, trace, assert, dir, dirxml, table, group, groupCollapsed, groupEnd, count, countReset, time, timeLog, timeEnd, clear } = global;
export const Console = unavailableClass("console", "Console", ["log", "info", "warn", "error"]);
export default global;
