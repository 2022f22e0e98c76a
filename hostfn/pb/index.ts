// The global pb, put together from its parts.

import { kv } from "./kv.ts";
import { utils } from "./utils.ts";

const pb = { kv, utils };

/** Defines the global. */
export function install(define: (name: string, value: unknown) => void): void {
  define("pb", pb);
}
