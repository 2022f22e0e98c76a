// The global pb, put together from its parts.

import { files } from "./files.ts";
import { kv } from "./kv.ts";
import { secrets } from "./secrets.ts";
import { utils } from "./utils.ts";

const pb = { files, kv, secrets, utils };

/** Defines the global. */
export function install(define: (name: string, value: unknown) => void): void {
  define("pb", pb);
}
