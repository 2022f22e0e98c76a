// The global pb, put together from its parts.

import { as, recordClient } from "./collection.ts";
import { db } from "./db.ts";
import { ClientResponseError } from "./error.ts";
import { utils } from "./utils.ts";

const pb = { ...recordClient(undefined), as, ClientResponseError, db, utils };

/** Defines the global. */
export function install(define: (name: string, value: unknown) => void): void {
  define("pb", pb);
}
