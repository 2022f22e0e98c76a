// The global pb, put together from its parts.

import { utils } from "./utils.ts";

const pb = { utils };

/** Defines the global. */
export function install(define: (name: string, value: unknown) => void): void {
  define("pb", pb);
}
